/* memory.c - making room for a run's steps on a device whose memory is limited, before the run
 * instead of during it.
 *
 * What its stages need is known from the measure device; which parts go for it is said in
 * pipelines/room.c. Decoding that does not fit finds its own way (decode.c).
 */
#include "engine/run/stages.h"

/* What the stages of a picture of this size work in, for this run and for the parts that it
 * loads later. */
static bool measure(SlModel *model, const SlRecipe *recipe, SlError *err)
{
    SlCost cost;
    if (!sl_model_measure(model, recipe, &cost, err))
        return false;
    model->stage_bytes[0] = cost.text_bytes;
    model->stage_bytes[1] = cost.step_bytes;
    model->stage_bytes[2] = cost.decode_bytes;
    return true;
}

bool sl_model_make_room(SlModel *model, const SlRecipe *recipe, SlError *err)
{
    SlError own = {0};
    size_t need;
    if (!sl_model_memory_is_limited(model))
        return true;
    if (!measure(model, recipe, err))
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
