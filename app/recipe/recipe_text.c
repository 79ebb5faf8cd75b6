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

const char *const sl_sigmas_names[] = {"model", "karras", "exponential", "beta", NULL};
const char *const sl_spacing_names[] = {"model", "linspace", "leading", "trailing", NULL};
const char *const sl_variance_names[] = {"model", "fixed_small", "fixed_small_log", "fixed_large",
                                         NULL};
const char *const sl_noise_names[] = {"cpu", "cuda", NULL};
const char *const sl_prediction_names[] = {"epsilon", "v_prediction", "sample", NULL};

/* ---- every setting, once ---- */

typedef enum Kind { TEXT, CHOICE, REAL, INT, INT64, U64 } Kind;

typedef struct Field {
    const char *name;
    Kind kind;
    size_t offset;
    const char *const *choices;
} Field;

#define FIELD(name, kind)                           \
    {                                               \
#name, kind, offsetof(SlRecipe, name), NULL \
    }
#define CHOICE_FIELD(name, names)                      \
    {                                                  \
#name, CHOICE, offsetof(SlRecipe, name), names \
    }

static const Field fields[] = {
    FIELD(prompt, TEXT),
    FIELD(negative_prompt, TEXT),
    FIELD(scheduler, TEXT),
    CHOICE_FIELD(sigmas, sl_sigmas_names),
    CHOICE_FIELD(spacing, sl_spacing_names),
    CHOICE_FIELD(variance, sl_variance_names),
    FIELD(eta, REAL),
    FIELD(steps, INT),
    FIELD(guidance, REAL),
    FIELD(seed, U64),
    CHOICE_FIELD(noise, sl_noise_names),
    FIELD(noise_threads, INT64),
    FIELD(width, INT),
    FIELD(height, INT),
    FIELD(clip_skip, INT),
};
#define FIELDS (sizeof fields / sizeof fields[0])

_Static_assert(sizeof(SlSigmas) == sizeof(int) && sizeof(SlSpacing) == sizeof(int) &&
                   sizeof(SlVariance) == sizeof(int) && sizeof(SlNoiseKind) == sizeof(int),
               "choices are read and written as int");

static const void *at(const SlRecipe *recipe, const Field *f)
{
    return (const char *)recipe + f->offset;
}

static const char *text_at(const SlRecipe *recipe, const Field *f)
{
    const char *text;
    memcpy(&text, at(recipe, f), sizeof text);
    return text ? text : "";
}

static int int_at(const SlRecipe *recipe, const Field *f)
{
    int value;
    memcpy(&value, at(recipe, f), sizeof value);
    return value;
}

static double real_at(const SlRecipe *recipe, const Field *f)
{
    double value;
    memcpy(&value, at(recipe, f), sizeof value);
    return value;
}

static uint64_t word_at(const SlRecipe *recipe, const Field *f)
{
    uint64_t value;
    memcpy(&value, at(recipe, f), sizeof value);
    return value;
}

/* ---- copies, equality, difference ---- */

SlRecipe *sl_recipe_copy(const SlRecipe *recipe)
{
    size_t bytes = sizeof *recipe;
    for (size_t i = 0; i < FIELDS; i++)
        if (fields[i].kind == TEXT)
            bytes += strlen(text_at(recipe, &fields[i])) + 1;
    SlRecipe *copy = malloc(bytes);
    if (!copy)
        return NULL;
    *copy = *recipe;
    char *end = (char *)(copy + 1);
    for (size_t i = 0; i < FIELDS; i++) {
        if (fields[i].kind != TEXT)
            continue;
        const char *text = text_at(recipe, &fields[i]);
        size_t length = strlen(text) + 1;
        const char *place = memcpy(end, text, length);
        memcpy((char *)copy + fields[i].offset, &place, sizeof place);
        end += length;
    }
    /* The model's own scheduler has no name until a model is known. */
    if (!recipe->scheduler)
        copy->scheduler = NULL;
    return copy;
}

static bool field_equal(const SlRecipe *a, const SlRecipe *b, const Field *f)
{
    switch (f->kind) {
    case TEXT:
        return strcmp(text_at(a, f), text_at(b, f)) == 0;
    case REAL:
        /* any negative eta is the class's default */
        return real_at(a, f) == real_at(b, f) ||
               (f->offset == offsetof(SlRecipe, eta) && a->eta < 0 && b->eta < 0);
    case INT:
    case CHOICE:
        return int_at(a, f) == int_at(b, f);
    case INT64:
    case U64:
        break;
    }
    return word_at(a, f) == word_at(b, f);
}

bool sl_recipe_equal(const SlRecipe *a, const SlRecipe *b)
{
    for (size_t i = 0; i < FIELDS; i++)
        if (!field_equal(a, b, &fields[i]))
            return false;
    return true;
}

static void add_value(SlText *text, const SlRecipe *recipe, const Field *f)
{
    char number[32];
    switch (f->kind) {
    case TEXT:
        sl_text_addf(text, "\"%s\"", text_at(recipe, f));
        return;
    case CHOICE:
        sl_text_add(text, f->choices[int_at(recipe, f)]);
        return;
    case REAL:
        sl_format_double(real_at(recipe, f), number);
        sl_text_add(text, number);
        return;
    case INT:
        sl_text_addf(text, "%d", int_at(recipe, f));
        return;
    case INT64:
    case U64:
        sl_text_addf(text, "%" PRIu64, word_at(recipe, f));
        return;
    }
}

char *sl_recipe_diff(const SlRecipe *a, const SlRecipe *b)
{
    SlText text = {0};
    for (size_t i = 0; i < FIELDS; i++) {
        if (field_equal(a, b, &fields[i]))
            continue;
        sl_text_addf(&text, "%s%s: ", text.length ? "\n" : "", fields[i].name);
        add_value(&text, a, &fields[i]);
        sl_text_add(&text, ", ");
        add_value(&text, b, &fields[i]);
    }
    return sl_text_take(&text);
}

/* ---- JSON ---- */

cJSON *sl_json_from_u64(uint64_t value)
{
    char digits[24];
    if (value <= EXACT_INTEGERS)
        return cJSON_CreateNumber((double)value);
    snprintf(digits, sizeof digits, "%" PRIu64, value);
    return cJSON_CreateString(digits);
}

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

void sl_json_add_lines(cJSON *object, const char *key, const char *text)
{
    cJSON *list = cJSON_AddArrayToObject(object, key);
    for (const char *p = text; p && *p;) {
        size_t n = strcspn(p, "\n");
        char *line = sl_copy_bytes(p, n);
        if (line)
            cJSON_AddItemToArray(list, cJSON_CreateString(line));
        free(line);
        p += n + (p[n] == '\n');
    }
}

static cJSON *field_to_json(const SlRecipe *recipe, const Field *f)
{
    switch (f->kind) {
    case TEXT:
        return cJSON_CreateString(text_at(recipe, f));
    case CHOICE:
        return cJSON_CreateString(f->choices[int_at(recipe, f)]);
    case REAL:
        return cJSON_CreateNumber(real_at(recipe, f));
    case INT:
        return cJSON_CreateNumber(int_at(recipe, f));
    case INT64:
    case U64:
        break;
    }
    return sl_json_from_u64(word_at(recipe, f));
}

cJSON *sl_recipe_to_json(const SlRecipe *recipe)
{
    cJSON *object = cJSON_CreateObject();
    for (size_t i = 0; object && i < FIELDS; i++) {
        /* Younger than the ids that files know each other by: it is in them only where it is used. */
        if (fields[i].offset == offsetof(SlRecipe, variance) && !int_at(recipe, &fields[i]))
            continue;
        if (!cJSON_AddItemToObject(object, fields[i].name, field_to_json(recipe, &fields[i]))) {
            cJSON_Delete(object);
            return NULL;
        }
    }
    return object;
}

static bool wrong(const Field *f, const cJSON *item, const char *expected, SlError *err)
{
    char *found = cJSON_PrintUnformatted(item);
    sl_fail(err, SL_ARGUMENT, "%s is %.60s; expected %s", f->name, found ? found : "unreadable",
            expected);
    free(found);
    return false;
}

static bool choice_from_json(const cJSON *item, const Field *f, int *value, SlError *err)
{
    for (int i = 0; cJSON_IsString(item) && f->choices[i]; i++) {
        if (strcmp(item->valuestring, f->choices[i]) == 0) {
            *value = i;
            return true;
        }
    }
    SlText names = {0};
    for (int i = 0; f->choices[i]; i++)
        sl_text_addf(&names, "%s%s", i ? ", " : "one of ", f->choices[i]);
    wrong(f, item, names.data ? names.data : "another name", err);
    sl_text_free(&names);
    return false;
}

static bool field_from_json(const cJSON *item, const Field *f, SlRecipe *recipe, SlError *err)
{
    void *place = (char *)recipe + f->offset;
    uint64_t word;
    int number;
    switch (f->kind) {
    case TEXT:
        if (!cJSON_IsString(item))
            return wrong(f, item, "a text", err);
        memcpy(place, &item->valuestring, sizeof(char *));
        return true;
    case CHOICE:
        if (!choice_from_json(item, f, &number, err))
            return false;
        memcpy(place, &number, sizeof number);
        return true;
    case REAL:
        if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble))
            return wrong(f, item, "a number", err);
        memcpy(place, &item->valuedouble, sizeof(double));
        return true;
    case INT:
        if (!cJSON_IsNumber(item) || item->valuedouble != floor(item->valuedouble) ||
            fabs(item->valuedouble) > INT_MAX)
            return wrong(f, item, "a whole number", err);
        number = (int)item->valuedouble;
        memcpy(place, &number, sizeof number);
        return true;
    case INT64:
    case U64:
        break;
    }
    if (!sl_json_to_u64(item, &word) || (f->kind == INT64 && word > INT64_MAX))
        return wrong(f, item, "a whole number from 0", err);
    memcpy(place, &word, sizeof word);
    return true;
}

bool sl_recipe_from_json(const cJSON *object, SlRecipe *recipe, SlText *unknown, SlError *err)
{
    if (!cJSON_IsObject(object))
        return sl_fail(err, SL_FORMAT, "the recipe is not a JSON object");
    const cJSON *item;
    cJSON_ArrayForEach(item, object)
    {
        size_t i = 0;
        while (i < FIELDS && strcmp(item->string, fields[i].name) != 0)
            i++;
        if (i == FIELDS) {
            if (unknown)
                sl_text_addf(unknown, "%s%s", unknown->length ? ", " : "", item->string);
        } else if (!field_from_json(item, &fields[i], recipe, err)) {
            return false;
        }
    }
    return true;
}
