/* memory.c - making room for a run's steps on a device whose memory is limited, before the run
 * instead of during it.
 *
 * What its stages need is known from the measure device; which parts go for it is said in
 * pipelines/room.c. Decoding that does not fit finds its own way (decode.c).
 *
 * The host's memory is known before the run, too: what the run holds there, and on a device that
 * computes there what its stages work in. That is a lower bound, so what is refused would have
 * failed, or would have ended the program; a run that passes may still fail for what the estimate
 * leaves out.
 */
#include "engine/run/stages.h"

/* What the stages of a picture of this size work in, for this run and for the parts that it
 * loads later. */
static bool measure(SlModel *model, const SlRecipe *recipe, SlCost *cost, SlError *err)
{
    if (!sl_model_measure(model, recipe, cost, err))
        return false;
    model->stage_bytes[0] = cost->text_bytes;
    model->stage_bytes[1] = cost->step_bytes;
    model->stage_bytes[2] = cost->decode_bytes;
    return true;
}

/* What decoding cannot do without: at best it is done in strips (decode.c). Beside the picture on
 * the device, f32, are its values and its bytes for who asked. */
static bool least_for_decoding(const SlModel *model, const SlRecipe *recipe, const SlCost *cost,
                               size_t *bytes, SlError *err)
{
    int part = sl_model_part_for(model, SL_USE_DECODE), f = model->info.factor;
    size_t pixels = (size_t)recipe->width * (size_t)recipe->height, picture = pixels * 12;
    size_t working = cost->decode_bytes;
    SlVaeConfig vae;
    if (part >= 0) {
        SlDtype before = sl_device_use_dtype(model->dev, model->part[part].dtype);
        SlDtype dtype = sl_device_use_dtype(model->dev, before); /* that the device has */
        if (!sl_read_vae(&vae, &model->info, err))
            return false;
        size_t strips =
            picture + sl_vae_strips_bytes(&vae, dtype, recipe->height / f, recipe->width / f);
        working = strips < working ? strips : working;
    }
    size_t taking = picture + pixels * (12 + 3); /* values and bytes are fetched */
    *bytes = (working > taking ? working : taking) + pixels * 3;
    return true;
}

/* What the run has on the host beside the device's memory; at the end, the picture in f32 and in
 * bytes. */
static size_t held_by_run(const SlModel *model, const SlRecipe *recipe)
{
    size_t pixels = (size_t)recipe->width * (size_t)recipe->height;
    size_t positions = pixels / (size_t)(model->info.factor * model->info.factor);
    return positions * (size_t)model->info.channels * sizeof(float) * SL_RUN_ARRAYS;
}

/* Of the host's memory, what a picture may take: where the device computes in it, with what it has, and
 * without what weights will take that wait. */
static size_t left_on_host(const SlModel *model)
{
    size_t left = sl_host_memory_left("");
    if (left == SIZE_MAX || sl_model_memory_is_limited(model))
        return left;
    size_t arena = sl_arena_capacity(model->dev), waiting = sl_model_waiting_bytes(model);
    left += arena;
    return left > waiting ? left - waiting : 0;
}

bool sl_model_check_memory(SlModel *model, const SlRecipe *recipe, size_t kept, SlError *err)
{
    SlCost cost;
    size_t need = held_by_run(model, recipe) + kept;
    if (!sl_model_memory_is_limited(model)) {
        size_t decode;
        if (!measure(model, recipe, &cost, err) ||
            !least_for_decoding(model, recipe, &cost, &decode, err))
            return false;
        need += cost.step_bytes > decode ? cost.step_bytes : decode;
    } else {
        need += (size_t)recipe->width * (size_t)recipe->height * (12 + 3);
    }
    size_t left = left_on_host(model);
    if (need > left && sl_model_forget(model))
        left = left_on_host(model);
    return need <= left ||
           sl_fail(err, SL_MEMORY,
                   "a picture of %d x %d needs %s of memory at least%s, and this process may use "
                   "%s; a smaller picture needs less",
                   recipe->width, recipe->height, sl_bytes_text(need).text,
                   kept > 0 ? sl_words(" with the steps that are kept") : "",
                   sl_bytes_text(left).text);
}

/* The host's, where the device computes in it, and the device's where that is limited. */
bool sl_model_check_refiner(SlModel *refiner, const SlRecipe *recipe, SlError *err)
{
    SlCost cost;
    size_t need, most;
    if (!sl_model_memory_is_limited(refiner))
        return sl_model_check_memory(refiner, recipe, 0, err);
    if (!measure(refiner, recipe, &cost, err) ||
        !sl_model_could_clear_for(refiner, SL_USE_DENOISE, &need, &most, err))
        return false;
    return need <= most ||
           sl_fail(
               err, SL_MEMORY,
               "with its refiner a picture of %d x %d needs %s of the GPU's memory for each step, "
               "and at most %s can be made free; a smaller picture needs less",
               recipe->width, recipe->height, sl_bytes_text(need).text, sl_bytes_text(most).text);
}

/* Of the host's memory, what is left when the run needs the most of it; sl_model_check_memory has measured it. */
static bool spare_host(SlModel *model, const SlRecipe *recipe, SlError *err)
{
    const size_t *work = model->stage_bytes;
    size_t left = left_on_host(model);
    size_t most = held_by_run(model, recipe) + (work[1] > work[2] ? work[1] : work[2]);
    return sl_model_spare_host(model, left > most ? left - most : 0, err);
}

bool sl_model_make_room(SlModel *model, const SlRecipe *recipe, SlError *err)
{
    SlError own = {0};
    SlCost cost;
    size_t need;
    if (!sl_model_memory_is_limited(model))
        return spare_host(model, recipe, err);
    if (!measure(model, recipe, &cost, err))
        return false;
    if (sl_model_clear_for(model, SL_USE_DENOISE, &need, &own))
        return true;
    if (own.code != SL_OK)
        return sl_fail(err, own.code, "%s", own.message);
    return sl_fail(err, SL_MEMORY,
                   "a picture of %d x %d needs %s of the GPU's memory for each step, and %s are "
                   "free; a smaller picture needs less",
                   recipe->width, recipe->height, sl_bytes_text(need).text,
                   sl_bytes_text(sl_model_free_memory(model)).text);
}
