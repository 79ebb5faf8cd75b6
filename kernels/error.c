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
