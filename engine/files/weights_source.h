/* weights_source.h - where weights come from: named tensors that are read when they are wanted.
 *
 * A source is a small table of functions over something that holds tensors: safetensors files
 * (weights_safetensors.c), a GGUF file (gguf.c), or views that rename, cut, turn, convert or add to the tensors of other
 * sources (weights_views.h). Whoever reads (the binder, tests, tools) uses the functions of
 * weights.h and does not see which source it is. A new file format is a new source: it fills in the
 * table, and everything that a reader may ask for beyond bytes as they are stored (f32, a device's
 * type, all threads, the search for NaN) is done once, in weights.c.
 *
 * How a tensor is stored is a row of weights_storage.h, named in its SlTensorInfo. Block-quantised
 * types need nothing else from a source: `read` is asked for whole blocks only, in bytes, and what
 * the blocks hold is known to the row. Such a tensor has `known` false, since no SlDtype describes
 * it.
 *
 * Sources are reference counted, because a binder reads from them later than whoever opened them
 * thinks: sl_weights_hold takes a reference, sl_weights_close gives one back. They are immutable,
 * and may be read by any number of threads at a time.
 */
#ifndef SL_ENGINE_WEIGHTS_SOURCE_H
#define SL_ENGINE_WEIGHTS_SOURCE_H

#include "engine/files/weights.h"

/* All must be there. i is below count, and infos stay where they are as long as the source is
 * open. */
typedef struct SlWeightSourceOps {
    size_t (*count)(const SlWeightSource *s);
    const SlTensorInfo *(*info)(const SlWeightSource *s, size_t i);
    const SlTensorInfo *(*find)(const SlWeightSource *s, const char *name);
    /* Bytes first .. first + bytes - 1 of tensor i as they are stored; both are multiples of a
     * block's, and within the tensor. Values that are not finite are passed on: the reader looks
     * at them. */
    bool (*read)(const SlWeightSource *s, size_t i, uint64_t first, uint64_t bytes, void *out,
                 SlError *err);
    const char *(*metadata)(const SlWeightSource *s, const char *key); /* of the file; NULL: none */
    int (*files)(const SlWeightSource *s);
    const char *(*file)(const SlWeightSource *s, int i);
    const char *(*file_of)(const SlWeightSource *s, size_t i); /* the file that tensor i is in */
    void (*close)(SlWeightSource *s);                          /* the last reference is gone */
} SlWeightSourceOps;

/* Every source's own struct has this as first member, set by sl_source_init. */
struct SlWeightSource {
    const SlWeightSourceOps *ops;
    int references; /* atomic */
};

/* With one reference: the caller's. */
void sl_source_init(SlWeightSource *s, const SlWeightSourceOps *ops);

/* Safetensors files as one source; a name that is in two of them is refused. */
SlWeightSource *sl_source_safetensors(const char *const *paths, int count, SlError *err);

/* What quantising tools leave beside the weights (weights_quantized.c): takes the source over and
 * gives one that shows the weights as the numbers they stand for, without the scales and marks; the
 * source itself where there are none. NULL and *err for methods that are not known here, by
 * name. */
SlWeightSource *sl_source_dequantized(SlWeightSource *source, SlError *err);

#define SL_SOURCE_MAX_FILES 512

/* Elements first .. first + count - 1 of a tensor, in row-major order, as F32, F16 or BF16: any
 * range, whatever the blocks. Not looked at for NaN: that is for whoever reads the result at
 * last. */
bool sl_source_read(const SlWeightSource *s, const SlTensorInfo *info, uint64_t first,
                    uint64_t count, SlDtype dtype, void *out, SlError *err);
uint64_t sl_tensor_info_elements(const SlTensorInfo *info);

#endif
