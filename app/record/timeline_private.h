/* timeline_private.h - a timeline's parts, for what records, computes again, saves and loads it. */
#ifndef SL_APP_TIMELINE_PRIVATE_H
#define SL_APP_TIMELINE_PRIVATE_H

#include "app/record/timeline.h"

typedef struct SlState {
    void *data;
    size_t bytes;
} SlState;

struct SlTimeline {
    SlRecipe *recipe;
    SlOrigin *origin; /* NULL: from noise */
    char *warning;
    bool given_latents, given_step_noise; /* not from the seed */
    bool fast;                            /* computed in a batch with others */
    bool repeats;                         /* its moments know their batches before they are made */
    int channels, height, width;
    int64_t elements;
    int total, count;  /* count is atomic */
    SlMoment *moments; /* [total]: the grid from the start, the rest once counted */
    float *noise;
    char noise_sha256[65];
    int interval;
    int slots;                 /* moments that are kept, when it is done */
    float *x_t, *x_0, *output; /* [slots, elements]; output NULL where it is not known */
    SlState *states;           /* [slots], with an interval only */
    SlState start;             /* of a branch, before its first evaluation */

    /* computing; NULL in a timeline that was loaded, until it is needed */
    SlShare *share;
    bool own_share;
    SlRun *run;
    SlRunInputs inputs; /* borrowed arrays */

    /* the stretch between two keyframes that was computed again last */
    float *stretch; /* [2, interval, elements] */
    int stretch_first, stretch_count;
};

/* The slot of moment i, -1 when it is not kept. */
int sl_timeline_slot(const SlTimeline *t, int i);
/* An empty timeline with its arrays; moments are zero. NULL and *err without memory. */
typedef struct SlTimelineShape {
    int channels, height, width;
    int total, interval;
    bool outputs;
} SlTimelineShape;
SlTimeline *sl_timeline_shaped(const SlRecipe *recipe, const SlOrigin *origin,
                               const SlTimelineShape *shape, SlError *err);
/* The batches that its moments were or will be made in. */
void sl_timeline_set_batches(SlTimeline *t, const SlBatches *batches);
/* The next moment's figures and arrays, then counts it. */
void sl_timeline_record(SlTimeline *t, const SlMoment *moment);
SlShare *sl_timeline_share(SlTimeline *t, SlModel *model, SlError *err);
/* Moment i's evaluation, as it was made the first time. */
bool sl_timeline_make(const SlTimeline *t, int i, SlRun *run, SlFrame *frame, SlError *err);
/* A run that stands behind moment i (-1: at its start), with its last x_0 where that is not -1. */
SlRun *sl_timeline_run_at(SlTimeline *t, SlModel *model, int i, SlError *err);

#endif
