/* grid.c - see grid.h.
 *
 * Easy to get wrong: what a value means is the table of settings' word alone (sl_setting_parse), and
 * a value is kept as it was written, so that a file says what a person said.
 */
#include "app/record/grid.h"
#include "app/files/files.h"
#include "app/record/lanes.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const sl_grid_axis_names[SL_GRID_AXES] = {"x", "y"};

/* ---- faults ---- */

static bool fault_is(SlGridFault *fault, SlGridFaultKind kind, const char *text)
{
    fault->kind = kind;
    snprintf(fault->text, sizeof fault->text, "%s", text ? text : "");
    return false;
}

static void list_settings(SlText *text)
{
    for (int i = 0, any = 0; i < SL_N_SETTINGS; i++)
        if (sl_grid_has(sl_setting(i)))
            sl_text_addf(text, "%s%s", any++ ? ", " : "", sl_setting(i)->option);
}

static bool say_no_setting(const SlGridFault *fault, SlError *err)
{
    SlText names = {0};
    list_settings(&names);
    sl_fail(err, SL_ARGUMENT,
            "the grid's %s is \"%s\"; expected SETTING:VALUE,VALUE,... with one of %s",
            sl_grid_axis_names[fault->axis], fault->text,
            names.data ? names.data : sl_words("the settings"));
    sl_text_free(&names);
    return false;
}

bool sl_grid_fault_say(const SlGridFault *fault, SlError *err)
{
    const char *axis = sl_grid_axis_names[fault->axis], *text = fault->text;
    const char *name = fault->setting ? fault->setting->option : "";
    switch (fault->kind) {
    case SL_GRID_RIGHT:
        return false;
    case SL_GRID_NO_MEMORY:
        return sl_fail(err, SL_MEMORY, "memory ran out for a grid");
    case SL_GRID_NO_SETTING:
        return say_no_setting(fault, err);
    case SL_GRID_NO_VALUES:
        return sl_fail(err, SL_ARGUMENT, "the grid's %s, %s, has no values; expected %s", axis,
                       *name ? name : sl_words("a setting"),
                       *name ? sl_words("one or more") : "SETTING:VALUE,VALUE,...");
    case SL_GRID_BAD_VALUE:
        return sl_fail(err, SL_ARGUMENT, "the grid's %s: %s is \"%s\"; expected %s", axis, name,
                       text, fault->expected);
    case SL_GRID_BAD_RANGE:
        return sl_fail(err, SL_ARGUMENT, "the grid's %s: %s has the range \"%s\"; expected %s",
                       axis, name, text, fault->expected);
    case SL_GRID_NO_QUOTE:
        return sl_fail(err, SL_ARGUMENT,
                       "the grid's %s: %s has %s; expected a quote at the end of a text in quotes, "
                       "and a comma or nothing behind it",
                       axis, name, text);
    case SL_GRID_TWICE:
        return sl_fail(err, SL_ARGUMENT, "the grid's %s: %s has \"%s\" twice; expected it once",
                       axis, name, text);
    case SL_GRID_NO_LORA:
        return sl_fail(err, SL_ARGUMENT,
                       "the grid's %s: lora is \"%s\"; expected NAME:STRENGTH, or a LoRA that all "
                       "cells have, whose strength it is",
                       axis, text);
    case SL_GRID_BOTH_SAME:
        return sl_fail(
            err, SL_ARGUMENT,
            "the grid's x and y are both %s; expected two settings that do not stand for "
            "each other",
            name);
    case SL_GRID_TOO_MANY:
        return sl_fail(err, SL_ARGUMENT, "the grid has %s cells; expected at most %d", text,
                       SL_LANES_MAX);
    }
    return false;
}

/* ---- values ---- */

bool sl_grid_has(const SlSettingInfo *setting)
{
    return setting->scope != SL_SCOPE_ALL && setting->option;
}

static bool is_number(const SlSettingInfo *s)
{
    return s->kind == SL_KIND_REAL || s->kind == SL_KIND_INT || s->kind == SL_KIND_INT64 ||
           s->kind == SL_KIND_SEED;
}

/* A number alone among LoRAs. */
static bool is_strength(const SlSettingInfo *s, const char *value, double *strength)
{
    return s->id == SL_SETTING_LORA && sl_parse_double(value, strength);
}

/* Without a look at other files: whether it is a value of the setting at all. */
static bool is_value(const SlSettingInfo *s, const char *value, SlGridFault *fault)
{
    SlRecipe any;
    SlText expected = {0};
    SlError problem = {0};
    double strength;
    sl_recipe_clear(&any);
    bool ok = is_strength(s, value, &strength) || sl_setting_parse(s, value, &any, &expected);
    if (ok && s->check && !is_strength(s, value, &strength) && !s->check(value, &problem)) {
        sl_text_addf(&expected, sl_words("a value that is read (%s)"), problem.message);
        ok = false;
    }
    if (!ok) {
        fault_is(fault, SL_GRID_BAD_VALUE, value);
        snprintf(fault->expected, sizeof fault->expected, "%s",
                 expected.data ? expected.data : sl_words("something else"));
    }
    sl_text_free(&expected);
    return ok;
}

static bool add_value(SlGridAxis *axis, const char *value, SlGridFault *fault)
{
    if (!is_value(fault->setting, value, fault))
        return false;
    for (int i = 0; i < axis->count; i++)
        if (strcmp(axis->value[i], value) == 0)
            return fault_is(fault, SL_GRID_TWICE, value);
    if (axis->count >= SL_LANES_MAX) {
        char count[20];
        snprintf(count, sizeof count, "%d", axis->count + 1);
        return fault_is(fault, SL_GRID_TOO_MANY, count);
    }
    char **more = realloc(axis->value, (size_t)(axis->count + 1) * sizeof *more);
    if (more)
        axis->value = more;
    char *copy = more ? strdup(value) : NULL;
    if (!copy)
        return fault_is(fault, SL_GRID_NO_MEMORY, NULL);
    axis->value[axis->count++] = copy;
    return true;
}

/* ---- ranges ---- */

static bool bad_range(SlGridFault *fault, const char *text, const char *expected)
{
    fault_is(fault, SL_GRID_BAD_RANGE, text);
    snprintf(fault->expected, sizeof fault->expected, "%s", expected);
    return false;
}

/* "A..B" or "A..B:STEP", cut up. */
static bool split_range(char *text, char **to, char **step)
{
    char *dots = strstr(text, "..");
    if (!dots || dots == text)
        return false;
    *dots = '\0';
    *to = dots + 2;
    *step = strchr(*to, ':');
    if (*step)
        *(*step)++ = '\0';
    return true;
}

static bool add_seeds(SlGridAxis *axis, const char *whole, const char *from, const char *to,
                      const char *step, SlGridFault *fault)
{
    uint64_t a, b, by = 1;
    if (!sl_parse_u64(from, &a) || !sl_parse_u64(to, &b) || (step && !sl_parse_u64(step, &by)) ||
        by == 0 || b < a)
        return bad_range(fault, whole,
                         sl_words("FROM..TO or FROM..TO:STEP of rising whole numbers"));
    for (uint64_t v = a;; v += by) {
        char value[24];
        snprintf(value, sizeof value, "%" PRIu64, v);
        if (!add_value(axis, value, fault))
            return false;
        if (b - v < by)
            return true;
    }
}

/* Up or down; whole numbers have the step 1 where none is said. */
static bool add_numbers(SlGridAxis *axis, const char *whole, const char *from, const char *to,
                        const char *step, SlGridFault *fault)
{
    double a, b, by = 1;
    bool real = fault->setting->kind == SL_KIND_REAL || fault->setting->kind == SL_KIND_TEXT;
    bool ok = sl_parse_double(from, &a) && sl_parse_double(to, &b) &&
              (step ? sl_parse_double(step, &by) : !real) && by > 0;
    if (!ok || fabs(b - a) / by > 1e6)
        return bad_range(
            fault, whole,
            real ? sl_words("FROM..TO:STEP of numbers, the step more than 0")
                 : sl_words("FROM..TO or FROM..TO:STEP of whole numbers, the step more than 0"));
    int last = (int)floor(fabs(b - a) / by + 1e-9);
    for (int i = 0; i <= last; i++) {
        char value[32];
        double number = round((a + (b < a ? -i * by : i * by)) * 1e9) / 1e9;
        if (number == floor(number) && fabs(number) < 1e15)
            snprintf(value, sizeof value, "%.0f", number);
        else
            sl_format_double(number, value);
        if (!add_value(axis, value, fault))
            return false;
    }
    return true;
}

static bool add_piece(SlGridAxis *axis, const char *piece, bool quoted, SlGridFault *fault)
{
    const SlSettingInfo *s = fault->setting;
    char copy[200], *to, *step;
    double strength;
    snprintf(copy, sizeof copy, "%s", piece);
    bool range = !quoted && (is_number(s) || s->id == SL_SETTING_LORA) &&
                 strlen(piece) < sizeof copy && split_range(copy, &to, &step);
    if (range && s->id == SL_SETTING_LORA && !is_strength(s, copy, &strength))
        range = false; /* a path like ../style */
    if (!range)
        return add_value(axis, piece, fault);
    return s->kind == SL_KIND_SEED ? add_seeds(axis, piece, copy, to, step, fault)
                                   : add_numbers(axis, piece, copy, to, step, fault);
}

/* ---- reading ---- */

/* The text behind a quote, with twice a quote as one; *end is behind the last quote. NULL: none ends
 * it, or memory ran out (*fault). */
static char *unquote(const char *from, const char **end, SlGridFault *fault)
{
    SlText text = {0};
    const char *p = from + 1;
    sl_text_add(&text, "");
    for (; *p && !(*p == '"' && p[1] != '"'); p++) {
        p += *p == '"';
        sl_text_append(&text, p, 1);
    }
    *end = p + 1;
    bool ends = *p == '"' && (p[1] == ',' || !p[1]);
    char *value = ends ? sl_text_take(&text) : NULL;
    if (!value)
        fault_is(fault, ends ? SL_GRID_NO_MEMORY : SL_GRID_NO_QUOTE, from);
    sl_text_free(&text);
    return value;
}

/* A value up to its comma, without blanks around it. */
static char *plain(const char *from, const char **end, SlGridFault *fault)
{
    size_t length = strcspn(from, ",");
    *end = from + length;
    while (length > 0 && from[length - 1] == ' ')
        length--;
    char *value = sl_copy_bytes(from, length);
    if (!value)
        fault_is(fault, SL_GRID_NO_MEMORY, NULL);
    return value;
}

static bool read_values(SlGridAxis *axis, const char *text, SlGridFault *fault)
{
    bool more = *text != '\0';
    if (!more)
        return fault_is(fault, SL_GRID_NO_VALUES, NULL);
    while (more) {
        while (*text == ' ')
            text++;
        bool quoted = *text == '"', ok;
        const char *end;
        char *value = quoted ? unquote(text, &end, fault) : plain(text, &end, fault);
        ok = value && add_piece(axis, value, quoted, fault);
        free(value);
        if (!ok)
            return false;
        more = *end == ',';
        text = end + more;
    }
    return true;
}

static void clear_axis(SlGridAxis *axis)
{
    for (int i = 0; i < axis->count; i++)
        free(axis->value[i]);
    free(axis->value);
    *axis = (SlGridAxis){0};
}

bool sl_grid_parse_values(SlGrid *grid, SlGridAxisName which, SlSetting setting, const char *text,
                          SlGridFault *fault)
{
    SlGridAxis *axis = &grid->axis[which];
    clear_axis(axis);
    *fault = (SlGridFault){.axis = which, .setting = sl_setting(setting)};
    axis->setting = setting;
    if (read_values(axis, text, fault))
        return true;
    clear_axis(axis);
    return false;
}

bool sl_grid_parse(SlGrid *grid, SlGridAxisName axis, const char *text, SlGridFault *fault)
{
    size_t n = strcspn(text, ":");
    const SlSettingInfo *setting = sl_setting_find_option(text, n);
    *fault = (SlGridFault){.axis = axis};
    if (!setting || !sl_grid_has(setting) || text[n] != ':')
        return fault_is(fault, SL_GRID_NO_SETTING, text);
    return sl_grid_parse_values(grid, axis, setting->id, text + n + 1, fault);
}

/* A list of sigmas says how many steps there are, and that they have no name. */
static bool stand_for_each_other(SlSetting a, SlSetting b)
{
    bool list = a == SL_SETTING_SIGMA_LIST || b == SL_SETTING_SIGMA_LIST;
    SlSetting other = a == SL_SETTING_SIGMA_LIST ? b : a;
    return a == b || (list && (other == SL_SETTING_STEPS || other == SL_SETTING_SIGMAS));
}

bool sl_grid_check(const SlGrid *grid, SlGridFault *fault)
{
    *fault = (SlGridFault){0};
    for (int i = 0; i < SL_GRID_AXES; i++) {
        if (grid->axis[i].count > 0)
            continue;
        fault->axis = (SlGridAxisName)i;
        return fault_is(fault, SL_GRID_NO_VALUES, NULL);
    }
    fault->setting = sl_setting(grid->axis[SL_GRID_Y].setting);
    if (stand_for_each_other(grid->axis[SL_GRID_X].setting, grid->axis[SL_GRID_Y].setting))
        return fault_is(fault, SL_GRID_BOTH_SAME, NULL);
    char count[32];
    snprintf(count, sizeof count, "%lld", (long long)sl_grid_columns(grid) * sl_grid_rows(grid));
    return (long long)sl_grid_columns(grid) * sl_grid_rows(grid) <= SL_LANES_MAX ||
           fault_is(fault, SL_GRID_TOO_MANY, count);
}

/* ---- copies and sizes ---- */

void sl_grid_clear(SlGrid *grid)
{
    for (int i = 0; i < SL_GRID_AXES; i++)
        clear_axis(&grid->axis[i]);
}

static bool copy_axis(const SlGridAxis *from, SlGridAxis *to)
{
    to->setting = from->setting;
    to->value = calloc((size_t)from->count + 1, sizeof *to->value);
    for (int i = 0; to->value && i < from->count; i++) {
        to->value[i] = strdup(from->value[i]);
        if (!to->value[i])
            return false;
        to->count++;
    }
    return to->value != NULL;
}

bool sl_grid_copy(const SlGrid *grid, SlGrid *copy)
{
    *copy = (SlGrid){0};
    bool ok = true;
    for (int i = 0; ok && i < SL_GRID_AXES; i++)
        ok = copy_axis(&grid->axis[i], &copy->axis[i]);
    if (!ok)
        sl_grid_clear(copy);
    return ok;
}

int sl_grid_columns(const SlGrid *grid)
{
    return grid->axis[SL_GRID_X].count;
}

int sl_grid_rows(const SlGrid *grid)
{
    return grid->axis[SL_GRID_Y].count;
}

int sl_grid_cells(const SlGrid *grid)
{
    return sl_grid_columns(grid) * sl_grid_rows(grid);
}

static SlSettingSet settings_of(const SlGridAxis *axis)
{
    SlSettingSet set = SL_SETTING_BIT(axis->setting);
    return axis->setting == SL_SETTING_SIGMA_LIST ? set | SL_SETTING_BIT(SL_SETTING_STEPS) : set;
}

SlSettingSet sl_grid_settings(const SlGrid *grid)
{
    return settings_of(&grid->axis[SL_GRID_X]) | settings_of(&grid->axis[SL_GRID_Y]);
}

/* ---- a cell ---- */

/* The strength of the first LoRA; of its texts as well where they have the same. */
static bool set_strength(double strength, SlRecipe *recipe, SlError *err)
{
    SlAdapterUses uses = {0};
    bool ok = sl_adapter_uses_parse(recipe->lora ? recipe->lora : "", &uses, err);
    if (ok && uses.count == 0)
        ok =
            sl_fail(err, SL_ARGUMENT,
                    "a strength alone is the first LoRA's, and there is none; expected a LoRA that "
                    "all cells have, or NAME:STRENGTH");
    if (ok) {
        bool both = uses.use[0].text == uses.use[0].unet;
        uses.use[0].unet = strength;
        uses.use[0].text = both ? strength : uses.use[0].text;
        char *text = sl_adapter_uses_text(&uses);
        const char *kept = text ? sl_lora_keep(text) : NULL;
        free(text);
        if (kept)
            recipe->lora = kept;
        else
            ok = sl_fail(err, SL_MEMORY, "memory ran out for a grid");
    }
    sl_adapter_uses_free(&uses);
    return ok;
}

static bool apply_axis(const SlGridAxis *axis, int i, SlRecipe *recipe, SlError *err)
{
    const SlSettingInfo *s = sl_setting(axis->setting);
    const char *value = axis->value[i];
    SlRecipe values = *recipe;
    SlText expected = {0};
    double strength;
    int count = 0;
    if (is_strength(s, value, &strength))
        return set_strength(strength, recipe, err);
    if (s->id == SL_SETTING_LORA && !(value = sl_lora_text(value, err)))
        return false;
    if (s->id == SL_SETTING_EMBEDDING && !(value = sl_embedding_text(value, err)))
        return false;
    bool ok = sl_setting_parse(s, value, &values, &expected) ||
              sl_fail(err, SL_ARGUMENT, "%s is \"%.200s\"; expected %s", s->option, value,
                      expected.data ? expected.data : sl_words("something else"));
    if (ok && s->id == SL_SETTING_SIGMA_LIST && sl_sigmas_parse(value, NULL, &count, err))
        values.steps = count - 1;
    sl_recipe_change(recipe, &values, settings_of(axis));
    sl_text_free(&expected);
    return ok;
}

bool sl_grid_apply(const SlGrid *grid, int cell, SlRecipe *recipe, SlError *err)
{
    int columns = sl_grid_columns(grid);
    return apply_axis(&grid->axis[SL_GRID_X], cell % columns, recipe, err) &&
           apply_axis(&grid->axis[SL_GRID_Y], cell / columns, recipe, err);
}

/* LoRAs and embeddings got hashes since they were written. */
static bool fits_axis(const SlGridAxis *axis, int i, const SlRecipe *recipe)
{
    const SlSettingInfo *s = sl_setting(axis->setting);
    SlRecipe values = *recipe;
    SlText ignored = {0};
    bool ok = s->id == SL_SETTING_LORA || s->id == SL_SETTING_EMBEDDING ||
              (sl_setting_parse(s, axis->value[i], &values, &ignored) &&
               sl_setting_equal(s, &values, recipe));
    sl_text_free(&ignored);
    return ok;
}

bool sl_grid_fits(const SlGrid *grid, int cell, const SlRecipe *recipe)
{
    int columns = sl_grid_columns(grid);
    return fits_axis(&grid->axis[SL_GRID_X], cell % columns, recipe) &&
           fits_axis(&grid->axis[SL_GRID_Y], cell / columns, recipe);
}

int sl_grid_evaluations(const SlRecipe *recipe)
{
    const SlSchedulerInfo *info = recipe->scheduler ? sl_scheduler_find(recipe->scheduler) : NULL;
    return recipe->steps * (info ? info->evaluations_per_step : 1);
}

/* ---- order ---- */

typedef struct Cells {
    const int *evaluations;
    int columns, rows;
    bool by_column; /* lines are columns */
} Cells;

static int line_of(const Cells *cells, int cell)
{
    return cells->by_column ? cell % cells->columns : cell / cells->columns;
}

static int64_t line_evaluations(const Cells *cells, int line)
{
    int64_t sum = 0;
    int count = cells->by_column ? cells->rows : cells->columns;
    for (int i = 0; i < count; i++)
        sum += cells->evaluations[cells->by_column ? i * cells->columns + line
                                                   : line * cells->columns + i];
    return sum;
}

static bool is_corner(const Cells *cells, int cell)
{
    int column = cell % cells->columns, row = cell / cells->columns;
    return (column == 0 || column == cells->columns - 1) && (row == 0 || row == cells->rows - 1);
}

static bool comes_before(const Cells *cells, int a, int b)
{
    bool corner = is_corner(cells, a);
    int line = line_of(cells, a), other = line_of(cells, b);
    if (corner != is_corner(cells, b))
        return corner;
    if (!corner && line != other) {
        int64_t mine = line_evaluations(cells, line), its = line_evaluations(cells, other);
        return mine != its ? mine < its : line < other;
    }
    return cells->evaluations[a] != cells->evaluations[b]
               ? cells->evaluations[a] < cells->evaluations[b]
               : a < b;
}

void sl_grid_order(const SlGrid *grid, const int *evaluations, int *order)
{
    const Cells cells = {.evaluations = evaluations,
                         .columns = sl_grid_columns(grid),
                         .rows = sl_grid_rows(grid),
                         .by_column = grid->axis[SL_GRID_X].setting == SL_SETTING_LORA};
    for (int cell = 0; cell < sl_grid_cells(grid); cell++) {
        int at = cell;
        for (; at > 0 && comes_before(&cells, cell, order[at - 1]); at--)
            order[at] = order[at - 1];
        order[at] = cell;
    }
}

/* ---- words ---- */

char *sl_grid_label(const SlGrid *grid, SlGridAxisName which, int i)
{
    const SlGridAxis *axis = &grid->axis[which];
    const SlSettingInfo *s = sl_setting(axis->setting);
    const char *value = axis->value[i];
    SlText text = {0};
    if (s->kind == SL_KIND_SCHEDULER && sl_scheduler_find(value))
        sl_text_add(&text, sl_scheduler_find(value)->name);
    else if (s->id == SL_SETTING_PROMPT)
        sl_text_addf(&text, "\"%s\"", value);
    else if (s->id == SL_SETTING_STEPS)
        sl_text_addf(&text, "%s step%s", value, strcmp(value, "1") == 0 ? "" : "s");
    else
        sl_text_addf(&text, "%s %s", s->name, *value ? value : "none");
    return sl_text_take(&text);
}

/* ---- JSON ---- */

static void add_axis(SlJsonOut *out, cJSON *object, const SlGridAxis *axis, const char *name)
{
    cJSON *item = sl_out_object(out, object, name);
    sl_out_text(out, item, "setting", sl_setting(axis->setting)->key);
    cJSON *values = sl_out_array(out, item, "values");
    for (int i = 0; i < axis->count; i++)
        sl_out_text(out, values, NULL, axis->value[i]);
}

cJSON *sl_grid_to_json(const SlGrid *grid)
{
    SlJsonOut out = {0};
    cJSON *object = sl_out_object(&out, NULL, NULL);
    for (int i = 0; i < SL_GRID_AXES; i++)
        add_axis(&out, object, &grid->axis[i], sl_grid_axis_names[i]);
    return sl_out_end(&out, object);
}

static bool axis_from_json(const cJSON *object, SlGridAxis *axis, SlGridFault *fault)
{
    const char *key = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, "setting"));
    const cJSON *values = cJSON_GetObjectItemCaseSensitive(object, "values"), *item;
    fault->setting = key ? sl_setting_find(key) : NULL;
    if (!fault->setting || !sl_grid_has(fault->setting))
        return fault_is(fault, SL_GRID_NO_SETTING, key);
    axis->setting = fault->setting->id;
    if (!cJSON_IsArray(values) || cJSON_GetArraySize(values) < 1)
        return fault_is(fault, SL_GRID_NO_VALUES, NULL);
    cJSON_ArrayForEach(item, values)
    {
        const char *value = cJSON_GetStringValue(item);
        if (!value)
            return fault_is(fault, SL_GRID_NO_VALUES, NULL);
        if (!add_value(axis, value, fault))
            return false;
    }
    return true;
}

bool sl_grid_from_json(const cJSON *object, SlGrid *grid, SlError *err)
{
    SlGridFault fault = {0};
    bool ok = true;
    *grid = (SlGrid){0};
    for (int i = 0; ok && i < SL_GRID_AXES; i++) {
        fault = (SlGridFault){.axis = (SlGridAxisName)i};
        ok = axis_from_json(cJSON_GetObjectItemCaseSensitive(object, sl_grid_axis_names[i]),
                            &grid->axis[i], &fault);
    }
    if (ok && sl_grid_check(grid, &fault))
        return true;
    sl_grid_fault_say(&fault, err);
    if (err->code == SL_ARGUMENT)
        err->code = SL_FORMAT;
    sl_grid_clear(grid);
    return false;
}
