/* auto_dtype.h - what the type "auto" is on the cpu device of this machine.
 *
 * Where the processor multiplies bf16 itself, a few shapes are timed in f32 and in bf16, once: a third of
 * a second. bf16 it is where a step is at least 1.2 times as fast in it and none of the shapes that take
 * a tenth of the step or more is slower; then texts and decoding are, too, each by the same rule. All
 * else stays f32, and where the processor does not multiply bf16 nothing is timed.
 *
 * The times are kept in $XDG_CACHE_HOME/safelight/types, for this processor with these instructions, this
 * oneDNN, this number of threads and this build of the program; what is damaged or of another machine is
 * timed again. So is, at the next start, what another program disturbed (its times differ, or threads had
 * no processor): meanwhile the best times so far count, and after five such starts for good. $SAFELIGHT_AUTO_DTYPE says what "auto" is instead ("f32", "bf16,decode=f32"), for tests
 * and for who wants it the same everywhere.
 */
#ifndef SL_APP_AUTO_DTYPE_H
#define SL_APP_AUTO_DTYPE_H

#include "engine/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct SlAutoDtype {
    bool
        applies; /* "auto" is meant, and the device is cpu; else dtype is "f32" and nothing is known */
    char dtype[64]; /* as SlModelOptions.auto_dtype: "f32", "bf16", "bf16,decode=f32" */
    char line[500]; /* why: "auto: bf16, because ..." */
    bool measured;  /* only now */
    bool disturbed; /* by other programs, so the next process measures again */
    double faster[SL_TIMED_STAGES]; /* bf16 than f32: times; 0: not measured */
} SlAutoDtype;

typedef struct SlAutoAsk {
    const char *device, *dtype; /* as SlModelOptions has them */
    int threads;                /* 0: all */
    bool measure;               /* where it is not known yet; else it is f32 until it is */
    bool again;                 /* measure anyhow, and forget all times that were kept */
    const int *cancel;          /* polled while it is measured; may be NULL */
} SlAutoAsk;

/* Any thread. False and *err where $SAFELIGHT_AUTO_DTYPE is no type, and where it was cancelled: what cannot be
 * measured is f32, and the line says so. */
bool sl_auto_dtype(const SlAutoAsk *ask, SlAutoDtype *is, SlError *err);

/* The same of another machine, for tests. */
typedef struct SlAutoMachine {
    void (*look)(void *arg, SlProcessor *processor);
    bool (*time)(void *arg, int threads, const int *cancel, SlShapeTimes *times, SlError *err);
    void *arg;
} SlAutoMachine;
bool sl_auto_dtype_of(const SlAutoMachine *machine, const SlAutoAsk *ask, SlAutoDtype *is,
                      SlError *err);

#ifdef __cplusplus
}
#endif

#endif
