/* pipelines.h - what a loaded model is made of; private to engine/. */
#ifndef SL_ENGINE_PIPELINES_H
#define SL_ENGINE_PIPELINES_H

#include "engine/engine.h"
#include "engine/nets/nets.h"
#include "engine/pipelines/pipeline_class.h"
#include "engine/text/text.h"

#define SL_MAX_LATENT_CHANNELS 64

/* The part from elsewhere that is a whole model. */
#define SL_REFINER "refiner"

/* Linear latent -> RGB: rgb[c] = bias[c] + sum over k of x[k] * factors[k][c], in -1..1. */
typedef struct SlPreviewMatrix {
    bool known;
    float factors[SL_MAX_LATENT_CHANNELS][3];
    float bias[3];
} SlPreviewMatrix;

/* A part of a model: what was made of its weights, and the binder that owns them. */
typedef struct SlPart {
    const SlPartClass *kind; /* NULL: the model has no such part */
    void *net;               /* of the class's build(); NULL while it is not loaded */
    SlBinder *binder;
    SlReadAhead *ahead; /* of its files, while its weights wait; or NULL */
    SlJson *config;
    SlDtype dtype;  /* that it computes in */
    bool q8;        /* its weights are kept in 8 bits */
    SlDtype stored; /* SL_F16, SL_BF16: its file's, where the device keeps the products' weights
                            so; SL_F32 otherwise */
    size_t weight_bytes;      /* that its weights take on a device; 0 until sl_part_measure */
    bool waits;               /* for the first evaluation's frame: it fits beside the others */
    bool looked_at;           /* its files were, and what they warn of was said */
    unsigned loads;           /* how often it was loaded: what was made of it before is stale */
    SlWeightSource *pristine; /* its weights as the files have them, open from the first adapter on;
                                 NULL before */
    unsigned mix;             /* of adapters that its weights hold (sl_model_mix), */
    bool mix_again;           /* and whether who asked for it last will ask again */
} SlPart;

/* A tiny VAE for previews; all NULL: there is none. */
typedef struct SlPreviewDecoder {
    char *path;
    SlBinder *binder;
    SlVae *vae;
} SlPreviewDecoder;

/* A set of strengths: which adapters are added to a part's weights, in this order. Each distinct one
 * has a number, 0 for none. */
typedef struct SlMix {
    int count;
    struct {
        int adapter; /* among the model's */
        double strength;
    } use[SL_ADAPTERS_MAX];
} SlMix;

/* An adapter that some run named. */
typedef struct SlModelAdapter {
    char *name, *hash;                   /* as they were said */
    SlAdapter *own;                      /* to be closed with it, */
    const SlAdapter *file;               /* and how it is used */
    SlAdapterMatch *match[SL_MAX_PARTS]; /* of each part; NULL where it has no adapters */
} SlModelAdapter;

/* An embedding that some run named, with the id of its first vector. */
typedef struct SlModelEmbedding {
    const SlEmbedding *embedding;
    int first;
} SlModelEmbedding;

/* Those of all runs so far. */
typedef struct SlModelEmbeddings {
    SlEmbeddingFile **file;
    int files;
    SlModelEmbedding *known;
    int count;
    int width[2], vocabulary; /* of the text encoders; 0: there is none, or not known yet */
    int first, vectors;       /* the first id, and how many */
    float *values[2];         /* [vectors, width], for each encoder, */
    SlWeight *table[2];       /* and on the device, */
    int tabled[2];            /* so many of them */
} SlModelEmbeddings;

struct SlModel {
    SlModelInfo info;
    const SlPipelineClass *kind;
    SlDevice *dev;
    /* The model that goes on with what this one begins, and for that one this one: they share the
     * device, and are there as long as the other. NULL: there is none. */
    SlModel *refiner, *base;
    SlTokenizer *tokenizer, *tokenizer_2;
    SlPart part[SL_MAX_PARTS]; /* in the order of the kind; parts is their number */
    int parts;
    SlJson *scheduler_config;     /* as schedulers of all classes are made from it, */
    SlJson *own_scheduler_config; /* and the one of the folder's own class */
    uint64_t step_start;          /* ops_done at the start of the step in progress; atomic */
    uint64_t step_operations;     /* that it will count, 0: not known yet; atomic */
    size_t waiting_bytes;         /* of parts that wait; atomic */
    /* What encoding, a step and decoding work in beside weights; 0: not known yet (room.c). */
    size_t stage_bytes[3];
    char warning[2000];
    char dtypes[200]; /* "bf16,vae=f32": see sl_model_dtypes */
    /* Adapters: what was named so far, the sets of strengths so far, and which the next texts and
     * evaluations want. */
    SlFindAdapter find_adapter, find_embedding;
    SlListEmbeddings list_embeddings;
    SlModelEmbeddings embeddings;
    SlModelAdapter *adapter;
    int adapters;
    SlMix *mix; /* number n is mix[n - 1] */
    unsigned mixes;
    unsigned text_mix, denoise_mix;
    bool denoise_again; /* whether who wants it will want it again */
    /* engine/run's: */
    bool framed; /* an evaluation has ended: what waited for its frame waits no more */
    SlPreviewMatrix preview;
    bool cheap_decode;
    SlDevice *beside; /* for sl_decode_begin; NULL where there is none */
    bool beside_tried;
    const void *pending; /* the picture that is on its way there */
    size_t pending_bytes;
    struct SlStep *step; /* of the size that was run last; NULL before */
    SlPreviewDecoder preview_decoder;
};

/* ---- configurations ---- */

/* The config of a part or of the "scheduler": from the folder, or the built-in one of a single
 * file. */
SlJson *sl_model_config(const SlModelInfo *info, const char *part, SlError *err);
/* The same of the scheduler as the family's pipeline has it: `own` for the folder's own class, whose
 * absent keys are corrected, too. */
SlJson *sl_model_scheduler_config(const SlModelInfo *info, bool own, SlError *err);
/* The configuration of the VAE, checked. */
bool sl_read_vae(SlVaeConfig *config, const SlModelInfo *info, SlError *err);
/* A scheduler of any class from the model's configuration. */
SlScheduler *sl_model_scheduler(const SlModel *model, const char *id,
                                const SlSchedulerChoice *choice, SlError *err);
/* Adds a line to info->notes. */
__attribute__((format(printf, 2, 3))) void sl_model_note(SlModelInfo *info, const char *format,
                                                         ...);
/* Where a part comes from, if not from the model itself; else NULL. */
const SlOtherPart *sl_model_other(const SlModelInfo *info, const char *part);
/* The file that the denoiser's weights are in; NULL: a folder. */
const char *sl_model_denoiser_file(const SlModelInfo *info);
/* The weights of a part, wherever it comes from. */
SlWeightSource *sl_model_weights(const SlModelInfo *info, const SlPartClass *part, SlError *err);

/* ---- types ---- */

/* What SlModelOptions.dtype says, "bf16,vae=f32". */
typedef struct SlDtypes {
    SlDtype dtype;     /* f32 where it is automatic */
    bool automatic;    /* "auto" and "q8": the device's usual one */
    bool q8;           /* the weights of products in 8 bits */
    const char *parts; /* "vae=f32", within the text */
} SlDtypes;
/* NULL is "auto". Whether a model has the parts is not looked at. */
bool sl_dtypes_read(const char *text, SlDtypes *types, SlError *err);
/* The device that options name, in the type that they say; NULL and *err. *types: what they say. */
SlDevice *sl_dtypes_open_device(const SlModelOptions *options, SlDtypes *types, SlError *err);
/* What a part computes in by its class's rule, on the model's device. */
SlDtype sl_part_own_dtype(const SlModel *model, const SlPartClass *part);
bool sl_part_own_q8(const SlModel *model, const SlPartClass *part);
/* Gives the parts that are listed, "vae=f32,text=f32", their types. */
bool sl_model_set_dtypes(SlModel *model, const char *parts, SlError *err);
/* What each part that is listed computes in: what its class says, but for what "auto" is on cpu, and for
 * what the options say of parts; of a refiner, what its base's part of the same name does, where that is
 * not the rule. */
bool sl_model_find_dtypes(SlModel *model, const SlModelOptions *options, SlError *err);

/* ---- texts ---- */

/* The whole conditions that an ask stands for, as many as sl_ask_texts says: what the family's encode
 * makes of it (encoded: made before, to be copied; NULL: now) and what the model is told besides. */
bool sl_model_encode(SlModel *model, const SlAsk *ask, const SlCondition *encoded,
                     SlCondition *conditions, SlError *err);

/* ---- parts ---- */

/* Finds part->weight_bytes, on the measure device. */
bool sl_part_measure(const SlModel *model, SlPart *part, SlError *err);

/* What a part's weights take on the disk. */
uint64_t sl_model_part_file_bytes(const SlModel *model, const SlPart *part);
/* All parts that the model has, with progress over all of them. What decodes only waits: nothing of the
 * first evaluation needs it (sl_model_need_waiting); with `early`, so do weights of products. A part that
 * does not fit beside those before it is left for the stage that needs it first. Of parts that are not
 * loaded all but the values is checked. */
bool sl_model_load_parts(SlModel *model, const SlModelOptions *options, SlError *err);
/* False for parts that may be missing and are not in the info, which lists none for a shape. */
bool sl_model_has_part(const SlModelInfo *info, const SlPartClass *part);
/* Which parts there are and what each computes in by its class's rule; none is loaded. */
void sl_model_list_parts(SlModel *model);
/* The same without weights: random ones, or sizes only where the device is the measure device.
 * Parts compute in the types of `like`; NULL: in what the options say. */
bool sl_model_build_parts(SlModel *model, const SlModel *like, const SlModelOptions *options,
                          SlError *err);
void sl_model_free_parts(SlModel *model);
/* Index in model->part of the first part that is needed for a use; -1: there is none. */
int sl_model_part_for(const SlModel *model, SlPartUse use);
/* What stands behind a part: of its class's build(). NULL where it is not loaded. */
void *sl_model_net(const SlModel *model, const char *name);
SlDenoiser *sl_model_denoiser(const SlModel *model);
SlVae *sl_model_vae(const SlModel *model); /* NULL: samples are pixels */
/* A part that is not needed now can be dropped: its memory is free again, and loading it reads its
 * file again. Loading one that is there, and dropping one that is not, do nothing. */
bool sl_model_need_part(SlModel *model, int part, SlError *err);
void sl_model_drop_part(SlModel *model, int part);
/* Lays out the weights and loads the parts that waited for the first evaluation: to be called when that has
 * been shown. A part that memory does not suffice for is left for the stage that needs it. */
bool sl_model_need_waiting(SlModel *model, SlError *err);
/* Looks at the files of a part that is not loaded: everything is checked but the values. */
bool sl_model_look_at_part(SlModel *model, int part, SlError *err);
/* All parts that are needed for a stage. On a device whose memory is limited others may be
 * dropped for them. */
bool sl_model_need(SlModel *model, SlPartUse stage, SlError *err);

/* ---- adapters ---- */

/* The place of an adapter among the model's, opened where it is new; -1 and *err. */
int sl_model_find_adapter(SlModel *model, const char *name, const char *hash, SlError *err);
/* The number of a set of strengths; those that are 0 do not count. False and *err without memory. */
bool sl_model_mix(SlModel *model, const SlMix *mix, unsigned *number, SlError *err);
/* Which sets the next sl_model_need is to bring about: of what encodes texts, and of the denoiser; again:
 * the latter is wanted for a later evaluation, too. */
void sl_model_want(SlModel *model, unsigned text_mix, unsigned denoise_mix, bool again);
/* What copies of weights of other sets take, in bytes (NULL: 0). */
size_t sl_model_kept(const SlModel *model);
/* Gives them back; whether there were any. */
bool sl_model_forget(SlModel *model);
/* The change of weights that a part is to have; touches is NULL where there is none. *state must
 * outlive it. */
typedef struct SlMixState {
    const SlModel *model;
    int part;
    unsigned before, now;
} SlMixState;
SlWeightChange sl_model_change(const SlModel *model, int part, SlMixState *state);
/* Whether a part has it already. */
bool sl_model_has_mix(const SlModel *model, int part);
/* Gives a loaded part the set that is wanted: copies, or reads and adds, what differs, nothing else. Where the
 * set that it had will be wanted again, weights of it are kept; all copies may take `keep` bytes. On failure
 * the part is to be dropped: it may hold some of it. */
bool sl_model_remix(SlModel *model, int part, size_t keep, SlError *err);
void sl_model_free_adapters(SlModel *model);

/* ---- embeddings ---- */

/* The embeddings of a file, opened where it is new; the model's. NULL and *err. */
const SlEmbeddingFile *sl_model_embedding_file(SlModel *model, const char *path, SlError *err);
/* The id that stands for the first of an embedding's vectors in this model's texts, the others follow it.
 * The file may be another model's (a refiner reads its base's). -1 and *err where its vectors are of
 * another width than the model's text encoders. */
int sl_model_embedding(SlModel *model, const SlEmbeddingFile *file, const SlEmbedding *embedding,
                       SlError *err);
/* What a text encoder is told besides ids: the vectors of all embeddings so far. Other members stay. */
bool sl_model_text_extras(SlModel *model, const char *part, SlTextExtras *extras, SlError *err);
/* The configuration of a text encoder. */
bool sl_model_text_config(const SlModel *model, const char *part, SlTextEncoderConfig *config,
                          SlError *err);
void sl_model_free_embeddings(SlModel *model);

/* ---- limited memory ---- */

/* cuBLAS, the driver, what blocks waste, and a tensor on its way to its place. */
#define SL_MEMORY_SLACK ((size_t)96 << 20)

bool sl_model_memory_is_limited(const SlModel *model);
/* What is free, the arena's blocks included. */
size_t sl_model_free_memory(const SlModel *model);
/* Drops parts that the stage does not need until what it needs fits: *bytes. False when it does not
 * fit even so, or with *err when that could not be found out. */
bool sl_model_clear_for(SlModel *model, SlPartUse stage, size_t *bytes, SlError *err);
/* What the stage needs, and the most that could be made free for it, its partner's weights included;
 * nothing is dropped. False with *err when that could not be found out. */
bool sl_model_could_clear_for(SlModel *model, SlPartUse stage, size_t *need, size_t *most,
                              SlError *err);
/* Where the device computes in the host's memory and `left` bytes of that will be free at the most of a
 * run whose texts are encoded: drops what only encodes texts if that is less than the model's weights
 * take. A machine with more keeps it, so that the next prompt need not wait for it. */
bool sl_model_spare_host(SlModel *model, size_t left, SlError *err);

/* ---- the whole ---- */

/* The model with tokenizer, device, parts; without what engine/run adds (sl_model_open). NULL
 * and *err on failure. */
SlModel *sl_model_load(const char *path, const SlModelOptions *options, SlError *err);
void sl_model_unload(SlModel *model); /* NULL is fine */
/* A model of this shape on a device (the model's from now on) without weights and tokenizer, for
 * measuring and `bench`. Types as for sl_model_build_parts. */
SlModel *sl_model_shape(const SlModelInfo *info, SlDevice *dev, const SlModel *like,
                        const SlModelOptions *options, SlError *err);
/* The info of a famous shape that the table has built in ("sd15"). */
bool sl_model_shape_info(const char *arch, SlModelInfo *info, SlError *err);

#endif
