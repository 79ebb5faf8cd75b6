/* sl-film-strip.h - the moments of a run side by side, filled as they come; a slider over time.
 *
 * The strip shows as many pictures as fit into its width. Where there are more moments than that, every place along
 * it is still a moment of its own. Position is an index into the frames; the cursor follows the
 * newest one until a person chooses another.
 */
#pragma once

#include <gtk/gtk.h>

#include "app/objects/objects.h"

G_BEGIN_DECLS

#define SL_TYPE_FILM_STRIP (sl_film_strip_get_type ())

G_DECLARE_FINAL_TYPE (SlFilmStrip, sl_film_strip, SL, FILM_STRIP, GtkWidget)

/* Signal "picked": a person went to another moment. */
void sl_film_strip_set_job (SlFilmStrip *self, SlJob *job);
/* Clamped to what is there. */
int sl_film_strip_get_position (SlFilmStrip *self);
/* The noise that the run begins with, when a person is there: before the first moment, at position -1. It is no moment: it
 * has no step before it, and nothing branches there. Else NULL. Borrowed. */
GdkTexture *sl_film_strip_get_noise (SlFilmStrip *self);
/* The moment under the cursor, or NULL. */
SlFrameObject *sl_film_strip_get_frame (SlFilmStrip *self);
/* As if a person went there: emits "picked". */
void sl_film_strip_pick (SlFilmStrip *self, int position);
gboolean sl_film_strip_is_following (SlFilmStrip *self);
void sl_film_strip_set_view (SlFilmStrip *self, SlView view);

G_END_DECLS
