/* run_private.h - a timeline's insides, for run.c, run_new.c, prompts.c, branch.c and
 * handover.c. Private to engine/. */
#ifndef SL_ENGINE_RUN_PRIVATE_H
#define SL_ENGINE_RUN_PRIVATE_H

#include "engine/run/share.h"
#include "engine/run/step.h"

/* What an evaluation is told: of the negative prompt first where there are two; the share's. */
typedef struct SlRunWords {
    const SlCondition *condition[2];
} SlRunWords;

/* What makes the evaluations: the model, or from some evaluation on its refiner. */
typedef struct SlRunSide {
    SlModel *model;
    SlPromptVectors *vectors; /* the embeddings that prompts may name, as this model has them */
    int vectors_count;
    SlScheduler *scheduler;
    SlShare *share;
    SlGuidanceRule rule;
    int batch;  /* 2 with classifier-free guidance; outside of its interval see sl_run_batch */
    bool ready; /* it knows what it is told, */
    /* at each evaluation, by each part of the prompt: [evaluations * parts]; NULL where the model is told
     * nothing */
    SlRunWords *words;
    int parts;     /* of the prompt (AND), each weighed against the negative prompt */
    bool perp_neg; /* the parts are the prompt and the negative prompt, against an empty one */
    int copies[2]; /* then: how often each is told, to be as long as the other */
    double *part_weight; /* [parts] */
    const SlTold *told;  /* the share's, as it was asked for last; NULL as words */
    bool given;          /* conditions instead of texts */
    unsigned mix;        /* of adapters, at the evaluation that is asked for, */
    unsigned times_mix;  /* and that the times were made with, */
    int times_batch;     /* for a pass of so many samples */
    SlStepShape shape;   /* with all of the batch: see sl_run_shape */
    SlTimes *times;      /* of SL_TIMES evaluations, */
    int times_first;     /* from this one on */
} SlRunSide;

typedef struct SlRunEmbeddings SlRunEmbeddings; /* warning.c: a line for sl_run_warning. */
void sl_run_warn(SlRun *run, const char *text);

/* embeddings.c */

/* The last evaluation that was made as a whole and may be taken over from: see caching.c. */
typedef struct SlRunKept {
    int evaluation; /* -1: there is none */
    int place, together;
    char told[65]; /* all that it was told */
    float *input;  /* [elements]; with those above it is made again where it is not there */
    bool there;
    SlStepKept left;
} SlRunKept;

struct SlRun {
    SlModel *model; /* of the first side: what samples and pictures are */
    SlRunSide side[2];
    int sides, handover; /* the first evaluation of the second side */
    SlRecipe recipe;
    char *prompt, *negative_prompt, *lora, *embedding, *sigma_list;
    SlRunEmbeddings *embeddings;
    bool settled; /* as SlRunInputs' */
    SlNoise generator;
    SlNoiseSource noise_source;
    int channels, height, width; /* of the sample */
    int64_t elements;
    int evaluation;
    bool shared; /* the last evaluation was another run's */
    bool cached; /* a part of it was taken over */
    SlRunKept kept;
    float *memory; /* one block for the arrays below; said [2] stays behind output */
    float *noise, *sample, *x0, *input, *output;
    float *said;     /* without the prompt and with it, of a guided evaluation */
    float *term;     /* what guidance multiplied */
    float *momentum; /* of the guidance method: what the evaluations before left */
    bool has_said;   /* the last output was made of them, */
    bool has_term;   /* and they were made by an evaluation of this run */
    SlShare *share;
    bool own_share;               /* of this run alone */
    SlAdapterUses adapters;       /* that the recipe names, */
    int adapter[SL_ADAPTERS_MAX]; /* their places among the model's, */
    unsigned text_mix;            /* the set of their strengths for the texts */
    char warning[2000];
    SlMapHalves want_maps;
    bool has_maps;   /* of the last evaluation */
    SlWordMaps maps; /* its arrays lie in map_memory */
    float *map_memory;
    size_t map_room; /* floats there */
};

/* schedule.c: what a run's scheduler is made from; the recipe names its scheduler. */
SlSchedulerChoice sl_run_scheduler_choice(const SlModelInfo *info, const SlRecipe *recipe);

/* handover.c */
bool sl_run_refines(const SlRun *run);
/* Whose an evaluation is, and the next one. */
SlRunSide *sl_run_side_at(SlRun *run, int evaluation);
const SlRunSide *sl_run_side(const SlRun *run);
/* Of a run with two sides, whose schedulers are laid out: finds where the second begins. */
bool sl_run_find_handover(SlRun *run, SlError *err);
/* The evaluation before it is done: the sample becomes the second side's. */
bool sl_run_hand_over(SlRun *run, SlError *err);

/* evaluation.c */
/* A side learns what it is told: texts are encoded (given: they were before). What of them is not used
 * becomes the run's warning. */
bool sl_run_find_told(SlRun *run, SlRunSide *side, const SlCondition *const *given, SlError *err);
/* The same where it has not been done, with room made for its steps. */
bool sl_run_need_side(SlRun *run, SlRunSide *side, SlError *err);
/* What the denoiser derives from the timesteps: of evaluation i and its neighbours. Which those are
 * does not depend on where a run was taken up, so that its bytes do not either. */
bool sl_run_need_times(SlRun *run, int i, SlError *err);
/* The step of a side's model, made anew for another shape than the last run's. */
SlStep *sl_run_step(const SlRunSide *side, SlStepShape shape, SlMapHalves maps, SlError *err);
/* A single part's weight multiplies the guidance; of several each has its own. */
double sl_run_guidance_of(const SlRun *run, const SlRunSide *side);
/* What asks it for run->output from run->input at evaluation i, whose times are there. */
SlStepRun sl_run_ask(SlRun *run, int i);

/* caching.c */
typedef enum SlRunReuse {
    SL_RUN_WHOLE, /* as without caching */
    SL_RUN_KEEPS, /* as a whole, and its deep feature is kept */
    SL_RUN_TAKES, /* around the one that is kept */
    SL_RUN_TESTS, /* the first block decides it */
} SlRunReuse;
/* How an evaluation is made: the next one, or one as it would be next. */
SlRunReuse sl_run_reuse(const SlRun *run, int evaluation);
/* Whether two runs' next evaluations are of the same parts of the model. */
bool sl_run_reuse_matches(const SlRun *a, const SlRun *b);
/* An evaluation has been made as a whole, of run->input, as number `place` of a batch. */
void sl_run_note_whole(SlRun *run, int evaluation, int place, int together);
/* What an evaluation takes over is there: made again where it is not. The run has been told of the
 * evaluation; its times may be others' afterwards. */
bool sl_run_need_kept(SlRun *run, int evaluation, SlError *err);
/* An evaluation that is not SL_RUN_WHOLE, by itself. look: nothing of the run changes. */
bool sl_run_evaluate_part(SlRun *run, SlStep *step, int evaluation, bool look, SlError *err);
void sl_run_kept_free(SlRunKept *kept);

/* From here on the model is to have the run's adapters, as strong as they are at evaluation i. */
bool sl_run_want(SlRun *run, int i, SlError *err);

/* guidance.c: outside of the guidance's interval an evaluation is made with the prompt alone. */
bool sl_run_guides(const SlRun *run, const SlRunSide *side, int evaluation);
int sl_run_batch(const SlRun *run, const SlRunSide *side, int evaluation);
SlStepShape sl_run_shape(const SlRun *run, const SlRunSide *side, int evaluation);
/* Passes with another prompt each; more than 1: the evaluation is no other run's. */
int sl_run_parts(const SlRun *run, const SlRunSide *side, int evaluation);
/* Perp-Neg: what is said with the prompt, less what the negative prompt says besides. u, negative: what
 * is said with the empty prompt and with the negative one. All [elements]. */
void sl_run_less_negative(const SlRun *run, const float *u, const float *negative, float *said);
/* run->said and run->output, which is the plain sum of them, to what the recipe's method makes of
 * them. */
bool sl_run_guide(SlRun *run, const SlRunSide *side, int evaluation, SlError *err);
/* Whether what comes later depends on what was said before: run->momentum, which goes on with
 * run->said. */
bool sl_run_remembers(const SlRun *run);
void sl_run_follow(SlRun *run);

/* warning.c: a line for sl_run_warning. */
void sl_run_warn(SlRun *run, const char *text);

/* embeddings.c */
/* Opens the embeddings that the run's prompts may name in a mode: the recipe's, those of its LoRAs, and
 * files that words of the prompts are the names of. */
bool sl_run_find_embeddings(SlRun *run, SlPromptMode mode, SlError *err);
void sl_run_free_embeddings(SlRun *run);
/* Fills side->vectors. */
bool sl_run_name_vectors(SlRun *run, SlRunSide *side, SlPromptMode mode, SlError *err);
/* Remembers which of them a text names. */
void sl_run_mark_vectors(SlRun *run, const SlRunSide *side, const SlAsk *ask);
/* The recipe names all that are used, with their hashes. */
bool sl_run_settle_embeddings(SlRun *run, SlPromptMode mode, SlError *err);

/* prompts.c */
/* Reads the recipe's prompts, or takes the conditions that were given, and fills in what the side is
 * told. */
bool sl_run_find_words(SlRun *run, SlRunSide *side, const SlCondition *const *given, SlError *err);
/* side->told becomes what part `part` of the prompt tells at an evaluation, to the denoiser with the
 * adapters that are wanted. It is valid until others ask. */
bool sl_run_tell(SlRun *run, SlRunSide *side, int evaluation, int part, SlError *err);
/* The same with the negative prompt also where the evaluation does without. */
bool sl_run_tell_all(SlRun *run, SlRunSide *side, int evaluation, int part, SlError *err);

/* word_maps.c: what the step's last evaluation left of run number r of its batch, of part `part` of the
 * prompt; nothing where none are wanted. */
bool sl_run_take_maps(SlRun *run, const SlRunSide *side, SlStep *step, int r, int part,
                      SlError *err);

#endif
