/* tokenizer_json.c - tokenizer.json, the one file in which the tokenizers library keeps a whole
 * tokenizer, as transformers 5 writes it (and transformers 4 for its fast tokenizers).
 *
 * Mirrors TokenizersBackend.convert_to_native_format and CLIPTokenizer.__init__ of transformers 5,
 * which take the vocabulary, the merges and the added tokens from the file and lay out the steps
 * before and after them themselves. A file whose own steps are others belongs to another kind of
 * tokenizer, so each is checked and refused by its name. Easy to get wrong: a merge is a text
 * "t h" in older files and a pair ["t", "h"] in newer ones; truncation and padding that the file
 * carries are replaced by the pipeline's, only their side stays.
 */
#include "engine/text/tokenizer_reader.h"

#include "engine/files/files.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_MERGES 1000000

static const cJSON *member(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNull(item) ? NULL : item;
}

static bool is_text(const cJSON *object, const char *key, const char *text)
{
    const cJSON *item = member(object, key);
    return cJSON_IsString(item) && !strcmp(item->valuestring, text);
}

/* What an item says, for a message: its type where it names one. */
static SlShown shown(const cJSON *item)
{
    const cJSON *type = member(item, "type");
    const char *text = cJSON_IsString(type)   ? type->valuestring
                       : cJSON_IsString(item) ? item->valuestring
                       : cJSON_IsTrue(item)   ? "true"
                       : cJSON_IsFalse(item)  ? "false"
                       : !item                ? sl_words("nothing")
                       : cJSON_IsNumber(item) ? sl_words("a number")
                                              : sl_words("something else");
    return sl_show_name(text);
}

static bool refuse(const SlTokenizerReader *r, const char *what, const cJSON *found,
                   const char *expected)
{
    return sl_fail(r->err, SL_UNSUPPORTED, "%s: the %s is %s; only CLIP's is supported: %s",
                   sl_json_name(r->whole), what, shown(found).text, expected);
}

/* ---- what happens before and after the pieces ---- */

/* The n-th of the steps of a "Sequence", or the item itself as its only one. */
static const cJSON *step(const cJSON *item, const char *list, int n)
{
    if (!is_text(item, "type", "Sequence"))
        return n == 0 ? item : NULL;
    return cJSON_GetArrayItem(member(item, list), n);
}

static bool check_normalizer(const SlTokenizerReader *r, const cJSON *root)
{
    const cJSON *item = member(root, "normalizer");
    const cJSON *nfc = step(item, "normalizers", 0), *spaces = step(item, "normalizers", 1);
    const cJSON *lower = step(item, "normalizers", 2), *more = step(item, "normalizers", 3);
    bool ok = is_text(nfc, "type", "NFC") && is_text(spaces, "type", "Replace") &&
              is_text(member(spaces, "pattern"), "Regex", "\\s+") &&
              is_text(spaces, "content", " ") && is_text(lower, "type", "Lowercase") && !more;
    return ok ||
           refuse(r, "normalizer", item, sl_words("NFC, \"\\s+\" replaced by a space, lower case"));
}

static bool check_split(const cJSON *split)
{
    static const char words[] = "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";
    static const char ends[] = "<\\|startoftext\\|>|<\\|endoftext\\|>|";
    const cJSON *pattern = member(split, "pattern"), *regex = member(pattern, "Regex");
    if (!is_text(split, "type", "Split") || !is_text(split, "behavior", "Removed") ||
        !cJSON_IsTrue(member(split, "invert")) || !cJSON_IsString(regex))
        return false;
    const char *text = regex->valuestring;
    return !strcmp(strncmp(text, ends, sizeof ends - 1) ? text : text + sizeof ends - 1, words);
}

static bool check_pre_tokenizer(const SlTokenizerReader *r, const cJSON *root)
{
    const cJSON *item = member(root, "pre_tokenizer");
    const cJSON *bytes = step(item, "pretokenizers", 1);
    bool ok = check_split(step(item, "pretokenizers", 0)) && is_text(bytes, "type", "ByteLevel") &&
              !cJSON_IsTrue(member(bytes, "add_prefix_space")) &&
              !cJSON_IsFalse(member(bytes, "use_regex")) && !step(item, "pretokenizers", 2);
    return ok || refuse(r, "pre_tokenizer", item, sl_words("CLIP's pattern, then ByteLevel"));
}

/* transformers replaces it by RobertaProcessing with the special tokens. */
static bool check_post_processor(const SlTokenizerReader *r, const cJSON *root)
{
    const cJSON *item = member(root, "post_processor");
    return !item || is_text(item, "type", "RobertaProcessing") ||
           is_text(item, "type", "TemplateProcessing") ||
           refuse(r, "post_processor", item, "RobertaProcessing");
}

static bool check_decoder(const SlTokenizerReader *r, const cJSON *root)
{
    const cJSON *item = member(root, "decoder");
    return !item || is_text(item, "type", "ByteLevel") || refuse(r, "decoder", item, "ByteLevel");
}

static bool check_side(const SlTokenizerReader *r, const cJSON *root, const char *what)
{
    const cJSON *side = member(member(root, what), "direction");
    return !side || is_text(member(root, what), "direction", "Right") ||
           refuse(r, what, side, sl_words("on the right"));
}

/* ---- vocabulary and merges ---- */

static bool check_model(const SlTokenizerReader *r, const cJSON *model)
{
    const cJSON *prefix = member(model, "continuing_subword_prefix");
    if (member(model, "type") && !is_text(model, "type", "BPE"))
        return refuse(r, "model", model, "BPE");
    if (!is_text(model, "end_of_word_suffix", "</w>"))
        return refuse(r, "model's end_of_word_suffix", member(model, "end_of_word_suffix"), "</w>");
    if (prefix && !is_text(model, "continuing_subword_prefix", ""))
        return refuse(r, "model's continuing_subword_prefix", prefix, sl_words("an empty text"));
    if (cJSON_IsTrue(member(model, "byte_fallback")))
        return refuse(r, "model's byte_fallback", member(model, "byte_fallback"), "false");
    if (cJSON_IsTrue(member(model, "ignore_merges")))
        return refuse(r, "model's ignore_merges", member(model, "ignore_merges"), "false");
    const cJSON *dropout = member(model, "dropout");
    return !dropout || (cJSON_IsNumber(dropout) && dropout->valuedouble == 0) ||
           refuse(r, "model's dropout", dropout, "null");
}

/* "t h" or ["t", "h"]. */
static bool read_merge(const SlTokenizerReader *r, cJSON *item, const SlMergePlace *at)
{
    const cJSON *left = cJSON_GetArrayItem(item, 0), *right = cJSON_GetArrayItem(item, 1);
    char *space = cJSON_IsString(item) ? strchr(item->valuestring, ' ') : NULL;
    if (space && space > item->valuestring && space[1] && !strchr(space + 1, ' ')) {
        *space = 0;
        return sl_reader_merge(r, at, item->valuestring, space + 1);
    }
    if (cJSON_IsArray(item) && cJSON_IsString(left) && cJSON_IsString(right) && !right->next &&
        *left->valuestring && *right->valuestring)
        return sl_reader_merge(r, at, left->valuestring, right->valuestring);
    return sl_fail(r->err, SL_FORMAT,
                   "%s: %s %d: expected two tokens, a text \"t h\" or a pair [\"t\", \"h\"]",
                   at->name, at->unit, at->number);
}

static bool read_merges(const SlTokenizerReader *r, const cJSON *model)
{
    const cJSON *merges = member(model, "merges");
    SlMergePlace at = {.name = sl_json_name(r->whole), .unit = "merge"};
    if (!cJSON_IsArray(merges))
        return sl_fail(r->err, SL_FORMAT, "%s: the model's \"merges\" must be a list", at.name);
    int count = cJSON_GetArraySize(merges);
    if (count > MAX_MERGES)
        return sl_fail(r->err, SL_FORMAT, "%s: %d merges; expected at most %d", at.name, count,
                       MAX_MERGES);
    if (!sl_bpe_init(r->t, (size_t)count))
        return sl_reader_no_memory(r);
    for (cJSON *c = merges->child; c; c = c->next, at.rank++) {
        at.number = at.rank + 1;
        if (!read_merge(r, c, &at))
            return false;
    }
    return true;
}

static bool read_model(SlTokenizerReader *r, const cJSON *root)
{
    const cJSON *model = member(root, "model"), *vocab = member(model, "vocab");
    if (!cJSON_IsObject(model))
        return sl_fail(r->err, SL_FORMAT, "%s: \"model\" must be an object",
                       sl_json_name(r->whole));
    if (!check_model(r, model))
        return false;
    if (!cJSON_IsObject(vocab))
        return sl_fail(r->err, SL_FORMAT, "%s: the model's \"vocab\" must be an object",
                       sl_json_name(r->whole));
    return sl_reader_entries(r, sl_json_name(r->whole), vocab) && read_merges(r, model);
}

bool sl_reader_json(SlTokenizerReader *r)
{
    char path[SL_TOKENIZER_MAX_PATH + 32];
    snprintf(path, sizeof path, "%s/tokenizer.json", r->folder);
    r->vocab_name = sl_words("the model's vocab");
    r->whole = sl_json_open(path, r->err);
    if (!r->whole)
        return false;
    const cJSON *root = sl_json_root(r->whole);
    return check_normalizer(r, root) && check_pre_tokenizer(r, root) &&
           check_post_processor(r, root) && check_decoder(r, root) &&
           check_side(r, root, "truncation") && check_side(r, root, "padding") &&
           read_model(r, root);
}
