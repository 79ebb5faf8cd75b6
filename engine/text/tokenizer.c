/* tokenizer.c - see tokenizer.h: cutting a text at its special tokens, splitting the rest into
 * words, and padding.
 *
 * Mirrors CLIPTokenizer and PreTrainedTokenizer.tokenize of transformers. Easy to get
 * wrong: special tokens are looked for in the text as it was typed, before it is lower-cased, and
 * the pattern knows the start and end words once more afterwards, in any case; with SD 2.x's "!"
 * as padding every "!" of a prompt is cut out as id 0.
 */
#include "engine/text/tokenizer_reader.h"

#include "engine/files/files.h"

#include <stdlib.h>
#include <string.h>

#define MAX_TEXT ((size_t)16 << 20)

/* CLIP's pattern. U+0345, a combining mark whose capital is the letter iota, is in none of its
 * classes for Python's regex when case is ignored, so that it disappears; PCRE2 must be told. */
static const char pattern[] = "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|"
                              "[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}\\x{345}]+";

static bool compile(SlTokenizer *t, SlError *err)
{
    int code;
    size_t at;
    unsigned char message[200] = "";
    t->pattern = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                               PCRE2_UTF | PCRE2_UCP | PCRE2_CASELESS, &code, &at, NULL);
    if (!t->pattern) {
        pcre2_get_error_message(code, message, sizeof message);
        return sl_fail(err, SL_UNSUPPORTED, "The PCRE2 library cannot split words: %s",
                       (const char *)message);
    }
    /* Where code cannot be generated, matching is interpreted: slower, the same words. */
    pcre2_jit_compile(t->pattern, PCRE2_JIT_COMPLETE);
    return true;
}

/* Fills everything but the pattern from the files of a folder. */
static bool read_folder(SlTokenizer *t, const char *folder, SlError *err)
{
    SlError own = {0};
    SlTokenizerReader r = {.t = t, .folder = folder, .err = &own};
    if (strlen(folder) > SL_TOKENIZER_MAX_PATH)
        return sl_fail(err, SL_IO, "%s: the path is too long", sl_show_path(folder).text);
    bool ok = sl_reader_vocab(&r) && sl_reader_merges(&r) && sl_reader_settings(&r);
    sl_name_table_free(r.ids);
    return ok || sl_fail(err, own.code, "%s", own.message);
}

SlTokenizer *sl_tokenizer_open(const char *folder, SlError *err)
{
    SlTokenizer *t = calloc(1, sizeof *t);
    if (!t) {
        sl_fail(err, SL_MEMORY, "%s: out of memory", sl_show_path(folder).text);
        return NULL;
    }
    if (read_folder(t, folder, err) && compile(t, err))
        return t;
    sl_tokenizer_close(t);
    return NULL;
}

void sl_tokenizer_close(SlTokenizer *t)
{
    if (!t)
        return;
    for (int i = 0; i < t->added_count; i++)
        free(t->added[i].text);
    free(t->added);
    free(t->vocab_text);
    free(t->piece);
    free(t->merges);
    pcre2_code_free(t->pattern);
    free(t);
}

int sl_tokenizer_max_length(const SlTokenizer *t)
{
    return t->max_length;
}

int sl_tokenizer_vocab_size(const SlTokenizer *t)
{
    return t->size;
}

int sl_tokenizer_end_id(const SlTokenizer *t)
{
    return t->special[SL_EOS];
}

/* ---- text to ids ---- */

/* The longest added token that the text begins with, NULL when there is none. */
static const SlAddedToken *added_at(const SlTokenizer *t, const char *text, size_t length)
{
    const SlAddedToken *best = NULL;
    if (!t->added_starts[(unsigned char)*text])
        return NULL;
    for (int i = 0; i < t->added_count; i++) {
        const SlAddedToken *a = &t->added[i];
        if (a->length <= length && !memcmp(a->text, text, a->length) &&
            (!best || a->length > best->length))
            best = a;
    }
    return best;
}

/* A word of the pattern; the start and end words are symbols of their own. */
static bool add_word(const SlTokenizer *t, const char *word, size_t length, SlIds *out)
{
    if (length == 15 && !memcmp(word, "<|startoftext|>", 15))
        sl_ids_add(out, t->literal[0]);
    else if (length == 13 && !memcmp(word, "<|endoftext|>", 13))
        sl_ids_add(out, t->literal[1]);
    else
        return sl_bpe_word(t, (const unsigned char *)word, length, out);
    return !out->failed;
}

/* Text without added tokens. */
static bool add_plain(const SlTokenizer *t, const char *text, size_t bytes, SlIds *out)
{
    size_t length;
    char *normal = sl_text_normalize(text, bytes, &length);
    pcre2_match_data *match = pcre2_match_data_create(1, NULL);
    bool ok = normal && match;
    for (size_t at = 0; ok && at < length;) {
        int found = pcre2_match(t->pattern, (PCRE2_SPTR)normal, length, at, PCRE2_NO_UTF_CHECK,
                                match, NULL);
        if (found == PCRE2_ERROR_NOMATCH) /* white space to the end */
            break;
        const size_t *range = pcre2_get_ovector_pointer(match);
        ok = found >= 0 && add_word(t, normal + range[0], range[1] - range[0], out);
        at = range[1];
    }
    pcre2_match_data_free(match);
    free(normal);
    return ok;
}

bool sl_tokenize(const SlTokenizer *t, const char *text, int **ids, int *count, SlError *err)
{
    size_t length = strlen(text), plain = 0;
    SlIds out = {0};
    *ids = NULL;
    *count = 0;
    if (length > MAX_TEXT)
        return sl_fail(err, SL_FORMAT, "The text has %zu bytes; at most 16 MiB are read", length);
    for (size_t i = 0, n; i < length; i += n)
        if (!(n = sl_utf8_char(text + i, length - i)))
            return sl_fail(err, SL_FORMAT,
                           "The text is not valid UTF-8: byte %zu is 0x%02X, which begins or "
                           "continues no character",
                           i + 1, (unsigned char)text[i]);
    bool ok = true;
    for (size_t i = 0; ok && i < length;) {
        const SlAddedToken *added = added_at(t, text + i, length - i);
        if (!added) {
            i++;
            continue;
        }
        ok = add_plain(t, text + plain, i - plain, &out);
        sl_ids_add(&out, added->id);
        i += added->length;
        plain = i;
    }
    ok = ok && add_plain(t, text + plain, length - plain, &out) && !out.failed;
    if (!ok) {
        free(out.ids);
        return sl_fail(err, SL_MEMORY, "Out of memory while the text was split into tokens");
    }
    *ids = out.ids;
    *count = (int)out.count;
    return true;
}

bool sl_tokenize_padded(const SlTokenizer *t, const char *text, int *out, char **unused,
                        int *unused_count, SlError *err)
{
    int *ids, count, room = t->max_length - 2;
    if (unused)
        *unused = NULL;
    if (unused_count)
        *unused_count = 0;
    if (!sl_tokenize(t, text, &ids, &count, err))
        return false;
    int kept = count < room ? count : room, n = 0;
    out[n++] = t->special[SL_BOS];
    for (int i = 0; i < kept; i++)
        out[n++] = ids[i];
    out[n++] = t->special[SL_EOS];
    while (n < t->max_length)
        out[n++] = t->special[SL_PAD];
    bool ok = true;
    if (unused && count > kept) {
        *unused = sl_detokenize(t, ids + kept, count - kept);
        ok = *unused || sl_fail(err, SL_MEMORY, "Out of memory");
    }
    if (unused_count)
        *unused_count = count - kept;
    free(ids);
    return ok;
}
