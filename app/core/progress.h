/* progress.h - one line on a terminal that shows how far a run is: a bar, the step, the rate, the
 * time left. Nothing at all where standard error is no terminal.
 */
#ifndef SL_APP_PROGRESS_H
#define SL_APP_PROGRESS_H

#include <stdbool.h>

typedef struct SlProgress {
    bool shown;
    double started;
    double last_drawn;
} SlProgress;

/* Seconds of a clock that never jumps. */
double sl_clock(void);

void sl_progress_begin(SlProgress *progress, bool quiet);
/* done of total units, e.g. "step"; fraction of loading uses total 0 and what names it. */
void sl_progress_loading(SlProgress *progress, double fraction, const char *what);
void sl_progress_step(SlProgress *progress, int done, int total, const char *what);
/* Clears the line. */
void sl_progress_end(SlProgress *progress);

#endif
