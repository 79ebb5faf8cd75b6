/* tokenizer.c - see tokenizer.h: cutting a text at its special tokens, splitting the rest into
 * words, and padding.
 *
 * Mirrors CLIPTokenizer and PreTrainedTokenizer.tokenize of transformers 4, and CLIPTokenizer over
 * the tokenizers library of transformers 5. Easy to get
 * wrong: special tokens are looked for in the text as it was typed, before it is lower-cased, and
 * the pattern knows the start and end words once more afterwards, in any case; with SD 2.x's "!"
 * as padding every "!" of a prompt is cut out as id 0. The tokenizers library looks for tokens that
 * are "normalized" only after lower-casing, by their own lower case, and for the others before.
 */
#include "engine/text/tokenizer_reader.h"

#include "engine/files/files.h"
#include "engine/text/bytes.h"

#include <stdlib.h>
#include <string.h>

/* White space as Unicode has it; PCRE2's \s knows one more, U+180E. */
#define SPACE                                                                                   \
    "\\x{9}-\\x{d}\\x{20}\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}" \
    "\\x{205f}\\x{3000}"
#define WORDS "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|"

/* CLIP's pattern. U+0345, a combining mark whose capital is the letter iota, is in none of its
 * classes for Python's regex when case is ignored, so that it disappears; PCRE2 must be told. */
static const char pattern[] = WORDS "[^" SPACE "\\p{L}\\p{N}\\x{345}]+";
/* The same in the tokenizers library, where case is not ignored. */
static const char pattern_5[] = WORDS "[^" SPACE "\\p{L}\\p{N}]+";

static pcre2_code *compile_one(const char *text, uint32_t options, SlError *err)
{
    int number;
    size_t at;
    unsigned char message[200] = "";
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
                                     PCRE2_UTF | PCRE2_UCP | options, &number, &at, NULL);
    if (!code) {
        pcre2_get_error_message(number, message, sizeof message);
        sl_fail(err, SL_UNSUPPORTED, "The PCRE2 library cannot split words: %s",
                (const char *)message);
        return NULL;
    }
    /* Where code cannot be generated, matching is interpreted: slower, the same words. */
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    return code;
}

static bool compile(SlTokenizer *t, SlError *err)
{
    t->pattern = compile_one(pattern, PCRE2_CASELESS, err);
    t->pattern_5 = t->pattern ? compile_one(pattern_5, 0, err) : NULL;
    return t->pattern_5 != NULL;
}

/* tokenizer.json is what transformers 5 reads. Older folders may have it as well, for fast
 * tokenizers, which the pipelines of transformers 4 do not load. */
static bool saved_by_5(const SlTokenizerReader *r)
{
    SlError ignored = {0};
    const char *backend = r->config ? sl_json_string(r->config, "backend", "", &ignored) : "";
    return sl_reader_has(r, "tokenizer.json") &&
           (!sl_reader_has(r, "vocab.json") || (backend && !strcmp(backend, "tokenizers")));
}

static bool read_files(SlTokenizerReader *r)
{
    if (!sl_reader_open(r, "tokenizer_config.json", &r->config))
        return false;
    if (!sl_reader_has(r, "vocab.json") && !sl_reader_has(r, "tokenizer.json"))
        return sl_fail(r->err, SL_IO,
                       "%s: there is no vocabulary: neither vocab.json (with merges.txt) nor "
                       "tokenizer.json",
                       sl_show_path(r->folder).text);
    r->t->rules = saved_by_5(r) ? SL_TOKENS_TRANSFORMERS_5 : SL_TOKENS_TRANSFORMERS_4;
    bool ok = saved_by_5(r) ? sl_reader_json(r) : sl_reader_vocab(r) && sl_reader_merges(r);
    return ok && sl_reader_settings(r) && sl_tokenizer_normalize_added(r->t, r->err);
}

/* Fills everything but the patterns from the files of a folder. */
static bool read_folder(SlTokenizer *t, const char *folder, SlError *err)
{
    SlError own = {0};
    SlTokenizerReader r = {.t = t, .folder = folder, .err = &own};
    if (strlen(folder) > SL_TOKENIZER_MAX_PATH)
        return sl_fail(err, SL_IO, "%s: the path is too long", sl_show_path(folder).text);
    bool ok = read_files(&r);
    sl_json_close(r.config);
    sl_json_close(r.whole);
    sl_name_table_free(r.ids);
    return ok || sl_fail(err, own.code, "%s", own.message);
}

/* The same tokenizer with the other rules: copies of the struct, which own nothing. */
static bool make_views(SlTokenizer *t, SlError *err)
{
    for (int i = 0; i < SL_TOKEN_RULES; i++) {
        t->as[i] = malloc(sizeof *t);
        if (!t->as[i])
            return sl_fail(err, SL_MEMORY, "out of memory");
        memcpy(t->as[i], t, sizeof *t);
        if (i != SL_TOKENS_AS_SAVED)
            t->as[i]->rules = (SlTokenRules)i;
    }
    return true;
}

SlTokenizer *sl_tokenizer_open(const char *folder, SlError *err)
{
    SlTokenizer *t = calloc(1, sizeof *t);
    if (!t) {
        sl_fail(err, SL_MEMORY, "%s: out of memory", sl_show_path(folder).text);
        return NULL;
    }
    if (read_folder(t, folder, err) && compile(t, err) && make_views(t, err))
        return t;
    sl_tokenizer_close(t);
    return NULL;
}

SlTokenizer *sl_tokenizer_open_clip(SlClipPad pad, SlError *err)
{
    SlTokenizer *t = calloc(1, sizeof *t);
    if (t && sl_clip_vocabulary(t, pad)) {
        if (sl_tokenizer_normalize_added(t, err) && compile(t, err) && make_views(t, err))
            return t;
    } else {
        sl_fail(err, SL_MEMORY, "Out of memory for CLIP's vocabulary");
    }
    sl_tokenizer_close(t);
    return NULL;
}

const SlTokenizer *sl_tokenizer_as(const SlTokenizer *t, SlTokenRules rules)
{
    return t->as[rules];
}

SlTokenRules sl_tokenizer_rules(const SlTokenizer *t)
{
    return t->rules;
}

void sl_tokenizer_close(SlTokenizer *t)
{
    if (!t)
        return;
    for (int i = 0; i < t->added_count; i++) {
        free(t->added[i].text);
        free(t->added[i].normal);
    }
    for (int i = 0; i < SL_TOKEN_RULES; i++)
        free(t->as[i]);
    free(t->added);
    free(t->vocab_text);
    free(t->piece);
    free(t->merges);
    pcre2_code_free(t->pattern);
    pcre2_code_free(t->pattern_5);
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

/* Which added tokens are looked for, in which of their forms. */
typedef struct Search {
    bool normal; /* in normalized text, by their normalized form */
    bool all;    /* those that are looked for in normalized text, too */
} Search;

/* The longest added token that the text begins with, NULL when there is none; *length of it. */
static const SlAddedToken *added_at(const SlTokenizer *t, Search search, SlStretch text,
                                    size_t *length)
{
    const SlAddedToken *best = NULL;
    if (!search.normal && !t->added_starts[(unsigned char)*text.text])
        return NULL;
    *length = 0;
    for (int i = 0; i < t->added_count; i++) {
        const SlAddedToken *a = &t->added[i];
        const char *form = search.normal ? a->normal : a->text;
        size_t bytes = search.normal ? a->normal_length : a->length;
        if (form && (search.all || search.normal == a->normalized) && bytes > *length &&
            bytes <= text.length && !memcmp(form, text.text, bytes)) {
            best = a;
            *length = bytes;
        }
    }
    return best;
}

typedef bool (*Between)(const SlTokenizer *t, SlStretch text, SlIds *out);

/* Cuts a text at the added tokens; what lies between them goes to `between`. */
static bool cut_added(const SlTokenizer *t, Search search, SlStretch text, Between between,
                      SlIds *out)
{
    size_t plain = 0, i = 0, length;
    while (i < text.length) {
        const SlAddedToken *added =
            added_at(t, search, (SlStretch){text.text + i, text.length - i}, &length);
        if (!added) {
            i++;
            continue;
        }
        if (!between(t, (SlStretch){text.text + plain, i - plain}, out))
            return false;
        sl_ids_add(out, added->id);
        i += length;
        plain = i;
    }
    return between(t, (SlStretch){text.text + plain, text.length - plain}, out) && !out->failed;
}

/* A word of the pattern. For transformers 4 the start and end words are symbols of their own; the
 * tokenizers library takes them apart with its second pattern. */
static bool add_word(const SlTokenizer *t, const char *word, size_t length, SlIds *out)
{
    bool start = length == 15 && !memcmp(word, "<|startoftext|>", 15);
    bool end = length == 13 && !memcmp(word, "<|endoftext|>", 13);
    if (!start && !end)
        return sl_bpe_word(t, (const unsigned char *)word, length, out);
    if (t->rules == SL_TOKENS_TRANSFORMERS_5)
        return add_word(t, word, 2, out) && add_word(t, word + 2, length - 4, out) &&
               add_word(t, word + length - 2, 2, out);
    sl_ids_add(out, t->literal[end]);
    return !out->failed;
}

/* Normalized text without added tokens. */
static bool add_words(const SlTokenizer *t, SlStretch text, SlIds *out)
{
    const pcre2_code *code = t->rules == SL_TOKENS_TRANSFORMERS_5 ? t->pattern_5 : t->pattern;
    pcre2_match_data *match = pcre2_match_data_create(1, NULL);
    bool ok = match != NULL;
    for (size_t at = 0; ok && at < text.length;) {
        int found = pcre2_match(code, (PCRE2_SPTR)text.text, text.length, at, PCRE2_NO_UTF_CHECK,
                                match, NULL);
        if (found == PCRE2_ERROR_NOMATCH) /* white space to the end */
            break;
        const size_t *range = pcre2_get_ovector_pointer(match);
        ok = found >= 0 && add_word(t, text.text + range[0], range[1] - range[0], out);
        at = range[1];
    }
    pcre2_match_data_free(match);
    return ok;
}

/* Text without the added tokens that are looked for in text as it was typed. */
static bool add_plain(const SlTokenizer *t, SlStretch text, SlIds *out)
{
    size_t length;
    if (text.length == 0)
        return true;
    char *normal = sl_text_normalize(t->rules, text.text, text.length, &length);
    bool ok = normal && (t->rules == SL_TOKENS_TRANSFORMERS_5
                             ? cut_added(t, (Search){.normal = true}, (SlStretch){normal, length},
                                         add_words, out)
                             : add_words(t, (SlStretch){normal, length}, out));
    free(normal);
    return ok;
}

bool sl_tokenizer_normalize_added(SlTokenizer *t, SlError *err)
{
    for (int i = 0; i < t->added_count; i++) {
        SlAddedToken *a = &t->added[i];
        if (!a->normalized)
            continue;
        a->normal =
            sl_text_normalize(SL_TOKENS_TRANSFORMERS_5, a->text, a->length, &a->normal_length);
        if (!a->normal)
            return sl_fail(err, SL_MEMORY, "out of memory");
    }
    return true;
}

static bool check_text(const char *text, size_t length, SlError *err)
{
    if (length > SL_TEXT_MAX_BYTES)
        return sl_fail(err, SL_FORMAT, "The text has %zu bytes; at most 16 MiB are read", length);
    for (size_t i = 0, n; i < length; i += n)
        if (!(n = sl_utf8_char(text + i, length - i)))
            return sl_fail(err, SL_FORMAT,
                           "The text is not valid UTF-8: byte %zu is 0x%02X, which begins or "
                           "continues no character",
                           i + 1, (unsigned char)text[i]);
    return true;
}

bool sl_tokenize(const SlTokenizer *t, const char *text, int **ids, int *count, SlError *err)
{
    size_t length = strlen(text);
    SlIds out = {0};
    *ids = NULL;
    *count = 0;
    if (!check_text(text, length, err))
        return false;
    Search typed = {.all = t->rules != SL_TOKENS_TRANSFORMERS_5};
    if (!cut_added(t, typed, (SlStretch){text, length}, add_plain, &out)) {
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
