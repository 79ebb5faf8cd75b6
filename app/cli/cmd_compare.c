/* cmd_compare.c - `safelight compare`: lanes from the same noise, each with its own settings; a
 * sheet, an animation, a report, and a table of how they differ from the reference.
 */
#include "app/cli/cli.h"
#include "app/cli/dynamic.h"
#include "app/cli/interrupt.h"
#include "app/cli/previews.h"
#include "app/cli/session.h"
#include "app/files/files.h"
#include "app/recipe/recipe.h"
#include "app/record/record.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uniwidth.h>

typedef struct Compare {
    SlSession session;
    SlInputArrays arrays;
    int count;
    SlRecipe *recipe[SL_LANES_MAX];
    SlGrid grid; /* without values: none */
    SlCompare lanes;
    SlCompareRows rows;      /* of lanes */
    int color[SL_LANES_MAX]; /* of a file: of its lanes */
    SlReelLook look;         /* of --animation */
    SlOptions options;       /* --open: with the file's types where none were said, */
    char dtype[200];         /* these */
    const char *doing;       /* for the bar, */
    const char *at_end;      /* and when it is full */
} Compare;

/* ---- the lanes ---- */

static bool add_recipe(Compare *c, const SlOptions *lane, SlError *err)
{
    SlSession session = c->session; /* the same with the lane's options */
    SlOptions options = *lane;
    SlRecipe recipe;
    options.quiet = options.quiet || c->count > 0; /* what the model ignores is said once */
    session.options = &options;
    if (c->count == SL_LANES_MAX)
        return sl_fail(err, SL_ARGUMENT, "more than %d lanes; expected at most that many",
                       SL_LANES_MAX);
    if (!sl_session_recipe(&session, &recipe, err))
        return false;
    c->recipe[c->count] = sl_recipe_copy(&recipe);
    return c->recipe[c->count++] || sl_fail(err, SL_MEMORY, "memory ran out");
}

static bool add_schedulers(Compare *c, const SlOptions *o, SlError *err)
{
    const char *ids[SL_COMPARE_MAX];
    int count = sl_options_schedulers(o, sl_model_info(c->session.model)->prediction, ids);
    for (int i = 0; i < count; i++) {
        SlOptions lane = *o;
        sl_options_give_text(&lane, SL_SETTING_SCHEDULER, ids[i]);
        if (!add_recipe(c, &lane, err))
            return false;
    }
    return true;
}

static bool add_lanes(Compare *c, const SlOptions *o, SlError *err)
{
    for (int i = 0; i < o->lane_count; i++) {
        SlOptions lane = *o;
        SlDynamic own = {0};
        char *text = strdup(o->lanes[i]);
        bool ok = (text || sl_fail(err, SL_MEMORY, "memory ran out")) &&
                  sl_options_lane(text, &lane, err) && sl_dynamic_open_own(&own, o, &lane, err) &&
                  add_recipe(c, &lane, err);
        sl_dynamic_free(&own);
        free(text);
        if (!ok)
            return false;
    }
    return true;
}

/* Of each choice of the prompts that all lanes have. */
static bool add_choices(Compare *c, const SlOptions *o, SlError *err)
{
    SlDynamic d = {0};
    bool ok = sl_dynamic_open(&d, o, err);
    if (ok && d.drawn && d.count != 1)
        ok = sl_fail(err, SL_ARGUMENT,
                     "--dynamic is \"%s\"; of a comparison expected 1, the choice of its seed, or "
                     "all",
                     o->dynamic);
    for (int i = 0; ok && i < d.count; i++) {
        SlOptions choice = *o;
        sl_dynamic_take(&d, o, i, &choice.values);
        sl_dynamic_give(&choice);
        ok = add_schedulers(c, &choice, err) && add_lanes(c, &choice, err);
    }
    sl_dynamic_free(&d);
    return ok;
}

/* ---- a grid ---- */

static bool read_grid(Compare *c, const SlOptions *o, SlError *err)
{
    SlGridFault fault = {0};
    bool ok = true;
    for (int i = 0; ok && i < SL_GRID_AXES && o->grid[i]; i++)
        ok = sl_grid_parse(&c->grid, (SlGridAxisName)i, o->grid[i], &fault);
    ok = ok && (!o->grid[SL_GRID_X] || sl_grid_check(&c->grid, &fault));
    return ok || sl_grid_fault_say(&fault, err);
}

static bool fail_in_axis(const Compare *c, int axis, const SlError *problem, SlError *err)
{
    const SlOptions *o = c->session.options;
    return sl_fail(err, problem->code, "the grid's %s, %.100s: %s", sl_grid_axis_names[axis],
                   o->grid[axis], problem->message);
}

/* A setting that the model does not have would make cells that are all the same. */
static bool check_axes(const Compare *c, SlError *err)
{
    const SlModelInfo *info = sl_model_info(c->session.model);
    for (int i = 0; i < SL_GRID_AXES; i++) {
        const SlSettingInfo *s = sl_setting(c->grid.axis[i].setting);
        if (sl_setting_exists(s, info, NULL))
            continue;
        SlError problem = {0};
        sl_fail(&problem, SL_ARGUMENT, "%s has no %s; expected a setting that it has", info->name,
                s->name);
        return fail_in_axis(c, i, &problem, err);
    }
    return true;
}

static bool add_cell(Compare *c, const SlOptions *o, int i, SlError *err)
{
    SlOptions cell = *o;
    SlSettingSet settings = sl_grid_settings(&c->grid);
    SlError problem = {0};
    if (settings & SL_SETTING_BIT(SL_SETTING_SIGMA_LIST))
        cell.given &= ~SL_SETTING_BIT(SL_SETTING_SIGMAS);
    if (settings & SL_SETTING_BIT(SL_SETTING_SIGMAS))
        cell.given &= ~SL_SETTING_BIT(SL_SETTING_SIGMA_LIST);
    cell.given |= settings;
    if (sl_grid_apply(&c->grid, i, &cell.values, &problem) && add_recipe(c, &cell, &problem))
        return true;
    int columns = sl_grid_columns(&c->grid);
    const SlGridAxis *x = &c->grid.axis[SL_GRID_X], *y = &c->grid.axis[SL_GRID_Y];
    return sl_fail(err, problem.code, "the grid's cell x=%s:%.60s, y=%s:%.60s: %s",
                   sl_setting(x->setting)->option, x->value[i % columns],
                   sl_setting(y->setting)->option, y->value[i / columns], problem.message);
}

/* What could not be written is said before it is computed. */
static bool check_files(const Compare *c, const SlOptions *o, SlError *err)
{
    int64_t sum = 0;
    for (int i = 0; i < c->count; i++)
        sum += sl_grid_evaluations(c->recipe[i]);
    if ((o->output || o->animation) && c->count > SL_SHEET_LANES)
        return sl_fail(err, SL_ARGUMENT,
                       "the grid has %d cells; expected at most %d with --sheet or --animation",
                       c->count, SL_SHEET_LANES);
    return !o->save || sum <= SL_LANES_FILE_MOMENTS ||
           sl_fail(err, SL_ARGUMENT,
                   "the grid takes %lld evaluations, and the file of --save holds %d; expected "
                   "fewer cells or steps",
                   (long long)sum, SL_LANES_FILE_MOMENTS);
}

static bool add_cells(Compare *c, const SlOptions *o, SlError *err)
{
    bool ok = check_axes(c, err);
    for (int i = 0; ok && i < sl_grid_cells(&c->grid); i++)
        ok = add_cell(c, o, i, err);
    return ok && check_files(c, o, err);
}

/* --latents has one size, and so has a sheet. */
static bool check_sizes(const Compare *c, SlError *err)
{
    for (int i = 1; i < c->count; i++)
        if (c->recipe[i]->width != c->recipe[0]->width ||
            c->recipe[i]->height != c->recipe[0]->height)
            return sl_fail(err, SL_ARGUMENT, "lane %d has another size than lane 1", i + 1);
    return true;
}

/* ---- a saved comparison ---- */

/* The file's lanes and, unless another is named, its model. */
/* Before anything is computed. */
static bool check_reference(const Compare *c, int count, SlError *err)
{
    int64_t wanted = c->session.options->reference;
    return wanted <= count ||
           sl_fail(err, SL_ARGUMENT, "--reference is %d; expected 1 to %d, a lane that there is",
                   (int)wanted, count);
}

/* Lanes that this processor computed, or one like it, are decoded in the types that they were computed in: what
 * is made of them says so, and replaying it finds it. */
static void take_types(Compare *c, const SlMetadata *m)
{
    c->options = *c->session.options;
    snprintf(c->dtype, sizeof c->dtype, "%s", m->dtype);
    if (!c->options.dtype && strcmp(m->device, "cuda") != 0)
        c->options.dtype = c->dtype;
}

static bool take_file(Compare *c, SlLanesIn *in, SlError *err)
{
    const SlOptions *o = &c->options;
    if (!sl_lanes_read(in, c->session.options->open, err) || !check_reference(c, in->count, err))
        return false;
    take_types(c, &in->note[0].metadata);
    if (!sl_session_open_maker(&c->session, o, &in->note[0].metadata, err) ||
        !sl_session_check_lanes(&c->session, in->lanes, o->open, err))
        return false;
    SlLanes *lanes = in->lanes;
    in->lanes = NULL;
    if (!sl_compare_take(&c->lanes, c->session.model, lanes, err))
        return false;
    for (int i = 0; i < c->lanes.count; i++)
        if (c->lanes.lane[i] == in->reference)
            c->lanes.reference = i;
    for (int i = 0; i < in->count; i++)
        c->color[i] = in->note[i].color >= 0 ? in->note[i].color : i;
    c->lanes.identity = sl_session_identity_kept(&c->session);
    return true;
}

static bool open_file(Compare *c, SlError *err)
{
    SlLanesIn *in = calloc(1, sizeof *in);
    if (!in)
        return sl_fail(err, SL_MEMORY, "memory ran out");
    bool ok = take_file(c, in, err);
    sl_lanes_in_free(in);
    free(in);
    return ok;
}

/* ---- computing ---- */

static bool on_progress(void *arg, int done, int total, SlError *err)
{
    Compare *c = arg;
    if (done == 0)
        sl_progress_follow(&c->session.progress, c->session.options->quiet, c->session.model,
                           &(SlProgressAt){.what = c->doing, .total = total});
    else
        sl_progress_step(&c->session.progress, done);
    if (done > 0 && done == total)
        sl_progress_say(&c->session.progress, c->at_end);
    return !sl_interrupted() || sl_fail(err, SL_CANCELLED, "interrupted");
}

static bool on_moment(void *arg, int lane, const SlTimeline *timeline, SlError *err)
{
    Compare *c = arg;
    return sl_previews_moment(&c->session, lane, timeline, err);
}

static bool compute(Compare *c, SlError *err)
{
    const SlCompareJob job = {.model = c->session.model,
                              .count = c->count,
                              .recipe = c->recipe,
                              .grid = sl_grid_cells(&c->grid) ? &c->grid : NULL,
                              .inputs = &c->arrays.inputs,
                              .fast = c->session.options->fast,
                              .words = c->session.options->save_words,
                              .progress = on_progress,
                              .moment = on_moment,
                              .arg = c};
    c->doing = "lanes";
    c->at_end = "decoding"; /* the lanes' pictures, when all evaluations are done */
    sl_session_wait(&c->session, false);
    bool ok = sl_compare_run(&c->lanes, &job, err);
    sl_progress_end(&c->session.progress);
    c->lanes.identity = ok ? sl_session_identity_kept(&c->session) : NULL;
    return ok;
}

/* The lane that was asked for, which must have a picture. */
static bool find_reference(Compare *c, SlError *err)
{
    int64_t wanted = c->session.options->reference;
    for (int i = 0; i < c->lanes.count; i++)
        if (c->lanes.lane[i] + 1 == wanted) {
            c->lanes.reference = i;
            return true;
        }
    return wanted < 0 ||
           sl_fail(err, SL_FORMAT,
                   "lane %d has no finished step: no lane can be measured against it", (int)wanted);
}

static bool save(Compare *c, SlError *err)
{
    const char *path = c->session.options->save;
    if (!path)
        return true;
    SlMetadata *identity = calloc(1, sizeof *identity);
    if (!identity)
        return sl_fail(err, SL_MEMORY, "memory ran out");
    sl_metadata_describe(identity, c->session.model, c->lanes.identity);
    const SlLanesOut out = {.lanes = c->lanes.lanes,
                            .model = c->session.model,
                            .identity = identity,
                            .reference = c->lanes.lane[c->lanes.reference]};
    bool ok = sl_lanes_write(&out, path, err);
    free(identity);
    return ok;
}

static bool write_report(Compare *c, SlError *err)
{
    const SlOptions *o = c->session.options;
    const SlReportJob job = {
        .path = o->report, .color = o->open ? c->color : NULL, .progress = on_progress, .arg = c};
    c->doing = c->at_end = "report";
    bool ok = sl_compare_report(&c->lanes, &job, err);
    sl_progress_end(&c->session.progress);
    return ok;
}

static bool write_files(Compare *c, SlError *err)
{
    const SlOptions *o = c->session.options;
    if (!find_reference(c, err) || !save(c, err) || !sl_compare_rows(&c->lanes, &c->rows, err))
        return false;
    if (o->table && !sl_lane_rows_write(o->table, c->rows.row, c->rows.count, err))
        return false;
    if (o->report && !sl_interrupted() && !write_report(c, err))
        return false;
    if (o->output && !sl_compare_sheet(&c->lanes, o->output, NULL, err))
        return false;
    if (!o->animation || sl_interrupted())
        return true;
    const SlAnimationJob job = {.path = o->animation,
                                .look = c->look,
                                .line_up = (SlLineUp)o->align,
                                .progress = on_progress,
                                .arg = c};
    c->doing = c->at_end = "animation";
    bool ok = sl_compare_animation(&c->lanes, &job, NULL, err);
    sl_progress_end(&c->session.progress);
    return ok;
}

/* ---- what is printed ---- */

static void say_step(int step, char out[16])
{
    if (step > 0)
        snprintf(out, 16, "%d", step);
    else
        snprintf(out, 16, "-");
}

static void say_number(double value, int digits, char out[16])
{
    if (isnan(value))
        snprintf(out, 16, "-");
    else if (isinf(value))
        snprintf(out, 16, "equal");
    else
        snprintf(out, 16, "%.*f", digits, value);
}

/* Columns of a terminal. */
static int width_of(const char *text)
{
    return u8_strwidth((const uint8_t *)text, "UTF-8");
}

/* What is said behind a row: how many evaluations took over a part, and that it was stopped. */
static void say_remarks(const SlLaneRow *row, char out[64])
{
    out[0] = '\0';
    if (row->figures.cached >= 0)
        snprintf(out, 64, "  (%d cached)", row->figures.cached);
    if (row->partial)
        strcat(out, "  (stopped)");
}

static void print_row(const Compare *c, int i, int widest)
{
    char distance[16], psnr[16], ssim[16], differ[16], apart[16], settled[16], remarks[64];
    const SlLaneRow *row = &c->rows.row[i];
    const SlLaneFigures *f = &row->figures;
    say_remarks(row, remarks);
    say_number(f->distance, 4, distance);
    say_number(f->psnr, 1, psnr);
    say_number(f->ssim, 3, ssim);
    say_step(f->parting.differ, differ);
    say_step(f->parting.apart, apart);
    say_step(f->settled, settled);
    sl_print("%-4d %s%*s %5d %8.2f %8.1f %10s %7s %7s %8s %6s %8s%s\n", row->number, row->title,
             widest - width_of(row->title), "", f->evaluations, f->seconds, f->each, distance, psnr,
             ssim, differ, apart, settled, remarks);
}

/* Distance, PSNR, SSIM and the steps are between a lane and the reference: the first, or in a file the
 * one that it says. */
static void print_table(const Compare *c)
{
    int widest = 0;
    for (int i = 0; i < c->rows.count; i++) {
        int width = width_of(c->rows.row[i].title);
        widest = width > widest ? width : widest;
    }
    sl_print("%-4s %*s %5s %8s %8s %10s %7s %7s %8s %6s %8s\n", "lane", widest, "", "evals",
             "seconds", "ms/eval", "distance", "PSNR", "SSIM", "differs", "apart", "settled");
    for (int i = 0; i < c->rows.count; i++)
        print_row(c, i, widest);
}

static void add_number(SlJsonOut *out, cJSON *object, const char *key, double value)
{
    if (isfinite(value))
        sl_out_number(out, object, key, value);
    else
        sl_out_null(out, object, key);
}

/* The evaluations, counted from 1, that took over a part of one before. */
static void add_cached(SlJsonOut *out, cJSON *item, const SlTimeline *t)
{
    cJSON *list = sl_out_array(out, item, "cached");
    for (int i = 0; i < sl_timeline_count(t); i++)
        if (sl_timeline_moment(t, i)->cached)
            sl_out_number(out, list, NULL, sl_timeline_moment(t, i)->evaluation + 1);
}

static void add_lane(SlJsonOut *out, cJSON *list, const Compare *c, int i)
{
    const SlGenerated *p = &c->lanes.picture[i];
    const SlLaneFigures f = c->rows.row[i].figures;
    cJSON *item = sl_out_object(out, list, NULL);
    sl_out_number(out, item, "lane", c->lanes.lane[i]);
    if (sl_lanes_grid(c->lanes.lanes))
        sl_out_number(out, item, "cell", sl_lanes_cell(c->lanes.lanes, c->lanes.lane[i]));
    sl_out_text(out, item, "title", c->rows.title[i]);
    sl_out_item(out, item, "recipe", sl_recipe_to_json(p->metadata.recipe));
    sl_out_number(out, item, "evaluations", f.evaluations);
    add_cached(out, item, sl_lanes_timeline(c->lanes.lanes, c->lanes.lane[i]));
    sl_out_number(out, item, "seconds", f.seconds);
    sl_out_bool(out, item, "partial", p->metadata.partial);
    sl_out_text(out, item, "noise_sha256", p->metadata.noise_sha256);
    sl_out_text(out, item, "latents_sha256", p->metadata.latents_sha256);
    sl_out_text(out, item, "pixels_sha256", p->metadata.pixels_sha256);
    cJSON *difference = sl_out_object(out, item, "difference");
    add_number(out, difference, "distance", f.distance);
    add_number(out, difference, "psnr", f.psnr);
    add_number(out, difference, "ssim", f.ssim);
    sl_out_bool(out, difference, "equal_pixels", isinf(f.psnr));
    sl_out_number(out, difference, "differs_at_step", f.parting.differ);
    sl_out_number(out, difference, "apart_at_step", f.parting.apart);
    sl_out_number(out, difference, "parts_at_step", f.parts);
    sl_out_number(out, item, "settled_at_step", f.settled);
}

static void add_problems(SlJsonOut *out, cJSON *root, const Compare *c)
{
    cJSON *list = sl_out_array(out, root, "problems");
    for (int i = 0; i < sl_lanes_count(c->lanes.lanes); i++) {
        if (!sl_lanes_problem(c->lanes.lanes, i))
            continue;
        cJSON *item = sl_out_object(out, list, NULL);
        sl_out_number(out, item, "lane", i);
        sl_out_text(out, item, "message", sl_lanes_problem(c->lanes.lanes, i));
    }
}

static int print_json(const Compare *c)
{
    const SlOptions *o = c->session.options;
    const SlShareCounts shared = sl_lanes_shared(c->lanes.lanes);
    SlJsonOut out = {0};
    cJSON *root = sl_out_object(&out, NULL, NULL);
    if (o->output)
        sl_out_text(&out, root, "output", o->output);
    if (o->animation)
        sl_out_text(&out, root, "animation", o->animation);
    if (o->save)
        sl_out_text(&out, root, "save", o->save);
    if (o->table)
        sl_out_text(&out, root, "table", o->table);
    if (o->report)
        sl_out_text(&out, root, "report", o->report);
    sl_out_number(&out, root, "reference", c->lanes.lane[c->lanes.reference]);
    sl_out_bool(&out, root, "fast", sl_lanes_fast(c->lanes.lanes));
    if (sl_lanes_grid(c->lanes.lanes))
        sl_out_item(&out, root, "grid", sl_grid_to_json(sl_lanes_grid(c->lanes.lanes)));
    cJSON *list = sl_out_array(&out, root, "lanes");
    for (int i = 0; i < c->lanes.count; i++)
        add_lane(&out, list, c, i);
    add_problems(&out, root, c);
    cJSON *sharing = sl_out_object(&out, root, "shared");
    sl_out_number(&out, sharing, "texts_encoded", shared.texts);
    sl_out_number(&out, sharing, "texts", shared.texts_shared);
    sl_out_number(&out, sharing, "evaluations", shared.evaluations_shared);
    sl_out_number(&out, root, "bytes", (double)sl_lanes_bytes(c->lanes.lanes));
    return sl_print_json(sl_out_end(&out, root));
}

static int report(Compare *c)
{
    const SlOptions *o = c->session.options;
    const char *warnings = c->lanes.picture[0].metadata.warnings;
    if (warnings)
        sl_session_note(&c->session, "%s", warnings);
    if (o->json)
        return print_json(c);
    print_table(c);
    if (o->output)
        puts(o->output);
    if (o->animation)
        puts(o->animation);
    if (o->save)
        puts(o->save);
    if (o->table)
        puts(o->table);
    if (o->report)
        puts(o->report);
    return SL_EXIT_OK;
}

/* When a lane fails the others go on. */
static int say_problems(const Compare *c)
{
    int status = SL_EXIT_OK;
    for (int i = 0; c->lanes.lanes && i < sl_lanes_count(c->lanes.lanes); i++) {
        const char *problem = sl_lanes_problem(c->lanes.lanes, i);
        if (problem)
            sl_say("lane %d: %s", i + 1, problem);
        status = problem ? SL_EXIT_FAILED : status;
    }
    return status;
}

static bool run(Compare *c, const SlOptions *o, SlError *err)
{
    if (!read_grid(c, o, err) || !sl_options_look(o, true, &c->look, err) ||
        (o->output && !sl_atomic_check(o->output, err)) ||
        (o->animation && !sl_atomic_check(o->animation, err)) ||
        (o->save && !sl_atomic_check(o->save, err)) ||
        (o->table && !sl_atomic_check(o->table, err)) ||
        (o->report && !sl_atomic_check(o->report, err)) || !sl_previews_check(o, err))
        return false;
    if (o->open && o->previews)
        return sl_fail(err, SL_ARGUMENT,
                       "--previews is for lanes that are computed; a saved comparison has its own");
    if (o->open)
        return open_file(c, err) && write_files(c, err);
    return sl_session_open(&c->session, o, NULL, err) && sl_previews_open(&c->session, err) &&
           (sl_grid_cells(&c->grid) ? add_cells(c, o, err) : add_choices(c, o, err)) &&
           check_reference(c, c->count, err) && check_sizes(c, err) &&
           sl_session_inputs(&c->session, c->recipe[0], &c->arrays, err) && compute(c, err) &&
           write_files(c, err);
}

int sl_cmd_compare(const SlOptions *options)
{
    Compare *c = calloc(1, sizeof *c); /* 64 pictures' metadata: too much for a small stack */
    SlError err = {0};
    if (!c) {
        sl_fail(&err, SL_MEMORY, "memory ran out");
        return sl_fail_exit(&err);
    }
    c->session.options = options;
    bool ok = run(c, options, &err);
    int status = ok ? report(c) : sl_session_fail(&c->session, &err);
    if (ok && (say_problems(c) || sl_session_unhashed(&c->session)))
        status = SL_EXIT_FAILED;
    if (status == SL_EXIT_OK && sl_interrupted()) {
        sl_say("interrupted: every lane is kept up to its last finished step");
        status = SL_EXIT_INTERRUPTED;
    }
    for (int i = 0; i < c->count; i++)
        free(c->recipe[i]);
    sl_grid_clear(&c->grid);
    sl_compare_free(&c->lanes);
    sl_inputs_free(&c->arrays);
    sl_session_close(&c->session);
    free(c);
    return status;
}
