/* options.c - what reads the command line by the tables of settings and of options (see
 * options.h). */
#include "app/cli/options_private.h"

#include "app/files/files.h"
#include "app/recipe/recipe.h"
#include "app/record/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- values ---- */

static void *place_of(SlOptions *o, const SlOption *option)
{
    return (char *)o + option->offset;
}

static void list_choices(SlText *text, const char *const *choices)
{
    for (int i = 0; choices[i]; i++)
        sl_text_addf(text, "%s%s", i ? ", " : "", choices[i]);
}

static bool refuse(const SlOption *option, const char *value, const char *expected, SlError *err)
{
    return sl_fail(err, SL_ARGUMENT, "--%s is \"%.200s\"; expected %s", option->name, value,
                   expected);
}

static bool take_choice(const SlOption *option, const char *value, int *index, SlError *err)
{
    const char *const *choices = sl_option_choices(option);
    for (int i = 0; choices[i]; i++) {
        if (strcmp(choices[i], value) == 0) {
            *index = i;
            return true;
        }
    }
    SlText text = {0};
    list_choices(&text, choices);
    refuse(option, value, text.data ? text.data : "another word", err);
    sl_text_free(&text);
    return false;
}

bool sl_options_look(const SlOptions *o, bool usual, SlReelLook *look, SlError *err)
{
    const char *captions = o->animation_captions;
    *look = (SlReelLook){.ms = o->animation_ms > 0 ? (int)o->animation_ms : 0,
                         .side = o->animation_size > 0 ? (int)o->animation_size : 0,
                         .captions = captions ? strcmp(captions, "yes") == 0 : usual};
    if (!o->animation && (captions || look->ms || look->side))
        return sl_fail(err, SL_ARGUMENT,
                       "--animation-%s says how an animation looks: expected "
                       "--animation FILE as well",
                       captions   ? "captions"
                       : look->ms ? "ms"
                                  : "size");
    return true;
}

bool sl_options_given(const SlOptions *o, SlSetting setting)
{
    return (o->given & SL_SETTING_BIT(setting)) != 0;
}

void sl_options_give_text(SlOptions *o, SlSetting setting, const char *text)
{
    sl_setting_set_text(sl_setting(setting), &o->values, text);
    o->given |= SL_SETTING_BIT(setting);
}

/* A list of sigmas says how many steps there are as well. */
static bool take_sigma_list(const char *list, SlOptions *o, SlError *err)
{
    int count = 0;
    if (!sl_sigmas_parse(list, NULL, &count, err))
        return false;
    o->values.sigma_list = list;
    o->values.steps = count - 1;
    o->given |= SL_SETTING_BIT(SL_SETTING_SIGMA_LIST) | SL_SETTING_BIT(SL_SETTING_STEPS);
    o->given &= ~SL_SETTING_BIT(SL_SETTING_SIGMAS);
    return true;
}

/* Names of files are bytes of any kind; every other text is UTF-8. */
static bool is_words(const SlSettingInfo *setting)
{
    return setting->kind == SL_KIND_TEXT && setting->id != SL_SETTING_LORA &&
           setting->id != SL_SETTING_EMBEDDING;
}

/* name is how the text is called on the command line, "--prompt". */
static bool check_utf8(const char *name, const char *text, SlError *err)
{
    size_t length = strlen(text);
    for (size_t i = 0, n; i < length; i += n)
        if (!(n = sl_utf8_char(text + i, length - i)))
            return sl_fail(err, SL_ARGUMENT,
                           "%s is not valid UTF-8: byte %zu is 0x%02X, which begins or continues "
                           "no character; expected text in UTF-8",
                           name, i + 1, (unsigned char)text[i]);
    return true;
}

bool sl_option_take_setting(const SlSettingInfo *setting, const char *value, SlOptions *o,
                            SlError *err)
{
    SlText expected = {0};
    char name[60];
    snprintf(name, sizeof name, "--%s", setting->option);
    if (is_words(setting) && !check_utf8(name, value, err))
        return false;
    if (setting->id == SL_SETTING_SIGMA_LIST ||
        (setting->id == SL_SETTING_SIGMAS && *value >= '0' && *value <= '9'))
        return take_sigma_list(value, o, err);
    if (setting->id == SL_SETTING_LORA && !(value = sl_lora_text(value, err)))
        return false;
    if (setting->id == SL_SETTING_EMBEDDING && !(value = sl_embedding_text(value, err)))
        return false;
    bool ok = sl_setting_parse(setting, value, &o->values, &expected);
    if (ok)
        o->given |= SL_SETTING_BIT(setting->id);
    if (ok && setting->id == SL_SETTING_SIGMAS)
        o->given &= ~SL_SETTING_BIT(SL_SETTING_SIGMA_LIST);
    if (!ok)
        sl_fail(err, SL_ARGUMENT, "--%s is \"%.200s\"; expected %s", setting->option, value,
                expected.data ? expected.data : "something else");
    sl_text_free(&expected);
    return ok;
}

static bool check_scheduler(const SlOption *option, const char *id, SlError *err)
{
    SlRecipe any;
    SlText expected = {0};
    bool ok = sl_setting_parse(sl_setting(SL_SETTING_SCHEDULER), id, &any, &expected) ||
              refuse(option, id, expected.data ? expected.data : "a scheduler", err);
    sl_text_free(&expected);
    return ok;
}

static bool check_list(const SlOption *option, const char *value, SlError *err)
{
    int count = 0;
    if (strcmp(value, "all") == 0)
        return true;
    for (const char *p = value;; p++) {
        char id[32];
        size_t n = strcspn(p, ",");
        snprintf(id, sizeof id, "%.*s", (int)(n < sizeof id ? n : sizeof id - 1), p);
        if (!check_scheduler(option, id, err))
            return false;
        if (++count > SL_COMPARE_MAX)
            return refuse(option, value, "at most 64 schedulers", err);
        p += n;
        if (!*p)
            return true;
    }
}

static bool take_number(const SlOption *option, const char *value, SlOptions *o, SlError *err)
{
    char expected[100];
    int64_t min = (int64_t)option->min, max = (int64_t)option->max;
    snprintf(expected, sizeof expected, "a whole number from %lld to %lld", (long long)min,
             (long long)max);
    return sl_parse_int(value, min, max, place_of(o, option)) ||
           refuse(option, value, expected, err);
}

static bool ends_in(const char *path, const char *suffix)
{
    size_t n = strlen(path), m = strlen(suffix);
    return n > m && sl_same_letters(path + n - m, suffix);
}

static bool take_lane(const SlOption *option, const char *value, SlOptions *o, SlError *err)
{
    char most[40];
    snprintf(most, sizeof most, "at most %d lanes", SL_COMPARE_MAX);
    if (o->lane_count == SL_COMPARE_MAX)
        return refuse(option, value, most, err);
    o->lanes[o->lane_count++] = value;
    return true;
}

/* The axis that a word "x=steps:10,20" begins, or SL_GRID_AXES. */
static int axis_of(const char *word)
{
    int i = 0;
    while (i < SL_GRID_AXES && !(word[0] == *sl_grid_axis_names[i] && word[0] && word[1] == '='))
        i++;
    return i;
}

static bool take_axis(const SlOption *option, const char *value, SlOptions *o, SlError *err)
{
    int axis = axis_of(value);
    if (axis == SL_GRID_AXES)
        return refuse(option, value, "x=SETTING:VALUE,... or y=SETTING:VALUE,...", err);
    if (o->grid[axis])
        return refuse(option, value, "each of x and y once", err);
    const SlSettingInfo *setting = sl_setting_find_option(value + 2, strcspn(value + 2, ":"));
    if (setting && is_words(setting) && !check_utf8("--grid", value, err))
        return false;
    o->grid[axis] = value + 2;
    return true;
}

/* As what it ends in; what this build cannot write says why. */
static bool take_animation(const SlOption *option, const char *value, SlError *err)
{
    SlAnimationFormat format;
    SlError problem;
    if (sl_animation_format(value, &format, &problem))
        return true;
    return sl_fail(err, SL_ARGUMENT, "--%s %s", option->name, problem.message);
}

static bool take_types(const SlOption *option, const char *value, SlError *err)
{
    char word[16];
    int index;
    SlError problem = {0};
    snprintf(word, sizeof word, "%.*s", (int)strcspn(value, ","), value);
    if (!take_choice(option, word, &index, err))
        return false;
    return sl_dtype_check(value, &problem) || sl_fail(err, SL_ARGUMENT, "--%s is \"%.200s\": %s",
                                                      option->name, value, problem.message);
}

/* Of one that is to be opened it is said what it is, where that is known. */
static bool refuse_lanes_file(const SlOption *option, const char *value, SlOptions *o, SlError *err)
{
    SlError problem = {0};
    if (place_of(o, option) == &o->open && !sl_lanes_unless_known(value, &problem))
        return sl_fail(err, SL_ARGUMENT, "--%s %s", option->name, problem.message);
    return refuse(option, value, "a name that ends in " SL_LANES_SUFFIX, err);
}

static bool take_value(const SlOption *option, const char *value, SlOptions *o, SlError *err)
{
    void *place = place_of(o, option);
    int index;
    switch (option->kind) {
    case SL_OPTION_FLAG:
        *(bool *)place = true;
        return true;
    case SL_OPTION_INT:
        return take_number(option, value, o, err);
    case SL_OPTION_CHOICE:
        return take_choice(option, value, place, err);
    case SL_OPTION_WORD:
        if (!take_choice(option, value, &index, err))
            return false;
        break;
    case SL_OPTION_TYPES:
        if (!take_types(option, value, err))
            return false;
        break;
    case SL_OPTION_LIST:
        if (!check_list(option, value, err))
            return false;
        break;
    case SL_OPTION_PNG_FILE:
        if (!ends_in(value, ".png"))
            return refuse(option, value, "a name that ends in .png", err);
        break;
    case SL_OPTION_ANIMATION_FILE:
        if (!take_animation(option, value, err))
            return false;
        break;
    case SL_OPTION_LANES_FILE:
        if (!ends_in(value, SL_LANES_SUFFIX))
            return refuse_lanes_file(option, value, o, err);
        break;
    case SL_OPTION_CSV_FILE:
        if (!ends_in(value, ".csv"))
            return refuse(option, value, "a name that ends in .csv", err);
        break;
    case SL_OPTION_HTML_FILE:
        if (!ends_in(value, ".html"))
            return refuse(option, value, "a name that ends in .html", err);
        break;
    case SL_OPTION_LANES:
        return take_lane(option, value, o, err);
    case SL_OPTION_GRID:
        return take_axis(option, value, o, err);
    case SL_OPTION_TEXT: /* a name: where a script's variable is not set it is empty */
        if (!*value)
            return refuse(option, value, option->value, err);
        break;
    }
    memcpy(place, &value, sizeof value);
    return true;
}

/* ---- the line ---- */

bool sl_command_takes(SlCommand command, const SlSettingInfo *setting)
{
    const SlSettingSet measured = SL_SETTING_BIT(SL_SETTING_STEPS) |
                                  SL_SETTING_BIT(SL_SETTING_WIDTH) |
                                  SL_SETTING_BIT(SL_SETTING_HEIGHT);
    if (!setting->option)
        return false;
    switch (command) {
    case SL_COMMAND_GENERATE:
    case SL_COMMAND_COMPARE:
        return true;
    case SL_COMMAND_BRANCH:
        return setting->scope == SL_SCOPE_STEP;
    case SL_COMMAND_REPLAY: /* where they are */
        return setting->id == SL_SETTING_LORA || setting->id == SL_SETTING_EMBEDDING;
    case SL_COMMAND_BENCH:
        return (measured & SL_SETTING_BIT(setting->id)) != 0;
    case SL_COMMAND_TOKENIZE:
        return setting->id == SL_SETTING_TOKENIZER || setting->id == SL_SETTING_PROMPT_MODE ||
               setting->id == SL_SETTING_EMPHASIS;
    default:
        return false;
    }
}

static const SlOption *find_option(SlCommand command, const char *name, size_t length)
{
    for (size_t i = 0; i < sl_option_count; i++)
        if ((sl_option_table[i].commands & 1u << command) &&
            strlen(sl_option_table[i].name) == length &&
            memcmp(sl_option_table[i].name, name, length) == 0)
            return &sl_option_table[i];
    return NULL;
}

/* The value of the option at argv[*i], after "=" or in the next word; moves *i to its last word. */
static const char *find_value(const char *name, size_t length, int argc, char **argv, int *i,
                              SlError *err)
{
    if (name[length] == '=')
        return name + length + 1;
    if (*i + 1 < argc)
        return argv[++*i];
    sl_fail(err, SL_ARGUMENT, "--%.*s needs a value", (int)length, name);
    return NULL;
}

/* The value of an option that was given before and can be given again: both. */
static const char *join(const SlSettingInfo *setting, const char *value, const SlOptions *o,
                        SlError *err)
{
    SlText both = {0};
    if (!setting->joined || !sl_options_given(o, setting->id))
        return value;
    sl_text_addf(&both, "%s%s%s", sl_setting_text(setting, &o->values), setting->joined, value);
    const char *kept = both.failed ? NULL : sl_lora_keep(both.data);
    sl_text_free(&both);
    if (!kept)
        sl_fail(err, SL_MEMORY, "memory ran out");
    return kept;
}

static bool take_setting(const SlSettingInfo *setting, const char *value, SlOptions *o,
                         SlError *err)
{
    value = value ? join(setting, value, o, err) : NULL;
    return value && sl_option_take_setting(setting, value, o, err);
}

/* One "--name", "--name value" or "--name=value" at argv[*i]; moves *i to its last word. */
static bool take_option(SlCommand command, int argc, char **argv, int *i, SlOptions *o,
                        SlError *err)
{
    const char *word = argv[*i];
    bool named = strncmp(word, "--", 2) == 0, help = strcmp(word, "-h") == 0;
    const char *name = help ? "help" : named ? word + 2 : "", *value = NULL;
    size_t length = strcspn(name, "=");
    const SlSettingInfo *setting = sl_setting_find_option(name, length);
    const SlOption *option = find_option(command, name, length);
    if (setting && sl_command_takes(command, setting))
        return take_setting(setting, find_value(name, length, argc, argv, i, err), o, err);
    if (!option)
        return sl_fail(err, SL_ARGUMENT, "%s has no option %.100s; see `safelight %s --help`",
                       sl_commands[command].name, word, sl_commands[command].name);
    if (option->kind == SL_OPTION_FLAG && name[length] == '=')
        return sl_fail(err, SL_ARGUMENT, "--%s takes no value", option->name);
    if (option->kind != SL_OPTION_FLAG && !(value = find_value(name, length, argc, argv, i, err)))
        return false;
    if (!take_value(option, value, o, err))
        return false;
    while (option->kind == SL_OPTION_GRID && *i + 1 < argc && axis_of(argv[*i + 1]) != SL_GRID_AXES)
        if (!take_value(option, argv[++*i], o, err))
            return false;
    return true;
}

static bool take_argument(SlCommand command, const char *word, SlOptions *o, SlError *err)
{
    const SlCommandInfo *c = &sl_commands[command];
    if (!c->argument || o->argument)
        return sl_fail(err, SL_ARGUMENT, "%s does not expect \"%.200s\"; see `safelight %s --help`",
                       c->name, word, c->name);
    if (command == SL_COMMAND_TOKENIZE && !check_utf8(c->argument, word, err))
        return false;
    o->argument = word;
    return true;
}

/* A grid says which lanes there are, by itself. */
static bool check_grid(const SlOptions *o, SlError *err)
{
    const struct {
        bool given;
        const char *name;
    } others[] = {{o->schedulers != NULL, "schedulers"},
                  {o->lane_count > 0, "lane"},
                  {o->open != NULL, "open"},
                  {o->dynamic != NULL, "dynamic"}};
    if (!o->grid[SL_GRID_X] && !o->grid[SL_GRID_Y])
        return true;
    for (int i = 0; i < SL_GRID_AXES; i++)
        if (!o->grid[i])
            return sl_fail(err, SL_ARGUMENT,
                           "--grid has no %s=; expected x=SETTING:VALUE,... and "
                           "y=SETTING:VALUE,...",
                           sl_grid_axis_names[i]);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (others[i].given)
            return sl_fail(err, SL_ARGUMENT,
                           "compare takes --grid or --%s, not both: a grid's lanes are its cells",
                           others[i].name);
    return true;
}

/* What a saved comparison is made of stands in its file. */
static bool check_open(const SlOptions *o, SlError *err)
{
    const struct {
        bool given;
        const char *name;
    } others[] = {{o->latents != NULL, "latents"},
                  {o->step_noise != NULL, "step-noise"},
                  {o->dynamic != NULL, "dynamic"},
                  {o->fast, "fast"}};
    const char *name = NULL;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        name = others[i].given ? others[i].name : name;
    for (int i = 0; i < SL_N_SETTINGS; i++)
        if (sl_options_given(o, (SlSetting)i) && sl_setting(i)->option)
            name = sl_setting(i)->option;
    if (!o->open || !name)
        return true;
    return sl_fail(err, SL_ARGUMENT,
                   "compare --open shows what was computed, and --%s would change nothing; "
                   "`safelight branch` goes on from a picture with other settings",
                   name);
}

/* --sheet and --output are one file. */
static bool check_sheet(SlOptions *o, SlError *err)
{
    if (o->sheet && o->output)
        return sl_fail(err, SL_ARGUMENT,
                       "compare takes --sheet or --output, not both: they name the same file");
    o->output = o->sheet ? o->sheet : o->output;
    return true;
}

static bool check_complete(SlOptions *o, SlError *err)
{
    const SlCommandInfo *c = &sl_commands[o->command];
    if (o->measure_types && o->argument)
        return sl_fail(err, SL_ARGUMENT,
                       "info --measure-types is about this machine and takes no %s: \"%.200s\"",
                       c->argument, o->argument);
    if (c->needs_argument && !o->argument && !o->measure_types)
        return sl_fail(err, SL_ARGUMENT, "%s needs %s", c->name, c->argument);
    if (!check_grid(o, err) || !check_sheet(o, err) || !check_open(o, err))
        return false;
    if (o->command == SL_COMMAND_COMPARE && !o->schedulers && !o->lane_count && !o->open &&
        !o->grid[SL_GRID_X])
        return sl_fail(err, SL_ARGUMENT, "compare needs --schedulers, --lane, --grid or --open");
    if (o->save_words && (!o->save || o->open))
        return sl_fail(
            err, SL_ARGUMENT,
            "--save-words is for lanes that are computed and saved: with --save, without "
            "--open");
    if (o->open && (o->schedulers || o->lane_count))
        return sl_fail(err, SL_ARGUMENT, "compare takes --open or lanes to compute, not both");
    if (o->command == SL_COMMAND_BRANCH && (o->step < 0 || !o->output))
        return sl_fail(err, SL_ARGUMENT, "branch needs --step and --output");
    if (o->command == SL_COMMAND_BENCH && o->arch && o->model)
        return sl_fail(err, SL_ARGUMENT, "bench takes --arch or --model, not both");
    if (o->command == SL_COMMAND_BENCH && o->arch && o->quality)
        return sl_fail(err, SL_ARGUMENT,
                       "bench --quality compares pictures of a model; --arch has random weights");
    return true;
}

bool sl_options_parse(SlCommand command, int argc, char **argv, SlOptions *o, SlError *err)
{
    *o = (SlOptions){.command = command,
                     .align = SL_LINE_UP_EVALUATIONS,
                     .step = -1,
                     .threads = -1,
                     .word_level = -1,
                     .reference = -1};
    sl_recipe_clear(&o->values);
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

int sl_options_schedulers(const SlOptions *o, SlPrediction prediction,
                          const char *ids[SL_COMPARE_MAX])
{
    int count = 0;
    if (o->schedulers && strcmp(o->schedulers, "all") == 0) {
        for (int i = 0; i < sl_scheduler_count(); i++)
            if (sl_scheduler_suits(sl_scheduler_info(i), prediction))
                ids[count++] = sl_scheduler_info(i)->id;
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
