/* cpu.c - the table of the cpu device: ref's, with faster slots laid over it.
 * SAFELIGHT_ISA=base|v3|v4|bf16|amx (levels of the x86-64 psABI; v4 with products of bf16 in vectors, and on the
 * matrix unit) limits the device to fewer instructions than the processor has, for tests and for finding
 * differences between two machines; v3+onednn is v3 with oneDNN, as it is used from v4 on. */
#include "kernels/cpu/cpu.h"

#include "kernels/devices.h"
#include "kernels/team.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void cpu_close(SlDevice *dev)
{
    sl_onednn_close(((SlCpuDevice *)dev)->onednn);
    sl_team_free(dev->team);
    free(dev);
}

static const char *cpu_describe(const SlDevice *dev)
{
    return ((const SlCpuDevice *)dev)->describe;
}

/* Whether oneDNN is used without AVX-512, too: for tests of what is said about it, on any machine. */
static bool with_onednn(void)
{
    const char *wanted = getenv("SAFELIGHT_ISA");
    return wanted && strcmp(wanted, "v3+onednn") == 0;
}

static SlCpuIsa best_isa(void)
{
    static const char *const names[] = {"base", "v3"};
    const char *wanted = getenv("SAFELIGHT_ISA");
    SlCpuIsa has = sl_cpu_isa();
    for (SlCpuIsa i = SL_CPU_BASE; wanted && i < has; i++)
        if (strcmp(wanted, names[i]) == 0)
            return i;
    return has > SL_CPU_V3 && with_onednn() ? SL_CPU_V3 : has;
}

/* The same of what multiplies bf16. */
static SlCpuBf16 best_bf16(SlCpuIsa isa)
{
    static const char *const names[] = {"v4", "bf16", "amx"};
    const char *wanted = getenv("SAFELIGHT_ISA");
    SlCpuBf16 has = isa == SL_CPU_V4 ? sl_cpu_bf16() : SL_CPU_BF16_NONE;
    for (SlCpuBf16 i = SL_CPU_BF16_NONE; wanted && i < has; i++)
        if (strcmp(wanted, names[i]) == 0)
            return i;
    return has;
}

/* The same bytes in f32, faster in bf16. */
static void fill_bf16_rows(SlOps *ops, SlCpuBf16 bf16)
{
#if SL_HAVE_BF16
    if (bf16 != SL_CPU_BF16_NONE) {
        sl_cpu_norm_slots_bf16(ops);
        sl_cpu_elementwise_slots_bf16(ops);
    }
#else
    (void)ops;
    (void)bf16;
#endif
}

#define FILL(isa)                              \
    do {                                       \
        sl_cpu_attention_slots_##isa(ops);     \
        sl_cpu_attention_map_slots_##isa(ops); \
        sl_cpu_norm_slots_##isa(ops);          \
        sl_cpu_peak_slots_##isa(ops);          \
        sl_cpu_elementwise_slots_##isa(ops);   \
        fill_bf16_rows(ops, bf16);             \
        *apart = *ops;                         \
        sl_cpu_product_slots_##isa(ops);       \
        sl_cpu_conv_slots_##isa(ops);          \
    } while (0)

static void fill_slots(SlOps *ops, SlOps *apart, SlCpuIsa isa, SlCpuBf16 bf16)
{
#if defined(__x86_64__)
    if (isa == SL_CPU_V4)
        FILL(v4);
    else if (isa == SL_CPU_V3)
        FILL(v3);
    else
#endif
        FILL(base);
}

static void make_ops(SlCpuDevice *cpu, SlCpuIsa isa)
{
    SlOps *ops = &cpu->ops;
    *ops = sl_ref_ops;
    ops->name = "cpu";
    ops->keeps_half = true;
    ops->close = cpu_close;
    ops->describe = cpu_describe;
    ops->weight_init = sl_cpu_weight_init;
    ops->weight_reads = sl_cpu_weight_reads;
    ops->weight_read = sl_cpu_weight_read;
    ops->weight_fill = sl_cpu_weight_fill;
    ops->weight_copy = sl_cpu_weight_copy;
    ops->weight_clear = sl_cpu_weight_clear;
    ops->weights_passed = sl_cpu_weights_passed;
    ops->copy = sl_cpu_copy;
    fill_slots(ops, &cpu->apart, isa, cpu->bf16);
    cpu->own = *ops;
    if (cpu->onednn)
        sl_onednn_linear_slots(ops);
#if SL_HAVE_BF16
    if (cpu->bf16 == SL_CPU_BF16_VECTORS)
        sl_cpu_attention_slots_bf16(ops);
#endif
    cpu->rest = *ops;
#if SL_HAVE_BF16
    if (cpu->bf16 == SL_CPU_BF16_VECTORS) {
        sl_cpu_product_slots_bf16(ops);
        sl_cpu_peak_slots_bf16(ops);
    }
#endif
#if SL_HAVE_AMX
    if (cpu->bf16 == SL_CPU_BF16_AMX) {
        sl_cpu_attention_slots_amx(ops);
        sl_cpu_product_slots_amx(ops);
        sl_cpu_peak_slots_amx(ops);
    }
#endif
    sl_ops_fill(ops);
    sl_ops_fill(&cpu->rest);
    sl_ops_fill(&cpu->apart);
}

static void cpu_use_dtype(SlDevice *dev, SlDtype dtype)
{
    dev->dtype = dtype == SL_F16 ? SL_F32 : dtype;
}

static const char *const instructions[] = {"baseline instructions", "AVX2", "AVX-512"};
static const char *const bf16_names[] = {"", " with BF16", ", AMX"};

SlDevice *sl_cpu_open(const SlDeviceOptions *options, SlError *err)
{
    SlCpuDevice *cpu = calloc(1, sizeof *cpu);
    int wanted = options->threads > 0 ? options->threads : sl_team_default();
    wanted = wanted < sl_team_limit() ? wanted : sl_team_limit();
    SlTeam *team = cpu ? sl_team_new(wanted) : NULL;
    if (!team) {
        free(cpu);
        sl_fail(err, SL_MEMORY, "no memory for the device cpu");
        return NULL;
    }
    SlCpuIsa isa = best_isa();
    char refused[60] = "";
    cpu->base.team = team;
    cpu->base.cut_flops = SL_CPU_CUT_FLOPS;
    cpu->base.threads = sl_team_size(team);
    if (cpu->base.threads < wanted)
        snprintf(refused, sizeof refused, " (instead of %d: the system gives no more)", wanted);
    cpu->base.dtype = options->dtype == SL_F16 ? SL_F32 : options->dtype;
    bool onednn = !options->q8 && (isa == SL_CPU_V4 || with_onednn()); /* it has no such weights */
    if (onednn && !sl_onednn_open(cpu->base.dtype, team, with_onednn(), &cpu->onednn)) {
        sl_team_free(team);
        free(cpu);
        sl_fail(err, SL_MEMORY, "memory ran out when the device cpu was opened");
        return NULL;
    }
    cpu->bf16 = best_bf16(isa);
    make_ops(cpu, isa);
    cpu->ops.use_dtype = cpu_use_dtype;
    cpu->base.ops = &cpu->ops;
    cpu->base.name = "cpu";
    snprintf(cpu->describe, sizeof cpu->describe, "CPU: %d thread%s%s, %s%s%s, %s%s%s",
             cpu->base.threads, cpu->base.threads == 1 ? "" : "s", refused, instructions[isa],
             cpu->base.dtype == SL_BF16 ? bf16_names[cpu->bf16] : "", cpu->onednn ? ", oneDNN" : "",
             sl_dtype_name(cpu->base.dtype), options->dtype == SL_F16 ? " (instead of f16)" : "",
             options->q8 ? ", weights in 8 bits" : "");
    return &cpu->base;
}

SlDtype sl_q8_dtype(void)
{
    return best_bf16(best_isa()) != SL_CPU_BF16_NONE ? SL_BF16 : SL_F32;
}

void sl_processor_look(SlProcessor *processor)
{
    SlCpuIsa isa = best_isa();
    SlCpuBf16 bf16 = best_bf16(isa);
    char features[40];
    *processor = (SlProcessor){.bf16 = bf16 != SL_CPU_BF16_NONE, .threads = sl_team_default()};
    sl_cpu_name(processor->name, sizeof processor->name);
    sl_cpu_features(features, sizeof features);
    snprintf(processor->instructions, sizeof processor->instructions, "%s%s %s", instructions[isa],
             bf16_names[bf16], features);
    if (isa == SL_CPU_V4 || with_onednn())
        sl_onednn_name(processor->library, sizeof processor->library);
}
