/* replay_sheet.c - sheets and animations computed again, each lane compared where it can first
 * differ, and the sheet or the pictures of the animation as a whole; see replay_sheet.h.
 */
#include "app/cli/replay_sheet.h"
#include "app/cli/interrupt.h"
#include "app/cli/previews.h"
#include "app/cli/session.h"
#include "app/files/files.h"
#include "app/image/image.h"
#include "app/recipe/recipe.h"
#include "app/record/record.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Replay {
    SlOptions options; /* with the file's device and dtype where none were said */
    SlSession session;
    SlCompareText text;
    char file_pixels[65]; /* as the file has them now */
    SlCompare lanes;
    SlReelSum sum;              /* of the sheet or the animation now */
    const char *doing, *at_end; /* for the bar, and when it is full */
} Replay;

/* ---- before ---- */

static bool check_lanes(Replay *r, SlError *err)
{
    for (int i = 0; i < r->text.count; i++) {
        const SlMetadata *m = &r->text.lane[i];
        if (!sl_metadata_repeatable(m, r->options.argument, err))
            return false;
        if (!sl_recipe_check(m->recipe, sl_model_info(r->session.model), err))
            return false;
    }
    return true;
}

/* ---- computing ---- */

static bool on_progress(void *arg, int done, int total, SlError *err)
{
    Replay *r = arg;
    if (done == 0)
        sl_progress_follow(&r->session.progress, r->options.quiet, r->session.model,
                           &(SlProgressAt){.what = r->doing, .total = total});
    else
        sl_progress_step(&r->session.progress, done);
    if (done > 0 && done == total)
        sl_progress_say(&r->session.progress, r->at_end);
    return !sl_interrupted() || sl_fail(err, SL_CANCELLED, "interrupted");
}

static bool render(Replay *r, SlError *err)
{
    const SlAnimationJob job = {.line_up = r->text.line_up, .progress = on_progress, .arg = r};
    r->doing = r->at_end = "animation";
    r->lanes.first_edition = r->text.first_edition;
    bool ok = r->text.film        ? sl_compare_film(&r->lanes, &job, &r->sum, err)
              : r->text.animation ? sl_compare_animation(&r->lanes, &job, &r->sum, err)
                                  : sl_compare_sheet(&r->lanes, r->options.output, &r->sum, err);
    sl_progress_end(&r->session.progress);
    return ok;
}

static bool on_moment(void *arg, int lane, const SlTimeline *timeline, SlError *err)
{
    Replay *r = arg;
    return sl_previews_moment(&r->session, lane, timeline, err);
}

/* One thing of each lane after the other. */
typedef struct Parts {
    SlRecipe *recipe[SL_LANES_MAX];
    SlOrigin *origin[SL_LANES_MAX];
    const SlBatches *batches[SL_LANES_MAX];
    int stop[SL_LANES_MAX];
} Parts;

static bool compute_lanes(Replay *r, Parts *parts, SlError *err)
{
    bool branch = false;
    for (int i = 0; i < r->text.count; i++) {
        branch = branch || (r->text.lane[i].origin && r->text.lane[i].origin->step > 0);
        parts->recipe[i] = r->text.lane[i].recipe;
        parts->origin[i] = r->text.lane[i].origin;
        parts->batches[i] = &r->text.lane[i].batches;
        parts->stop[i] = r->text.lane[i].partial ? r->text.lane[i].step : 0;
    }
    const SlCompareJob job = {.model = r->session.model,
                              .count = r->text.count,
                              .recipe = parts->recipe,
                              .grid = r->text.cell ? &r->text.grid : NULL,
                              .cell = r->text.cell,
                              .origin = parts->origin,
                              .parent = r->text.parent,
                              .batches = parts->batches,
                              .fast = r->text.fast,
                              .stop_after = parts->stop,
                              .progress = on_progress,
                              .moment = on_moment,
                              .arg = r};
    r->doing = "lanes";
    r->at_end = "decoding"; /* the lanes' pictures, when all evaluations are done */
    sl_session_wait(&r->session, branch);
    bool ok = sl_compare_run(&r->lanes, &job, err);
    sl_progress_end(&r->session.progress);
    return ok;
}

static bool compute(Replay *r, SlError *err)
{
    Parts *parts = malloc(sizeof *parts);
    bool ok =
        parts ? compute_lanes(r, parts, err) : sl_fail(err, SL_MEMORY, "memory ran out for lanes");
    free(parts);
    if (ok && sl_interrupted())
        return sl_fail(err, SL_CANCELLED, "interrupted");
    ok = ok && sl_compare_whole(&r->lanes, err);
    r->lanes.identity = ok ? sl_session_identity(&r->session, err) : NULL;
    return r->lanes.identity && render(r, err) &&
           (!r->text.animation || sl_animation_hash(r->options.argument, r->file_pixels, err));
}

/* ---- after ---- */

/* What differs first, or NULL. */
static const char *first_difference(const Replay *r, int i)
{
    const SlMetadata *was = &r->text.lane[i], *is = &r->lanes.picture[i].metadata;
    const SlModelInfo *identity = r->lanes.identity;
    bool same = was->files == identity->files;
    for (int f = 0; same && f < was->files; f++)
        same = strcmp(was->file[f].sha256, identity->file[f].sha256) == 0;
    if (!same)
        return "model";
    if (strcmp(was->noise_sha256, is->noise_sha256) != 0)
        return "noise";
    if (strcmp(was->latents_sha256, is->latents_sha256) != 0)
        return "latents";
    return strcmp(was->pixels_sha256, is->pixels_sha256) != 0 ? "pixels" : NULL;
}

static int report(Replay *r)
{
    SlJsonOut out = {0};
    cJSON *root = sl_out_object(&out, NULL, NULL), *lanes = sl_out_array(&out, root, "lanes");
    const char *whole = r->text.animation ? "animation" : "sheet";
    bool same = true;
    for (int i = 0; i < r->text.count; i++) {
        const char *first = first_difference(r, i);
        char title[256];
        SlError err;
        if (!sl_compare_title(&r->lanes, i, title, sizeof title, &err)) {
            cJSON_Delete(root);
            return sl_session_fail(&r->session, &err);
        }
        cJSON *item = sl_out_object(&out, lanes, NULL);
        sl_out_bool(&out, item, "identical", !first);
        if (first)
            sl_out_text(&out, item, "different_from", first);
        if (!r->options.json)
            sl_print("lane %d, %s: %s%s%s\n", i + 1, title, first ? "different from the " : "",
                     first ? first : "identical", first ? " on" : "");
        same = same && !first;
    }
    bool drawn = r->text.first_edition && !r->text.film
                     ? strcmp(r->sum.drawn, r->text.sum.drawn) == 0
                     : strcmp(r->sum.pictures, r->text.sum.pictures) == 0;
    bool kept = strcmp(r->file_pixels, r->text.sum.drawn) == 0;
    sl_out_bool(&out, root, whole, drawn);
    sl_out_bool(&out, root, "file_pixels", kept);
    sl_out_bool(&out, root, "identical", same && drawn && kept);
    root = sl_out_end(&out, root);
    if (r->options.json) {
        if (sl_print_json(root) != SL_EXIT_OK)
            return SL_EXIT_FAILED;
    } else {
        sl_print("%s: %s\n", whole, drawn ? "identical" : "different");
        if (!kept)
            sl_print("%s: the %s was changed after it was saved\n", r->options.argument, whole);
        cJSON_Delete(root);
    }
    return r->options.verify && !(same && drawn && kept) ? SL_EXIT_DIFFERENT : SL_EXIT_OK;
}

/* An animation's pictures are decoded once the run has taken as much memory as they do. */
static bool look_at_pixels(Replay *r, SlError *err)
{
    const char *path = r->options.argument;
    int width, height;
    if (!r->text.animation)
        return sl_png_hash(path, r->file_pixels, err);
    return sl_compare_text_size(path, &r->text, &width, &height, err) &&
           sl_webp_check_size(path, width, height, err);
}

static bool prepare(Replay *r, const char *json, SlError *err)
{
    const SlOptions *o = &r->options;
    return sl_previews_check(o, err) && sl_compare_text_read(o->argument, json, &r->text, err) &&
           (!o->output || r->text.animation || sl_atomic_check(o->output, err)) &&
           look_at_pixels(r, err) &&
           sl_session_open_again(&r->session, &r->options, &r->text.lane[0], err) &&
           sl_previews_open(&r->session, err) && check_lanes(r, err);
}

bool sl_replay_sheet(const SlOptions *options, int *status)
{
    SlError err = {0};
    char *json = sl_compare_text_of(options->argument, &err);
    bool is_sheet = json && sl_compare_is_text(json);
    Replay *r = is_sheet ? calloc(1, sizeof *r) : NULL;
    if (is_sheet && !r)
        sl_fail(&err, SL_MEMORY, "memory ran out");
    if (!r) {
        free(json);
        if (err.code != SL_OK)
            *status = sl_fail_exit(&err);
        return err.code != SL_OK;
    }
    r->options = *options;
    r->session.options = options;
    if (prepare(r, json, &err) && compute(r, &err)) {
        *status = report(r);
    } else {
        /* wrong contents of the file are a failure (1), not wrong usage (2) */
        if (err.code == SL_ARGUMENT)
            err.code = SL_FORMAT;
        *status = sl_session_fail(&r->session, &err);
    }
    sl_compare_free(&r->lanes);
    sl_compare_text_free(&r->text);
    sl_session_close(&r->session);
    free(json);
    free(r);
    return true;
}
