/* parallel.c - one pool of threads for everything: OpenMP's, which is oneDNN's too, so that the two
 * never compete for cores.
 *
 * Ranges are cut by count and grain alone; threads only decide who computes which, so results are
 * the same bytes for any number. A caller's grain is worth some ten microseconds: what fits in one
 * range runs on the calling thread and wakes nobody. Ranges are handed out one by one, so that a
 * thread which the system takes away for a while holds up one range and not half of the work.
 *
 * libgomp's threads spin for some milliseconds after a region and then sleep, so an idle window
 * costs nothing. On a machine that is busy with other things spinning is costly (a test with tiny
 * models: 71 s instead of 0.8 s beside four others on two cores); OMP_WAIT_POLICY=passive makes
 * them sleep at once, GOMP_SPINCOUNT after so many looks. libgomp reads both before main, so they
 * cannot be set here (app/main.c does).
 */
#include "kernels/kernels.h"

#ifdef _OPENMP
#include <omp.h>
#endif

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
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads) if (threads > 1)
#endif
    for (int64_t i = 0; i < pieces; i++)
        fn(arg, i * step, (i + 1) * step < count ? (i + 1) * step : count);
}
