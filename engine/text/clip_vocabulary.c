/* clip_vocabulary.c - the vocabulary of every CLIP text encoder, for files that carry none.
 *
 * Mirrors the vocabulary of OpenAI's CLIP (clip/simple_tokenizer.py), which transformers' folders
 * hold as vocab.json and merges.txt, and the settings of the tokenizer folders that diffusers'
 * from_single_file takes for a checkpoint. Easy to get wrong: the ids of single bytes follow their
 * characters, not the bytes; models that pad with "!" cut every "!" out of a text (tokenizer.c).
 */
#include "engine/text/tokenizer_reader.h"

#include "engine/text/clip_merges.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BYTES      256
#define MERGES     ((int)(sizeof merges / sizeof *merges))
#define START      (2 * BYTES + MERGES) /* 49406 */
#define END        (START + 1)
#define SIZE       (START + 2)
#define MAX_LENGTH 77

/* Which byte the i-th of the byte characters stands for: first those that stand for themselves. */
static void order_bytes(unsigned char byte_of[BYTES])
{
    int at = 0;
    for (int themselves = 1; themselves >= 0; themselves--)
        for (int b = 0; b < BYTES; b++)
            if ((sl_tokenizer_byte_char((unsigned char)b) == (unsigned)b) == themselves)
                byte_of[at++] = (unsigned char)b;
}

/* Bytes of all pieces with their 0; the lengths are added up as the merges are. */
static size_t text_bytes(size_t *length)
{
    size_t bytes = 64; /* the start and end words */
    for (int i = 0; i < START; i++) {
        if (i >= 2 * BYTES)
            length[i] = length[merges[i - 2 * BYTES][0]] + length[merges[i - 2 * BYTES][1]];
        bytes += length[i] + 1;
    }
    return bytes;
}

static void add_piece(SlTokenizer *t, char **at, int id, const char *first, const char *second)
{
    t->piece[id] = *at;
    *at += sprintf(*at, "%s%s", first, second) + 1;
}

static bool make_pieces(SlTokenizer *t)
{
    unsigned char byte_of[BYTES];
    size_t *length = malloc(START * sizeof *length);
    order_bytes(byte_of);
    for (int i = 0; length && i < BYTES; i++) {
        length[i] = sl_tokenizer_byte_char(byte_of[i]) < 0x80 ? 1 : 2;
        length[BYTES + i] = length[i] + strlen("</w>");
    }
    t->size = SIZE;
    t->vocab_text = length ? malloc(text_bytes(length)) : NULL;
    t->piece = calloc(SIZE, sizeof *t->piece);
    free(length);
    if (!t->vocab_text || !t->piece)
        return false;
    char *at = t->vocab_text, utf8[3];
    for (int i = 0; i < 2 * BYTES; i++) {
        sl_tokenizer_byte_text(byte_of[i % BYTES], utf8);
        add_piece(t, &at, i, utf8, i < BYTES ? "" : "</w>");
        (i < BYTES ? t->byte_symbol : t->byte_symbol_w)[byte_of[i % BYTES]] = i;
    }
    for (int i = 0; i < MERGES; i++)
        add_piece(t, &at, 2 * BYTES + i, t->piece[merges[i][0]], t->piece[merges[i][1]]);
    add_piece(t, &at, START, "<|startoftext|>", "");
    add_piece(t, &at, END, "<|endoftext|>", "");
    return true;
}

static bool add_merges(SlTokenizer *t)
{
    if (!sl_bpe_init(t, (size_t)MERGES))
        return false;
    for (int i = 0; i < MERGES; i++)
        sl_bpe_add(t, (SlMerge){merges[i][0], merges[i][1], 2 * BYTES + i, i});
    return true;
}

/* As the settings of their folders have it: the padding is a text alone there, and what is given so
 * is not "normalized" (tokenizer_settings.c). */
static bool add_specials(SlTokenizer *t, SlClipPad pad)
{
    const int ids[] = {START, END, 0};
    t->added = calloc(3, sizeof *t->added);
    t->added_count = !t->added ? 0 : pad == SL_CLIP_PAD_BANG ? 3 : 2;
    for (int i = 0; i < t->added_count; i++) {
        const char *text = t->piece[ids[i]];
        t->added[i] = (SlAddedToken){.text = strdup(text),
                                     .length = strlen(text),
                                     .id = ids[i],
                                     .special = true,
                                     .normalized = i == 0 || (i == 1 && pad == SL_CLIP_PAD_BANG)};
        t->added_starts[(unsigned char)*text] = true;
        if (!t->added[i].text)
            return false;
    }
    t->special[SL_BOS] = t->literal[0] = START;
    t->special[SL_EOS] = t->special[SL_UNK] = t->literal[1] = END;
    t->special[SL_PAD] = pad == SL_CLIP_PAD_BANG ? 0 : END;
    return t->added != NULL;
}

bool sl_clip_vocabulary(SlTokenizer *t, SlClipPad pad)
{
    t->max_length = MAX_LENGTH;
    t->rules = SL_TOKENS_TRANSFORMERS_4;
    return make_pieces(t) && add_merges(t) && add_specials(t, pad);
}
