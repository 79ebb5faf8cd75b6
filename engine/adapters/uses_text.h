/* uses_text.h - the texts in which a recipe names files, "cat#0123456789:0.8; dog": what the ones of LoRAs and of
 * embeddings have in common. For the files of this room. */
#ifndef SL_ENGINE_USES_TEXT_H
#define SL_ENGINE_USES_TEXT_H

#include "kernels/kernels.h"

typedef struct SlUsesKind {
    const char *what; /* "LoRAs", for messages */
    int most;
    size_t size; /* of a use */
    /* One use from start to end, without blanks round it, into a place of zeros. */
    bool (*read)(const char *start, const char *end, void *use, SlError *err);
} SlUsesKind;

/* All uses of a text, malloc'ed, in any case. *use: NULL where there are none. */
bool sl_uses_parse(const SlUsesKind *kind, const char *text, void **use, int *count, SlError *err);
/* "#0123ABCD" at the end, of a length that fits, is taken off it and written in small letters; hash is "" where there
 * is none. */
void sl_uses_take_hash(const char *start, const char **end, bool (*fits)(size_t length),
                       char hash[65]);

#endif
