/* onednn_threads.c - oneDNN computes on the device's own threads.
 *
 * oneDNN is built with OpenMP, whose library makes and ends threads as they are needed, in the
 * middle of a run, and ends the program when it gets none. So the six functions that oneDNN calls
 * of it are defined here: the loader takes a program's own before a library's. While a thread is in
 * a call of oneDNN (sl_onednn_enter) they mean the device's team; for everything else in the
 * process, and where oneDNN was built with another library for threads, they hand on to the one
 * that was meant.
 *
 * Easy to get wrong: oneDNN shares out work for the threads that it asked for, and leaves out what
 * those that it did not get would have done. It asks for no more than omp_get_max_threads says.
 */
#if SL_HAVE_ONEDNN

#include "kernels/cpu/onednn.h"
#include "kernels/team.h"

#include <stdatomic.h>
#include <string.h>

#include <dlfcn.h>

static _Thread_local struct {
    SlTeam *team; /* while in a call */
    int threads;  /* that primitives are made for and executed with; 0: not said */
} ours;

void sl_onednn_use_threads(int threads)
{
    ours.threads = threads;
}

SlTeam *sl_onednn_enter(SlTeam *team)
{
    SlTeam *before = ours.team;
    ours.team = team;
    return before;
}

typedef void (*Function)(void);

/* The function of this name behind ours; NULL where there is none. */
static Function behind(_Atomic(Function) *known, const char *name)
{
    Function function = atomic_load(known);
    if (!function) {
        void *symbol = dlsym(RTLD_NEXT, name);
        memcpy(&function, &symbol, sizeof function);
        atomic_store(known, function);
    }
    return function;
}

static int number_behind(_Atomic(Function) *known, const char *name, int otherwise)
{
    Function function = behind(known, name);
    return function ? ((int (*)(void))function)() : otherwise;
}

/* Declared by no header of ours: oneDNN finds them by name. */
#define FOR_ONEDNN __attribute__((visibility("default"), used))

FOR_ONEDNN int omp_get_max_threads(void);
FOR_ONEDNN int omp_get_num_threads(void);
FOR_ONEDNN int omp_get_thread_num(void);
FOR_ONEDNN int omp_in_parallel(void);
FOR_ONEDNN void GOMP_barrier(void);
FOR_ONEDNN void GOMP_parallel(void (*fn)(void *), void *data, unsigned threads, unsigned flags);

int omp_get_max_threads(void)
{
    static _Atomic(Function) known;
    if (sl_team_seat().beside)
        return 1;
    return ours.threads > 0 ? ours.threads : number_behind(&known, "omp_get_max_threads", 1);
}

int omp_get_num_threads(void)
{
    static _Atomic(Function) known;
    int count = sl_team_seat().count;
    return count > 0 ? count : number_behind(&known, "omp_get_num_threads", 1);
}

int omp_get_thread_num(void)
{
    static _Atomic(Function) known;
    SlSeat seat = sl_team_seat();
    return seat.count > 0 ? seat.index : number_behind(&known, "omp_get_thread_num", 0);
}

int omp_in_parallel(void)
{
    static _Atomic(Function) known;
    SlSeat seat = sl_team_seat();
    return seat.count > 0 ? seat.beside : number_behind(&known, "omp_in_parallel", 0);
}

void GOMP_barrier(void)
{
    static _Atomic(Function) known;
    Function function = sl_team_seat().count > 0 ? NULL : behind(&known, "GOMP_barrier");
    if (function)
        function();
    else
        sl_team_meet();
}

void GOMP_parallel(void (*fn)(void *), void *data, unsigned threads, unsigned flags)
{
    static _Atomic(Function) known;
    Function function = ours.team ? NULL : behind(&known, "GOMP_parallel");
    if (function)
        ((void (*)(void (*)(void *), void *, unsigned, unsigned))function)(fn, data, threads,
                                                                           flags);
    else
        sl_team_run(ours.team, threads > 0 ? (int)threads : omp_get_max_threads(), fn, data);
}

#endif
