/* timeline.h - a run with its memory: every evaluation's sample and predicted original are kept, so
 * that any moment can be looked at, compared, saved, and gone on from.
 *
 * Kept per evaluation: x_t, x_0 and the model's guided output, and where that fits, too, the two
 * predictions that it was made of: what_if.h makes something else of them. With the outputs the
 * scheduler is brought to any step again without the model, to the same bytes; the guidance term is
 * computed again by one evaluation (sl_timeline_look). Where a budget does not allow that (1000
 * steps in pixel space), the timeline keeps the run's state and x_0 at every k-th evaluation only
 * and computes what lies between again, one stretch of k at a time; see sl_timeline_interval.
 *
 * Threads: functions that take a model, and sl_timeline_free of one that does not rest, belong to
 * the thread that owns the model. The others are for any thread, also while the timeline grows: a
 * moment never changes once sl_timeline_count has counted it.
 *
 * The number of a moment is its place in the timeline, from 0; a branch starts with the evaluation
 * at which it enters its grid, so use moment->evaluation and moment->step for what people read.
 */
#ifndef SL_APP_TIMELINE_H
#define SL_APP_TIMELINE_H

#include "app/recipe/recipe.h"
#include "app/record/word_record.h"
#include "engine/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct SlTimeline SlTimeline;

typedef struct SlMoment {
    int evaluation, step; /* 0-based, of the whole grid */
    bool ends_step, last;
    bool shared;             /* computed once for several lanes */
    bool refined;            /* by the refiner; false also where a file does not say */
    bool cached;             /* see SlFrame; false also where a file does not say */
    int place, together;     /* see SlFrame; together 0: not known yet */
    double timestep, sigma;  /* at which the model was evaluated */
    int work;                /* evaluations so far, those of the ancestors included */
    double seconds, elapsed; /* of this evaluation; of all of this timeline so far */
    /* [C, h, w], NULL where not kept (sl_timeline_fetch computes them again) */
    const float *x_t, *x_0, *output;
    /* [2, C, h, w], without the prompt and with it; NULL where not kept or not guided */
    const float *said;
    /* [C, h, w] in half precision, only to be looked at; NULL where not kept */
    const uint16_t *output16, *guidance16;
} SlMoment;

typedef struct SlTimelineOptions {
    const SlRunInputs *inputs; /* NULL: all from the seed; its arrays outlive the timeline */
    const SlOrigin *origin;    /* of a branch that is computed again; NULL: from noise */
    const SlBatches *batches;  /* in which the evaluations are made again; NULL: as it comes */
    size_t budget;             /* bytes; 0: 20 MiB, a ninth of what nine lanes may take */
    int together; /* timelines like it that are opened with it: there is memory for what all keep; 0:
                     nothing is asked */
    bool views; /* also keeps what a window shows of every moment: quick previews, and of those that
                   are kept the output and the guidance term in half precision */
    bool words; /* also keeps what each word did at every moment (sl_timeline_words) */
    bool keep_later; /* sl_timeline_set_budget says how much is kept, before the first evaluation */
} SlTimelineOptions;

/* Begins: encodes the prompts, draws the noise (and computes the ancestors of an origin). */
SlTimeline *sl_timeline_new(SlModel *model, const SlRecipe *recipe,
                            const SlTimelineOptions *options, SlError *err);
/* A branch of parent after `step` finished steps, 0 .. those that it has: the run that
 * sl_run_continue describes, from the parent's own noise. */
SlTimeline *sl_timeline_branch(SlModel *model, SlTimeline *parent, int step, const SlRecipe *recipe,
                               const SlTimelineOptions *options, SlError *err);
/* For keep_later. False and *err without memory. */
bool sl_timeline_set_budget(SlTimeline *timeline, size_t budget, SlError *err);
/* Bytes that it would take with every moment kept, without the predictions before guidance. */
size_t sl_timeline_whole_bytes(const SlTimeline *timeline);
/* Timelines are counted: each reference is given back with sl_timeline_free. */
SlTimeline *sl_timeline_ref(SlTimeline *timeline);
void sl_timeline_free(SlTimeline *timeline); /* NULL is fine */
/* Lets go of everything that belongs to the model, which may then be closed; from then on the last
 * reference may be given back by any thread. sl_timeline_next goes on, to the same bytes. */
void sl_timeline_rest(SlTimeline *timeline);
/* What it computes shares texts and first evaluations from now on, until it rests; share may be
 * NULL. */
void sl_timeline_share_with(SlTimeline *timeline, SlShare *share);
/* It has a run that is on its way: it does not rest. */
bool sl_timeline_is_running(const SlTimeline *timeline);
/* The first count moments as a timeline of their own, which does not grow. It shares the arrays.
 * Any thread; NULL without memory. */
SlTimeline *sl_timeline_head(SlTimeline *timeline, int count);

/* One evaluation. False and *err on failure or cancel: no moment was added, and it can be called
 * again. A sample that is not finite is an error that names evaluation, timestep and part; the
 * moments before it stay. */
bool sl_timeline_next(SlTimeline *timeline, SlModel *model, SlError *err);
bool sl_timeline_done(const SlTimeline *timeline);
/* Whether two timelines that have begun can make their next evaluations in one batch. */
bool sl_timelines_match(const SlTimeline *a, const SlTimeline *b);
/* Whether the timelines that repeat an earlier run (options->batches) made their next evaluations
 * in exactly this batch, then: the same timelines at the same places. */
bool sl_timelines_repeat(SlTimeline *const *timelines, int count);
/* The next evaluation of each of at most SL_RUNS_TOGETHER timelines that match, in one batch: see
 * sl_runs_next. errs is [count]: of one that did not advance, why. False and *err: none did. */
bool sl_timelines_next(SlTimeline *const *timelines, int count, SlModel *model, SlError *errs,
                       SlError *err);
/* The samples of the last moment, also where they are not kept; until the next call that
 * advances it. */
void sl_timeline_newest(const SlTimeline *timeline, const float **x_t, const float **x_0);

/* ---- looking (any thread) ---- */

const SlRecipe *sl_timeline_recipe(const SlTimeline *timeline);
const SlOrigin *sl_timeline_origin(const SlTimeline *timeline); /* NULL: from noise */
const char *sl_timeline_warning(const SlTimeline *timeline);    /* or NULL */
/* What came from a file and not from the seed; such a timeline that was loaded cannot go on. */
void sl_timeline_given(const SlTimeline *timeline, bool *latents, bool *step_noise);
/* Computed in a batch with others, which changes last bits. */
bool sl_timeline_fast(const SlTimeline *timeline);
/* Of its first so many evaluations; free it. False without memory. */
bool sl_timeline_batches(const SlTimeline *timeline, int count, SlBatches *batches);
void sl_timeline_size(const SlTimeline *timeline, int *channels, int *height, int *width);
int64_t sl_timeline_elements(const SlTimeline *timeline); /* channels height width */
/* Moments so far, and when it is done. */
int sl_timeline_count(const SlTimeline *timeline);
int sl_timeline_total(const SlTimeline *timeline);
const SlMoment *sl_timeline_moment(const SlTimeline *timeline, int i); /* i < count */
/* The grid is known from the start: evaluation, step, ends_step, timestep, sigma and work of
 * moment i < total; the rest is not set. */
SlMoment sl_timeline_planned(const SlTimeline *timeline, int i);
const float *sl_timeline_noise(const SlTimeline *timeline); /* unscaled start */
/* SHA-256 of the unscaled start noise. */
const char *sl_timeline_noise_sha256(const SlTimeline *timeline);
/* The moment that ends the n-th finished step (1-based, of the whole grid), -1 when it is not there
 * (yet, or because a branch begins later). */
int sl_timeline_step_end(const SlTimeline *timeline, int step);
/* Finished steps of the whole grid. */
int sl_timeline_steps_done(const SlTimeline *timeline);
/* How many of its first so many moments took over a part of one before. */
int sl_timeline_cached(const SlTimeline *timeline, int count);
/* Quick preview of a moment, RGB rows without padding: of its picture (x_0, at the end x_t), or of
 * the sample as it stands. Of a moment between those that are kept a smaller one, or that of the
 * next one that is kept. NULL in a timeline without views. */
const uint8_t *sl_timeline_preview(const SlTimeline *timeline, int i, bool noisy, int *height,
                                   int *width);
/* What each word did, by the numbers of its moments; NULL where it was not asked for or the model is told no
 * words. Of moments computed again nothing is added. */
const SlWordRecord *sl_timeline_words(const SlTimeline *timeline);
/* 1 when every moment is kept, else k. */
int sl_timeline_interval(const SlTimeline *timeline);
/* Bytes held now, everything counted. */
size_t sl_timeline_bytes(const SlTimeline *timeline);

/* ---- computing again (the model's thread) ---- */

/* The sample and the predicted original of any moment, computed again where they were not kept;
 * arrays of sl_timeline_elements, NULL where not wanted. The same bytes as when it was made. */
bool sl_timeline_fetch(SlTimeline *timeline, SlModel *model, int i, float *x_t, float *x_0,
                       SlError *err);
/* The output and the guidance term of the moment that was fetched last, in half precision. *guided
 * is false without a guidance term; false in a timeline without views. */
bool sl_timeline_fetched_halves(const SlTimeline *timeline, int i, uint16_t *output, uint16_t *term,
                                bool *guided);
/* The predicted noise and the guidance term (text - unconditional; zeros without guidance) of any
 * moment by one evaluation; NULL where not wanted. */
bool sl_timeline_look(SlTimeline *timeline, SlModel *model, int i, float *noise, float *term,
                      SlError *err);

#ifdef __cplusplus
}
#endif

#endif
