/* sl-word-pair.h - what a word did in two lanes at the places that are shown of them: its maps side by side, in one
 * scale of colours, and their difference. A word that was chosen stays so when other steps or lanes are shown. */
#pragma once

#include "app/objects/objects.h"
#include <adwaita.h>

G_BEGIN_DECLS

#define SL_TYPE_WORD_PAIR (sl_word_pair_get_type ())

G_DECLARE_FINAL_TYPE (SlWordPair, sl_word_pair, SL, WORD_PAIR, AdwBin)

/* What is shown of a lane; frame may be NULL. */
typedef struct
{
  SlFrameObject *frame;
  guint number; /* of the lane, from 1 */
} SlLaneMoment;

/* reference is the lane's own where it is the one that others are measured against. */
void sl_word_pair_show (SlWordPair *self, const SlLaneMoment *lane, const SlLaneMoment *reference);
/* How many maps there are to see: none without a word, the lane's, or both with the difference. */
guint sl_word_pair_count_maps (SlWordPair *self);

G_END_DECLS
