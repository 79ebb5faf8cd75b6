/* cmd_branch.c - `safelight branch`: the run behind a picture, computed again up to one of its
 * steps and continued with other settings. The new picture says where it comes from, so that it can
 * be replayed and branched in turn.
 */
#include "app/cli/cli.h"
#include "app/cli/interrupt.h"
#include "app/cli/previews.h"
#include "app/cli/session.h"
#include "app/files/files.h"
#include "app/recipe/recipe.h"
#include "app/record/record.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Branch {
    SlOptions options; /* with the picture's device and dtype where none were said */
    SlSession session;
    SlMetadata parent;
    SlRecipe recipe; /* strings borrowed from options and parent */
    SlOrigin *origin;
    SlGenerated picture;
} Branch;

static bool on_frame(void *arg, SlRun *run, const SlFrame *frame, SlError *err)
{
    Branch *b = arg;
    if (!frame)
        sl_progress_follow(
            &b->session.progress, b->options.quiet, b->session.model,
            &(SlProgressAt){.from = sl_run_evaluation(run), .total = sl_run_evaluations(run)});
    else
        sl_progress_step(&b->session.progress, frame->evaluation + 1);
    if (frame && !sl_previews_frame(&b->session, frame, err))
        return false;
    if (frame && (frame->refined || frame->last))
        sl_progress_say(&b->session.progress, frame->last ? "decoding" : "refiner");
    return !sl_interrupted() || sl_fail(err, SL_CANCELLED, "interrupted");
}

static bool check_step(const Branch *b, SlError *err)
{
    const SlMetadata *m = &b->parent;
    int last = m->recipe->steps - 1;
    return b->options.step <= last ||
           sl_fail(err, SL_ARGUMENT, "--step is %lld; expected 0 to %d: the run of %s has %d steps",
                   (long long)b->options.step, last, b->options.argument, last + 1);
}

static bool prepare(Branch *b, const SlOptions *options, SlError *err)
{
    SlMetadata *m = &b->parent;
    b->options = *options;
    if (!sl_atomic_check(options->output, err) || !sl_previews_check(options, err) ||
        !sl_metadata_read(options->argument, m, err) || !check_step(b, err))
        return false;
    b->recipe = *m->recipe;
    sl_options_change(options, &b->recipe);
    b->origin = sl_origin_new(m->recipe, m->origin, (int)options->step);
    return ((b->origin && sl_batches_copy(&m->batches, &b->origin->batches)) ||
            sl_fail(err, SL_MEMORY, "memory ran out")) &&
           sl_session_open_again(&b->session, &b->options, m, err) &&
           sl_previews_open(&b->session, err) &&
           sl_recipe_check(m->recipe, sl_model_info(b->session.model), err) &&
           sl_recipe_check(&b->recipe, sl_model_info(b->session.model), err);
}

static bool compute(Branch *b, SlError *err)
{
    const SlGeneration job = {.model = b->session.model,
                              .recipe = &b->recipe,
                              .origin = b->origin,
                              .frame = on_frame,
                              .arg = b};
    sl_session_wait(&b->session, b->origin->step > 0);
    bool ok = sl_generate(&job, &b->picture, err);
    sl_progress_end(&b->session.progress);
    if (!ok)
        return false;
    sl_metadata_set_model(&b->picture.metadata, sl_session_identity_kept(&b->session));
    return sl_metadata_write(b->options.output, b->picture.rgb, b->picture.width, b->picture.height,
                             &b->picture.metadata, err);
}

static int report(const Branch *b)
{
    const SlGenerated *p = &b->picture;
    if (p->metadata.warnings)
        sl_session_note(&b->session, "%s", p->metadata.warnings);
    if (!b->options.json) {
        puts(b->options.output);
        return SL_EXIT_OK;
    }
    cJSON *root = sl_metadata_to_object(&p->metadata);
    SlJsonOut out = {.failed = root == NULL};
    sl_out_text(&out, root, "output", b->options.output);
    sl_out_number(&out, root, "evaluations", p->evaluations);
    sl_out_number(&out, root, "cached", p->cached);
    sl_out_number(&out, root, "seconds", p->seconds);
    return sl_print_json(sl_out_end(&out, root));
}

int sl_cmd_branch(const SlOptions *options)
{
    Branch *b = calloc(1, sizeof *b); /* 64 files' names twice: too much for a small stack */
    SlError err = {0};
    if (!b) {
        sl_fail(&err, SL_MEMORY, "memory ran out");
        return sl_fail_exit(&err);
    }
    b->session.options = options;
    bool ok = prepare(b, options, &err) && compute(b, &err);
    int status = ok ? report(b) : sl_session_fail(&b->session, &err), stopped = SL_EXIT_OK;
    if (ok)
        stopped = sl_session_stopped(&b->session, &b->picture.metadata, &b->picture.problem);
    status = stopped ? stopped : status;
    sl_picture_free(&b->picture);
    sl_metadata_free(&b->parent);
    sl_origin_free(b->origin);
    sl_session_close(&b->session);
    free(b);
    return status;
}
