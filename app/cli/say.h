/* say.h - sentences on standard error, texts from files on standard output, and whether all that
 * was printed arrived.
 *
 * Whatever comes from outside (a path, a name in a file) may hold a terminal's escape sequences:
 * everything here shows it as sl_show_char does.
 */
#ifndef SL_APP_SAY_H
#define SL_APP_SAY_H

#include "engine/engine.h"

/* "safelight: ..." on standard error, one line. */
void sl_say(const char *format, ...) SL_PRINTF(1, 2);
/* The same; where lines is set, line breaks in the text stay. */
void sl_say_list(bool lines, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* printf for people: what stands in the line is shown, its line breaks stay. Results that a script
 * takes as they are (a path, JSON) are printed with puts. */
void sl_print(const char *format, ...) SL_PRINTF(1, 2);

/* A line that was to be printed could not be put together, for want of memory: sl_say_end tells it. */
void sl_print_failed(void);
/* Last of all: closes standard output. Where something of it was lost it says so and gives 1
 * instead of 0; other statuses stay. */
int sl_say_end(int status);

#endif
