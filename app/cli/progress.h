/* progress.h - one line on a terminal that shows how far a run is: a bar, the step, the rate, the
 * time left. Nothing at all where standard error is no terminal.
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
    const SlModel *model; /* the model whose progress within a step is shown */
    int done, total;
    const char *what; /* static, or NULL */
    pthread_t ticker;
    pthread_mutex_t lock; /* of the fields above and of the line, while ticking */
    pthread_cond_t stop;
} SlProgress;

/* Seconds of a clock that never jumps. */
double sl_clock(void);

/* For work that reports itself through sl_progress_loading. */
void sl_progress_begin(SlProgress *progress, bool quiet);
void sl_progress_loading(SlProgress *progress, double fraction, const char *what);
/* Or: the line follows a run's `total` evaluations; what (may be NULL) stands before them. */
void sl_progress_follow(SlProgress *progress, bool quiet, const SlModel *model, int total,
                        const char *what);
/* done: finished evaluations. */
void sl_progress_step(SlProgress *progress, int done);
/* Another word before the number of steps, which outlives the progress. */
void sl_progress_say(SlProgress *progress, const char *what);
/* Clears the line; nothing is drawn after it. May be called twice. */
void sl_progress_end(SlProgress *progress);

#endif
