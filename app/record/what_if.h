/* what_if.h - what other guidance would have made of an evaluation that is done, without an
 * evaluation: both predictions of it are kept (SlMoment.said), and the scheduler is brought to it. */
#ifndef SL_APP_WHAT_IF_H
#define SL_APP_WHAT_IF_H

#include "app/record/timeline.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct SlWhatIf SlWhatIf;

/* Of moment i, which begins a step and whose predictions are kept. On the model's thread, and so are the
 * other two. It holds what it needs of the timeline, which may go. NULL and *err where there is nothing
 * to be tried. */
SlWhatIf *sl_what_if_new(SlTimeline *timeline, SlModel *model, int i, SlError *err);
/* The moment with the guidance of a recipe (SL_SETTINGS_GUIDANCE, its other settings do not count): the
 * first moment of a branch that goes on from before it, to the same bytes. (Lanes that were made in one
 * batch may differ from a branch by itself in last bits.) x_t, x_0: [C, h, w], NULL where not wanted.
 * False and *err where the recipe is not right, or the model would have to be asked otherwise. */
bool sl_what_if(SlWhatIf *what_if, const SlRecipe *recipe, float *x_t, float *x_0, SlError *err);
void sl_what_if_free(SlWhatIf *what_if); /* NULL is fine */

#ifdef __cplusplus
}
#endif

#endif
