/* distilled.c - see distilled.h.
 *
 * diffusers knows nothing of this: its model cards and documentation say for each model with how many
 * steps, which guidance, scheduler and spacing it is run, and a person types it
 * (docs/source/en/using-diffusers/inference_with_lcm.md, api/pipelines/stable_diffusion/
 * sdxl_turbo.md, the cards of SDXL-Lightning, Hyper-SD and DMD2). Here a model that says what it is
 * brings these numbers as its defaults.
 *
 * Easy to get wrong: a wrong guess ruins every picture, so only what is certain counts: a weight that
 * no other model has, the class of a folder's scheduler, what ModelSpec says, the name of a file as
 * its makers published it. "Lightning" somewhere in a name is not certain: such a model may have been
 * mixed with others, and is set by hand. A folder keeps its own scheduler; a file has none.
 */
#include "engine/pipelines/distilled.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- the kinds ---- */

static const SlDistilled told = {
    .name = "LCM, told the guidance", .steps = 4, .guidance = 8, .scheduler = "lcm"};
static const SlDistilled lcm = {.name = "LCM", .steps = 4, .guidance = 1, .scheduler = "lcm"};
static const SlDistilled tcd = {.name = "TCD", .steps = 4, .guidance = 0, .scheduler = "tcd"};
/* Made for 1 to 4 steps; the fourth still adds. */
static const SlDistilled turbo = {.name = "Turbo",
                                  .steps = 4,
                                  .guidance = 0,
                                  .scheduler = "euler-a",
                                  .spacing = SL_SPACING_TRAILING,
                                  .size = 64};

#define LIGHTNING(number, said)                                                           \
    {                                                                                     \
        .name = "SDXL-Lightning", .steps = (number), .guidance = 0, .scheduler = "euler", \
        .spacing = SL_SPACING_TRAILING, .predicts_sample = said                           \
    }

/* By what their makers called the files; upper case and '-' are small and '_' here. Without a size
 * of its own a kind has its family's. */
static const struct {
    const char *begins;
    SlDistilled kind;
} published[] = {
    {"sd_xl_turbo_1.0", {"SDXL-Turbo", 4, 0, "euler-a", SL_SPACING_TRAILING, .size = 64}},
    {"sd_turbo", {"SD-Turbo", 4, 0, "euler", SL_SPACING_TRAILING, .size = 64}},
    {"sdxl_lightning_1step_x0", LIGHTNING(1, true)},
    {"sdxl_lightning_2step", LIGHTNING(2, false)},
    {"sdxl_lightning_4step", LIGHTNING(4, false)},
    {"sdxl_lightning_8step", LIGHTNING(8, false)},
    /* Its one timestep is 800, and those of DMD2 are 999, 749, 499 and 249: what LCM lays out of so
     * many original steps. */
    {"hyper_sdxl_1step_unet", {"Hyper-SDXL", 1, 0, "lcm", .original_steps = 801}},
    {"dmd2_sdxl_4step_unet", {"DMD2", 4, 0, "lcm", .original_steps = 1000}},
    {"dmd2_sdxl_1step_unet", {"DMD2", 1, 0, "lcm", .only_timestep = 399}},
};

/* ---- recognising ---- */

static bool found(SlModelInfo *info, const SlDistilled *kind, const char *from)
{
    info->distilled = kind;
    snprintf(info->distilled_from, sizeof info->distilled_from, "%s", from);
    return true;
}

static const SlOtherPart *other_denoiser(const SlModelInfo *info)
{
    return sl_model_other(info, "unet");
}

static bool by_weights(SlModelInfo *info)
{
    return info->guidance_size > 0 &&
           found(info, &told,
                 sl_words("the weights time_embedding.cond_proj, by which it is told"));
}

static bool begins_with(const char *name, const char *small)
{
    for (; *small; name++, small++)
        if ((*name == '-' ? '_' : tolower((unsigned char)*name)) != *small)
            return false;
    return true;
}

static bool by_name(SlModelInfo *info, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    for (size_t i = 0; i < sizeof published / sizeof published[0]; i++)
        if (begins_with(name, published[i].begins))
            return found(info, &published[i].kind, sl_words("the file's name"));
    return false;
}

static bool by_metadata(SlModelInfo *info)
{
    return strcasestr(info->architecture, "turbo") && found(info, &turbo, "modelspec.architecture");
}

/* What a folder's scheduler is: LCM's and TCD's are for nothing else, and Euler's timesteps trail for
 * models of few steps, unless they begin with nothing but noise. */
static bool by_scheduler(SlModelInfo *info, SlError *err)
{
    SlError ignored = {0};
    if (info->single_file || *info->unknown_scheduler)
        return true;
    if (!strcmp(info->scheduler, "lcm") || !strcmp(info->scheduler, "tcd"))
        return found(info, *info->scheduler == 'l' ? &lcm : &tcd,
                     sl_words("the class of its scheduler"));
    SlJson *json = sl_model_config(info, "scheduler", err);
    if (!json)
        return false;
    bool euler = !strcmp(info->scheduler, "euler") || !strcmp(info->scheduler, "euler-a");
    bool trails = !strcmp(sl_json_string(json, "timestep_spacing", "", &ignored), "trailing");
    bool noise = !strcmp(sl_json_string(json, "prediction_type", "epsilon", &ignored), "epsilon");
    if (euler && trails && noise && !sl_json_bool(json, "rescale_betas_zero_snr", false, &ignored))
        found(info, &turbo, sl_words("its scheduler, whose timesteps trail"));
    sl_json_close(json);
    return true;
}

static void use_scheduler(SlModelInfo *info)
{
    snprintf(info->scheduler, sizeof info->scheduler, "%s", info->distilled->scheduler);
    info->unknown_scheduler[0] = 0;
}

bool sl_find_distilled(SlModelInfo *info, SlError *err)
{
    const char *file = sl_model_denoiser_file(info);
    /* A family that tells the guidance by itself has its own defaults; one without has no texts. */
    if (info->pipeline->guidance_rule != SL_GUIDANCE_CLASSIFIER_FREE || info->edm.kind)
        return true;
    if (by_weights(info) || (file && (by_name(info, file) || by_metadata(info)))) {
        if (file || other_denoiser(info))
            use_scheduler(info);
        return true;
    }
    return other_denoiser(info) || by_scheduler(info, err);
}
