/* lane_name.c - see lane_name.h. The phrases are those of the table of settings, so a new setting is
 * named without a line here.
 *
 * Easy to get wrong: sheets of the same lanes must be the same in every language, so they are written
 * with the English words; and a setting that the lane's scheduler does not have says nothing.
 */
#include "app/record/lane_name.h"
#include "app/recipe/recipe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_(text)        text
#define TEXT_CHARACTERS 32 /* of a prompt that is part of a name */
#define SHARED_LEAST    16 /* bytes that prompts begin with alike, to be left out */

static const char *english(const char *text)
{
    return text;
}

static const char *english_count(const char *one, const char *many, unsigned long n)
{
    return n == 1 ? one : many;
}

static const SlLaneWords english_words = {english, english_count, '.'};

/* ---- what is named ---- */

static bool has_sigma_list(const SlRecipe *r)
{
    return *sl_setting_text(sl_setting(SL_SETTING_SIGMA_LIST), r) != '\0';
}

/* A list of noise levels takes the place of a named schedule: they are one setting to a reader. */
static bool differ(const SlSettingInfo *s, const SlRecipe *a, const SlRecipe *b)
{
    if (s->id == SL_SETTING_SIGMAS && (has_sigma_list(a) || has_sigma_list(b)))
        return !sl_setting_equal(sl_setting(SL_SETTING_SIGMA_LIST), a, b);
    return !sl_setting_equal(s, a, b);
}

/* How many lanes have a lane's value of a setting. */
struct SlLaneNames {
    const SlNamedLane *lanes;
    int count;
    int *alike[SL_N_SETTINGS]; /* [count]; NULL: all have the same */
};

static bool count_alike(SlLaneNames *names, const SlSettingInfo *s)
{
    const SlNamedLane *lanes = names->lanes;
    int count = names->count, first = 1;
    while (first < count && !differ(s, lanes[first].recipe, lanes[0].recipe))
        first++;
    if (first >= count)
        return true;
    int *alike = names->alike[s->id] = calloc((size_t)count * 3, sizeof *alike);
    int *example = alike + count, *number = example + count, values = 0; /* of each value */
    if (!alike)
        return false;
    for (int i = 0; i < count; i++) {
        int v = 0;
        while (v < values && differ(s, lanes[i].recipe, lanes[example[v]].recipe))
            v++;
        if (v == values)
            example[values++] = i;
        number[v]++;
        alike[i] = v;
    }
    for (int i = 0; i < count; i++)
        alike[i] = number[alike[i]];
    return true;
}

SlLaneNames *sl_lane_names_new(const SlNamedLane *lanes, int count)
{
    SlLaneNames *names = calloc(1, sizeof *names);
    bool ok = names != NULL;
    if (ok)
        *names = (SlLaneNames){.lanes = lanes, .count = count};
    for (int k = 0; ok && k < SL_N_SETTINGS; k++)
        ok = !sl_setting(k)->phrase || count_alike(names, sl_setting(k));
    if (ok)
        return names;
    sl_lane_names_free(names);
    return NULL;
}

void sl_lane_names_free(SlLaneNames *names)
{
    for (int k = 0; names && k < SL_N_SETTINGS; k++)
        free(names->alike[k]);
    free(names);
}

static bool tells(const SlSettingInfo *s, const SlLaneNames *names, int i)
{
    const SlNamedLane *lane = &names->lanes[i];
    const int *alike = names->alike[s->id];
    bool other = alike && 2 * alike[i] <= names->count;
    return s->phrase && s->kind != SL_KIND_SCHEDULER &&
           (other || (lane->left && differ(s, lane->recipe, lane->left))) &&
           sl_setting_counts(s, lane->recipe) &&
           sl_setting_exists(s, NULL, sl_scheduler_find(lane->recipe->scheduler));
}

/* ---- how ---- */

/* A translated phrase with the value in the place of its %s (or %d). */
static void add_phrase(SlText *out, const char *phrase, const char *value)
{
    const char *place = strchr(phrase, '%');
    if (!place || (place[1] != 's' && place[1] != 'd')) {
        sl_text_add(out, phrase);
        return;
    }
    sl_text_append(out, phrase, (size_t)(place - phrase));
    sl_text_add(out, value);
    sl_text_add(out, place + 2);
}

/* So many bytes all lanes' texts begin with alike, back to the beginning of a word. */
static size_t shared_bytes(const SlSettingInfo *s, const SlNamedLane *lanes, int count, int i)
{
    const char *text = sl_setting_text(s, lanes[i].recipe);
    size_t shared = strlen(text);
    for (int k = 0; k < count; k++) {
        const char *other = sl_setting_text(s, lanes[k].recipe);
        size_t n = 0;
        while (n < shared && text[n] == other[n])
            n++;
        shared = strcmp(text, other) == 0 ? shared : n;
    }
    while (shared > 0 && text[shared - 1] != ' ')
        shared--;
    return shared;
}

/* So much of a text as tells it from those of the other lanes. */
static void add_text(SlText *out, const SlSettingInfo *s, const SlNamedLane *lanes, int count,
                     int i)
{
    const char *text = sl_setting_text(s, lanes[i].recipe);
    size_t from =
        s->joined || s->id == SL_SETTING_SIGMA_LIST ? 0 : shared_bytes(s, lanes, count, i);
    const char *p = text + (from >= SHARED_LEAST && text[from] ? from : 0), *end = p;
    for (int n = 0; *end && n < TEXT_CHARACTERS; n++) {
        size_t bytes = sl_utf8_char(end, strlen(end));
        end += bytes ? bytes : 1;
    }
    sl_text_add(out, p > text ? "…" : "");
    sl_text_append(out, p, (size_t)(end - p));
    sl_text_add(out, *end ? "…" : "");
}

/* "0.8 × cat, 1 × dog" */
static void add_adapters(SlText *out, const char *text)
{
    SlAdapterUses uses;
    SlError ignored;
    if (!sl_adapter_uses_parse(text, &uses, &ignored))
        sl_text_add(out, text);
    for (int i = 0; i < uses.count; i++) {
        const SlAdapterUse *use = &uses.use[i];
        const char *slash = strrchr(use->name, '/');
        sl_text_addf(out, "%s%s × %s", i ? ", " : "", sl_strength_text(use->unet).text,
                     slash ? slash + 1 : use->name);
        if (use->points == 0 && (use->from > 0 || use->to < 1))
            sl_text_addf(out, " @%s-%s", sl_strength_text(use->from).text,
                         sl_strength_text(use->to).text);
    }
    sl_adapter_uses_free(&uses);
}

static void add_real(SlText *value, double number, const SlLaneWords *words)
{
    char digits[32];
    snprintf(digits, sizeof digits, "%g", number);
    digits[strcspn(digits, ".,")] = digits[strcspn(digits, ".,")] ? words->point : '\0';
    sl_text_add(value, digits);
}

/* Adds a setting of lane i to *value: what stands in its phrase. */
static void add_value(SlText *value, const SlSettingInfo *s, const SlNamedLane *lanes, int count,
                      int i, const SlLaneWords *words)
{
    const SlRecipe *r = lanes[i].recipe;
    if (s->id == SL_SETTING_LORA)
        add_adapters(value, sl_setting_text(s, r));
    else if (s->kind == SL_KIND_TEXT)
        add_text(value, s, lanes, count, i);
    else if (s->kind == SL_KIND_CHOICE && s->choice_labels)
        sl_text_add(value, words->gettext(s->choice_labels[(int)sl_setting_number(s, r)]));
    else if (s->kind == SL_KIND_REAL)
        add_real(value, sl_setting_number(s, r), words);
    else
        sl_setting_add_value(value, s, r);
}

/* A setting in words, or nothing where it is as the model or the scheduler has it. */
static void add_setting(SlText *out, const SlSettingInfo *s, const SlNamedLane *lanes, int count,
                        int i, const SlLaneWords *words)
{
    const SlRecipe *r = lanes[i].recipe;
    SlText value = {0};
    if (s->id == SL_SETTING_SIGMAS && has_sigma_list(r))
        return; /* the list says more */
    if (s->kind == SL_KIND_CHOICE && s->of_model_phrase && sl_setting_number(s, r) == 0) {
        sl_text_addf(out, ", %s", words->gettext(s->of_model_phrase));
        return;
    }
    if (s->kind == SL_KIND_TEXT ? !*sl_setting_text(s, r)
                                : s->unset < 0 && sl_setting_is_unset(s, r))
        return;
    sl_text_add(out, ", ");
    add_value(&value, s, lanes, count, i, words);
    add_phrase(out,
               s->id == SL_SETTING_STEPS
                   ? words->ngettext("%d step", "%d steps", (unsigned long)r->steps)
                   : words->gettext(s->phrase),
               value.data ? value.data : "");
    out->failed |= value.failed;
    sl_text_free(&value);
}

void sl_lane_names_add(const SlLaneNames *names, int i, const SlLaneWords *words, SlText *out)
{
    const SlNamedLane *lanes = names->lanes;
    const SlSchedulerInfo *scheduler = sl_scheduler_find(lanes[i].recipe->scheduler);
    const char *name = scheduler ? scheduler->name : lanes[i].recipe->scheduler;
    if (!words)
        words = &english_words;
    sl_text_add(out, name);
    if (lanes[i].left) {
        char step[16];
        snprintf(step, sizeof step, "%d", lanes[i].step);
        sl_text_add(out, " ");
        /* Translators: behind a scheduler's name: the step at which a branch leaves its run. */
        add_phrase(out, words->gettext(N_("from step %s")), step);
    }
    for (int texts = 0; texts < 2; texts++)
        for (int k = 0; k < SL_N_SETTINGS; k++)
            if ((sl_setting(k)->kind == SL_KIND_TEXT) == texts && tells(sl_setting(k), names, i))
                add_setting(out, sl_setting(k), lanes, names->count, i, words);
}
