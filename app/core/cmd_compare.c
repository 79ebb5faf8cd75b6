/* cmd_compare.c - `safelight compare`: one recipe, several schedulers, a labelled contact sheet. */
#include "app/core/atomic_file.h"
#include "app/core/cli.h"
#include "app/core/generate.h"
#include "app/core/interrupt.h"
#include "app/core/png.h"
#include "app/core/recipe_text.h"
#include "app/core/session.h"
#include "app/core/sheet.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Compare {
    SlSession session;
    SlRecipe recipe;
    SlInputArrays arrays;
    int count;
    const char *ids[SL_COMPARE_MAX];
    SlPicture picture[SL_COMPARE_MAX];
    int made;           /* pictures so far */
    const char *naming; /* the scheduler that runs, for the bar */
} Compare;

static bool on_frame(void *arg, SlRun *run, const SlFrame *frame, SlError *err)
{
    Compare *c = arg;
    if (!frame)
        sl_progress_follow(&c->session.progress, c->session.options->quiet, c->session.model,
                           sl_run_evaluations(run), c->naming);
    else
        sl_progress_step(&c->session.progress, frame->evaluation + 1);
    return !sl_interrupted() || sl_fail(err, SL_CANCELLED, "interrupted");
}

/* Checks every scheduler before the first is run, so that nothing is lost to the last one's. */
static bool check_recipes(Compare *c, SlError *err)
{
    for (int i = 0; i < c->count; i++) {
        SlRecipe recipe = c->recipe;
        recipe.scheduler = c->ids[i];
        if (!sl_recipe_check(&recipe, sl_model_info(c->session.model), err))
            return false;
    }
    return true;
}

static bool compute(Compare *c, SlError *err)
{
    for (int i = 0; i < c->count && !sl_interrupted(); i++) {
        SlRecipe recipe = c->recipe;
        recipe.scheduler = c->naming = c->ids[i];
        const SlJob job = {.model = c->session.model,
                           .recipe = &recipe,
                           .inputs = &c->arrays.inputs,
                           .frame = on_frame,
                           .arg = c};
        bool ok = sl_generate(&job, &c->picture[i], err);
        sl_progress_end(&c->session.progress);
        if (!ok) {
            /* stopped before this one's first step: the sheet shows the others */
            return err->code == SL_CANCELLED && c->made > 0;
        }
        c->made++;
    }
    return c->made > 0 || sl_fail(err, SL_CANCELLED, "interrupted");
}

static void label(const SlPicture *p, SlSheetTile *tile)
{
    const SlMetadata *m = &p->metadata;
    const SlSchedulerInfo *scheduler = sl_scheduler_find(m->recipe->scheduler);
    tile->rgb = p->rgb;
    snprintf(tile->title, sizeof tile->title, "%s", scheduler->name);
    if (m->partial)
        snprintf(tile->detail, sizeof tile->detail, "stopped at step %d of %d, %.1f s", m->step,
                 m->steps, p->seconds);
    else
        snprintf(tile->detail, sizeof tile->detail, "%d steps, %d evaluations, %.1f s", m->steps,
                 p->evaluations, p->seconds);
}

static bool save_sheet(Compare *c, SlError *err)
{
    SlSheetTile tile[SL_COMPARE_MAX] = {{0}};
    char heading[512];
    const SlRecipe *r = &c->recipe;
    for (int i = 0; i < c->made; i++)
        label(&c->picture[i], &tile[i]);
    snprintf(heading, sizeof heading, "%.300s%sseed %" PRIu64 ", guidance %g", r->prompt,
             *r->prompt ? " - " : "", r->seed, r->guidance);
    const SlSheet sheet = {.width = c->picture[0].width,
                           .height = c->picture[0].height,
                           .heading = heading,
                           .count = c->made,
                           .tile = tile};
    int width, height;
    uint8_t *rgb = sl_sheet_render(&sheet, &width, &height, err);
    bool ok = rgb && sl_png_write(c->session.options->output, rgb, width, height, NULL, 0, err);
    free(rgb);
    return ok;
}

static int report(const Compare *c)
{
    const SlOptions *o = c->session.options;
    const char *warnings = c->picture[0].metadata.warnings;
    if (warnings)
        sl_session_note(&c->session, "%s", warnings);
    if (!o->json)
        return puts(o->output) >= 0 && fflush(stdout) == 0 ? SL_EXIT_OK : SL_EXIT_FAILED;
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "output", o->output);
    cJSON_AddItemToObject(root, "recipe", sl_recipe_to_json(c->picture[0].metadata.recipe));
    cJSON *list = cJSON_AddArrayToObject(root, "schedulers");
    for (int i = 0; i < c->made; i++) {
        const SlPicture *p = &c->picture[i];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "id", c->ids[i]);
        cJSON_AddNumberToObject(item, "evaluations", p->evaluations);
        cJSON_AddNumberToObject(item, "seconds", p->seconds);
        cJSON_AddBoolToObject(item, "partial", p->metadata.partial);
        cJSON_AddStringToObject(item, "latents_sha256", p->metadata.latents_sha256);
        cJSON_AddStringToObject(item, "pixels_sha256", p->metadata.pixels_sha256);
        cJSON_AddItemToArray(list, item);
    }
    return sl_print_json(root);
}

static bool run(Compare *c, const SlOptions *o, SlError *err)
{
    c->count = sl_options_schedulers(o, c->ids);
    return sl_atomic_check(o->output, err) && sl_session_open(&c->session, o, NULL, err) &&
           sl_session_recipe(&c->session, &c->recipe, err) && check_recipes(c, err) &&
           sl_session_inputs(&c->session, &c->recipe, &c->arrays, err) && compute(c, err) &&
           save_sheet(c, err);
}

int sl_cmd_compare(const SlOptions *options)
{
    Compare *c = calloc(1, sizeof *c); /* 64 pictures' metadata: too much for a small stack */
    SlError err = {0};
    if (!c) {
        sl_fail(&err, SL_MEMORY, "memory ran out");
        return sl_fail_exit(&err);
    }
    int status = run(c, options, &err) ? report(c) : sl_session_fail(&c->session, &err);
    if (status == SL_EXIT_OK && sl_interrupted())
        status = SL_EXIT_INTERRUPTED;
    for (int i = 0; i < c->count; i++)
        sl_picture_free(&c->picture[i]);
    sl_inputs_free(&c->arrays);
    sl_session_close(&c->session);
    free(c);
    return status;
}
