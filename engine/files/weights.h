/* weights.h - the tensors of one component of a model, and binding them to a device under their
 * diffusers names.
 *
 * Behind it: one safetensors file, a sharded set with an index.json, or one component's part of a
 * single checkpoint in the original latent-diffusion layout (names are translated when it is
 * opened). Weights are read with pread, never mapped: a file that shrinks must not kill the
 * program. Every header is validated completely before anything is allocated from a number in it.
 */
#ifndef SL_ENGINE_WEIGHTS_H
#define SL_ENGINE_WEIGHTS_H

#include "kernels/kernels.h"

typedef struct SlWeights SlWeights;

typedef struct SlTensorInfo {
    const char *name; /* diffusers name */
    SlDtype dtype;    /* I64 and others that no weight uses are listed with known = false */
    bool known;
    char dtype_name[16]; /* as in the file, "F16" */
    int rank;
    int64_t size[8];
    uint64_t bytes;
} SlTensorInfo;

/* Opens the weights of a component folder: base is "diffusion_pytorch_model" or "model". Prefers
 * base.safetensors, then base.safetensors.index.json, then base.fp16.safetensors, then
 * base.safetensors.index.fp16.json, then the same for bf16. A folder that only has pickles (.bin)
 * is refused with a sentence that says so. NULL and *err on failure. */
SlWeights *sl_weights_open(const char *folder, const char *base, SlError *err);
/* One safetensors file as it is. */
SlWeights *sl_weights_open_file(const char *path, SlError *err);

/* One part of a single checkpoint ("unet", "vae", "text_encoder"); layers_per_block and block count come from its
 * shapes. */
SlWeights *sl_weights_open_checkpoint(const char *path, const char *part, SlError *err);

void sl_weights_close(SlWeights *w); /* NULL is fine */

size_t sl_weights_count(const SlWeights *w);
const SlTensorInfo *sl_weights_info(const SlWeights *w, size_t i);
const SlTensorInfo *sl_weights_find(const SlWeights *w, const char *name);
/* The files behind it, for identity and messages. */
int sl_weights_files(const SlWeights *w);
const char *sl_weights_file(const SlWeights *w, int i);
/* The file that a tensor of w is in. */
const char *sl_weights_file_of(const SlWeights *w, const SlTensorInfo *info);
/* Reads one tensor whole into memory of info->bytes bytes. A value that is not finite is an
 * SL_FORMAT error naming the tensor. */
bool sl_weights_read(const SlWeights *w, const SlTensorInfo *info, void *out, SlError *err);
/* The same by all threads of a device, in whichever of F32, F16 and BF16 out has (the file's is one
 * of them, too). */
bool sl_weights_read_on(const SlDevice *dev, const SlWeights *w, const SlTensorInfo *info,
                        const SlTensor *out, SlError *err);
/* Read whole and converted to f32; SL_UNSUPPORTED for other types than F32, F16 and BF16. */
bool sl_weights_read_f32(const SlWeights *w, const SlTensorInfo *info, float *out, SlError *err);

/* ---- binding ---- */

/* Collects the weights of one model part. Building a model is what checks every shape: the
 * constructor asks for each weight by name and size; wrong ones are noted, not fatal at once, so
 * that the final sentence can name the first and count the rest. */
typedef struct SlBinder SlBinder;

typedef struct SlBinderOptions {
    SlDevice *dev;
    const SlWeights
        *weights; /* NULL: random weights of the right size (bench, measure), seeded by name */
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
/* After the last bind: false and *err when anything was missing, misshapen, unreadable or left
 * over; the message names the file, the first tensor, what was found and expected, and how many
 * more there are. Left over tensors are an error only if strict. */
bool sl_binder_finish(SlBinder *b, bool strict, SlError *err);
/* "unet: 3 tensors are not used: a, b, c" after finish with strict off; NULL when there are none.
 */
const char *sl_binder_warning(const SlBinder *b);
uint64_t sl_binder_parameters(const SlBinder *b);
void sl_binder_free(SlBinder *b); /* frees every weight bound through it */

#endif
