/* cpu.c - the cpu device's table: ref overlaid. */
#include "kernels/cpu/cpu.h"

#include "kernels/devices.h"

#include <stdio.h>
#include <stdlib.h>
#ifdef _OPENMP
#include <omp.h>
#endif

static void cpu_close(SlDevice *dev)
{
    sl_onednn_close(((SlCpuDevice *)dev)->onednn);
    free(dev);
}

static const char *cpu_describe(const SlDevice *dev)
{
    return ((const SlCpuDevice *)dev)->describe;
}

typedef enum Isa { ISA_BASE, ISA_V3, ISA_V4 } Isa;

/* The levels of the x86-64 psABI that the vector files are compiled for. */
static Isa best_isa(void)
{
#if defined(__x86_64__)
    bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
              __builtin_cpu_supports("bmi2");
    if (v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        return ISA_V4;
    if (v3)
        return ISA_V3;
#endif
    return ISA_BASE;
}

#if SL_HAVE_ONEDNN
#define PRODUCTS(isa) sl_onednn_slots(ops)
#else
#define PRODUCTS(isa) sl_cpu_product_slots_##isa(ops)
#endif
#define FILL(isa)                            \
    do {                                     \
        sl_cpu_attention_slots_##isa(ops);   \
        sl_cpu_norm_slots_##isa(ops);        \
        sl_cpu_peak_slots_##isa(ops);        \
        sl_cpu_elementwise_slots_##isa(ops); \
        PRODUCTS(isa);                       \
    } while (0)

static void fill_slots(SlOps *ops, Isa isa)
{
#if defined(__x86_64__)
    if (isa == ISA_V4)
        FILL(v4);
    else if (isa == ISA_V3)
        FILL(v3);
    else
#endif
        FILL(base);
}

static SlOps make_ops(Isa isa)
{
    SlOps ops = sl_ref_ops;
    ops.name = "cpu";
    ops.close = cpu_close;
    ops.describe = cpu_describe;
    ops.weight_init = sl_cpu_weight_init;
    ops.weight_clear = sl_cpu_weight_clear;
    fill_slots(&ops, isa);
    sl_ops_fill(&ops);
    return ops;
}

/* Cores that this process may use, or what OMP_NUM_THREADS says. Asked once, before any operation:
 * the products of small shapes lower what OpenMP answers on their thread. */
static int available_threads(void)
{
#ifdef _OPENMP
    static int count;
    int n = __atomic_load_n(&count, __ATOMIC_RELAXED);
    if (n == 0) {
        n = omp_get_max_threads();
        __atomic_store_n(&count, n, __ATOMIC_RELAXED);
    }
    return n;
#else
    return 1;
#endif
}

static const char *const instructions[] = {"baseline instructions", "AVX2", "AVX-512"};

SlDevice *sl_cpu_open(const SlDeviceOptions *options, SlError *err)
{
    SlCpuDevice *cpu = calloc(1, sizeof *cpu);
    if (!cpu) {
        sl_fail(err, SL_MEMORY, "no memory for the device cpu");
        return NULL;
    }
    cpu->onednn = sl_onednn_open(err);
    if (SL_HAVE_ONEDNN && !cpu->onednn) {
        free(cpu);
        return NULL;
    }
    Isa isa = best_isa();
    int available = available_threads();
    cpu->ops = make_ops(isa);
    cpu->base.ops = &cpu->ops;
    cpu->base.name = "cpu";
    cpu->base.dtype = options->dtype == SL_F16 ? SL_F32 : options->dtype;
    cpu->base.threads = options->threads > 0 ? options->threads : available;
    snprintf(cpu->describe, sizeof cpu->describe, "CPU: %d thread%s, %s, %s, %s%s",
             cpu->base.threads, cpu->base.threads == 1 ? "" : "s", instructions[isa],
             SL_HAVE_ONEDNN ? "oneDNN" : "without oneDNN", sl_dtype_name(cpu->base.dtype),
             options->dtype == SL_F16 ? " (instead of f16)" : "");
    return &cpu->base;
}
