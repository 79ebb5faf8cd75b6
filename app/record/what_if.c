/* what_if.c - see what_if.h.
 *
 * Easy to get wrong: the run is brought to before the evaluation, and each try begins there again:
 * trying must not leave anything behind.
 */
#include "app/record/what_if.h"

#include "app/record/timeline_private.h"

#include <stdlib.h>
#include <string.h>

struct SlWhatIf {
    SlTimeline *timeline; /* a reference */
    SlRun *run;
    SlShare *share; /* the run's: the timeline's may go when it rests */
    SlState before;
    const float *said; /* the timeline's */
    size_t sample_bytes;
};

static bool check(SlTimeline *t, int i, SlError *err)
{
    if (i < 0 || i >= sl_timeline_count(t))
        return sl_fail(err, SL_ARGUMENT, "moment %d is not there; expected 1 to %d", i + 1,
                       sl_timeline_count(t));
    if (i > 0 && !t->moments[i - 1].ends_step)
        return sl_fail(err, SL_ARGUMENT,
                       "evaluation %d is in the middle of a step, which depends on the one before",
                       t->moments[i].evaluation + 1);
    return t->moments[i].said ||
           sl_fail(err, SL_ARGUMENT, "the two predictions of step %d are not kept",
                   t->moments[i].step + 1);
}

SlWhatIf *sl_what_if_new(SlTimeline *t, SlModel *model, int i, SlError *err)
{
    if (!check(t, i, err))
        return NULL;
    SlWhatIf *w = calloc(1, sizeof *w);
    if (!w) {
        sl_fail(err, SL_MEMORY, "memory ran out");
        return NULL;
    }
    w->timeline = sl_timeline_ref(t);
    w->said = t->moments[i].said;
    w->sample_bytes = (size_t)t->elements * sizeof(float);
    w->share = sl_share_new(model);
    if (!w->share)
        sl_fail(err, SL_MEMORY, "memory ran out");
    else
        w->run = sl_timeline_run_at(t, model, w->share, i - 1, err);
    if (w->run && !(w->before.data = sl_run_save(w->run, &w->before.bytes)))
        sl_fail(err, SL_MEMORY, "memory ran out for a run's state");
    if (w->before.data)
        return w;
    sl_what_if_free(w);
    return NULL;
}

bool sl_what_if(SlWhatIf *w, const SlRecipe *recipe, float *x_t, float *x_0, SlError *err)
{
    SlFrame frame;
    if (!sl_run_restore(w->run, w->before.data, w->before.bytes, err) ||
        !sl_run_set_guidance(w->run, recipe, err) || !sl_run_say(w->run, w->said, &frame, err))
        return false;
    if (x_t)
        memcpy(x_t, frame.x_t, w->sample_bytes);
    if (x_0)
        memcpy(x_0, frame.x_0, w->sample_bytes);
    return true;
}

void sl_what_if_free(SlWhatIf *w)
{
    if (!w)
        return;
    sl_run_free(w->run);
    sl_share_free(w->share);
    free(w->before.data);
    sl_timeline_free(w->timeline);
    free(w);
}
