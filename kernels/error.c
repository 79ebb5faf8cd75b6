/* error.c - filling an SlError. */
#include "kernels/kernels.h"

#include <stdio.h>

bool sl_fail(SlError *err, SlCode code, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        err->code = code;
        vsnprintf(err->message, sizeof err->message, format, args);
        va_end(args);
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
