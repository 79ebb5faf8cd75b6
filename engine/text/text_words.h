/* text_words.h - the words of a text that an evaluation is told, and which rows of the hidden states
 * are theirs: for showing what each word does. */
#ifndef SL_ENGINE_TEXT_WORDS_H
#define SL_ENGINE_TEXT_WORDS_H

#include "engine/text/prompt_tokens.h"

/* What stands between blanks, without punctuation round it. */
typedef struct SlTextWord {
    int begin, end; /* bytes of the prompt */
    int row, rows; /* the first of its hidden states, and how many; rows that begin and end a chunk,
                       where a word goes on in the next, are not counted and not its own */
    double weight;
} SlTextWord;

typedef struct SlTextWords {
    SlTextWord *word; /* in the order of the rows */
    int words;
    int length; /* rows of a chunk */
} SlTextWords;

typedef struct SlTextWordsAsk {
    const char *typed; /* the whole prompt */
    const SlTokenizer *tokenizer;
    /* Where the prompt mode has a grammar; NULL: the typed text is taken as it is, cut off behind one
     * chunk. */
    const SlPrompt *prompt;
    const SlPromptTokens *tokens;
    int part, text; /* which text of which part */
} SlTextWordsAsk;

/* Adds to *out, which starts as {0} and is the caller's to free; words without a row are left out.
 * False and *err without memory, or as sl_tokenize fails. */
bool sl_text_words(const SlTextWordsAsk *ask, SlTextWords *out, SlError *err);
void sl_text_words_free(SlTextWords *words);

#endif
