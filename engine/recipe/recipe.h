/* recipe.h - a recipe is every setting of one picture; a table says all there is to know about
 * each.
 *
 * The table (settings.c) has one row per setting. The command line, lanes, JSON, other programs'
 * files, the window's properties and controls, and the validators are all driven by it, so that a
 * new setting is a member of SlRecipe, a value of SlSetting and a row - and the code that obeys it.
 *
 * The words in the table are English; those marked N_() are translated where they are shown.
 * Everything here is for any thread.
 */
#ifndef SL_ENGINE_RECIPE_H
#define SL_ENGINE_RECIPE_H

#include "engine/noise/noise.h"
#include "engine/schedulers/schedulers.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct SlModelInfo SlModelInfo; /* engine/engine.h */

/* What an empty negative prompt is where the model can be told either. */
typedef enum SlEmptyNegative {
    SL_EMPTY_NEGATIVE_MODEL, /* as the model's pipeline does it */
    SL_EMPTY_NEGATIVE_ZEROS,
    SL_EMPTY_NEGATIVE_ENCODED, /* as a text of no words */
} SlEmptyNegative;

/* Where a text with embeddings is taken to end, which is what Stable Diffusion XL is told as the
 * pooled text, where a configuration has the old eos_token_id 2. */
typedef enum SlEmbeddingEnd {
    SL_EMBEDDING_END_TEXT,
    SL_EMBEDDING_END_VECTORS, /* at the embedding, as transformers takes it */
} SlEmbeddingEnd;

/* What is made of a prediction with the prompt and one without it: engine/run/guidance.c. */
typedef enum SlGuidanceMethod {
    SL_METHOD_PLAIN,
    SL_METHOD_CFG_PP,
    SL_METHOD_DYNAMIC, /* dynamic thresholding */
    SL_METHOD_APG,     /* adaptive projected guidance */
    SL_METHOD_PERP_NEG /* perpendicular negative: asks for a third prediction */
} SlGuidanceMethod;

/* Whether evaluations take over what an earlier one found: engine/run/caching.c. */
typedef enum SlCaching {
    SL_CACHING_OFF,
    SL_CACHING_DEEP,       /* every n-th is made as a whole, the others around its deep feature */
    SL_CACHING_FIRST_BLOCK /* as a whole where the first block says something new */
} SlCaching;

typedef struct SlRecipe {
    const char *prompt; /* NULL and "" are the empty prompt */
    const char *negative_prompt;
    const char *scheduler; /* id; NULL: the model's own */
    SlSigmas sigmas;
    SlSpacing spacing;
    SlVariance variance; /* ddpm only */
    double eta;          /* < 0: the scheduler's default */
    int steps;
    double guidance; /* <= 1: no guidance, one evaluation per step instead of two */
    uint64_t seed;
    SlNoiseKind noise;
    int64_t noise_threads; /* cuda noise: threads of the imitated card, 0: one per element */
    int width, height;     /* 0: native */
    int clip_skip;         /* of the prompt: 0 the last hidden state, 1 the one before it, ... */
    int tokenizer;         /* SlTokenRules (engine/text/tokenizer.h); 0: as the folder was saved */
    int class_label;       /* of a model with classes: which of them */
    /* What a model of Stable Diffusion XL is told of sizes, in pixels; 0: the picture's size. */
    int original_width, original_height;
    int crop_left, crop_top;
    int target_width, target_height;
    SlEmptyNegative empty_negative;
    double guidance_rescale;       /* 0: not */
    SlPredictionChoice prediction; /* what the model predicts */
    SlZeroSnr zero_snr;            /* whether it starts from nothing but noise */
    const char *lora;   /* adapters with their strengths (SlAdapterUses); NULL and "": none */
    double refine_from; /* share of the noise that is taken before a refiner goes on; 0: 0.8 */
    double aesthetic_score, negative_aesthetic_score; /* told to a refiner */
    const char *sigma_list;                           /* sigmas of one's own; NULL and "": none */
    int prompt_mode; /* SlPromptMode (engine/text/prompt.h); 0: plain text */
    int emphasis;    /* SlEmphasis (engine/text/prompt.h); counts where prompt_mode is a1111 */
    /* What the prompts were made from (app/recipe/template.h); NULL and "": they were typed. A record:
     * they change nothing in the picture. */
    const char *prompt_template, *negative_template;
    const char *embedding; /* textual inversions (SlEmbeddingUses); NULL and "": none */
    int embedding_end;     /* SlEmbeddingEnd */
    /* The part of the steps that has guidance: from int(from * steps) to before int(to * steps). */
    double guidance_from, guidance_to;
    SlGuidanceMethod guidance_method;
    double mimic_guidance, mimic_quantile; /* dynamic thresholding */
    double apg_parallel, apg_norm, apg_momentum;
    double perp_neg_scale;
    SlCaching caching;
    int caching_interval, caching_branch; /* deep */
    double caching_threshold;             /* first block */
    double caching_from, caching_to;      /* the part of the steps that has it, as guidance's */
} SlRecipe;

/* In the order in which files name them. A picture's id is a hash over that order: a new setting
 * comes last. */
typedef enum SlSetting {
    SL_SETTING_PROMPT,
    SL_SETTING_NEGATIVE_PROMPT,
    SL_SETTING_SCHEDULER,
    SL_SETTING_SIGMAS,
    SL_SETTING_SPACING,
    SL_SETTING_VARIANCE,
    SL_SETTING_ETA,
    SL_SETTING_STEPS,
    SL_SETTING_GUIDANCE,
    SL_SETTING_SEED,
    SL_SETTING_NOISE,
    SL_SETTING_NOISE_THREADS,
    SL_SETTING_WIDTH,
    SL_SETTING_HEIGHT,
    SL_SETTING_CLIP_SKIP,
    SL_SETTING_TOKENIZER,
    SL_SETTING_CLASS_LABEL,
    SL_SETTING_ORIGINAL_WIDTH,
    SL_SETTING_ORIGINAL_HEIGHT,
    SL_SETTING_CROP_LEFT,
    SL_SETTING_CROP_TOP,
    SL_SETTING_TARGET_WIDTH,
    SL_SETTING_TARGET_HEIGHT,
    SL_SETTING_EMPTY_NEGATIVE,
    SL_SETTING_GUIDANCE_RESCALE,
    SL_SETTING_PREDICTION,
    SL_SETTING_ZERO_SNR,
    SL_SETTING_LORA,
    SL_SETTING_REFINE_FROM,
    SL_SETTING_AESTHETIC_SCORE,
    SL_SETTING_NEGATIVE_AESTHETIC_SCORE,
    SL_SETTING_PROMPT_MODE,
    SL_SETTING_EMPHASIS,
    SL_SETTING_PROMPT_TEMPLATE,
    SL_SETTING_NEGATIVE_TEMPLATE,
    SL_SETTING_EMBEDDING,
    SL_SETTING_EMBEDDING_END,
    SL_SETTING_SIGMA_LIST,
    SL_SETTING_GUIDANCE_FROM,
    SL_SETTING_GUIDANCE_TO,
    SL_SETTING_GUIDANCE_METHOD,
    SL_SETTING_MIMIC_GUIDANCE,
    SL_SETTING_MIMIC_QUANTILE,
    SL_SETTING_APG_PARALLEL,
    SL_SETTING_APG_NORM,
    SL_SETTING_APG_MOMENTUM,
    SL_SETTING_PERP_NEG_SCALE,
    SL_SETTING_CACHING,
    SL_SETTING_CACHING_INTERVAL,
    SL_SETTING_CACHING_BRANCH,
    SL_SETTING_CACHING_THRESHOLD,
    SL_SETTING_CACHING_FROM,
    SL_SETTING_CACHING_TO,
    SL_N_SETTINGS
} SlSetting;

/* A set of settings, a bit each. */
typedef uint64_t SlSettingSet;
#define SL_SETTING_BIT(setting) ((SlSettingSet)1 << (setting))
#define SL_SETTINGS_ALL         (~(SlSettingSet)0)

/* Those that say what is made of an evaluation's predictions: they can be tried on one that is done. */
#define SL_SETTINGS_GUIDANCE                                                                  \
    (SL_SETTING_BIT(SL_SETTING_GUIDANCE) | SL_SETTING_BIT(SL_SETTING_GUIDANCE_RESCALE) |      \
     SL_SETTING_BIT(SL_SETTING_GUIDANCE_FROM) | SL_SETTING_BIT(SL_SETTING_GUIDANCE_TO) |      \
     SL_SETTING_BIT(SL_SETTING_GUIDANCE_METHOD) | SL_SETTING_BIT(SL_SETTING_MIMIC_GUIDANCE) | \
     SL_SETTING_BIT(SL_SETTING_MIMIC_QUANTILE) | SL_SETTING_BIT(SL_SETTING_APG_PARALLEL) |    \
     SL_SETTING_BIT(SL_SETTING_APG_NORM) | SL_SETTING_BIT(SL_SETTING_APG_MOMENTUM) |          \
     SL_SETTING_BIT(SL_SETTING_PERP_NEG_SCALE))

#define SL_SETTING_TURNS 2

typedef enum SlSettingKind {
    SL_KIND_TEXT,      /* const char *, NULL as "" */
    SL_KIND_SCHEDULER, /* const char *, an id; NULL: the model's own */
    SL_KIND_CHOICE,    /* an enum, the place of one of the row's words */
    SL_KIND_REAL,      /* double */
    SL_KIND_INT,       /* int */
    SL_KIND_SIDE,      /* int, pixels; a multiple of what the model asks for */
    SL_KIND_INT64,     /* int64_t, not negative */
    SL_KIND_SEED,      /* uint64_t */
} SlSettingKind;

/* Where a setting may differ. */
typedef enum SlSettingScope {
    SL_SCOPE_ALL,  /* the same for all lanes of a comparison */
    SL_SCOPE_LANE, /* a lane's own */
    SL_SCOPE_STEP, /* a lane's own, and another from a step on: a branch may change it */
} SlSettingScope;

/* What settings ask of a model; SlPipelineInfo.has says what the models of a
 * family have. */
typedef enum SlModelHas {
    SL_HAS_PROMPT = 1 << 0,          /* it makes pictures of words */
    SL_HAS_NEGATIVE_PROMPT = 1 << 1, /* it is also told what to keep away from */
    SL_HAS_GUIDANCE = 1 << 2,        /* how much the words count can be said */
    SL_HAS_CLIP = 1 << 3,            /* a CLIP text encoder, whose last layers can be left out */
    SL_HAS_CLASSES = 1 << 4,         /* it makes pictures of numbered kinds */
    SL_HAS_SIZES = 1 << 5,           /* it is told sizes: of the original, a crop, the target */
    SL_HAS_ZEROS = 1 << 6,           /* an empty negative prompt may be zeros instead of a text */
    SL_HAS_ADAPTERS = 1 << 7,        /* LoRAs and their relatives may change its weights */
    SL_HAS_REFINER = 1 << 8,         /* another model goes on with what it began */
    SL_HAS_AESTHETICS = 1 << 9,      /* it is told how beautiful its picture is to be */
    SL_HAS_BRANCHES = 1 << 10,       /* its denoiser can take over a part of what it found before */
} SlModelHas;

/* A row of the table. What a row does not say is 0: see each member. */
typedef struct SlSettingInfo {
    SlSetting id;
    const char *key; /* in JSON: "clip_skip" */
    SlSettingKind kind;
    size_t offset;                                 /* in SlRecipe */
    double min, max;                               /* of a number */
    bool (*check)(const char *text, SlError *err); /* of a text that is not any; may be NULL */
    const char *joined; /* of a text that may be said again: what stands between; else NULL */
    const char *const *choices; /* of a choice: its words, NULL at the end; the first one is 0 */

    /* The value that stands for "nothing was said": of a text it is "", of a choice the first. A
     * real number's below 0 stands for all numbers below 0. */
    double unset;
    /* What a run takes where it is unset and the model and the scheduler have nothing for it; 0:
     * unset is it. */
    double usual;
    /* Sets what the model has for it; NULL: unset is the default for all models. */
    void (*of_model)(SlRecipe *recipe, const SlModelInfo *info);
    /* Offset of a double in SlSchedulerInfo: what a scheduler takes where it is unset; 0: none. */
    size_t of_scheduler;
    /* A file and an id leave a setting out where it is unset, so that a new setting changes no old
     * id. True: they always name it. That is for the settings that ids were first made of; a new
     * one never has it. */
    bool always;

    bool schedule; /* with another value a branch lays its steps out anew */

    unsigned needs; /* SlModelHas, all of these; 0: every model has the setting */
    size_t takes;   /* offset of a bool in SlSchedulerInfo; 0: every scheduler has the setting */
    /* It counts only where another setting, a choice, is this (SL_COUNTS_AS_ANY: is not the first);
     * counts_with 0: it always does. */
    SlSetting counts_with;
    int counts_as;
#define SL_COUNTS_AS_ANY (-1)
    SlSettingScope scope;
    /* Its bit in the number "own" of a lane in .safelight; 0: none. Up to 1 << 52: the number is one
     * of JSON, which is a double. */
    uint64_t own;

    /* The command line: "--option VALUE", "--lane option=value"; its help. NULL: a record of how another
     * setting came about, which nobody gives. */
    const char *option, *value, *usage;

    /* Sentences: "clip skip is 101"; in the name of a lane that differs ("guidance %s"; NULL: not
     * named), which are put together turn by turn; in the window's words about lanes and
     * branches. */
    const char *name;
    const char *title;
    const char *title_unset; /* where it is unset beside a lane where it is not; NULL: as title */
    int turn;                /* 0 to 2 */
    const char *phrase;      /* N_() */
    const char *another;     /* N_(); of a text, where it is too long to be repeated */

    /* The window's control; label NULL: it has none. */
    const char *label, *help;         /* N_(), the label with its mnemonic */
    const char *const *choice_labels; /* N_(), as many as choices */
    const char *of_model_phrase;      /* N_(); of a choice: its first, in words about a lane */
    double step, page;                /* of a number's buttons */
    int digits;

    /* What other programs call it, NULL: they have nothing like it. infotext_first is what
     * AUTOMATIC1111 counts it from. */
    const char *infotext, *swarmui, *invokeai;
    int infotext_first;
    const char *const *infotext_choices; /* of a choice: its words there; NULL: ours */
} SlSettingInfo;

extern const SlSettingInfo sl_setting_table[SL_N_SETTINGS]; /* by id */
const SlSettingInfo *sl_setting(SlSetting setting);
/* By its key or by its option; NULL when there is none. */
const SlSettingInfo *sl_setting_find(const char *key);
const SlSettingInfo *sl_setting_find_option(const char *option, size_t length);

/* The bits (SlSettingInfo.own) of a set's settings, and the settings of bits. */
uint64_t sl_settings_own(SlSettingSet settings);
SlSettingSet sl_settings_of_own(uint64_t own);

/* Whether a model and a scheduler have a setting; NULL stands for one that is not known, which has
 * all. Where it is not there, its value changes nothing (or is refused: sl_recipe_check). */
bool sl_setting_exists(const SlSettingInfo *setting, const SlModelInfo *model,
                       const SlSchedulerInfo *scheduler);

/* Whether its value counts beside the others of a recipe. */
bool sl_setting_counts(const SlSettingInfo *setting, const SlRecipe *recipe);

/* A setting's value. Texts are never NULL and are borrowed; numbers are those of any kind but text
 * and seed, a choice's is its place. */
const char *sl_setting_text(const SlSettingInfo *setting, const SlRecipe *recipe);
double sl_setting_number(const SlSettingInfo *setting, const SlRecipe *recipe);
uint64_t sl_setting_seed(const SlSettingInfo *setting, const SlRecipe *recipe);
void sl_setting_set_text(const SlSettingInfo *setting, SlRecipe *recipe, const char *text);
void sl_setting_set_number(const SlSettingInfo *setting, SlRecipe *recipe, double number);
void sl_setting_set_seed(const SlSettingInfo *setting, SlRecipe *recipe, uint64_t seed);

void sl_setting_copy(const SlSettingInfo *setting, const SlRecipe *from, SlRecipe *to);
bool sl_setting_equal(const SlSettingInfo *setting, const SlRecipe *a, const SlRecipe *b);
bool sl_setting_is_unset(const SlSettingInfo *setting, const SlRecipe *recipe);
void sl_setting_unset(const SlSettingInfo *setting, SlRecipe *recipe);

/* Whether two recipes lay out their steps in the same way: a branch then keeps the scheduler's
 * history. */
bool sl_recipe_same_schedule(const SlRecipe *a, const SlRecipe *b);

/* Whether a step (0-based) is in the interval that has guidance: diffusers' start and stop of guiders. */
bool sl_recipe_guides(const SlRecipe *recipe, int step);
/* The same of the interval that has caching. */
bool sl_recipe_caches(const SlRecipe *recipe, int step);

/* Every setting unset. */
void sl_recipe_clear(SlRecipe *recipe);
/* Every setting as it is best for a model. */
void sl_recipe_defaults(SlRecipe *recipe, const SlModelInfo *info);
/* Copies the settings of a set. Texts are borrowed. Of a list of sigmas and a named schedule the one
 * that is in the set takes the other's place. */
void sl_recipe_change(SlRecipe *recipe, const SlRecipe *values, SlSettingSet settings);
/* Unsets the settings of a set that the recipe's scheduler does not have. */
void sl_recipe_drop_missing(SlRecipe *recipe, SlSettingSet settings);
/* The validators that controls and files share: false and *err with the name of the setting, its
 * value and its range. info NULL: as far as that goes without a model. */
bool sl_recipe_check(const SlRecipe *recipe, const SlModelInfo *info, SlError *err);

#ifdef __cplusplus
}
#endif

#endif
