/* recipe_text.c - see recipe_text.h. */
#include "app/recipe/recipe_text.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXACT_INTEGERS ((uint64_t)1 << 53)

const char *const sl_prediction_names[] = {
    "epsilon",     "v_prediction",     "sample", "flow_prediction",
    "edm_epsilon", "edm_v_prediction", NULL};

static bool is_text(const SlSettingInfo *s)
{
    return s->kind == SL_KIND_TEXT || s->kind == SL_KIND_SCHEDULER;
}

/* ---- copies, equality, difference ---- */

SlRecipe *sl_recipe_copy(const SlRecipe *recipe)
{
    size_t bytes = sizeof *recipe;
    for (int i = 0; i < SL_N_SETTINGS; i++)
        if (is_text(sl_setting(i)))
            bytes += strlen(sl_setting_text(sl_setting(i), recipe)) + 1;
    SlRecipe *copy = malloc(bytes);
    if (!copy)
        return NULL;
    *copy = *recipe;
    char *end = (char *)(copy + 1);
    for (int i = 0; i < SL_N_SETTINGS; i++) {
        if (!is_text(sl_setting(i)))
            continue;
        const char *text = sl_setting_text(sl_setting(i), recipe);
        size_t length = strlen(text) + 1;
        sl_setting_set_text(sl_setting(i), copy, memcpy(end, text, length));
        end += length;
    }
    /* The model's own scheduler has no name until a model is known. */
    if (!recipe->scheduler)
        copy->scheduler = NULL;
    return copy;
}

bool sl_recipe_equal(const SlRecipe *a, const SlRecipe *b)
{
    for (int i = 0; i < SL_N_SETTINGS; i++)
        if (!sl_setting_equal(sl_setting(i), a, b))
            return false;
    return true;
}

void sl_setting_add_value(SlText *text, const SlSettingInfo *s, const SlRecipe *recipe)
{
    char number[32];
    switch (s->kind) {
    case SL_KIND_TEXT:
    case SL_KIND_SCHEDULER:
        sl_text_addf(text, "\"%s\"", sl_setting_text(s, recipe));
        return;
    case SL_KIND_CHOICE:
        sl_text_add(text, s->choices[(int)sl_setting_number(s, recipe)]);
        return;
    case SL_KIND_SEED:
        sl_text_addf(text, "%" PRIu64, sl_setting_seed(s, recipe));
        return;
    case SL_KIND_REAL:
        sl_format_double(sl_setting_number(s, recipe), number);
        sl_text_add(text, number);
        return;
    case SL_KIND_INT:
    case SL_KIND_SIDE:
    case SL_KIND_INT64:
        sl_text_addf(text, "%.0f", sl_setting_number(s, recipe));
        return;
    }
}

char *sl_recipe_diff(const SlRecipe *a, const SlRecipe *b)
{
    SlText text = {0};
    for (int i = 0; i < SL_N_SETTINGS; i++) {
        const SlSettingInfo *s = sl_setting(i);
        if (sl_setting_equal(s, a, b))
            continue;
        sl_text_addf(&text, "%s%s: ", text.length ? "\n" : "", s->key);
        sl_setting_add_value(&text, s, a);
        sl_text_add(&text, ", ");
        sl_setting_add_value(&text, s, b);
    }
    return sl_text_take(&text);
}

/* ---- values out of texts ---- */

static bool parse_choice(const SlSettingInfo *s, const char *text, SlRecipe *recipe,
                         SlText *expected)
{
    for (int i = 0; s->choices[i]; i++) {
        if (strcmp(s->choices[i], text) == 0) {
            sl_setting_set_number(s, recipe, i);
            return true;
        }
    }
    for (int i = 0; s->choices[i]; i++)
        sl_text_addf(expected, "%s%s", i ? ", " : "", s->choices[i]);
    return false;
}

static bool parse_scheduler(const SlSettingInfo *s, const char *text, SlRecipe *recipe,
                            SlText *expected)
{
    const SlSchedulerInfo *info = sl_scheduler_find(text);
    for (int i = 0; !info && i < sl_scheduler_count(); i++)
        sl_text_addf(expected, "%s%s", i ? ", " : "", sl_scheduler_info(i)->id);
    if (info)
        sl_setting_set_text(s, recipe, info->id);
    return info != NULL;
}

static bool parse_number(const SlSettingInfo *s, const char *text, SlRecipe *recipe,
                         SlText *expected)
{
    bool real = s->kind == SL_KIND_REAL;
    int64_t whole = 0;
    double number = 0;
    bool ok = real ? sl_parse_double(text, &number) && number >= s->min && number <= s->max
                   : sl_parse_int(text, (int64_t)s->min, (int64_t)s->max, &whole);
    if (ok)
        sl_setting_set_number(s, recipe, real ? number : (double)whole);
    else
        sl_text_addf(expected, sl_words("%s from %.10g to %.10g"),
                     real ? sl_words("a number") : sl_words("a whole number"), s->min, s->max);
    return ok;
}

bool sl_setting_parse(const SlSettingInfo *s, const char *text, SlRecipe *recipe, SlText *expected)
{
    uint64_t seed;
    switch (s->kind) {
    case SL_KIND_TEXT:
        sl_setting_set_text(s, recipe, text);
        return true;
    case SL_KIND_CHOICE:
        return parse_choice(s, text, recipe, expected);
    case SL_KIND_SCHEDULER:
        return parse_scheduler(s, text, recipe, expected);
    case SL_KIND_SEED:
        if (sl_parse_u64(text, &seed)) {
            sl_setting_set_seed(s, recipe, seed);
            return true;
        }
        sl_text_add(expected, sl_words("a whole number from 0 to 18446744073709551615"));
        return false;
    case SL_KIND_REAL:
    case SL_KIND_INT:
    case SL_KIND_SIDE:
    case SL_KIND_INT64:
        break;
    }
    return parse_number(s, text, recipe, expected);
}

/* ---- JSON ---- */

bool sl_json_to_u64(const cJSON *item, uint64_t *value)
{
    if (cJSON_IsString(item))
        return sl_parse_u64(item->valuestring, value);
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0) ||
        item->valuedouble > (double)EXACT_INTEGERS || item->valuedouble != floor(item->valuedouble))
        return false;
    *value = (uint64_t)item->valuedouble;
    return true;
}

static void add_setting(SlJsonOut *out, cJSON *object, const SlSettingInfo *s,
                        const SlRecipe *recipe)
{
    switch (s->kind) {
    case SL_KIND_TEXT:
    case SL_KIND_SCHEDULER:
        sl_out_text(out, object, s->key, sl_setting_text(s, recipe));
        return;
    case SL_KIND_CHOICE:
        sl_out_text(out, object, s->key, s->choices[(int)sl_setting_number(s, recipe)]);
        return;
    case SL_KIND_SEED:
        sl_out_u64(out, object, s->key, sl_setting_seed(s, recipe));
        return;
    case SL_KIND_REAL:
    case SL_KIND_INT:
    case SL_KIND_SIDE:
    case SL_KIND_INT64:
        sl_out_number(out, object, s->key, sl_setting_number(s, recipe));
        return;
    }
}

cJSON *sl_settings_to_json(const SlSettingInfo *rows, int count, const SlRecipe *recipe)
{
    SlJsonOut out = {0};
    cJSON *object = sl_out_object(&out, NULL, NULL);
    for (int i = 0; i < count; i++)
        if (rows[i].always || !sl_setting_is_unset(&rows[i], recipe))
            add_setting(&out, object, &rows[i], recipe);
    return sl_out_end(&out, object);
}

cJSON *sl_recipe_to_json(const SlRecipe *recipe)
{
    return sl_settings_to_json(sl_setting_table, SL_N_SETTINGS, recipe);
}

static bool wrong(const SlSettingInfo *s, const cJSON *item, const char *expected, SlError *err)
{
    char *found = cJSON_PrintUnformatted(item);
    sl_fail(err, SL_ARGUMENT, "%s is %.60s; expected %s", s->key,
            found ? found : sl_words("unreadable"), expected);
    free(found);
    return false;
}

static bool choice_from_json(const cJSON *item, const SlSettingInfo *s, SlRecipe *recipe,
                             SlError *err)
{
    SlText names = {0};
    const char *word = cJSON_GetStringValue(item);
    bool ok = parse_choice(s, word ? word : "", recipe, &names);
    char expected[400];
    snprintf(expected, sizeof expected, sl_words("one of %s"),
             names.data ? names.data : sl_words("other words"));
    sl_text_free(&names);
    return ok || wrong(s, item, expected, err);
}

static bool setting_from_json(const cJSON *item, const SlSettingInfo *s, SlRecipe *recipe,
                              SlError *err)
{
    uint64_t seed;
    double number = cJSON_IsNumber(item) ? item->valuedouble : NAN;
    switch (s->kind) {
    case SL_KIND_TEXT:
    case SL_KIND_SCHEDULER:
        if (!cJSON_IsString(item))
            return wrong(s, item, sl_words("a text"), err);
        sl_setting_set_text(s, recipe, item->valuestring);
        return true;
    case SL_KIND_CHOICE:
        return choice_from_json(item, s, recipe, err);
    case SL_KIND_SEED:
        if (!sl_json_to_u64(item, &seed))
            return wrong(s, item, sl_words("a whole number from 0"), err);
        sl_setting_set_seed(s, recipe, seed);
        return true;
    case SL_KIND_REAL:
        if (!isfinite(number))
            return wrong(s, item, sl_words("a number"), err);
        break;
    case SL_KIND_INT:
    case SL_KIND_SIDE:
    case SL_KIND_INT64:
        /* what an int holds, and a double holds exactly */
        if (!(fabs(number) <= (s->kind == SL_KIND_INT64 ? (double)EXACT_INTEGERS : INT_MAX)) ||
            number != floor(number))
            return wrong(s, item, sl_words("a whole number"), err);
        break;
    }
    sl_setting_set_number(s, recipe, number);
    return true;
}

bool sl_recipe_from_json(const cJSON *object, SlRecipe *recipe, SlText *unknown, SlError *err)
{
    if (!cJSON_IsObject(object))
        return sl_fail(err, SL_FORMAT, "the recipe is not a JSON object");
    const cJSON *item;
    cJSON_ArrayForEach(item, object)
    {
        const SlSettingInfo *s = sl_setting_find(item->string);
        if (s && !setting_from_json(item, s, recipe, err))
            return false;
        if (!s && unknown)
            sl_text_addf(unknown, "%s%s", unknown->length ? ", " : "", item->string);
    }
    return true;
}

/* What only the file can know: the words, and what would else depend on the model. */
static bool must_be_said(const SlSettingInfo *s)
{
    return s->id == SL_SETTING_PROMPT || s->of_model;
}

bool sl_recipe_from_file(const cJSON *object, SlRecipe *recipe, SlText *unknown, SlError *err)
{
    SlText needed = {0};
    bool whole = true;
    sl_recipe_clear(recipe);
    if (!sl_recipe_from_json(object, recipe, unknown, err))
        return false;
    for (int i = 0; i < SL_N_SETTINGS; i++) {
        const SlSettingInfo *s = sl_setting(i);
        if (!must_be_said(s))
            continue;
        whole = whole && cJSON_HasObjectItem(object, s->key);
        sl_text_addf(&needed, "%s%s", needed.length ? ", " : "", s->key);
    }
    if (!whole)
        sl_fail(err, SL_FORMAT, "its \"recipe\" does not say everything; expected at least %s",
                needed.data ? needed.data : sl_words("the settings"));
    sl_text_free(&needed);
    /* A scheduler of a newer version stands in the way of computing, not of reading. */
    SlRecipe values = *recipe;
    values.scheduler = NULL;
    return whole && sl_recipe_check(&values, NULL, err);
}
