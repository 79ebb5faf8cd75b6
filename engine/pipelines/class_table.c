/* class_table.c - the families of models that this program knows (pipeline_class.h). */
#include "engine/pipelines/pipeline_class.h"

#include <string.h>

static const SlPipelineClass *const built_in[] = {
    &sl_class_stable_diffusion,
    &sl_class_stable_diffusion_xl,
    &sl_class_stable_diffusion_xl_refiner,
    &sl_class_ddpm,
    &sl_class_ddim,
    &sl_class_pndm,
    &sl_class_latent_consistency,
};

#define BUILT_IN  ((int)(sizeof built_in / sizeof built_in[0]))
#define MAX_ADDED 8

static const SlPipelineClass *added[MAX_ADDED];
static int added_count;

const SlPipelineClass *sl_pipeline_class_at(int i)
{
    if (i < BUILT_IN)
        return built_in[i];
    return i - BUILT_IN < added_count ? added[i - BUILT_IN] : NULL;
}

bool sl_pipeline_class_add(const SlPipelineClass *kind)
{
    int parts = 0;
    while (kind->parts[parts])
        parts++;
    if (added_count == MAX_ADDED || parts > SL_MAX_PARTS || sl_pipeline_find(kind->info.id))
        return false;
    added[added_count++] = kind;
    return true;
}

const SlPipelineInfo *sl_pipeline_find(const char *id)
{
    for (int i = 0; sl_pipeline_class_at(i); i++)
        if (!strcmp(sl_pipeline_class_at(i)->info.id, id))
            return &sl_pipeline_class_at(i)->info;
    return NULL;
}

SlGuidanceRule sl_pipeline_guidance(const SlPipelineInfo *pipeline, double guidance)
{
    bool free = pipeline->guidance_rule == SL_GUIDANCE_CLASSIFIER_FREE;
    return free && guidance <= 1 ? SL_GUIDANCE_NONE : pipeline->guidance_rule;
}

SlGuidanceRule sl_model_guidance(const SlModelInfo *info, double guidance)
{
    return info->told_guidance ? SL_GUIDANCE_NUMBER
                               : sl_pipeline_guidance(info->pipeline, guidance);
}
