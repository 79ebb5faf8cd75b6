/* settings.c - the table of settings: a row for each, with everything that other parts of the
 * program say or ask about it (see recipe.h for what a column means).
 *
 * Easy to get wrong: `always`, `own` and `title` are in files that exist (ids, .safelight, sheets
 * that are computed again), so those of the old rows must stay as they are. A new row has no
 * `always`, and the next free bit as `own`.
 */
#include "engine/engine.h"

#define N_(text)      text
#define PLACE(member) .key = #member, .offset = offsetof(SlRecipe, member)
#define TAKES(member) .takes = offsetof(SlSchedulerInfo, member)

_Static_assert(sizeof(SlSigmas) == sizeof(int) && sizeof(SlSpacing) == sizeof(int) &&
                   sizeof(SlVariance) == sizeof(int) && sizeof(SlNoiseKind) == sizeof(int),
               "choices are read and written as int");

static void scheduler_of(SlRecipe *recipe, const SlModelInfo *info)
{
    recipe->scheduler = *info->unknown_scheduler ? NULL : info->scheduler;
}

static void steps_of(SlRecipe *recipe, const SlModelInfo *info)
{
    recipe->steps = info->pipeline->steps;
}

static void guidance_of(SlRecipe *recipe, const SlModelInfo *info)
{
    recipe->guidance = info->pipeline->guidance;
}

static void width_of(SlRecipe *recipe, const SlModelInfo *info)
{
    recipe->width = info->width;
}

static void height_of(SlRecipe *recipe, const SlModelInfo *info)
{
    recipe->height = info->height;
}

const SlSettingInfo
    sl_setting_table[SL_N_SETTINGS] =
        {
            [SL_SETTING_PROMPT] =
                {
                    .id = SL_SETTING_PROMPT,
                    PLACE(prompt),
                    .kind = SL_KIND_TEXT,
                    .always = true,
                    .needs = SL_HAS_PROMPT,
                    .scope = SL_SCOPE_STEP,
                    .own = 1 << 7,
                    .option = "prompt",
                    .value = "TEXT",
                    .usage = "what to show",
                    .name = "prompt",
                    .title = "\"%s\"",
                    .turn = 2,
                    .phrase = N_("“%s”"),
                    .another = N_("another prompt"),
                    .label = N_("Prompt"),
                    .swarmui = "prompt",
                    .invokeai = "positive_prompt",
                },
            [SL_SETTING_NEGATIVE_PROMPT] =
                {
                    .id = SL_SETTING_NEGATIVE_PROMPT,
                    PLACE(negative_prompt),
                    .kind = SL_KIND_TEXT,
                    .always = true,
                    .needs = SL_HAS_NEGATIVE_PROMPT,
                    .scope = SL_SCOPE_STEP,
                    .own = 1 << 8,
                    .option = "negative",
                    .value = "TEXT",
                    .usage = "what to keep away from",
                    .name = "negative prompt",
                    .title = "without \"%s\"",
                    .turn = 2,
                    .phrase = N_("without “%s”"),
                    .another = N_("another negative prompt"),
                    .label = N_("Negative prompt"),
                    .swarmui = "negativeprompt",
                    .invokeai = "negative_prompt",
                },
            [SL_SETTING_SCHEDULER] =
                {
                    .id = SL_SETTING_SCHEDULER,
                    .schedule = true,
                    PLACE(scheduler),
                    .kind = SL_KIND_SCHEDULER,
                    .of_model = scheduler_of,
                    .always = true,
                    .scope = SL_SCOPE_STEP,
                    .own = 1 << 0,
                    .option = "scheduler",
                    .value = "ID",
                    .usage = "see `safelight schedulers`",
                    .name = "scheduler",
                    .phrase = N_("scheduler %s"),
                    .label = N_("S_cheduler"),
                },
            [SL_SETTING_SIGMAS] =
                {
                    .id = SL_SETTING_SIGMAS,
                    .schedule = true,
                    PLACE(sigmas),
                    .kind = SL_KIND_CHOICE,
                    .choices =
                        (const char *const[]){"model", "karras", "exponential", "beta", NULL},
                    .always = true,
                    TAKES(takes_sigmas),
                    .scope = SL_SCOPE_STEP,
                    .own = 1 << 1,
                    .option = "sigmas",
                    .usage = "noise levels",
                    .name = "sigmas",
                    .title = "%s sigmas",
                    .phrase = N_("sigmas %s"),
                    .label = N_("Noise _levels"),
                    .help = N_("How the steps are spread between noise and picture"),
                    .choice_labels =
                        (const char *const[]){N_("As the model has them"), N_("Karras"),
                                              N_("Exponential"), N_("Beta")},
                    .of_model_phrase = N_("the model’s sigmas"),
                },
            [SL_SETTING_SPACING] =
                {
                    .id = SL_SETTING_SPACING,
                    .schedule = true,
                    PLACE(spacing),
                    .kind = SL_KIND_CHOICE,
                    .choices =
                        (const char *const[]){"model", "linspace", "leading", "trailing", NULL},
                    .always = true,
                    TAKES(takes_spacing),
                    .scope = SL_SCOPE_STEP,
                    .own = 1 << 2,
                    .option = "spacing",
                    .usage = "spacing of the timesteps",
                    .name = "timestep spacing",
                    .title = "%s",
                    .phrase = N_("spacing %s"),
                    .label = N_("Timestep s_pacing"),
                    .help = N_("Which of the model's timesteps are visited"),
                    .choice_labels =
                        (const char *const[]){N_("As the model has it"), N_("Linspace"),
                                              N_("Leading"), N_("Trailing")},
                    .of_model_phrase = N_("the model’s spacing"),
                },
            [SL_SETTING_VARIANCE] =
                {
                    .id = SL_SETTING_VARIANCE,
                    .schedule = true,
                    PLACE(variance),
                    .kind = SL_KIND_CHOICE,
                    .choices = (const char *const[]){"model", "fixed_small", "fixed_small_log",
                                                     "fixed_large", NULL},
                    TAKES(takes_variance),
                    .scope = SL_SCOPE_STEP,
                    .own = 1 << 9,
                    .option = "variance",
                    .usage = "of the noise that DDPM adds at each step",
                    .name = "variance",
                    .title = "variance %s",
                    .phrase = N_("variance %s"),
                    .label = N_("_Variance"),
                    .help = N_("How strong the fresh noise is that DDPM adds at each step"),
                    .choice_labels =
                        (const char *const[]){N_("As the model has it"),
                                              N_("Fixed small"), N_("Fixed small, log"),
                                              N_("Fixed large")},
                    .of_model_phrase = N_("the model’s variance"),
                    .infotext = "Variance type",
                },
            [SL_SETTING_ETA] =
                {
                    .id = SL_SETTING_ETA,
                    .schedule = true,
                    PLACE(eta),
                    .kind = SL_KIND_REAL,
                    .max = 1,
                    .unset = -1,
                    .of_scheduler = offsetof(SlSchedulerInfo, default_eta),
                    .always = true,
                    TAKES(takes_eta),
                    .scope = SL_SCOPE_STEP,
                    .own = 1 << 5,
                    .option = "eta",
                    .value = "E",
                    .usage = "fresh noise per step where a scheduler has that",
                    .name = "eta",
                    .title = "eta %s",
                    .turn = 1,
                    .phrase = N_("eta %s"),
                    .label = N_("Fresh noise"),
                    .help = N_("Known as eta: how much new noise each step adds; 0 adds none, 1 as "
                               "much as "
                               "DDPM"),
                    .step = 0.1,
                    .page = 0.25,
                    .digits = 2,
                    .infotext = "Eta",
                },
            [SL_SETTING_STEPS] =
                {
                    .id = SL_SETTING_STEPS,
                    .schedule = true,
                    PLACE(steps),
                    .kind = SL_KIND_INT,
                    .min = 1,
                    .max = 1000,
                    .unset = 25,
                    .of_model = steps_of,
                    .always = true,
                    .scope = SL_SCOPE_STEP,
                    .own = 1 << 3,
                    .option = "steps",
                    .value = "N",
                    .usage = "denoising steps",
                    .name = "steps",
                    .phrase = N_("steps %s"),
                    .label = N_("_Steps"),
                    .help = N_("More steps take longer and change the picture less and less"),
                    .step = 1,
                    .page = 5,
                    .infotext = "Steps",
                    .swarmui = "steps",
                    .invokeai = "steps",
                },
            [SL_SETTING_GUIDANCE] =
                {
                    .id = SL_SETTING_GUIDANCE,
                    PLACE(guidance),
                    .kind = SL_KIND_REAL,
                    .max = 100,
                    .unset = 7.5,
                    .of_model = guidance_of,
                    .always = true,
                    .needs = SL_HAS_GUIDANCE,
                    .scope = SL_SCOPE_STEP,
                    .own = 1 << 4,
                    .option = "guidance",
                    .value = "G",
                    .usage = "how strongly the prompt counts; 1 and less: off",
                    .name = "guidance",
                    .title = "guidance %s",
                    .phrase = N_("guidance %s"),
                    .label = N_("_Guidance"),
                    .help = N_(
                        "How strictly the picture follows the prompt; 1 turns guidance off and is "
                        "twice as fast"),
                    .step = 0.5,
                    .page = 1,
                    .digits = 1,
                    .infotext = "CFG scale",
                    .swarmui = "cfgscale",
                    .invokeai = "cfg_scale",
                },
            [SL_SETTING_SEED] =
                {
                    .id = SL_SETTING_SEED,
                    PLACE(seed),
                    .kind = SL_KIND_SEED,
                    .always = true,
                    .scope = SL_SCOPE_LANE,
                    .own = 1 << 6,
                    .option = "seed",
                    .value = "N",
                    .usage = "0 to 18446744073709551615 (default: 0)",
                    .name = "seed",
                    .title = "seed %s",
                    .phrase = N_("seed %s"),
                    .label = N_("S_eed"),
                    .help = N_("The same seed and settings give the same picture again"),
                    .infotext = "Seed",
                    .swarmui = "seed",
                    .invokeai = "seed",
                },
            [SL_SETTING_NOISE] =
                {
                    .id = SL_SETTING_NOISE,
                    PLACE(noise),
                    .kind = SL_KIND_CHOICE,
                    .choices = (const char *const[]){"cpu", "cuda", NULL},
                    .always = true,
                    .scope = SL_SCOPE_LANE,
                    .own = 1 << 10,
                    .option = "noise",
                    .usage = "draw as torch does on the CPU or on CUDA",
                    .name = "noise",
                    .phrase = N_("noise %s"),
                    .label = N_("Noise source"),
                    .help = N_("Whose random numbers to repeat: PyTorch draws others on a CPU than "
                               "on a "
                               "graphics card"),
                    .choice_labels = (const char *const[]){N_("Like PyTorch on a CPU"),
                                                           N_("Like PyTorch on CUDA")},
                },
            [SL_SETTING_NOISE_THREADS] =
                {
                    .id = SL_SETTING_NOISE_THREADS,
                    PLACE(noise_threads),
                    .kind = SL_KIND_INT64,
                    .max = 1 << 30,
                    .always = true,
                    .option = "noise-threads",
                    .value = "N",
                    .usage = "cuda noise: threads of the imitated card (default: one per value)",
                    .name = "noise threads",
                },
            [SL_SETTING_WIDTH] =
                {
                    .id = SL_SETTING_WIDTH,
                    PLACE(width),
                    .kind = SL_KIND_SIDE,
                    .min = 1,
                    .max = 16384,
                    .of_model = width_of,
                    .always = true,
                    .option = "width",
                    .value = "W",
                    .usage = "pixels (default: the model's)",
                    .name = "width",
                    .label = N_("Width"),
                    .infotext = "Size-1",
                    .swarmui = "width",
                    .invokeai = "width",
                },
            [SL_SETTING_HEIGHT] =
                {
                    .id = SL_SETTING_HEIGHT,
                    PLACE(height),
                    .kind = SL_KIND_SIDE,
                    .min = 1,
                    .max = 16384,
                    .of_model = height_of,
                    .always = true,
                    .option = "height",
                    .value = "H",
                    .usage = "pixels (default: the model's)",
                    .name = "height",
                    .label = N_("Height"),
                    .infotext = "Size-2",
                    .swarmui = "height",
                    .invokeai = "height",
                },
            [SL_SETTING_CLIP_SKIP] =
                {
                    .id = SL_SETTING_CLIP_SKIP,
                    PLACE(clip_skip),
                    .kind = SL_KIND_INT,
                    .max = 100,
                    .always = true,
                    .needs = SL_HAS_CLIP,
                    .scope = SL_SCOPE_STEP,
                    .own = 1 << 11,
                    .option = "clip-skip",
                    .value = "N",
                    .usage = "text layers to leave out at the end",
                    .name = "clip skip",
                    .title = "clip skip %s",
                    .turn = 1,
                    .phrase = N_("clip skip %s"),
                    .label = N_("Skip text layers"),
                    .help = N_("Known as CLIP skip; 0 uses the whole text encoder"),
                    .step = 1,
                    .page = 1,
                    .infotext = "Clip skip",
                    .infotext_first = 1,
                    .invokeai = "clip_skip",
                },
            [SL_SETTING_TOKENIZER] =
                {
                    .id = SL_SETTING_TOKENIZER,
                    PLACE(tokenizer),
                    .kind = SL_KIND_CHOICE,
                    .choices =
                        (const char *const[]){[SL_TOKENS_AS_SAVED] = "folder",
                                              [SL_TOKENS_TRANSFORMERS_4] = "transformers-4",
                                              [SL_TOKENS_TRANSFORMERS_5] = "transformers-5",
                                              [SL_TOKENS_FTFY] = "ftfy",
                                              NULL},
                    .needs = SL_HAS_CLIP,
                    .scope = SL_SCOPE_STEP,
                    .own = 1 << 12,
                    .option = "tokenizer",
                    .usage = "whose rules split the prompt",
                    .name = "tokenizer",
                    .title = "tokens %s",
                    .turn = 1,
                    .phrase = N_("tokenizer %s"),
                    .label = N_("Tokenizer"),
                    .help = N_("Whose rules split the prompt into tokens: those of the library "
                               "that saved the model, or of another"),
                    .choice_labels = (const char *const[]){N_("As the model’s folder"),
                                                           N_("Transformers 4"),
                                                           N_("Transformers 5"),
                                                           N_("Transformers 4 with ftfy")},
                    .of_model_phrase = N_("the folder’s tokenizer"),
                    .infotext = "Tokenizer",
                },
            [SL_SETTING_CLASS_LABEL] =
                {
                    .id = SL_SETTING_CLASS_LABEL,
                    PLACE(class_label),
                    .kind = SL_KIND_INT,
                    .max = 1000000,
                    .needs = SL_HAS_CLASSES,
                    .scope = SL_SCOPE_STEP,
                    .own = 1 << 13,
                    .option = "class",
                    .value = "N",
                    .usage = "of a model with classes: which one",
                    .name = "class",
                    .title = "class %s",
                    .turn = 1,
                    .phrase = N_("class %s"),
                    .label = N_("Class"),
                    .help = N_("Which of the kinds of pictures that the model was trained on"),
                    .step = 1,
                    .page = 10,
                },
};
