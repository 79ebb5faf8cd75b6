/* checkpoint_kind.c - recognising single files by the names and shapes in them.
 *
 * Mirrors diffusers loaders/single_file_utils.py (infer_diffusers_model_type). Easy to get wrong:
 * nothing in an SD 2.x checkpoint says whether it predicts noise or v; diffusers takes v and 768
 * pixels, and so do we, unless the metadata or the file's name says otherwise.
 */
#include "engine/files/checkpoint.h"

#include "engine/files/utf8.h"
#include "engine/files/weights_kind.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define UNET "model.diffusion_model."

#define REFINER_TOLD 2560 /* numbers beside the time: a pooled text and five sizes */

static bool starts(const char *name, const char *prefix)
{
    return !strncmp(name, prefix, strlen(prefix));
}

/* The first tensor whose name begins so. */
static const SlTensorInfo *first_with(const SlWeightSource *file, const char *prefix)
{
    for (size_t i = 0; i < sl_weights_count(file); i++)
        if (starts(sl_weights_info(file, i)->name, prefix))
            return sl_weights_info(file, i);
    return NULL;
}

static bool refuse(const SlWeightSource *file, SlError *err, const char *what, const char *tensor)
{
    return sl_fail(err, SL_UNSUPPORTED, "%s: %s (it has the tensor \"%s\")",
                   sl_show_path(sl_weights_file(file, 0)).text, sl_words(what),
                   sl_show_name(tensor).text);
}

static bool check_input_channels(const SlWeightSource *file, const SlTensorInfo *conv_in,
                                 SlError *err)
{
    int64_t channels = conv_in->rank == 4 ? conv_in->size[1] : 0;
    if (channels == 4)
        return true;
    return sl_fail(
        err, SL_UNSUPPORTED, "%s: the UNet takes %lld channels (\"%s\"), expected 4: %s",
        sl_show_path(sl_weights_file(file, 0)).text, (long long)channels, conv_in->name,
        channels == 9   ? sl_words("this is an inpainting model: it is told what of a picture to "
                                     "keep, and pictures cannot be given to it yet")
        : channels == 8 ? sl_words("this is an instruct-pix2pix model: it changes a picture, and "
                                   "pictures cannot be given to it yet")
        : channels == 5 ? sl_words("this is a depth model")
        : channels == 7 ? sl_words("this is an upscaler")
                        : sl_words("only text to picture models can be read"));
}

/* Told a pooled text and sizes beside the time. */
static bool is_xl(const SlWeightSource *file)
{
    return sl_weights_find(file, UNET "label_emb.0.0.weight") ||
           first_with(file, "conditioner.embedders.");
}

bool sl_checkpoint_is_refiner(const SlWeightSource *file)
{
    const SlTensorInfo *told = sl_weights_find(file, UNET "label_emb.0.0.weight");
    return first_with(file, "conditioner.embedders.0.model.") ||
           (told && told->rank == 2 && told->size[1] == REFINER_TOLD);
}

bool sl_checkpoint_recognise(const SlWeightSource *file, SlError *err)
{
    if (sl_weights_count(file) == 0)
        return sl_fail(err, SL_FORMAT, "%s: the file contains no tensors",
                       sl_show_path(sl_weights_file(file, 0)).text);
    if (!sl_weights_unless_known(file, SL_WANT_MODEL, err))
        return false;
    const SlTensorInfo *conv_in = sl_weights_find(file, UNET "input_blocks.0.0.weight");
    return conv_in ? check_input_channels(file, conv_in, err)
                   : refuse(file, err,
                            SL_WORDS("the names of its tensors are not those of a Stable Diffusion "
                                     "checkpoint"),
                            sl_weights_info(file, 0)->name);
}

const char *sl_checkpoint_lacks(const SlWeightSource *file, const char *part)
{
    bool refiner = sl_checkpoint_is_refiner(file), xl = is_xl(file);
    const struct {
        const char *part, *prefix, *converted; /* the latter by stable-diffusion.cpp */
    } places[] = {
        {"vae", "first_stage_model.", "first_stage_model."},
        {"text_encoder", xl ? "conditioner.embedders.0." : "cond_stage_model.",
         "cond_stage_model.transformer."},
        {"text_encoder_2", refiner ? "conditioner.embedders.0.model." : "conditioner.embedders.1.",
         refiner ? "cond_stage_model.transformer." : "cond_stage_model.1."},
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (!strcmp(places[i].part, part))
            return first_with(file, places[i].prefix) || first_with(file, places[i].converted)
                       ? NULL
                       : places[i].prefix;
    return NULL;
}

/* Does an SD 2.x checkpoint predict noise at 512 pixels rather than v at 768? */
static bool is_base(const SlWeightSource *file)
{
    const char *architecture = sl_weights_metadata(file, "modelspec.architecture");
    const char *prediction = sl_weights_metadata(file, "modelspec.prediction_type");
    if (prediction)
        return !strcmp(prediction, "epsilon");
    if (architecture)
        return strstr(architecture, "512") || strcasestr(architecture, "turbo");
    const char *path = sl_weights_file(file, 0), *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    return strstr(name, "512") || strcasestr(name, "base") || strcasestr(name, "turbo");
}

/* ---- Stable Diffusion XL ---- */

/* How deep the transformer at a place is: "input_blocks.4.1". */
static int depth(const SlWeightSource *file, const char *place)
{
    char name[200];
    int n = 0;
    do
        snprintf(name, sizeof name, UNET "%s.transformer_blocks.%d.norm1.weight", place, n);
    while (sl_weights_find(file, name) && ++n < 100);
    return n;
}

/* The base model and those that were made of it by leaving layers out. Where the third block
 * begins depends on how many layers the second one has. */
static bool arch_xl(const SlWeightSource *file, char arch[16], SlError *err)
{
    static const struct {
        const char *arch;
        int layers, second, third;
        bool middle;
    } shapes[] = {{"sdxl", 2, 2, 10, true},
                  {"ssd-1b", 2, 2, 4, false},
                  {"vega", 2, 1, 2, false},
                  {"koala-1b", 1, 2, 6, true},
                  {"koala-700m", 1, 2, 5, false}};
    int layers = sl_weights_find(file, UNET "input_blocks.2.0.op.weight") ? 1 : 2;
    int second = depth(file, layers == 1 ? "input_blocks.3.1" : "input_blocks.4.1");
    int third = depth(file, layers == 1 ? "input_blocks.5.1" : "input_blocks.7.1");
    bool middle = sl_weights_find(file, UNET "middle_block.1.norm.weight") != NULL;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        if (shapes[i].layers == layers && shapes[i].second == second && shapes[i].third == third &&
            shapes[i].middle == middle) {
            strcpy(arch, shapes[i].arch);
            return true;
        }
    return sl_fail(
        err, SL_UNSUPPORTED,
        "%s: its UNet is of Stable Diffusion XL's kind, but its transformers are %d and "
        "%d layers deep (input_blocks.%s) and its middle block %s; expected 2 and 10 "
        "with it (SD XL), or 2 and 4 (SSD-1B) or 1 and 2 (Vega) without; or of blocks of "
        "one layer 2 and 6 with it or 2 and 5 without (KOALA)",
        sl_show_path(sl_weights_file(file, 0)).text, second, third, layers == 1 ? "3, 5" : "4, 7",
        middle ? sl_words("attends") : sl_words("does not attend"));
}

/* ---- what a file says of its noise ---- */

/* "v" and "epsilon" as ModelSpec, kohya's scripts and ComfyUI write them; NULL: neither. */
static const char *prediction_named(const char *text)
{
    if (!strcasecmp(text, "v") || !strcasecmp(text, "v_prediction") ||
        !strcasecmp(text, "v-prediction") || !strcasecmp(text, "vpred"))
        return "v_prediction";
    return !strcasecmp(text, "epsilon") || !strcasecmp(text, "eps") ? "epsilon" : NULL;
}

static bool name_says_v(const SlWeightSource *file)
{
    static const char *const words[] = {"vpred", "v-pred", "v_pred"};
    const char *path = sl_weights_file(file, 0), *slash = strrchr(path, '/');
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcasestr(slash ? slash + 1 : path, words[i]))
            return true;
    return false;
}

bool sl_checkpoint_marks(const SlWeightSource *file, SlCheckpointMarks *marks, SlError *err)
{
    static const char *const keys[] = {"modelspec.prediction_type", "modelspec.predict_key"};
    const char *snr = sl_weights_metadata(file, "ss_zero_terminal_snr");
    *marks = (SlCheckpointMarks){.zero_snr = sl_weights_find(file, "ztsnr") ||
                                             (snr && !strcasecmp(snr, "true"))};
    if (sl_weights_find(file, "v_pred")) {
        marks->prediction = "v_prediction";
        marks->from = sl_words("the tensor v_pred");
        return true;
    }
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const char *said = sl_weights_metadata(file, keys[i]);
        if (!said)
            continue;
        marks->prediction = prediction_named(said);
        marks->from = keys[i];
        return marks->prediction ||
               sl_fail(err, SL_UNSUPPORTED,
                       "%s: \"%s\" in its metadata is \"%s\"; expected \"v\" or \"epsilon\"",
                       sl_show_path(sl_weights_file(file, 0)).text, keys[i],
                       sl_show_name(said).text);
    }
    if (name_says_v(file)) {
        marks->prediction = "v_prediction";
        marks->from = sl_words("the file's name");
    }
    return true;
}

/* ---- models that were trained as EDM is ---- */

/* So many numbers of a tensor with a mark's name. */
static bool read_numbers(const SlWeightSource *file, const char *name, int count, double *out,
                         SlError *err)
{
    float values[4];
    int64_t elements = 1;
    const SlTensorInfo *info = sl_weights_find(file, name);
    for (int d = 0; info && d < info->rank; d++)
        elements *= info->size[d];
    if (!info || elements != count)
        return sl_fail(
            err, SL_FORMAT,
            "%s: the tensor \"%s\" %s; expected %d number%s, as models trained as EDM is "
            "have them",
            sl_show_path(sl_weights_file(file, 0)).text, name,
            info ? sl_words("has another size") : sl_words("is missing"), count,
            count == 1 ? "" : "s");
    if (!sl_weights_read_f32(file, info, values, err))
        return false;
    for (int i = 0; i < count; i++)
        out[i] = values[i];
    return true;
}

/* CosXL and models made of it: their sigmas. */
static bool read_cosxl(const SlWeightSource *file, SlEdmMarks *marks, SlError *err)
{
    static const char lowest[] = "edm_vpred.sigma_min";
    marks->kind = "cosxl";
    marks->sigma_min = 0.002;
    if (!read_numbers(file, "edm_vpred.sigma_max", 1, &marks->sigma_max, err) ||
        (sl_weights_find(file, lowest) && !read_numbers(file, lowest, 1, &marks->sigma_min, err)))
        return false;
    return (marks->sigma_min > 0 && marks->sigma_min < marks->sigma_max &&
            marks->sigma_max < 1e30) ||
           sl_fail(
               err, SL_FORMAT,
               "%s: \"edm_vpred.sigma_min\" is %g and \"edm_vpred.sigma_max\" is %g; expected 0 < "
               "the former < the latter",
               sl_show_path(sl_weights_file(file, 0)).text, marks->sigma_min, marks->sigma_max);
}

/* Playground v2.5 and models made of it: their latents. */
static bool read_playground(const SlWeightSource *file, SlEdmMarks *marks, SlError *err)
{
    marks->kind = "playground";
    marks->sigma_min = 0.002;
    marks->sigma_max = 80;
    if (!read_numbers(file, "edm_mean", 4, marks->latents_mean, err) ||
        !read_numbers(file, "edm_std", 4, marks->latents_std, err))
        return false;
    for (int i = 0; i < 4; i++)
        if (!(marks->latents_std[i] > 0))
            return sl_fail(err, SL_FORMAT,
                           "%s: \"edm_std\" has %g for channel %d; expected a number above 0",
                           sl_show_path(sl_weights_file(file, 0)).text, marks->latents_std[i], i);
    return true;
}

bool sl_checkpoint_edm(const SlWeightSource *file, bool xl_base, SlEdmMarks *marks, SlError *err)
{
    *marks = (SlEdmMarks){0};
    const SlTensorInfo *v = first_with(file, "edm_vpred.");
    const SlTensorInfo *mean = first_with(file, "edm_mean");
    if ((v || mean) && !xl_base)
        return refuse(
            file, err,
            sl_words("of the models that were trained as EDM is only those of Stable Diffusion "
                     "XL's base can be run, and this is another"),
            v ? v->name : mean->name);
    return v ? read_cosxl(file, marks, err) : !mean || read_playground(file, marks, err);
}

/* OpenCLIP's text encoder of SD 2.x, under its own names or, as stable-diffusion.cpp converts it, under
 * transformers'. */
static bool has_open_clip(const SlWeightSource *file)
{
    const SlTensorInfo *norm =
        sl_weights_find(file, "cond_stage_model.transformer.text_model.final_layer_norm.bias");
    return first_with(file, "cond_stage_model.model.") ||
           (norm && norm->rank == 1 && norm->size[0] == 1024);
}

bool sl_checkpoint_arch(const SlWeightSource *file, char arch[16], SlError *err)
{
    if (sl_checkpoint_is_refiner(file)) {
        strcpy(arch, "sdxl-refiner");
        return true;
    }
    if (is_xl(file))
        return arch_xl(file, arch, err);
    static const char key[] = UNET "input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight";
    const SlTensorInfo *to_k = sl_weights_find(file, key);
    long long text_size = to_k && to_k->rank == 2 ? to_k->size[1] : 0;
    bool open_clip = has_open_clip(file);
    if (text_size == 768 && !open_clip)
        strcpy(arch, "sd15");
    else if (text_size == 1024 && (open_clip || !first_with(file, "cond_stage_model.")))
        strcpy(arch, is_base(file) ? "sd21-base" : "sd21");
    else
        return sl_fail(err, SL_UNSUPPORTED,
                       "%s: its UNet takes text embeddings of size %lld (\"%s\") and its text "
                       "encoder is %s; expected 768 and CLIP (Stable Diffusion 1.x) or 1024 and "
                       "OpenCLIP (2.x)",
                       sl_show_path(sl_weights_file(file, 0)).text, text_size, key,
                       open_clip ? "OpenCLIP" : "CLIP");
    return true;
}

const char *sl_checkpoint_reason(const char *arch)
{
    static const struct {
        const char *arch, *reason;
    } reasons[] = {
        {"sd15",
         SL_WORDS("texts of size 768 (attn2.to_k), CLIP's names (cond_stage_model.transformer)")},
        {"sd21-base",
         SL_WORDS("texts of size 1024, OpenCLIP's names (cond_stage_model.model), and 512, base, "
                  "turbo or epsilon in its metadata or name")},
        {"sd21",
         SL_WORDS("texts of size 1024, OpenCLIP's names (cond_stage_model.model), and nothing that "
                  "says 512 pixels or epsilon")},
        {"sdxl",
         SL_WORDS("two text encoders (conditioner.embedders), transformers 2 and 10 layers deep")},
        {"ssd-1b",
         SL_WORDS("two text encoders (conditioner.embedders), transformers 2 and 4 layers deep, "
                  "none in the middle")},
        {"vega",
         SL_WORDS(
             "two text encoders (conditioner.embedders), transformers 1 and 2 layers deep, none "
             "in the middle")},
        {"koala-1b",
         SL_WORDS("two text encoders (conditioner.embedders), blocks of one layer, transformers 2 "
                  "and 6 layers deep")},
        {"koala-700m",
         SL_WORDS("two text encoders (conditioner.embedders), blocks of one layer, transformers "
                  "2 and 5 layers deep, no middle block")},
        {"sdxl-refiner",
         SL_WORDS("OpenCLIP alone as text encoder (conditioner.embedders.0.model)")},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (!strcmp(reasons[i].arch, arch))
            return sl_words(reasons[i].reason);
    return sl_words("the family's own marks");
}
