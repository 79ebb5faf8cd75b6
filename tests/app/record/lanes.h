/* lanes.h - the small models and recipes that the tests of timelines and lanes share. */
#ifndef SL_TESTS_LANES_H
#define SL_TESTS_LANES_H

#include "app/recipe/recipe_text.h"
#include "app/record/lanes_file.h"
#include "tests/test.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#define UNUSED __attribute__((unused)) static

UNUSED SlModel *open_model_on(const char *device, const char *name)
{
    char relative[128];
    SlError err = {0};
    snprintf(relative, sizeof relative, "goldens/model/%s", name);
    char *folder = sl_test_path(relative);
    SlModel *model = sl_model_open(folder, &(SlModelOptions){.device = device, .threads = 1}, &err);
    if (!model)
        sl_test_note("%s", err.message);
    free(folder);
    return model;
}

UNUSED SlModel *open_model(const char *name)
{
    return open_model_on("cpu", name);
}

UNUSED SlRecipe recipe_for(SlModel *model, const char *scheduler, int steps)
{
    SlRecipe recipe;
    sl_recipe_defaults(&recipe, sl_model_info(model));
    recipe.prompt = "a red house";
    recipe.negative_prompt = "";
    recipe.scheduler = scheduler;
    recipe.steps = steps;
    recipe.seed = 3;
    if (recipe.width > 32)
        recipe.width = recipe.height = 32;
    return recipe;
}

UNUSED SlTimeline *record(SlModel *model, const SlRecipe *recipe, const SlTimelineOptions *options)
{
    SlError err = {0};
    SlTimeline *t = sl_timeline_new(model, recipe, options, &err);
    while (t && !sl_timeline_done(t) && sl_timeline_next(t, model, &err))
        ;
    if (!t || !sl_timeline_done(t))
        sl_test_note("%s", err.message);
    return t;
}

UNUSED size_t bytes_of(const SlTimeline *t)
{
    return (size_t)sl_timeline_elements(t) * sizeof(float);
}

UNUSED void describe_model(SlModel *model, SlMetadata *m)
{
    memset(m, 0, sizeof *m);
    snprintf(m->program, sizeof m->program, "safelight test");
    snprintf(m->device, sizeof m->device, "cpu");
    snprintf(m->dtype, sizeof m->dtype, "f32");
    sl_metadata_set_model(m, sl_model_info(model));
}

/* ---- keyframes ---- */

#endif
