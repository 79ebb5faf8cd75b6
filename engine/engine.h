/* engine.h - what the rest of the program sees of the engine: open a model, run a recipe one
 * evaluation at a time, decode pictures.
 *
 * A model (SlModel) is loaded once and immutable but for its device's arena; a run (SlRun) is one
 * mutable timeline over it. Everything here is for one thread, the one that owns the device, but
 * for the functions marked "any thread". Pictures are 8-bit RGB rows without padding; samples
 * (latents, or pixels for DDPM) are f32 in diffusers' order [C, h, w].
 */
#ifndef SL_ENGINE_H
#define SL_ENGINE_H

#include "engine/adapters/adapters.h"
#include "engine/files/files.h"
#include "engine/noise/noise.h"
#include "engine/recipe/recipe.h"
#include "engine/schedulers/schedulers.h"
#include "engine/text/text.h"
#include "kernels/kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- models ---- */

/* How a run is guided towards its prompt. */
typedef enum SlGuidanceRule {
    SL_GUIDANCE_NONE,            /* the model says what it says */
    SL_GUIDANCE_CLASSIFIER_FREE, /* above 1: evaluated with the negative prompt, too, and the
                                    difference enlarged */
    SL_GUIDANCE_NUMBER,          /* the number is told to the model, which was distilled for it */
} SlGuidanceRule;

/* A family of models: a diffusers pipeline. */
typedef struct SlPipelineInfo {
    const char *id;         /* in files: "stable-diffusion" */
    const char *class_name; /* diffusers' name: "StableDiffusionPipeline" */
    const char *name;       /* what people call it: "Stable Diffusion"; NULL: class_name */
    unsigned has;           /* SlModelHas: which settings its models have */
    SlGuidanceRule guidance_rule;
    bool passes_eta; /* its call says eta 0 to the scheduler where nobody says another */
    bool refines;    /* its models go on with what another model began */
    int steps;       /* where nobody says otherwise, */
    double guidance; /* the same */
    const char *bench_scheduler; /* the id of the one that `bench` times it with */
    /* Widths and heights that models of the first size were trained on, ended by {0, 0}; NULL: the
     * family knows none. */
    const int (*sizes)[2];
} SlPipelineInfo;

/* NULL: not known. Lives as long as the program, so pointers can be compared. */
const SlPipelineInfo *sl_pipeline_find(const char *id);
/* The rule for a guidance of this number: SL_GUIDANCE_NONE where it changes nothing. */
SlGuidanceRule sl_pipeline_guidance(const SlPipelineInfo *pipeline, double guidance);

#define SL_MODEL_MAX_FILES 64

typedef struct SlModelPart {
    char name[32];       /* "unet" */
    char class_name[64]; /* "UNet2DConditionModel" */
    uint64_t tensors, parameters, bytes;
    char dtype[8]; /* "F16", or "mixed" */
} SlModelPart;

typedef struct SlModelFile {
    char name[256]; /* relative to the model's folder; of a part from elsewhere "vae=NAME" */
    uint64_t bytes;
    char sha256[65]; /* "" until sl_model_hash */
} SlModelFile;

/* A part that is not the model's own; "refiner": a whole model that goes on with what this one
 * began. */
typedef struct SlOtherPart {
    char part[32];   /* "vae" */
    char path[4096]; /* a file, or the folder with the part's config.json */
    bool folder;
} SlOtherPart;
#define SL_MODEL_MAX_OTHERS 5

/* Parts to take from elsewhere; path may also be a model's folder. For "refiner" it is one, or a
 * single checkpoint. */
typedef struct SlPartFrom {
    const char *part, *path;
} SlPartFrom;

/* How a model that was distilled to need few steps is run: its own defaults in place of its
 * family's. */
typedef struct SlDistilled {
    const char *name; /* "SDXL-Lightning" */
    int steps;
    double guidance;
    /* Of a file with its weights, which has no scheduler of its own: */
    const char *scheduler; /* id */
    SlSpacing spacing;     /* SL_SPACING_MODEL: as the family's models have it */
    bool predicts_sample;
    int original_steps; /* original_inference_steps, of which LCM's are chosen; 0: as it is */
    int only_timestep; /* of LCM's single step, which no choice of original steps has; 0: as it is */
    int size;          /* native, of the sample; 0: as the family's models have it */
} SlDistilled;

typedef struct SlModelInfo {
    const SlPipelineInfo *pipeline;
    bool single_file;
    char arch[16];      /* of a single file: which built-in configuration, "sd15" */
    char path[4096];    /* as it was opened */
    char name[256];     /* last part of the path */
    char scheduler[16]; /* the model's own scheduler's id */
    char
        unknown_scheduler[64]; /* "", or the class of the model's own: another has to be chosen, and
                                   `scheduler` is one that suits */
    SlPrediction prediction;
    char
        prediction_from[200]; /* where that is said: "scheduler_config.json", "the tensor v_pred" */
    /* What the file of its denoiser says over a configuration that is not its own; of folders all is
     * false. */
    bool prediction_marked; /* what it predicts: prediction */
    bool zero_snr_marked;   /* that it starts from nothing but noise */
    SlEdmMarks edm;         /* that it was trained as EDM is */
    int width, height;      /* native, pixels */
    int size_multiple;      /* width and height must be multiples of this */
    int channels;           /* of the sample */
    int factor;             /* pixels per sample pixel (8 for SD, 1 for DDPM) */
    int branches;           /* of its denoiser, for caching; 0: it has none (SL_HAS_BRANCHES) */
    int prompt_tokens;      /* model_max_length; 0: no prompt */
    bool force_zeros;       /* an empty negative prompt is zeros (force_zeros_for_empty_prompt) */
    bool told_guidance;     /* its denoiser is told the guidance number, whatever the family does */
    int guidance_size;      /* of the number's embedding, by the denoiser's weights; 0: not told */
    double guidance;        /* that it is run with, in place of its family's; 0: its family's */
    const SlDistilled *distilled; /* lives as long as the program; NULL: not, as far as is known */
    char distilled_from[200];     /* where that is said: "the file's name" */
    char architecture[80];    /* what ModelSpec calls it (modelspec.architecture); "": nothing */
    unsigned also_has, lacks; /* SlModelHas: besides the family's, and not of them */
    int classes;              /* of a model with classes: how many; 0: any number */
    char notes[1500];         /* lines: what the pipeline takes otherwise than the folder says it */
    int parts, files, others;
    SlModelPart part[8];
    SlOtherPart other[SL_MODEL_MAX_OTHERS];
    SlModelFile file[SL_MODEL_MAX_FILES];
} SlModelInfo;

/* sl_pipeline_guidance, but of a model that is told the number. */
SlGuidanceRule sl_model_guidance(const SlModelInfo *info, double guidance);

/* Widths and heights that suit a model, the model's own first: those that it was trained on, or one that
 * is higher and one that is wider. Gives their number. */
#define SL_MODEL_MAX_SIZES 16
int sl_model_sizes(const SlModelInfo *info, int sizes[SL_MODEL_MAX_SIZES][2]);

/* Looks at a folder or file without loading weights; headers are validated. Any thread. */
bool sl_model_inspect(const char *path, SlModelInfo *info, SlError *err);
/* The same with some parts from elsewhere: `from` is ended by one without a name. Such a part's
 * files are named "vae=NAME". */
bool sl_model_inspect_with(const char *path, const SlPartFrom *from, SlModelInfo *info,
                           SlError *err);
/* Where file i of a model is. False when the path is longer than size. */
bool sl_model_file_path(const SlModelInfo *info, int i, char *out, size_t size);
/* SHA-256 of every file of info, filled in. Any thread; *cancel (may be NULL) is polled. hash NULL:
 * sl_sha256_file. */
typedef bool (*SlHashFile)(const char *path, char hex[65], const int *cancel, SlError *err);
bool sl_model_hash(SlModelInfo *info, SlHashFile hash, const int *cancel, SlError *err);

/* The tokenizer of a part ("tokenizer"): the model's folder of that name; for a single file `folder`,
 * or where that is NULL one beside the file, or else CLIP's vocabulary, which comes with the program.
 * Any thread. */
SlTokenizer *sl_model_open_tokenizer(const SlModelInfo *info, const char *part, const char *folder,
                                     SlError *err);

typedef struct SlModel SlModel;

/* The file of an adapter that a recipe names: its path, malloc'ed. hash "": whichever has the name;
 * else the file that has the hash, whatever its name. NULL and *err, with where was looked. */
typedef char *(*SlFindAdapter)(const char *name, const char *hash, SlError *err);

/* Tells `each` of every embedding that a prompt may name by itself: its name ("style/cat", without the
 * ending) and its path. False and *err when that could not be found out. */
typedef bool (*SlListEmbeddings)(void (*each)(void *arg, const char *name, const char *path),
                                 void *arg, SlError *err);

typedef struct SlModelOptions {
    const char *device;           /* NULL or "auto", "ref", "cpu", "cuda", "check" */
    const char *dtype;            /* NULL or "auto", "f32", "bf16", "f16"; "q8": the device's usual
                                one with weights in 8 bits, "q8/f32", "q8/bf16", "q8/f16": this one
                                with such weights. Behind it parts that compute in another
                                type, by name or as all that a stage (text, step, decode) has:
                                "bf16,vae=f32", "bf16,decode=f32"; "vae=auto": its own */
    const char *auto_dtype;       /* what "auto" is on the cpu device, as dtype; NULL: "f32" */
    int threads;                  /* 0: all */
    const SlPartFrom *from;       /* as sl_model_inspect_with's; NULL: all parts are the model's */
    const char *tokenizer;        /* folder, for single files; NULL: see sl_model_open_tokenizer */
    SlFindAdapter find_adapter;   /* NULL: an adapter's name is its path */
    SlFindAdapter find_embedding; /* the same of embeddings */
    SlListEmbeddings
        list_embeddings; /* NULL: prompts name only what the recipe and its LoRAs say */
    void (*progress)(void *arg, double fraction,
                     const char *what); /* called on the loading thread; may be NULL */
    void *progress_arg;
    const int *cancel; /* polled atomically while loading; may be NULL */
    bool early; /* on the cpu device, where memory is ample: the first evaluation reads the weights,
                 * which get memory of their own behind it. Its frame comes sooner, and what is wrong
                 * with their values is found then */
} SlModelOptions;

/* Loads everything but what waits for the first frame. NULL and *err on failure. Close from the same
 * thread. */
SlModel *sl_model_open(const char *path, const SlModelOptions *options, SlError *err);
void sl_model_close(SlModel **model);
const SlModelInfo *sl_model_info(const SlModel *model);
SlDevice *sl_model_device(SlModel *model);
/* In which types it computes, as SlModelOptions.dtype; a model that is opened with it on the same device
 * computes in the same: "f32", "bf16,vae=f32", "q8/bf16". */
const char *sl_model_dtypes(const SlModel *model);
/* False and *err where SlModelOptions.dtype could not be this for any model. Any thread. */
bool sl_dtype_check(const char *text, SlError *err);
/* A picture costs less than one step to decode: fit for every preview. */
bool sl_model_decodes_cheaply(const SlModel *model);
/* Warning lines from loading (unused tensors), or NULL. */
const char *sl_model_warning(const SlModel *model);
/* The adapters of a recipe: its own, *said of them, and behind them those that its prompt names in its
 * mode (<lora:...>). Free in any case. Any thread. */
bool sl_recipe_adapters(const SlRecipe *recipe, SlAdapterUses *uses, int *said, SlError *err);
/* What a recipe's prompts may call embeddings in its mode, with how many vectors each has: those that it names, those
 * that its LoRAs bring, and those that its prompts find. For showing: what cannot be read is left out. The names are
 * the caller's to free. False and *err without memory. Any thread that `places` may be asked on. */
typedef struct SlEmbeddingPlaces {
    SlFindAdapter find, find_adapter;
    SlListEmbeddings list;
} SlEmbeddingPlaces;
bool sl_recipe_embeddings(const SlRecipe *recipe, const SlEmbeddingPlaces *places,
                          SlNamedVectors *names, SlError *err);
/* Opens an adapter (as SlFindAdapter finds it) and looks which of the model's weights it changes.
 * False and *err when it cannot be used with this model: not found, damaged, of other shapes, or
 * nothing of it is one of the model's weights. What is open already is not read again. */
typedef struct SlAdapterCounts {
    int modules, matched; /* of the file; those that change a weight of this model */
    char unmatched[264];  /* the first one that does not; "": all do */
} SlAdapterCounts;
bool sl_model_adapter(SlModel *model, const char *name, const char *hash, SlAdapterCounts *counts,
                      SlError *err);
/* The same of a file that is open, from the headers of the model's files alone: the model need not be
 * loaded. counts->modules is 0 where the file's shapes do not fit. Any thread that has the adapter for itself. */
bool sl_model_info_adapter(const SlModelInfo *info, const SlAdapter *adapter,
                           SlAdapterCounts *counts, SlError *err);
/* Any thread: whatever this model's device computes ends within one operation; the call in progress
 * fails with SL_CANCELLED. */
void sl_model_cancel(SlModel *model);
/* Forgets a cancel that came while nothing was computed. A worker calls it before each job. */
void sl_model_clear_cancel(SlModel *model);
/* Fraction of the evaluation in progress, 0 .. 1. Any thread. */
double sl_model_step_fraction(const SlModel *model);
/* For a model that was opened `early`, while there is nothing to do before its first picture: lays out
 * weights that wait, one at least, until they take `most` bytes or more; where none waits, loads the parts
 * that do. *more: call it again. False and *err: what could not be goes on waiting. */
bool sl_model_settle_some(SlModel *model, size_t most, bool *more, SlError *err);
/* Memory of weights that were loaded, or will be, but wait for the first frame before they take it, in
 * bytes. Any thread. */
size_t sl_model_waiting_bytes(const SlModel *model);

/* ---- runs ---- */

/* What several runs of one model have in common: texts are encoded once, and runs whose first
 * evaluation has the same input, timestep and text compute it once, to the same bytes as apart. It
 * must outlive its runs. NULL without memory. */
typedef struct SlShare SlShare;
SlShare *sl_share_new(SlModel *model);
void sl_share_free(SlShare *share); /* NULL is fine */

typedef struct SlShareCounts {
    int texts;              /* prompts that were encoded */
    int texts_shared;       /* encodings saved */
    int evaluations_shared; /* evaluations saved */
} SlShareCounts;
SlShareCounts sl_share_counts(const SlShare *share);

/* For tests and for starting from elsewhere; all optional. Borrowed during sl_run_new (latents) and
 * the run (step_noise, share). */
typedef struct SlRunInputs {
    const float *latents;    /* [C, h, w], unscaled noise */
    const float *step_noise; /* [n, C, h, w] */
    int step_noise_count;
    bool settled; /* the recipe names all embeddings that its prompts use: none are looked for */
    SlShare *share;
    /* What the model is told instead of the recipe's texts (diffusers' prompt_embeds), with
     * guidance the negative prompt's first; their lengths may differ. Copied. */
    const struct SlCondition *condition[2];
} SlRunInputs;

typedef struct SlRun SlRun;

/* ---- word maps: how much each place of the picture looked at each token of the text ---- */

/* Of which samples of an evaluation they are wanted. */
typedef enum SlMapHalves {
    SL_MAPS_NONE,
    SL_MAPS_TEXT, /* those with the prompt */
    SL_MAPS_BOTH, /* and those with the negative prompt, where there is one */
} SlMapHalves;

#define SL_WORD_MAP_LEVELS 9

/* softmax(q k^T) of the cross attentions at one resolution, the mean of their heads and layers:
 * [tokens, height, width], at each place 1 over all tokens. */
typedef struct SlWordMapLevel {
    int height, width;
    int layers; /* of which it is the mean */
    bool
        middle; /* of the middle block, which is left out where all levels are one (as DAAM does) */
    const float *text, *negative; /* NULL: not wanted, or there is none */
} SlWordMapLevel;

typedef struct SlWordMaps {
    int levels; /* from the highest resolution on, the middle block last */
    SlWordMapLevel level[SL_WORD_MAP_LEVELS];
    int tokens;          /* of the prompt; the parts of one with AND lie one behind the other */
    int negative_tokens; /* 0: negative is NULL */
} SlWordMaps;

/* The words of the prompt that a run is told at an evaluation, and which tokens of its maps are
 * theirs. */
typedef struct SlWord {
    int begin, end; /* bytes of the recipe's prompt */
    int part;       /* of the prompt (AND) */
    int row,
        rows; /* tokens of the maps, from `row` on; those that begin and end a chunk are left out */
    double weight;
} SlWord;

typedef struct SlWords {
    SlWord *word; /* parts one behind the other */
    int words;
    int length; /* tokens of a chunk: its first is a beginning, its last an end */
} SlWords;

/* Which maps are meant: all levels but the middle block's, as DAAM does, or one of them. */
#define SL_ALL_LEVELS (-1)

/* The map of a word over the sample: the mean of its tokens; levels are brought to height x width by
 * torch's bicubic interpolation, nothing is left below 0, and their mean counts each layer once (DAAM
 * compute_global_heat_map, but that it cuts off below 0 each head by itself). out [height, width].
 * False and *err without memory. */
bool sl_word_map(const SlWordMaps *maps, const SlWords *words, int word, int level, int height,
                 int width, float *out, SlError *err);
/* The same of the levels of one word: their `text` is [height, width] of it. */
bool sl_word_map_join(const SlWordMaps *of_word, int level, int height, int width, float *out,
                      SlError *err);
/* Which token of the maps is a word's n-th. */
int sl_word_token(const SlWords *words, const SlWord *word, int n);
/* How much the word was looked at: the part of all attention that its tokens had, 0 .. 1, the mean over
 * places and layers. */
double sl_word_share(const SlWordMaps *maps, const SlWords *words, int word, int level);
void sl_words_free(SlWords *words);

/* One model evaluation, as it looks from outside. x_t and x_0 are borrowed until the next call on
 * the run. */
typedef struct SlFrame {
    int evaluation;  /* 0-based */
    int evaluations; /* of the whole run */
    int step, steps; /* step 0-based; steps as asked for */
    bool ends_step;
    bool last;
    double timestep, sigma; /* at which the model was evaluated */
    double level;           /* noise level of x_t: the next evaluation's sigma, 0 at the end */
    bool shared;            /* taken from another run of the same SlShare */
    bool refined;           /* made by the refiner */
    bool cached;            /* part of it was taken over from an evaluation before (SlCaching) */
    int place, together; /* made as run number `place` of a batch of so many runs; 0 of 1 alone */
    const float *x_t;    /* the sample after this evaluation (diffusers' callback_on_step_end) */
    const float *x_0;    /* the predicted original sample of this evaluation */
    const float *model_output; /* guided prediction */
    /* [2, C, h, w]: what it was made of, without the prompt and with it; NULL without guidance */
    const float *said;
    const float *guidance_term;  /* text - unconditional, NULL without guidance */
    int channels, height, width; /* of the samples */
    double seconds;              /* this evaluation took */
    /* where they are wanted and the model is told a text; else NULL, as of a cached evaluation, which
     * looks at no words */
    const SlWordMaps *maps;
} SlFrame;

/* What a run of a recipe is asked for at each step: known before there is one. */
typedef struct SlSchedule {
    int steps;
    double *sigmas;    /* [steps] the noise level that a step begins at (sl_scheduler_sigma) */
    double *timesteps; /* [steps] */
} SlSchedule;

/* Any thread. The model need not be open; reads its scheduler's configuration. False and *err for
 * what a run refuses as well. To be freed also then. */
bool sl_schedule_make(const SlModelInfo *info, const SlRecipe *recipe, SlSchedule *schedule,
                      SlError *err);
void sl_schedule_free(SlSchedule *schedule);

/* Encodes the prompts and draws the noise; no evaluation yet. NULL and *err on failure. The recipe
 * is copied. */
SlRun *sl_run_new(SlModel *model, const SlRecipe *recipe, const SlRunInputs *inputs, SlError *err);
void sl_run_free(SlRun *run); /* NULL is fine */
/* From the next evaluation on: frames have maps, or none. Changes no byte of the samples; an
 * evaluation with maps is not taken from another run of the share. */
void sl_run_want_maps(SlRun *run, SlMapHalves halves);
/* The sizes that its maps will have, without values; levels 0 where the model is told no text. */
void sl_run_map_levels(const SlRun *run, SlWordMaps *sizes);
/* The words at an evaluation (a schedule in the prompt changes them). None where conditions were given
 * or the model is told no text. Free them. */
bool sl_run_words(SlRun *run, int evaluation, SlWords *words, SlError *err);
const SlRecipe *sl_run_recipe(const SlRun *run); /* with defaults filled in */
const SlScheduler *sl_run_scheduler(const SlRun *run);
/* "12 tokens were not used: ...", or NULL. */
const char *sl_run_warning(const SlRun *run);
int sl_run_evaluations(const SlRun *run);
bool sl_run_done(const SlRun *run);
/* The start: unscaled noise [C, h, w]; the sample now. */
const float *sl_run_noise(const SlRun *run);
const float *sl_run_sample(const SlRun *run);
int64_t sl_run_sample_elements(const SlRun *run);
/* Of the first evaluation and the prompt's first part: (2, L, D), unconditional first, or (1, L, D)
 * without guidance; NULL for DDPM, and where the two are of different lengths. */
const float *sl_run_text_embeddings(const SlRun *run, int64_t size[3]);
/* Advances by one evaluation. False and *err on failure or cancel: the run stays where it was and
 * can be continued. Values that are not finite are an error (SL_FORMAT) that names the part and the
 * step; what the frames before showed is not touched by it. */
bool sl_run_next(SlRun *run, SlFrame *frame, SlError *err);
/* Several runs of one model, each advanced by one evaluation, which is made for all as one batch:
 * on a GPU faster than one by one, and in the last bits not the same, since the order in which
 * products are added depends on the batch. The same runs together give the same bytes again. frames
 * and errs are [count]: where errs[i].code is not SL_OK, run i did not advance. False and *err when
 * the evaluation failed: none did. */
#define SL_RUNS_TOGETHER 9
bool sl_runs_next(SlRun *const *runs, int count, SlFrame *frames, SlError *errs, SlError *err);
/* The evaluation that sl_runs_next made of this run as number `place` of `together` runs, to the
 * same bytes, without the others: the run stands in for them, so it takes as long as all of
 * them. */
bool sl_run_next_among(SlRun *run, int place, int together, SlFrame *frame, SlError *err);
/* Of one size, both with guidance or both without, told texts of the same lengths, and neither several
 * parts of a prompt (AND). */
bool sl_runs_match(const SlRun *a, const SlRun *b);
/* The whole timeline at this point as bytes (malloc'ed); a run made from the same model and recipe
 * goes on from it to the same bytes. */
void *sl_run_save(const SlRun *run, size_t *bytes);
bool sl_run_restore(SlRun *run, const void *state, size_t bytes, SlError *err);
/* Makes a run that has not begun go on from where `from` is, with its own settings. With the same
 * scheduler, steps and sigmas the whole timeline is taken over, so that the same settings give the
 * same bytes. Otherwise the sample is taken over at the first step whose noise level is not above
 * the one reached; what lies between the two levels is crossed along `from`'s last prediction, so
 * `from` must have made at least one evaluation. Both must be of one size. */
bool sl_run_continue(SlRun *run, const SlRun *from, SlError *err);
/* Evaluations done. */
int sl_run_evaluation(const SlRun *run);

/* An evaluation that was made before, as its frame had it. */
typedef struct SlKnown {
    const float *output; /* [C, h, w] */
    const float *said;   /* what it was made of; may be NULL where sl_run_needs_said says no */
    bool cached;
    int place, together; /* 0 of 1 alone */
} SlKnown;

/* Advances as sl_run_next does, but with what is already known: a run that was recorded is brought to
 * any of its steps without the model, to the same bytes. The frame has no guidance term. */
bool sl_run_advance(SlRun *run, const SlKnown *known, SlFrame *frame, SlError *err);
/* Whether the next evaluation's output alone is not enough for that: CFG++ takes the noise from what
 * was said without the prompt, and a method with momentum remembers. */
bool sl_run_needs_said(const SlRun *run);
/* Other guidance from here on: SL_SETTINGS_GUIDANCE of a recipe. False and *err, with nothing changed,
 * where they are not right or ask the model for another number of evaluations. */
bool sl_run_set_guidance(SlRun *run, const SlRecipe *recipe, SlError *err);
/* Advances as sl_run_next does, but with what the model said before guidance (SlFrame.said), of which
 * the run's own guidance is made: the same bytes as if the model had been asked. False and *err where
 * the step has no guidance. */
bool sl_run_say(SlRun *run, const float *said, SlFrame *frame, SlError *err);
/* Whether its evaluations, or some of them, are guided by a second one. */
bool sl_run_is_guided(const SlRun *run);
/* Evaluates the model once on x_t, the sample before `evaluation`, without changing the run: the
 * frame's model_output, said and guidance_term are set, x_t and x_0 are NULL. An evaluation that was
 * cached is made in the same way where the run stands before it, and else as a whole. */
bool sl_run_look(SlRun *run, int evaluation, const float *x_t, SlFrame *frame, SlError *err);

/* ---- pictures ---- */

/* A sample to a picture: VAE decode (or nothing for DDPM), f32 [3, H, W] in 0 .. 1 before rounding
 * into image (may be NULL) and rounded half to even into rgb (H W 3, may be NULL). height and width
 * are the sample's. A picture that is not finite is an error (SL_FORMAT). */
bool sl_decode(SlModel *model, const float *sample, int height, int width, float *image,
               uint8_t *rgb, SlError *err);
/* The same for previews that must not delay the run: begun here, computed while the next evaluation
 * is, taken when it is ready. One at a time, on the model's thread. False where the device cannot
 * do two things at once (all but cuda), or memory for it is out: sl_decode then. */
bool sl_decode_begin(SlModel *model, const float *sample, int height, int width);
bool sl_decode_ready(SlModel *model); /* sl_decode_take would not wait */
/* rgb as sl_decode's; NULL drops it. False when it failed or none was begun. */
bool sl_decode_take(SlModel *model, uint8_t *rgb);
/* The instant preview at the sample's own size: the model's linear latent -> RGB matrix (its
 * preview.json, the known one for SD 1.x / 2.x, or one fitted when the model was loaded). Any
 * thread. rgb is height width 3. */
void sl_preview(const SlModel *model, const float *sample, int height, int width, uint8_t *rgb);

/* What shares the tiny VAE for a model's latents call it, "taesd" or "taesdxl"; NULL: none is known.
 * Any thread. */
const char *sl_preview_decoder_name(const SlModelInfo *info);
/* Whether a file or folder (an AutoencoderTiny, a model with one, or TAESD's own files) is a tiny VAE
 * for the samples of this model. Headers only, any thread. False and *err, which says what it is
 * and what the model has. */
bool sl_preview_decoder_check(const SlModelInfo *info, const char *path, SlError *err);
/* Loads it onto the model's device, in place of one before; path NULL: none from now on. It takes no
 * part in what a run computes. False and *err: there is none then. */
bool sl_model_set_preview_decoder(SlModel *model, const char *path, SlError *err);
/* Whose path that is; NULL: there is none. */
const char *sl_model_preview_decoder(const SlModel *model);
/* A picture of full size by the tiny VAE, for previews: as sl_decode, into rgb; and as
 * sl_decode_begin, taken by sl_decode_take. */
bool sl_decode_preview(SlModel *model, const float *sample, int height, int width, uint8_t *rgb,
                       SlError *err);
bool sl_decode_preview_begin(SlModel *model, const float *sample, int height, int width);

/* ---- measuring ---- */

typedef struct SlCost {
    double step_flops, decode_flops, text_flops;
    double cached_flops; /* with deep caching: of a step that takes over a part; else 0 */
    size_t weight_bytes, peak_bytes; /* weights + arena + buffers */
    size_t step_bytes;               /* without the weights, without decoding */
    size_t text_bytes, decode_bytes; /* the same of the other stages */
} SlCost;

/* What a run of this size and with these texts would need, on the measure device: no weights are read.
 * dtype as SlModelOptions has it; NULL and "auto" are "f32". */
bool sl_model_cost(const SlModelInfo *info, const SlRecipe *recipe, const char *dtype, SlCost *cost,
                   SlError *err);

/* Before a run does anything: false and *err, with both sizes, when the host has less memory than
 * the run cannot do without. The recipe's size is filled in. kept: bytes that are to be kept of its
 * steps, and of those of others that are to be beside it. */
bool sl_model_check_memory(SlModel *model, const SlRecipe *recipe, size_t kept, SlError *err);

/* The name of the i-th shape that the families of models have built in; NULL: there are no more. */
const char *sl_shape_name(int i);

/* A famous shape with random weights ("sd15"), whose stages are run one by one on zeros: nothing is
 * read. On the device "measure" they count operations and memory. width and height are the
 * picture's, 0: native. */
typedef struct SlStages SlStages;
/* Of the options device, threads and types count. */
SlStages *sl_stages_open(const char *arch, const SlModelOptions *options, int width, int height,
                         SlError *err);
void sl_stages_close(SlStages **stages);
SlDevice *sl_stages_device(SlStages *stages);
const char *sl_stages_dtypes(const SlStages *stages); /* as sl_model_dtypes */
int sl_stages_width(const SlStages *stages);          /* of the picture */
int sl_stages_height(const SlStages *stages);
/* In this order, each as often as one likes; what comes before a run's first step; a step; a
 * picture. */
bool sl_stages_encode(SlStages *stages, SlError *err);
bool sl_stages_step(SlStages *stages, SlError *err);
bool sl_stages_step_maps(SlStages *stages, SlError *err); /* one that leaves maps of the words */
/* One that takes over a part of an earlier one: around a deep feature, with branch 0; and what the first
 * block says nothing new of. */
bool sl_stages_step_deep(SlStages *stages, SlError *err);
bool sl_stages_step_first_block(SlStages *stages, SlError *err);
bool sl_stages_decode(SlStages *stages, SlError *err);

#ifdef __cplusplus
}
#endif

#endif
