/* interrupt.h - Ctrl-C: the first stops the computation within one operation, the second ends the
 * program at once. SIGTERM and SIGHUP (the terminal was closed) do the same. Process-wide, for the
 * command line only. SIGPIPE and SIGXFSZ are ignored from the start (main.c): a write that fails is
 * reported like any other.
 */
#ifndef SL_APP_INTERRUPT_H
#define SL_APP_INTERRUPT_H

#include "engine/engine.h"

/* From now on. A SIGHUP that is ignored (nohup) stays ignored. */
void sl_interrupt_install(void);
/* The model to stop, NULL for none. Call with NULL before closing it. */
void sl_interrupt_watch(SlModel *model);
/* Not zero once interrupted; polled by loading and hashing. */
const int *sl_interrupt_flag(void);
bool sl_interrupted(void);

#endif
