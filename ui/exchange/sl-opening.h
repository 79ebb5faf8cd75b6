/* sl-opening.h - what files are by their names, and what becomes of several that come in together.
 *
 * Pictures are compared with each other. A comparison is opened by itself, and only one of them. LoRAs and embeddings
 * go into the recipe, whatever else comes with them; models are opened where nothing comes that brings its own.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What a file is inside, the readers find out. */
typedef enum
{
  SL_OPENING_COMPARISON,
  SL_OPENING_PICTURE,
  SL_OPENING_WEIGHTS,   /* a LoRA, an embedding or a model */
  SL_OPENING_EMBEDDING, /* or, as pickles, what is refused */
  SL_OPENING_MODEL,     /* a file or a folder */
  SL_OPENING_OTHER,
} SlOpeningKind;

SlOpeningKind sl_opening_kind (const char *path);

/* Of char *, borrowed from the paths that it was made of. */
typedef struct
{
  GPtrArray *pictures; /* to be compared; of a single one nothing but the picture is wanted */
  GPtrArray *others;   /* to be opened one after the other */
  GPtrArray *left;     /* not opened */
} SlOpening;

/* paths ends with NULL. Clear it. */
void sl_opening_init (SlOpening *self, const char *const *paths);
void sl_opening_clear (SlOpening *self);
/* What was opened and what was not, in one sentence; NULL where nothing is left. */
char *sl_opening_dup_text (const SlOpening *self);
/* What dropping them will do. */
const char *sl_opening_hint (const SlOpening *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SlOpening, sl_opening_clear)

G_END_DECLS
