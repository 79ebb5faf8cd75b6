/* parallel.c - one pool of threads for everything: OpenMP's, which is oneDNN's too, so that the two
 * never compete for cores.
 *
 * Ranges are cut by count and grain alone; threads only decide who computes which, so results are
 * the same bytes for any number. A caller's grain is worth some ten microseconds: what fits in one
 * range runs on the calling thread and wakes nobody. Ranges are handed out one by one, so that a
 * thread which the system takes away for a while holds up one range and not half of the work. So a
 * region with fewer threads than it asked for computes all of it, too; oneDNN's do not, and a device
 * has as many threads as are granted (sl_threads_granted).
 *
 * libgomp's threads spin for some milliseconds after a region and then sleep, so an idle window
 * costs nothing. On a machine that is busy with other things spinning is costly (a test with tiny
 * models: 71 s instead of 0.8 s beside four others on two cores); OMP_WAIT_POLICY=passive makes
 * them sleep at once, GOMP_SPINCOUNT after so many looks. libgomp reads both before main, so they
 * cannot be set here (app/main.c does).
 */
#include "kernels/devices.h"

#include <stdlib.h>

#include <pthread.h>
#ifdef _OPENMP
#include <omp.h>
#endif

/* ---- threads that are really there ---- */

/* OMP_DYNAMIC grants fewer threads when the machine is busy, and OMP_MAX_ACTIVE_LEVELS=0 grants
 * none; both are settings of the calling thread. oneDNN shares out work for the threads that it
 * asked for, and leaves out what those that it did not get would have done. */
void sl_threads_own(void)
{
#ifdef _OPENMP
    if (omp_get_dynamic())
        omp_set_dynamic(0);
    if (omp_get_max_active_levels() != 1)
        omp_set_max_active_levels(1);
#endif
}

#ifdef _OPENMP

typedef struct Trial {
    pthread_mutex_t lock;
    pthread_cond_t over;
    bool is_over;
} Trial;

static void *wait_for_end(void *arg)
{
    Trial *t = arg;
    pthread_mutex_lock(&t->lock);
    while (!t->is_over)
        pthread_cond_wait(&t->over, &t->lock);
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

/* How many of `wanted` threads the system lets this process have at once. libgomp ends the program
 * when it gets one less than it asks for. */
static int threads_of_system(int wanted)
{
    pthread_t *thread = calloc((size_t)wanted, sizeof *thread);
    Trial trial = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
    int made = 0;
    while (thread && made < wanted - 1 &&
           pthread_create(&thread[made], NULL, wait_for_end, &trial) == 0)
        made++;
    pthread_mutex_lock(&trial.lock);
    trial.is_over = true;
    pthread_cond_broadcast(&trial.over);
    pthread_mutex_unlock(&trial.lock);
    for (int i = 0; i < made; i++)
        pthread_join(thread[i], NULL);
    free(thread);
    return made + 1;
}

#endif

int sl_threads_granted(int wanted)
{
    int granted = 1;
#ifdef _OPENMP
    sl_threads_own();
    wanted = wanted < omp_get_thread_limit() ? wanted : omp_get_thread_limit();
    wanted = wanted > 1 ? threads_of_system(wanted) : 1;
#pragma omp parallel num_threads(wanted) if (wanted > 1)
#pragma omp single
    granted = omp_get_num_threads();
#endif
    return granted;
}

int sl_thread_index(void)
{
#ifdef _OPENMP
    return omp_get_thread_num();
#else
    return 0;
#endif
}

void sl_parallel_for(const SlDevice *dev, int64_t count, int64_t grain,
                     void (*fn)(void *arg, int64_t first, int64_t last), void *arg)
{
    int64_t step = grain > 0 ? grain : 1, pieces = (count + step - 1) / step;
    int threads = pieces < dev->threads ? (int)pieces : dev->threads;
    (void)threads; /* without OpenMP */
#ifdef _OPENMP
    sl_threads_own();
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads) if (threads > 1)
#endif
    for (int64_t i = 0; i < pieces; i++)
        fn(arg, i * step, (i + 1) * step < count ? (i + 1) * step : count);
}
