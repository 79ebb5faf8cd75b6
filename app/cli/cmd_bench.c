/* cmd_bench.c - `safelight bench`. */
#include "app/cli/bench.h"
#include "app/cli/bench_print.h"
#include "app/cli/cli.h"
#include "app/cli/session.h"
#include "app/files/files.h"

#include <string.h>

#define STEPS_MODEL 10
#define STEPS_SHAPE 3

static SlBenchOptions bench_options(const SlOptions *o, int steps)
{
    return (SlBenchOptions){
        .steps = sl_options_given(o, SL_SETTING_STEPS) ? o->values.steps : steps,
        .width = o->values.width,
        .height = o->values.height,
        .profile = o->profile,
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

static bool bench_shape(const SlOptions *o, SlBench *bench, SlError *err)
{
    static const char *const names[] = {"f32", "f16", "bf16"};
    SlDeviceOptions device = {.name = o->device, .threads = o->threads > 0 ? (int)o->threads : 0};
    for (int i = 0; o->dtype && i < 3; i++)
        if (strcmp(o->dtype, names[i]) == 0)
            device.dtype = (SlDtype)i;
    const SlBenchOptions options = bench_options(o, STEPS_SHAPE);
    bool ok = sl_bench_shape(o->arch, &device, &options, bench, err);
    if (ok)
        sl_note_dtype(o, bench->dtype);
    return ok;
}

int sl_cmd_bench(const SlOptions *options)
{
    SlBench bench = {0};
    SlError err = {0};
    bool shape = options->arch && strcmp(options->arch, "starter") != 0;
    bool ok = shape ? bench_shape(options, &bench, &err) : bench_model(options, &bench, &err);
    int status = !ok             ? sl_fail_exit(&err)
                 : options->json ? sl_bench_print_json(&bench)
                                 : sl_bench_print(&bench);
    sl_bench_clear(&bench);
    return status;
}
