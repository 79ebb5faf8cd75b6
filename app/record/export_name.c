/* export_name.c - see export_name.h. Easy to get wrong: names are cut between characters, and Windows
 * refuses more than others do, which matters on sticks and shares. */
#include "app/record/export_name.h"
#include "app/files/files.h"
#include "app/recipe/recipe.h"

#include <inttypes.h>
#include <string.h>

#define PROMPT_BYTES 60

static bool all_have(SlSetting id, const SlRecipe *const *recipes, int count)
{
    for (int i = 1; i < count; i++)
        if (!sl_setting_equal(sl_setting(id), recipes[i], recipes[0]))
            return false;
    return true;
}

/* How many different values. */
static int count_values(SlSetting id, const SlRecipe *const *recipes, int count)
{
    int values = 0;
    for (int i = 0; i < count; i++) {
        bool before = false;
        for (int k = 0; k < i; k++)
            before = before || sl_setting_equal(sl_setting(id), recipes[i], recipes[k]);
        values += !before;
    }
    return values;
}

static bool is_safe(unsigned char c)
{
    return c >= ' ' && c != 127 && !strchr("/\\:*?\"<>|", c);
}

/* A text's characters up to so many bytes, what is not safe as a blank, blanks only between others. */
static void add_safe(SlText *out, const char *text, size_t most)
{
    size_t first = out->length, length = strlen(text), used = 0;
    bool blank = false;
    for (size_t i = 0, n; i < length; i += n) {
        n = sl_utf8_char(text + i, length - i);
        bool safe = n > 1 || (n == 1 && is_safe((unsigned char)text[i]) && text[i] != ' ');
        n = n ? n : 1;
        if (used + n + blank > most)
            break;
        if (!safe) {
            blank = out->length > first;
            continue;
        }
        if (out->length == 0 && text[i] == '.')
            continue;
        sl_text_append(out, " ", blank);
        sl_text_append(out, text + i, n);
        used += n + blank;
        blank = false;
    }
}

static void add_part(SlText *out, const char *part)
{
    sl_text_add(out, out->length ? ", " : "");
    sl_text_add(out, part);
}

static void add_schedulers(SlText *out, const SlRecipe *const *recipes, int count)
{
    int values = count_values(SL_SETTING_SCHEDULER, recipes, count), other = 0;
    if (values > 2) {
        sl_text_addf(out, ", %d schedulers", values);
        return;
    }
    add_part(out, recipes[0]->scheduler);
    while (values == 2 && strcmp(recipes[other]->scheduler, recipes[0]->scheduler) == 0)
        other++;
    if (values == 2)
        sl_text_addf(out, " and %s", recipes[other]->scheduler);
}

/* "4 seeds", "3 steps" for each setting in which they differ and that is not said yet. */
static void add_differences(SlText *out, const SlRecipe *const *recipes, int count)
{
    for (int i = 0; i < SL_N_SETTINGS && out->length < SL_EXPORT_NAME_BYTES - 24; i++) {
        const SlSettingInfo *s = sl_setting(i);
        if (!s->phrase || s->id == SL_SETTING_SCHEDULER || s->id == SL_SETTING_SEED ||
            all_have(s->id, recipes, count))
            continue;
        sl_text_addf(out, ", %d × ", count_values(s->id, recipes, count));
        add_safe(out, s->name, 40);
    }
}

char *sl_export_name(const SlRecipe *const *recipes, int count, int step, const char *ending)
{
    SlText out = {0};
    if (count > 0 && all_have(SL_SETTING_PROMPT, recipes, count))
        add_safe(&out, recipes[0]->prompt, PROMPT_BYTES);
    if (out.length == 0)
        sl_text_add(&out, "safelight");
    if (count > 0) {
        int seeds = count_values(SL_SETTING_SEED, recipes, count);
        if (seeds == 1)
            sl_text_addf(&out, ", seed %" PRIu64, recipes[0]->seed);
        else
            sl_text_addf(&out, ", %d seeds", seeds);
        add_schedulers(&out, recipes, count);
        add_differences(&out, recipes, count);
    }
    if (step > 0)
        sl_text_addf(&out, ", step %d", step);
    sl_text_add(&out, ending);
    return sl_text_take(&out);
}
