/* weights.h - the tensors of one component of a model, and binding them to a device under their
 * diffusers names.
 *
 * They come from an SlWeightSource: safetensors or GGUF files, or one component's part of a single
 * checkpoint in the original latent-diffusion layout, shown under diffusers' names
 * (weights_source.h says what a source is, weights_views.h how one shows the tensors of another).
 * Weights are read with pread, never mapped: a file that shrinks must not kill the program. Every
 * header is validated completely before anything is allocated from a number in it.
 */
#ifndef SL_ENGINE_WEIGHTS_H
#define SL_ENGINE_WEIGHTS_H

#include "engine/files/weights_storage.h"
#include "kernels/kernels.h"

typedef struct SlWeightSource SlWeightSource;

typedef struct SlTensorInfo {
    const char *name;        /* diffusers name */
    const char *stored_name; /* as the file calls it, for messages */
    const SlStorage
        *storage;   /* how weights in it are stored; NULL: nothing that a weight can be (I64) */
    SlDtype dtype;  /* of one element, where known */
    bool known;     /* one of SlDtype: false for I64 and the like, and for quantised types */
    bool scattered; /* read in few large pieces: each costs much (transposed, products) */
    char dtype_name[16]; /* as in the file, "F16" */
    int rank;
    int64_t size[8];
    uint64_t bytes;
    size_t index; /* among the tensors of its source */
} SlTensorInfo;

/* Opens the weights of a component folder: base is "diffusion_pytorch_model" or "model". Prefers
 * base.safetensors, then base.safetensors.index.json, then base.fp16.safetensors, then
 * base.safetensors.index.fp16.json, then the same for bf16. A folder that only has pickles (.bin)
 * is refused with a sentence that says so. NULL and *err on failure. */
SlWeightSource *sl_weights_open(const char *folder, const char *base, SlError *err);
/* One safetensors or GGUF file as it is. */
SlWeightSource *sl_weights_open_file(const char *path, SlError *err);

/* One part of a single checkpoint ("unet", "vae", "text_encoder"); layers_per_block and block count
 * come from its shapes. */
SlWeightSource *sl_weights_open_checkpoint(const char *path, const char *part, SlError *err);

/* The same part of a file that need hold no other: a VAE, UNet or text encoder under diffusers' or
 * the original names, with the prefix of a whole checkpoint or without. */
SlWeightSource *sl_weights_open_part(const char *path, const char *part, SlError *err);

/* Another reference, to be given back like the first; the argument. */
SlWeightSource *sl_weights_hold(SlWeightSource *w);
/* Gives a reference back; the files are closed with the last one. NULL is fine. */
void sl_weights_close(SlWeightSource *w);

size_t sl_weights_count(const SlWeightSource *w);
const SlTensorInfo *sl_weights_info(const SlWeightSource *w, size_t i);
const SlTensorInfo *sl_weights_find(const SlWeightSource *w, const char *name);
/* What the file says beside its tensors (safetensors' __metadata__); NULL when it says nothing. */
const char *sl_weights_metadata(const SlWeightSource *w, const char *key);
/* The files behind it, for identity and messages. */
int sl_weights_files(const SlWeightSource *w);
const char *sl_weights_file(const SlWeightSource *w, int i);
/* The file that a tensor of w is in. */
const char *sl_weights_file_of(const SlWeightSource *w, const SlTensorInfo *info);
/* Reads one tensor whole, as it is stored, into memory of info->bytes bytes. A value that is not
 * finite is an SL_FORMAT error naming the tensor. */
bool sl_weights_read(const SlWeightSource *w, const SlTensorInfo *info, void *out, SlError *err);
/* The same by all threads of a device, converted to whichever of F32, F16 and BF16 out has; it has
 * as many elements as the tensor, and info->storage is not NULL. */
bool sl_weights_read_on(SlDevice *dev, const SlWeightSource *w, const SlTensorInfo *info,
                        const SlTensor *out, SlError *err);
/* Elements first .. first + count - 1 of one, converted likewise; for any thread. */
bool sl_weights_read_part(const SlWeightSource *w, const SlTensorInfo *info, uint64_t first,
                          uint64_t count, SlDtype dtype, void *out, SlError *err);
/* Read whole and converted to f32; SL_UNSUPPORTED for types that no weight is stored in. */
bool sl_weights_read_f32(const SlWeightSource *w, const SlTensorInfo *info, float *out,
                         SlError *err);

/* ---- binding ---- */

/* Collects the weights of one model part. Building a model is what checks every shape: the
 * constructor asks for each weight by name and size; wrong ones are noted, not fatal at once, so
 * that the final sentence can name the first and count the rest. */
typedef struct SlBinder SlBinder;

/* What is added to some weights on their way from the file to the device (adapters). */
typedef struct SlWeightChange {
    bool (*touches)(const void *arg, const char *name);
    /* values: the weight of this name as f32 on the host, in the file's shape; to be changed. */
    bool (*apply)(const void *arg, SlDevice *dev, const char *name, const SlTensor *values,
                  SlError *err);
    const void *arg; /* borrowed as long as weights are read */
} SlWeightChange;

typedef struct SlBinderOptions {
    SlDevice *dev;
    SlWeightSource *weights; /* held until sl_binder_finish, or until no weight waits; NULL: random
                              * weights of the right size (bench, measure), seeded by name */
    bool own_dtype;          /* the part computes in dtype; otherwise in the device's */
    SlDtype dtype;
    bool q8;    /* with own_dtype: weights of products are kept in 8 bits */
    bool later; /* where the device can, weights of products wait for the product that wants them
                 * (sl_weight_later), and their values are not looked at before */
    SlWeightChange change; /* touches NULL: none */
    SlDtype
        stored; /* without weights, or unread: what a file would have them in, SL_F32 or two bytes */
    bool unread; /* on the measure device: names, sizes and types are checked, no value is read */
    const char *component; /* "unet", for messages */
    void (*progress)(void *arg, uint64_t bytes_done, uint64_t bytes_total); /* may be NULL */
    void *progress_arg;
} SlBinderOptions;

SlBinder *sl_binder_new(const SlBinderOptions *options);
/* Weight `prefix.name`, with rank sizes following. The result is owned by the binder (freed with
 * it), NULL when missing or misshapen. A linear weight may be stored as a 1x1 convolution [N, K, 1,
 * 1] and the other way round. */
SlWeight *sl_bind(SlBinder *b, SlWeightKind kind, const char *name, int rank, const int64_t *size);
/* The same for a weight that may be absent: NULL without a complaint. */
SlWeight *sl_bind_optional(SlBinder *b, SlWeightKind kind, const char *name, int rank,
                           const int64_t *size);
bool sl_binder_has(const SlBinder *b, const char *name);
/* Rows of several linear weights stacked into one [sum N, K] (fused QKV): same as sl_bind for each,
 * then one product. */
SlWeight *sl_bind_stacked(SlBinder *b, const char *const *names, int count, int64_t n_each,
                          int64_t k);
/* A tensor that is known to be harmless and is not used (position_ids). */
void sl_binder_ignore(SlBinder *b, const char *name);
/* The same of all whose names begin so: a part of a net that is not built. */
void sl_binder_ignore_all(SlBinder *b, const char *prefix);
/* After the last bind: nothing can be bound any more, and the source is given back. False and *err
 * when anything was missing, misshapen, unreadable or left over; the message names the file, the
 * first tensor, what was found and expected, and how many more there are. Left over tensors are
 * an error only if strict. */
bool sl_binder_finish(SlBinder *b, bool strict, SlError *err);
/* Whether weights wait, and the source is held for them. */
bool sl_binder_waits(const SlBinder *b);
/* Reads and lays out those that wait, one at least, until they take `most` bytes or more. False and *err
 * where one could not be: it goes on waiting. */
bool sl_binder_settle(SlBinder *b, size_t most, SlError *err);
/* From one change to another: each has a number. */
typedef struct SlBinderRefill {
    SlWeightSource *weights; /* the same ones as before, only borrowed */
    SlWeightChange change;
    bool (*stale)(const void *arg, const char *name); /* which weights differ; arg: the change's */
    unsigned before, now;
    size_t
        keep; /* copies of weights may take so many bytes, and those of `before` are to be made as far as
                  * that goes; 0: it does not come back */
} SlBinderRefill;
/* After sl_binder_finish: gives the stale weights their other values in their places on the device, from
 * copies that were kept or by reading them again. False and *err when one could not be; what is bound is
 * then of no use. */
bool sl_binder_refill(SlBinder *b, const SlBinderRefill *refill, SlError *err);
/* What copies take, in bytes (NULL: 0), and giving them back. */
size_t sl_binder_kept(const SlBinder *b);
void sl_binder_forget(SlBinder *b);
/* "unet: 3 tensors are not used: a, b, c" after finish with strict off; NULL when there are none.
 */
const char *sl_binder_warning(const SlBinder *b);
uint64_t sl_binder_parameters(const SlBinder *b);
/* The type that the part computes in; one that the device has. */
SlDtype sl_binder_dtype(const SlBinder *b);
void sl_binder_free(SlBinder *b); /* frees every weight bound through it */

#endif
