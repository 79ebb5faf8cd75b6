/* tokenizer_decode.c - ids back to text.
 *
 * Mirrors PreTrainedTokenizer._decode(skip_special_tokens=True) and
 * CLIPTokenizer.convert_tokens_to_string of transformers. Easy to get wrong: "</w>" becomes a space
 * only after the bytes were decoded; broken UTF-8 becomes U+FFFD once for each longest beginning of
 * a character, as Python's errors="replace" does it; added tokens that are not special stand for
 * themselves between the stretches.
 */
#include "engine/text/tokenizer_private.h"

#include "engine/files/files.h"
#include "engine/text/bytes.h"

#include <stdlib.h>
#include <string.h>
#include <unistr.h>

const char *sl_tokenizer_piece(const SlTokenizer *t, int id)
{
    return id >= 0 && id < t->size ? t->piece[id] : NULL;
}

/* The byte that a character of a piece stands for, -1 for characters that stand for none. */
static int byte_of(unsigned c)
{
    if (c > 0x143)
        return -1;
    if (c >= 256) { /* 0 .. 32, 127 .. 160 and 173 in this order */
        unsigned i = c - 256;
        return (int)(i <= 32 ? i : i < 67 ? 127 + (i - 33) : 173);
    }
    return sl_tokenizer_byte_char((unsigned char)c) == c ? (int)c : -1;
}

static void append_piece(SlBytes *b, const char *piece)
{
    size_t left = strlen(piece);
    while (left > 0) {
        ucs4_t c;
        int n = u8_mbtouc(&c, (const uint8_t *)piece, left), byte = byte_of(c);
        if (byte >= 0)
            sl_bytes_add(b, &(char){(char)byte}, 1);
        else
            sl_bytes_add(b, piece, (size_t)n);
        piece += n;
        left -= (size_t)n;
    }
}

/* SlBytes of the longest beginning of a character at s, where no whole one is. */
static size_t broken_char(const unsigned char *s, size_t left)
{
    size_t need = s[0] >= 0xf0 && s[0] <= 0xf4 ? 4 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3 : 1, n = 1;
    if (need == 1 || left < 2)
        return 1;
    unsigned char low = s[0] == 0xe0 ? 0xa0 : s[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char high = s[0] == 0xed ? 0x9f : s[0] == 0xf4 ? 0x8f : 0xbf;
    if (s[1] < low || s[1] > high)
        return 1;
    for (n = 2; n < need && n < left && (s[n] & 0xc0) == 0x80; n++)
        ;
    return n;
}

/* U+FFFD for what is broken, spaces for "</w>". */
static void append_decoded(SlBytes *out, const SlBytes *bytes)
{
    for (size_t i = 0, n; i < bytes->length; i += n) {
        const char *s = bytes->text + i;
        size_t left = bytes->length - i;
        n = sl_utf8_char(s, left);
        if (n == 0) {
            n = broken_char((const unsigned char *)s, left);
            sl_bytes_add(out, "\xef\xbf\xbd", 3);
        } else if (left >= 4 && !memcmp(s, "</w>", 4)) {
            n = 4;
            sl_bytes_add(out, " ", 1);
        } else {
            sl_bytes_add(out, s, n);
        }
    }
}

/* str.strip(): where the text without white space round it begins, and its length. */
static const char *strip(const char *text, size_t *length)
{
    const uint8_t *s = (const uint8_t *)text, *end = s + *length, *p;
    ucs4_t c;
    for (; s < end && sl_text_is_space((u8_mbtouc(&c, s, (size_t)(end - s)), c));)
        s += u8_mbtouc(&c, s, (size_t)(end - s));
    while (end > s && (p = u8_prev(&c, end, s)) && sl_text_is_space(c))
        end = p;
    *length = (size_t)(end - s);
    return (const char *)s;
}

/* ---- the whole ---- */

typedef struct Decoder {
    SlBytes out, stretch;
    int parts;
} Decoder;

static void append_part(Decoder *d, const char *text, size_t length)
{
    if (d->parts++)
        sl_bytes_add(&d->out, " ", 1);
    sl_bytes_add(&d->out, text, length);
}

/* Ends a stretch of pieces; before an added token an empty one leaves nothing. */
static void end_stretch(Decoder *d, bool last)
{
    SlBytes decoded = {0};
    if (d->stretch.length == 0)
        return;
    append_decoded(&decoded, &d->stretch);
    size_t length = decoded.length;
    const char *text = decoded.text ? strip(decoded.text, &length) : "";
    if (length > 0 || last)
        append_part(d, text, length);
    d->out.failed = d->out.failed || decoded.failed;
    d->stretch.length = 0;
    free(decoded.text);
}

static void append_id(Decoder *d, const SlTokenizer *t, int id)
{
    for (int i = 0; i < t->added_count; i++) {
        const SlAddedToken *added = &t->added[i];
        if (added->id != id)
            continue;
        if (!added->special) {
            end_stretch(d, false);
            append_part(d, added->text, added->length);
        }
        return;
    }
    const char *piece = sl_tokenizer_piece(t, id);
    if (piece)
        append_piece(&d->stretch, piece);
}

static void replace_all(SlBytes *b, const char *from, const char *to)
{
    size_t from_length = strlen(from), to_length = strlen(to), used = 0;
    for (size_t i = 0; i < b->length;) { /* never longer than before */
        bool found = !strncmp(b->text + i, from, from_length);
        if (found)
            memcpy(b->text + used, to, to_length);
        else
            b->text[used] = b->text[i];
        used += found ? to_length : 1;
        i += found ? from_length : 1;
    }
    b->length = used;
    b->text[used] = 0;
}

/* clean_up_tokenization, which some models' settings ask for; transformers 5 does not listen. */
static void clean_up(SlBytes *b)
{
    static const char *const pairs[][2] = {
        {" .", "."},     {" ?", "?"},   {" !", "!"},   {" ,", ","},     {" ' ", "'"},
        {" n't", "n't"}, {" 'm", "'m"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        replace_all(b, pairs[i][0], pairs[i][1]);
}

char *sl_detokenize(const SlTokenizer *t, const int *ids, int count)
{
    Decoder d = {0};
    sl_bytes_add(&d.out, "", 0);
    for (int i = 0; i < count; i++)
        append_id(&d, t, ids[i]);
    end_stretch(&d, true);
    bool failed = d.out.failed || d.stretch.failed;
    free(d.stretch.text);
    if (failed) {
        free(d.out.text);
        return NULL;
    }
    if (t->clean_up_spaces && t->rules != SL_TOKENS_TRANSFORMERS_5)
        clean_up(&d.out);
    return d.out.text;
}
