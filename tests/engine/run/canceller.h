/* canceller.h - a thread that cancels what a model computes, some time from now, for tests.
 */
#ifndef SL_TESTS_CANCELLER_H
#define SL_TESTS_CANCELLER_H

#include "engine/engine.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

typedef struct Canceller {
    SlModel *model;
    long after_us; /* less than a second */
    pthread_t thread;
} Canceller;

/* Also looks how far the step is, as a window does. */
static void *canceller_run(void *arg)
{
    const Canceller *c = arg;
    struct timespec t = {0, c->after_us * 1000};
    nanosleep(&t, NULL);
    sl_model_cancel(c->model);
    (void)sl_model_step_fraction(c->model);
    return NULL;
}

static void canceller_begin(Canceller *c, SlModel *model, long after_us)
{
    c->model = model;
    c->after_us = after_us;
    if (pthread_create(&c->thread, NULL, canceller_run, c) != 0)
        abort();
}

/* The cancel has come by then, and is taken back. */
static void canceller_end(Canceller *c)
{
    pthread_join(c->thread, NULL);
    sl_model_clear_cancel(c->model);
}

#endif
