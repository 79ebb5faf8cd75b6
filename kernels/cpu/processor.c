/* processor.c - what the processor says of itself (CPUID). Other processors than x86-64 say nothing. */
#include "kernels/cpu/cpu.h"

#include <stdio.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>

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

void sl_cpu_name(char *out, size_t size)
{
    snprintf(out, size, "%s", "");
}

void sl_cpu_features(char *out, size_t size)
{
    snprintf(out, size, "%s", "");
}

#endif
