/* importer.c - see importer.h. */
#include "app/recipe/foreign/importer.h"
#include "app/recipe/recipe_text.h"
#include "app/recipe/sampler_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sl_importer_init(SlImporter *im, const SlRecipe *base, const SlModelInfo *info)
{
    *im = (SlImporter){.recipe = *base, .info = info};
}

void sl_importer_free(SlImporter *im)
{
    for (int i = 0; i < SL_N_SETTINGS; i++)
        free(im->text[i]);
    free(im->model);
    free(im->model_hash);
    sl_notes_free(&im->notes);
}

void sl_importer_note(SlImporter *im, SlNote note, const char *word)
{
    sl_notes_add(&im->notes, note, word, NULL, NULL);
}

void sl_importer_note_two(SlImporter *im, SlNote note, const char *a, const char *b)
{
    sl_notes_add(&im->notes, note, a, b, NULL);
}

/* What a value in a note is cut to. */
static const char *cut(const char *value, char room[64])
{
    size_t n = strlen(value), length = 0;
    while (length < n && length < 50) {
        size_t c = sl_utf8_char(value + length, n - length);
        length += c ? c : 1;
    }
    snprintf(room, 64, "%.*s%s", (int)length, value, length < n ? "..." : "");
    return room;
}

static void note_value(SlImporter *im, const SlSettingInfo *s, const char *value,
                       const char *expected)
{
    char room[64];
    sl_notes_add(&im->notes, SL_NOTE_VALUE, s->name, cut(value, room), expected);
}

static const char *keep_text(SlImporter *im, char **place, const char *value)
{
    free(*place);
    *place = strdup(value);
    im->failed |= !*place;
    return *place;
}

void sl_importer_take(SlImporter *im, SlSetting setting, const char *value)
{
    const SlSettingInfo *s = sl_setting(setting);
    SlText expected = {0};
    if (value && s->kind == SL_KIND_TEXT)
        sl_setting_set_text(s, &im->recipe, keep_text(im, &im->text[setting], value));
    else if (value && !sl_setting_parse(s, value, &im->recipe, &expected))
        note_value(im, s, value, expected.data ? expected.data : sl_words("something else"));
    im->failed |= expected.failed;
    sl_text_free(&expected);
}

/* "2.0" as "2": some programs write every number with a point. */
static bool parse_whole(const char *value, int64_t min, int64_t max, int64_t *number)
{
    double real;
    if (sl_parse_int(value, min, max, number))
        return true;
    if (!sl_parse_double(value, &real) || real < (double)min || real > (double)max ||
        real != (double)(int64_t)real)
        return false;
    *number = (int64_t)real;
    return true;
}

void sl_importer_take_from(SlImporter *im, SlSetting setting, const char *value, int first)
{
    const SlSettingInfo *s = sl_setting(setting);
    int64_t number;
    char text[64];
    if (!value || !first) {
        sl_importer_take(im, setting, value);
        return;
    }
    if (parse_whole(value, (int64_t)s->min + first, (int64_t)s->max, &number)) {
        snprintf(text, sizeof text, "%d", (int)number - first);
        sl_importer_take(im, setting, text);
        return;
    }
    snprintf(text, sizeof text, sl_words("%.0f to %.0f"), s->min + first, s->max);
    note_value(im, s, value, text);
}

void sl_importer_take_last_layer(SlImporter *im, const char *value)
{
    const SlSettingInfo *s = sl_setting(SL_SETTING_CLIP_SKIP);
    int64_t layer;
    char text[24];
    if (!value)
        return;
    if (!parse_whole(value, -1 - (int64_t)s->max, -1, &layer)) {
        note_value(im, s, value, sl_words("a layer from the last, -1, on"));
        return;
    }
    snprintf(text, sizeof text, "%d", (int)(-1 - layer));
    sl_importer_take(im, SL_SETTING_CLIP_SKIP, text);
    im->counts_layers = true;
}

/* Pictures of so many pixels are made by Stable Diffusion XL and seldom by those before it. Here, as in
 * diffusers, 0 is the usual layer of either. */
#define XL_PIXELS (768 * 1024)

void sl_importer_note_layers(SlImporter *im)
{
    char usual[24];
    const SlRecipe *r = &im->recipe;
    snprintf(usual, sizeof usual, "%d", r->clip_skip - 1);
    if (im->counts_layers && r->clip_skip > 0 && (int64_t)r->width * r->height >= XL_PIXELS)
        sl_importer_note(im, SL_NOTE_CLIP_LAYERS, usual);
}

void sl_importer_take_model(SlImporter *im, const char *name, const char *hash)
{
    if (name && *name)
        keep_text(im, &im->model, name);
    if (hash && *hash)
        keep_text(im, &im->model_hash, hash);
}

/* Whether a program's word for a sampler names none, or leaves it to the model. */
static bool is_no_sampler(SlImporter *im, const char *sampler)
{
    char room[64];
    if (sl_same_letters(sampler, "Default")) {
        im->recipe.scheduler = im->info ? im->info->scheduler : NULL;
        im->recipe.sigmas = SL_SIGMAS_MODEL;
        im->recipe.spacing = SL_SPACING_MODEL;
        return true;
    }
    if (*sampler && !sl_same_letters(sampler, "Undefined") && !sl_same_letters(sampler, "None") &&
        !sl_same_letters(sampler, "unknown"))
        return false;
    sl_importer_note(im, SL_NOTE_NO_SAMPLER, cut(sampler, room));
    return true;
}

void sl_importer_take_sampler(SlImporter *im, const char *sampler, const char *schedule)
{
    SlSamplerChoice choice;
    char room[64];
    if (!sampler || is_no_sampler(im, sampler))
        return;
    const SlSchedulerInfo *info = NULL;
    if (sl_sampler_parse(sampler, schedule, &choice))
        info = sl_scheduler_find(choice.id);
    if (!info) {
        sl_importer_note(im, SL_NOTE_SAMPLER, cut(sampler, room));
        return;
    }
    im->recipe.scheduler = info->id;
    im->recipe.sigmas = choice.sigmas;
    im->recipe.spacing = choice.spacing;
    if (choice.near)
        sl_importer_note_two(im, SL_NOTE_NEAR, cut(sampler, room), info->name);
    if (!choice.schedule_known)
        sl_importer_note(im, SL_NOTE_SCHEDULE, cut(schedule ? schedule : sampler, room));
    /* A schedule that the scheduler does not know in diffusers is left out, not refused. */
    if (!sl_setting_exists(sl_setting(SL_SETTING_SIGMAS), NULL, info) &&
        choice.sigmas != SL_SIGMAS_MODEL)
        sl_importer_note(im, SL_NOTE_NO_SIGMAS, info->name);
    sl_recipe_drop_missing(&im->recipe, SL_SETTING_BIT(SL_SETTING_SIGMAS) |
                                            SL_SETTING_BIT(SL_SETTING_SPACING) |
                                            SL_SETTING_BIT(SL_SETTING_VARIANCE));
}

void sl_importer_take_diffusers_sampler(SlImporter *im, const char *sampler)
{
    static const char *const tree = "dpmpp-2m-sde-bt";
    sl_importer_take_sampler(im, sampler, NULL);
    if (sampler && im->recipe.scheduler && strcmp(im->recipe.scheduler, tree) == 0)
        im->recipe.scheduler = sl_scheduler_find("dpmpp-2m-sde")->id;
}

void sl_importer_take_eta(SlImporter *im, const char *value)
{
    const SlSettingInfo *s = sl_setting(SL_SETTING_ETA);
    const SlSchedulerInfo *info =
        im->recipe.scheduler ? sl_scheduler_find(im->recipe.scheduler) : NULL;
    double eta;
    char room[64];
    if (!value)
        return;
    if (!info || sl_setting_exists(s, NULL, info)) {
        sl_importer_take(im, SL_SETTING_ETA, value);
        return;
    }
    sl_setting_unset(s, &im->recipe);
    /* Fresh noise in full is what those that always draw some do anyway. */
    if (!sl_parse_double(value, &eta) || eta != 1)
        sl_importer_note_two(im, SL_NOTE_ETA, cut(value, room), info->name);
}
