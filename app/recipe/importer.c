/* importer.c - see importer.h. */
#include "app/recipe/importer.h"
#include "app/recipe/recipe_text.h"
#include "app/recipe/sampler_names.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sl_importer_init(SlImporter *im, const SlRecipe *base)
{
    *im = (SlImporter){.recipe = *base};
}

void sl_importer_free(SlImporter *im)
{
    free(im->prompt);
    free(im->negative_prompt);
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

static void take_text(char **place, const char *value)
{
    free(*place);
    *place = strdup(value);
}

static void take_int(SlImporter *im, const char *name, const char *value, int64_t min, int64_t max,
                     int *place)
{
    int64_t number;
    if (sl_parse_int(value, min, max, &number))
        *place = (int)number;
    else
        sl_importer_problem(im, "%s is \"%.60s\"; expected %lld to %lld", name, value,
                            (long long)min, (long long)max);
}

static void take_double(SlImporter *im, const char *name, const char *value, double *place)
{
    if (!sl_parse_double(value, place))
        sl_importer_problem(im, "%s is \"%.60s\"; expected a number", name, value);
}

static void take_variance(SlImporter *im, const char *value)
{
    for (int i = 0; sl_variance_names[i]; i++) {
        if (strcmp(value, sl_variance_names[i]) == 0) {
            im->recipe.variance = (SlVariance)i;
            return;
        }
    }
    sl_importer_problem(im, "variance type is \"%.60s\"; expected %s, %s or %s", value,
                        sl_variance_names[1], sl_variance_names[2], sl_variance_names[3]);
}

void sl_importer_take(SlImporter *im, SlSetting setting, const char *value)
{
    SlRecipe *r = &im->recipe;
    if (!value)
        return;
    switch (setting) {
    case SL_SETTING_PROMPT:
        take_text(&im->prompt, value);
        r->prompt = im->prompt;
        break;
    case SL_SETTING_NEGATIVE:
        take_text(&im->negative_prompt, value);
        r->negative_prompt = im->negative_prompt;
        break;
    case SL_SETTING_STEPS:
        take_int(im, "steps", value, 1, 1000, &r->steps);
        break;
    case SL_SETTING_GUIDANCE:
        take_double(im, "guidance", value, &r->guidance);
        break;
    case SL_SETTING_SEED:
        if (!sl_parse_u64(value, &r->seed))
            sl_importer_problem(im, "seed is \"%.60s\"; expected 0 to 18446744073709551615", value);
        break;
    case SL_SETTING_WIDTH:
        take_int(im, "width", value, 1, INT_MAX, &r->width);
        break;
    case SL_SETTING_HEIGHT:
        take_int(im, "height", value, 1, INT_MAX, &r->height);
        break;
    case SL_SETTING_CLIP_SKIP:
        take_int(im, "clip skip", value, 0, 100, &r->clip_skip);
        break;
    case SL_SETTING_ETA:
        take_double(im, "eta", value, &r->eta);
        break;
    case SL_SETTING_VARIANCE:
        take_variance(im, value);
        break;
    case SL_SETTING_MODEL:
        take_text(&im->model, value);
        break;
    case SL_SETTING_MODEL_HASH:
        take_text(&im->model_hash, value);
        break;
    }
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
    if (choice.sigmas != SL_SIGMAS_MODEL && !info->takes_sigmas) {
        im->recipe.sigmas = SL_SIGMAS_MODEL;
        sl_importer_note(im, "%s has no choice of sigmas here; the model's are taken", info->name);
    }
    if (choice.spacing != SL_SPACING_MODEL && !info->takes_spacing)
        im->recipe.spacing = SL_SPACING_MODEL;
}
