/* sample.c - see sample.h. */
#include "app/record/sample.h"

bool sl_sample_decode(SlModel *model, const SlSample *s, float *image, uint8_t *rgb, SlError *err)
{
    SlError problem = {0};
    if (sl_decode(model, s->data, s->height, s->width, image, rgb, &problem))
        return true;
    if (problem.code != SL_FORMAT)
        return sl_fail(err, problem.code, "%s", problem.message);
    return sl_fail(err, SL_FORMAT, "%s at step %d of %d", problem.message, s->step, s->steps);
}
