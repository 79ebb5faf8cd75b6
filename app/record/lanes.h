/* lanes.h - lanes that develop side by side: timelines over one model, advanced in turn, and
 * which of their moments are shown together.
 *
 * All lanes with the same seed start from the same noise; texts are encoded once and first
 * evaluations with the same input computed once (SlShare). Nothing a lane computes depends on the
 * others: its bytes are those of `safelight generate` with its recipe. Unless the lanes are "fast":
 * then those that can make an evaluation as one batch do, and the same lanes give the same bytes.
 *
 * Threads: functions that take a model, and new/free, belong to the thread that owns it; the others
 * are for any thread, also while lanes grow or a branch is added. A lane that is there stays.
 */
#ifndef SL_APP_LANES_H
#define SL_APP_LANES_H

#include "app/record/grid.h"
#include "app/record/timeline.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SL_LANES_MAX 1024 /* what a comparison holds, in a file, the window and the program */
/* Bytes that all lanes may keep: each has its part. Where that is less than a run takes whole, as in
 * large grids, it keeps fewer moments, and what lies between is computed again when it is asked for;
 * the last moment of each lane is always kept. */
#define SL_LANES_BUDGET ((size_t)192 << 20)

typedef struct SlLanes SlLanes;

SlLanes *sl_lanes_new(void);        /* NULL without memory */
void sl_lanes_free(SlLanes *lanes); /* NULL is fine */

/* Begins a lane; gives its number, or -1 and *err. expected is how many lanes there will be: each
 * gets its part of the budget. options may be NULL; its budget is not used. */
int sl_lanes_add(SlLanes *lanes, SlModel *model, const SlRecipe *recipe,
                 const SlTimelineOptions *options, int expected, SlError *err);
/* A branch as a new lane. step: finished steps of the parent. */
int sl_lanes_branch(SlLanes *lanes, SlModel *model, int parent, int step, const SlRecipe *recipe,
                    SlError *err);

/* A timeline made elsewhere becomes a lane; the reference is the lanes' from then on. At most
 * SL_LANES_MAX. */
int sl_lanes_put(SlLanes *lanes, SlTimeline *timeline, int parent);
/* A lane with an origin was a branch of one before it. Before the lanes are looked at. */
void sl_lanes_set_parent(SlLanes *lanes, int lane, int parent);

/* Of a branch whose parent is no lane: the first `count` moments of a timeline that came before its
 * own (and after those that were added before). Takes the reference, also when it fails. */
typedef struct SlBefore {
    SlTimeline *timeline;
    int count;
} SlBefore;
bool sl_lanes_add_before(SlLanes *lanes, int lane, const SlBefore *before, SlError *err);
int sl_lanes_before(const SlLanes *lanes, int lane, const SlBefore **before); /* how many */

/* From the second evaluations on lanes of one size advance together, each evaluation as one batch.
 * Before the first sl_lanes_next. A batch for which memory runs out is made again in halves: from
 * then on at most half as many lanes advance together, down to each by itself; only a lane whose
 * evaluation does not fit alone fails. This is so in the window and on the command line. */
void sl_lanes_set_fast(SlLanes *lanes, bool fast);
/* Whether they do, or some have: what a file says. */
bool sl_lanes_fast(const SlLanes *lanes);

/* Lanes come to their ends one after the other, in this order, and not all in turn; with "fast" as
 * many at a time as advance together. Those that are not named come behind. Before the first
 * sl_lanes_next. */
void sl_lanes_set_order(SlLanes *lanes, const int *order, int count);

/* One evaluation of the next lane in turn; *lane is its number, -1 when nothing is left to do (all
 * lanes are done, failed or paused; that is true, not an error). The lanes of a batch are told one
 * after the other, by one call each. A lane that fails is left out from then on and says why in
 * sl_lanes_problem; false and *err are for a cancel (of *lane's evaluation) and for memory that
 * runs out for that sentence. */
bool sl_lanes_next(SlLanes *lanes, SlModel *model, int *lane, SlError *err);
void sl_lanes_pause(SlLanes *lanes, int lane, bool paused); /* any thread */
/* What went wrong with a lane; it keeps what it said first. False without memory. */
bool sl_lanes_fail(SlLanes *lanes, int lane, const SlError *problem);

/* The lanes are cells of a grid, which is copied; false without memory. Each says which cell it is;
 * one that does not is beside the grid. Before the lanes are looked at. */
bool sl_lanes_set_grid(SlLanes *lanes, const SlGrid *grid);
void sl_lanes_set_cell(SlLanes *lanes, int lane, int cell);

/* ---- looking (any thread) ---- */

const SlGrid *sl_lanes_grid(const SlLanes *lanes); /* NULL: they are none */
int sl_lanes_cell(const SlLanes *lanes, int lane); /* -1: none of a grid */
int sl_lanes_count(const SlLanes *lanes);
SlTimeline *sl_lanes_timeline(const SlLanes *lanes, int lane);
int sl_lanes_parent(const SlLanes *lanes, int lane);          /* -1: from noise */
const char *sl_lanes_problem(const SlLanes *lanes, int lane); /* a sentence, or NULL */
SlShareCounts sl_lanes_shared(const SlLanes *lanes);
size_t sl_lanes_bytes(const SlLanes *lanes);

/* ---- which moments are shown together ---- */

typedef enum SlLineUp {
    SL_LINE_UP_STEP,        /* the same number of finished steps */
    SL_LINE_UP_SIGMA,       /* the nearest noise level, in log sigma */
    SL_LINE_UP_EVALUATIONS, /* the same cost: model evaluations so far, the ancestors' included */
} SlLineUp;
extern const char *const sl_line_up_names[]; /* "step", "sigma", "evals"; NULL-terminated */

/* What a lane shows: one of its own moments, or, at a position where a branch had not begun yet, a
 * moment of the lane that it left, up to the one that it went on from. moment -1: nothing to
 * show yet. */
typedef struct SlPlace {
    int lane, moment;
} SlPlace;

/* position 0 .. 1 over the whole length of the longest lane as planned, so that it means the same
 * during the run and after it. Only ends of steps are shown, and at 1 every lane's last; a lane
 * that is not there yet shows the last it has, and one that ended earlier its end. */
SlPlace sl_lanes_place(const SlLanes *lanes, int lane, SlLineUp align, double position);
/* What a position stands for: finished steps, sigma, or evaluations. */
double sl_lanes_value(const SlLanes *lanes, SlLineUp align, double position);
/* The position of a moment of a lane, to follow a run live. */
double sl_lanes_position(const SlLanes *lanes, SlLineUp align, int lane, int moment);
/* How many positions differ, for keys that go from one to the next. */
int sl_lanes_stops(const SlLanes *lanes, SlLineUp align);

#ifdef __cplusplus
}
#endif

#endif
