/* bytes.h - bytes that grow. */
#ifndef SL_ENGINE_BYTES_H
#define SL_ENGINE_BYTES_H

#include <stdbool.h>
#include <stddef.h>

typedef struct SlBytes {
    char *text; /* malloc'ed, a 0 behind the end; NULL before anything was added */
    size_t length, room;
    bool failed; /* memory ran out; nothing is added any more */
} SlBytes;

/* A stretch of somebody else's bytes. */
typedef struct SlStretch {
    const char *text;
    size_t length;
} SlStretch;

void sl_bytes_add(SlBytes *b, const char *text, size_t length);
static inline SlStretch sl_bytes_all(const SlBytes *b)
{
    return (SlStretch){b->text ? b->text : "", b->length};
}

#endif
