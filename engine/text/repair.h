/* repair.h - a text repaired as ftfy's fix_text does it, which transformers 4 calls where ftfy is
 * installed; by repair.c, mojibake.c and repair_patterns.c. */
#ifndef SL_ENGINE_REPAIR_H
#define SL_ENGINE_REPAIR_H

#define PCRE2_CODE_UNIT_WIDTH 8

#include "engine/text/bytes.h"

#include <pcre2.h>

/* What is looked for. */
typedef enum SlPattern {
    SL_PATTERN_ENTITY,      /* "&eacute;" */
    SL_PATTERN_ESCAPE,      /* of a terminal, for colours */
    SL_PATTERN_BAD,         /* characters beside each other that are hardly meant */
    SL_PATTERN_UTF8,        /* characters that look like the bytes of UTF-8 */
    SL_PATTERN_A_GRAVE,     /* the rest work on bytes: the letter a with a grave, cut by a space */
    SL_PATTERN_SPACE_IN,    /* UTF-8 but for a space in the place of byte A0 */
    SL_PATTERN_LOST_IN,     /* UTF-8 of which bytes were lost */
    SL_PATTERN_NEARLY_UTF8, /* what Java and CESU-8 write otherwise than UTF-8 */
    SL_PATTERN_CESU8,
    SL_PATTERNS
} SlPattern;

typedef struct SlRepair {
    pcre2_code *code[SL_PATTERNS]; /* NULL until it is needed */
    pcre2_match_data *match;
    int depth;   /* of texts within texts */
    bool failed; /* memory ran out */
} SlRepair;

/* The first place from `at` on where a pattern matches: bytes first to last - 1. */
typedef struct SlFound {
    size_t first, last;
} SlFound;
bool sl_repair_find(SlRepair *r, SlPattern pattern, SlStretch text, size_t at, SlFound *found);
/* Appends the text with `fix` in the place of every match. */
typedef void (*SlFix)(SlRepair *r, SlStretch match, SlStretch text, SlBytes *out);
void sl_repair_replace(SlRepair *r, SlPattern pattern, SlStretch text, SlFix fix, SlBytes *out);

/* mojibake.c: ftfy's fix_encoding. Appends the text as it was before it was read in a wrong
 * encoding. */
void sl_repair_encoding(SlRepair *r, SlStretch text, SlBytes *out);
/* The character that Windows-1252 has for a byte from 0x80 to 0x9f; the open ones stay. */
unsigned sl_repair_c1(unsigned c);

/* Appends a text repaired; valid UTF-8. False when memory runs out. */
bool sl_repair_text(SlStretch text, SlBytes *out);

#endif
