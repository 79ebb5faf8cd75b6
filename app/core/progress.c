/* progress.c - see progress.h. */
#include "app/core/progress.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BAR_WIDTH    24
#define REDRAW_AFTER 0.05 /* seconds */

double sl_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void sl_progress_begin(SlProgress *progress, bool quiet)
{
    *progress = (SlProgress){.shown = !quiet && isatty(STDERR_FILENO), .started = sl_clock()};
}

static bool too_soon(SlProgress *progress)
{
    double now = sl_clock();
    if (!progress->shown || now - progress->last_drawn < REDRAW_AFTER)
        return true;
    progress->last_drawn = now;
    return false;
}

static void draw_bar(double fraction)
{
    char bar[BAR_WIDTH + 1];
    int filled = (int)(fraction * BAR_WIDTH + 0.5);
    memset(bar, ' ', BAR_WIDTH);
    memset(bar, '=', (size_t)filled);
    bar[BAR_WIDTH] = '\0';
    fprintf(stderr, "\r\033[K[%s] ", bar);
}

void sl_progress_loading(SlProgress *progress, double fraction, const char *what)
{
    if (too_soon(progress))
        return;
    draw_bar(fraction);
    fprintf(stderr, "%.40s", what);
}

void sl_progress_step(SlProgress *progress, int done, int total, const char *what)
{
    if (done < total && too_soon(progress))
        return;
    if (!progress->shown)
        return;
    double passed = sl_clock() - progress->started, left = passed / done * (total - done);
    draw_bar((double)done / total);
    fprintf(stderr, "%s%s%d/%d  ", what ? what : "", what ? " " : "", done, total);
    if (passed > 0 && done / passed >= 1)
        fprintf(stderr, "%.2f it/s", done / passed);
    else
        fprintf(stderr, "%.2f s/it", passed / done);
    fprintf(stderr, "  ETA %d:%02d", (int)(left + 0.5) / 60, (int)(left + 0.5) % 60);
}

void sl_progress_end(SlProgress *progress)
{
    if (progress->shown)
        fprintf(stderr, "\r\033[K");
    progress->shown = false;
}
