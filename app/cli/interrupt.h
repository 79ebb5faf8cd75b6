/* interrupt.h - Ctrl-C: the first stops the computation within one operation, the second ends the
 * program at once. Process-wide, for the command line only.
 */
#ifndef SL_APP_INTERRUPT_H
#define SL_APP_INTERRUPT_H

#include "engine/engine.h"

/* Handles SIGINT and SIGTERM from now on. */
void sl_interrupt_install(void);
/* The model to stop, NULL for none. Call with NULL before closing it. */
void sl_interrupt_watch(SlModel *model);
/* Not zero once interrupted; polled by loading and hashing. */
const int *sl_interrupt_flag(void);
bool sl_interrupted(void);

#endif
