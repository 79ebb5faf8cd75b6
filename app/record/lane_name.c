/* lane_name.c - see lane_name.h. The phrases are those of the table of settings, so a new setting is
 * named without a line here.
 *
 * Easy to get wrong: sheets of the same lanes must be the same in every language, so they are written
 * with the English words; and a setting that the lane's scheduler does not have says nothing.
 */
#include "app/record/lane_name.h"
#include "app/recipe/recipe.h"

#include <stdio.h>
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

static bool tells(const SlSettingInfo *s, const SlNamedLane *lanes, int count, int i)
{
    const SlRecipe *r = lanes[i].recipe;
    if (!s->phrase || s->kind == SL_KIND_SCHEDULER || !sl_setting_counts(s, r) ||
        !sl_setting_exists(s, NULL, sl_scheduler_find(r->scheduler)))
        return false;
    int alike = 0;
    for (int k = 0; k < count && 2 * alike <= count; k++)
        alike += !differ(s, r, lanes[k].recipe);
    return (lanes[i].left && differ(s, r, lanes[i].left)) || 2 * alike <= count;
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

void sl_lane_name(const SlNamedLane *lanes, int count, int i, const SlLaneWords *words, SlText *out)
{
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
            if ((sl_setting(k)->kind == SL_KIND_TEXT) == texts &&
                tells(sl_setting(k), lanes, count, i))
                add_setting(out, sl_setting(k), lanes, count, i, words);
}
