/* cmd_bench.c - `safelight bench`. */
#include "app/cli/bench.h"
#include "app/cli/bench_against.h"
#include "app/cli/bench_print.h"
#include "app/cli/bench_quality.h"
#include "app/cli/cli.h"
#include "app/cli/session.h"
#include "app/files/files.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#define STEPS_MODEL 10
#define STEPS_SHAPE 3

static SlBenchOptions bench_options(const SlOptions *o, int steps)
{
    return (SlBenchOptions){
        .steps = sl_options_given(o, SL_SETTING_STEPS) ? o->values.steps : steps,
        .width = o->values.width,
        .height = o->values.height,
        .profile = o->profile || o->against,
        .maps = o->maps,
        .cached = o->cached,
    };
}

static bool bench_model(const SlOptions *o, SlBench *bench, SlError *err)
{
    SlSession session;
    const SlBenchOptions options = bench_options(o, STEPS_MODEL);
    bool ok = sl_session_open(&session, o, NULL, err) &&
              /* hashing must not run beside what is measured */
              sl_session_identity(&session, err) &&
              sl_bench_model(session.model, &options, bench, err);
    bench->load = session.load_seconds;
    sl_session_close(&session);
    return ok;
}

static bool bench_shape(const SlOptions *o, const SlAutoDtype *automatic, SlBench *bench,
                        SlError *err)
{
    const SlModelOptions on = {.device = o->device,
                               .dtype = o->dtype,
                               .auto_dtype = automatic->dtype,
                               .threads = o->threads > 0 ? (int)o->threads : 0};
    const SlBenchOptions options = bench_options(o, STEPS_SHAPE);
    bool ok = sl_bench_shape(o->arch, &on, &options, bench, err);
    if (ok)
        sl_note_dtype(o, bench->dtype);
    return ok;
}

static bool bench_one(const SlOptions *o, SlBench *bench, SlError *err)
{
    SlAutoDtype automatic;
    if (!sl_options_auto_dtype(o, &automatic, err))
        return false;
    snprintf(bench->why, sizeof bench->why, "%s", automatic.line);
    bool shape = o->arch && strcmp(o->arch, "starter") != 0;
    return shape ? bench_shape(o, &automatic, bench, err) : bench_model(o, bench, err);
}

static bool bench_against(const SlOptions *o, SlBench *bench, SlError *err)
{
    SlOptions options = *o;
    options.dtype = o->against;
    options.maps = options.cached = false;
    return !o->against || bench_one(&options, bench, err);
}

static int print_json(const SlBench *bench, const SlBench *against, SlError *err)
{
    cJSON *root = sl_bench_to_json(bench);
    if (root && against && !sl_bench_add_against(root, bench, against, err)) {
        cJSON_Delete(root);
        return sl_fail_exit(err);
    }
    return sl_print_json(root);
}

int sl_cmd_bench(const SlOptions *options)
{
    SlBench bench = {0}, other = {0};
    const SlBench *against = options->against ? &other : NULL;
    SlError err = {0};
    int status = SL_EXIT_OK;
    if (options->quality)
        return sl_bench_quality(options);
    if (!bench_one(options, &bench, &err) || !bench_against(options, &other, &err)) {
        status = sl_fail_exit(&err);
    } else if (options->json) {
        status = print_json(&bench, against, &err);
    } else {
        sl_bench_print(&bench, options->profile);
        if (against && !sl_bench_print_against(&bench, against, &err))
            status = sl_fail_exit(&err);
    }
    sl_bench_clear(&bench);
    sl_bench_clear(&other);
    return status;
}
