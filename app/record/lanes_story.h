/* lanes_story.h - what a lane shows from noise to end: its ancestors' moments and then its own. What
 * a comparison's file is written from.
 */
#ifndef SL_APP_LANES_STORY_H
#define SL_APP_LANES_STORY_H

#include "app/record/lanes.h"

typedef struct SlStory {
    const SlTimeline **from; /* [planned] */
    int *moment;             /* [planned] */
    int *step;               /* [planned], counted on over a branch as the window counts */
    int step_offset;         /* of the lane's own moments */
    int planned, inherited;  /* moments; of ancestors */
    int *kept_at;            /* [kept]: which of the planned have their samples */
    int kept, kept_inherited;
} SlStory;

/* False and *err without memory. Free in any case. */
bool sl_story_tell(const SlLanes *lanes, int lane, SlStory *story, SlError *err);
void sl_story_free(SlStory *story);
/* The i-th kept moment. */
const SlMoment *sl_story_kept(const SlStory *story, int i);

#endif
