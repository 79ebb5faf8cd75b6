/* checkpoint_kind.c - recognising single files by the names and shapes in them.
 *
 * Mirrors diffusers loaders/single_file_utils.py (infer_diffusers_model_type). Easy to get wrong:
 * nothing in an SD 2.x checkpoint says whether it predicts noise or v; diffusers takes v and 768
 * pixels, and so do we, unless the metadata or the file's name says otherwise.
 */
#include "engine/files/checkpoint.h"

#include "engine/files/utf8.h"

#include <string.h>
#include <strings.h>

#define UNET "model.diffusion_model."

static bool starts(const char *name, const char *prefix)
{
    return !strncmp(name, prefix, strlen(prefix));
}

/* The first tensor whose name starts with, or contains, a text. */
static const SlTensorInfo *first_with(const SlWeightSource *file, const char *text, bool at_start)
{
    for (size_t i = 0; i < sl_weights_count(file); i++) {
        const SlTensorInfo *info = sl_weights_info(file, i);
        if (at_start ? starts(info->name, text) : strstr(info->name, text) != NULL)
            return info;
    }
    return NULL;
}

/* Names that belong to other kinds of files, most telling first. */
static const struct {
    const char *text;
    bool at_start;
    const char *what;
} others[] = {
    {"lora_unet_", true, "this is a LoRA, an addition to a model, not a model"},
    {"lora_te", true, "this is a LoRA, an addition to a model, not a model"},
    {".lora_down.weight", false, "this is a LoRA, an addition to a model, not a model"},
    {".lora_A.weight", false, "this is a LoRA, an addition to a model, not a model"},
    {".lora.down.weight", false, "this is a LoRA, an addition to a model, not a model"},
    {"emb_params", true, "this is a textual inversion embedding, not a model"},
    {"string_to_param", true, "this is a textual inversion embedding, not a model"},
    {"clip_l", true, "this is a textual inversion embedding, not a model"},
    {"control_model.", true, "this is a ControlNet, an addition to a model, not a model"},
    {"controlnet_cond_embedding.", true,
     "this is a ControlNet, an addition to a model, not a model"},
    {"conditioner.embedders.1.", true,
     "this is a Stable Diffusion XL checkpoint; only Stable "
     "Diffusion 1.x and 2.x can be read from a single file"},
    {"conditioner.embedders.0.", true,
     "this is a Stable Diffusion XL refiner checkpoint; only Stable Diffusion 1.x and 2.x can be "
     "read from a single file"},
    {"joint_blocks.", false,
     "this is a Stable Diffusion 3 checkpoint; only Stable Diffusion 1.x "
     "and 2.x can be read from a single file"},
    {"double_blocks.", false,
     "this is a Flux checkpoint; only Stable Diffusion 1.x and 2.x can be "
     "read from a single file"},
};

/* A file that lacks the UNet: which single part is it? */
static const char *part_of_model(const SlWeightSource *file)
{
    static const struct {
        const char *prefix, *what;
    } parts[] = {
        {"down_blocks.", "this is the UNet of a diffusers folder: open the folder that holds "
                         "model_index.json, or give this file to another model with --unet"},
        {"diffusion_model.", "this file contains only a UNet: give it to a model with --unet"},
        {"input_blocks.", "this file contains only a UNet: give it to a model with --unet"},
        {"first_stage_model.", "this file contains only the VAE, not a whole model: give it to a "
                               "model with --vae"},
        {"decoder.", "this file contains only a VAE, not a whole model: give it to a model with "
                     "--vae"},
        {"vae.", "this file contains only a VAE, not a whole model: give it to a model with --vae"},
        {"cond_stage_model.", "this file contains only the text encoder, not a whole model: give "
                              "it to a model with --text-encoder"},
        {"text_model.", "this file contains only a text encoder, not a whole model: give it to a "
                        "model with --text-encoder"},
        {"model_ema.", "this file contains only the averaged (EMA) weights, in a layout that "
                       "cannot be read"},
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (first_with(file, parts[i].prefix, true))
            return parts[i].what;
    return "the names of its tensors are not those of a Stable Diffusion checkpoint";
}

static bool refuse(const SlWeightSource *file, SlError *err, const char *what, const char *tensor)
{
    return sl_fail(err, SL_UNSUPPORTED, "%s: %s (it has the tensor \"%s\")",
                   sl_show_path(sl_weights_file(file, 0)).text, what, sl_show_name(tensor).text);
}

static bool check_input_channels(const SlWeightSource *file, const SlTensorInfo *conv_in,
                                 SlError *err)
{
    int64_t channels = conv_in->rank == 4 ? conv_in->size[1] : 0;
    if (channels == 4)
        return true;
    return sl_fail(err, SL_UNSUPPORTED, "%s: the UNet takes %lld channels (\"%s\"), expected 4: %s",
                   sl_show_path(sl_weights_file(file, 0)).text, (long long)channels, conv_in->name,
                   channels == 9   ? "this is an inpainting model"
                   : channels == 8 ? "this is an instruct-pix2pix model"
                   : channels == 5 ? "this is a depth model"
                   : channels == 7 ? "this is an upscaler"
                                   : "only text to picture models can be read");
}

bool sl_checkpoint_recognise(const SlWeightSource *file, SlError *err)
{
    if (sl_weights_count(file) == 0)
        return sl_fail(err, SL_FORMAT, "%s: the file contains no tensors",
                       sl_show_path(sl_weights_file(file, 0)).text);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        const SlTensorInfo *found = first_with(file, others[i].text, others[i].at_start);
        if (found)
            return refuse(file, err, others[i].what, found->name);
    }
    const SlTensorInfo *conv_in = sl_weights_find(file, UNET "input_blocks.0.0.weight");
    if (!conv_in)
        return refuse(file, err, part_of_model(file), sl_weights_info(file, 0)->name);
    if (!check_input_channels(file, conv_in, err))
        return false;
    static const char *const needed[][2] = {
        {"first_stage_model.", "the VAE"},
        {"cond_stage_model.", "the text encoder"},
    };
    for (size_t i = 0; i < 2; i++)
        if (!first_with(file, needed[i][0], true))
            return sl_fail(err, SL_UNSUPPORTED,
                           "%s: the file lacks %s (no tensor's name begins with \"%s\")",
                           sl_show_path(sl_weights_file(file, 0)).text, needed[i][1], needed[i][0]);
    return true;
}

/* Does an SD 2.x checkpoint predict noise at 512 pixels rather than v at 768? */
static bool is_base(const SlWeightSource *file)
{
    const char *architecture = sl_weights_metadata(file, "modelspec.architecture");
    const char *prediction = sl_weights_metadata(file, "modelspec.prediction_type");
    if (prediction)
        return !strcmp(prediction, "epsilon");
    if (architecture)
        return strstr(architecture, "512") != NULL;
    const char *path = sl_weights_file(file, 0), *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    return strstr(name, "512") || strcasestr(name, "base");
}

bool sl_checkpoint_arch(const SlWeightSource *file, char arch[16], SlError *err)
{
    static const char key[] = UNET "input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight";
    const SlTensorInfo *to_k = sl_weights_find(file, key);
    long long text_size = to_k && to_k->rank == 2 ? to_k->size[1] : 0;
    bool open_clip = first_with(file, "cond_stage_model.model.", true) != NULL;
    if (text_size == 768 && !open_clip)
        strcpy(arch, "sd15");
    else if (text_size == 1024 && open_clip)
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
