/* cmd_bench.c - `safelight bench`. */
#include "app/core/bench.h"
#include "app/core/cli.h"
#include "app/core/model_path.h"
#include "app/core/session.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#define STEPS_MODEL 10
#define STEPS_SHAPE 3

static double peak_megabytes(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss * 1024 / 1e6;
}

static double gflops(double flops, double seconds)
{
    return seconds > 0 ? flops / seconds / 1e9 : 0;
}

static int print_bench(const SlBench *b)
{
    printf("%s\n%s\n", b->what, b->device);
    printf("  step       %10.2f ms  (median of %d, fastest %.2f; %.3g GFLOP, %.1f GFLOP/s)\n",
           b->step_median * 1e3, b->steps, b->step_fastest * 1e3, b->step_flops / 1e9,
           gflops(b->step_flops, b->step_median));
    printf("  text       %10.2f ms  (%.1f GFLOP/s)\n", b->text * 1e3,
           gflops(b->text_flops, b->text));
    if (b->preview > 0)
        printf("  preview    %10.2f ms\n", b->preview * 1e3);
    printf("  decode     %10.2f ms  (%.1f GFLOP/s)\n", b->decode * 1e3,
           gflops(b->decode_flops, b->decode));
    printf("  memory     %10.1f MB  (process peak %.1f MB)\n", (double)b->device_bytes / 1e6,
           peak_megabytes());
    return fflush(stdout) == 0 ? SL_EXIT_OK : SL_EXIT_FAILED;
}

static int print_bench_json(const SlBench *b)
{
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "what", b->what);
    cJSON_AddStringToObject(root, "device", b->device);
    cJSON_AddNumberToObject(root, "steps", b->steps);
    cJSON_AddNumberToObject(root, "step_ms", b->step_median * 1e3);
    cJSON_AddNumberToObject(root, "step_ms_fastest", b->step_fastest * 1e3);
    cJSON_AddNumberToObject(root, "step_gflop", b->step_flops / 1e9);
    cJSON_AddNumberToObject(root, "step_gflops", gflops(b->step_flops, b->step_median));
    cJSON_AddNumberToObject(root, "text_ms", b->text * 1e3);
    if (b->preview > 0)
        cJSON_AddNumberToObject(root, "preview_ms", b->preview * 1e3);
    cJSON_AddNumberToObject(root, "decode_ms", b->decode * 1e3);
    cJSON_AddNumberToObject(root, "decode_gflops", gflops(b->decode_flops, b->decode));
    cJSON_AddNumberToObject(root, "device_bytes", (double)b->device_bytes);
    cJSON_AddNumberToObject(root, "process_peak_bytes", peak_megabytes() * 1e6);
    return sl_print_json(root);
}

static bool bench_model(const SlOptions *o, SlBench *bench, SlError *err)
{
    SlSession session;
    bool ok = sl_session_open(&session, o, NULL, err) &&
              /* hashing must not run beside what is measured */
              sl_session_identity(&session, err) &&
              sl_bench_model(session.model, o->steps > 0 ? (int)o->steps : STEPS_MODEL, bench, err);
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
    return sl_bench_shape(o->arch, &device, o->steps > 0 ? (int)o->steps : STEPS_SHAPE, bench, err);
}

int sl_cmd_bench(const SlOptions *options)
{
    SlBench bench = {0};
    SlError err = {0};
    bool shape = options->arch && strcmp(options->arch, "starter") != 0;
    bool ok = shape ? bench_shape(options, &bench, &err) : bench_model(options, &bench, &err);
    if (!ok)
        return sl_fail_exit(&err);
    return options->json ? print_bench_json(&bench) : print_bench(&bench);
}
