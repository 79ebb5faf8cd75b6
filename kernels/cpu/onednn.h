/* onednn.h - shared by the files that use oneDNN. Private to kernels/cpu.
 *
 * oneDNN computes matrix products and direct convolutions on processors with AVX-512: in f32 it is
 * some 10 to 20 % faster than our own tiles there. In bf16 it has what products_bf16.c leaves: all, where
 * the processor has no products of bf16, and those of few channels.
 */
#ifndef SL_KERNELS_ONEDNN_H
#define SL_KERNELS_ONEDNN_H

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/guard.h"
#include "kernels/cpu/onednn_generation.h"
#include "kernels/team.h"

#include <stdatomic.h>

/* What decides a primitive. All int64_t, so that keys compare as bytes. */
typedef struct SlOneDnnKey {
    int64_t conv, x_type, out_type, bias;
    int64_t residual; /* added: 1 what is in the output, 2 another tensor */
    int64_t n, h, w, channels, out_h, out_w, out_channels, kh, kw, stride, pad_top, pad_left,
        pad_bottom, pad_right;
} SlOneDnnKey;

typedef struct SlPrimitive {
    SlOneDnnKey key;
    dnnl_primitive_t primitive;
    dnnl_memory_t x, bias, out, scratch, residual; /* handles are set per call */
    SlMemoryDesc weights;                          /* the layout it wants */
    size_t scratch_bytes;
    struct SlPrimitive *next;
} SlPrimitive;

#define SL_ONEDNN_BUCKETS 256

struct SlOneDnn {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    SlTeam *team;
    SlPrimitive *buckets[SL_ONEDNN_BUCKETS];
    atomic_bool no_memory; /* why the last call failed; otherwise it has no such product */
};

static inline SlOneDnn *sl_onednn_of(SlDevice *dev)
{
    return ((SlCpuDevice *)dev)->onednn;
}

static inline dnnl_data_type_t sl_onednn_type(int64_t dtype)
{
    return dtype == SL_BF16 ? dnnl_bf16 : dnnl_f32;
}

/* onednn_threads.c: how many of the device's threads the oneDNN calls take that this thread makes
 * from here on; a primitive is made for them. */
void sl_onednn_use_threads(int threads);
/* In a call of oneDNN on this team from here on; NULL: no longer in one. Returns what was before. */
SlTeam *sl_onednn_enter(SlTeam *team);

/* Every call that may allocate goes through here: `call` in which oneDNN is asked for something,
 * with `bytes` that it may want known to be there. Some of oneDNN's own allocations are not checked
 * by it, and others throw. False, with o->no_memory where that is why. */
bool sl_onednn_call(SlOneDnn *o, size_t bytes, bool (*call)(void *arg), void *arg);
/* For a primitive that is made, and for one that is executed. */
#define SL_ONEDNN_MAKE ((size_t)16 << 20)
#define SL_ONEDNN_RUN  ((size_t)64 << 10)
/* The same for what makes the engine and its stream. */
bool sl_onednn_make_engine(SlOneDnn *o, bool (*call)(void *arg), void *arg);
/* The status is success; notes that memory ran out. */
bool sl_onednn_ok(SlOneDnn *o, dnnl_status_t status);

/* onednn_primitive.c: the cached primitive of a key, made now if there is none; NULL on failure
 * (o->no_memory). Its scratch memory is sized for the threads there are when it is made. */
SlPrimitive *sl_onednn_primitive(SlOneDnn *o, const SlOneDnnKey *key);
void sl_onednn_free_primitives(SlOneDnn *o);

/* onednn_weight.c: the weight in a layout, reordered now if it is not there; NULL on failure. */
dnnl_memory_t sl_onednn_weight(SlDevice *dev, const SlWeight *w, SlConstMemoryDesc desc);

#endif
