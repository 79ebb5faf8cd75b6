/* options_table.c - every option of every command but the settings of a picture, which are in the
 * table of engine/recipe; and the commands (see options.h). */
#include "app/cli/options_private.h"
#include "app/recipe/recipe.h"
#include "app/record/record.h"

#include <string.h>

#define GENERATE   (1u << SL_COMMAND_GENERATE)
#define BRANCH     (1u << SL_COMMAND_BRANCH)
#define COMPARE    (1u << SL_COMMAND_COMPARE)
#define REPLAY     (1u << SL_COMMAND_REPLAY)
#define INFO       (1u << SL_COMMAND_INFO)
#define SCHEDULERS (1u << SL_COMMAND_SCHEDULERS)
#define TOKENIZE   (1u << SL_COMMAND_TOKENIZE)
#define BENCH      (1u << SL_COMMAND_BENCH)
#define MAKES      (GENERATE | COMPARE)
#define CHANGES    (MAKES | BRANCH)
#define COMPUTES   (CHANGES | REPLAY | BENCH)
#define AT(member) offsetof(SlOptions, member)

static const char *const device_names[] = {"auto", "ref", "cpu", "cuda", "check", NULL};
static const char *const dtype_names[] = {"auto",   "f32",     "bf16",   "f16", "q8",
                                          "q8/f32", "q8/bf16", "q8/f16", NULL};

static const char *const quality_names[] = {"bf16",    "f16",    "q8", "q8/f32",
                                            "q8/bf16", "q8/f16", NULL};
static const char *const yes_no[] = {"yes", "no", NULL};

const SlOption sl_option_table[] = {
    {"model", SL_OPTION_TEXT, AT(model), COMPUTES | TOKENIZE | SCHEDULERS, "PATH|NAME",
     "a diffusers folder, a .safetensors or .gguf file, or a name on the search path (default: "
     "starter)"},
    {"vae", SL_OPTION_TEXT, AT(vae), CHANGES | REPLAY | INFO, "FILE|FOLDER|NAME",
     "this VAE in place of the model's own"},
    {"unet", SL_OPTION_TEXT, AT(unet), CHANGES | REPLAY | INFO, "FILE|FOLDER|NAME",
     "this UNet in place of the model's own: a file that holds nothing else is completed so"},
    {"text-encoder", SL_OPTION_TEXT, AT(text_encoder), CHANGES | REPLAY | INFO, "FILE|FOLDER|NAME",
     "this text encoder in place of the model's own"},
    {"text-encoder-2", SL_OPTION_TEXT, AT(text_encoder_2), CHANGES | REPLAY | INFO,
     "FILE|FOLDER|NAME", "this second text encoder in place of the own one of Stable Diffusion XL"},
    {"refiner", SL_OPTION_TEXT, AT(refiner), CHANGES | REPLAY | INFO, "FILE|FOLDER|NAME",
     "a refiner of Stable Diffusion XL that goes on with what the model began (see --refine-from)"},
    {"step", SL_OPTION_INT, AT(step), BRANCH, "N", "finished steps of the picture to go on from",
     NULL, 0, 999},
    {"schedulers", SL_OPTION_LIST, AT(schedulers), COMPARE, "ID,ID,...|all",
     "a lane for each scheduler"},
    {"lane", SL_OPTION_LANES, AT(lanes), COMPARE, "NAME=VALUE,...",
     "a lane with settings of its own, given as `NAME=VALUE,...`; can be given again. NAME is one "
     "of "},
    {"grid", SL_OPTION_GRID, AT(grid), COMPARE, "x=SETTING:VALUE,... y=SETTING:VALUE,...",
     "a lane for each pair of a value across and a value down, on sheets with their names: "
     "x=scheduler:euler,ddim y=steps:10..50:20; numbers may be ranges FROM..TO:STEP, texts stand "
     "in "
     "double quotes, and of --lora a number alone is the strength. SETTING is one of those of "
     "--lane"},
    {"device", SL_OPTION_WORD, AT(device), COMPUTES, NULL, "what computes", device_names},
    {"dtype", SL_OPTION_TYPES, AT(dtype), COMPUTES, NULL,
     "in which numbers; auto: the fastest that this machine has (see info); q8: the device's usual "
     "ones with the weights of products kept in 8 bits, q8/bf16: bf16 with such weights. Behind a "
     "comma parts of the model, or all that text, step or decode have, in others: bf16,vae=f32",
     dtype_names},
    {"threads", SL_OPTION_INT, AT(threads), COMPUTES, "N", "processor threads (default: all)", NULL,
     1, 1024},
    {"latents", SL_OPTION_TEXT, AT(latents), MAKES, "FILE",
     "start from its tensor \"latents\" (unscaled noise) instead of the seed"},
    {"step-noise", SL_OPTION_TEXT, AT(step_noise), MAKES, "FILE",
     "its tensor \"noise\" is used, in order, where a scheduler draws noise"},
    {"dump", SL_OPTION_TEXT, AT(dump), GENERATE, "FILE",
     "write every step's arrays as .safetensors"},
    {"previews", SL_OPTION_TEXT, AT(previews), CHANGES | REPLAY, "FOLDER",
     "write one PNG per evaluation"},
    {"preview-decoder", SL_OPTION_TEXT, AT(preview_decoder), CHANGES | REPLAY,
     "FILE|FOLDER|NAME|none",
     "the tiny VAE that makes the previews at full size (default: taesd or taesdxl, if it is on "
     "the "
     "search path)"},
    {"word-maps", SL_OPTION_TEXT, AT(word_maps), GENERATE, "FOLDER",
     "where in the picture each word of the prompt was looked at: a PNG for each, all on "
     "words.png, "
     "and the numbers in words.json"},
    {"word-level", SL_OPTION_INT, AT(word_level), GENERATE, "N",
     "of the maps of one resolution, N of the UNet's places high (default: of all as DAAM does)",
     NULL, 1, 1024},
    {"arch", SL_OPTION_WORD, AT(arch), BENCH, NULL, "the shape to measure, with random weights"},
    {"profile", SL_OPTION_FLAG, AT(profile), BENCH, NULL,
     "where the time goes: each kind of operation and each shape, sorted, beside the least it "
     "could "
     "take"},
    {"against", SL_OPTION_TYPES, AT(against), BENCH, NULL,
     "the same in these numbers as well, and each shape of an operation side by side, first those "
     "that are slower in what --dtype says than in these",
     dtype_names},
    {"quality", SL_OPTION_WORD, AT(quality), BENCH, NULL,
     "not how long, but how near: pictures in this type beside the same ones in f32, with PSNR and "
     "SSIM",
     quality_names},
    {"maps", SL_OPTION_FLAG, AT(maps), BENCH, NULL,
     "also what steps take that leave maps of the words (see generate --word-maps)"},
    {"cached", SL_OPTION_FLAG, AT(cached), BENCH, NULL,
     "also what steps take that take over a part of an earlier one (see generate --caching)"},
    {"measure-types", SL_OPTION_FLAG, AT(measure_types), INFO, NULL,
     "measure again, in place of MODEL|FILE, which type --dtype auto is on this processor; what "
     "was "
     "measured before is forgotten"},
    {"verify", SL_OPTION_FLAG, AT(verify), REPLAY, NULL, "exit with 3 if anything is different"},
    {"sheet", SL_OPTION_PNG_FILE, AT(sheet), COMPARE, "FILE.png",
     "the lanes' pictures, labelled, on one sheet that can be replayed"},
    {"reference", SL_OPTION_INT, AT(reference), COMPARE, "N",
     "the lane that the others are measured against (default: the first, or the one that the file "
     "of --open says)",
     NULL, 1, SL_LANES_MAX},
    {"table", SL_OPTION_CSV_FILE, AT(table), COMPARE, "FILE.csv",
     "the lanes' figures, a line for each"},
    {"report", SL_OPTION_HTML_FILE, AT(report), COMPARE, "FILE.html",
     "pictures, what differs, figures, curves and settings as one page for a browser that needs "
     "nothing else"},
    {"animation", SL_OPTION_ANIMATION_FILE, AT(animation), MAKES, "FILE",
     "the development, step by step, as its name ends: .webp, lossless, which can be replayed, or "
     ".gif, .apng, .webm or .mp4 for other programs, where the libraries for it were there when "
     "Safelight was built"},
    {"animation-ms", SL_OPTION_INT, AT(animation_ms), MAKES, "MS",
     "how long the animation shows each picture, in milliseconds (default: 120); the last one is "
     "shown longer",
     NULL, SL_REEL_MS_MIN, SL_REEL_MS_MAX},
    {"animation-size", SL_OPTION_INT, AT(animation_size), MAKES, "PIXELS",
     "the animation's pictures are enlarged, each pixel to a square, until both sides have so many",
     NULL, 1, SL_REEL_SIDE_MAX},
    {"animation-captions", SL_OPTION_WORD, AT(animation_captions), MAKES, NULL,
     "whether settings, step and noise level stand on the animation (default: no; of a comparison "
     "yes)",
     yes_no},
    {"save", SL_OPTION_LANES_FILE, AT(save), COMPARE, "FILE.safelight",
     "the whole comparison, all lanes and steps, to open it again here or in the window"},
    {"save-words", SL_OPTION_FLAG, AT(save_words), COMPARE, NULL,
     "in the file of --save also what each word of the prompts did at each step, for the window"},
    {"fast", SL_OPTION_FLAG, AT(fast), COMPARE, NULL,
     "evaluate lanes of one size as one batch: faster on a GPU, with other last bits than alone"},
    {"open", SL_OPTION_LANES_FILE, AT(open), COMPARE, "FILE.safelight",
     "a saved comparison instead of lanes to compute"},
    {"align", SL_OPTION_CHOICE, AT(align), COMPARE, NULL,
     "which steps the animation shows together: the same number, noise level, or cost",
     sl_line_up_names},
    {"output", SL_OPTION_PNG_FILE, AT(output), CHANGES | REPLAY, "FILE.png",
     "where the picture or the sheet goes"},
    {"dynamic", SL_OPTION_TEXT, AT(dynamic), GENERATE | COMPARE, "N|all",
     "the prompts are templates, {a|b} and lines of files, __name__: N pictures, each with a "
     "choice and a seed of its own, or all that the templates stand for with one seed; --output "
     "x.png is then x-0001.png and so on. In a comparison, 1: the choice of the seed for all "
     "lanes, or all: the lanes for each; a lane's own prompt has its own choice"},
    {"wildcards", SL_OPTION_TEXT, AT(wildcards), GENERATE | COMPARE, "FOLDER",
     "where --dynamic looks for files first (default: the folders wildcards in and beside those of "
     "models)"},
    {"json", SL_OPTION_FLAG, AT(json), CHANGES | REPLAY | INFO | SCHEDULERS | BENCH, NULL,
     "the result as JSON"},
    {"quiet", SL_OPTION_FLAG, AT(quiet), COMPUTES, NULL, "no progress"},
    {"help", SL_OPTION_FLAG, AT(help), ~0u, NULL, "this text"},
};
const size_t sl_option_count = sizeof sl_option_table / sizeof sl_option_table[0];

/* The starter model itself, and what the families have built in. */
static const char *const *arch_names(void)
{
    enum { MAX_NAMES = 32 };
    static const char *names[MAX_NAMES + 2] = {"starter"};
    for (int i = 0; i < MAX_NAMES && (names[i + 1] = sl_shape_name(i)); i++)
        ;
    return names;
}

const char *const *sl_option_choices(const SlOption *option)
{
    return option->offset == AT(arch) ? arch_names() : option->choices;
}

const SlCommandInfo sl_commands[SL_COMMANDS] = {
    [SL_COMMAND_GENERATE] = {"generate", NULL, false, "make a picture"},
    [SL_COMMAND_BRANCH] = {"branch", "FILE.png", true,
                           "go on from a step of a picture's run with other settings"},
    [SL_COMMAND_COMPARE] = {"compare", NULL, false,
                            "the same picture with several schedulers and settings, side by side"},
    [SL_COMMAND_REPLAY] = {"replay", "FILE.png|FILE.webp|FILE.safelight", true,
                           "compute a picture, a sheet, an animation or a comparison again from "
                           "what it says, and compare"},
    [SL_COMMAND_INFO] = {"info", "MODEL|FILE", true,
                         "what a model, a picture (.png, .jpg, .webp), an animation (.webp) or a "
                         "comparison (.safelight) is"},
    [SL_COMMAND_SCHEDULERS] = {"schedulers", NULL, false,
                               "list the schedulers, with --model those that suit it"},
    [SL_COMMAND_TOKENIZE] = {"tokenize", "TEXT", true, "the token ids of a text"},
    [SL_COMMAND_BENCH] = {"bench", NULL, false, "measure how fast this machine is"},
    [SL_COMMAND_COMPLETION] = {"completion", "bash|zsh|fish", true, "print what a shell completes"},
};

SlCommand sl_command_find(const char *name)
{
    SlCommand c = 0;
    while (c < SL_COMMANDS && strcmp(sl_commands[c].name, name) != 0)
        c++;
    return c;
}

const char *sl_command_name(SlCommand command)
{
    return sl_commands[command].name;
}
