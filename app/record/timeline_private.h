/* timeline_private.h - a timeline's parts, for what records, computes again, saves and loads it:
 * timeline.c keeps and shows, timeline_run.c computes and calls timeline.c, never the other way
 * round. */
#ifndef SL_APP_TIMELINE_PRIVATE_H
#define SL_APP_TIMELINE_PRIVATE_H

#include "app/record/timeline.h"

typedef struct SlState {
    void *data;
    size_t bytes;
} SlState;

struct SlTimeline {
    int refs;         /* atomic */
    SlTimeline *base; /* of a head: whose arrays and texts these are; else NULL */
    SlRecipe *recipe;
    SlOrigin *origin; /* NULL: from noise */
    char *warning;
    bool given_latents, given_step_noise; /* not from the seed */
    int fast;                             /* atomic: computed in a batch with others */
    bool repeats;                         /* its moments' batches are known from a recorded run */
    bool only_shown; /* loaded ancestors: its recipe cannot compute them again */
    int channels, height, width;
    int64_t elements;
    int total, count;  /* count is atomic */
    SlMoment *moments; /* [total]: the grid from the start, the rest once counted */
    float *noise;
    char noise_sha256[65];

    /* what is kept; interval 0: not decided yet */
    int interval;
    int slots;                 /* moments that are kept, when it is done */
    float *x_t, *x_0, *output; /* [slots, elements]; output NULL where it is not known */
    bool keeps_said;
    float *said;        /* [slots, 2, elements]; NULL where it is not kept */
    SlState *states;    /* [slots], with an interval only */
    size_t state_bytes; /* atomic: of all states */
    SlState start;      /* of a branch, before its first evaluation */

    /* what a window shows; all NULL in a timeline without views */
    bool views, guided;
    uint8_t *preview[2]; /* picture, noisy: [slots, h, w, 3] */
    uint8_t *light[2];   /* of the moments between: [total - slots, light_h, light_w, 3] */
    int light_side, light_h, light_w; /* side 0: there are none */
    uint16_t *half[2]; /* output, guidance term: [slots, elements] in half precision */

    SlWordRecord *words; /* NULL: none are kept */

    /* computing; NULL in a timeline that was loaded or rests, until it is needed */
    SlShare *share;
    bool own_share;
    SlRun *run;
    SlRunInputs inputs;             /* borrowed arrays */
    SlState paused;                 /* of a run that rests, behind the last moment */
    const float *new_x_t, *new_x_0; /* of the last moment that was made; the run's */

    /* the stretch between two keyframes, or a part of it, that was computed again last */
    int room;             /* moments that it has at most */
    float *stretch;       /* [2, room, elements] */
    uint16_t *stretch16;  /* [2, room, elements]; with views */
    size_t stretch_bytes; /* atomic */
    int stretch_first, stretch_count;
};

/* The slot of moment i, -1 when it is not kept. */
int sl_timeline_slot(const SlTimeline *t, int i);
typedef struct SlTimelineShape {
    int channels, height, width;
    int total;
    int interval;       /* 0: sl_timeline_plan_keeping decides it */
    bool outputs;       /* the guided outputs are known */
    bool views, guided; /* see SlTimelineOptions; there is a guidance term */
    bool output16;      /* the outputs are known in half precision only */
} SlTimelineShape;
/* An empty timeline with its arrays; moments are zero. NULL and *err without memory. */
SlTimeline *sl_timeline_shaped(const SlRecipe *recipe, const SlOrigin *origin,
                               const SlTimelineShape *shape, SlError *err);
/* Bytes with every moment kept. */
size_t sl_timeline_whole(const SlTimeline *t);
/* Decides what is kept within the budget; the bytes that it takes. state: bytes of a run's state. */
size_t sl_timeline_plan_keeping(SlTimeline *t, size_t budget, size_t state);
/* timeline_run.c: a run of its own that stands behind moment i (-1: at the start), with what the share
 * keeps. */
SlRun *sl_timeline_run_at(SlTimeline *t, SlModel *model, SlShare *share, int i, SlError *err);
/* Makes the arrays for what was decided. */
bool sl_timeline_keep(SlTimeline *t, SlError *err);
/* The batches that its moments were or will be made in. */
void sl_timeline_set_batches(SlTimeline *t, const SlBatches *batches);
/* The next moment's figures and arrays (those that are not NULL), then counts it. */
void sl_timeline_record(SlTimeline *t, const SlMoment *moment);
/* Where moment i's preview is written to, [*height, *width, 3]; NULL where there is none. */
uint8_t *sl_timeline_preview_place(const SlTimeline *t, int i, bool noisy, int *height, int *width);

#endif
