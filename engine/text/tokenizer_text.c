/* tokenizer_text.c - what happens to a prompt before it is split into words.
 *
 * Mirrors BasicTokenizer(strip_accents=False, do_split_on_punc=False) of
 * transformers/models/clip/tokenization_clip.py, and the normalizers NFC and Lowercase of the
 * tokenizers library. Easy to get wrong: every character of category C
 * disappears, also the joiners inside emoji and whatever Unicode has not assigned; a space goes on
 * either side of a CJK ideograph; lower case is Python's str.lower(), which maps to several
 * characters and knows the final sigma. Unicode's tables come from libunistring (1.0: Unicode 14,
 * as in Python 3.11), so characters that a later Unicode assigned are dropped or kept as that
 * library's version knows them.
 */
#include "engine/text/repair.h"
#include "engine/text/tokenizer_private.h"

#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

bool sl_text_is_space(unsigned c)
{
    return (c >= 0x1c && c <= 0x1f) || uc_is_property_white_space(c);
}

static bool is_cjk(ucs4_t c)
{
    return (c >= 0x4e00 && c <= 0x9fff) || (c >= 0x3400 && c <= 0x4dbf) ||
           (c >= 0x20000 && c <= 0x2a6df) || (c >= 0x2a700 && c <= 0x2b73f) ||
           (c >= 0x2b740 && c <= 0x2b81f) || (c >= 0x2b820 && c <= 0x2ceaf) ||
           (c >= 0xf900 && c <= 0xfaff) || (c >= 0x2f800 && c <= 0x2fa1f);
}

/* The character's replacement in `out` (room for 6 bytes); gives its bytes. */
static size_t clean_char(const uint8_t *s, size_t bytes, ucs4_t c, uint8_t *out)
{
    if (c == '\t' || c == '\n' || c == '\r' || uc_is_general_category(c, UC_CATEGORY_Zs)) {
        *out = ' ';
        return 1;
    }
    if (c == 0xfffd || uc_is_general_category(c, UC_CATEGORY_C))
        return 0;
    bool cjk = is_cjk(c);
    memcpy(out + cjk, s, bytes);
    if (cjk)
        out[0] = out[bytes + 1] = ' ';
    return bytes + 2 * (size_t)cjk;
}

/* malloc'ed; *ascii tells whether nothing is left but ASCII. */
static uint8_t *clean(const uint8_t *s, size_t bytes, size_t *length, bool *ascii)
{
    uint8_t *out = malloc(2 * bytes + 6); /* three bytes of a CJK character become five */
    size_t used = 0;
    *ascii = true;
    for (size_t i = 0; out && i < bytes;) {
        ucs4_t c;
        int n = u8_mbtouc(&c, s + i, bytes - i);
        size_t kept = clean_char(s + i, (size_t)n, c, out + used);
        *ascii = *ascii && (c < 0x80 || kept <= 1);
        used += kept;
        i += (size_t)n;
    }
    *length = used;
    return out;
}

/* Is the nearest character that matters for casing a cased one? Looks to one side of s[at]. */
static bool cased_before(const uint8_t *s, size_t at)
{
    ucs4_t c = 0;
    const uint8_t *p = s + at;
    while ((p = u8_prev(&c, p, s)) && uc_is_property_case_ignorable(c))
        ;
    return p && uc_is_property_cased(c);
}

static bool cased_after(const uint8_t *s, size_t at, size_t bytes)
{
    ucs4_t c = 0;
    while (at < bytes) {
        at += (size_t)u8_mbtouc(&c, s + at, bytes - at);
        if (!uc_is_property_case_ignorable(c))
            return uc_is_property_cased(c);
    }
    return false;
}

/* Capital sigmas in place: at the end of a word they become another letter. u8_tolower knows this,
 * too, but stops at an apostrophe before the sigma, which Unicode and Python look past. */
static void lower_sigmas(uint8_t *s, size_t bytes)
{
    for (size_t i = 0; i + 1 < bytes; i++) {
        if (s[i] != 0xce || s[i + 1] != 0xa3)
            continue;
        bool final = cased_before(s, i) && !cased_after(s, i + 2, bytes);
        s[i] = 0xcf;
        s[i + 1] = final ? 0x82 : 0x83;
    }
}

/* Lower case as the tokenizers library makes it: one character at a time, so that no sigma is a
 * final one. Only one character becomes two. */
static uint8_t *lower_each(const uint8_t *s, size_t bytes, size_t *length)
{
    uint8_t *out = malloc(3 * bytes + 4); /* a character never grows by more */
    size_t used = 0;
    for (size_t i = 0; out && i < bytes;) {
        ucs4_t c;
        i += (size_t)u8_mbtouc(&c, s + i, bytes - i);
        used += (size_t)u8_uctomb(out + used, c == 0x130 ? 'i' : uc_tolower(c), 4);
        if (c == 0x130) {
            out[used++] = 0xcc;
            out[used++] = 0x87;
        }
    }
    *length = used;
    return out;
}

static char *normalize_5(const char *text, size_t bytes, size_t *length)
{
    size_t composed;
    uint8_t *nfc = u8_normalize(UNINORM_NFC, (const uint8_t *)text, bytes, NULL, &composed);
    uint8_t *lower = nfc ? lower_each(nfc, composed, length) : NULL;
    free(nfc);
    return (char *)lower;
}

static char *normalize_4(const char *text, size_t bytes, size_t *length)
{
    bool ascii;
    size_t cleaned, composed;
    uint8_t *s = clean((const uint8_t *)text, bytes, &cleaned, &ascii);
    if (s && ascii) {
        for (size_t i = 0; i < cleaned; i++)
            s[i] = (uint8_t)(s[i] >= 'A' && s[i] <= 'Z' ? s[i] + 32 : s[i]);
        *length = cleaned;
        return (char *)s;
    }
    uint8_t *nfc = s ? u8_normalize(UNINORM_NFC, s, cleaned, NULL, &composed) : NULL;
    if (nfc)
        lower_sigmas(nfc, composed);
    uint8_t *lower = nfc ? u8_tolower(nfc, composed, NULL, NULL, NULL, length) : NULL;
    free(s);
    free(nfc);
    return (char *)lower;
}

/* NFC is done. */
static char *normalize_ftfy(const char *text, size_t bytes, size_t *length)
{
    SlBytes repaired = {0};
    *length = 0;
    if (!sl_repair_text((SlStretch){text, bytes}, &repaired)) {
        free(repaired.text);
        return NULL;
    }
    if (repaired.length == 0)
        return repaired.text;
    uint8_t *s = (uint8_t *)repaired.text;
    lower_sigmas(s, repaired.length);
    uint8_t *lower = u8_tolower(s, repaired.length, NULL, NULL, NULL, length);
    free(s);
    return (char *)lower;
}

char *sl_text_normalize(SlTokenRules rules, const char *text, size_t bytes, size_t *length)
{
    switch (rules) {
    case SL_TOKENS_TRANSFORMERS_5:
        return normalize_5(text, bytes, length);
    case SL_TOKENS_FTFY:
        return normalize_ftfy(text, bytes, length);
    default:
        return normalize_4(text, bytes, length);
    }
}
