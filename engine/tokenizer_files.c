/* tokenizer_files.c - vocab.json, merges.txt and the settings of a tokenizer folder, read strictly.
 *
 * Mirrors CLIPTokenizer.__init__ and PreTrainedTokenizerBase._from_pretrained of transformers. Easy
 * to get wrong: the first line of merges.txt is a header and never a merge; only 48,894 merges are
 * used; special_tokens_map.json overrides tokenizer_config.json, but is not looked at when that has
 * "added_tokens_decoder"; every special token, SD 2.x's padding "!" too, is cut out of a text.
 * Stricter than transformers, which would go on with wrong tokens: a file that is not whole or
 * belongs to another model is refused.
 */
#include "engine/tokenizer_private.h"

#include "engine/file_kind.h"
#include "engine/json.h"
#include "engine/name_table.h"
#include "engine/utf8.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_PIECE        1000
#define MAX_MERGES       48894
#define MAX_MERGES_BYTES ((uint64_t)16 << 20)
#define MAX_ADDED        10000
#define DEFAULT_LENGTH   77
#define MAX_LENGTH       4096

/* What is needed while the files are read. */
typedef struct Reader {
    SlTokenizer *t;
    const char *folder;
    SlNameTable *ids;             /* of the pieces of vocab.json */
    SlJson *config, *map, *added; /* NULL where the file does not exist */
    SlError *err;
} Reader;

static bool no_memory(const Reader *r)
{
    return sl_fail(r->err, SL_MEMORY, "%s: out of memory", sl_show_path(r->folder).text);
}

static int find_id(const Reader *r, const char *piece)
{
    size_t id;
    return sl_name_table_find(r->ids, piece, &id) ? (int)id : -1;
}

/* ---- vocab.json ---- */

static bool read_entry(const Reader *r, const char *name, const cJSON *entry, char **text)
{
    SlTokenizer *t = r->t;
    size_t length = strlen(entry->string);
    SlShown shown = sl_show_name(entry->string);
    if (length == 0 || length > MAX_PIECE)
        return sl_fail(r->err, SL_FORMAT,
                       "%s: a token has %zu bytes (\"%.40s...\"); expected 1 to %d", name, length,
                       shown.text, MAX_PIECE);
    double id = cJSON_IsNumber(entry) ? entry->valuedouble : -1;
    if (!(id >= 0 && id < t->size && id == (int)id))
        return sl_fail(
            r->err, SL_FORMAT,
            "%s: the token \"%s\" has %s%.17g as its id; the %d tokens must have the ids "
            "0 to %d",
            name, shown.text, cJSON_IsNumber(entry) ? "" : "no number: ", id, t->size, t->size - 1);
    if (t->piece[(int)id])
        return sl_fail(r->err, SL_FORMAT,
                       "%s: the tokens \"%.100s\" and \"%.100s\" both have id %d", name,
                       sl_show_name(t->piece[(int)id]).text, shown.text, (int)id);
    memcpy(*text, entry->string, length + 1);
    t->piece[(int)id] = *text;
    *text += length + 1;
    /* sl_json_open has refused files in which a key stands twice. */
    return sl_name_table_add(r->ids, t->piece[(int)id], (size_t)id) || no_memory(r);
}

static bool read_entries(Reader *r, const char *name, const cJSON *root)
{
    SlTokenizer *t = r->t;
    size_t bytes = 1, count = 0;
    for (const cJSON *c = root->child; c; c = c->next, count++)
        bytes += strlen(c->string) + 1; /* the file has at most 16 MiB */
    t->size = (int)count;
    t->vocab_text = malloc(bytes);
    t->piece = calloc(count + 1, sizeof *t->piece);
    r->ids = sl_name_table_new(count + 1);
    if (!t->vocab_text || !t->piece || !r->ids)
        return no_memory(r);
    char *text = t->vocab_text;
    for (const cJSON *c = root->child; c; c = c->next)
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

/* Every byte needs a symbol of its own inside and at the end of a word: then any text has ids. */
static bool find_byte_symbols(const Reader *r, const char *name)
{
    for (int b = 0; b < 256; b++) {
        unsigned c = sl_tokenizer_byte_char((unsigned char)b);
        char inside[3] = {(char)c}, end[8];
        if (c >= 0x80) {
            inside[0] = (char)(0xc0 | c >> 6);
            inside[1] = (char)(0x80 | (c & 0x3f));
        }
        snprintf(end, sizeof end, "%s</w>", inside);
        r->t->byte_symbol[b] = find_id(r, inside);
        r->t->byte_symbol_w[b] = find_id(r, end);
        if (r->t->byte_symbol[b] < 0 || r->t->byte_symbol_w[b] < 0)
            return sl_fail(
                r->err, SL_FORMAT,
                "%s: the token \"%s\", which stands for byte 0x%02X, is missing: this is "
                "not the whole vocabulary of a CLIP tokenizer",
                name, r->t->byte_symbol[b] < 0 ? inside : end, (unsigned)b);
    }
    return true;
}

static bool read_vocab(Reader *r)
{
    char path[4096 + 32];
    snprintf(path, sizeof path, "%s/vocab.json", r->folder);
    SlJson *json = sl_json_open(path, r->err);
    bool ok = json && read_entries(r, sl_json_name(json), sl_json_root(json)) &&
              find_byte_symbols(r, sl_json_name(json));
    sl_json_close(json);
    return ok;
}

/* ---- merges.txt ---- */

typedef struct MergesFile {
    char path[4096 + 32];
    char *text; /* a 0 at its end */
    size_t length;
} MergesFile;

static bool load_merges(const Reader *r, MergesFile *file)
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
    ok = ok && (file->text || no_memory(r)) &&
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
static bool read_merge(const Reader *r, const char *name, char *line, size_t length, int number)
{
    SlShown shown = sl_show_name(line);
    if (strlen(line) != length || !sl_utf8_valid(line, length))
        return sl_fail(r->err, SL_FORMAT, "%s: line %d: not UTF-8 text", name, number);
    char *space = strchr(line, ' ');
    if (!space || space == line || !space[1] || strpbrk(space + 1, " \t") || strchr(line, '\t'))
        return sl_fail(r->err, SL_FORMAT,
                       "%s: line %d: expected two tokens with a space between them, found \"%s\"",
                       name, number, shown.text);
    char result[2 * MAX_PIECE + 1];
    if (length > sizeof result)
        return sl_fail(r->err, SL_FORMAT, "%s: line %d: %zu bytes; expected at most %zu", name,
                       number, length, sizeof result);
    *space = 0;
    snprintf(result, sizeof result, "%s%s", line, space + 1);
    SlMerge merge = {find_id(r, line), find_id(r, space + 1), find_id(r, result), number - 2};
    const char *missing = merge.left < 0     ? line
                          : merge.right < 0  ? space + 1
                          : merge.result < 0 ? result
                                             : NULL;
    if (missing)
        return sl_fail(
            r->err, SL_FORMAT,
            "%s: line %d: the token \"%s\" is not in vocab.json: the two files belong to "
            "different models",
            name, number, sl_show_name(missing).text);
    if (sl_bpe_find(r->t, merge.left, merge.right))
        return sl_fail(r->err, SL_FORMAT, "%s: line %d: the merge \"%s\" stands there twice", name,
                       number, shown.text);
    sl_bpe_add(r->t, merge);
    return true;
}

static bool read_merge_lines(const Reader *r, MergesFile *file)
{
    SlShown name = sl_show_path(file->path);
    char *end = file->text + file->length;
    if (strncmp(file->text, "#version", 8))
        return sl_fail(r->err, SL_FORMAT,
                       "%s: line 1: expected a header like \"#version: 0.2\", found \"%.60s\"",
                       name.text, sl_show_name(file->text).text);
    if (!sl_bpe_init(r->t, MAX_MERGES))
        return no_memory(r);
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

static bool read_merges(const Reader *r)
{
    MergesFile file = {.text = NULL};
    bool ok = load_merges(r, &file) && read_merge_lines(r, &file);
    free(file.text);
    return ok;
}

/* ---- added and special tokens ---- */

static SlAddedToken *find_added(const SlTokenizer *t, const char *text)
{
    for (int i = 0; i < t->added_count; i++)
        if (!strcmp(t->added[i].text, text))
            return &t->added[i];
    return NULL;
}

static bool push_added(const Reader *r, const char *text, int id)
{
    SlTokenizer *t = r->t;
    SlAddedToken *added = realloc(t->added, ((size_t)t->added_count + 1) * sizeof *added);
    char *copy = strdup(text);
    if (added)
        t->added = added;
    if (!added || !copy) {
        free(copy);
        return no_memory(r);
    }
    added[t->added_count++] = (SlAddedToken){copy, strlen(copy), id, false};
    t->added_starts[(unsigned char)*copy] = true;
    if (id < t->size)
        return true;
    const char **piece = realloc(t->piece, ((size_t)id + 1) * sizeof *piece);
    if (!piece)
        return no_memory(r);
    t->piece = piece;
    t->piece[id] = copy;
    t->size = id + 1;
    return true;
}

/* A token that stands in a file with its id: one of the vocabulary, or the next after it. */
static bool add_with_id(const Reader *r, const char *name, const char *text, double id)
{
    int known = find_id(r, text);
    SlAddedToken *added = find_added(r->t, text);
    if (added)
        known = added->id;
    SlShown shown = sl_show_name(text);
    if (*text == 0 || strlen(text) > MAX_PIECE || r->t->added_count >= MAX_ADDED)
        return sl_fail(r->err, SL_FORMAT,
                       "%s: the added token \"%.60s\": expected 1 to %d bytes, "
                       "and at most %d such tokens",
                       name, shown.text, MAX_PIECE, MAX_ADDED);
    if (id != (known >= 0 ? known : r->t->size))
        return sl_fail(r->err, SL_FORMAT,
                       "%s: the added token \"%s\" has id %.17g; expected %d, %s", name, shown.text,
                       id, known >= 0 ? known : r->t->size,
                       known >= 0 ? "as it has already" : "the first that is free");
    return added || push_added(r, text, (int)id);
}

/* The text of a token that a file gives as a string or as {"content": ...}; NULL when it is absent
 * or, with *err, when it is something else. */
static const char *token_text(const Reader *r, const SlJson *json, const cJSON *item,
                              const char *key)
{
    if (!item || cJSON_IsNull(item))
        return NULL;
    const cJSON *content = item;
    if (cJSON_IsObject(item))
        content = cJSON_GetObjectItemCaseSensitive(item, "content");
    const cJSON *word = cJSON_GetObjectItemCaseSensitive(item, "single_word");
    if (!cJSON_IsString(content)) {
        sl_fail(r->err, SL_FORMAT,
                "%s: \"%s\" must be a token: a text, or an object with a text "
                "\"content\"",
                sl_json_name(json), key);
        return NULL;
    }
    if (cJSON_IsTrue(word)) {
        sl_fail(r->err, SL_UNSUPPORTED,
                "%s: \"%s\" has \"single_word\" set, which is not supported", sl_json_name(json),
                key);
        return NULL;
    }
    return content->valuestring;
}

static int compare_ids(const void *a, const void *b)
{
    double x = strtod((*(const cJSON *const *)a)->string, NULL);
    double y = strtod((*(const cJSON *const *)b)->string, NULL);
    return (x > y) - (x < y);
}

/* {"49406": {"content": ...}, ...}: in the order of the ids, whatever the file's. */
static bool read_added_decoder(const Reader *r, const cJSON *object)
{
    const char *key = "added_tokens_decoder";
    int count = cJSON_GetArraySize(object), used = 0;
    if (!cJSON_IsObject(object))
        return sl_fail(r->err, SL_FORMAT, "%s: \"%s\" must be an object", sl_json_name(r->config),
                       key);
    const cJSON **items = malloc(((size_t)count + 1) * sizeof *items);
    if (!items)
        return no_memory(r);
    for (const cJSON *c = object->child; c; c = c->next)
        items[used++] = c;
    qsort(items, (size_t)used, sizeof *items, compare_ids);
    bool ok = true;
    for (int i = 0; ok && i < used; i++) {
        const char *text = token_text(r, r->config, items[i], items[i]->string);
        char *end;
        double id = strtod(items[i]->string, &end);
        if (!text && r->err && r->err->code == SL_OK)
            sl_fail(r->err, SL_FORMAT, "%s: \"%s\": the token %s is null", sl_json_name(r->config),
                    key, sl_show_name(items[i]->string).text);
        if (text && (*end || end == items[i]->string))
            id = -1;
        ok = text && add_with_id(r, sl_json_name(r->config), text, id);
    }
    free(items);
    return ok;
}

static int compare_values(const void *a, const void *b)
{
    double x = (*(const cJSON *const *)a)->valuedouble, y = (*(const cJSON *const *)b)->valuedouble;
    return (x > y) - (x < y);
}

/* added_tokens.json: {"<token>": 49408, ...} */
static bool read_added_file(const Reader *r)
{
    const cJSON *root = sl_json_root(r->added);
    int used = 0;
    const cJSON **items = malloc(((size_t)cJSON_GetArraySize(root) + 1) * sizeof *items);
    if (!items)
        return no_memory(r);
    for (const cJSON *c = root->child; c; c = c->next)
        items[used++] = c;
    qsort(items, (size_t)used, sizeof *items, compare_values);
    bool ok = true;
    for (int i = 0; ok && i < used; i++)
        ok = add_with_id(r, sl_json_name(r->added), items[i]->string,
                         cJSON_IsNumber(items[i]) ? items[i]->valuedouble : -1);
    free(items);
    return ok;
}

/* Marks a token as special; gives its id, -1 and *err when it is in no vocabulary. */
static int add_special(const Reader *r, const SlJson *json, const char *key, const char *text)
{
    SlAddedToken *added = find_added(r->t, text);
    int id = added ? added->id : find_id(r, text);
    if (id < 0) {
        sl_fail(r->err, SL_FORMAT, "%s: the %s \"%s\" is not in vocab.json",
                json ? sl_json_name(json) : sl_show_path(r->folder).text, key,
                sl_show_name(text).text);
        return -1;
    }
    if (!added && !push_added(r, text, id))
        return -1;
    find_added(r->t, text)->special = true;
    return id;
}

/* The item of a key from the file that decides, and that file. */
static const cJSON *special_item(const Reader *r, const char *key, const SlJson **json)
{
    const cJSON *item = NULL;
    *json = r->map;
    if (r->map && !(r->config && sl_json_has(r->config, "added_tokens_decoder")))
        item = cJSON_GetObjectItemCaseSensitive(sl_json_root(r->map), key);
    if (!item && r->config) {
        *json = r->config;
        item = cJSON_GetObjectItemCaseSensitive(sl_json_root(r->config), key);
    }
    return item;
}

static bool read_specials(const Reader *r)
{
    static const struct {
        const char *key, *fallback;
    } keys[] = {{"bos_token", "<|startoftext|>"},
                {"eos_token", "<|endoftext|>"},
                {"unk_token", "<|endoftext|>"},
                {"pad_token", "<|endoftext|>"},
                {"sep_token", NULL},
                {"cls_token", NULL},
                {"mask_token", NULL}};
    const SlJson *json;
    for (int i = 0; i < (int)(sizeof keys / sizeof *keys); i++) {
        const cJSON *item = special_item(r, keys[i].key, &json);
        const char *text = token_text(r, json, item, keys[i].key);
        if (!text && item && !cJSON_IsNull(item))
            return false;
        text = text ? text : keys[i].fallback;
        int id = text ? add_special(r, json, keys[i].key, text) : -1;
        if (text && id < 0)
            return false;
        if (i < SL_SPECIALS)
            r->t->special[i] = id;
    }
    const char *key = "additional_special_tokens";
    const cJSON *list = special_item(r, key, &json);
    for (const cJSON *c = list ? list->child : NULL; c; c = c->next) {
        const char *text = token_text(r, json, c, key);
        if (!text || add_special(r, json, key, text) < 0)
            return false;
    }
    return true;
}

/* ---- settings ---- */

/* A file that need not exist: *json stays NULL then. */
static bool open_optional(const Reader *r, const char *name, SlJson **json)
{
    char path[4096 + 32];
    snprintf(path, sizeof path, "%s/%s", r->folder, name);
    if (access(path, F_OK) && errno == ENOENT)
        return true;
    *json = sl_json_open(path, r->err);
    return *json != NULL;
}

static bool read_settings(const Reader *r)
{
    static const char *const right[] = {"right", NULL};
    SlError err = {0};
    r->t->max_length = DEFAULT_LENGTH;
    if (!r->config)
        return true;
    double length = sl_json_double(r->config, "model_max_length", DEFAULT_LENGTH, 3, 1e300, &err);
    /* transformers writes 1e30 where nobody set it. */
    r->t->max_length = length <= MAX_LENGTH ? (int)length : DEFAULT_LENGTH;
    r->t->clean_up_spaces = sl_json_bool(r->config, "clean_up_tokenization_spaces", false, &err);
    sl_json_choice(r->config, "padding_side", right, 0, &err);
    sl_json_choice(r->config, "truncation_side", right, 0, &err);
    return err.code == SL_OK || sl_fail(r->err, err.code, "%s", err.message);
}

/* The pattern knows these two whatever the special tokens are. */
static void find_literals(const Reader *r)
{
    static const char *const texts[] = {"<|startoftext|>", "<|endoftext|>"};
    for (int i = 0; i < 2; i++) {
        const SlAddedToken *added = find_added(r->t, texts[i]);
        int id = added ? added->id : find_id(r, texts[i]);
        r->t->literal[i] = id >= 0 ? id : r->t->special[SL_UNK];
    }
}

bool sl_tokenizer_read(SlTokenizer *t, const char *folder, SlError *err)
{
    SlError local = {0};
    Reader r = {.t = t, .folder = folder, .err = err ? err : &local};
    if (strlen(folder) > 4096)
        return sl_fail(err, SL_IO, "%s: the path is too long", sl_show_path(folder).text);
    bool ok = open_optional(&r, "tokenizer_config.json", &r.config) &&
              open_optional(&r, "special_tokens_map.json", &r.map) &&
              open_optional(&r, "added_tokens.json", &r.added) && read_settings(&r) &&
              read_vocab(&r) && read_merges(&r);
    const cJSON *decoder =
        r.config && sl_json_has(r.config, "added_tokens_decoder")
            ? cJSON_GetObjectItemCaseSensitive(sl_json_root(r.config), "added_tokens_decoder")
            : NULL;
    if (ok && decoder)
        ok = read_added_decoder(&r, decoder);
    else if (ok && r.added)
        ok = read_added_file(&r);
    ok = ok && read_specials(&r);
    if (ok)
        find_literals(&r);
    sl_name_table_free(r.ids);
    sl_json_close(r.config);
    sl_json_close(r.map);
    sl_json_close(r.added);
    return ok;
}
