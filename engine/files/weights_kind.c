/* weights_kind.c - see weights_kind.h.
 *
 * Easy to get wrong: the tools that merge LoRAs and embeddings into a model leave their names in it, so a
 * whole model is looked for first.
 */
#include "engine/files/weights_kind.h"

#include "engine/files/tiny_file.h"
#include "engine/files/torch_file.h"
#include "engine/files/utf8.h"

#include <string.h>

/* What each is called in a sentence, and the options that take it (NULL: none does), but as a
 * pickle. */
static const struct {
    const char *what, *option;
} kinds[] = {
    [SL_WEIGHTS_UNKNOWN] = {NULL, NULL},
    [SL_WEIGHTS_MODEL] = {SL_WORDS("a model in a single file"), "--model"},
    [SL_WEIGHTS_BARE_UNET] = {SL_WORDS("a UNet alone"), "--unet"},
    [SL_WEIGHTS_UNET] = {SL_WORDS("a UNet alone"), "--unet"},
    [SL_WEIGHTS_FOLDER_UNET] = {SL_WORDS("the UNet of a diffusers folder (the model is the folder "
                                         "above it, which holds model_index.json)"),
                                "--unet"},
    [SL_WEIGHTS_PARTS] = {SL_WORDS("several parts of a model under the names of a diffusers "
                                   "folder (\"unet.\", \"vae.\")"),
                          "--unet, --vae or --text-encoder"},
    [SL_WEIGHTS_VAE] = {SL_WORDS("a VAE alone"), "--vae"},
    [SL_WEIGHTS_TINY_VAE] = {SL_WORDS("a tiny VAE (TAESD)"), "--preview-decoder or --vae"},
    [SL_WEIGHTS_TINY_ENCODER] = {SL_WORDS("the encoder of a tiny VAE (what makes pictures is its "
                                          "decoder, a file of its own that is called like "
                                          "taesd_decoder.safetensors)"),
                                 NULL},
    [SL_WEIGHTS_TEXT_ENCODER] = {SL_WORDS("a text encoder alone"), "--text-encoder"},
    [SL_WEIGHTS_LORA] = {SL_WORDS("a LoRA, an addition to a model"), "--lora"},
    [SL_WEIGHTS_EMBEDDING] = {SL_WORDS("a textual inversion embedding"), "--embedding"},
    [SL_WEIGHTS_CONTROLNET] = {SL_WORDS("a ControlNet, an addition to a model that cannot be read "
                                        "here"),
                               NULL},
    [SL_WEIGHTS_SD3] = {SL_WORDS("a Stable Diffusion 3 checkpoint (of single files only Stable "
                                 "Diffusion 1.x, 2.x and XL can be read)"),
                        NULL},
    [SL_WEIGHTS_FLUX] = {SL_WORDS("a Flux checkpoint (of single files only Stable Diffusion 1.x, "
                                  "2.x and XL can be read)"),
                         NULL},
    [SL_WEIGHTS_EMA] = {SL_WORDS("the averaged (EMA) weights of a model alone, in a layout that "
                                 "cannot be read"),
                        NULL},
    [SL_WEIGHTS_LATENTS] = {SL_WORDS("a file of latents or noise"), "--latents or --step-noise"},
    [SL_WEIGHTS_COMPARISON] = {SL_WORDS("a comparison that Safelight saved"), "compare --open"},
};

/* Names that tell a kind, most telling first. */
typedef struct Tell {
    const char *text;
    enum { BEGINS, HOLDS, IS } how;
    SlWeightsKind kind;
} Tell;

static const Tell tells[] = {
    {"lane.0.", BEGINS, SL_WEIGHTS_COMPARISON},
    {"lora_unet_", BEGINS, SL_WEIGHTS_LORA},
    {"lora_te", BEGINS, SL_WEIGHTS_LORA},
    {"lycoris_", BEGINS, SL_WEIGHTS_LORA},
    {".lora_down.weight", HOLDS, SL_WEIGHTS_LORA},
    {".lora_A.", HOLDS, SL_WEIGHTS_LORA},
    {".lora.down.weight", HOLDS, SL_WEIGHTS_LORA},
    {"_lora.down.weight", HOLDS, SL_WEIGHTS_LORA},
    {".hada_w1_a", HOLDS, SL_WEIGHTS_LORA},
    {".lokr_w", HOLDS, SL_WEIGHTS_LORA},
    {"bundle_emb.", BEGINS, SL_WEIGHTS_LORA},
    {"emb_params", IS, SL_WEIGHTS_EMBEDDING},
    {"string_to_param", BEGINS, SL_WEIGHTS_EMBEDDING},
    {"clip_l", IS, SL_WEIGHTS_EMBEDDING},
    {"clip_g", IS, SL_WEIGHTS_EMBEDDING},
    {"control_model.", BEGINS, SL_WEIGHTS_CONTROLNET},
    {"controlnet_cond_embedding.", BEGINS, SL_WEIGHTS_CONTROLNET},
    {"joint_blocks.", HOLDS, SL_WEIGHTS_SD3},
    {"double_blocks.", HOLDS, SL_WEIGHTS_FLUX},
    {"down_blocks.", BEGINS, SL_WEIGHTS_FOLDER_UNET},
    {"unet.", BEGINS, SL_WEIGHTS_PARTS},
    {"diffusion_model.", BEGINS, SL_WEIGHTS_UNET},
    {"input_blocks.", BEGINS, SL_WEIGHTS_UNET},
    {"first_stage_model.", BEGINS, SL_WEIGHTS_VAE},
    {"decoder.", BEGINS, SL_WEIGHTS_VAE},
    {"vae.", BEGINS, SL_WEIGHTS_VAE},
    {"cond_stage_model.", BEGINS, SL_WEIGHTS_TEXT_ENCODER},
    {"conditioner.embedders.", BEGINS, SL_WEIGHTS_TEXT_ENCODER},
    {"text_model.", BEGINS, SL_WEIGHTS_TEXT_ENCODER},
    {"text_encoder", BEGINS, SL_WEIGHTS_TEXT_ENCODER},
    {"transformer.resblocks.", BEGINS, SL_WEIGHTS_TEXT_ENCODER},
    {"model_ema.", BEGINS, SL_WEIGHTS_EMA},
    {"latents", IS, SL_WEIGHTS_LATENTS},
    {"noise", IS, SL_WEIGHTS_LATENTS},
};

static bool begins(const char *name, const char *with)
{
    return !strncmp(name, with, strlen(with));
}

/* In pickles of whole models all names begin so. */
static const char *without_state_dict(const char *name)
{
    return name + (begins(name, "state_dict.") ? strlen("state_dict.") : 0);
}

static bool tells_it(const Tell *tell, const char *full_name)
{
    const char *name = without_state_dict(full_name);
    return tell->how == BEGINS  ? begins(name, tell->text)
           : tell->how == HOLDS ? strstr(name, tell->text) != NULL
                                : !strcmp(name, tell->text);
}

/* The first tensor that a tell fits. */
static const char *first_of(const SlWeightSource *file, const Tell *tell)
{
    for (size_t i = 0; i < sl_weights_count(file); i++)
        if (tells_it(tell, sl_weights_info(file, i)->name))
            return sl_weights_info(file, i)->name;
    return NULL;
}

/* Of a checkpoint that has a UNet: whether it has a VAE or a text encoder besides. */
static bool has_more(const SlWeightSource *file)
{
    static const Tell more[] = {{"first_stage_model.", BEGINS, SL_WEIGHTS_VAE},
                                {"cond_stage_model.", BEGINS, SL_WEIGHTS_TEXT_ENCODER},
                                {"conditioner.embedders.", BEGINS, SL_WEIGHTS_TEXT_ENCODER}};
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++)
        if (first_of(file, &more[i]))
            return true;
    return false;
}

/* The layouts that a UNet of this name may be a piece of. */
static bool is_beside_unet(SlWeightsKind kind)
{
    return kind == SL_WEIGHTS_CONTROLNET || kind == SL_WEIGHTS_SD3 || kind == SL_WEIGHTS_FLUX;
}

/* With a decoder, or with the encoder alone. */
static SlWeightsKind tiny_kind(const SlWeightSource *file, const char **tensor)
{
    *tensor = sl_weights_info(file, 0)->name;
    return sl_tiny_has_decoder(file) ? SL_WEIGHTS_TINY_VAE : SL_WEIGHTS_TINY_ENCODER;
}

SlWeightsKind sl_weights_kind(const SlWeightSource *file, const char **tensor)
{
    static const Tell full = {"model.diffusion_model.input_blocks.0.0.weight", IS, SL_WEIGHTS_UNET};
    const char *unet = first_of(file, &full), *unused;
    tensor = tensor ? tensor : &unused;
    *tensor = unet;
    if (!unet && sl_weights_count(file) && sl_tiny_is(file))
        return tiny_kind(file, tensor);
    for (size_t i = 0; i < sizeof tells / sizeof tells[0]; i++) {
        const char *told =
            !unet || is_beside_unet(tells[i].kind) ? first_of(file, &tells[i]) : NULL;
        if (told) {
            *tensor = told;
            return tells[i].kind;
        }
    }
    return !unet ? SL_WEIGHTS_UNKNOWN : has_more(file) ? SL_WEIGHTS_MODEL : SL_WEIGHTS_BARE_UNET;
}

/* Kinds of which one may have what is wanted in it. */
static bool may_have(SlWeightsKind kind, SlWanted wanted)
{
    const unsigned whole = 1u << SL_WEIGHTS_MODEL | 1u << SL_WEIGHTS_PARTS;
    const unsigned unets =
        1u << SL_WEIGHTS_BARE_UNET | 1u << SL_WEIGHTS_UNET | 1u << SL_WEIGHTS_FOLDER_UNET;
    const unsigned fit[] = {
        [SL_WANT_MODEL] = 1u << SL_WEIGHTS_MODEL | 1u << SL_WEIGHTS_BARE_UNET,
        [SL_WANT_UNET] = whole | unets,
        [SL_WANT_VAE] = whole | 1u << SL_WEIGHTS_VAE | 1u << SL_WEIGHTS_TINY_VAE,
        [SL_WANT_TEXT_ENCODER] = whole | 1u << SL_WEIGHTS_TEXT_ENCODER,
        [SL_WANT_TEXT_ENCODER_2] = whole | 1u << SL_WEIGHTS_TEXT_ENCODER,
        [SL_WANT_TINY_VAE] = 1u << SL_WEIGHTS_TINY_VAE,
        [SL_WANT_LORA] = 1u << SL_WEIGHTS_LORA,
        [SL_WANT_EMBEDDING] = 1u << SL_WEIGHTS_EMBEDDING,
        [SL_WANT_LATENTS] = 1u << SL_WEIGHTS_LATENTS,
        [SL_WANT_NOISE] = 1u << SL_WEIGHTS_LATENTS,
        [SL_WANT_COMPARISON] = 1u << SL_WEIGHTS_COMPARISON,
    };
    return kind == SL_WEIGHTS_UNKNOWN || (fit[wanted] >> kind & 1);
}

bool sl_weights_unless_known(const SlWeightSource *file, SlWanted wanted, SlError *err)
{
    const char *tensor;
    SlWeightsKind kind = sl_weights_kind(file, &tensor);
    if (may_have(kind, wanted))
        return true;
    SlShown path = sl_show_path(sl_weights_file(file, 0)), name = sl_show_name(tensor);
    const char *what = sl_words(kinds[kind].what), *expected = sl_wanted_words(wanted);
    if (kinds[kind].option && !sl_torch_file_is(sl_weights_file(file, 0)))
        return sl_fail(err, SL_UNSUPPORTED,
                       "%s: this is %s, which %s takes; expected %s (it has the tensor \"%s\")",
                       path.text, what, kinds[kind].option, expected, name.text);
    return sl_fail(err, SL_UNSUPPORTED, "%s: this is %s; expected %s (it has the tensor \"%s\")",
                   path.text, what, expected, name.text);
}
