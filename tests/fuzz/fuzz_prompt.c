/* fuzz_prompt.c - the first byte chooses the prompt mode and whether it is a negative prompt, the rest
 * is the prompt: read, split into tokens, shown. */
#include "tests/fuzz/fuzz.h"

#include "engine/text/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static SlTokenizer *tokenizer;
    SlError err = {0};
    if (size == 0)
        return 0;
    if (!tokenizer &&
        !(tokenizer = sl_tokenizer_open(fuzz_tests("goldens/model/sd2/tokenizer"), &err))) {
        fprintf(stderr, "%s\n", err.message);
        abort();
    }
    char *text = strndup((const char *)data + 1, size - 1);
    const SlPromptAsk ask = {(SlPromptMode)(data[0] % SL_PROMPT_MODES), text, (data[0] & 64) != 0,
                             20};
    SlPrompt *prompt = text ? sl_prompt_read(&ask, &err) : NULL;
    if (!prompt && (err.code == SL_OK || !*err.message))
        abort();
    for (int i = 0; prompt && ask.mode != SL_PROMPT_PLAIN && i < prompt->parts; i++) {
        const SlPromptTokensAsk of = {prompt, i, text, tokenizer, NULL, 0};
        SlPromptTokens *tokens = sl_prompt_tokens(&of, &err);
        for (int t = 0; tokens && t < tokens->texts; t++)
            if (sl_prompt_tokens_rows(tokens, t) < tokens->length)
                abort();
        sl_prompt_tokens_free(tokens);
    }
    SlPromptSpans spans;
    if (prompt && sl_prompt_spans(&ask, tokenizer, NULL, &spans, &err)) {
        for (int i = 0; i < spans.spans; i++)
            if (spans.span[i].begin < 0 || spans.span[i].end > (int)strlen(text) ||
                spans.span[i].begin >= spans.span[i].end)
                abort();
        sl_prompt_spans_free(&spans);
    }
    sl_prompt_free(prompt);
    free(text);
    return 0;
}
