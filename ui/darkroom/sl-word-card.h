/* sl-word-card.h - a word of the prompt as a button: its map over the small picture of the shown step, how much it was
 * looked at step by step, and the word. */
#pragma once

#include "app/objects/objects.h"
#include <gtk/gtk.h>

G_BEGIN_DECLS

#define SL_TYPE_WORD_CARD (sl_word_card_get_type ())

G_DECLARE_FINAL_TYPE (SlWordCard, sl_word_card, SL, WORD_CARD, GtkToggleButton)

/* text is the word, as people read it. */
GtkWidget *sl_word_card_new (const char *text);
const char *sl_word_card_get_text (SlWordCard *self);
/* NULL: there is no map at this step. share: 0 to 1. */
void sl_word_card_show (SlWordCard *self, GdkTexture *texture, double share);
/* A share for each step, not finite where there is none, and the shown one among them (-1: none); most is at the
 * chart's top. Copied. */
void sl_word_card_set_shares (SlWordCard *self, const double *shares, guint n, int shown, double most);

G_END_DECLS
