/* importer.c - see importer.h. */
#include "app/recipe/importer.h"
#include "app/recipe/recipe_text.h"
#include "app/recipe/sampler_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sl_importer_init(SlImporter *im, const SlRecipe *base)
{
    *im = (SlImporter){.recipe = *base};
}

void sl_importer_free(SlImporter *im)
{
    for (int i = 0; i < SL_N_SETTINGS; i++)
        free(im->text[i]);
    free(im->model);
    free(im->model_hash);
    sl_text_free(&im->problems);
    sl_text_free(&im->notes);
}

__attribute__((format(printf, 2, 0))) static void add_line(SlText *text, const char *format,
                                                           va_list args)
{
    char line[1000];
    vsnprintf(line, sizeof line, format, args);
    sl_text_addf(text, "%s%s", text->length ? "\n" : "", line);
}

void sl_importer_note(SlImporter *im, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_line(&im->notes, format, args);
    va_end(args);
}

void sl_importer_problem(SlImporter *im, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_line(&im->problems, format, args);
    va_end(args);
}

static const char *keep_text(SlImporter *im, char **place, const char *value)
{
    free(*place);
    *place = strdup(value);
    im->problems.failed |= !*place; /* nothing is taken over then */
    return *place;
}

void sl_importer_take(SlImporter *im, SlSetting setting, const char *value)
{
    const SlSettingInfo *s = sl_setting(setting);
    SlText expected = {0};
    if (value && s->kind == SL_KIND_TEXT)
        sl_setting_set_text(s, &im->recipe, keep_text(im, &im->text[setting], value));
    else if (value && !sl_setting_parse(s, value, &im->recipe, &expected))
        sl_importer_problem(im, "%s is \"%.60s\"; expected %s", s->name, value,
                            expected.data ? expected.data : "something else");
    sl_text_free(&expected);
}

void sl_importer_take_from(SlImporter *im, SlSetting setting, const char *value, int first)
{
    const SlSettingInfo *s = sl_setting(setting);
    int64_t number;
    char ours[24];
    if (!value || !first) {
        sl_importer_take(im, setting, value);
        return;
    }
    if (!sl_parse_int(value, (int64_t)s->min + first, (int64_t)s->max, &number)) {
        sl_importer_problem(im, "%s is \"%.60s\"; expected %.0f to %.0f", s->name, value,
                            s->min + first, s->max);
        return;
    }
    snprintf(ours, sizeof ours, "%d", (int)number - first);
    sl_importer_take(im, setting, ours);
}

void sl_importer_take_model(SlImporter *im, const char *name, const char *hash)
{
    if (name)
        keep_text(im, &im->model, name);
    if (hash)
        keep_text(im, &im->model_hash, hash);
}

void sl_importer_take_sampler(SlImporter *im, const char *sampler, const char *schedule)
{
    SlSamplerChoice choice;
    if (!sampler)
        return;
    const SlSchedulerInfo *info = NULL;
    if (sl_sampler_parse(sampler, schedule, &choice))
        info = sl_scheduler_find(choice.id);
    if (!info) {
        sl_importer_problem(im, "scheduler is \"%.60s\"; there is none like it here", sampler);
        return;
    }
    im->recipe.scheduler = info->id;
    im->recipe.sigmas = choice.sigmas;
    im->recipe.spacing = choice.spacing;
    if (choice.near)
        sl_importer_note(im, "the sampler \"%.60s\" is only near to %s here", sampler, info->name);
    if (!choice.schedule_known)
        sl_importer_note(im, "the schedule \"%.60s\" has no counterpart here; the model's is taken",
                         schedule ? schedule : sampler);
    /* A schedule that the scheduler does not know in diffusers is left out, not refused. */
    if (!sl_setting_exists(sl_setting(SL_SETTING_SIGMAS), NULL, info) &&
        choice.sigmas != SL_SIGMAS_MODEL)
        sl_importer_note(im, "%s has no choice of sigmas here; the model's are taken", info->name);
    sl_recipe_drop_missing(&im->recipe,
                           SL_SETTING_BIT(SL_SETTING_SIGMAS) | SL_SETTING_BIT(SL_SETTING_SPACING));
}
