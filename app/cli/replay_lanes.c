/* replay_lanes.c - `safelight replay FILE.safelight`: every lane of a comparison computed again and
 * every kept step compared.
 */
#include "app/cli/cli.h"
#include "app/cli/interrupt.h"
#include "app/cli/session.h"
#include "app/files/files.h"
#include "app/record/record.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct ReplayLanes {
    SlOptions options; /* with the file's device and dtype where none were said */
    SlSession session;
    SlMetadata metadata; /* of the first lane */
    SlLanes *lanes;
    bool same_model;
    SlLaneCheck result[SL_LANES_MAX];
} ReplayLanes;

static bool prepare(ReplayLanes *r, const SlOptions *options, SlError *err)
{
    r->options = *options;
    if (options->output)
        return sl_fail(err, SL_ARGUMENT,
                       "--output is for pictures; a comparison is only computed again");
    if (options->previews || options->preview_decoder)
        return sl_fail(err, SL_ARGUMENT,
                       "--previews is for pictures and sheets; a comparison has its own");
    if (!(r->lanes = sl_lanes_load(options->argument, &r->metadata, err)))
        return false;
    return sl_session_open_again(&r->session, &r->options, &r->metadata, err) &&
           sl_session_check_lanes(&r->session, r->lanes, options->argument, err);
}

static bool compute(ReplayLanes *r, SlError *err)
{
    if (!sl_lanes_verify(r->lanes, r->session.model, r->result, err))
        return false;
    const SlModelInfo *identity = sl_session_identity(&r->session, err);
    if (!identity)
        return false;
    r->same_model = identity->files == r->metadata.files;
    for (int i = 0; r->same_model && i < identity->files; i++)
        r->same_model = strcmp(identity->file[i].sha256, r->metadata.file[i].sha256) == 0;
    return true;
}

static int report(const ReplayLanes *r)
{
    bool all = r->same_model;
    SlJsonOut out = {0};
    cJSON *root = sl_out_object(&out, NULL, NULL), *list = sl_out_array(&out, NULL, NULL);
    if (!r->options.json)
        sl_print("model: %s\n", r->same_model ? "identical" : "different");
    for (int i = 0; i < sl_lanes_count(r->lanes); i++) {
        const SlLaneCheck *result = &r->result[i];
        bool same = result->noise && result->same == result->kept;
        cJSON *item = sl_out_object(&out, list, NULL);
        all = all && same;
        sl_out_bool(&out, item, "identical", same);
        sl_out_bool(&out, item, "noise", result->noise);
        sl_out_number(&out, item, "same", result->same);
        sl_out_number(&out, item, "moments", result->kept);
        if (r->options.json)
            continue;
        if (same)
            sl_print("lane %d: identical, %d moments\n", i + 1, result->kept);
        else if (!result->noise)
            sl_print("lane %d: different from the noise on\n", i + 1);
        else
            sl_print("lane %d: different from moment %d of %d on\n", i + 1, result->same + 1,
                     result->kept);
    }
    sl_out_bool(&out, root, "identical", all);
    sl_out_bool(&out, root, "model", r->same_model);
    sl_out_item(&out, root, "lanes", list);
    root = sl_out_end(&out, root);
    if (r->options.json) {
        if (sl_print_json(root) != SL_EXIT_OK)
            return SL_EXIT_FAILED;
    } else {
        cJSON_Delete(root);
        sl_print("%s: %s\n", r->options.argument, all ? "identical" : "different");
    }
    return r->options.verify && !all ? SL_EXIT_DIFFERENT : SL_EXIT_OK;
}

int sl_replay_lanes(const SlOptions *options)
{
    ReplayLanes *r = calloc(1, sizeof *r);
    SlError err = {0};
    int status;
    if (!r) {
        sl_fail(&err, SL_MEMORY, "memory ran out");
        return sl_fail_exit(&err);
    }
    r->session.options = options;
    if (prepare(r, options, &err) && compute(r, &err))
        status = report(r);
    else
        status = sl_session_fail(&r->session, &err);
    sl_lanes_free(r->lanes);
    sl_metadata_free(&r->metadata);
    sl_session_close(&r->session);
    free(r);
    return status;
}
