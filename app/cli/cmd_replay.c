/* cmd_replay.c - `safelight replay`: a picture computed again from what it says about itself, and
 * compared where it can first differ: model, noise, latents, pixels. --verify turns a difference
 * into exit status 3.
 */
#include "app/cli/cli.h"
#include "app/cli/interrupt.h"
#include "app/cli/previews.h"
#include "app/cli/replay_sheet.h"
#include "app/cli/session.h"
#include "app/files/files.h"
#include "app/image/image.h"
#include "app/record/record.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Replay {
    SlOptions options; /* with the picture's device and dtype where none were said */
    SlSession session;
    SlMetadata metadata; /* of the file */
    char file_pixels[65];
    SlGenerated picture;
} Replay;

typedef struct Check {
    const char *name, *json_name;
    bool same;
} Check;

static bool on_frame(void *arg, SlRun *run, const SlFrame *frame, SlError *err)
{
    Replay *r = arg;
    if (!frame)
        sl_progress_follow(
            &r->session.progress, r->options.quiet, r->session.model,
            &(SlProgressAt){.from = sl_run_evaluation(run), .total = sl_run_evaluations(run)});
    else
        sl_progress_step(&r->session.progress, frame->evaluation + 1);
    if (frame && (frame->refined || frame->last))
        sl_progress_say(&r->session.progress, frame->last ? "decoding" : "refiner");
    if (frame && !sl_previews_frame(&r->session, frame, err))
        return false;
    return !sl_interrupted() || sl_fail(err, SL_CANCELLED, "interrupted");
}

/* ---- before ---- */

static bool prepare(Replay *r, const SlOptions *options, SlError *err)
{
    SlMetadata *m = &r->metadata;
    r->options = *options;
    if ((options->output && !sl_atomic_check(options->output, err)) ||
        !sl_previews_check(options, err))
        return false;
    if (!sl_metadata_read(options->argument, m, err) ||
        !sl_png_hash(options->argument, r->file_pixels, err))
        return false;
    return sl_session_open_again(&r->session, &r->options, m, err) &&
           sl_previews_open(&r->session, err) &&
           sl_recipe_check(m->recipe, sl_model_info(r->session.model), err);
}

static bool compute(Replay *r, SlError *err)
{
    const SlGeneration job = {.model = r->session.model,
                              .recipe = r->metadata.recipe,
                              .origin = r->metadata.origin,
                              .batches = &r->metadata.batches,
                              .stop_after = r->metadata.partial ? r->metadata.step : 0,
                              .frame = on_frame,
                              .arg = r};
    sl_session_wait(&r->session, job.origin && job.origin->step > 0);
    bool ok = sl_generate(&job, &r->picture, err);
    sl_progress_end(&r->session.progress);
    if (ok && r->picture.problem.code != SL_OK)
        return sl_fail(err, r->picture.problem.code, "%s", r->picture.problem.message);
    const SlModelInfo *identity = ok ? sl_session_identity(&r->session, err) : NULL;
    if (!identity)
        return false;
    sl_metadata_set_model(&r->picture.metadata, identity);
    return !r->options.output ||
           sl_metadata_write(r->options.output, r->picture.rgb, r->picture.width, r->picture.height,
                             &r->picture.metadata, err);
}

/* ---- after ---- */

static bool same_files(const SlMetadata *a, const SlMetadata *b)
{
    bool same = a->files == b->files;
    for (int i = 0; same && i < a->files; i++)
        same = strcmp(a->file[i].sha256, b->file[i].sha256) == 0;
    return same;
}

/* In the order of the computation: the first difference is the cause of the later ones. */
static int make_checks(const Replay *r, Check checks[5])
{
    const SlMetadata *was = &r->metadata, *is = &r->picture.metadata;
    checks[0] = (Check){"model", "model", same_files(was, is)};
    checks[1] = (Check){"noise", "noise", strcmp(was->noise_sha256, is->noise_sha256) == 0};
    checks[2] = (Check){"latents", "latents", strcmp(was->latents_sha256, is->latents_sha256) == 0};
    checks[3] = (Check){"pixels", "pixels", strcmp(was->pixels_sha256, is->pixels_sha256) == 0};
    checks[4] = (Check){"pixels in the file", "file_pixels",
                        strcmp(was->pixels_sha256, r->file_pixels) == 0};
    return 5;
}

static void print_checks(const Replay *r, const Check *checks, int count, const Check *first)
{
    const char *path = r->options.argument;
    for (int i = 0; i < count; i++)
        sl_print("%s: %s\n", checks[i].name, checks[i].same ? "identical" : "different");
    if (!first)
        sl_print("%s: identical\n", path);
    else if (first == &checks[4])
        sl_print("%s: the picture was changed after it was saved\n", path);
    else
        sl_print("%s: different from the %s on\n", path, first->name);
}

static int report(const Replay *r)
{
    Check checks[5];
    const Check *first = NULL;
    int count = make_checks(r, checks);
    for (int i = count - 1; i >= 0; i--)
        if (!checks[i].same)
            first = &checks[i];
    const SlMetadata *m = &r->picture.metadata;
    if (first && strcmp(m->device_description, r->metadata.device_description) != 0)
        sl_session_note(&r->session, "the picture was made on another device: %s",
                        r->metadata.device_description);
    if (r->options.json) {
        SlJsonOut out = {0};
        cJSON *root = sl_out_object(&out, NULL, NULL);
        sl_out_bool(&out, root, "identical", first == NULL);
        for (int i = 0; i < count; i++)
            sl_out_bool(&out, root, checks[i].json_name, checks[i].same);
        sl_out_number(&out, root, "seconds", r->picture.seconds);
        if (r->options.output)
            sl_out_text(&out, root, "output", r->options.output);
        if (sl_print_json(sl_out_end(&out, root)) != SL_EXIT_OK)
            return SL_EXIT_FAILED;
    } else {
        print_checks(r, checks, count, first);
    }
    return r->options.verify && first ? SL_EXIT_DIFFERENT : SL_EXIT_OK;
}

int sl_cmd_replay(const SlOptions *options)
{
    if (sl_lanes_is_file(options->argument))
        return sl_replay_lanes(options);
    int of_sheet;
    if (sl_replay_sheet(options, &of_sheet))
        return of_sheet;
    Replay *r = calloc(1, sizeof *r);
    SlError err = {0};
    int status;
    if (!r) {
        sl_fail(&err, SL_MEMORY, "memory ran out");
        return sl_fail_exit(&err);
    }
    r->session.options = options;
    if (prepare(r, options, &err) && compute(r, &err)) {
        status = report(r);
    } else {
        /* wrong contents of the file are a failure (1), not wrong usage (2) */
        if (err.code == SL_ARGUMENT)
            err.code = SL_FORMAT;
        status = sl_session_fail(&r->session, &err);
    }
    sl_picture_free(&r->picture);
    sl_metadata_free(&r->metadata);
    sl_session_close(&r->session);
    free(r);
    return status;
}
