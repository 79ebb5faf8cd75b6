/* sl-embedding-file.h - a file of a textual inversion from anywhere, as a recipe names it. */
#pragma once

#include "app/objects/sl-thread-queue.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* What was found, borrowed during the call. is_embedding FALSE: it is something else. */
typedef struct
{
  gboolean is_embedding;
  const char *use;     /* for the setting "embedding"; NULL with an error */
  const char *word;    /* that stands for it in prompts */
  const GError *error; /* or NULL */
} SlEmbeddingAnswer;

typedef void (*SlEmbeddingAnswered) (const SlEmbeddingAnswer *answer, gpointer user_data);

/* Looks at it on the file thread; it is found by its path from then on. answered is called on the main thread. */
void sl_embedding_file_look (SlThreadQueue *files,
                             const char *path,
                             SlEmbeddingAnswered answered,
                             gpointer user_data);

G_END_DECLS
