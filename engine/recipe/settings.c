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
                   sizeof(SlVariance) == sizeof(int) && sizeof(SlNoiseKind) == sizeof(int) &&
                   sizeof(SlEmptyNegative) == sizeof(int) &&
                   sizeof(SlPredictionChoice) == sizeof(int) && sizeof(SlZeroSnr) == sizeof(int),
               "choices are read and written as int");

static void scheduler_of(SlRecipe *recipe, const SlModelInfo *info)
{
    recipe->scheduler = *info->unknown_scheduler ? NULL : info->scheduler;
}

static void steps_of(SlRecipe *recipe, const SlModelInfo *info)
{
    recipe->steps = info->distilled ? info->distilled->steps : info->pipeline->steps;
}

static void guidance_of(SlRecipe *recipe, const SlModelInfo *info)
{
    recipe->guidance = info->distilled ? info->distilled->guidance : info->pipeline->guidance;
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
            [SL_SETTING_ORIGINAL_WIDTH] =
                {
                    .id = SL_SETTING_ORIGINAL_WIDTH,
                    PLACE(original_width),
                    .kind = SL_KIND_INT,
                    .max = 16384,
                    .needs = SL_HAS_SIZES,
                    .scope = SL_SCOPE_STEP,
                    .own = 1 << 14,
                    .option = "original-width",
                    .value = "W",
                    .usage = "told to SDXL: the original's width (default: the picture's)",
                    .name = "original width",
                    .title = "original width %s",
                    .turn = 1,
                    .phrase = N_("original width %s"),
                    .label = N_("Original width"),
                    .help = N_("Told to the model: how wide its picture was before it was made "
                               "smaller; small numbers give blurred pictures; 0 is the picture’s"),
                    .step = 64,
                    .page = 256,
                },
            [SL_SETTING_ORIGINAL_HEIGHT] =
                {
                    .id = SL_SETTING_ORIGINAL_HEIGHT,
                    PLACE(original_height),
                    .kind = SL_KIND_INT,
                    .max = 16384,
                    .needs = SL_HAS_SIZES,
                    .scope = SL_SCOPE_STEP,
                    .own = 1 << 15,
                    .option = "original-height",
                    .value = "H",
                    .usage = "the same: its height",
                    .name = "original height",
                    .title = "original height %s",
                    .turn = 1,
                    .phrase = N_("original height %s"),
                    .label = N_("Original height"),
                    .help = N_("Told to the model: how high its picture was before it was made "
                               "smaller; 0 is the picture’s"),
                    .step = 64,
                    .page = 256,
                },
            [SL_SETTING_CROP_LEFT] =
                {
                    .id = SL_SETTING_CROP_LEFT,
                    PLACE(crop_left),
                    .kind = SL_KIND_INT,
                    .max = 16384,
                    .needs = SL_HAS_SIZES,
                    .scope = SL_SCOPE_STEP,
                    .own = 1 << 16,
                    .option = "crop-left",
                    .value = "X",
                    .usage = "told to SDXL: pixels cut off on the left",
                    .name = "crop left",
                    .title = "crop left %s",
                    .turn = 1,
                    .phrase = N_("crop left %s"),
                    .label = N_("Crop left"),
                    .help = N_("Told to the model: how much of its picture was cut off on the "
                               "left; "
                               "0 keeps what is shown in the middle"),
                    .step = 8,
                    .page = 64,
                },
            [SL_SETTING_CROP_TOP] =
                {
                    .id = SL_SETTING_CROP_TOP,
                    PLACE(crop_top),
                    .kind = SL_KIND_INT,
                    .max = 16384,
                    .needs = SL_HAS_SIZES,
                    .scope = SL_SCOPE_STEP,
                    .own = 1 << 17,
                    .option = "crop-top",
                    .value = "Y",
                    .usage = "the same: at the top",
                    .name = "crop top",
                    .title = "crop top %s",
                    .turn = 1,
                    .phrase = N_("crop top %s"),
                    .label = N_("Crop top"),
                    .help = N_("Told to the model: how much of its picture was cut off at the top"),
                    .step = 8,
                    .page = 64,
                },
            [SL_SETTING_TARGET_WIDTH] =
                {
                    .id = SL_SETTING_TARGET_WIDTH,
                    PLACE(target_width),
                    .kind = SL_KIND_INT,
                    .max = 16384,
                    .needs = SL_HAS_SIZES,
                    .scope = SL_SCOPE_STEP,
                    .own = 1 << 18,
                    .option = "target-width",
                    .value = "W",
                    .usage = "told to SDXL: the picture's width (default: as it is)",
                    .name = "target width",
                    .title = "target width %s",
                    .turn = 1,
                    .phrase = N_("target width %s"),
                    .label = N_("Target width"),
                    .help = N_("Told to the model: how wide the picture is to be; 0 is as it is"),
                    .step = 64,
                    .page = 256,
                },
            [SL_SETTING_TARGET_HEIGHT] =
                {
                    .id = SL_SETTING_TARGET_HEIGHT,
                    PLACE(target_height),
                    .kind = SL_KIND_INT,
                    .max = 16384,
                    .needs = SL_HAS_SIZES,
                    .scope = SL_SCOPE_STEP,
                    .own = 1 << 19,
                    .option = "target-height",
                    .value = "H",
                    .usage = "the same: its height",
                    .name = "target height",
                    .title = "target height %s",
                    .turn = 1,
                    .phrase = N_("target height %s"),
                    .label = N_("Target height"),
                    .help = N_("Told to the model: how high the picture is to be; 0 is as it is"),
                    .step = 64,
                    .page = 256,
                },
            [SL_SETTING_EMPTY_NEGATIVE] =
                {
                    .id = SL_SETTING_EMPTY_NEGATIVE,
                    PLACE(empty_negative),
                    .kind = SL_KIND_CHOICE,
                    .choices = (const char *const[]){"model", "zeros", "encoded", NULL},
                    .needs = SL_HAS_ZEROS,
                    .scope = SL_SCOPE_STEP,
                    .own = 1 << 20,
                    .option = "empty-negative",
                    .usage = "what an empty negative prompt is for SDXL",
                    .name = "empty negative prompt",
                    .title = "empty negative prompt %s",
                    .turn = 1,
                    .phrase = N_("empty negative prompt %s"),
                    .label = N_("Empty negative prompt"),
                    .help = N_("What the model is told where there is no negative prompt: zeros, "
                               "or "
                               "a text of no words"),
                    .choice_labels = (const char *const[]){N_("As the model has it"), N_("Zeros"),
                                                           N_("A text of no words")},
                    .of_model_phrase = N_("the model’s empty negative prompt"),
                },
            [SL_SETTING_GUIDANCE_RESCALE] =
                {
                    .id = SL_SETTING_GUIDANCE_RESCALE,
                    PLACE(guidance_rescale),
                    .kind = SL_KIND_REAL,
                    .max = 1,
                    .needs = SL_HAS_GUIDANCE,
                    .scope = SL_SCOPE_STEP,
                    .own = 1 << 21,
                    .option = "guidance-rescale",
                    .value = "R",
                    .usage = "takes back how much guidance enlarges contrast: 0 not, 1 all of it",
                    .name = "guidance rescale",
                    .title = "guidance rescale %s",
                    .turn = 1,
                    .phrase = N_("guidance rescale %s"),
                    .label = N_("Guidance rescale"),
                    .help = N_("Takes back what strong guidance adds to contrast; 0.7 suits models "
                               "with zero terminal SNR"),
                    .step = 0.1,
                    .page = 0.25,
                    .digits = 2,
                    .infotext = "CFG Rescale phi",
                },
            [SL_SETTING_PREDICTION] =
                {
                    .id = SL_SETTING_PREDICTION,
                    .schedule = true,
                    PLACE(prediction),
                    .kind = SL_KIND_CHOICE,
                    .choices =
                        (const char *const[]){"model", "epsilon", "v_prediction", "sample", NULL},
                    .scope = SL_SCOPE_STEP,
                    .own = 1 << 22,
                    .option = "prediction",
                    .usage = "what the model predicts, where its files say it wrongly or not",
                    .name = "prediction",
                    .title = "prediction %s",
                    .turn = 1,
                    .phrase = N_("prediction %s"),
                    .label = N_("Prediction"),
                    .help = N_("What the model was trained to predict; wrong, its pictures are "
                               "nothing but noise"),
                    .choice_labels = (const char *const[]){N_("As the model has it"),
                                                           N_("The noise (epsilon)"), N_("v"),
                                                           N_("The picture (sample)")},
                    .of_model_phrase = N_("the model’s prediction"),
                },
            [SL_SETTING_ZERO_SNR] =
                {
                    .id = SL_SETTING_ZERO_SNR,
                    .schedule = true,
                    PLACE(zero_snr),
                    .kind = SL_KIND_CHOICE,
                    .choices = (const char *const[]){"model", "no", "yes", NULL},
                    .scope = SL_SCOPE_STEP,
                    .own = 1 << 23,
                    .option = "zero-snr",
                    .usage = "whether the model starts from nothing but noise (zero terminal SNR)",
                    .name = "zero terminal SNR",
                    .title = "zero terminal SNR %s",
                    .turn = 1,
                    .phrase = N_("zero terminal SNR %s"),
                    .label = N_("Zero terminal SNR"),
                    .help = N_("Whether the model was trained to start from nothing but noise; "
                               "such "
                               "models can paint the dark and the bright, with trailing timesteps"),
                    .choice_labels =
                        (const char *const[]){N_("As the model has it"), N_("No"), N_("Yes")},
                    .of_model_phrase = N_("the model’s zero terminal SNR"),
                },
            [SL_SETTING_LORA] =
                {
                    .id = SL_SETTING_LORA,
                    PLACE(lora),
                    .kind = SL_KIND_TEXT,
                    .check = sl_adapter_uses_check,
                    .joined = "; ",
                    .needs = SL_HAS_ADAPTERS,
                    .scope = SL_SCOPE_STEP,
                    .own = 1 << 24,
                    .option = "lora",
                    .value = "FILE[:UNET[:TEXT]][@FROM-TO]",
                    .usage = "a LoRA or one of its relatives, a file or a name in the folder loras "
                             "beside the models; its strength for the UNet and for the texts (1 as "
                             "trained, 0 not); and in which part of the steps, like @0-0.5; can be "
                             "given again",
                    .name = "LoRA",
                    .title = "LoRA %s",
                    .turn = 2,
                    .phrase = N_("LoRA %s"),
                    .another = N_("other LoRAs"),
                    .label = N_("_LoRA"),
                    .help = N_("Files in the folder loras beside the models, each with its "
                               "strength: "
                               "cat:0.8; dog:0.5:0@0-0.5 is 0.5 for the picture, 0 for the words, "
                               "in "
                               "the first half of the steps"),
                },
            [SL_SETTING_REFINE_FROM] =
                {
                    .id = SL_SETTING_REFINE_FROM,
                    .schedule = true,
                    PLACE(refine_from),
                    .kind = SL_KIND_REAL,
                    .min = 0.01,
                    .max = 1,
                    .usual = 0.8,
                    .needs = SL_HAS_REFINER,
                    .scope = SL_SCOPE_STEP,
                    .own = 1 << 25,
                    .option = "refine-from",
                    .value = "E",
                    .usage = "with --refiner: after how much of the noise it goes on; 1: never "
                             "(default: 0.8)",
                    .name = "refine from",
                    .title = "refined from %s",
                    .turn = 1,
                    .phrase = N_("refined from %s"),
                    .label = N_("Refine from"),
                    .help = N_("The share of the noise that is gone when the refiner goes on: 0.8 "
                               "leaves "
                               "the last fifth to it; at 1 it does nothing"),
                    .step = 0.05,
                    .page = 0.1,
                    .digits = 2,
                    .infotext = "Refiner switch at",
                },
            [SL_SETTING_AESTHETIC_SCORE] =
                {
                    .id = SL_SETTING_AESTHETIC_SCORE,
                    PLACE(aesthetic_score),
                    .kind = SL_KIND_REAL,
                    .max = 10,
                    .unset = 6,
                    .needs = SL_HAS_AESTHETICS,
                    .scope = SL_SCOPE_STEP,
                    .own = 1 << 26,
                    .option = "aesthetic-score",
                    .value = "S",
                    .usage =
                        "told to SDXL's refiner: how beautiful the picture is to be (default: 6)",
                    .name = "aesthetic score",
                    .title = "aesthetic score %s",
                    .turn = 1,
                    .phrase = N_("aesthetic score %s"),
                    .label = N_("Aesthetic score"),
                    .help = N_("Told to the refiner: how beautiful the picture is to be, from 1 to "
                               "10"),
                    .step = 0.5,
                    .page = 1,
                    .digits = 1,
                },
            [SL_SETTING_NEGATIVE_AESTHETIC_SCORE] =
                {
                    .id = SL_SETTING_NEGATIVE_AESTHETIC_SCORE,
                    PLACE(negative_aesthetic_score),
                    .kind = SL_KIND_REAL,
                    .max = 10,
                    .unset = 2.5,
                    .needs = SL_HAS_AESTHETICS,
                    .scope = SL_SCOPE_STEP,
                    .own = 1 << 27,
                    .option = "negative-aesthetic-score",
                    .value = "S",
                    .usage = "the same with the negative prompt (default: 2.5)",
                    .name = "negative aesthetic score",
                    .title = "negative aesthetic score %s",
                    .turn = 1,
                    .phrase = N_("negative aesthetic score %s"),
                    .label = N_("Negative aesthetic score"),
                    .help = N_("Told to the refiner with the negative prompt: how beautiful what "
                               "the "
                               "picture keeps away from is"),
                    .step = 0.5,
                    .page = 1,
                    .digits = 1,
                },
            [SL_SETTING_PROMPT_MODE] =
                {
                    .id = SL_SETTING_PROMPT_MODE,
                    PLACE(prompt_mode),
                    .kind = SL_KIND_CHOICE,
                    .choices =
                        (const char *const[]){[SL_PROMPT_PLAIN] = "plain",
                                              [SL_PROMPT_A1111] = "a1111",
                                              [SL_PROMPT_COMFYUI] = "comfyui",
                                              [SL_PROMPT_COMPEL] = "compel",
                                              NULL},
                    .needs = SL_HAS_CLIP,
                    .scope = SL_SCOPE_STEP,
                    .own = 1 << 28,
                    .option = "prompt-mode",
                    .usage = "whose language the prompts are in: weights, schedules, long texts",
                    .name = "prompt mode",
                    .title = "prompt mode %s",
                    .turn = 1,
                    .phrase = N_("prompt mode %s"),
                    .label = N_("Prompt mode"),
                    .help = N_("Whose language the prompts are in: plain text, or the weights and "
                               "brackets of another program"),
                    .choice_labels =
                        (const char *const[]){N_("Plain text"), N_("A1111: (word:1.2), [a:b:0.5]"),
                                              N_("ComfyUI: (word:1.2)"), N_("compel: word++")},
                    .of_model_phrase = N_("plain prompts"),
                    .infotext = "Prompt mode",
                },
            [SL_SETTING_EMPHASIS] =
                {
                    .id = SL_SETTING_EMPHASIS,
                    PLACE(emphasis),
                    .kind = SL_KIND_CHOICE,
                    .choices = (const char *const[]){[SL_EMPHASIS_ORIGINAL] = "original",
                                                     [SL_EMPHASIS_NO_NORM] = "no-norm",
                                                     [SL_EMPHASIS_IGNORE] = "ignore",
                                                     [SL_EMPHASIS_NONE] = "none",
                                                     NULL},
                    .needs = SL_HAS_CLIP,
                    .scope = SL_SCOPE_STEP,
                    .own = 1 << 29,
                    .option = "emphasis",
                    .usage = "with --prompt-mode a1111: what weights do; no-norm: the words' mean "
                             "is not restored, ignore: nothing, none: their brackets are text",
                    .name = "emphasis",
                    .title = "emphasis %s",
                    .turn = 1,
                    .phrase = N_("emphasis %s"),
                    .label = N_("Emphasis of A1111"),
                    .help = N_("What weights do in the prompt mode A1111; no norm is stronger, and "
                               "better for Stable Diffusion XL"),
                    .choice_labels =
                        (const char *const[]){N_("Original"), N_("No norm"), N_("Weights ignored"),
                                              N_("Brackets are text")},
                    .of_model_phrase = N_("the original emphasis"),
                    .infotext = "Emphasis",
                    .infotext_choices =
                        (const char *const[]){"Original", "No norm", "Ignore", "None", NULL},
                },
            [SL_SETTING_PROMPT_TEMPLATE] =
                {
                    .id = SL_SETTING_PROMPT_TEMPLATE,
                    PLACE(prompt_template),
                    .kind = SL_KIND_TEXT,
                    .needs = SL_HAS_PROMPT,
                    .name = "prompt's template",
                    .infotext = "Template",
                },
            [SL_SETTING_NEGATIVE_TEMPLATE] =
                {
                    .id = SL_SETTING_NEGATIVE_TEMPLATE,
                    PLACE(negative_template),
                    .kind = SL_KIND_TEXT,
                    .needs = SL_HAS_NEGATIVE_PROMPT,
                    .name = "negative prompt's template",
                    .infotext = "Negative Template",
                },
            [SL_SETTING_EMBEDDING] =
                {
                    .id = SL_SETTING_EMBEDDING,
                    PLACE(embedding),
                    .kind = SL_KIND_TEXT,
                    .check = sl_embedding_uses_check,
                    .joined = "; ",
                    .needs = SL_HAS_CLIP,
                    .scope = SL_SCOPE_STEP,
                    .own = 1 << 30,
                    .option = "embedding",
                    .value = "FILE[:WORD]",
                    .usage =
                        "a textual inversion, a file or a name in the folder embeddings beside "
                        "the models, and the word that stands for it in the prompts; can be "
                        "given again",
                    .name = "embedding",
                    .title = "embedding %s",
                    .turn = 2,
                    .phrase = N_("embedding %s"),
                    .another = N_("other embeddings"),
                    .label = N_("_Embeddings"),
                    .help = N_("Textual inversions: files in the folder embeddings beside the "
                               "models, "
                               "each with the word that stands for it in the prompts: cat; "
                               "dog:<my-dog>"),
                },
            [SL_SETTING_EMBEDDING_END] =
                {
                    .id = SL_SETTING_EMBEDDING_END,
                    PLACE(embedding_end),
                    .kind = SL_KIND_CHOICE,
                    .choices = (const char *const[]){"text", "vectors", NULL},
                    .needs = SL_HAS_CLIP,
                    .option = "embedding-end",
                    .usage = "where a text with embeddings ends for the pooled text of Stable "
                             "Diffusion XL; vectors: at the embedding, as transformers has it for "
                             "configurations with eos_token_id 2",
                    .name = "end of texts with embeddings",
                },
};
