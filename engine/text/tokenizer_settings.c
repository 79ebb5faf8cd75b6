/* tokenizer_settings.c - the settings of a tokenizer folder: special and added tokens, the length.
 *
 * Mirrors PreTrainedTokenizerBase._from_pretrained of transformers. Easy to get wrong:
 * special_tokens_map.json overrides tokenizer_config.json, but neither it nor added_tokens.json is
 * looked at when that has "added_tokens_decoder"; every special token, SD 2.x's padding "!" too, is
 * cut out of a text. A special token that is in no vocabulary is refused, where transformers would
 * give it a new id that the text encoder does not know. Whether a token is looked for in the text
 * as it was typed or as it is after normalizing ("normalized") matters to transformers 5 only: a list
 * of added tokens says it, and without one the last of the special tokens that has this text.
 */
#include "engine/text/tokenizer_reader.h"

#include "engine/files/files.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ADDED      10000
#define DEFAULT_LENGTH 77
#define MAX_LENGTH     4096

/* The files; NULL where one does not exist. The reader owns config. */
typedef struct Settings {
    const SlTokenizerReader *r;
    const SlJson *config;
    SlJson *map, *added;
} Settings;

/* A token as a file lists it. */
typedef struct Listed {
    const char *text;
    double id; /* as in the file: anything */
    bool normalized;
    SlTokenListing listing;
} Listed;

static SlAddedToken *find_added(const SlTokenizer *t, const char *text)
{
    for (int i = 0; i < t->added_count; i++)
        if (!strcmp(t->added[i].text, text))
            return &t->added[i];
    return NULL;
}

/* The id that a token has already, -1 when it has none. */
static int known_id(const SlTokenizerReader *r, const char *text)
{
    const SlAddedToken *added = find_added(r->t, text);
    return added ? added->id : sl_reader_id(r, text);
}

/* id is one of the vocabulary or the next after it. */
static bool push_added(const SlTokenizerReader *r, Listed token, int id)
{
    const char *text = token.text;
    SlTokenizer *t = r->t;
    SlAddedToken *added = realloc(t->added, ((size_t)t->added_count + 1) * sizeof *added);
    char *copy = strdup(text);
    if (added)
        t->added = added;
    if (!added || !copy) {
        free(copy);
        return sl_reader_no_memory(r);
    }
    added[t->added_count++] = (SlAddedToken){.text = copy,
                                             .length = strlen(copy),
                                             .id = id,
                                             .normalized = token.normalized,
                                             .listing = token.listing};
    t->added_starts[(unsigned char)*copy] = true;
    if (id < t->size)
        return true;
    const char **piece = realloc(t->piece, ((size_t)id + 1) * sizeof *piece);
    if (!piece)
        return sl_reader_no_memory(r);
    t->piece = piece;
    t->piece[id] = copy;
    t->size = id + 1;
    return true;
}

/* ---- tokens that stand in a file with their ids ---- */

static int by_id(const void *a, const void *b)
{
    double x = ((const Listed *)a)->id, y = ((const Listed *)b)->id;
    return (x > y) - (x < y);
}

static bool add_listed(const SlTokenizerReader *r, const char *name, Listed token)
{
    int known = known_id(r, token.text), expected = known >= 0 ? known : r->t->size;
    if (!*token.text || strlen(token.text) > SL_TOKEN_MAX_BYTES || r->t->added_count >= MAX_ADDED)
        return sl_fail(r->err, SL_FORMAT,
                       "%s: the added token \"%.60s\": expected 1 to %d bytes, and at most %d such "
                       "tokens",
                       name, sl_show_name(token.text).text, SL_TOKEN_MAX_BYTES, MAX_ADDED);
    if (token.id != expected)
        return sl_fail(
            r->err, SL_FORMAT, "%s: the added token \"%s\" has id %.17g; expected %d, %s", name,
            sl_show_name(token.text).text, token.id, expected,
            known >= 0 ? sl_words("as it has already") : sl_words("the first that is free"));
    return find_added(r->t, token.text) || push_added(r, token, expected);
}

/* The text of a token that a file gives as a string or as {"content": ...}; NULL when it is absent
 * or null or, with *err, when it is something else. */
static const char *token_text(const SlTokenizerReader *r, const SlJson *json, const cJSON *item,
                              const char *key)
{
    if (!item || cJSON_IsNull(item))
        return NULL;
    const cJSON *content = item;
    if (cJSON_IsObject(item))
        content = cJSON_GetObjectItemCaseSensitive(item, "content");
    if (!cJSON_IsString(content)) {
        sl_fail(r->err, SL_FORMAT,
                "%s: \"%s\" must be a token: a text, or an object with a text \"content\"",
                sl_json_name(json), sl_show_name(key).text);
        return NULL;
    }
    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(item, "single_word"))) {
        sl_fail(r->err, SL_UNSUPPORTED,
                "%s: \"%s\" has \"single_word\" set, which is not supported", sl_json_name(json),
                sl_show_name(key).text);
        return NULL;
    }
    return content->valuestring;
}

/* A token's "normalized"; without one, what is not special is. */
static bool is_normalized(const cJSON *item)
{
    const cJSON *normalized = cJSON_GetObjectItemCaseSensitive(item, "normalized");
    if (cJSON_IsBool(normalized))
        return cJSON_IsTrue(normalized);
    return !cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(item, "special"));
}

/* An entry of added_tokens_decoder, "49408": {"content": "<token>"}. */
static bool list_decoder_entry(const SlTokenizerReader *r, const SlJson *json, const cJSON *entry,
                               Listed *out)
{
    char *end;
    out->text = token_text(r, json, entry, entry->string);
    out->id = strtod(entry->string, &end);
    out->normalized = is_normalized(entry);
    out->listing = SL_LISTED_WHOLE;
    if (*end || end == entry->string)
        out->id = -1;
    if (cJSON_IsNull(entry))
        sl_fail(r->err, SL_FORMAT, "%s: the added token %s is null", sl_json_name(json),
                sl_show_name(entry->string).text);
    return out->text != NULL;
}

/* An entry of added_tokens.json, "<token>": 49408. Those of them that are special are told apart
 * later (add_special). */
static bool list_file_entry(const SlTokenizerReader *r, const SlJson *json, const cJSON *entry,
                            Listed *out)
{
    (void)r;
    (void)json;
    *out = (Listed){entry->string, cJSON_IsNumber(entry) ? entry->valuedouble : -1, true,
                    SL_LISTED_ID};
    return true;
}

/* An entry of tokenizer.json's list, {"id": 49408, "content": "<token>"}. */
static bool list_whole_entry(const SlTokenizerReader *r, const SlJson *json, const cJSON *entry,
                             Listed *out)
{
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(entry, "id");
    *out = (Listed){NULL, cJSON_IsNumber(id) ? id->valuedouble : -1, is_normalized(entry),
                    SL_LISTED_WHOLE};
    if (!cJSON_IsObject(entry))
        return sl_fail(r->err, SL_FORMAT, "%s: \"added_tokens\" must be a list of objects",
                       sl_json_name(json));
    out->text = token_text(r, json, entry, "added_tokens");
    return out->text != NULL;
}

/* Adds the tokens of an object or a list in the order of their ids, whatever the file's order is. */
static bool read_listed(const SlTokenizerReader *r, const SlJson *json, const cJSON *all,
                        bool (*list)(const SlTokenizerReader *, const SlJson *, const cJSON *,
                                     Listed *))
{
    size_t count = 0;
    if (list == list_whole_entry ? !cJSON_IsArray(all) : !cJSON_IsObject(all))
        return sl_fail(r->err, SL_FORMAT, "%s: \"%s\" must be %s", sl_json_name(json), all->string,
                       list == list_whole_entry ? sl_words("a list") : sl_words("an object"));
    Listed *tokens = malloc(((size_t)cJSON_GetArraySize(all) + 1) * sizeof *tokens);
    bool ok = tokens || sl_reader_no_memory(r);
    for (const cJSON *c = all->child; ok && c; c = c->next)
        ok = list(r, json, c, &tokens[count++]);
    if (ok)
        qsort(tokens, count, sizeof *tokens, by_id);
    for (size_t i = 0; ok && i < count; i++)
        ok = add_listed(r, sl_json_name(json), tokens[i]);
    free(tokens);
    return ok;
}

static const cJSON *added_decoder(const Settings *s)
{
    const char *key = "added_tokens_decoder";
    if (!s->config || !sl_json_has(s->config, key))
        return NULL;
    return cJSON_GetObjectItemCaseSensitive(sl_json_root(s->config), key);
}

static bool read_added(const Settings *s)
{
    const cJSON *decoder = added_decoder(s);
    if (decoder)
        return read_listed(s->r, s->config, decoder, list_decoder_entry);
    if (s->added && !read_listed(s->r, s->added, sl_json_root(s->added), list_file_entry))
        return false;
    const cJSON *whole =
        s->r->whole ? cJSON_GetObjectItemCaseSensitive(sl_json_root(s->r->whole), "added_tokens")
                    : NULL;
    return !whole || cJSON_IsNull(whole) || read_listed(s->r, s->r->whole, whole, list_whole_entry);
}

/* ---- special tokens ---- */

/* Of a special token's item: a text alone stands for one that is not. */
static bool special_normalized(const cJSON *item)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(item, "normalized"));
}

/* Marks a token as special; gives its id, -1 and *err when it is in no vocabulary. */
static int add_special(const SlTokenizerReader *r, const SlJson *json, const char *key,
                       const char *text, bool normalized)
{
    int id = known_id(r, text);
    if (id < 0) {
        sl_fail(r->err, SL_FORMAT, "%s: the %s \"%s\" is not in %s",
                json ? sl_json_name(json) : sl_show_path(r->folder).text, key,
                sl_show_name(text).text, r->vocab_name);
        return -1;
    }
    if (!find_added(r->t, text) &&
        !push_added(r, (Listed){text, id, normalized, SL_LISTED_NOT}, id))
        return -1;
    SlAddedToken *added = find_added(r->t, text);
    added->special = true;
    if (added->listing == SL_LISTED_ID) /* a special one is not, as transformers reads the file */
        added->normalized = added->normalized && !strcmp(key, "additional_special_tokens");
    else if (added->listing == SL_LISTED_NOT)
        added->normalized = normalized;
    return id;
}

/* The item of a key from the file that decides, and that file. */
static const cJSON *special_item(const Settings *s, const char *key, const SlJson **json)
{
    const cJSON *item = NULL;
    *json = s->map;
    if (s->map && !added_decoder(s))
        item = cJSON_GetObjectItemCaseSensitive(sl_json_root(s->map), key);
    if (!item && s->config) {
        *json = s->config;
        item = cJSON_GetObjectItemCaseSensitive(sl_json_root(s->config), key);
    }
    return item;
}

static bool read_special(const Settings *s, const char *key, const char *fallback, int *id)
{
    const SlJson *json;
    const cJSON *item = special_item(s, key, &json);
    const char *text = token_text(s->r, json, item, key);
    if (!text && item && !cJSON_IsNull(item))
        return false;
    text = text ? text : fallback;
    *id = text ? add_special(s->r, json, key, text, special_normalized(item)) : -1;
    return !text || *id >= 0;
}

/* A list of further special tokens. */
static bool read_more_specials(const Settings *s, const char *key)
{
    const SlJson *json;
    const cJSON *list = special_item(s, key, &json);
    for (const cJSON *c = cJSON_IsArray(list) ? list->child : NULL; c; c = c->next) {
        const char *text = token_text(s->r, json, c, key);
        if (cJSON_IsNull(c))
            return sl_fail(s->r->err, SL_FORMAT, "%s: \"%s\" contains null", sl_json_name(json),
                           key);
        if (!text || add_special(s->r, json, key, text, special_normalized(c)) < 0)
            return false;
    }
    return true;
}

static bool read_specials(const Settings *s)
{
    static const char *const others[] = {"sep_token", "cls_token", "mask_token"};
    int *special = s->r->t->special, ignored;
    if (!read_special(s, "bos_token", "<|startoftext|>", &special[SL_BOS]) ||
        !read_special(s, "eos_token", "<|endoftext|>", &special[SL_EOS]) ||
        !read_special(s, "unk_token", "<|endoftext|>", &special[SL_UNK]) ||
        !read_special(s, "pad_token", "<|endoftext|>", &special[SL_PAD]))
        return false;
    for (int i = 0; i < 3; i++)
        if (!read_special(s, others[i], NULL, &ignored))
            return false;
    return read_more_specials(s, "additional_special_tokens") &&
           read_more_specials(s, "extra_special_tokens"); /* transformers 5 */
}

/* ---- the rest ---- */

static bool read_numbers(const Settings *s)
{
    static const char *const right[] = {"right", NULL};
    SlTokenizer *t = s->r->t;
    SlError *err = s->r->err;
    t->max_length = DEFAULT_LENGTH;
    if (!s->config)
        return true;
    double length = sl_json_double(s->config, "model_max_length", DEFAULT_LENGTH, 3, 1e300, err);
    /* transformers writes 1e30 where nobody set it. */
    t->max_length = length <= MAX_LENGTH ? (int)length : DEFAULT_LENGTH;
    t->clean_up_spaces = sl_json_bool(s->config, "clean_up_tokenization_spaces", false, err);
    sl_json_choice(s->config, "padding_side", right, 0, err);
    sl_json_choice(s->config, "truncation_side", right, 0, err);
    return err->code == SL_OK;
}

/* The pattern knows these two whatever the special tokens are. */
static void find_literals(const SlTokenizerReader *r)
{
    static const char *const texts[] = {"<|startoftext|>", "<|endoftext|>"};
    for (int i = 0; i < 2; i++) {
        int id = known_id(r, texts[i]);
        r->t->literal[i] = id >= 0 ? id : r->t->special[SL_UNK];
    }
}

bool sl_reader_settings(const SlTokenizerReader *r)
{
    Settings s = {.r = r, .config = r->config};
    bool ok = sl_reader_open(r, "special_tokens_map.json", &s.map) &&
              sl_reader_open(r, "added_tokens.json", &s.added) && read_numbers(&s) &&
              read_added(&s) && read_specials(&s);
    if (ok)
        find_literals(r);
    sl_json_close(s.map);
    sl_json_close(s.added);
    return ok;
}
