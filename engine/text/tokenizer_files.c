/* tokenizer_files.c - vocab.json and merges.txt of a tokenizer folder, read strictly; and what they
 * have in common with tokenizer.json (tokenizer_json.c).
 *
 * Mirrors CLIPTokenizer.__init__ of transformers. Easy to get wrong: the first line of merges.txt
 * is a header and never a merge; only 48,894 merges are used. Stricter than transformers, which
 * would go on with wrong tokens: a file that is not whole or belongs to another model is refused.
 */
#include "engine/text/tokenizer_reader.h"

#include "engine/files/files.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_MERGES       48894
#define MAX_MERGES_BYTES ((uint64_t)16 << 20)

bool sl_reader_no_memory(const SlTokenizerReader *r)
{
    return sl_fail(r->err, SL_MEMORY, "%s: out of memory", sl_show_path(r->folder).text);
}

bool sl_reader_has(const SlTokenizerReader *r, const char *name)
{
    char path[SL_TOKENIZER_MAX_PATH + 32];
    snprintf(path, sizeof path, "%s/%s", r->folder, name);
    return access(path, F_OK) == 0 || errno != ENOENT; /* what else is wrong, opening it says */
}

bool sl_reader_open(const SlTokenizerReader *r, const char *name, SlJson **json)
{
    char path[SL_TOKENIZER_MAX_PATH + 32];
    if (!sl_reader_has(r, name))
        return true;
    snprintf(path, sizeof path, "%s/%s", r->folder, name);
    *json = sl_json_open(path, r->err);
    return *json != NULL;
}

int sl_reader_id(const SlTokenizerReader *r, const char *piece)
{
    size_t id;
    return sl_name_table_find(r->ids, piece, &id) ? (int)id : -1;
}

/* ---- vocab.json ---- */

static bool read_entry(const SlTokenizerReader *r, const char *name, const cJSON *entry,
                       char **text)
{
    SlTokenizer *t = r->t;
    size_t length = strlen(entry->string);
    if (length == 0 || length > SL_TOKEN_MAX_BYTES)
        return sl_fail(r->err, SL_FORMAT,
                       "%s: a token has %zu bytes (\"%.40s...\"); expected 1 to %d", name, length,
                       sl_show_name(entry->string).text, SL_TOKEN_MAX_BYTES);
    double id = cJSON_IsNumber(entry) ? entry->valuedouble : -1;
    if (!(id >= 0 && id < t->size && id == (int)id))
        return sl_fail(
            r->err, SL_FORMAT,
            "%s: the token \"%s\" has %s%.17g as its id; the %d tokens must have the ids "
            "0 to %d",
            name, sl_show_name(entry->string).text,
            cJSON_IsNumber(entry) ? "" : sl_words("no number: "), id, t->size, t->size - 1);
    if (t->piece[(int)id])
        return sl_fail(
            r->err, SL_FORMAT, "%s: the tokens \"%.100s\" and \"%.100s\" both have id %d", name,
            sl_show_name(t->piece[(int)id]).text, sl_show_name(entry->string).text, (int)id);
    memcpy(*text, entry->string, length + 1);
    t->piece[(int)id] = *text;
    *text += length + 1;
    /* sl_json_open has refused files in which a key stands twice. */
    return sl_name_table_add(r->ids, t->piece[(int)id], (size_t)id) || sl_reader_no_memory(r);
}

static bool read_entries(SlTokenizerReader *r, const char *name, const cJSON *entries)
{
    SlTokenizer *t = r->t;
    size_t bytes = 1, count = 0;
    for (const cJSON *c = entries->child; c; c = c->next, count++)
        bytes += strlen(c->string) + 1; /* the file has at most 16 MiB */
    t->size = (int)count;
    t->vocab_text = malloc(bytes);
    t->piece = calloc(count + 1, sizeof *t->piece);
    r->ids = sl_name_table_new(count + 1);
    if (!t->vocab_text || !t->piece || !r->ids)
        return sl_reader_no_memory(r);
    char *text = t->vocab_text;
    for (const cJSON *c = entries->child; c; c = c->next)
        if (!read_entry(r, name, c, &text))
            return false;
    return true;
}

unsigned sl_tokenizer_byte_char(unsigned char byte)
{
    unsigned skipped = 0;
    for (unsigned b = 0;; b++) {
        bool itself = (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
        if (b == byte)
            return itself ? b : 256 + skipped;
        skipped += !itself;
    }
}

void sl_tokenizer_byte_text(unsigned char byte, char utf8[3])
{
    unsigned c = sl_tokenizer_byte_char(byte);
    bool ascii = c < 0x80;
    utf8[0] = (char)(ascii ? c : 0xc0 | c >> 6);
    utf8[1] = (char)(ascii ? 0 : 0x80 | (c & 0x3f));
    utf8[2] = 0;
}

/* Every byte needs a symbol of its own inside and at the end of a word: then any text has ids. */
static bool find_byte_symbols(const SlTokenizerReader *r, const char *name)
{
    for (int b = 0; b < 256; b++) {
        char inside[3], end[8];
        sl_tokenizer_byte_text((unsigned char)b, inside);
        snprintf(end, sizeof end, "%s</w>", inside);
        r->t->byte_symbol[b] = sl_reader_id(r, inside);
        r->t->byte_symbol_w[b] = sl_reader_id(r, end);
        if (r->t->byte_symbol[b] < 0 || r->t->byte_symbol_w[b] < 0)
            return sl_fail(
                r->err, SL_FORMAT,
                "%s: the token \"%s\", which stands for byte 0x%02X, is missing: this is "
                "not the whole vocabulary of a CLIP tokenizer",
                name, r->t->byte_symbol[b] < 0 ? inside : end, (unsigned)b);
    }
    return true;
}

bool sl_reader_entries(SlTokenizerReader *r, const char *name, const cJSON *entries)
{
    return read_entries(r, name, entries) && find_byte_symbols(r, name);
}

bool sl_reader_vocab(SlTokenizerReader *r)
{
    r->vocab_name = "vocab.json";
    char path[SL_TOKENIZER_MAX_PATH + 32];
    snprintf(path, sizeof path, "%s/vocab.json", r->folder);
    SlJson *json = sl_json_open(path, r->err);
    bool ok = json && sl_reader_entries(r, sl_json_name(json), sl_json_root(json));
    sl_json_close(json);
    return ok;
}

/* ---- merges ---- */

bool sl_reader_merge(const SlTokenizerReader *r, const SlMergePlace *at, const char *left,
                     const char *right)
{
    char result[2 * SL_TOKEN_MAX_BYTES + 1];
    size_t length = strlen(left) + 1 + strlen(right); /* with the space between them */
    if (length > sizeof result)
        return sl_fail(r->err, SL_FORMAT, "%s: %s %d: %zu bytes; expected at most %zu", at->name,
                       at->unit, at->number, length, sizeof result);
    snprintf(result, sizeof result, "%s%s", left, right);
    SlMerge merge = {sl_reader_id(r, left), sl_reader_id(r, right), sl_reader_id(r, result),
                     at->rank};
    const char *missing = merge.left < 0     ? left
                          : merge.right < 0  ? right
                          : merge.result < 0 ? result
                                             : NULL;
    if (missing)
        return sl_fail(r->err, SL_FORMAT,
                       "%s: %s %d: the token \"%s\" is not in %s: the two belong to different "
                       "models",
                       at->name, at->unit, at->number, sl_show_name(missing).text, r->vocab_name);
    if (sl_bpe_find(r->t, merge.left, merge.right))
        return sl_fail(r->err, SL_FORMAT,
                       "%s: %s %d: the merge of \"%.100s\" and \"%.100s\" stands there twice",
                       at->name, at->unit, at->number, sl_show_name(left).text,
                       sl_show_name(right).text);
    sl_bpe_add(r->t, merge);
    return true;
}

/* ---- merges.txt ---- */

typedef struct MergesFile {
    char path[SL_TOKENIZER_MAX_PATH + 32];
    char *text; /* a 0 at its end */
    size_t length;
} MergesFile;

static bool load_merges(const SlTokenizerReader *r, MergesFile *file)
{
    uint64_t size;
    snprintf(file->path, sizeof file->path, "%s/merges.txt", r->folder);
    SlShown shown = sl_show_path(file->path);
    int fd = sl_file_open(file->path, &size, r->err);
    if (fd < 0)
        return false;
    bool ok = size <= MAX_MERGES_BYTES ||
              sl_fail(r->err, SL_FORMAT, "%s: the file has %llu bytes; at most 16 MiB are read",
                      shown.text, (unsigned long long)size);
    file->text = ok ? malloc((size_t)size + 1) : NULL;
    ok = ok && (file->text || sl_reader_no_memory(r)) &&
         sl_file_read(fd, file->path, file->text, size, 0, r->err);
    close(fd);
    if (!ok)
        return false;
    file->length = (size_t)size;
    while (file->length > 0 && strchr(" \t\r\n", file->text[file->length - 1]))
        file->length--;
    file->text[file->length] = 0;
    return file->length > 0 || sl_fail(r->err, SL_FORMAT, "%s: the file is empty", shown.text);
}

/* One line without its end, which has been made a 0. */
static bool read_merge(const SlTokenizerReader *r, const char *name, char *line, size_t length,
                       int number)
{
    if (strlen(line) != length || !sl_utf8_valid(line, length))
        return sl_fail(r->err, SL_FORMAT, "%s: line %d: not UTF-8 text", name, number);
    char *space = strchr(line, ' ');
    if (!space || space == line || !space[1] || strpbrk(space + 1, " \t") || strchr(line, '\t'))
        return sl_fail(r->err, SL_FORMAT,
                       "%s: line %d: expected two tokens with a space between them, found \"%s\"",
                       name, number, sl_show_name(line).text);
    *space = 0;
    return sl_reader_merge(r, &(SlMergePlace){name, "line", number, number - 2}, line, space + 1);
}

static bool read_merge_lines(const SlTokenizerReader *r, MergesFile *file)
{
    SlShown name = sl_show_path(file->path);
    char *end = file->text + file->length;
    if (strncmp(file->text, "#version", 8))
        return sl_fail(r->err, SL_FORMAT,
                       "%s: line 1: expected a header like \"#version: 0.2\", found \"%.60s\"",
                       name.text, sl_show_name(file->text).text);
    if (!sl_bpe_init(r->t, MAX_MERGES))
        return sl_reader_no_memory(r);
    char *line = file->text;
    for (int number = 1; line < end && number <= MAX_MERGES + 1; number++) {
        char *stop = memchr(line, '\n', (size_t)(end - line));
        char *next = stop ? stop + 1 : end;
        stop = stop ? stop : end;
        stop -= stop > line && stop[-1] == '\r';
        *stop = 0;
        if (number > 1 && !read_merge(r, name.text, line, (size_t)(stop - line), number))
            return false;
        line = next;
    }
    return true;
}

bool sl_reader_merges(const SlTokenizerReader *r)
{
    MergesFile file = {.text = NULL};
    bool ok = load_merges(r, &file) && read_merge_lines(r, &file);
    free(file.text);
    return ok;
}
