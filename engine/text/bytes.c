/* bytes.c - see bytes.h. */
#include "engine/text/bytes.h"

#include <stdlib.h>
#include <string.h>

void sl_bytes_add(SlBytes *b, const char *text, size_t length)
{
    if (b->length + length + 1 > b->room && !b->failed) {
        size_t room = 2 * (b->length + length + 1);
        char *grown = realloc(b->text, room);
        b->failed = !grown;
        if (grown) {
            b->text = grown;
            b->room = room;
        }
    }
    if (b->failed)
        return;
    memcpy(b->text + b->length, text, length);
    b->length += length;
    b->text[b->length] = 0;
}
