/* progress.c - see progress.h. */
#include "app/cli/progress.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BAR_WIDTH    24
#define REDRAW_AFTER 0.1 /* seconds */

double sl_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
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

static void draw_time(double seconds)
{
    long whole = (long)(seconds + 0.5);
    if (whole >= 3600)
        fprintf(stderr, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
    else
        fprintf(stderr, "%ld:%02ld", whole / 60, whole % 60);
}

/* The fraction of the current step counts too, so that a rate is known before the first step is
 * done. */
static void draw_steps(const SlProgress *p)
{
    double passed = sl_clock() - p->started;
    double fraction = p->done < p->total ? sl_model_step_fraction(p->model) : 0;
    double done = p->done + (fraction < 1 ? fraction : 1), rate = done / passed;
    draw_bar(done / p->total);
    fprintf(stderr, "%s%s%d/%d", p->what ? p->what : "", p->what ? " " : "", p->done, p->total);
    if (done > 0 && passed > REDRAW_AFTER) {
        fprintf(stderr, rate >= 1 ? "  %.2f it/s  ETA " : "  %.2f s/it  ETA ",
                rate >= 1 ? rate : 1 / rate);
        draw_time((p->total - done) / rate);
    }
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
    draw_bar(fraction);
    fprintf(stderr, "%.40s", sl_show_name(what).text);
}

void sl_progress_follow(SlProgress *progress, bool quiet, const SlModel *model, int total,
                        const char *what)
{
    sl_progress_begin(progress, quiet);
    progress->model = model;
    progress->total = total;
    progress->what = what;
    if (!progress->shown || total < 1)
        return;
    pthread_mutex_init(&progress->lock, NULL);
    pthread_cond_init(&progress->stop, NULL);
    progress->ticking = true;
    if (pthread_create(&progress->ticker, NULL, tick, progress) != 0)
        progress->ticking = false; /* without the thread no line is shown; everything else works */
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
