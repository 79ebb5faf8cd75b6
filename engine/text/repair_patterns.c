/* repair_patterns.c - what a text is searched for before it is repaired.
 *
 * Mirrors the regular expressions of ftfy 6.3.1 (badness.py, chardata.py, fixes.py and
 * bad_codecs/utf8_variants.py), by whose judgement a text counts as broken: the classes of
 * characters and which of them hardly stand beside each other are ftfy's (Robyn Speer, Apache
 * licence 2.0), laid out anew. Easy to get wrong: Python's \s knows four control characters more
 * than Unicode's white space, \w knows all digits and no marks, $ matches before a last line end.
 */
#include "engine/text/repair.h"
#include "engine/text/repair_classes.h"

#include <stdlib.h>

/* ---- characters that stand beside each other ---- */

#define COMMON       "\u00a0\u00ad\u00b7\u00b4–—―…’"
#define C1           "\\x{80}-\\x{9f}"
#define BAD          "¦¤¨¬¯¸ƒˆˇ˘˛˜†‡‰⌐◊\ufffdªº"
#define LAW          "¶§"
#define CURRENCY     "¢£¥₧€"
#define START        "¡«¿©΄΅‘‚“„•‹\\x{f8ff}"
#define END          "®»˝”›™"
#define NUMERIC      "²³¹±¼½¾×µ÷⁄∂∆∏∑√∞∩∫≈≠≡≤≥№"
#define FACES        "Ò-ÖÙ-Üò-öø-üŐŌŪŲ°"
#define UPPER        "À-ÑØÜÝĂĀĄĆČĎĐĘĚĒĖĞĢİĪĶĹĽŁĻŃŇŅŒŘŚŞŠŢŤŮŰŸŹŻŽҐ"
#define LOWER        "ßà-ñăąāćčďđęěēėğģįīķĺľłļœŕśşšťüźżžґﬁﬂ"
#define UPPER_COMMON "ÞΑ-ΩΆΈΉΊΌΎΏΪΫЁ-Я"
#define LOWER_COMMON "α-ωάέήίΰа-џ"
#define BOX          "│┌┐┘├┤┬┼═-╬▀▄█▌▐░▒▓"

#define ANY(characters) "[" characters "]"
#define LETTER          "[\\p{L}\\p{N}_]"
#define WHITE                                                                                   \
    "[\\x{9}-\\x{d}\\x{1c}-\\x{20}\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}" \
    "\\x{202f}\\x{205f}\\x{3000}]"
#define ARABIC ANY(COMMON CURRENCY BAD NUMERIC START "ŸŠ®°µ»")
#define AROUND LOWER UPPER BOX START END CURRENCY NUMERIC LAW

static const char bad[] =
    ANY(C1) "|" ANY(BAD AROUND) ANY(BAD) "|[a-zA-Z]" ANY(LOWER_COMMON UPPER_COMMON)
        ANY(BAD) "|" ANY(BAD) ANY(AROUND) "|" ANY(LOWER LOWER_COMMON BOX END CURRENCY NUMERIC)
            ANY(UPPER) "|" ANY(BOX END CURRENCY NUMERIC) ANY(LOWER) "|" ANY(LOWER BOX END)
                ANY(CURRENCY) "|" WHITE ANY(UPPER) ANY(CURRENCY) "|" ANY(UPPER BOX)
                    ANY(NUMERIC LAW) "|" ANY(LOWER UPPER BOX CURRENCY END) ANY(START)
                        ANY(NUMERIC) "|" ANY(LOWER UPPER CURRENCY NUMERIC BOX LAW) ANY(END)
                            ANY(START) "|" ANY(CURRENCY NUMERIC BOX) ANY(START) "|[a-z]" ANY(UPPER)
                                ANY(START CURRENCY) "|" ANY(BOX)
                                    ANY(FACES) "|" ANY(LOWER UPPER CURRENCY NUMERIC START END LAW)
                                        ANY(BOX) "|" ANY(BOX) ANY(END) "|" ANY(LOWER UPPER)
                                            ANY(START END) LETTER
    /* a ligature that stands before no letter; a degree sign behind a capital */
    "|[Œœ][^A-Za-z]"
    "|" ANY(
        UPPER) "°"
               /* UTF-8 read as Windows-1252: Latin, Arabic, scripts of South Asia */
               "|[ÂÃÎÐ]" ANY(
                   "€œŠš¢£Ÿž\u00a0\u00ad®©°·»" START END
                   "–—´") "|×[²³]"
                          "|[ØÙ]" ARABIC "[ØÙ]" ARABIC "|à[²µ¹¼½¾]"
                          /* as Mac Roman */
                          "|√[±∂†≠®™´≤≥¥µø]"
                          "|≈[°¢]"
                          "|‚Ä[ìîïòôúùû†°¢π]"
                          "|‚[âó][àä°ê]"
                          /* as Windows-1251 */
                          "|вЂ"
                          "|[ВГРС]" ANY(
                              C1 BAD START END CURRENCY
                              "°µ") "[ВГРС]"
                                    "|ГўВЂВ[^\\n][A-Za-z ]"
                                    /* the letter a with an accent and the hard space; a letter that stands for itself */
                                    "|Ã[\u00a0¡]"
                                    "|[a-z]" WHITE "?[ÃÂ][ ]"
                                    "|^[ÃÂ][ ]"
                                    "|" ANY("a-z.,?!" END) "Â" ANY(" " START END)
    /* as Windows-1253, as Windows-1257 */
    "|β€[™\u00a0Ά\u00ad®°]"
    "|[ΒΓΞΟ]" ANY(C1 BAD START END CURRENCY "°") "[ΒΓΞΟ]"
                                                 "|ā€";

/* Of characters that encodings like Latin-1 have for the bytes of UTF-8. */
static const char utf8[] =
    "(?<!" ANY(STRICT) ")(?:" ANY(FIRST_OF_2) ANY(CONTINUATION) "|" ANY(FIRST_OF_3)
        ANY(CONTINUATION) "{2}|" ANY(FIRST_OF_4) ANY(CONTINUATION) "{3})+";

/* ---- bytes ---- */

#define MORE "[\\x80-\\x84\\x86-\\x9f\\xa1-\\xbf]" /* those that a space cannot hide behind */
#define NEXT "[\\x80-\\xbf]"
#define LOST "[\\x1a?]" /* a byte that was lost; a question mark only once */
#define KEPT "[\\x1a\\x80-\\xbf]"

static const char a_grave[] = "\\xc3 (?! |quele|quela|quilo|s )";
static const char space_in[] =
    "[\\xc2\\xc3\\xc5\\xce\\xd0\\xd9] |[\\xe2\\xe3] " MORE "|[\\xe0-\\xe3]" MORE
    " |\\xf0 " NEXT NEXT "|\\xf0" NEXT " " NEXT "|\\xf0" NEXT NEXT " ";
static const char lost_in[] =
    "[\\xc2-\\xdf]\\x1a|[\\xc2-\\xc3][?]"
    "|\\xed[\\xa0-\\xaf]" LOST "\\xed[\\xb0-\\xbf][\\x1a?\\x80-\\xbf]"
    "|\\xed[\\xa0-\\xaf][\\x1a?\\x80-\\xbf]\\xed[\\xb0-\\xbf]" LOST "|[\\xe0-\\xef]" LOST KEPT
    "|[\\xe0-\\xef]" KEPT LOST "|[\\xf0-\\xf4]" LOST KEPT KEPT "|[\\xf0-\\xf4]" KEPT LOST KEPT
    "|[\\xf0-\\xf4]" KEPT KEPT LOST "|\\x1a";

#define CESU8 "\\xed(?:[\\xa0-\\xaf]|$)(?:" NEXT "|$)(?:\\xed|$)(?:[\\xb0-\\xbf]|$)(?:" NEXT "|$)"
static const char cesu8[] = "^" CESU8;
static const char nearly_utf8[] =
    "\\xc0(?:\\x80|$)|" CESU8 "|\\xed(?:[\\xa0-\\xbf]|$)(?:" NEXT "|$)";

/* ---- searching ---- */

static const struct {
    const char *text;
    bool bytes;
} patterns[SL_PATTERNS] = {
    [SL_PATTERN_ENTITY] = {"&#?[0-9A-Za-z]{1,24};", false},
    [SL_PATTERN_ESCAPE] = {"\\x1b\\[(?:\\p{Nd}|;)*[a-zA-Z]", false},
    [SL_PATTERN_BAD] = {bad, false},
    [SL_PATTERN_UTF8] = {utf8, false},
    [SL_PATTERN_A_GRAVE] = {a_grave, true},
    [SL_PATTERN_SPACE_IN] = {space_in, true},
    [SL_PATTERN_LOST_IN] = {lost_in, true},
    [SL_PATTERN_NEARLY_UTF8] = {nearly_utf8, true},
    [SL_PATTERN_CESU8] = {cesu8, true},
};

static pcre2_code *code_of(SlRepair *r, SlPattern pattern)
{
    int error;
    size_t at;
    if (!r->code[pattern])
        r->code[pattern] =
            pcre2_compile((PCRE2_SPTR)patterns[pattern].text, PCRE2_ZERO_TERMINATED,
                          patterns[pattern].bytes ? 0 : PCRE2_UTF | PCRE2_UCP, &error, &at, NULL);
    if (!r->match)
        r->match = pcre2_match_data_create(1, NULL);
    r->failed = r->failed || !r->code[pattern] || !r->match;
    return r->code[pattern];
}

bool sl_repair_find(SlRepair *r, SlPattern pattern, SlStretch text, size_t at, SlFound *found)
{
    pcre2_code *code = code_of(r, pattern);
    if (r->failed)
        return false;
    int n = pcre2_match(code, (PCRE2_SPTR)text.text, text.length, at, PCRE2_NO_UTF_CHECK, r->match,
                        NULL);
    r->failed = n < 0 && n != PCRE2_ERROR_NOMATCH;
    if (n < 0)
        return false;
    const size_t *range = pcre2_get_ovector_pointer(r->match);
    *found = (SlFound){range[0], range[1]};
    return true;
}

void sl_repair_replace(SlRepair *r, SlPattern pattern, SlStretch text, SlFix fix, SlBytes *out)
{
    size_t at = 0;
    for (SlFound f; at < text.length && sl_repair_find(r, pattern, text, at, &f); at = f.last) {
        sl_bytes_add(out, text.text + at, f.first - at);
        fix(r, (SlStretch){text.text + f.first, f.last - f.first}, text, out);
    }
    sl_bytes_add(out, text.text + at, text.length - at);
}
