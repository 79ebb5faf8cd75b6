/* error.c - filling an SlError. */
#include "kernels/kernels.h"

#include <locale.h>
#include <stdio.h>

bool sl_fail(SlError *err, SlCode code, const char *format, ...)
{
    if (err) {
        /* sentences are English, and so are their numbers, whatever the window's language is */
        locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0), before = uselocale(c);
        va_list args;
        va_start(args, format);
        err->code = code;
        vsnprintf(err->message, sizeof err->message, format, args);
        va_end(args);
        uselocale(before);
        freelocale(c);
    }
    return false;
}

SlBytesText sl_bytes_text(uint64_t bytes)
{
    SlBytesText t;
    double mib = (double)bytes / (1 << 20);
    if (mib >= 1024)
        snprintf(t.text, sizeof t.text, "%.1f GiB", mib / 1024);
    else
        snprintf(t.text, sizeof t.text, "%.1f MiB", mib);
    return t;
}
