/* sl-word-pair.c - see sl-word-pair.h. */
#include "ui/compare/sl-word-pair.h"

#include <glib/gi18n.h>
#include <math.h>

#include "ui/compare/sl-tile.h"
#include "ui/widgets/sl-button-name.h"
#include "ui/widgets/sl-word-name.h"

#define PLACES 64 /* of a map's longer side */

enum
{
  TILE_LANE,
  TILE_REFERENCE,
  TILE_DIFFERENCE,
  N_TILES
};

struct _SlWordPair
{
  AdwBin parent_instance;
  GtkDropDown *choice;
  GtkWidget *missing; /* what is said instead */
  SlTile *tile[N_TILES];

  SlLaneMoment lane; /* frames are held */
  SlLaneMoment reference;
  SlFrameObject *words; /* whose words the choice has */
  int word;             /* of that frame; -1: none */
  gboolean filling;
};

G_DEFINE_FINAL_TYPE (SlWordPair, sl_word_pair, ADW_TYPE_BIN)

/* ---- tiles ---- */

static void
show_map (
    SlWordPair *self, guint tile, const SlLaneMoment *lane, const SlWordMap *map, const SlWordScale *scale)
{
  int width, height;
  g_autoptr (GBytes) rgb
      = sl_frame_object_draw_word (lane->frame, SL_VIEW_PICTURE, map, scale, &width, &height);
  g_autofree char *name = sl_word_name (self->words, (guint)self->word);
  g_autofree char *title = g_strdup_printf (_ ("“%s” in lane %d"), name, (int)lane->number);

  sl_tile_show (self->tile[tile], rgb, width, height, title);
}

static void
show_difference (SlWordPair *self, const SlWordMap *a, const SlWordMap *b)
{
  g_autofree SlWordMap *difference = sl_word_map_subtract (a, b);
  g_autofree char *most = NULL, *title = NULL;
  g_autoptr (GBytes) rgb = NULL;
  double high;

  if (difference == NULL)
    return;
  high = fmax (fabs (difference->low), fabs (difference->high));
  most = g_strdup_printf (_ ("%.2g %%"), 100 * high);
  title = g_strdup_printf (_ ("Lane %d − lane %d, up to %s"), (int)self->lane.number,
                           (int)self->reference.number, most);
  rgb = sl_word_map_draw_difference (difference, high);
  sl_tile_show (self->tile[TILE_DIFFERENCE], rgb, difference->width, difference->height, title);
}

/* NULL where the lane was not told the word. */
static SlWordMap *
find_map (SlWordPair *self, const SlLaneMoment *lane)
{
  int word = lane->frame && self->word >= 0 && sl_frame_object_count_words (lane->frame) > 0
                 ? sl_frame_object_find_word (lane->frame, self->words, (guint)self->word)
                 : -1;

  return word >= 0 ? sl_frame_object_get_word_map (lane->frame, (guint)word, SL_WORD_ALL_LEVELS, PLACES)
                   : NULL;
}

static void
show_maps (SlWordPair *self)
{
  g_autofree SlWordMap *own = find_map (self, &self->lane);
  g_autofree SlWordMap *other
      = self->reference.number != self->lane.number ? find_map (self, &self->reference) : NULL;
  SlWordScale scale = { own ? own->low : 0, own ? own->high : 0 };

  for (guint i = 0; i < N_TILES; i++)
    sl_tile_show (self->tile[i], NULL, 0, 0, NULL);
  if (own && other)
    scale = (SlWordScale){ MIN (own->low, other->low), MAX (own->high, other->high) };
  else if (other)
    scale = (SlWordScale){ other->low, other->high };
  if (own)
    show_map (self, TILE_LANE, &self->lane, own, &scale);
  if (other)
    show_map (self, TILE_REFERENCE, &self->reference, other, &scale);
  if (own && other)
    show_difference (self, own, other);
}

guint
sl_word_pair_count_maps (SlWordPair *self)
{
  guint n = 0;

  for (guint i = 0; i < N_TILES; i++)
    n += gtk_widget_get_visible (GTK_WIDGET (self->tile[i]));
  return n;
}

/* ---- words ---- */

static void
fill_choice (SlWordPair *self, SlFrameObject *frame)
{
  g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);

  if (self->words && self->word >= 0)
    self->word = sl_frame_object_find_word (frame, self->words, (guint)self->word);
  g_set_object (&self->words, frame);
  gtk_string_list_append (names, _ ("No word"));
  for (guint i = 0; i < sl_frame_object_count_words (frame); i++)
    {
      g_autofree char *name = sl_word_name (frame, i);

      gtk_string_list_append (names, name);
    }
  self->filling = TRUE;
  gtk_drop_down_set_model (self->choice, G_LIST_MODEL (names));
  gtk_drop_down_set_selected (self->choice, (guint)(self->word + 1));
  self->filling = FALSE;
}

static void
word_chosen (SlWordPair *self)
{
  if (self->filling)
    return;
  self->word = (int)gtk_drop_down_get_selected (self->choice) - 1;
  show_maps (self);
}

static void
set_moment (SlLaneMoment *self, const SlLaneMoment *moment)
{
  g_set_object (&self->frame, moment->frame);
  self->number = moment->number;
}

void
sl_word_pair_show (SlWordPair *self, const SlLaneMoment *lane, const SlLaneMoment *reference)
{
  gboolean has = lane->frame && sl_frame_object_count_words (lane->frame) > 0;

  set_moment (&self->lane, lane);
  set_moment (&self->reference, reference);
  if (has && (self->words == NULL || !sl_frame_object_has_same_words (self->words, lane->frame)))
    fill_choice (self, lane->frame);
  gtk_widget_set_visible (GTK_WIDGET (self->choice), has);
  gtk_widget_set_visible (self->missing, !has);
  show_maps (self);
}

/* ---- class ---- */

static void
add_missing (SlWordPair *self, GtkBox *row)
{
  GtkWidget *button = gtk_toggle_button_new_with_mnemonic (_ ("Maps of _Words"));

  gtk_actionable_set_action_name (GTK_ACTIONABLE (button), "win.word-maps");
  gtk_widget_set_tooltip_text (button, _ ("From the next run on, lanes keep what each word does"));
  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  gtk_box_append (row, button);
  self->missing = button;
}

static void
sl_word_pair_dispose (GObject *object)
{
  SlWordPair *self = SL_WORD_PAIR (object);

  g_clear_object (&self->lane.frame);
  g_clear_object (&self->reference.frame);
  g_clear_object (&self->words);
  G_OBJECT_CLASS (sl_word_pair_parent_class)->dispose (object);
}

static void
sl_word_pair_class_init (SlWordPairClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = sl_word_pair_dispose;
}

static void
sl_word_pair_init (SlWordPair *self)
{
  GtkBox *row = GTK_BOX (gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 12));
  static const char *const nothing[] = { NULL };

  self->word = -1;
  self->choice = GTK_DROP_DOWN (gtk_drop_down_new_from_strings (nothing));
  sl_button_name_in_list (self->choice);
  gtk_widget_set_valign (GTK_WIDGET (self->choice), GTK_ALIGN_CENTER);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->choice), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Word whose maps are shown"), -1);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->choice), _ ("Word whose maps are shown"));
  gtk_box_append (row, GTK_WIDGET (self->choice));
  add_missing (self, row);
  for (guint i = 0; i < N_TILES; i++)
    self->tile[i] = sl_tile_append (row);
  adw_bin_set_child (ADW_BIN (self), GTK_WIDGET (row));
  g_signal_connect_object (self->choice, "notify::selected", G_CALLBACK (word_chosen), self,
                           G_CONNECT_SWAPPED);
}
