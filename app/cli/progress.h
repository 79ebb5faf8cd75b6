/* progress.h - one line on a terminal that shows how far a run is: a bar, the step, the rate, the time
 * that passed and the time left. Nothing at all where standard error is no terminal.
 *
 * While a run is followed, a thread redraws the line a few times a second, so that the bar moves
 * inside a step too: on a processor a step of a large model takes most of a minute.
 */
#ifndef SL_APP_PROGRESS_H
#define SL_APP_PROGRESS_H

#include "engine/engine.h"

#include <pthread.h>

typedef struct SlProgress {
    bool shown, ticking;
    double started, last_drawn;
    const SlModel *model; /* the model whose progress within a step is shown, or NULL */
    int from, done, total;
    const char *what; /* static, or NULL */
    pthread_t ticker;
    pthread_mutex_t lock; /* of the fields above and of the line, while ticking */
    pthread_cond_t stop;
} SlProgress;

/* What the line says. */
typedef struct SlProgressAt {
    const char *what; /* may be NULL */
    int from; /* evaluations that were done before the clock began: those of a branch's parent */
    int done, total; /* total 0: not known */
    double fraction; /* of the evaluation in work */
    double passed;   /* seconds */
} SlProgressAt;

#define SL_PROGRESS_ROOM 128

/* The line without colours or cursor movements: fewer than 80 letters, where what has at most 10, or 20 where total is
 * 0: then it is not known how much there is to do, and only what and the time are there. The rate and the time left are
 * left out as long as nothing is known of them, and where nothing is left to do. */
void sl_progress_line(const SlProgressAt *at, char out[SL_PROGRESS_ROOM]);

/* Seconds of a clock that never jumps. */
double sl_clock(void);

/* For work that reports itself through sl_progress_loading. */
void sl_progress_begin(SlProgress *progress, bool quiet);
void sl_progress_loading(SlProgress *progress, double fraction, const char *what);
/* Or: what is done before the first evaluation, which cannot tell how far it is. Until one of the others, or the end. */
void sl_progress_wait(SlProgress *progress, bool quiet, const char *what);
/* Or: the line follows a run's evaluations: of->from, total and what are asked for. */
void sl_progress_follow(SlProgress *progress, bool quiet, const SlModel *model,
                        const SlProgressAt *of);
/* done: finished evaluations. */
void sl_progress_step(SlProgress *progress, int done);
/* Another word before the number of steps, which outlives the progress. */
void sl_progress_say(SlProgress *progress, const char *what);
/* Clears the line; nothing is drawn after it. May be called twice. */
void sl_progress_end(SlProgress *progress);

#endif
