/* kernels.h - tensors, devices and the table of operations that every model is written against.
 *
 * A model's forward pass calls the functions at the end of this file (sl_linear, sl_conv2d, ...).
 * Each checks shapes once and calls a slot of the device's SlOps. Devices: "ref" (plain C,
 * obviously right), "cpu" (ref overlaid with oneDNN and vector code), "check" (runs a device and
 * ref side by side and names the first operation that differs), "measure" (computes nothing: peak
 * memory and work), "cuda" (a module loaded at run time).
 *
 * Easy to get wrong:
 *  - Activations are channels-last: a picture or feature map is [N, H, W, C], tokens are [N, L, C].
 * diffusers' NCHW is met only at the borders, through sl_copy on a permuted view. Convolution
 * weights come in as diffusers stores them [O, I, KH, KW]; the device reorders them once in
 * sl_weight_new.
 *  - Operations return nothing. The device's status is sticky: after a failure or a cancel every
 * operation does nothing, and the caller asks sl_device_ok once per block.
 *  - Memory from sl_tensor_new is the arena's: it lives until sl_arena_reset to a mark taken before
 * it.
 *
 * This header is C17 and C++17 (nvcc reads it): no restrict, no designated initialisers, no VLA
 * types.
 */
#ifndef SL_KERNELS_H
#define SL_KERNELS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define SL_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define SL_FORMAT_ARG(fmt)   __attribute__((format_arg(fmt)))
#else
#define SL_PRINTF(fmt, args)
#define SL_FORMAT_ARG(fmt)
#endif

/* ---- errors ---- */

typedef enum SlCode {
    SL_OK = 0,
    SL_CANCELLED,   /* the person or the program asked to stop */
    SL_MEMORY,      /* host or device memory ran out */
    SL_IO,          /* the system refused a read or a write */
    SL_FORMAT,      /* a file is damaged or not what it claims to be */
    SL_UNSUPPORTED, /* understood, but this program or device cannot do it */
    SL_ARGUMENT,    /* a setting is out of its range */
    SL_DEVICE,      /* the device failed and cannot be used again in this process */
    SL_MISMATCH,    /* the check device found a difference */
} SlCode;

typedef struct SlError {
    SlCode code;
    char message[1000]; /* one plain sentence, UTF-8 */
} SlError;

/* Sets *err if err is not NULL; always returns false, so that `return sl_fail(err, ...)` reads
 * well. The format is translated, see below. */
bool sl_fail(SlError *err, SlCode code, const char *format, ...) SL_PRINTF(3, 4);

/* ---- sentences in the person's language ----
 *
 * What is said is written in English, and stays so where nobody says otherwise: the command line's
 * sentences are the same everywhere. The window gives a function that knows the person's language,
 * and formats are asked of it where they are filled in: a translation may have another order
 * ("%2$s: %1$d"). Which functions' arguments are looked up is in data/po/keywords; what is looked up
 * must stand there as one literal, else no translator ever sees it. A part of a sentence that is
 * chosen elsewhere (a table, the two sides of a ?:) is marked by SL_WORDS there, and goes through
 * sl_words where it is put in. Names in files (keys, options, tensors) are no words.
 */

/* Marks a literal for translation; it goes through sl_words, or a format's argument, later. */
#define SL_WORDS(text) text
typedef const char *(*SlTranslate)(const char *english);
/* NULL: English. Gives a text that stays, the same pointer if it knows none, for any thread. Before
 * other threads are there. */
void sl_set_translate(SlTranslate translate);
SlTranslate sl_get_translate(void);
/* The text in the person's language. */
const char *sl_words(const char *english) SL_FORMAT_ARG(1);
/* Fills `to` of `room` bytes with the translated format. Numbers are written as the language does:
 * in English as in C, whatever the process's locale is. What is too long is cut between two
 * characters. */
void sl_sentence_v(char *to, size_t room, const char *format, va_list args) SL_PRINTF(3, 0);
void sl_sentence(char *to, size_t room, const char *format, ...) SL_PRINTF(3, 4);

/* "1.5 GiB", "240.0 MiB": a size of memory, for messages. */
typedef struct SlBytesText {
    char text[24];
} SlBytesText;
SlBytesText sl_bytes_text(uint64_t bytes);

/* ---- tensors ---- */

typedef enum SlDtype { SL_F32, SL_F16, SL_BF16, SL_I32, SL_U8 } SlDtype;

#define SL_MAX_RANK 4

/* A view of device memory. size and stride are in elements; stride[rank - 1] need not be 1. Passed
 * by pointer, copied freely. */
typedef struct SlTensor {
    void *data;
    SlDtype dtype;
    int rank;
    int64_t size[SL_MAX_RANK];
    int64_t stride[SL_MAX_RANK];
} SlTensor;

size_t sl_dtype_size(SlDtype dtype);
const char *sl_dtype_name(SlDtype dtype); /* "f32", "f16", ... */
int64_t sl_tensor_elements(const SlTensor *t);
bool sl_tensor_contiguous(const SlTensor *t);
bool sl_same_shape(const SlTensor *a, const SlTensor *b);

/* A contiguous view of memory that the caller owns. */
SlTensor sl_tensor_view(void *data, SlDtype dtype, int rank, const int64_t *size);
/* The same elements under other sizes; t must be contiguous and have as many elements. */
SlTensor sl_reshape(const SlTensor *t, int rank, const int64_t *size);
/* axes[i] is the axis of t that becomes axis i. Moves no data. */
SlTensor sl_permute(const SlTensor *t, const int *axes);
/* Elements first .. first + count - 1 along an axis. Moves no data. */
SlTensor sl_slice(const SlTensor *t, int axis, int64_t first, int64_t count);

/* ---- devices ---- */

typedef struct SlDevice SlDevice;
typedef struct SlOps SlOps;
typedef struct SlArena SlArena;
typedef struct SlProfile SlProfile;

/* What the measure device counts. */
typedef struct SlWork {
    double flops;
    double bytes;        /* read and written by the operations */
    size_t weight_bytes; /* as the device would hold them */
    size_t arena_peak;
    size_t buffer_bytes; /* alive from sl_buffer_new */
} SlWork;

typedef struct SlDeviceOptions {
    const char *name;  /* "auto", "ref", "cpu", "check", "measure", "cuda" */
    SlDtype dtype;     /* of activations and matrix weights; norms and biases are always f32 */
    bool any_dtype;    /* the device's usual one instead: f16 on cuda, f32 elsewhere, */
    SlDtype cpu_dtype; /* but on cpu this one, and with q8 there and on measure sl_q8_dtype's */
    int threads;       /* 0: all cores this process may use */
    const char *under_test; /* check: the device to compare with ref (NULL: cpu) */
    bool q8;                /* the weights of products are kept in 8 bits (kernels/q8.h) */
} SlDeviceOptions;

/* The state every device starts with; a device's own struct has it as first member. */
struct SlDevice {
    const SlOps *ops;
    const char *name;
    SlDtype dtype;
    bool q8;                /* weights of products that are made now are kept in 8 bits */
    bool passing;           /* weights that are made now are for one product only */
    int64_t waits;          /* weights that wait, */
    uint64_t waiting_bytes; /* and what they will take, but for what layouts add; atomic */
    int threads;
    struct SlTeam *team; /* that many; NULL: the calling one alone */
    SlCode status;       /* sticky; SL_OK while all went well */
    char message[1000];  /* what went wrong, one sentence */
    int cancel;          /* atomic, set by sl_device_cancel from any thread */
    uint64_t ops_done;   /* atomic, counts operations and the pieces of long ones: progress */
    double flops_done;   /* of the products among them */
    double cut_flops;    /* of a product that is cut, where the device cannot stop within one */
    double repeat_flops; /* of work that is not remembered as one (SlRepeat): it cannot be stopped
                            within; 0: any is */
    SlDevice *serves;    /* the device that computes with this one: its cancel counts; or NULL */
    SlArena *arena;      /* where sl_tensor_new takes from */
    SlWork work;         /* counted by the measure device; every device fills in the peaks */
    SlProfile *profile;  /* while one is taken */
    char why[1000];      /* why "auto" chose it; "" when it was asked for by name */
    const char
        *scope; /* name of the block being run, for messages; set by the model code, may be NULL */
};

/* Opens a device. NULL and *err on failure (an unknown name, a module or driver that is missing).
 * Close with sl_device_close, from the thread that used it. A device belongs to one thread at a
 * time. */
SlDevice *sl_device_open(const SlDeviceOptions *options, SlError *err);
void sl_device_close(SlDevice **dev);
/* One line for people: which device, how many threads, which instructions. */
const char *sl_device_describe(const SlDevice *dev);
/* Why "auto" is this device: "auto: cpu, because ..."; "" for a device that was asked for by
 * name. */
const char *sl_device_why(const SlDevice *dev);
/* The same two in one line for the device that sl_device_open would open, or why it would not; no
 * GPU is opened for it, which takes hundreds of megabytes. False and *err where memory ran out. */
bool sl_device_foresee(const SlDeviceOptions *options, char *line, size_t size, SlError *err);

/* What decides which types are fast on the cpu device of this machine. Each text changes when that
 * could. */
typedef struct SlProcessor {
    char name[64]; /* "AMD EPYC 9R14 96-Core Processor"; "" where it has none */
    char instructions
        [64];         /* those that are used, and what it says of itself: "AVX-512, AMX 9c6fa9.." */
    char library[32]; /* "oneDNN 2.6.3 1f"; "": products are our own */
    bool bf16;        /* it multiplies bf16 itself */
    int threads;      /* that a device has where nobody says */
} SlProcessor;
void sl_processor_look(SlProcessor *processor);
/* What the cpu device usually computes in where it keeps weights in 8 bits: bf16 where the processor
 * multiplies it itself, else f32. */
SlDtype sl_q8_dtype(void);
/* "q8/f32": weights in 8 bits, and this type beside them. */
const char *sl_q8_name(SlDtype dtype);

/* Whether sl_device_open would try the cpu device first: of "cpu", of "check" over it, and of "auto"
 * where there is no GPU that could be opened. */
bool sl_device_is_cpu(const char *name);

/* Cancels, from any thread: the running operation ends within a tenth of a second or so, unfinished
 * where it is long; later ones do nothing until sl_device_clear. */
void sl_device_cancel(SlDevice *dev);
/* Whether it is to stop. Any thread. */
bool sl_device_stopping(const SlDevice *dev);
/* A look at that within a long operation: counts a piece of it as progress. False, with the status
 * set, once it is to stop: what it then leaves unwritten is used by nobody. For the device's thread;
 * others ask sl_device_stopping and sl_parallel_for sets the status. */
bool sl_device_go_on(SlDevice *dev);
/* Forgets a cancel or a failure that can be survived (not SL_DEVICE). */
void sl_device_clear(SlDevice *dev);
bool sl_device_ok(const SlDevice *dev);
/* Moves the sticky status into *err; true if there was none. */
bool sl_device_check(const SlDevice *dev, SlError *err);
/* For devices and fronts: sets the sticky status unless one is set already. */
void sl_device_fail(SlDevice *dev, SlCode code, const char *format, ...) SL_PRINTF(3, 4);
uint64_t sl_device_ops_done(const SlDevice *dev); /* any thread */
/* In which type the device makes tensors and weights from now on, and computes with them: parts of
 * a model may differ. Gives the type before, to go back to. A device that lacks the type keeps to
 * what it has instead (cpu: f32 for f16). Weights are freed under the type that they were made
 * in. */
SlDtype sl_device_use_dtype(SlDevice *dev, SlDtype dtype);
/* The name of its dtype; sl_q8_name's for a device that keeps weights so. */
const char *sl_device_dtype_name(const SlDevice *dev);
/* Whether the weights of products that are made from now on are kept in 8 bits; gives what was
 * before. Only for a device that was opened with q8. */
bool sl_device_use_q8(SlDevice *dev, bool q8);
/* Waits until all operations called so far are computed. Only needed for measuring time: a
 * download waits by itself. */
void sl_device_finish(SlDevice *dev);

/* ---- memory ---- */

/* The arena grows in blocks on demand, keeps them over resets (so that a repeated run gets the same
 * addresses), and is freed with the device. All tensors are 64-byte aligned. On exhaustion the
 * device's status becomes SL_MEMORY and data is NULL. */
SlTensor sl_tensor_new(SlDevice *dev, SlDtype dtype, int rank, const int64_t *size);
SlTensor sl_tensor_new1(SlDevice *dev, int64_t a);
SlTensor sl_tensor_new2(SlDevice *dev, int64_t a, int64_t b);
SlTensor sl_tensor_new3(SlDevice *dev, int64_t a, int64_t b, int64_t c);
SlTensor sl_tensor_new4(SlDevice *dev, int64_t a, int64_t b, int64_t c,
                        int64_t d); /* all in the device's dtype */
size_t sl_arena_mark(const SlDevice *dev);
void sl_arena_reset(SlDevice *dev, size_t mark);
/* Gives the arena's blocks back to the system; every tensor from it is gone. */
void sl_arena_release(SlDevice *dev);
/* Bytes of all its blocks. */
size_t sl_arena_capacity(const SlDevice *dev);

/* Device memory that outlives the arena's resets (text keys and values of a prompt, for example).
 */
SlTensor sl_buffer_new(SlDevice *dev, SlDtype dtype, int rank, const int64_t *size);
void sl_buffer_free(SlDevice *dev, SlTensor *t);

/* Host <-> device, contiguous, same dtype, blocking. */
void sl_upload(SlDevice *dev, const void *host, SlTensor *t);
void sl_download(SlDevice *dev, const SlTensor *t, void *host);

/* Bytes of the device's memory that are free now; SIZE_MAX where the host's is used. */
size_t sl_device_memory(SlDevice *dev);

/* ---- a second stream on the same device ---- */

/* A second device on the same hardware that computes while dev does, with dev's weights: for
 * previews that must not delay the next step. NULL, without *err, where there is none (everything
 * but cuda): compute on dev then. NULL with *err on failure. Close it before dev; for dev's
 * thread. */
SlDevice *sl_device_beside(SlDevice *dev, SlError *err);
/* Starts to bring a contiguous tensor to the host and returns the place, which is good once
 * sl_device_idle, until the next sl_fetch. NULL on failure; only for a device from
 * sl_device_beside. */
const void *sl_fetch(SlDevice *dev, const SlTensor *t);
/* Whether everything asked for so far is computed (or has failed). */
bool sl_device_idle(SlDevice *dev);

/* ---- weights ---- */

typedef enum SlWeightKind {
    SL_WEIGHT_LINEAR, /* [N, K]: y = x W^T */
    SL_WEIGHT_CONV,   /* [O, I, KH, KW] */
    SL_WEIGHT_VECTOR, /* [C]: bias, scale, shift; kept in f32 */
    SL_WEIGHT_TABLE,  /* [V, D]: embedding rows */
} SlWeightKind;

static inline bool sl_is_product(SlWeightKind kind)
{
    return kind == SL_WEIGHT_LINEAR || kind == SL_WEIGHT_CONV;
}

typedef struct SlWeight SlWeight;

/* How a weight is made that waits (sl_weight_later): by sl_weight_new or sl_weight_read. NULL when the
 * device's status is or becomes bad. */
typedef struct SlWeightMaker {
    SlWeight *(*make)(void *arg);
    void *arg; /* borrowed as long as the weight waits */
} SlWeightMaker;

/* A weight in the layout that its device computes with. Its values change by
 * sl_weight_fill only; the device may add further layouts of them. */
struct SlWeight {
    SlWeightKind kind;
    int rank;
    int64_t size[SL_MAX_RANK]; /* as in the file */
    SlTensor value;            /* ref: plain, in the device's dtype (vectors f32) */
    void *prepared;            /* the device's own */
    SlWeightMaker maker;       /* make NULL: it does not wait */
    int passes;                /* products that it was laid out for while it waited */
    uint64_t waiting_bytes;    /* that it will take */
};

/* Copies and reorders a contiguous host tensor (f32, f16 or bf16). NULL when the device's status is
 * or becomes bad. */
SlWeight *sl_weight_new(SlDevice *dev, SlWeightKind kind, const SlTensor *host);
/* Values of a weight that are where they are until they are wanted, in a file for example. */
typedef struct SlWeightReader {
    SlTensor shape; /* their sizes and dtype; no data */
    /* Elements first .. first + count - 1 in row-major order, in that dtype. Any thread of the device calls
     * it. False: they cannot be read; who gave the reader knows why. */
    bool (*read)(void *arg, int64_t first, int64_t count, void *out);
    void *arg;
} SlWeightReader;
/* Whether the device lays a weight of these sizes and this dtype out while it reads it, so that all of it
 * need not be in the host's memory before. */
bool sl_weight_reads(SlDevice *dev, SlWeightKind kind, const SlTensor *shape);
/* sl_weight_new of values that it reads itself. NULL also where some could not be read, which is no
 * failure of the device. */
SlWeight *sl_weight_read(SlDevice *dev, SlWeightKind kind, const SlWeightReader *reader);
/* A product's weight that waits: it has no memory of its own until it is settled. The first two products
 * that want it (a prompt's and a negative prompt's) have it laid out for themselves alone, in memory that
 * all such weights share; the third settles it. So a model's first evaluation needs no memory that only
 * later ones use, whose first touch may take longer than the evaluation. For devices that
 * sl_weight_can_wait is true of. */
SlWeight *sl_weight_later(SlDevice *dev, SlWeightKind kind, const SlTensor *shape,
                          const SlWeightMaker *maker);
bool sl_weight_can_wait(const SlDevice *dev, SlWeightKind kind);
/* Lays a weight that waits out to stay, so that it does not wait any more: to be called before it is
 * filled, copied or twinned. False when the device's status is or becomes bad. */
bool sl_weight_settle(SlDevice *dev, SlWeight *w);
/* Other values of the same sizes in the weight's place: under the dtype that it was made under, and
 * whatever remembers where the weight lies (a recorded step) stays right. False when the device's
 * status is or becomes bad; the weight's values are then of no use. */
bool sl_weight_fill(SlDevice *dev, SlWeight *w, const SlTensor *host);
/* A second one with the same values, where the device has the memory for it; NULL otherwise, which is no
 * failure of the device. */
SlWeight *sl_weight_twin(SlDevice *dev, const SlWeight *w);
/* The values of a weight into another one's place: one is a twin of the other, or of one that was filled
 * since. False as for sl_weight_fill. */
bool sl_weight_copy(SlDevice *dev, SlWeight *to, const SlWeight *from);
void sl_weight_free(SlDevice *dev, SlWeight *w); /* NULL is fine */

/* ---- operations ---- */

typedef enum SlActivation {
    SL_ACT_NONE,
    SL_ACT_SILU,
    SL_ACT_GELU,       /* erf */
    SL_ACT_GELU_TANH,  /* tanh approximation */
    SL_ACT_QUICK_GELU, /* x sigmoid(1.702 x) */
    SL_ACT_RELU,
    SL_ACT_TANH,
    SL_ACT_MISH, /* x tanh(log(1 + exp(x))) */
    SL_ACT_COUNT,
} SlActivation;

/* What follows a product: y = (act(product + bias + per_channel) + residual) * scale. All optional.
 */
typedef struct SlEpilogue {
    const SlWeight *bias; /* [O] */
    const SlTensor
        *per_channel; /* [N, O], added to every position (the time embedding in a resnet) */
    SlActivation act;
    const SlTensor *residual; /* shape of the output; may be the output itself */
    float scale;              /* 0 means 1 */
} SlEpilogue;

typedef struct SlConv {
    int stride;
    int pad_top, pad_left, pad_bottom, pad_right;
} SlConv;

typedef struct SlGroupNorm {
    int groups;
    float eps;
    SlActivation act; /* NONE or SILU */
} SlGroupNorm;

typedef struct SlAttention {
    int heads;
    float scale; /* usually 1 / sqrt(head size) */
    bool causal; /* query i sees keys 0 .. i */
} SlAttention;

/* diffusers get_timestep_embedding */
typedef struct SlTimestepEmbedding {
    bool flip_sin_to_cos;
    float downscale_freq_shift;
    float max_period;
} SlTimestepEmbedding;

/* A slot may be empty in a device's own table; sl_ops_fill puts the composite of simple slots
 * there. Slots see only checked shapes and a device without failure. "simple" slots every device
 * must have. */
struct SlOps {
    const char *name;
    bool keeps_half; /* of a product computed in f32, weight_init keeps f16 and bf16 at two bytes */
    void (*close)(SlDevice *dev);
    const char *(*describe)(const SlDevice *dev);
    /* operations in its dtype per second at the very best, 0: unknown; may be NULL */
    double (*peak)(SlDevice *dev);

    /* memory */
    void *(*alloc)(SlDevice *dev, size_t bytes); /* 64-byte aligned or NULL */
    void (*free)(SlDevice *dev, void *p, size_t bytes);
    void (*upload)(SlDevice *dev, const void *host, void *p, size_t bytes);
    void (*download)(SlDevice *dev, const void *p, void *host, size_t bytes);
    bool (*weight_init)(SlDevice *dev, SlWeight *w, const SlTensor *host);
    bool (*weight_fill)(SlDevice *dev, SlWeight *w, const SlTensor *host); /* in its place */
    /* From one that is laid out as `to` would be by weight_init; in its place, which is to be made where
     * `to` has neither value.data nor prepared. */
    bool (*weight_copy)(SlDevice *dev, SlWeight *to, const SlWeight *from);
    void (*weight_clear)(SlDevice *dev, SlWeight *w);
    /* Both or none: whether weight_read makes such a weight, and weight_init of values that are read; false
     * without memory, or where reading failed. */
    bool (*weight_reads)(const SlDevice *dev, const SlWeight *w, const SlTensor *shape);
    bool (*weight_read)(SlDevice *dev, SlWeight *w, const SlWeightReader *reader);
    /* No weight waits any more: gives back the memory that those had in common which were made while
     * dev->passing was set. NULL: weights do not wait. */
    void (*weights_passed)(SlDevice *dev);

    /* For devices that compute asynchronously; all may be NULL. */
    void (*finish)(SlDevice *dev); /* waits for everything that was asked for */
    bool (*idle)(SlDevice *dev);   /* whether finish would not wait */
    void (*look)(SlDevice *dev);   /* before each operation: waits where too much is asked for */
    SlDevice *(*beside)(SlDevice *dev, SlError *err);
    const void *(*fetch)(SlDevice *dev, const void *p, size_t bytes);
    size_t (*memory)(SlDevice *dev);
    void (*use_dtype)(SlDevice *dev, SlDtype dtype); /* NULL: every type will do */
    /* Remembers what work(arg) does without doing it; NULL when it cannot. */
    void *(*capture)(SlDevice *dev, void (*work)(void *arg), void *arg);
    void (*replay)(SlDevice *dev, void *captured);
    void (*forget)(SlDevice *dev, void *captured);

    /* simple */
    void (*copy)(SlDevice *dev, const SlTensor *x,
                 SlTensor *out); /* any strides, any dtypes: permutes and casts */
    void (*linear)(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlWeight *bias,
                   SlTensor *out);
    void (*conv2d)(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlWeight *bias,
                   const SlConv *conv, SlTensor *out);
    void (*group_norm)(SlDevice *dev, const SlTensor *x, const SlWeight *gamma,
                       const SlWeight *beta, const SlGroupNorm *norm, SlTensor *out);
    void (*layer_norm)(SlDevice *dev, const SlTensor *x, const SlWeight *gamma,
                       const SlWeight *beta, float eps, SlTensor *out);
    void (*attention)(SlDevice *dev, const SlTensor *q, const SlTensor *k, const SlTensor *v,
                      const SlAttention *attn, SlTensor *out);
    void (*attention_map)(SlDevice *dev, const SlTensor *q, const SlTensor *k,
                          const SlAttention *attn, bool add, SlTensor *out);
    void (*activation)(SlDevice *dev, const SlTensor *x, SlActivation act, SlTensor *out);
    void (*geglu)(SlDevice *dev, const SlTensor *x, SlTensor *out);
    void (*add)(SlDevice *dev, const SlTensor *a, const SlTensor *b, float scale, SlTensor *out);
    void (*add_per_channel)(SlDevice *dev, const SlTensor *x, const SlTensor *c, SlTensor *out);
    void (*scale_shift)(SlDevice *dev, const SlTensor *x, const SlTensor *c, SlTensor *out);
    void (*concat)(SlDevice *dev, const SlTensor *a, const SlTensor *b, SlTensor *out);
    void (*upsample)(SlDevice *dev, const SlTensor *x, SlTensor *out);
    void (*avg_pool2)(SlDevice *dev, const SlTensor *x, SlTensor *out);
    void (*embedding)(SlDevice *dev, const SlTensor *ids, const SlWeight *tokens,
                      const SlWeight *positions, SlTensor *out);
    void (*timestep_embedding)(SlDevice *dev, const SlTensor *t, const SlTimestepEmbedding *e,
                               SlTensor *out);
    void (*guidance)(SlDevice *dev, const SlTensor *said, const SlTensor *scale, SlTensor *out);
    void (*residual_change)(SlDevice *dev, const SlTensor *now, const SlTensor *was, SlTensor *out);
    void (*to_rgb8)(SlDevice *dev, const SlTensor *x, SlTensor *out);

    /* fused: composites of the above where a device leaves them empty */
    void (*linear_epilogue)(SlDevice *dev, const SlTensor *x, const SlWeight *w,
                            const SlEpilogue *e, SlTensor *out);
    void (*conv2d_epilogue)(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlConv *conv,
                            const SlEpilogue *e, SlTensor *out);
    void (*upsample_conv2d)(SlDevice *dev, const SlTensor *x, const SlWeight *w,
                            const SlEpilogue *e,
                            SlTensor *out); /* to out's H x W, then 3x3, pad 1 */
    void (*group_norm_silu)(SlDevice *dev, const SlTensor *x, const SlWeight *gamma,
                            const SlWeight *beta, const SlGroupNorm *norm, SlTensor *out);
    void (*linear_geglu)(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlWeight *bias,
                         SlTensor *out);
};

/* Puts composites into the empty fused slots of *ops. */
void sl_ops_fill(SlOps *ops);

/* The fronts: check shapes and dtypes, count the operation, honour cancel and the sticky status,
 * call the slot. Sizes in brackets; x may have any rank where "..." stands. Outputs are allocated
 * by the caller. */

void sl_copy(SlDevice *dev, const SlTensor *x, SlTensor *out);
/* x [..., K] contiguous, w [N, K], out [..., N] */
void sl_linear(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlEpilogue *e,
               SlTensor *out);
/* x [N, H, W, I], w [O, I, KH, KW], out [N, OH, OW, O] */
void sl_conv2d(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlConv *conv,
               const SlEpilogue *e, SlTensor *out);
/* nearest to out's height and width (as torch interpolate), then 3x3 with padding 1 */
void sl_upsample_conv2d(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlEpilogue *e,
                        SlTensor *out);
/* x [N, ..., C]; statistics in f32 or better over all positions and C / groups channels */
void sl_group_norm(SlDevice *dev, const SlTensor *x, const SlWeight *gamma, const SlWeight *beta,
                   const SlGroupNorm *norm, SlTensor *out);
void sl_layer_norm(SlDevice *dev, const SlTensor *x, const SlWeight *gamma, const SlWeight *beta,
                   float eps, SlTensor *out);
/* q [N, Lq, heads * d], k and v [N, Lk, heads * d], out as q. Innermost stride 1; rows and batches
 * may be strided (fused QKV). */
void sl_attention(SlDevice *dev, const SlTensor *q, const SlTensor *k, const SlTensor *v,
                  const SlAttention *attn, SlTensor *out);
/* How much each query looks at each key, the mean over the heads: out [N, Lq, Lk], f32, contiguous,
 * becomes mean(softmax(q k^T scale)); add: it is added to what is there. q and k as sl_attention's,
 * no causal ones. */
void sl_attention_map(SlDevice *dev, const SlTensor *q, const SlTensor *k, const SlAttention *attn,
                      bool add, SlTensor *out);
void sl_activation(SlDevice *dev, const SlTensor *x, SlActivation act, SlTensor *out);
/* x [..., 2C]: out = x[..., :C] * gelu(x[..., C:]) */
void sl_geglu(SlDevice *dev, const SlTensor *x, SlTensor *out);
/* w [2C, K], x [..., K], out [..., C] */
void sl_linear_geglu(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlWeight *bias,
                     SlTensor *out);
/* out = (a + b) * scale, same shapes */
void sl_add(SlDevice *dev, const SlTensor *a, const SlTensor *b, float scale, SlTensor *out);
/* x [N, ..., C], c [N, C] */
void sl_add_per_channel(SlDevice *dev, const SlTensor *x, const SlTensor *c, SlTensor *out);
/* x (1 + scale) + shift; x [N, ..., C], c [N, 2C]: the scales, then the shifts (ResnetBlock2D with
 * time_embedding_norm "scale_shift") */
void sl_scale_shift(SlDevice *dev, const SlTensor *x, const SlTensor *c, SlTensor *out);
/* along the last axis */
void sl_concat(SlDevice *dev, const SlTensor *a, const SlTensor *b, SlTensor *out);
/* nearest, x [N, H, W, C], out [N, OH, OW, C]: source = floor(i * H / OH) */
void sl_upsample(SlDevice *dev, const SlTensor *x, SlTensor *out);
/* 2x2, stride 2: out [N, H / 2, W / 2, C] */
void sl_avg_pool2(SlDevice *dev, const SlTensor *x, SlTensor *out);
/* ids i32 [N, L], tokens [V, D], positions [>= L, D] or NULL, out [N, L, D] */
void sl_embedding(SlDevice *dev, const SlTensor *ids, const SlWeight *tokens,
                  const SlWeight *positions, SlTensor *out);
/* t f32 [N], out [N, dim] in the device's dtype, computed in f32 */
void sl_timestep_embedding(SlDevice *dev, const SlTensor *t, const SlTimestepEmbedding *e,
                           SlTensor *out);
/* said [2, C, H, W] of any strides and dtype, unconditional first; scale f32 [1], in memory so that
 * repeated work sees it change; out f32 [3, C, H, W]: uncond + scale * (text - uncond), then said,
 * which may lie there already */
void sl_guidance(SlDevice *dev, const SlTensor *said, const SlTensor *scale, SlTensor *out);
/* now, was [2 N, ...], contiguous, of one dtype: what goes into a block, then what comes out of it. With
 * r = out - in of each, out f32 [2] becomes the sums of |r of now - r of was| and of |r of was|, whose
 * quotient is the test of diffusers' hooks/first_block_cache.py. Differences in f32. */
void sl_residual_change(SlDevice *dev, const SlTensor *now, const SlTensor *was, SlTensor *out);
/* x [N, H, W, 3] in -1..1, out u8: round half to even of clamp(x / 2 + 0.5, 0, 1) * 255 */
void sl_to_rgb8(SlDevice *dev, const SlTensor *x, SlTensor *out);

/* ---- profiling ---- */

/* One kind of operation on one shape, summed over its calls. Work is counted as by the measure
 * device: flops of the direct way, bytes as if there were no cache. */
typedef struct SlProfileRow {
    const char *op;
    char shape[64];
    uint64_t calls;
    double seconds, flops, bytes;
} SlProfileRow;

/* From now on every operation of the device is timed, one by one. False and *err without memory. */
bool sl_profile_start(SlDevice *dev, SlError *err);
/* Forgets all rows. */
void sl_profile_clear(SlDevice *dev);
/* In the order of their first calls; valid until the next operation. */
const SlProfileRow *sl_profile_rows(const SlDevice *dev, size_t *count);
/* Ends profiling; does nothing when none is active. Call it before sl_device_close. */
void sl_profile_stop(SlDevice *dev);

/* Per second, measured now: operations (in registers where the device knows how, else of a large
 * product) and bytes of a copy, read and written. 0 where the device failed. */
typedef struct SlCeiling {
    double flops, bytes;
} SlCeiling;
SlCeiling sl_device_ceiling(SlDevice *dev);

/* A shape of one operation that stands for many of a stage. */
typedef enum SlTimedStage {
    SL_TIMED_TEXT,
    SL_TIMED_STEP,
    SL_TIMED_DECODE,
    SL_TIMED_STAGES
} SlTimedStage;
typedef struct SlTimedShape {
    const char *name;
    SlTimedStage stage;
    double often; /* so many of it take as long as the stage's operations of this kind */
} SlTimedShape;
#define SL_TIMED_SHAPES 9
const SlTimedShape *sl_timed_shape(int i);
/* What each takes on the cpu device, seconds, the best of a few: some tenths of a second in all; a
 * shape is timed again, up to a limit, until its two best times differ by no more than
 * SL_TIMED_APART. False and *err where the device failed, or (SL_CANCELLED) once *cancel is set,
 * which is polled. */
#define SL_TIMED_APART 0.1
typedef struct SlShapeTimes {
    double f32[SL_TIMED_SHAPES], bf16[SL_TIMED_SHAPES];
    double apart;  /* second best over best, less 1, of the shape where it is most */
    double waited; /* share of the time that a thread was ready and had no processor; 0: unknown */
} SlShapeTimes;
bool sl_time_shapes(int threads, const int *cancel, SlShapeTimes *times, SlError *err);

/* ---- work that is repeated ---- */

/* Work that is done again and again with the same operations on the same memory, as a step of the
 * denoising is: cuda remembers it when it is done the second time and launches it as one from then
 * on (a CUDA graph); other devices just do it. The work reads nothing but what lies in device
 * memory, neither uploads nor downloads, and leaves the arena as it found it. It is done from
 * different arena marks at the price of being remembered anew. */
typedef struct SlRepeat SlRepeat;
SlRepeat *sl_repeat_new(void); /* NULL when memory is out */
void sl_repeat_run(SlDevice *dev, SlRepeat *repeat, void (*work)(void *arg), void *arg);
void sl_repeat_free(SlDevice *dev, SlRepeat *repeat); /* NULL is fine */
/* Whether the device can record work. If not, copying inputs to fixed addresses is wasted. */
bool sl_repeat_remembers(const SlDevice *dev);

/* ---- threads ---- */

/* Calls fn(arg, first, last) on ranges that cover 0 .. count - 1, on up to dev->threads threads.
 * The partition depends on count and grain only, never on the number of threads, so results are the
 * same bytes for any number. After a cancel the remaining ranges are left out and the status says
 * so; a range that takes longer than some ten milliseconds has to ask sl_device_stopping itself. */
void sl_parallel_for(SlDevice *dev, int64_t count, int64_t grain,
                     void (*fn)(void *arg, int64_t first, int64_t last), void *arg);
/* Which thread of sl_parallel_for this is, 0 .. dev->threads - 1: for scratch memory, never for
 * what is computed. */
int sl_thread_index(void);

/* ---- the host's memory ---- */

/* Bytes that this process may still use: the least of what its limits (RLIMIT_AS, RLIMIT_DATA), its
 * control groups (v2 and v1, each level) and the machine's free memory with its swap leave. root:
 * where /proc and /sys/fs/cgroup are looked for, "" but in tests. SIZE_MAX where nothing says. */
size_t sl_host_memory_left(const char *root);
/* Whether the allocator has so many bytes at once now: asked before libraries that do not check what
 * they allocate. */
bool sl_host_has_room(size_t bytes);

/* ---- half precision on the host ---- */
float sl_f16_to_f32(uint16_t h);
uint16_t sl_f32_to_f16(float f);
float sl_bf16_to_f32(uint16_t h);
uint16_t sl_f32_to_bf16(float f);
/* Converts n elements between any two of f32, f16, bf16. */
void sl_convert(const void *from, SlDtype from_type, void *to, SlDtype to_type, size_t n);

#ifdef __cplusplus
}
#endif

#endif
