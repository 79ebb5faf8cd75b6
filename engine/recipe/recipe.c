/* recipe.c - settings by the table: their values, which of them exist, and the validators that the
 * command line, the window's controls and files share (see recipe.h). */
#include "engine/engine.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- rows ---- */

const SlSettingInfo *sl_setting(SlSetting setting)
{
    return &sl_setting_table[setting];
}

const SlSettingInfo *sl_setting_find(const char *key)
{
    for (int i = 0; i < SL_N_SETTINGS; i++)
        if (strcmp(sl_setting_table[i].key, key) == 0)
            return &sl_setting_table[i];
    return NULL;
}

const SlSettingInfo *sl_setting_find_option(const char *option, size_t length)
{
    for (int i = 0; i < SL_N_SETTINGS; i++) {
        const char *own = sl_setting_table[i].option;
        if (own && strlen(own) == length && memcmp(own, option, length) == 0)
            return &sl_setting_table[i];
    }
    return NULL;
}

uint64_t sl_settings_own(SlSettingSet settings)
{
    uint64_t own = 0;
    for (int i = 0; i < SL_N_SETTINGS; i++)
        if (settings & SL_SETTING_BIT(i))
            own |= sl_setting_table[i].own;
    return own;
}

SlSettingSet sl_settings_of_own(uint64_t own)
{
    SlSettingSet settings = 0;
    for (int i = 0; i < SL_N_SETTINGS; i++)
        if (own & sl_setting_table[i].own)
            settings |= SL_SETTING_BIT(i);
    return settings;
}

bool sl_setting_counts(const SlSettingInfo *s, const SlRecipe *recipe)
{
    if (!s->counts_with)
        return true;
    int is = (int)sl_setting_number(sl_setting(s->counts_with), recipe);
    return s->counts_as == SL_COUNTS_AS_ANY ? is != 0 : is == s->counts_as;
}

bool sl_setting_exists(const SlSettingInfo *s, const SlModelInfo *model,
                       const SlSchedulerInfo *scheduler)
{
    bool takes = true;
    if (scheduler && s->takes) {
        SlSchedulerInfo of = sl_scheduler_for(scheduler, model ? model->prediction : 0);
        memcpy(&takes, (const char *)&of + s->takes, sizeof takes);
    }
    bool known = model && model->pipeline;
    return takes && (!known || (((model->pipeline->has & ~model->lacks) | model->also_has) &
                                s->needs) == s->needs);
}

/* ---- values ---- */

static const void *at(const SlSettingInfo *s, const SlRecipe *recipe)
{
    return (const char *)recipe + s->offset;
}

const char *sl_setting_text(const SlSettingInfo *s, const SlRecipe *recipe)
{
    const char *text;
    memcpy(&text, at(s, recipe), sizeof text);
    return text ? text : "";
}

double sl_setting_number(const SlSettingInfo *s, const SlRecipe *recipe)
{
    double real;
    int64_t wide;
    int number;
    switch (s->kind) {
    case SL_KIND_REAL:
        memcpy(&real, at(s, recipe), sizeof real);
        return real;
    case SL_KIND_INT64:
        memcpy(&wide, at(s, recipe), sizeof wide);
        return (double)wide;
    case SL_KIND_INT:
    case SL_KIND_SIDE:
    case SL_KIND_CHOICE:
        memcpy(&number, at(s, recipe), sizeof number);
        return number;
    case SL_KIND_TEXT:
    case SL_KIND_SCHEDULER:
    case SL_KIND_SEED:
        break;
    }
    return NAN;
}

uint64_t sl_setting_seed(const SlSettingInfo *s, const SlRecipe *recipe)
{
    uint64_t seed;
    memcpy(&seed, at(s, recipe), sizeof seed);
    return seed;
}

void sl_setting_set_text(const SlSettingInfo *s, SlRecipe *recipe, const char *text)
{
    memcpy((char *)recipe + s->offset, &text, sizeof text);
}

void sl_setting_set_number(const SlSettingInfo *s, SlRecipe *recipe, double number)
{
    void *place = (char *)recipe + s->offset;
    if (s->kind == SL_KIND_REAL)
        memcpy(place, &number, sizeof number);
    else if (s->kind == SL_KIND_INT64)
        memcpy(place, &(int64_t){(int64_t)number}, sizeof(int64_t));
    else
        memcpy(place, &(int){(int)number}, sizeof(int));
}

void sl_setting_set_seed(const SlSettingInfo *s, SlRecipe *recipe, uint64_t seed)
{
    memcpy((char *)recipe + s->offset, &seed, sizeof seed);
}

static bool is_text(const SlSettingInfo *s)
{
    return s->kind == SL_KIND_TEXT || s->kind == SL_KIND_SCHEDULER;
}

void sl_setting_copy(const SlSettingInfo *s, const SlRecipe *from, SlRecipe *to)
{
    if (s->kind == SL_KIND_SEED)
        sl_setting_set_seed(s, to, sl_setting_seed(s, from));
    else if (is_text(s))
        memcpy((char *)to + s->offset, at(s, from), sizeof(const char *));
    else
        sl_setting_set_number(s, to, sl_setting_number(s, from));
}

/* Where a row's "unset" value is below 0, every number below 0 counts as unset. */
static bool says_nothing(const SlSettingInfo *s, double number)
{
    return number == s->unset || (s->kind == SL_KIND_REAL && s->unset < 0 && number < 0);
}

bool sl_setting_equal(const SlSettingInfo *s, const SlRecipe *a, const SlRecipe *b)
{
    if (is_text(s))
        return strcmp(sl_setting_text(s, a), sl_setting_text(s, b)) == 0;
    if (s->kind == SL_KIND_SEED)
        return sl_setting_seed(s, a) == sl_setting_seed(s, b);
    double x = sl_setting_number(s, a), y = sl_setting_number(s, b);
    return x == y || (says_nothing(s, x) && says_nothing(s, y));
}

bool sl_setting_is_unset(const SlSettingInfo *s, const SlRecipe *recipe)
{
    if (is_text(s))
        return *sl_setting_text(s, recipe) == '\0';
    if (s->kind == SL_KIND_SEED)
        return sl_setting_seed(s, recipe) == 0;
    return says_nothing(s, sl_setting_number(s, recipe));
}

void sl_setting_unset(const SlSettingInfo *s, SlRecipe *recipe)
{
    if (is_text(s))
        sl_setting_set_text(s, recipe, s->kind == SL_KIND_TEXT ? "" : NULL);
    else if (s->kind == SL_KIND_SEED)
        sl_setting_set_seed(s, recipe, 0);
    else
        sl_setting_set_number(s, recipe, s->unset);
}

/* ---- recipes ---- */

bool sl_recipe_same_schedule(const SlRecipe *a, const SlRecipe *b)
{
    for (int i = 0; i < SL_N_SETTINGS; i++)
        if (sl_setting(i)->schedule && !sl_setting_equal(sl_setting(i), a, b))
            return false;
    return true;
}

static bool is_within(const SlRecipe *r, double from, double to, int step)
{
    return (int)(from * r->steps) <= step && step < (int)(to * r->steps);
}

bool sl_recipe_guides(const SlRecipe *r, int step)
{
    return is_within(r, r->guidance_from, r->guidance_to, step);
}

bool sl_recipe_caches(const SlRecipe *r, int step)
{
    return r->caching != SL_CACHING_OFF && is_within(r, r->caching_from, r->caching_to, step);
}

void sl_recipe_clear(SlRecipe *recipe)
{
    *recipe = (SlRecipe){0};
    for (int i = 0; i < SL_N_SETTINGS; i++)
        sl_setting_unset(sl_setting(i), recipe);
}

void sl_recipe_defaults(SlRecipe *recipe, const SlModelInfo *info)
{
    sl_recipe_clear(recipe);
    for (int i = 0; i < SL_N_SETTINGS; i++)
        if (sl_setting(i)->of_model && info->pipeline)
            sl_setting(i)->of_model(recipe, info);
}

void sl_recipe_change(SlRecipe *recipe, const SlRecipe *values, SlSettingSet settings)
{
    for (int i = 0; i < SL_N_SETTINGS; i++)
        if (settings & SL_SETTING_BIT(i))
            sl_setting_copy(sl_setting(i), values, recipe);
    if ((settings & SL_SETTING_BIT(SL_SETTING_PROMPT)) &&
        !(settings & SL_SETTING_BIT(SL_SETTING_PROMPT_TEMPLATE)))
        recipe->prompt_template = NULL; /* it was another prompt's */
    if ((settings & SL_SETTING_BIT(SL_SETTING_NEGATIVE_PROMPT)) &&
        !(settings & SL_SETTING_BIT(SL_SETTING_NEGATIVE_TEMPLATE)))
        recipe->negative_template = NULL;
    bool list = settings & SL_SETTING_BIT(SL_SETTING_SIGMA_LIST);
    bool named = settings & SL_SETTING_BIT(SL_SETTING_SIGMAS);
    if (list && !named && !sl_setting_is_unset(sl_setting(SL_SETTING_SIGMA_LIST), recipe))
        recipe->sigmas = SL_SIGMAS_MODEL;
    if (named && !list && recipe->sigmas != SL_SIGMAS_MODEL)
        recipe->sigma_list = NULL;
}

void sl_recipe_drop_missing(SlRecipe *recipe, SlSettingSet settings)
{
    const SlSchedulerInfo *info = recipe->scheduler ? sl_scheduler_find(recipe->scheduler) : NULL;
    for (int i = 0; i < SL_N_SETTINGS; i++)
        if ((settings & SL_SETTING_BIT(i)) && !sl_setting_exists(sl_setting(i), NULL, info))
            sl_setting_unset(sl_setting(i), recipe);
}

/* ---- the validators ---- */

static bool check_choice(const SlSettingInfo *s, int choice, const SlModelInfo *info,
                         const SlSchedulerInfo *scheduler, SlError *err)
{
    int count = 0;
    char words[200] = "";
    for (; s->choices[count]; count++) {
        size_t used = strlen(words);
        snprintf(words + used, sizeof words - used, "%s%s", count ? ", " : "", s->choices[count]);
    }
    if (choice < 0 || choice >= count)
        return sl_fail(err, SL_ARGUMENT, "%s is number %d; expected one of %s", s->name, choice,
                       words);
    if (choice != 0 && s->takes && !sl_setting_exists(s, info, scheduler))
        return sl_fail(err, SL_ARGUMENT, "scheduler %s has no choice of %s; expected \"%s\"",
                       scheduler->id, s->name, s->choices[0]);
    return true;
}

static bool check_side(const SlSettingInfo *s, int value, const SlModelInfo *info, SlError *err)
{
    int m = info && info->size_multiple > 0 ? info->size_multiple : 1, max = (int)s->max;
    if (value >= m && value <= max && value % m == 0)
        return true;
    if (!info)
        return sl_fail(err, SL_ARGUMENT, "%s is %d; expected 1 to %d", s->name, value, max);
    return sl_fail(err, SL_ARGUMENT,
                   "%s is %d; expected a multiple of %d from %d to %d for the model %s", s->name,
                   value, m, m, max / m * m, info->name);
}

static bool check_number(const SlSettingInfo *s, double value, SlError *err)
{
    if (value >= s->min && value <= s->max)
        return true;
    return sl_fail(err, SL_ARGUMENT, "%s is %.10g; expected %.10g to %.10g", s->name, value, s->min,
                   s->max);
}

static bool check_setting(const SlSettingInfo *s, const SlRecipe *recipe, const SlModelInfo *info,
                          const SlSchedulerInfo *scheduler, SlError *err)
{
    double value = sl_setting_number(s, recipe); /* not a number for texts and seeds */
    switch (s->kind) {
    case SL_KIND_TEXT:
        return !s->check || s->check(sl_setting_text(s, recipe), err);
    case SL_KIND_SCHEDULER:
    case SL_KIND_SEED:
        return true;
    case SL_KIND_CHOICE:
        return check_choice(s, (int)value, info, scheduler, err);
    case SL_KIND_SIDE:
        return sl_setting_is_unset(s, recipe) || check_side(s, (int)value, info, err);
    case SL_KIND_REAL:
    case SL_KIND_INT:
    case SL_KIND_INT64:
        break;
    }
    return (isfinite(value) && sl_setting_is_unset(s, recipe)) || check_number(s, value, err);
}

/* A list goes with its number of steps, with no named schedule, and with a scheduler that can have
 * other sigmas than its own. */
static bool check_sigma_list(const SlRecipe *recipe, const SlModelInfo *info,
                             const SlSchedulerInfo *scheduler, SlError *err)
{
    const SlSettingInfo *s = sl_setting(SL_SETTING_SIGMA_LIST);
    const char *list = sl_setting_text(s, recipe);
    int count;
    if (!*list)
        return true;
    if (scheduler && !sl_setting_exists(s, info, scheduler))
        return sl_fail(err, SL_ARGUMENT, "scheduler %s has no choice of sigmas; expected no %s",
                       scheduler->id, s->name);
    if (recipe->sigmas != SL_SIGMAS_MODEL)
        return sl_fail(err, SL_ARGUMENT, "sigmas is \"%s\"; expected \"model\" with a %s",
                       sl_setting(SL_SETTING_SIGMAS)->choices[recipe->sigmas], s->name);
    if (!sl_sigmas_parse(list, NULL, &count, err))
        return false;
    return recipe->steps == count - 1 ||
           sl_fail(err, SL_ARGUMENT, "steps is %d; expected %d, as the %s has before its 0",
                   recipe->steps, count - 1, s->name);
}

/* Some steps have guidance, and its method is one of the scheduler's. */
static bool check_guidance(const SlRecipe *recipe, const SlSchedulerInfo *scheduler, SlError *err)
{
    char ids[100] = "";
    if (recipe->guidance_from >= recipe->guidance_to)
        return sl_fail(
            err, SL_ARGUMENT,
            "guidance from is %.4g and guidance to %.4g; expected the first to be smaller",
            recipe->guidance_from, recipe->guidance_to);
    if (recipe->guidance_method != SL_METHOD_CFG_PP || !scheduler || scheduler->takes_cfg_pp)
        return true;
    for (int i = 0; i < sl_scheduler_count(); i++)
        if (sl_scheduler_info(i)->takes_cfg_pp) {
            size_t used = strlen(ids);
            snprintf(ids + used, sizeof ids - used, "%s%s", used ? sl_words(" or ") : "",
                     sl_scheduler_info(i)->id);
        }
    return sl_fail(err, SL_ARGUMENT,
                   "guidance method cfg++ is not defined for the scheduler %s; expected %s",
                   scheduler->id, ids);
}

/* The model's denoiser can be evaluated in part, and its evaluations are of one prompt each. */
static bool check_caching(const SlRecipe *r, const SlModelInfo *info, SlError *err)
{
    const SlSettingInfo *s = sl_setting(SL_SETTING_CACHING);
    const char *word = r->caching ? s->choices[r->caching] : "";
    if (r->caching == SL_CACHING_OFF)
        return true;
    if (info && !sl_setting_exists(s, info, NULL))
        return sl_fail(err, SL_ARGUMENT,
                       "caching is \"%s\"; expected \"off\" for the model %s, whose denoiser "
                       "has no skips around a deep part",
                       word, info->name);
    if (info && r->caching == SL_CACHING_DEEP && r->caching_branch >= info->branches)
        return sl_fail(err, SL_ARGUMENT, "caching branch is %d; expected 0 to %d for the model %s",
                       r->caching_branch, info->branches - 1, info->name);
    if (r->caching_from >= r->caching_to)
        return sl_fail(err, SL_ARGUMENT,
                       "caching from is %.4g and caching to %.4g; expected the first to be smaller",
                       r->caching_from, r->caching_to);
    return r->guidance_method != SL_METHOD_PERP_NEG ||
           sl_fail(err, SL_ARGUMENT,
                   "caching is \"%s\"; expected \"off\" with guidance method perp-neg, "
                   "which evaluates several prompts",
                   word);
}

bool sl_recipe_check(const SlRecipe *recipe, const SlModelInfo *info, SlError *err)
{
    const SlSchedulerInfo *scheduler = NULL;
    if (recipe->scheduler && !(scheduler = sl_scheduler_find(recipe->scheduler)))
        return sl_fail(err, SL_ARGUMENT,
                       "scheduler is \"%s\"; `safelight schedulers` lists the known ones",
                       recipe->scheduler);
    if (scheduler && info && !sl_scheduler_check(scheduler, info->prediction, err))
        return false;
    if (info && info->classes && recipe->class_label >= info->classes)
        return sl_fail(err, SL_ARGUMENT, "class is %d; expected 0 to %d for the model %s",
                       recipe->class_label, info->classes - 1, info->name);
    for (int i = 0; i < SL_N_SETTINGS; i++)
        if (!check_setting(sl_setting(i), recipe, info, scheduler, err))
            return false;
    return check_guidance(recipe, scheduler, err) && check_caching(recipe, info, err) &&
           check_sigma_list(recipe, info, scheduler, err);
}
