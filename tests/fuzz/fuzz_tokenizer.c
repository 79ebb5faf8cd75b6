/* fuzz_tokenizer.c - the first byte chooses one of the files of a tokenizer folder (from 0xf0 on
 * tokenizer.json, which is read in place of the vocabulary's other two then), the rest is what
 * stands in it; the others are those of a good tokenizer. What opens must make ids of its
 * vocabulary out of any text, and a text out of them.
 */
#include "tests/fuzz/fuzz.h"

#include "engine/engine.h"
#include "engine/text/tokenizer.h"

#include <stdlib.h>

static const char *const files[] = {"vocab.json", "merges.txt", "tokenizer_config.json",
                                    "special_tokens_map.json", "added_tokens.json"};
#define FILES  (sizeof files / sizeof *files)
#define CONFIG 2 /* tokenizer_config.json */

/* Of a folder that transformers 5 saved. */
static const char config[] = "{\"backend\": \"tokenizers\", \"model_max_length\": 77}";

static void check_text(const SlTokenizer *t, const char *text)
{
    int *ids = NULL, count = 0, size = sl_tokenizer_vocab_size(t);
    SlError err = {0};
    if (!sl_tokenize(t, text, &ids, &count, &err)) {
        if (err.code == SL_OK || !*err.message)
            abort();
        return;
    }
    for (int i = 0; i < count; i++)
        if (ids[i] < 0 || ids[i] >= size)
            abort(); /* a row that the text encoder does not have */
    char *back = sl_detokenize(t, ids, count);
    if (!back)
        abort();
    free(back);
    free(ids);
}

static void check_padded(const SlTokenizer *t)
{
    char *unused = NULL;
    int unused_count = 0;
    SlError err = {0};
    int length = sl_tokenizer_max_length(t);
    int *ids = length > 0 && length < 4096 ? malloc((size_t)length * sizeof *ids) : NULL;
    if (ids &&
        !sl_tokenize_padded(t, "a red house, by a lake's side", ids, &unused, &unused_count,
                            &err) &&
        !*err.message)
        abort();
    free(unused);
    free(ids);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int last = -1;
    SlError err = {0};
    if (size == 0)
        return 0;
    bool whole = data[0] >= 0xf0;
    int which = whole ? CONFIG : (int)(data[0] % FILES);
    for (int i = 0; i < (int)FILES; i++) /* the good ones are there already, but for the last */
        if (last < 0 || i == last)
            fuzz_put_good(fuzz_folder(), "goldens/model/sd1/tokenizer", files[i]);
    last = which;
    if (whole)
        fuzz_put(fuzz_folder(), files[CONFIG], config, sizeof config - 1);
    fuzz_put(fuzz_folder(), whole ? "tokenizer.json" : files[which], data + 1, size - 1);
    SlTokenizer *t = sl_tokenizer_open(fuzz_folder(), &err);
    if (!t && (err.code == SL_OK || !*err.message))
        abort();
    if (t) {
        for (int i = 0; i < SL_TOKEN_RULES; i++)
            check_text(sl_tokenizer_as(t, (SlTokenRules)i),
                       "A red house, 1234; caf\xc3\xa9 \xe5\xb1\xb1 <|endoftext|> don't\n");
        check_text(t, "");
        check_padded(t);
    }
    sl_tokenizer_close(t);
    return 0;
}
