/* options.c - what reads the command line by the table of options (see options.h). */
#include "app/cli/options_private.h"

#include "app/record/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

static bool refuse_scheduler(const SlOption *option, const char *value, SlError *err)
{
    SlText text = {0};
    for (int i = 0; i < sl_scheduler_count(); i++)
        sl_text_addf(&text, "%s%s", i ? ", " : "", sl_scheduler_info(i)->id);
    refuse(option, value, text.data ? text.data : "a scheduler", err);
    sl_text_free(&text);
    return false;
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
        if (!sl_scheduler_find(id))
            return refuse_scheduler(option, id, err);
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
    snprintf(expected, sizeof expected, "%s from %.0f to %.0f",
             option->kind == SL_OPTION_INT ? "a whole number" : "a number", option->min,
             option->max);
    if (option->kind == SL_OPTION_INT) {
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

static bool take_lane(const SlOption *option, const char *value, SlOptions *o, SlError *err)
{
    if (o->lane_count == SL_COMPARE_MAX)
        return refuse(option, value, "at most 64 lanes", err);
    o->lanes[o->lane_count++] = value;
    return true;
}

bool sl_option_take(const SlOption *option, const char *value, SlOptions *o, SlError *err)
{
    void *place = place_of(o, option);
    int index;
    switch (option->kind) {
    case SL_OPTION_FLAG:
        *(bool *)place = true;
        return true;
    case SL_OPTION_INT:
    case SL_OPTION_REAL:
        return take_number(option, value, o, err);
    case SL_OPTION_SEED:
        return sl_parse_u64(value, place) ||
               refuse(option, value, "a whole number from 0 to 18446744073709551615", err);
    case SL_OPTION_CHOICE:
        return take_choice(option, value, place, err);
    case SL_OPTION_WORD:
        if (!take_choice(option, value, &index, err))
            return false;
        break;
    case SL_OPTION_SCHEDULER:
        if (!sl_scheduler_find(value))
            return refuse_scheduler(option, value, err);
        break;
    case SL_OPTION_LIST:
        if (!check_list(option, value, err))
            return false;
        break;
    case SL_OPTION_PNG_FILE:
        if (!ends_in(value, ".png"))
            return refuse(option, value, "a name that ends in .png", err);
        break;
    case SL_OPTION_WEBP_FILE:
        if (!ends_in(value, ".webp"))
            return refuse(option, value, "a name that ends in .webp", err);
        break;
    case SL_OPTION_LANES_FILE:
        if (!ends_in(value, SL_LANES_SUFFIX))
            return refuse(option, value, "a name that ends in " SL_LANES_SUFFIX, err);
        break;
    case SL_OPTION_LANES:
        return take_lane(option, value, o, err);
    case SL_OPTION_TEXT:
        break;
    }
    memcpy(place, &value, sizeof value);
    return true;
}

/* ---- the line ---- */

static const SlOption *find_option(SlCommand command, const char *name, size_t length)
{
    for (size_t i = 0; i < sl_option_count; i++)
        if ((sl_option_table[i].commands & 1u << command) &&
            strlen(sl_option_table[i].name) == length &&
            memcmp(sl_option_table[i].name, name, length) == 0)
            return &sl_option_table[i];
    return NULL;
}

/* One "--name", "--name value" or "--name=value" at argv[*i]; moves *i to its last word. */
static bool take_option(SlCommand command, int argc, char **argv, int *i, SlOptions *o,
                        SlError *err)
{
    const char *word = argv[*i], *name = word + 2;
    size_t length = strcspn(name, "=");
    const SlOption *option =
        strncmp(word, "--", 2) == 0 ? find_option(command, name, length) : NULL;
    const char *value = strcmp(word, "-h") != 0 && name[length] == '=' ? name + length + 1 : NULL;
    if (strcmp(word, "-h") == 0)
        option = find_option(command, "help", 4);
    if (!option)
        return sl_fail(err, SL_ARGUMENT, "%s has no option %.100s; see `safelight %s --help`",
                       sl_commands[command].name, word, sl_commands[command].name);
    if (option->kind == SL_OPTION_FLAG && value)
        return sl_fail(err, SL_ARGUMENT, "--%s takes no value", option->name);
    if (option->kind != SL_OPTION_FLAG && !value) {
        if (*i + 1 >= argc)
            return sl_fail(err, SL_ARGUMENT, "--%s needs a value", option->name);
        value = argv[++*i];
    }
    return sl_option_take(option, value, o, err);
}

static bool take_argument(SlCommand command, const char *word, SlOptions *o, SlError *err)
{
    const SlCommandInfo *c = &sl_commands[command];
    if (!c->argument || o->argument)
        return sl_fail(err, SL_ARGUMENT, "%s does not expect \"%.200s\"; see `safelight %s --help`",
                       c->name, word, c->name);
    o->argument = word;
    return true;
}

static bool check_complete(const SlOptions *o, SlError *err)
{
    const SlCommandInfo *c = &sl_commands[o->command];
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
