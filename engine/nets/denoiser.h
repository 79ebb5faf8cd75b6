/* denoiser.h - whatever predicts the noise (or the velocity, or the sample) of a sample at a time
 * under a condition: UNets, transformers. A table of functions, behind which each net stands.
 *
 * An evaluation uploads and downloads nothing, so that a device may remember it: what depends on
 * the condition only (SlContext) and on the time only (SlTimes) is computed before it.
 */
#ifndef SL_ENGINE_DENOISER_H
#define SL_ENGINE_DENOISER_H

#include "engine/nets/condition.h"

/* What a denoiser made of the conditions of a batch: tensors in buffers, the batch first. */
typedef struct SlContext {
    int64_t batch;
    int count;
    SlTensor *tensor;
} SlContext;

/* Room for count tensors, which the caller makes (sl_buffer_new). NULL without memory. */
SlContext *sl_context_new(int64_t batch, int count);
void sl_context_free(SlDevice *dev, SlContext *context); /* NULL is fine */
/* *to becomes the copy of count contexts, one behind the other in the batch: at its own addresses
 * when the sizes are the same, else (or when it is NULL) a new one. */
bool sl_context_join(SlDevice *dev, const SlContext *const *from, int count, SlContext **to,
                     SlError *err);

/* The rows of several runs, each of `batch` samples at its own time, that are evaluated
 * together. */
typedef struct SlTimesJoin {
    const SlTensor *rows; /* [count], of sl_times_at */
    int count, batch;
} SlTimesJoin;

/* The times of a run, and what else a time embedding is made of that stays the same in a run. */
typedef struct SlTimesOf {
    const float *timesteps; /* [count] */
    int count, batch;
    double guidance; /* for nets that are told it (time_cond_proj_dim); NaN: it is not told */
    int label;       /* of nets with classes */
} SlTimesOf;

/* ---- maps: how much each place of a sample looks at each token of its text ---- */

/* Levels of resolution at which a net attends to its text, the middle block's by itself. */
#define SL_MAP_LEVELS 9
typedef struct SlMapLevel {
    int height, width;
    int layers;  /* cross attentions (attn2), whose maps are summed */
    bool middle; /* those of the middle block */
} SlMapLevel;

/* Where an evaluation leaves the maps of some samples of its batch. */
typedef struct SlMaps {
    int first, every; /* of the samples first, first + every, ... */
    /* f32 [samples, height width, tokens]: softmax(q k^T scale), the mean of the heads, the sum of
     * the level's layers */
    SlTensor level[SL_MAP_LEVELS];
} SlMaps;

/* ---- evaluations that take over what an earlier one found ---- */

/* A net that has a path up again with skips, and whose last features have the size of its first ones, may
 * be evaluated in part. What is taken over lies in tensors of the caller's, at fixed places, so that a
 * device may remember each kind of evaluation by itself. */
typedef enum SlReusePart {
    SL_REUSE_NOTHING,
    SL_REUSE_KEEP,  /* all is evaluated, and its deep feature left in `kept` */
    SL_REUSE_DEEP,  /* only what lies around the deep feature, which is `kept` */
    SL_REUSE_FIRST, /* the first block alone: leaves `entry` and `first`, and no out */
    SL_REUSE_REST,  /* goes on from those; leaves in `kept` by how much the rest moved `first` */
    SL_REUSE_SKIP,  /* the end alone, of `first` moved by `kept` */
    SL_REUSE_PARTS
} SlReusePart;

/* The branch whose size is that of the first block. */
#define SL_REUSE_FIRST_BLOCK (-1)

typedef struct SlReuse {
    SlReusePart part;
    int branch; /* of the deep feature: how many layers of the path up but one are evaluated after it */
    SlTensor kept, entry,
        first; /* in the denoiser's dtype, sizes as sl_denoiser_kept_size says; entry
                                    and first are the first block's input and output */
} SlReuse;

/* What an evaluation is of, and where its results go. */
typedef struct SlEvaluation {
    const SlTensor *x;        /* [N, h, w, C] */
    const SlTensor *row;      /* of the times of N samples */
    const SlContext *context; /* NULL: the net is told nothing */
    SlTensor *out;            /* [N, h, w, C'] allocated by the caller */
    SlMaps *maps;             /* [maps_count]; only of a net that has levels */
    int maps_count;
    const SlReuse *reuse; /* NULL: nothing is taken over. What is not evaluated leaves no maps */
} SlEvaluation;

/* One kind of net. `net` is what build gave. */
typedef struct SlDenoiserClass {
    /* NULL on failure, with *err unless the binder knows more. */
    void *(*build)(const SlJson *config, SlBinder *b, SlError *err);
    void (*free)(void *net);
    /* Of conditions of one shape, one per sample of the batch. NULL and *err on failure. NULL
     * instead of a function: the net is told nothing. */
    SlContext *(*prepare)(SlDevice *dev, const void *net, const SlCondition *const *conditions,
                          int count, SlError *err);
    /* How many values a sample's time becomes. */
    int64_t (*time_values)(const void *net);
    /* t f32 [T] to table [T, batch time_values], each row for a whole batch at one time. */
    void (*times)(SlDevice *dev, const void *net, const SlTensor *t, const SlTimesOf *of,
                  SlTensor *table);
    /* Several runs' rows to the row of all their samples. NULL: one row behind the other. */
    void (*join_times)(SlDevice *dev, const void *net, const SlTimesJoin *join, SlTensor *row);
    /* x in the device's dtype. The arena is left as it was found. */
    bool (*evaluate)(SlDevice *dev, void *net, const SlEvaluation *e, SlError *err);
    /* How many operations an evaluation counts in ops_done; 0 before the first. Any thread. */
    uint64_t (*operations)(const void *net);
    /* At which levels a sample of h x w attends to a text, of their number. NULL: at none. */
    int (*map_levels)(const void *net, int h, int w, SlMapLevel levels[SL_MAP_LEVELS]);
    /* How many branches it has. NULL: it is always evaluated as a whole. */
    int (*branches)(const void *net);
    /* Of what is kept of x [N, h, w, C]. */
    void (*kept_size)(const void *net, int branch, const int64_t x[4], int64_t size[4]);
} SlDenoiserClass;

typedef struct SlDenoiser {
    const SlDenoiserClass *kind;
    void *net;
    SlDtype dtype; /* that it computes in: its binder's */
} SlDenoiser;

SlDenoiser *sl_denoiser_new(const SlDenoiserClass *kind, const SlJson *config, SlBinder *b,
                            SlError *err);
void sl_denoiser_free(SlDenoiser *d); /* NULL is fine */
/* count conditions of one shape to the context of a batch of as many; NULL and *err on failure. */
SlContext *sl_denoiser_prepare(SlDevice *dev, const SlDenoiser *d,
                               const SlCondition *const *conditions, int count, SlError *err);
/* x may be of another dtype than the denoiser computes in, and so may out. */
bool sl_denoiser_evaluate(SlDevice *dev, SlDenoiser *d, const SlEvaluation *e, SlError *err);
int sl_denoiser_map_levels(const SlDenoiser *d, int h, int w, SlMapLevel levels[SL_MAP_LEVELS]);
uint64_t sl_denoiser_operations(const SlDenoiser *d);
/* Branches are numbered from 0, the one that evaluates least again; 0 of a denoiser that keeps
 * nothing. */
int sl_denoiser_branches(const SlDenoiser *d);
void sl_denoiser_kept_size(const SlDenoiser *d, int branch, const int64_t x[4], int64_t size[4]);

/* What depends on the time only, for several steps of a run at once, in a buffer. A step of SD 1.5
 * takes 160 KB with guidance, so a run has SL_TIMES of them at a time. */
#define SL_TIMES 8
typedef struct SlTimes {
    SlTensor table; /* [steps, values of a batch] */
} SlTimes;
SlTimes *sl_times_new(SlDevice *dev, const SlDenoiser *d, const SlTimesOf *of, SlError *err);
void sl_times_free(SlDevice *dev, SlTimes *times); /* NULL is fine */
/* Of step i: a flat tensor in the device's dtype. */
SlTensor sl_times_at(const SlTimes *times, int i);
void sl_times_join(SlDevice *dev, const SlDenoiser *d, const SlTimesJoin *join, SlTensor *row);

/* ---- the kinds ---- */

/* UNet2DConditionModel: "hidden_states", and with text_time "text_embeds" and "time_ids" */
extern const SlDenoiserClass sl_denoiser_unet_condition;
extern const SlDenoiserClass sl_denoiser_unet; /* UNet2DModel */

#endif
