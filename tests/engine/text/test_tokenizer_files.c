/* test_tokenizer_files.c - tokenizer folders that are damaged, hand-edited or mixed up: each is
 * refused with a sentence that says where, or read as transformers reads it. */
#include "engine/text/tokenizer.h"
#include "folder.h"
#include "tests/test.h"

#include <string.h>
#include <sys/stat.h>

/* Opens the fixture's folder with one file replaced (text NULL: without it). */
static SlTokenizer *open_with(const char *name, const char *text, size_t length, SlError *err)
{
    char *folder = new_folder();
    copy_settings(folder, "sd1");
    write_file(folder, name, text, length);
    *err = (SlError){0};
    SlTokenizer *t = sl_tokenizer_open(folder, err);
    remove_folder(folder);
    return t;
}

static void refuses(const char *what, const char *name, const char *text, size_t length,
                    const char *says)
{
    SlError err;
    SlTokenizer *t = open_with(name, text, length, &err);
    bool ok = !t && err.code != SL_OK && strstr(err.message, says) && strstr(err.message, name);
    if (!sl_test(ok, "%s is refused", what))
        sl_test_note("expected \"%s\", got \"%s\"", says, err.message);
    sl_tokenizer_close(t);
}

static void accepts(const char *what, const char *name, const char *text, size_t length)
{
    SlError err;
    SlTokenizer *t = open_with(name, text, length, &err);
    int *ids = NULL, count = 0;
    bool ok = t && sl_tokenize(t, "the cat", &ids, &count, NULL) && count >= 2;
    if (!sl_test(ok, "%s is accepted", what))
        sl_test_note("%s", err.message);
    free(ids);
    sl_tokenizer_close(t);
}

/* The fixture's file with the first `from` replaced by `to`; malloc'ed. */
static char *edited(const char *name, const char *from, const char *to, size_t *length)
{
    char path[100], *result;
    snprintf(path, sizeof path, "goldens/text/tokenizer/%s", name);
    char *full = sl_test_path(path), *text = read_file(full, length);
    char *at = strstr(text, from);
    if (!at || asprintf(&result, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) < 0) {
        sl_test_note("\"%s\" is not in %s", from, name);
        abort();
    }
    *length = strlen(result);
    free(text);
    free(full);
    return result;
}

typedef struct Edit {
    const char *what, *from, *to, *says; /* says NULL: accepted */
} Edit;

static void test_edits(const char *name, const Edit *edits, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t length;
        char *text = edited(name, edits[i].from, edits[i].to, &length);
        if (edits[i].says)
            refuses(edits[i].what, name, text, length, edits[i].says);
        else
            accepts(edits[i].what, name, text, length);
        free(text);
    }
}

static void test_vocab(void)
{
    static const Edit edits[] = {
        {"a negative id", "\"the</w>\": ", "\"the</w>\": -", "the token \"the</w>\" has -"},
        {"a fractional id", "\"!\": 0,", "\"!\": 0.5,", "the token \"!\" has 0.5"},
        {"an id of 2^31", "\"!\": 0,", "\"!\": 2147483648,", "the token \"!\" has 2147483648"},
        {"an id of 1e300", "\"!\": 0,", "\"!\": 1e300,", "must have the ids 0 to 2513"},
        {"a text as id", "\"!\": 0,", "\"!\": \"0\",", "the token \"!\" has no number"},
        {"an id given twice", "\"!\": 0,", "\"!\": 1,", "both have id 1"},
        {"a token given twice", "\"\\\"\": 1,", "\"!\": 1,", "stands there twice"},
        {"an entry too few", "\"!\": 0, ", "", "must have the ids 0 to 2512"},
        {"an entry too many", "\"!\": 0,", "\"!\": 0, \"zzzzzz\": 2514,", NULL},
        {"a hole", "\"!\": 0,", "\"!\": 0, \"zzzzzz\": 2515,", "must have the ids 0 to 2514"},
        {"a missing byte symbol", "\"!\": 0,", "\"zzz\": 0,", "stands for byte 0x21"},
        {"a missing end-of-word symbol", "\"!</w>\":", "\"zzz\":", "stands for byte 0x21"},
        {"a missing end token", "\"<|endoftext|>\":", "\"zzz\":", "is not in vocab.json"},
        {"an empty token", "\"!\": 0,", "\"\": 0,", "a token has 0 bytes"},
        {"no closing brace", "}\n", "", "line 1"},
    };
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        const char *name = strstr(edits[i].what, "end token") ? "special_tokens_map.json" : NULL;
        size_t length;
        char *text = edited("vocab.json", edits[i].from, edits[i].to, &length);
        SlError err;
        SlTokenizer *t = open_with("vocab.json", text, length, &err);
        bool ok = edits[i].says ? !t && strstr(err.message, edits[i].says) &&
                                      strstr(err.message, name ? name : "vocab.json")
                                : t && sl_tokenizer_vocab_size(t) == 2515;
        if (!sl_test(ok, "vocab.json with %s is %s", edits[i].what,
                     edits[i].says ? "refused" : "accepted"))
            sl_test_note("%s", err.message);
        sl_tokenizer_close(t);
        free(text);
    }
    refuses("no vocab.json", "vocab.json", NULL, 0, "vocab.json");
    refuses("an empty vocab.json", "vocab.json", "", 0, "empty");
    refuses("a list as vocab.json", "vocab.json", "[1]", 3, "expected a JSON object");
    refuses("an empty object as vocab.json", "vocab.json", "{}", 2, "stands for byte 0x00");
    char *big = malloc(1100000);
    if (!big)
        abort();
    int head = sprintf(big, "{\"");
    memset(big + head, 'k', 1048576);
    sprintf(big + head + 1048576, "\": 0}");
    refuses("a key of a megabyte", "vocab.json", big, strlen(big), "a token has 1048576 bytes");
    free(big);
}

static void test_merges(void)
{
    static const Edit edits[] = {
        {"no header", "#version: 0.2\n", "", "line 1: expected a header"},
        {"CRLF at a line's end", "#version: 0.2\n", "#version: 0.2\r\n", NULL},
        {"a tab", "\nt h\n", "\nt\th\n", "expected two tokens"},
        {"one word", "\nt h\n", "\nth\n", "expected two tokens"},
        {"three words", "\nt h\n", "\nt h e\n", "expected two tokens"},
        {"two spaces", "\nt h\n", "\nt  h\n", "expected two tokens"},
        {"a leading space", "\nt h\n", "\n t h\n", "expected two tokens"},
        {"an empty line", "\nt h\n", "\n\nt h\n", "expected two tokens"},
        {"a result that is no token", "\nt h\n", "\n! ?\nt h\n", "\"!?\" is not in vocab.json"},
        {"a part that is no token", "\nt h\n", "\nt zqzqzq\n", "\"zqzqzq\" is not in vocab.json"},
        {"a merge twice", "\nt h\n", "\nt h\nt h\n", "stands there twice"},
        {"a byte that is not UTF-8", "\nt h\n", "\nt h\xff\n", "not UTF-8"},
    };
    test_edits("merges.txt", edits, sizeof edits / sizeof *edits);
    refuses("no merges.txt", "merges.txt", NULL, 0, "merges.txt");
    refuses("an empty merges.txt", "merges.txt", "", 0, "empty");
    refuses("a merges.txt of white space", "merges.txt", " \n\n", 3, "empty");
    refuses("a NUL in merges.txt", "merges.txt", "#version: 0.2\nt \0h\n", 19, "line 2: not UTF-8");
    refuses("the line of an error", "merges.txt", "#version: 0.2\nt h\ne r\nx\n", 24, "line 4:");
    accepts("a header alone", "merges.txt", "#version: 0.2", 13);

    char *line = malloc((17u << 20) + 64);
    if (!line)
        abort();
    int head = sprintf(line, "#version: 0.2\n");
    memset(line + head, 'k', 17u << 20);
    refuses("a line of a megabyte", "merges.txt", line, 1u << 20, "line 2: expected two tokens");
    line[head + 20] = ' ';
    refuses("a merge of a megabyte", "merges.txt", line, 1u << 20, "line 2: 1048562 bytes");
    refuses("17 MiB of merges", "merges.txt", line, 17u << 20, "16 MiB");
    free(line);
}

static void test_settings(void)
{
    static const struct {
        const char *what, *name, *text, *says;
    } cases[] = {
        {"a length that is a text", "tokenizer_config.json", "{\"model_max_length\": \"77\"}",
         "model_max_length"},
        {"a length of 2", "tokenizer_config.json", "{\"model_max_length\": 2}", "model_max_length"},
        {"padding on the left", "tokenizer_config.json", "{\"padding_side\": \"left\"}",
         "padding_side"},
        {"a number as token", "tokenizer_config.json", "{\"mask_token\": 5}", "mask_token"},
        {"an object without content", "special_tokens_map.json", "{\"bos_token\": {}}",
         "bos_token"},
        {"a padding token that is unknown", "special_tokens_map.json",
         "{\"pad_token\": \"<nothing>\"}", "pad_token \"<nothing>\" is not in vocab.json"},
        {"single words", "special_tokens_map.json",
         "{\"pad_token\": {\"content\": \"!\", \"single_word\": true}}", "single_word"},
        {"an added token over another id", "added_tokens.json", "{\"<new>\": 5}",
         "has id 5; expected 2514"},
        {"an added token far away", "added_tokens.json", "{\"<new>\": 2147483647}",
         "has id 2147483647; expected 2514"},
        {"a known token under a new id", "added_tokens.json", "{\"!\": 2514}",
         "has id 2514; expected 0"},
        {"an added token without a number", "added_tokens.json", "{\"<new>\": \"x\"}",
         "has id -1; expected 2514"},
        {"an empty added token", "added_tokens.json", "{\"\": 2514}", "1 to 1000 bytes"},
        {"a list of added tokens", "tokenizer_config.json", "{\"added_tokens_decoder\": []}",
         "must be an object"},
        {"an added token with a word as id", "tokenizer_config.json",
         "{\"added_tokens_decoder\": {\"x\": {\"content\": \"<new>\"}}}", "has id -1"},
        {"an added token that is null", "tokenizer_config.json",
         "{\"added_tokens_decoder\": {\"2514\": null}}", "is null"},
        {"text that is not JSON", "tokenizer_config.json", "{model_max_length: 77}", "line 1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuses(cases[i].what, cases[i].name, cases[i].text, strlen(cases[i].text), cases[i].says);
    accepts("no tokenizer_config.json", "tokenizer_config.json", NULL, 0);
    accepts("no special_tokens_map.json", "special_tokens_map.json", NULL, 0);
}

/* ---- tokenizer.json ---- */

/* Opens a folder as transformers 5 saves it, with `from` in tokenizer.json replaced by `to`. */
static void test_whole_edit(const Edit *edit)
{
    SlError err = {0};
    char *folder = new_folder(), *text = whole_tokenizer(folder, "sd1", true), *changed;
    make_whole(folder, "sd1", true);
    char *at = strstr(text, edit->from);
    if (!at || asprintf(&changed, "%.*s%s%s", (int)(at - text), text, edit->to,
                        at + strlen(edit->from)) < 0) {
        sl_test_note("\"%s\" is not in tokenizer.json", edit->from);
        abort();
    }
    write_file(folder, "tokenizer.json", changed, strlen(changed));
    SlTokenizer *t = sl_tokenizer_open(folder, &err);
    int *ids = NULL, count = 0;
    bool ok = edit->says
                  ? !t && strstr(err.message, edit->says) && strstr(err.message, "tokenizer.json")
                  : t && sl_tokenize(t, "the cat", &ids, &count, NULL) && count >= 2;
    if (!sl_test(ok, "tokenizer.json: %s is %s", edit->what, edit->says ? "refused" : "accepted"))
        sl_test_note("expected \"%s\", got \"%s\"", edit->says ? edit->says : "", err.message);
    free(ids);
    free(changed);
    free(text);
    sl_tokenizer_close(t);
    remove_folder(folder);
}

static void test_whole(void)
{
    static const Edit edits[] = {
        {"another normalizer", "\"NFC\"", "\"NFKC\"", "the normalizer is Sequence; only CLIP's"},
        {"no lower case", "\"type\": \"Lowercase\"", "\"type\": \"Strip\"", "the normalizer is"},
        {"no normalizer", "\"normalizer\": {", "\"normalizers\": {", "the normalizer is nothing"},
        {"another pattern", "|[\\\\p{L}]+|", "|[\\\\p{L}\\\\p{N}]+|", "the pre_tokenizer is"},
        {"CLIP's pattern without the ends", "<\\\\|startoftext\\\\|>|<\\\\|endoftext\\\\|>|'s",
         "'s", NULL},
        {"words that are kept apart", "\"Removed\"", "\"Isolated\"", "the pre_tokenizer is"},
        {"another pre_tokenizer", "\"type\": \"Split\"", "\"type\": \"Metaspace\"",
         "the pre_tokenizer is"},
        {"bytes without their pattern", "\"use_regex\": true", "\"use_regex\": false",
         "the pre_tokenizer is"},
        {"another decoder", "\"decoder\": {\n  \"type\": \"ByteLevel\"",
         "\"decoder\": {\n  \"type\": \"WordPiece\"", "the decoder is WordPiece"},
        {"another post_processor", "\"type\": \"RobertaProcessing\"",
         "\"type\": \"BertProcessing\"", "the post_processor is BertProcessing"},
        {"padding on the left", "\"padding\": null", "\"padding\": {\"direction\": \"Left\"}",
         "the padding is Left"},
        {"a cut on the left", "\"truncation\": null", "\"truncation\": {\"direction\": \"Left\"}",
         "the truncation is Left"},
        {"a cut on the right", "\"truncation\": null",
         "\"truncation\": {\"direction\": \"Right\", \"max_length\": 5}", NULL},
        {"another model", "\"type\": \"BPE\"", "\"type\": \"Unigram\"", "the model is Unigram"},
        {"no mark of a word's end", "\"</w>\"", "\"\"", "the model's end_of_word_suffix"},
        {"a mark of a word's inside", "\"continuing_subword_prefix\": \"\"",
         "\"continuing_subword_prefix\": \"##\"", "continuing_subword_prefix is ##"},
        {"bytes in place of what is unknown", "\"byte_fallback\": false", "\"byte_fallback\": true",
         "byte_fallback is true"},
        {"ignored merges", "\"ignore_merges\": false", "\"ignore_merges\": true", "ignore_merges"},
        {"dropout", "\"dropout\": null", "\"dropout\": 0.1", "the model's dropout is a number"},
        {"a vocabulary that is a list", "\"vocab\": {", "\"vocab\": [], \"x\": {",
         "\"vocab\" must be an object"},
        {"an id twice", "\"\\\"\": 1", "\"\\\"\": 0", "both have id 0"},
        {"a negative id", "\"the</w>\": ", "\"the</w>\": -", "the token \"the</w>\" has -"},
        {"no merges", "\"merges\":", "\"mergers\":", "\"merges\" must be a list"},
        {"a merge of one", "[\"t\", \"h\"]", "[\"t\"]", "merge 2: expected two tokens"},
        {"a merge of three", "[\"t\", \"h\"]", "[\"t\", \"h\", \"e\"]", "expected two tokens"},
        {"a merge of numbers", "[\"t\", \"h\"]", "[1, 2]", "expected two tokens"},
        {"a merge as a text", "[\"t\", \"h\"]", "\"t h\"", NULL},
        {"a text of three", "[\"t\", \"h\"]", "\"t h e\"", "expected two tokens"},
        {"a merge twice", "[\"t\", \"h\"]", "[\"t\", \"h\"], [\"t\", \"h\"]", "stands there twice"},
        {"a part that is no token", "[\"t\", \"h\"]", "[\"t\", \"zqzqzq\"]",
         "\"zqzqzq\" is not in the model's vocab"},
        {"added tokens that are no list", "\"added_tokens\": [", "\"added_tokens\": 5, \"x\": [",
         "\"added_tokens\" must be a list"},
        {"an added token over another id", "\"id\": 2512", "\"id\": 5", "has id 5; expected 2512"},
        {"an added token that is a number", "\"added_tokens\": [", "\"added_tokens\": [7, ",
         "must be a list of objects"},
        {"single words", "\"single_word\": false", "\"single_word\": true", "single_word"},
        {"text that is not JSON", "{", "", "line 2"},
    };
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++)
        test_whole_edit(&edits[i]);
}

/* Which of two kinds of files is read where both are there. */
static void test_both(void)
{
    SlError err = {0};
    char *folder = new_folder(), *text = whole_tokenizer(folder, "sd1", false);
    write_file(folder, "tokenizer.json", text, strlen(text));
    SlTokenizer *t = sl_tokenizer_open(folder, &err);
    sl_test(t && sl_tokenizer_rules(t) == SL_TOKENS_TRANSFORMERS_4,
            "vocab.json before tokenizer.json: %s", err.message);
    sl_tokenizer_close(t);
    const char *config = "{\"backend\": \"tokenizers\"}";
    write_file(folder, "tokenizer_config.json", config, strlen(config));
    t = sl_tokenizer_open(folder, &err);
    sl_test(t && sl_tokenizer_rules(t) == SL_TOKENS_TRANSFORMERS_5,
            "tokenizer.json where transformers 5 saved last: %s", err.message);
    sl_tokenizer_close(t);
    free(text);
    remove_folder(folder);
}

static void test_folders(void)
{
    SlError err = {0};
    sl_test(!sl_tokenizer_open("/nowhere/at/all", &err) && strstr(err.message, "/nowhere/at/all"),
            "a folder that does not exist: %s", err.message);
    char long_path[5001];
    memset(long_path, 'x', sizeof long_path - 1);
    long_path[sizeof long_path - 1] = 0;
    err = (SlError){0};
    sl_test(!sl_tokenizer_open(long_path, &err) && err.code == SL_IO, "a path that is too long");
    sl_test(!sl_tokenizer_open("/nowhere", NULL), "no place for the error");
    sl_tokenizer_close(NULL);
}

int main(void)
{
    test_vocab();
    test_merges();
    test_settings();
    test_whole();
    test_both();
    test_folders();
    return sl_test_done();
}
