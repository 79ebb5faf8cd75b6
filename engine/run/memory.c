/* memory.c - making room on a device whose memory is limited, before a run instead of during it.
 *
 * What a step needs is known from the measure device. When it does not fit, the text encoder goes,
 * which is not needed once the prompt is encoded; decoding finds its own way (decode.c).
 */
#include "engine/run/run.h"

#include <stdint.h>

/* cuBLAS, the driver and what blocks waste. */
#define SLACK ((size_t)96 << 20)

static size_t available(SlModel *model)
{
    return sl_device_memory(model->dev) + sl_arena_capacity(model->dev);
}

/* Parts that only encoding needs: the texts of this run are encoded. */
static void drop_encoders(SlModel *model)
{
    for (int i = 0; i < model->parts; i++)
        if (model->part[i].kind->use == SL_USE_ENCODE)
            sl_model_drop_part(model, i);
}

bool sl_model_make_room(SlModel *model, const SlRecipe *recipe, SlError *err)
{
    SlCost cost;
    if (sl_device_memory(model->dev) == SIZE_MAX)
        return true;
    if (!sl_model_cost(&model->info, recipe, sl_dtype_name(model->dev->dtype), &cost, err))
        return false;
    size_t need = cost.step_bytes + SLACK;
    if (need > available(model))
        drop_encoders(model);
    if (need <= available(model))
        return true;
    return sl_fail(err, SL_MEMORY,
                   "a picture of %d x %d needs %s of the GPU's memory for each step, and %s are "
                   "free; a smaller picture needs less",
                   recipe->width, recipe->height, sl_bytes_text(need).text,
                   sl_bytes_text(available(model)).text);
}
