/* dynamic.c - see dynamic.h. A draw is the picture's own: it depends on the picture's seed alone, so that the same
 * template and seed give the same prompt, however many pictures are made. */
#include "app/cli/dynamic.h"

#include "app/files/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Templates {
    SlTemplate *prompt, *negative;
} Templates;

/* --wildcards, then the usual folders; for sl_strings_free. */
static char **folders_of(const SlOptions *o, SlError *err)
{
    char **usual = sl_folders_named("wildcards", NULL);
    int count = 0;
    while (usual && usual[count])
        count++;
    char **folders = usual ? calloc((size_t)count + 2, sizeof *folders) : NULL;
    int first = folders && o->wildcards;
    if (first && !(folders[0] = strdup(o->wildcards))) {
        free(folders);
        folders = NULL;
    }
    if (!folders) {
        sl_strings_free(usual);
        sl_fail(err, SL_MEMORY, "memory ran out");
        return NULL;
    }
    memcpy(folders + first, usual, (size_t)count * sizeof *usual);
    free(usual);
    return folders;
}

static bool draw(SlDynamic *d, const SlOptions *o, const Templates *t, SlError *err)
{
    int64_t count;
    if (!sl_parse_int(o->dynamic, 1, SL_TEMPLATE_MAX_ALL, &count))
        return sl_fail(err, SL_ARGUMENT,
                       "--dynamic is \"%.40s\"; expected a number of pictures from 1 to %d, or all",
                       o->dynamic, SL_TEMPLATE_MAX_ALL);
    d->drawn = true;
    d->pair = calloc((size_t)count, sizeof *d->pair);
    if (!d->pair)
        return sl_fail(err, SL_MEMORY, "memory ran out");
    for (; d->count < (int)count; d->count++) {
        SlTemplatePair *pair = &d->pair[d->count];
        uint64_t seed = o->values.seed + (uint64_t)d->count;
        pair->prompt = sl_template_draw(t->prompt, seed, 0, err);
        pair->negative = pair->prompt ? sl_template_draw(t->negative, seed, 1, err) : NULL;
        if (!pair->negative) {
            free(pair->prompt);
            return false;
        }
    }
    return true;
}

static bool check_single(const SlDynamic *d, const SlOptions *o, SlError *err)
{
    const char *single = o->dump        ? "dump"
                         : o->animation ? "animation"
                         : o->previews  ? "previews"
                         : o->word_maps ? "word-maps"
                                        : NULL;
    return d->count == 1 || !single ||
           sl_fail(err, SL_ARGUMENT, "--%s is for one picture; --dynamic makes %d", single,
                   d->count);
}

bool sl_dynamic_open(SlDynamic *d, const SlOptions *o, SlError *err)
{
    Templates t = {0};
    if (!o->dynamic) {
        d->count = 1;
        return !o->wildcards ||
               sl_fail(err, SL_ARGUMENT, "--wildcards is for --dynamic, which is not given");
    }
    char **folders = folders_of(o, err);
    const char *const *in = (const char *const *)folders;
    d->on = true;
    bool ok = folders != NULL;
    if (ok)
        t.prompt = sl_template_read(o->values.prompt ? o->values.prompt : "", in, err);
    if (t.prompt)
        t.negative =
            sl_template_read(o->values.negative_prompt ? o->values.negative_prompt : "", in, err);
    ok = t.negative != NULL;
    if (ok && strcmp(o->dynamic, "all") == 0)
        ok = (d->pair = sl_template_all(t.prompt, t.negative, &d->count, err)) != NULL;
    else if (ok)
        ok = draw(d, o, &t, err);
    sl_template_free(t.prompt);
    sl_template_free(t.negative);
    sl_strings_free(folders);
    return ok && check_single(d, o, err);
}

void sl_dynamic_free(SlDynamic *d)
{
    sl_template_pairs_free(d->pair, d->count);
    *d = (SlDynamic){0};
}

/* A template is recorded where it says more than the prompt. */
static const char *record(const char *template, const char *prompt)
{
    return template && strcmp(template, prompt) != 0 ? template : NULL;
}

void sl_dynamic_take(const SlDynamic *d, const SlOptions *o, int picture, SlRecipe *recipe)
{
    if (!d->on)
        return;
    const SlTemplatePair *pair = &d->pair[picture];
    recipe->prompt = pair->prompt;
    recipe->negative_prompt = pair->negative;
    recipe->prompt_template = record(o->values.prompt, pair->prompt);
    recipe->negative_template = record(o->values.negative_prompt, pair->negative);
    if (d->drawn)
        recipe->seed += (uint64_t)picture;
}

bool sl_dynamic_open_own(SlDynamic *d, const SlOptions *common, SlOptions *lane, SlError *err)
{
    SlRecipe *values = &lane->values;
    const bool prompt = values->prompt != common->values.prompt;
    const bool negative = values->negative_prompt != common->values.negative_prompt;
    SlOptions own = *lane;
    if (!lane->dynamic || (!prompt && !negative))
        return true;
    own.dynamic = "1";
    own.values.prompt = prompt ? values->prompt : NULL;
    own.values.negative_prompt = negative ? values->negative_prompt : NULL;
    if (!sl_dynamic_open(d, &own, err))
        return false;
    if (prompt) {
        values->prompt = d->pair[0].prompt;
        values->prompt_template = record(own.values.prompt, values->prompt);
    }
    if (negative) {
        values->negative_prompt = d->pair[0].negative;
        values->negative_template = record(own.values.negative_prompt, values->negative_prompt);
    }
    sl_dynamic_give(lane);
    return true;
}

void sl_dynamic_give(SlOptions *options)
{
    static const SlSetting of[] = {SL_SETTING_PROMPT_TEMPLATE, SL_SETTING_NEGATIVE_TEMPLATE};
    const char *const text[] = {options->values.prompt_template, options->values.negative_template};
    for (int i = 0; i < 2; i++)
        if (text[i])
            options->given |= SL_SETTING_BIT(of[i]);
        else
            options->given &= ~SL_SETTING_BIT(of[i]);
}

char *sl_dynamic_name(const SlDynamic *d, const char *output, int picture)
{
    size_t n = strlen(output), stem = n >= 4 ? n - 4 : n; /* it ends in .png */
    char *name = malloc(n + 24);
    if (name && d->count == 1)
        memcpy(name, output, n + 1);
    else if (name)
        snprintf(name, n + 24, "%.*s-%04d%s", (int)stem, output, picture + 1, output + stem);
    return name;
}
