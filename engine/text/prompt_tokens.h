/* prompt_tokens.h - the tokens of a prompt, in chunks that a text encoder takes at a time, with their
 * weights, as each mode's program makes them.
 *
 * Mirrors A1111's sd_hijack_clip.py (tokenize_line), ComfyUI's sd1_clip.py (tokenize_with_weights) and
 * compel's embeddings_provider.py with truncate_long_prompts=False, as CompelForSD has it. What the
 * encoder's states become is engine/pipelines/prompt_encode.c's. */
#ifndef SL_ENGINE_PROMPT_TOKENS_H
#define SL_ENGINE_PROMPT_TOKENS_H

#include "engine/text/prompt.h"
#include "engine/text/tokenizer.h"

/* A textual inversion, as prompts may name it. */
typedef struct SlPromptVectors {
    const char *name; /* bare: of a1111 and comfyui the file's name without its ending */
    int first, count; /* ids of its vectors: those behind the tokenizer's vocabulary */
} SlPromptVectors;

typedef struct SlTokenRow {
    int id;
    float weight;
    int piece, ordinal; /* the token's number among those of a piece of the phrase; -1: of none */
} SlTokenRow;

/* What is encoded at once: its hidden states times factor are added to the section's. */
typedef struct SlTokenTerm {
    double factor;
    int phrase;      /* of the section; -1: the empty prompt */
    SlTokenRow *row; /* [chunks of the section * length] */
    int mask[2]; /* rows from .. to, but for each chunk's first and last one, that nothing attends
                        to; both 0: none */
} SlTokenTerm;

typedef struct SlTokenSection {
    int chunks;
    SlTokenTerm *term;
    int terms;
} SlTokenSection;

typedef struct SlTokenText {
    SlTokenSection *section; /* one behind the other */
    int sections;
    int turns; /* of the schedule that this text is in */
} SlTokenText;

/* Of one part of a prompt for one tokenizer. */
typedef struct SlPromptTokens {
    SlPromptMode mode;
    SlEmphasis emphasis;
    int length; /* of a chunk, with its start and end */
    int *empty; /* [length]: a chunk without words */
    int *
        whole; /* [length]: compel: of the text as it was typed, cut off; its pooled state is used */
    SlTokenText *text;
    int texts;
    char identity[65]; /* equal ones are encoded to the same states */
} SlPromptTokens;

typedef struct SlPromptTokensAsk {
    const SlPrompt *prompt;
    int part;
    const char *text; /* the prompt as it was typed */
    const SlTokenizer *tokenizer;
    const SlPromptVectors *vectors; /* NULL: none */
    int vectors_count;
} SlPromptTokensAsk;

/* In modes that go by diffusers' tokens (plain, compel) the tokenizer has the vectors, and the ask none. */
SlPromptTokens *sl_prompt_tokens(const SlPromptTokensAsk *ask, SlError *err);
/* For them: the tokenizer with "<cat>" and, of the further vectors, "<cat>_1". Given back with
 * sl_tokenizer_without; NULL and *err without memory. */
SlTokenizer *sl_tokenizer_with_vectors(const SlTokenizer *t, const SlPromptVectors *vectors,
                                       int count, SlError *err);
void sl_prompt_tokens_free(SlPromptTokens *tokens); /* NULL is fine */
/* Rows of a text's hidden states. */
int sl_prompt_tokens_rows(const SlPromptTokens *tokens, int text);

/* Chunks without words behind each text, up to so many rows; compel does that to the shorter of prompt
 * and negative prompt. */
bool sl_prompt_tokens_pad(SlPromptTokens *tokens, int rows, SlError *err);

/* Where the tokens of a prompt stand in it, for showing: words in the order of the prompt, each with
 * what its tokens are in the first text that it is in. Words of no token (signs of the language, cut
 * tags) are in no span. */
typedef struct SlPromptSpan {
    int begin, end; /* bytes of the prompt */
    int tokens;
    int part;  /* of AND */
    int chunk; /* that its first token lies in, counted through all sections */
    double weight;
} SlPromptSpan;

typedef struct SlPromptSpans {
    SlPromptSpan *span;
    int spans;
    int tokens, chunks; /* of the longest text of the longest part */
    int dropped;        /* tokens that the encoder is not shown (plain: behind the limit) */
    int limit;          /* tokens that fit into a chunk */
} SlPromptSpans;

/* The embeddings that a prompt may name; names are the list's. */
typedef struct SlNamedVectors {
    SlPromptVectors *vectors;
    int count;
} SlNamedVectors;
void sl_named_vectors_free(SlNamedVectors *names);

/* *out is the caller's to free; names may be NULL. False and *err without memory, or as sl_prompt_read fails.
 * A pure function of the text, the names and the tokenizer, for any thread. */
bool sl_prompt_spans(const SlPromptAsk *ask, const SlTokenizer *tokenizer,
                     const SlNamedVectors *names, SlPromptSpans *out, SlError *err);
void sl_prompt_spans_free(SlPromptSpans *spans);

#endif
