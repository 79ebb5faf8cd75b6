/* sl-prompt-reader.h - what a prompt says, for whoever shows it while it is typed: tokens and chunks, which words are
 * weighed, which are not used, and where a bracket is wrong.
 *
 * Texts are read on a thread of their own with the tokenizer of the chosen model, which is opened once. Offsets
 * count characters.
 */
#pragma once

#include "app/objects/sl-model-item.h"

G_BEGIN_DECLS

/* What stretches of a prompt are; at an offset there may be several of them. */
typedef enum
{
  SL_PROMPT_STRONGER, /* its weight is above 1 */
  SL_PROMPT_WEAKER,
  SL_PROMPT_SIGNS,  /* of the language: brackets, weights, tags */
  SL_PROMPT_UNUSED, /* behind the limit */
  SL_PROMPT_FAULTY, /* the sign that is wrong */
  SL_PROMPT_N_MARKS
} SlPromptMark;

typedef struct
{
  SlPromptMark mark;
  int begin, end;
} SlPromptRange;

/* Words of one chunk that follow one another. */
typedef struct
{
  int begin, chunk, tokens;
} SlPromptWord;

typedef struct
{
  gboolean counted; /* FALSE: there is no tokenizer, or the text cannot be read: the numbers are 0 */
  double prompts;   /* that it stands for as a template, of which one is counted; 0: it is none */
  int tokens, limit, unused, chunks;
  GArray *ranges;         /* SlPromptRange */
  GArray *words;          /* SlPromptWord */
  const char *fault;      /* of the first one, to be translated: "this bracket is not closed"; NULL: none */
  int fault_at;           /* its sign */
  char *problem;          /* why the text cannot be read at all; NULL: it can */
  gboolean plain_choices; /* it has what looks like a template's, and they are plain text */
  gboolean plain_weights; /* it has what looks like weights, and they are plain text */
} SlPromptReading;

/* Tokens of the text's chunk that an offset is in, and its number from 0. */
int sl_prompt_reading_chunk_at (const SlPromptReading *self, int offset, int *tokens);

/* What a place in a prompt may be completed with. */
typedef enum
{
  SL_PROMPT_LORAS,
  SL_PROMPT_EMBEDDINGS,
  SL_PROMPT_N_NAMES
} SlPromptNames;

#define SL_TYPE_PROMPT_READER (sl_prompt_reader_get_type ())

G_DECLARE_FINAL_TYPE (SlPromptReader, sl_prompt_reader, SL, PROMPT_READER, GObject)

typedef void (*SlPromptRead) (const SlPromptReading *reading, gpointer user_data);

/* Signal "changed": the same text may be read in another way now. Property "dynamic": SlDynamic, whether prompts are
 * templates. */
SlPromptReader *sl_prompt_reader_new (void);
/* Ends the thread; nothing is read any more. */
void sl_prompt_reader_close (SlPromptReader *self);
void sl_prompt_reader_set_model (SlPromptReader *self, SlModelItem *model);
/* Whether the chosen model reads other languages than plain text. */
gboolean sl_prompt_reader_has_modes (SlPromptReader *self);
/* Reads text as the prompt, or negative prompt, of settings. read is called on the main thread, unless user_data is
 * gone then, or the reader is closed. */
void sl_prompt_reader_read (SlPromptReader *self,
                            const char *text,
                            gboolean negative,
                            SlSettings *settings,
                            SlPromptRead read,
                            GObject *user_data);

/* Names for completion, ended by NULL; never NULL. */
const char *const *sl_prompt_reader_get_names (SlPromptReader *self, SlPromptNames kind);
/* The folder of models that is looked into first, "" none: names are looked for again, in the background. */
void sl_prompt_reader_set_folder (SlPromptReader *self, const char *preferred);

G_END_DECLS
