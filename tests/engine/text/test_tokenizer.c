/* test_tokenizer.c - ids, padding, truncation and decoding against transformers
 * (goldens/text/make.py says what the files hold), and what no text may do to the tokenizer. */
#include "engine/text/tokenizer.h"
#include "folder.h"
#include "tests/test.h"

#include <stdint.h>
#include <string.h>

typedef struct Record {
    char *text; /* malloc'ed, with a 0 */
    int *ids;   /* malloc'ed */
    int count;
} Record;

/* ---- golden files ---- */

/* Moves *at past the next record; false at the end of the file. */
static bool next_record(const char **at, const char *end, Record *r)
{
    uint32_t sizes[2];
    if (*at == end)
        return false;
    memcpy(sizes, *at, sizeof sizes); /* little-endian, as all machines this builds for */
    *at += sizeof sizes;
    r->text = strndup(*at, sizes[0]);
    *at += sizes[0];
    r->count = (int)sizes[1];
    r->ids = malloc((sizes[1] + 1) * sizeof *r->ids);
    if (!r->text || !r->ids || *at + 2 * (size_t)sizes[1] > end)
        abort();
    for (int i = 0; i < r->count; i++, *at += 2)
        r->ids[i] = (unsigned char)(*at)[0] | (unsigned char)(*at)[1] << 8;
    return true;
}

static void free_record(Record *r)
{
    free(r->text);
    free(r->ids);
}

static void show(const char *text)
{
    char hex[3 * 60 + 1] = "";
    for (int i = 0; i < 60 && text[i]; i++)
        snprintf(hex + 3 * i, 4, "%02x ", (unsigned char)text[i]);
    sl_test_note("differs: %s", hex);
}

/* What a kind of golden file checks about one record; the padded ones take two. */
typedef bool (*Check)(const SlTokenizer *t, const char **at, const char *end, const Record *r);

static bool check_tokens(const SlTokenizer *t, const char **at, const char *end, const Record *r)
{
    int *ids, count;
    (void)at;
    (void)end;
    bool ok = sl_tokenize(t, r->text, &ids, &count, NULL) && count == r->count &&
              (count == 0 || !memcmp(ids, r->ids, (size_t)count * sizeof *ids));
    free(ids);
    return ok;
}

static bool check_padded(const SlTokenizer *t, const char **at, const char *end, const Record *r)
{
    int ids[4096], unused_count;
    char *unused;
    Record rest;
    if (!next_record(at, end, &rest))
        return false;
    bool ok = sl_tokenize_padded(t, r->text, ids, &unused, &unused_count, NULL) &&
              sl_tokenizer_max_length(t) == r->count &&
              !memcmp(ids, r->ids, (size_t)r->count * sizeof *ids) && unused_count == rest.count &&
              (rest.count ? unused && !strcmp(unused, rest.text) : !unused);
    free(unused);
    free_record(&rest);
    return ok;
}

static bool check_decode(const SlTokenizer *t, const char **at, const char *end, const Record *r)
{
    (void)at;
    (void)end;
    char *text = sl_detokenize(t, r->ids, r->count);
    bool ok = text && !strcmp(text, r->text);
    free(text);
    return ok;
}

static void test_golden(const SlTokenizer *t, const char *kind, const char *what, Check check,
                        int at_least)
{
    char name[100];
    size_t length;
    int count = 0, wrong = 0;
    snprintf(name, sizeof name, "goldens/text/%s-%s.bin", kind, what);
    char *path = sl_test_path(name), *file = read_file(path, &length);
    const char *at = file, *end = file + length;
    for (Record r; next_record(&at, end, &r); count++) {
        if (!check(t, &at, end, &r) && wrong++ < 5)
            show(r.text);
        free_record(&r);
    }
    sl_test(wrong == 0 && count >= at_least, "%s: %d records as in transformers", name, count);
    free(file);
    free(path);
}

static void test_kind(const char *kind, int texts, int max_length, int size)
{
    SlError err = {0};
    char *folder = new_folder();
    copy_settings(folder, kind);
    SlTokenizer *t = sl_tokenizer_open(folder, &err);
    if (sl_test(t != NULL, "%s opens: %s", kind, err.message)) {
        sl_test(sl_tokenizer_max_length(t) == max_length, "%s: length %d", kind, max_length);
        sl_test(sl_tokenizer_vocab_size(t) == size, "%s: %d tokens", kind, size);
        sl_test(!strcmp(sl_tokenizer_piece(t, sl_tokenizer_end_id(t)), "<|endoftext|>") &&
                    !sl_tokenizer_piece(t, size) && !sl_tokenizer_piece(t, -1),
                "%s: pieces of ids inside and outside", kind);
        test_golden(t, kind, "tokens", check_tokens, texts);
        test_golden(t, kind, "padded", check_padded, 60);
        test_golden(t, kind, "decode", check_decode, 500);
    }
    sl_tokenizer_close(t);
    remove_folder(folder);
}

/* ---- transformers 5 ---- */

/* The folder as transformers 5 saves it, and the older one by its rules. */
static void test_kind_5(const char *kind, int texts, bool pairs)
{
    SlError err = {0};
    char *folder = new_folder(), golden[20];
    snprintf(golden, sizeof golden, "5-%s", kind);
    copy_settings(folder, kind);
    SlTokenizer *older = sl_tokenizer_open(folder, &err);
    if (sl_test(older != NULL, "%s opens: %s", kind, err.message)) {
        const SlTokenizer *t = sl_tokenizer_as(older, SL_TOKENS_TRANSFORMERS_5);
        sl_test(sl_tokenizer_rules(older) == SL_TOKENS_TRANSFORMERS_4 &&
                    sl_tokenizer_rules(t) == SL_TOKENS_TRANSFORMERS_5,
                "%s: vocab.json means transformers 4", kind);
        test_golden(t, golden, "tokens", check_tokens, texts);
        test_golden(t, golden, "padded", check_padded, 40);
    }
    sl_tokenizer_close(older);
    make_whole(folder, kind, pairs);
    SlTokenizer *t = sl_tokenizer_open(folder, &err);
    if (sl_test(t != NULL, "%s as transformers 5 saves it opens: %s", kind, err.message)) {
        sl_test(sl_tokenizer_rules(t) == SL_TOKENS_TRANSFORMERS_5,
                "%s: tokenizer.json means transformers 5", kind);
        test_golden(t, golden, "tokens", check_tokens, texts);
        test_golden(t, golden, "padded", check_padded, 40);
        if (!strcmp(kind, "sd1"))
            test_golden(sl_tokenizer_as(t, SL_TOKENS_TRANSFORMERS_4), kind, "tokens", check_tokens,
                        20000);
    }
    sl_tokenizer_close(t);
    remove_folder(folder);
}

/* ---- the vocabulary that comes with the program ---- */

static void test_clip(SlClipPad pad, const char *kind)
{
    SlError err = {0};
    char golden[20];
    SlTokenizer *t = sl_tokenizer_open_clip(pad, &err);
    if (sl_test(t != NULL, "CLIP's vocabulary: %s", err.message)) {
        sl_test(sl_tokenizer_vocab_size(t) == 49408 && sl_tokenizer_max_length(t) == 77 &&
                    !strcmp(sl_tokenizer_piece(t, 320), "a</w>") &&
                    !strcmp(sl_tokenizer_piece(t, 49407), "<|endoftext|>"),
                "%s: CLIP's 49408 tokens", kind);
        test_golden(t, kind, "tokens", check_tokens, 100);
        test_golden(t, kind, "padded", check_padded, 30);
        snprintf(golden, sizeof golden, "5-%s", kind);
        const SlTokenizer *newer = sl_tokenizer_as(t, SL_TOKENS_TRANSFORMERS_5);
        test_golden(newer, golden, "tokens", check_tokens, 100);
        test_golden(newer, golden, "padded", check_padded, 30);
    }
    sl_tokenizer_close(t);
}

/* ---- texts that are none, and long ones ---- */

static void test_invalid(const SlTokenizer *t)
{
    static const char *const texts[] = {"\x80",
                                        "a\xff",
                                        "\xc0\xaf",
                                        "\xed\xa0\x80",
                                        "\xf4\x90\x80\x80",
                                        "ab\xe4\xb8",
                                        "\xf8\x88\x80\x80\x80"};
    bool ok = true;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        SlError err = {0};
        int *ids, count, padded[77];
        ok = ok && !sl_tokenize(t, texts[i], &ids, &count, &err) && !ids && err.code == SL_FORMAT &&
             strstr(err.message, "not valid UTF-8") &&
             !sl_tokenize_padded(t, texts[i], padded, NULL, NULL, NULL);
    }
    sl_test(ok, "text that is not UTF-8 is refused");
}

static bool ids_inside(const SlTokenizer *t, const int *ids, int count)
{
    for (int i = 0; i < count; i++)
        if (!sl_tokenizer_piece(t, ids[i]))
            return false;
    return true;
}

/* Random bytes, most of them from a set in which valid text comes up often. */
static void test_random(const SlTokenizer *t)
{
    static const char set[] = " !'<|>abEsT\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80\xcd\x85\xce\xa3";
    uint32_t state = 1;
    int valid = 0;
    bool ok = true;
    for (int round = 0; round < 100000; round++) {
        char text[32];
        int length = 0, *ids, count;
        do {
            state = state * 1664525u + 1013904223u;
            unsigned pick = state >> 16;
            text[length++] = pick & 0x700 ? set[pick % (sizeof set - 1)] : (char)(pick % 255 + 1);
        } while (length < 31 && state >> 28);
        text[length] = 0;
        if (sl_tokenize(t, text, &ids, &count, NULL)) {
            valid++;
            char *back = sl_detokenize(t, ids, count);
            ok = ok && back && ids_inside(t, ids, count);
            free(back);
        }
        free(ids);
    }
    sl_test(ok && valid > 1000 && valid < 99000, "100000 random texts, %d of them valid", valid);
}

static void test_long(const SlTokenizer *t)
{
    static const char *const units[] = {
        "a",         "photograph",    "a ", "!", "\xe4\xb8\xad", "\xcc\x81", "\xce\xa3",
        "\xce\xa3'", "<|endoftext|>", "<|", "\n"};
    const size_t bytes = 1 << 20;
    char *text = malloc(bytes + 1);
    if (!text)
        abort();
    for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
        size_t unit = strlen(units[u]), length = bytes / unit * unit;
        int *ids = NULL, count;
        for (size_t i = 0; i < length; i += unit)
            memcpy(text + i, units[u], unit);
        text[length] = 0;
        bool ok = sl_tokenize(t, text, &ids, &count, NULL) && ids_inside(t, ids, count);
        sl_test(ok && count >= (units[u][0] == '\n' ? 0 : 1000), "a megabyte of %s: %d tokens",
                units[u][0] == '\n' ? "line ends" : units[u], count);
        free(ids);
    }
    free(text);
    text = malloc(((size_t)16 << 20) + 2);
    if (!text)
        abort();
    memset(text, ' ', ((size_t)16 << 20) + 1);
    text[((size_t)16 << 20) + 1] = 0;
    SlError err = {0};
    int *ids, count;
    sl_test(!sl_tokenize(t, text, &ids, &count, &err) && strstr(err.message, "16 MiB"),
            "more than 16 MiB is refused");
    free(text);
}

int main(void)
{
    SlError err = {0};
    test_kind("sd1", 20000, 77, 2514);
    test_kind("sd2", 800, 77, 2514);
    test_kind("saved", 800, 20, 2514);
    test_kind("added", 800, 77, 2517);
    test_kind_5("sd1", 2500, true);
    test_kind_5("sd2", 250, false);
    test_kind_5("saved", 250, true);
    test_kind_5("added", 250, true);
    test_clip(SL_CLIP_PAD_END, "clip-sd1");
    test_clip(SL_CLIP_PAD_BANG, "clip-sd2");
    char *folder = sl_test_path("goldens/text/tokenizer");
    SlTokenizer *t = sl_tokenizer_open(folder, &err);
    if (sl_test(t != NULL, "the fixture opens: %s", err.message)) {
        test_golden(sl_tokenizer_as(t, SL_TOKENS_FTFY), "ftfy", "tokens", check_tokens, 400);
        test_invalid(t);
        test_random(t);
        test_long(t);
    }
    sl_tokenizer_close(t);
    free(folder);
    return sl_test_done();
}
