/* sl-word-view.h - what each word of the prompt does at the step that the tray shows: a row of words, each with its map,
 * and the map of one that is touched, to be laid over the picture.
 *
 * All that it shows is of the step that it was given last. A word stays touched when another step, or another run with
 * that word, is shown.
 */
#pragma once

#include "app/objects/objects.h"
#include <adwaita.h>

G_BEGIN_DECLS

#define SL_TYPE_WORD_VIEW (sl_word_view_get_type ())

G_DECLARE_FINAL_TYPE (SlWordView, sl_word_view, SL, WORD_VIEW, AdwBin)

/* Signal "touched": the overlay is another one. */
void sl_word_view_set_preferences (SlWordView *self, GSettings *preferences);
/* frame NULL: there is no step yet. */
void sl_word_view_show (SlWordView *self, SlJob *job, SlFrameObject *frame, SlView view);
/* The word's map for the picture of the shown step; NULL where none is touched, or it has no map. */
GdkTexture *sl_word_view_get_overlay (SlWordView *self);
/* Of the words as they stand in the row; -1: none. */
int sl_word_view_get_touched (SlWordView *self);
void sl_word_view_touch (SlWordView *self, int word);
/* What the row says instead of words, or NULL. */
const char *sl_word_view_get_message (SlWordView *self);
/* "lake", for a file's name; NULL where no word is touched. */
char *sl_word_view_dup_name (SlWordView *self);
/* The touched word's map over the picture as a PNG. */
gboolean sl_word_view_save (SlWordView *self, const char *path, GError **error);

G_END_DECLS
