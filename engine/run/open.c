/* open.c - a model as the rest of the program sees it: loaded, and with what running it needs
 * besides: the preview and what a step keeps. */
#include "engine/run/run.h"
#include "engine/run/step.h"

/* The first preview is made with it. */
static bool load_cheap_decoder(SlModel *model, SlError *err)
{
    return !model->cheap_decode || sl_model_need_waiting(model, err);
}

SlModel *sl_model_open(const char *path, const SlModelOptions *options, SlError *err)
{
    SlModel *model = sl_model_load(path, options, err);
    if (model && !(sl_model_find_preview(model, err) &&
                   sl_model_decode_is_cheap(&model->info, &model->cheap_decode, err) &&
                   load_cheap_decoder(model, err)))
        sl_model_close(&model);
    return model;
}

void sl_model_close(SlModel **model)
{
    if (!*model)
        return;
    sl_model_set_preview_decoder(*model, NULL, NULL);
    sl_device_close(&(*model)->beside);
    sl_step_free((*model)->step);
    if ((*model)->refiner)
        sl_step_free((*model)->refiner->step);
    sl_model_unload(*model);
    *model = NULL;
}

bool sl_model_decodes_cheaply(const SlModel *model)
{
    /* A decoder that waits for memory would send the denoiser away at each step. */
    int part = sl_model_part_for(model, SL_USE_DECODE);
    return model->cheap_decode && (part < 0 || model->part[part].net);
}
