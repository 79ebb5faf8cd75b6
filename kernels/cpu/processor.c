/* processor.c - what the processor says of itself (CPUID). Other processors than x86-64 say nothing.
 *
 * Easy to get wrong: the matrix unit is there for a process only when the system allows it.
 */
#include "kernels/cpu/cpu.h"

#include <stdio.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

SlCpuIsa sl_cpu_isa(void)
{
    bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
              __builtin_cpu_supports("bmi2");
    if (v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        return SL_CPU_V4;
    return v3 ? SL_CPU_V3 : SL_CPU_BASE;
}

#if SL_HAVE_AMX
static bool system_allows_tiles(void)
{
    enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
    return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}
#endif

/* Read from the processor: clang's __builtin_cpu_supports knows none of these names. */
SlCpuBf16 sl_cpu_bf16(void)
{
    SlCpuBf16 has = SL_CPU_BF16_NONE;
#if SL_HAVE_BF16
    enum { AMX_BF16 = 1 << 22, AMX_TILE = 1 << 24, AVX512_VBMI = 1 << 1, AVX512_BF16 = 1 << 5 };
    unsigned a, b, c = 0, d = 0, more = 0, rest;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) &&
        __get_cpuid_count(7, 1, &more, &rest, &rest, &rest) && (more & AVX512_BF16))
        has = SL_CPU_BF16_VECTORS;
#if SL_HAVE_AMX
    if (has && (d & AMX_BF16) && (d & AMX_TILE) && (c & AVX512_VBMI) && system_allows_tiles())
        has = SL_CPU_BF16_AMX;
#endif
#endif
    return has;
}

#define FIRST_OF_NAME 0x80000002u
#define LAST_OF_NAME  0x80000004u

void sl_cpu_name(char *out, size_t size)
{
    unsigned word[3][4] = {0};
    char text[sizeof word + 1] = "";
    for (unsigned i = 0; i <= LAST_OF_NAME - FIRST_OF_NAME; i++)
        if (!__get_cpuid(FIRST_OF_NAME + i, &word[i][0], &word[i][1], &word[i][2], &word[i][3]))
            memset(word, 0, sizeof word);
    memcpy(text, word, sizeof word);
    size_t length = strlen(text);
    while (length > 0 && text[length - 1] == ' ')
        text[--length] = 0;
    snprintf(out, size, "%s", text + strspn(text, " "));
}

void sl_cpu_features(char *out, size_t size)
{
    unsigned a, b = 0, c = 0, d = 0, more = 0, rest;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d))
        __get_cpuid_count(7, 1, &more, &rest, &rest, &rest);
    snprintf(out, size, "%08x%08x%08x%08x", b, c, d, more);
}

#else

SlCpuIsa sl_cpu_isa(void)
{
    return SL_CPU_BASE;
}

SlCpuBf16 sl_cpu_bf16(void)
{
    return SL_CPU_BF16_NONE;
}

void sl_cpu_name(char *out, size_t size)
{
    snprintf(out, size, "%s", "");
}

void sl_cpu_features(char *out, size_t size)
{
    snprintf(out, size, "%s", "");
}

#endif
