/* options.c - the table of options, and what reads it (see options.h). */
#include "app/core/options.h"
#include "app/core/lanes_file.h"
#include "app/core/recipe_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- the table ---- */

typedef enum Kind {
    FLAG,
    TEXT,
    PNG_FILE,
    WEBP_FILE,
    LANES_FILE,
    CHOICE,
    WORD,
    INT,
    REAL,
    SEED,
    SCHEDULER,
    LIST,
    LANES
} Kind;

typedef struct Option {
    const char *name;
    Kind kind;
    size_t offset;
    unsigned commands; /* a bit per SlCommand */
    const char *value; /* what help calls it */
    const char *help;
    const char *const *choices;
    double min, max;
} Option;

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
#define LANE       (1u << 30) /* a lane may have its own */
#define COMPUTES   (CHANGES | REPLAY | BENCH)
#define AT(member) offsetof(SlOptions, member)

static const char *const device_names[] = {"auto", "ref", "cpu", "cuda", "check", NULL};
static const char *const dtype_names[] = {"auto", "f32", "bf16", "f16", NULL};
static const char *const arch_names[] = {"starter", "sd15", "sdxl", NULL};

static const Option table[] = {
    {"prompt", TEXT, AT(prompt), CHANGES | LANE, "TEXT", "what to show"},
    {"negative", TEXT, AT(negative), CHANGES | LANE, "TEXT", "what to keep away from"},
    {"model", TEXT, AT(model), COMPUTES | TOKENIZE, "PATH|NAME",
     "a diffusers folder, a .safetensors file, or a name on the search path (default: starter)"},
    {"steps", INT, AT(steps), CHANGES | BENCH | LANE, "N", "denoising steps", NULL, 1, 1000},
    {"step", INT, AT(step), BRANCH, "N", "finished steps of the picture to go on from", NULL, 0,
     999},
    {"guidance", REAL, AT(guidance), CHANGES | LANE, "G",
     "how strongly the prompt counts; 1 and less: off", NULL, 0, 100},
    {"schedulers", LIST, AT(schedulers), COMPARE, "ID,ID,...|all", "a lane for each scheduler"},
    {"lane", LANES, AT(lanes), COMPARE, "NAME=VALUE,...",
     "a lane with its own scheduler, sigmas, spacing, variance, steps, guidance, seed, eta, "
     "noise, clip-skip, prompt or negative; can be given again"},
    {"scheduler", SCHEDULER, AT(scheduler), CHANGES | LANE, "ID", "see `safelight schedulers`"},
    {"sigmas", CHOICE, AT(sigmas), CHANGES | LANE, NULL, "noise levels", sl_sigmas_names},
    {"spacing", CHOICE, AT(spacing), CHANGES | LANE, NULL, "spacing of the timesteps",
     sl_spacing_names},
    {"variance", CHOICE, AT(variance), CHANGES | LANE, NULL,
     "of the noise that DDPM adds at each step", sl_variance_names},
    {"eta", REAL, AT(eta), CHANGES | LANE, "E", "fresh noise per step where a scheduler has that",
     NULL, 0, 1},
    {"seed", SEED, AT(seed), MAKES | LANE, "N", "0 to 18446744073709551615 (default: 0)"},
    {"noise", CHOICE, AT(noise), MAKES | LANE, NULL, "draw as torch does on the CPU or on CUDA",
     sl_noise_names},
    {"noise-threads", INT, AT(noise_threads), MAKES, "N",
     "cuda noise: threads of the imitated card (default: one per value)", NULL, 0, 1 << 30},
    {"width", INT, AT(width), MAKES | BENCH, "W", "pixels (default: the model's)", NULL, 1, 16384},
    {"height", INT, AT(height), MAKES | BENCH, "H", "pixels (default: the model's)", NULL, 1,
     16384},
    {"clip-skip", INT, AT(clip_skip), CHANGES | LANE, "N", "text layers to leave out at the end",
     NULL, 0, 100},
    {"device", WORD, AT(device), COMPUTES, NULL, "what computes", device_names},
    {"dtype", WORD, AT(dtype), COMPUTES, NULL, "in which numbers", dtype_names},
    {"threads", INT, AT(threads), COMPUTES, "N", "processor threads (default: all)", NULL, 1, 1024},
    {"latents", TEXT, AT(latents), MAKES, "FILE",
     "start from its tensor \"latents\" (unscaled noise) instead of the seed"},
    {"step-noise", TEXT, AT(step_noise), MAKES, "FILE",
     "its tensor \"noise\" is used, in order, where a scheduler draws noise"},
    {"dump", TEXT, AT(dump), GENERATE, "FILE", "write every step's arrays as .safetensors"},
    {"previews", TEXT, AT(previews), GENERATE, "FOLDER", "write one PNG per evaluation"},
    {"arch", WORD, AT(arch), BENCH, NULL, "the shape to measure, with random weights", arch_names},
    {"profile", FLAG, AT(profile), BENCH, NULL,
     "where the time goes: each kind of operation and each shape, sorted, beside the least it "
     "could "
     "take"},
    {"verify", FLAG, AT(verify), REPLAY, NULL, "exit with 3 if anything is different"},
    {"sheet", PNG_FILE, AT(output), COMPARE, "FILE.png",
     "the lanes' pictures, labelled, on one sheet that can be replayed"},
    {"animation", WEBP_FILE, AT(animation), MAKES, "FILE.webp",
     "the development, step by step, as an animated WebP"},
    {"save", LANES_FILE, AT(save), COMPARE, "FILE.safelight",
     "the whole comparison, all lanes and steps, to open it again here or in the window"},
    {"fast", FLAG, AT(fast), COMPARE, NULL,
     "evaluate lanes of one size as one batch: faster on a GPU, with other last bits than alone"},
    {"open", LANES_FILE, AT(open), COMPARE, "FILE.safelight",
     "a saved comparison instead of lanes to compute"},
    {"align", CHOICE, AT(align), COMPARE, NULL,
     "which steps the animation shows together: the same number, noise level, or cost",
     sl_line_up_names},
    {"output", PNG_FILE, AT(output), CHANGES | REPLAY, "FILE.png",
     "where the picture or the sheet goes"},
    {"json", FLAG, AT(json), CHANGES | REPLAY | INFO | SCHEDULERS | BENCH, NULL,
     "the result as JSON"},
    {"quiet", FLAG, AT(quiet), COMPUTES, NULL, "no progress"},
    {"help", FLAG, AT(help), ~0u, NULL, "this text"},
};
#define OPTIONS (sizeof table / sizeof table[0])

typedef struct Command {
    const char *name;
    const char *argument; /* what it takes besides options, or NULL */
    bool needs_argument;
    const char *help;
} Command;

static const Command commands[SL_COMMANDS] = {
    [SL_COMMAND_GENERATE] = {"generate", NULL, false, "make a picture"},
    [SL_COMMAND_BRANCH] = {"branch", "FILE.png", true,
                           "go on from a step of a picture's run with other settings"},
    [SL_COMMAND_COMPARE] = {"compare", NULL, false,
                            "the same picture with several schedulers and settings, side by side"},
    [SL_COMMAND_REPLAY] = {"replay", "FILE.png|FILE.webp|FILE.safelight", true,
                           "compute a picture, a sheet, an animation or a comparison again from "
                           "what it says, and compare"},
    [SL_COMMAND_INFO] = {"info", "MODEL|FILE.png", true, "what a model or a picture is"},
    [SL_COMMAND_SCHEDULERS] = {"schedulers", NULL, false, "list the schedulers"},
    [SL_COMMAND_TOKENIZE] = {"tokenize", "TEXT", true, "the token ids of a text"},
    [SL_COMMAND_BENCH] = {"bench", NULL, false, "measure how fast this machine is"},
};

SlCommand sl_command_find(const char *name)
{
    SlCommand c = 0;
    while (c < SL_COMMANDS && strcmp(commands[c].name, name) != 0)
        c++;
    return c;
}

const char *sl_command_name(SlCommand command)
{
    return commands[command].name;
}

/* ---- values ---- */

static void *place_of(SlOptions *o, const Option *option)
{
    return (char *)o + option->offset;
}

static void list_choices(SlText *text, const char *const *choices)
{
    for (int i = 0; choices[i]; i++)
        sl_text_addf(text, "%s%s", i ? ", " : "", choices[i]);
}

static bool refuse(const Option *option, const char *value, const char *expected, SlError *err)
{
    return sl_fail(err, SL_ARGUMENT, "--%s is \"%.200s\"; expected %s", option->name, value,
                   expected);
}

static bool take_choice(const Option *option, const char *value, int *index, SlError *err)
{
    for (int i = 0; option->choices[i]; i++) {
        if (strcmp(option->choices[i], value) == 0) {
            *index = i;
            return true;
        }
    }
    SlText text = {0};
    list_choices(&text, option->choices);
    refuse(option, value, text.data ? text.data : "another word", err);
    sl_text_free(&text);
    return false;
}

static bool refuse_scheduler(const Option *option, const char *value, SlError *err)
{
    SlText text = {0};
    for (int i = 0; i < sl_scheduler_count(); i++)
        sl_text_addf(&text, "%s%s", i ? ", " : "", sl_scheduler_info(i)->id);
    refuse(option, value, text.data ? text.data : "a scheduler", err);
    sl_text_free(&text);
    return false;
}

static bool check_list(const Option *option, const char *value, SlError *err)
{
    int count = 0;
    if (strcmp(value, "all") == 0)
        return true;
    for (const char *p = value;; p++) {
        char id[32];
        size_t n = strcspn(p, ",");
        snprintf(id, sizeof id, "%.*s", (int)(n < sizeof id ? n : sizeof id - 1), p);
        if (!sl_scheduler_find(id))
            return refuse_scheduler(option, id, err);
        if (++count > SL_COMPARE_MAX)
            return refuse(option, value, "at most 64 schedulers", err);
        p += n;
        if (!*p)
            return true;
    }
}

static bool take_number(const Option *option, const char *value, SlOptions *o, SlError *err)
{
    char expected[100];
    snprintf(expected, sizeof expected, "%s from %.0f to %.0f",
             option->kind == INT ? "a whole number" : "a number", option->min, option->max);
    if (option->kind == INT) {
        int64_t *place = place_of(o, option);
        return sl_parse_int(value, (int64_t)option->min, (int64_t)option->max, place) ||
               refuse(option, value, expected, err);
    }
    double number;
    if (!sl_parse_double(value, &number) || number < option->min || number > option->max)
        return refuse(option, value, expected, err);
    memcpy(place_of(o, option), &number, sizeof number);
    return true;
}

static bool ends_in(const char *path, const char *suffix)
{
    size_t n = strlen(path), m = strlen(suffix);
    return n > m && strcasecmp(path + n - m, suffix) == 0;
}

static bool take_lane(const Option *option, const char *value, SlOptions *o, SlError *err)
{
    if (o->lane_count == SL_COMPARE_MAX)
        return refuse(option, value, "at most 64 lanes", err);
    o->lanes[o->lane_count++] = value;
    return true;
}

static bool take_value(const Option *option, const char *value, SlOptions *o, SlError *err)
{
    void *place = place_of(o, option);
    int index;
    switch (option->kind) {
    case FLAG:
        *(bool *)place = true;
        return true;
    case INT:
    case REAL:
        return take_number(option, value, o, err);
    case SEED:
        return sl_parse_u64(value, place) ||
               refuse(option, value, "a whole number from 0 to 18446744073709551615", err);
    case CHOICE:
        return take_choice(option, value, place, err);
    case WORD:
        if (!take_choice(option, value, &index, err))
            return false;
        break;
    case SCHEDULER:
        if (!sl_scheduler_find(value))
            return refuse_scheduler(option, value, err);
        break;
    case LIST:
        if (!check_list(option, value, err))
            return false;
        break;
    case PNG_FILE:
        if (!ends_in(value, ".png"))
            return refuse(option, value, "a name that ends in .png", err);
        break;
    case WEBP_FILE:
        if (!ends_in(value, ".webp"))
            return refuse(option, value, "a name that ends in .webp", err);
        break;
    case LANES_FILE:
        if (!ends_in(value, SL_LANES_SUFFIX))
            return refuse(option, value, "a name that ends in " SL_LANES_SUFFIX, err);
        break;
    case LANES:
        return take_lane(option, value, o, err);
    case TEXT:
        break;
    }
    memcpy(place, &value, sizeof value);
    return true;
}

/* ---- the line ---- */

static const Option *find_option(SlCommand command, const char *name, size_t length)
{
    for (size_t i = 0; i < OPTIONS; i++)
        if ((table[i].commands & 1u << command) && strlen(table[i].name) == length &&
            memcmp(table[i].name, name, length) == 0)
            return &table[i];
    return NULL;
}

/* One "--name", "--name value" or "--name=value" at argv[*i]; moves *i to its last word. */
static bool take_option(SlCommand command, int argc, char **argv, int *i, SlOptions *o,
                        SlError *err)
{
    const char *word = argv[*i], *name = word + 2;
    size_t length = strcspn(name, "=");
    const Option *option = strncmp(word, "--", 2) == 0 ? find_option(command, name, length) : NULL;
    const char *value = strcmp(word, "-h") != 0 && name[length] == '=' ? name + length + 1 : NULL;
    if (strcmp(word, "-h") == 0)
        option = find_option(command, "help", 4);
    if (!option)
        return sl_fail(err, SL_ARGUMENT, "%s has no option %.100s; see `safelight %s --help`",
                       commands[command].name, word, commands[command].name);
    if (option->kind == FLAG && value)
        return sl_fail(err, SL_ARGUMENT, "--%s takes no value", option->name);
    if (option->kind != FLAG && !value) {
        if (*i + 1 >= argc)
            return sl_fail(err, SL_ARGUMENT, "--%s needs a value", option->name);
        value = argv[++*i];
    }
    return take_value(option, value, o, err);
}

static bool take_argument(SlCommand command, const char *word, SlOptions *o, SlError *err)
{
    const Command *c = &commands[command];
    if (!c->argument || o->argument)
        return sl_fail(err, SL_ARGUMENT, "%s does not expect \"%.200s\"; see `safelight %s --help`",
                       c->name, word, c->name);
    o->argument = word;
    return true;
}

static bool check_complete(const SlOptions *o, SlError *err)
{
    const Command *c = &commands[o->command];
    if (c->needs_argument && !o->argument)
        return sl_fail(err, SL_ARGUMENT, "%s needs %s", c->name, c->argument);
    if (o->command == SL_COMMAND_COMPARE && !o->schedulers && !o->lane_count && !o->open)
        return sl_fail(err, SL_ARGUMENT, "compare needs --schedulers, --lane or --open");
    if (o->open && (o->schedulers || o->lane_count))
        return sl_fail(err, SL_ARGUMENT, "compare takes --open or lanes to compute, not both");
    if (o->command == SL_COMMAND_BRANCH && (o->step < 0 || !o->output))
        return sl_fail(err, SL_ARGUMENT, "branch needs --step and --output");
    if (o->command == SL_COMMAND_BENCH && o->arch && o->model)
        return sl_fail(err, SL_ARGUMENT, "bench takes --arch or --model, not both");
    return true;
}

bool sl_options_parse(SlCommand command, int argc, char **argv, SlOptions *o, SlError *err)
{
    *o = (SlOptions){.command = command,
                     .sigmas = -1,
                     .spacing = -1,
                     .variance = -1,
                     .noise = -1,
                     .align = SL_LINE_UP_EVALUATIONS,
                     .eta = -1,
                     .guidance = -1,
                     .steps = -1,
                     .step = -1,
                     .width = -1,
                     .height = -1,
                     .clip_skip = -1,
                     .noise_threads = -1,
                     .threads = -1};
    bool only_arguments = false;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        bool option = !only_arguments && word[0] == '-' && word[1];
        if (option && strcmp(word, "--") == 0)
            only_arguments = true;
        else if (!(option ? take_option(command, argc, argv, &i, o, err)
                          : take_argument(command, word, o, err)))
            return false;
    }
    return o->help || check_complete(o, err);
}

int sl_options_schedulers(const SlOptions *o, const char *ids[SL_COMPARE_MAX])
{
    int count = 0;
    if (o->schedulers && strcmp(o->schedulers, "all") == 0) {
        while (count < sl_scheduler_count()) {
            ids[count] = sl_scheduler_info(count)->id;
            count++;
        }
        return count;
    }
    for (const char *p = o->schedulers; p && *p && count < SL_COMPARE_MAX;) {
        char id[32];
        size_t n = strcspn(p, ",");
        snprintf(id, sizeof id, "%.*s", (int)n, p);
        ids[count++] = sl_scheduler_find(id)->id;
        p += n + (p[n] == ',');
    }
    return count;
}

/* ---- lanes ---- */

/* The setting whose name and '=' text starts with, or NULL. */
static const Option *lane_setting(const char *text)
{
    size_t n = strcspn(text, "=,");
    for (size_t i = 0; text[n] == '=' && i < OPTIONS; i++)
        if (table[i].kind != FLAG && (table[i].commands & LANE) && strlen(table[i].name) == n &&
            strncmp(table[i].name, text, n) == 0)
            return &table[i];
    return NULL;
}

static void list_lane_settings(SlText *text)
{
    for (size_t i = 0; i < OPTIONS; i++)
        if (table[i].kind != FLAG && (table[i].commands & LANE))
            sl_text_addf(text, "%s%s", text->length ? ", " : "", table[i].name);
}

/* Where the next setting starts, or NULL; cuts the text before it. */
static char *cut_lane(char *value)
{
    for (char *comma = strchr(value, ','); comma; comma = strchr(comma + 1, ',')) {
        if (lane_setting(comma + 1)) {
            *comma = 0;
            return comma + 1;
        }
    }
    return NULL;
}

bool sl_options_lane(char *text, SlOptions *lane, SlError *err)
{
    for (char *next; text; text = next) {
        const Option *option = lane_setting(text);
        SlError problem = {0};
        if (!option) {
            SlText names = {0};
            list_lane_settings(&names);
            sl_fail(err, SL_ARGUMENT, "--lane has \"%.100s\"; expected NAME=VALUE with one of %s",
                    text, names.data ? names.data : "the settings");
            sl_text_free(&names);
            return false;
        }
        next = cut_lane(text);
        if (!take_value(option, text + strlen(option->name) + 1, lane, &problem))
            return sl_fail(err, SL_ARGUMENT, "in a --lane, %s", problem.message);
    }
    return true;
}

/* ---- help ---- */

static void help_option(SlText *text, const Option *option)
{
    SlText left = {0};
    sl_text_addf(&left, "--%s", option->name);
    if (option->choices) {
        for (int i = 0; option->choices[i]; i++)
            sl_text_addf(&left, "%s%s", i ? "|" : " ", option->choices[i]);
    } else if (option->kind == SCHEDULER || option->value) {
        sl_text_addf(&left, " %s", option->value);
    }
    if (left.length > 28)
        sl_text_addf(text, "  %s\n  %-28s  ", left.data, "");
    else
        sl_text_addf(text, "  %-28s  ", left.data ? left.data : "");
    sl_text_add(text, option->help);
    if (option->kind == INT || option->kind == REAL)
        sl_text_addf(text, " (%.0f to %.0f)", option->min, option->max);
    sl_text_add(text, "\n");
    sl_text_free(&left);
}

static void help_program(SlText *text)
{
    sl_text_add(text, "Safelight: watch a picture come up out of the noise.\n\n"
                      "  safelight                     open the window\n"
                      "  safelight FILE.png|MODEL      open the window with it\n"
                      "  safelight COMMAND [OPTION...]\n\nCommands:\n");
    for (int i = 0; i < SL_COMMANDS; i++) {
        SlText left = {0};
        const char *argument = commands[i].argument;
        sl_text_addf(&left, "%s%s%s", commands[i].name, argument ? " " : "",
                     argument ? argument : "");
        sl_text_addf(text, "  %-28s  %s\n", left.data ? left.data : "", commands[i].help);
        sl_text_free(&left);
    }
    sl_text_add(
        text, "\n`safelight COMMAND --help` lists a command's options.\n\n"
              "Exit status: 0 done, 1 the run failed, 2 wrong usage, 3 --verify found a\n"
              "difference, 130 interrupted (the last finished step is saved, marked as partial).\n"
              "Models are looked for in $SAFELIGHT_MODELS, $XDG_DATA_HOME/safelight/models and\n"
              "the installed models.\n");
}

char *sl_options_help(SlCommand command)
{
    SlText text = {0};
    if (command == SL_COMMANDS) {
        help_program(&text);
        return sl_text_take(&text);
    }
    const Command *c = &commands[command];
    sl_text_addf(&text, "safelight %s [OPTION...]%s%s: %s\n\n", c->name, c->argument ? " " : "",
                 c->argument ? c->argument : "", c->help);
    for (size_t i = 0; i < OPTIONS; i++)
        if (table[i].commands & 1u << command)
            help_option(&text, &table[i]);
    return sl_text_take(&text);
}
