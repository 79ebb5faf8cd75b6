/* ddpm.c - the families of models in pixel space (diffusers pipelines/ddpm/pipeline_ddpm.py,
 * ddim/pipeline_ddim.py, deprecated/pndm/pipeline_pndm.py): a UNet2DModel and a scheduler, no text
 * and no VAE. The three differ in the scheduler that they make of the folder's.
 *
 * Easy to get wrong: DDPMPipeline says no eta to its scheduler, DDIMPipeline says 0; a model with
 * classes is one that these pipelines cannot call, since they pass no class: 0 is taken. */
#include "engine/pipelines/pipelines.h"

static void *build_unet(const SlJson *json, SlBinder *b, SlError *err)
{
    return sl_denoiser_new(&sl_denoiser_unet, json, b, err);
}

static void free_unet(void *unet)
{
    sl_denoiser_free(unet);
}

static bool inspect(SlModelInfo *info, SlError *err)
{
    SlUnetConfig unet;
    SlJson *json = sl_model_config(info, "unet", err);
    bool ok = json && sl_unet_config(&unet, json, err) && sl_unet_of_kind(&unet, json, false, err);
    if (ok && (!unet.sample_width || !unet.sample_height))
        ok = sl_fail(err, SL_FORMAT, "%s: \"sample_size\" is missing; expected the picture's size",
                     sl_json_name(json));
    if (ok && unet.in_channels != 3 && unet.in_channels != 1)
        ok = sl_fail(err, SL_UNSUPPORTED,
                     "%s: \"in_channels\" is %d; expected 3, or 1 for grey pictures",
                     sl_json_name(json), unet.in_channels);
    sl_json_close(json);
    if (!ok)
        return false;
    info->channels = unet.in_channels;
    info->factor = 1;
    info->size_multiple = sl_unet_size_multiple(&unet);
    info->branches = sl_unet_branches(&unet);
    info->also_has |= SL_HAS_BRANCHES;
    info->width = unet.sample_width;
    info->height = unet.sample_height;
    info->classes = unet.classes;
    if (unet.classes || unet.class_timestep)
        info->also_has |= SL_HAS_CLASSES;
    return true;
}

static const SlPartClass unet = {
    .name = "unet",
    .base = "diffusion_pytorch_model",
    .classes = (const char *const[]){"UNet2DModel", NULL},
    .use = SL_USE_DENOISE,
    .build = build_unet,
    .free = free_unet,
};

const SlPipelineClass sl_class_ddpm = {
    .info = {.id = "ddpm",
             .class_name = "DDPMPipeline",
             .name = "DDPM",
             .guidance_rule = SL_GUIDANCE_NONE,
             .steps = 50,
             .guidance = 1,
             .bench_scheduler = "ddpm"},
    .class_names = (const char *const[]){"DDPMPipeline", NULL},
    .parts = (const SlPartClass *const[]){&unet, NULL},
    .inspect = inspect,
};

const SlPipelineClass sl_class_ddim = {
    .info = {.id = "ddim",
             .class_name = "DDIMPipeline",
             .name = "DDIM",
             .guidance_rule = SL_GUIDANCE_NONE,
             .passes_eta = true,
             .steps = 50,
             .guidance = 1,
             .bench_scheduler = "ddim"},
    .class_names = (const char *const[]){"DDIMPipeline", NULL},
    .scheduler = "ddim",
    .parts = (const SlPartClass *const[]){&unet, NULL},
    .inspect = inspect,
};

const SlPipelineClass sl_class_pndm = {
    .info = {.id = "pndm",
             .class_name = "PNDMPipeline",
             .name = "PNDM",
             .guidance_rule = SL_GUIDANCE_NONE,
             .steps = 50,
             .guidance = 1,
             .bench_scheduler = "pndm"},
    .class_names = (const char *const[]){"PNDMPipeline", NULL},
    .scheduler = "pndm",
    .parts = (const SlPartClass *const[]){&unet, NULL},
    .inspect = inspect,
};
