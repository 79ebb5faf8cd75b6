/* warning.c - the lines that a run has to say about what it was asked for: one behind the other, as far as
 * there is room. */
#include "engine/run/run_private.h"

#include <stdio.h>
#include <string.h>

void sl_run_warn(SlRun *run, const char *text)
{
    size_t used = strlen(run->warning);
    if (*text)
        snprintf(run->warning + used, sizeof run->warning - used, "%s%s", used ? "\n" : "", text);
}
