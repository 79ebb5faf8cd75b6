/* progress.c - see progress.h. */
#include "app/cli/progress.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE         79 /* letters; a line that is wider than its terminal cannot be drawn over */
#define BAR_WIDTH    24
#define BAR_LEAST    8
#define REDRAW_AFTER 0.1 /* seconds */

double sl_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* With brackets and a blank behind it. */
static void write_bar(double fraction, int width, char bar[BAR_WIDTH + 4])
{
    int filled = (int)(fraction * width + 0.5);
    filled = filled < 0 ? 0 : filled > width ? width : filled;
    memset(bar, ' ', BAR_WIDTH + 3);
    memset(bar + 1, '=', (size_t)filled);
    bar[0] = '[';
    bar[width + 1] = ']';
    bar[width + 3] = '\0';
}

static void write_time(double seconds, char out[24])
{
    long whole = (long)(seconds + 0.5);
    if (whole >= 3600)
        snprintf(out, 24, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
    else
        snprintf(out, 24, "%ld:%02ld", whole / 60, whole % 60);
}

/* The fraction of the current evaluation counts too, so that a rate is known before the first one is
 * done. */
void sl_progress_line(const SlProgressAt *at, char out[SL_PROGRESS_ROOM])
{
    char bar[BAR_WIDTH + 4], text[SL_PROGRESS_ROOM - sizeof bar];
    char passed[24], left[24], rate[32] = "", rest[40] = "";
    if (at->total < 1) {
        write_time(at->passed, passed);
        write_bar(0, BAR_WIDTH, bar);
        snprintf(out, SL_PROGRESS_ROOM, "%s%.20s%s%s elapsed", bar, at->what ? at->what : "",
                 at->what ? "  " : "", passed);
        return;
    }
    double done = at->done + (at->done < at->total ? fmin(fmax(at->fraction, 0), 1) : 0);
    double made = done - at->from, each = made > 0 ? at->passed / made : 0;
    write_time(at->passed, passed);
    if (made > 0 && at->passed > REDRAW_AFTER && at->done < at->total) {
        /* Without a floating-point format: the line is English wherever it is drawn. */
        long hundredths = lround(100 * (each <= 1 ? 1 / each : each));
        snprintf(rate, sizeof rate, "  %ld.%02ld %s", hundredths / 100, hundredths % 100,
                 each <= 1 ? "it/s" : "s/it");
        write_time((at->total - done) * each, left);
        snprintf(rest, sizeof rest, ", %s left", left);
    }
    int length =
        snprintf(text, sizeof text, "%.20s%s%d/%d%s  %s elapsed%s", at->what ? at->what : "",
                 at->what ? " " : "", at->done, at->total, rate, passed, rest);
    int room = LINE - length - 3;
    write_bar(done / at->total,
              room < BAR_LEAST   ? BAR_LEAST
              : room < BAR_WIDTH ? room
                                 : BAR_WIDTH,
              bar);
    snprintf(out, SL_PROGRESS_ROOM, "%s%s", bar, text);
}

static void draw_steps(const SlProgress *p)
{
    char line[SL_PROGRESS_ROOM];
    const SlProgressAt at = {.what = p->what,
                             .from = p->from,
                             .done = p->done,
                             .total = p->total,
                             .fraction = p->model ? sl_model_step_fraction(p->model) : 0,
                             .passed = sl_clock() - p->started};
    sl_progress_line(&at, line);
    fprintf(stderr, "\r\033[K%s", line);
}

static void *tick(void *arg)
{
    SlProgress *p = arg;
    pthread_mutex_lock(&p->lock);
    while (p->ticking) {
        struct timespec until;
        draw_steps(p);
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += (long)(REDRAW_AFTER * 1e9);
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&p->stop, &p->lock, &until);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

void sl_progress_begin(SlProgress *progress, bool quiet)
{
    *progress = (SlProgress){.shown = !quiet && isatty(STDERR_FILENO), .started = sl_clock()};
}

void sl_progress_loading(SlProgress *progress, double fraction, const char *what)
{
    double now = sl_clock();
    if (!progress->shown || now - progress->last_drawn < REDRAW_AFTER)
        return;
    progress->last_drawn = now;
    char bar[BAR_WIDTH + 4];
    write_bar(fraction, BAR_WIDTH, bar);
    fprintf(stderr, "\r\033[K%s%.40s", bar, sl_show_name(what).text);
}

/* The line is there at once, and the thread goes on with it. */
static void start_ticking(SlProgress *progress)
{
    draw_steps(progress);
    pthread_mutex_init(&progress->lock, NULL);
    pthread_cond_init(&progress->stop, NULL);
    progress->ticking = true;
    if (pthread_create(&progress->ticker, NULL, tick, progress) != 0)
        progress->ticking = false; /* without the thread the line stays as it is; all else works */
}

void sl_progress_wait(SlProgress *progress, bool quiet, const char *what)
{
    sl_progress_end(progress);
    sl_progress_begin(progress, quiet);
    progress->what = what;
    if (progress->shown)
        start_ticking(progress);
}

void sl_progress_follow(SlProgress *progress, bool quiet, const SlModel *model,
                        const SlProgressAt *of)
{
    sl_progress_end(progress);
    sl_progress_begin(progress, quiet);
    progress->model = model;
    progress->from = progress->done = of->from;
    progress->total = of->total;
    progress->what = of->what;
    if (progress->shown && of->total > 0)
        start_ticking(progress);
}

void sl_progress_step(SlProgress *progress, int done)
{
    if (!progress->ticking)
        return;
    pthread_mutex_lock(&progress->lock);
    progress->done = done;
    pthread_mutex_unlock(&progress->lock);
}

void sl_progress_say(SlProgress *progress, const char *what)
{
    if (!progress->ticking)
        return;
    pthread_mutex_lock(&progress->lock);
    progress->what = what;
    pthread_mutex_unlock(&progress->lock);
}

void sl_progress_end(SlProgress *progress)
{
    if (progress->ticking) {
        pthread_mutex_lock(&progress->lock);
        progress->ticking = false;
        pthread_cond_signal(&progress->stop);
        pthread_mutex_unlock(&progress->lock);
        pthread_join(progress->ticker, NULL);
        pthread_mutex_destroy(&progress->lock);
        pthread_cond_destroy(&progress->stop);
    }
    if (progress->shown)
        fprintf(stderr, "\r\033[K");
    progress->shown = false;
}
