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

static SlOps make_ops(void)
{
    SlOps ops = sl_ref_ops;
    ops.name = "cpu";
    ops.close = cpu_close;
    ops.describe = cpu_describe;
    ops.weight_init = sl_cpu_weight_init;
    ops.weight_clear = sl_cpu_weight_clear;
    ops.copy = sl_cpu_copy;
    ops.linear = sl_cpu_linear;
    ops.conv2d = sl_cpu_conv2d;
    ops.group_norm = sl_cpu_group_norm;
    ops.group_norm_silu = sl_cpu_group_norm;
    ops.layer_norm = sl_cpu_layer_norm;
    ops.attention = sl_cpu_attention;
    ops.activation = sl_cpu_activation;
    ops.geglu = sl_cpu_geglu;
    ops.add = sl_cpu_add;
    ops.concat = sl_cpu_concat;
    ops.upsample = sl_cpu_upsample;
    ops.linear_epilogue = sl_cpu_linear_epilogue;
    ops.conv2d_epilogue = sl_cpu_conv2d_epilogue;
    sl_ops_fill(&ops);
    return ops;
}

/* Cores that this process may use, or what OMP_NUM_THREADS says. */
static int available_threads(void)
{
#ifdef _OPENMP
    return omp_get_max_threads();
#else
    return 1;
#endif
}

static const char *instructions(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512bf16"))
        return "AVX-512 with bf16";
    if (__builtin_cpu_supports("avx512f"))
        return "AVX-512";
    if (__builtin_cpu_supports("avx2"))
        return "AVX2";
#endif
    return "baseline instructions";
}

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
    cpu->ops = make_ops();
    cpu->base.ops = &cpu->ops;
    cpu->base.name = "cpu";
    cpu->base.dtype = options->dtype == SL_F16 ? SL_F32 : options->dtype;
    cpu->base.threads = options->threads > 0 ? options->threads : available_threads();
    snprintf(cpu->describe, sizeof cpu->describe, "CPU: %d thread%s, %s, %s, %s%s",
             cpu->base.threads, cpu->base.threads == 1 ? "" : "s", instructions(),
             SL_HAVE_ONEDNN ? "oneDNN" : "without oneDNN", sl_dtype_name(cpu->base.dtype),
             options->dtype == SL_F16 ? " (instead of f16)" : "");
    return &cpu->base;
}
