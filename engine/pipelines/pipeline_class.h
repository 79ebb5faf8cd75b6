/* pipeline_class.h - what a family of models is: one table entry per diffusers pipeline. Private to
 * engine/.
 *
 * A family is one file in this folder that defines an SlPipelineClass, the nets of its parts, and
 * one line in class_table.c. Everything else (inspecting, loading, measuring, running) asks the
 * entry.
 */
#ifndef SL_ENGINE_PIPELINE_CLASS_H
#define SL_ENGINE_PIPELINE_CLASS_H

#include "engine/engine.h"
#include "engine/nets/nets.h"
#include "engine/text/text.h"

#define SL_MAX_PARTS 8 /* of a family */

/* What a part is needed for; a set. */
typedef enum SlPartUse { SL_USE_ENCODE = 1, SL_USE_DENOISE = 2, SL_USE_DECODE = 4 } SlPartUse;

/* In which type a part computes. */
typedef enum SlPartCompute {
    SL_COMPUTE_AS_DEVICE, /* the type that the model was opened with */
    SL_COMPUTE_F32,       /* whatever that is */
    SL_COMPUTE_UPCAST,    /* the same, but f32 instead of f16 where its configuration says
                             "force_upcast", which is AutoencoderKL's default */
} SlPartCompute;

#define SL_MAX_TOLD 8

/* What a model is asked to encode: the tokens of a text (of several encoders one behind the other)
 * and what else changes its condition. Equal asks give equal conditions, which are computed once;
 * asks that differ only in what is told as it stands share the encoding. */
typedef struct SlAsk {
    /* Set before the class is asked: the prompt and the part of it that is meant, where the prompt mode
     * has a grammar; NULL: the text is taken as it is. Borrowed. */
    const SlPrompt *prompt;
    int part;
    const SlPromptVectors *vectors; /* the embeddings that it may name; borrowed */
    int vectors_count;
    int *ids; /* malloc'ed; [length] */
    int length;
    /* Of a prompt with a grammar, instead of ids: for each text encoder. Owned. */
    SlPromptTokens *tokens[2];
    bool vectors_end; /* as SlTextExtras' */
    /* the family's own: how many layers are skipped, a guidance number; 0 where unused */
    double number[4];
    float told[SL_MAX_TOLD]; /* the class's told_count numbers */
    char warning[1000];      /* what of the text is not used; "": nothing */
} SlAsk;

/* How many conditions it becomes: one for each text of the prompt's schedule. */
static inline int sl_ask_texts(const SlAsk *ask)
{
    return ask->tokens[0] ? ask->tokens[0]->texts : 1;
}
/* Frees what it owns. */
void sl_ask_clear(SlAsk *ask);
/* In modes that go by diffusers' tokens: the tokenizer with the words of the ask's embeddings, "<cat>" and,
 * of the further vectors, "<cat>_1". Given back with sl_tokenizer_without; NULL and *err without
 * memory. */
SlTokenizer *sl_ask_tokenizer(const SlTokenizer *t, const SlAsk *ask, SlError *err);

/* A part with weights. A part for decoding is an SlVae, one for denoising an SlDenoiser. */
typedef struct SlPartClass {
    const char *name; /* its folder in diffusers' layout, its entry in model_index.json: "unet" */
    const char *base; /* of its weight files: "diffusion_pytorch_model" */
    const char *const *classes; /* accepted component classes, NULL behind the last; a single
                                   checkpoint has the first */
    unsigned use;               /* SlPartUse */
    bool optional;              /* may be absent or null in model_index.json */
    SlPartCompute compute;
    /* Makes the part over the binder's weights (real ones, random ones or sizes only). NULL on
     * failure, with *err unless the binder knows more; the caller calls sl_binder_finish. */
    void *(*build)(const SlJson *config, SlBinder *b, SlError *err);
    void (*free)(void *net); /* NULL is fine */
} SlPartClass;

typedef struct SlPipelineClass {
    SlPipelineInfo info;            /* what app/ sees; the first member */
    const char *const *class_names; /* in model_index.json, NULL behind the last */
    /* The id of the scheduler that the pipeline's constructor makes of the folder's, whatever that
     * is; NULL: the folder's own class. */
    const char *scheduler;
    /* in the order in which they are loaded, NULL behind the last */
    const SlPartClass *const *parts;
    const char *const *tokenizers; /* accepted tokenizer classes; NULL: the family reads no text */
    const char *tokenizer;         /* the component's name; NULL: "tokenizer" */
    bool two_texts; /* a second text encoder has its own tokenizer, "tokenizer_2", and an ask holds
                       the tokens of both */
    /* Numbers that the model is told as they stand, beside what encode makes: a tensor of the
     * condition. NULL and 0: none. */
    const char *told;
    int told_count;
    /* Whether a single checkpoint is one of the family, and which built-in configurations fit it;
     * *err says what it is instead. NULL: the family has no single checkpoints. */
    bool (*recognise)(const SlWeightSource *file, char arch[16], SlError *err);
    /* The JSON text of a built-in configuration, for files that carry none and for `bench`; part is
     * a part's name or "scheduler". NULL: unknown. */
    const char *(*builtin)(const char *arch, const char *part);
    const char *(*arch)(int i); /* the i-th that builtin knows; NULL: there are no more */
    /* Reads the parts' configurations (sl_model_config) and fills in size, channels, factor and
     * prompt_tokens. */
    bool (*inspect)(SlModelInfo *info, SlError *err);
    /* What the pipeline's constructor changes in the scheduler's configuration; own: of the folder's
     * own class, whose absent keys it sets, too. NULL: nothing. */
    bool (*correct_scheduler)(SlJson *config, bool own, SlError *err);
    /* Whether the loaded parts belong together. NULL: nothing to check. */
    bool (*check)(const struct SlModel *model, SlError *err);
    /* How texts become a condition: the ask for the recipe's prompt or negative prompt, and what it
     * means: conditions, as many as sl_ask_texts says, which are empty at first. ask works without
     * the encoders, encode has them. Both NULL: the models are told nothing. */
    bool (*ask)(struct SlModel *model, const SlRecipe *recipe, bool negative, SlAsk *ask,
                SlError *err);
    bool (*encode)(struct SlModel *model, const SlAsk *ask, SlCondition *conditions, SlError *err);
} SlPipelineClass;

/* The families of class_table.c and those that were added; NULL behind the last. */
const SlPipelineClass *sl_pipeline_class_at(int i);
/* For tests: a family that lives as long as the program. Before any model is looked at; false when
 * there are too many, or too many parts in it, or its id is taken. */
bool sl_pipeline_class_add(const SlPipelineClass *kind);
/* The entry of a model's family. */
static inline const SlPipelineClass *sl_pipeline_class_of(const SlModelInfo *info)
{
    return (const SlPipelineClass *)info->pipeline;
}

extern const SlPipelineClass sl_class_stable_diffusion, sl_class_stable_diffusion_xl,
    sl_class_stable_diffusion_xl_refiner, sl_class_latent_consistency, sl_class_ddpm, sl_class_ddim,
    sl_class_pndm;

#endif
