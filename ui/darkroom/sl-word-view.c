/* sl-word-view.c - see sl-word-view.h. */
#include "ui/darkroom/sl-word-view.h"

#include <glib/gi18n.h>
#include <math.h>

#include "ui/darkroom/sl-word-card.h"
#include "ui/widgets/sl-button-name.h"
#include "ui/widgets/sl-canvas.h"
#include "ui/widgets/sl-focus.h"
#include "ui/widgets/sl-toolkit.h"
#include "ui/widgets/sl-word-name.h"

#define CARD_MAP 32   /* places of a small map's longer side */
#define WHOLE_MAP 192 /* of the one over the picture */

struct _SlWordView
{
  AdwBin parent_instance;
  GtkStack *stack;
  GtkLabel *message;
  GtkWidget *again;
  GtkLabel *title;
  GtkLabel *low;
  GtkLabel *high;
  GtkWidget *legend;
  GtkDropDown *levels;
  GtkBox *row;

  GSettings *preferences;
  SlJob *job;
  SlFrameObject *frame;
  SlView view;
  GPtrArray *cards;     /* of SlWordCard, by the number of the word; not held */
  GArray *shares;       /* of double: of each word at each frame that was there */
  SlFrameObject *words; /* whose words the cards are of */
  int touched;          /* -1: none */
  int level;            /* SL_WORD_ALL_LEVELS, or which */
  gboolean filling;     /* signals of what is set by the view itself are not heeded */
  gboolean told;        /* what came up when the view did */
  SlWordMap *map;       /* of the touched word */
  SlWordScale scale;
  GdkTexture *overlay;
};

G_DEFINE_FINAL_TYPE (SlWordView, sl_word_view, ADW_TYPE_BIN)

enum
{
  TOUCHED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void show_words (SlWordView *self);

/* ---- the words ---- */

static gboolean
is_of_prompt (SlWordView *self, guint word)
{
  return sl_frame_object_get_word_kind (self->frame, word) == SL_WORD_OF_PROMPT;
}

static gboolean
is_offered (SlWordView *self, guint word)
{
  return is_of_prompt (self, word) || g_settings_get_boolean (self->preferences, "word-ends");
}

static void
card_toggled (SlWordView *self, GtkToggleButton *card)
{
  guint word;

  if (!self->filling && g_ptr_array_find (self->cards, card, &word))
    sl_word_view_touch (self, gtk_toggle_button_get_active (card) ? (int)word : -1);
}

/* Buttons for the words of the frame; a word that was touched stays so. */
static void
make_cards (SlWordView *self)
{
  guint n = sl_frame_object_count_words (self->frame);
  GtkWidget *child;

  if (self->words && self->touched >= 0)
    self->touched = sl_frame_object_find_word (self->frame, self->words, (guint)self->touched);
  g_set_object (&self->words, self->frame);
  g_ptr_array_set_size (self->cards, 0);
  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self->row))))
    gtk_box_remove (self->row, child);
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *name = sl_word_name (self->frame, i);
      GtkWidget *card = sl_word_card_new (name);

      g_signal_connect_object (card, "toggled", G_CALLBACK (card_toggled), self, G_CONNECT_SWAPPED);
      gtk_box_append (self->row, card);
      g_ptr_array_add (self->cards, card);
    }
}

static void
make_levels (SlWordView *self)
{
  guint n = sl_frame_object_count_word_levels (self->frame);
  g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);

  if (g_list_model_get_n_items (gtk_drop_down_get_model (self->levels)) == n + 1)
    return;
  gtk_string_list_append (names, _ ("All layers"));
  for (guint i = 0; i < n; i++)
    {
      int width, height;
      g_autofree char *name = NULL;

      sl_frame_object_get_word_level (self->frame, i, &width, &height);
      name = g_strdup_printf ("%d × %d", width, height);
      gtk_string_list_append (names, name);
    }
  self->level = SL_WORD_ALL_LEVELS;
  gtk_drop_down_set_model (self->levels, G_LIST_MODEL (names));
}

/* ---- how much they were looked at ---- */

static double
share_at (SlWordView *self, SlFrameObject *frame, guint word)
{
  int own
      = sl_frame_object_count_words (frame) > 0 ? sl_frame_object_find_word (frame, self->frame, word) : -1;

  return own >= 0 && sl_frame_object_has_word (frame, (guint)own)
             ? sl_frame_object_get_word_share (frame, (guint)own, self->level)
             : NAN;
}

/* Those of frames that came since. */
static guint
find_shares (SlWordView *self)
{
  GListModel *frames = sl_job_get_frames (self->job);
  guint n = g_list_model_get_n_items (frames), words = self->cards->len;

  for (guint i = self->shares->len / MAX (words, 1); i < n; i++)
    {
      g_autoptr (SlFrameObject) frame = g_list_model_get_item (frames, i);

      for (guint word = 0; word < words; word++)
        {
          double share = share_at (self, frame, word);

          g_array_append_val (self->shares, share);
        }
    }
  return n;
}

static void
show_shares (SlWordView *self)
{
  guint n = find_shares (self), words = self->cards->len;
  g_autofree double *own = g_new (double, n + 1);
  double most = 0;

  for (guint word = 0; word < words; word++)
    for (guint i = 0; i < n && is_of_prompt (self, word); i++)
      most = fmax (most, g_array_index (self->shares, double, i *words + word));
  for (guint word = 0; word < words; word++)
    {
      for (guint i = 0; i < n; i++)
        own[i] = g_array_index (self->shares, double, i *words + word);
      sl_word_card_set_shares (self->cards->pdata[word], own, n, sl_frame_object_get_index (self->frame),
                               most);
    }
}

/* ---- maps ---- */

/* From 0 to the most of all words, or from its own least to its most. */
static SlWordScale
scale_of (SlWordView *self, const SlWordMap *map, double most)
{
  if (g_settings_get_boolean (self->preferences, "word-scale"))
    return (SlWordScale){ 0, most };
  return (SlWordScale){ map->low, map->high };
}

static void
show_card (SlWordView *self, guint word, const SlWordMap *map, double most)
{
  GtkWidget *card = self->cards->pdata[word];
  g_autoptr (GdkTexture) texture = NULL;

  gtk_widget_set_visible (card, is_offered (self, word));
  gtk_toggle_button_set_active (GTK_TOGGLE_BUTTON (card), self->touched == (int)word);
  if (map)
    {
      const SlWordScale scale = scale_of (self, map, most);
      int width, height;
      g_autoptr (GBytes) rgb
          = sl_frame_object_draw_word (self->frame, self->view, map, &scale, &width, &height);

      texture = sl_texture_new_rgb (rgb, width, height);
    }
  sl_word_card_show (SL_WORD_CARD (card), texture,
                     map ? sl_frame_object_get_word_share (self->frame, word, self->level) : 0);
}

static void
show_cards (SlWordView *self)
{
  guint n = self->cards->len;
  g_autofree SlWordMap **maps = g_new0 (SlWordMap *, n + 1);
  double most = 0;

  for (guint i = 0; i < n; i++)
    {
      maps[i] = is_offered (self, i) ? sl_frame_object_get_word_map (self->frame, i, self->level, CARD_MAP)
                                     : NULL;
      most = maps[i] && is_of_prompt (self, i) ? fmax (most, maps[i]->high) : most;
    }
  for (guint i = 0; i < n; i++)
    {
      show_card (self, i, maps[i], most);
      g_free (maps[i]);
    }
  self->scale.high = most;
}

static void
drop_map (SlWordView *self)
{
  g_clear_pointer (&self->map, g_free);
  g_clear_object (&self->overlay);
}

/* Of the touched word, over the picture. */
static void
make_overlay (SlWordView *self)
{
  g_autoptr (GBytes) rgba = NULL;

  drop_map (self);
  if (self->touched < 0 || !is_offered (self, (guint)self->touched))
    return;
  self->map = sl_frame_object_get_word_map (self->frame, (guint)self->touched, self->level, WHOLE_MAP);
  if (self->map == NULL)
    return;
  self->scale = scale_of (self, self->map, self->scale.high);
  rgba = sl_word_map_draw (self->map, &self->scale);
  self->overlay = gdk_memory_texture_new (self->map->width, self->map->height, GDK_MEMORY_R8G8B8A8, rgba,
                                          (gsize)self->map->width * 4);
}

static char *
make_title (SlWordView *self)
{
  int step = sl_frame_object_get_step (self->frame) + 1;
  g_autofree char *name = NULL, *share = NULL;

  if (self->touched < 0)
    return g_strdup_printf (_ ("Touch a word to see where the picture attended to it at step %d"), step);
  name = sl_word_name (self->frame, (guint)self->touched);
  if (self->map == NULL)
    return g_strdup_printf (_ ("“%s” was not told at step %d"), name, step);
  share = g_strdup_printf (
      _ ("%.2g %%"), 100 * sl_frame_object_get_word_share (self->frame, (guint)self->touched, self->level));
  return g_strdup_printf (_ ("“%s” got %s of the attention at step %d"), name, share, step);
}

static void
show_title (SlWordView *self)
{
  g_autofree char *title = make_title (self);
  g_autofree char *low
      = self->map ? g_strdup_printf (_ ("%.2g %%"), 100 * self->scale.low) : g_strdup (_ ("little"));
  g_autofree char *high
      = self->map ? g_strdup_printf (_ ("%.2g %%"), 100 * self->scale.high) : g_strdup (_ ("much"));

  gtk_label_set_text (self->title, title);
  gtk_label_set_text (self->low, low);
  gtk_label_set_text (self->high, high);
}

/* ---- instead of words ---- */

static const char *
find_message (SlWordView *self, gboolean *again)
{
  *again = FALSE;
  if (self->frame == NULL)
    return _ ("The words’ maps come with the first step");
  if (sl_frame_object_count_words (self->frame) == 0)
    {
      *again = sl_model_item_uses_prompt (sl_job_get_model (self->job));
      return *again ? _ ("This run was made without maps of its words") : _ ("This run was told no words");
    }
  for (guint i = 0; i < sl_frame_object_count_words (self->frame); i++)
    if (sl_frame_object_has_word (self->frame, i))
      return NULL;
  return sl_frame_object_is_cached (self->frame)
             ? _ ("A cached step looks at no words: maps come with whole evaluations")
             : _ ("No maps of the words were kept of this step");
}

static void
show_message (SlWordView *self, const char *message, gboolean again)
{
  drop_map (self);
  gtk_label_set_text (self->message, message);
  gtk_widget_set_visible (self->again, again);
  gtk_stack_set_visible_child_name (self->stack, "message");
}

const char *
sl_word_view_get_message (SlWordView *self)
{
  return g_strcmp0 (gtk_stack_get_visible_child_name (self->stack), "message") == 0
             ? gtk_label_get_text (self->message)
             : NULL;
}

/* ---- all of it ---- */

/* The keyboard stays where it was when the words come up, so a screen reader is told what has come. */
static void
tell (SlWordView *self, const char *text)
{
  if (!self->told)
    sl_toolkit_announce (GTK_WIDGET (self), text);
  self->told = TRUE;
}

static void
show_words (SlWordView *self)
{
  gboolean again;
  const char *message;

  if (self->job == NULL || !gtk_widget_get_visible (GTK_WIDGET (self)))
    {
      self->told = FALSE;
      drop_map (self);
      return;
    }
  message = find_message (self, &again);
  if (message)
    {
      show_message (self, message, again);
      tell (self, message);
      return;
    }
  self->filling = TRUE;
  if (self->words == NULL || !sl_frame_object_has_same_words (self->words, self->frame))
    {
      make_cards (self);
      g_array_set_size (self->shares, 0);
    }
  make_levels (self);
  show_shares (self);
  show_cards (self);
  make_overlay (self);
  self->filling = FALSE;
  show_title (self);
  gtk_stack_set_visible_child_name (self->stack, "words");
  tell (self, gtk_label_get_text (self->title));
}

void
sl_word_view_show (SlWordView *self, SlJob *job, SlFrameObject *frame, SlView view)
{
  if (g_set_object (&self->job, job))
    g_array_set_size (self->shares, 0);
  g_set_object (&self->frame, frame);
  self->view = view;
  show_words (self);
}

GdkTexture *
sl_word_view_get_overlay (SlWordView *self)
{
  return self->overlay;
}

int
sl_word_view_get_touched (SlWordView *self)
{
  return self->touched;
}

void
sl_word_view_touch (SlWordView *self, int word)
{
  self->touched = word < (int)self->cards->len ? word : -1;
  if (self->frame)
    show_words (self);
  g_signal_emit (self, signals[TOUCHED], 0);
}

static void
level_chosen (SlWordView *self)
{
  guint chosen = gtk_drop_down_get_selected (self->levels);

  if (self->filling || chosen == GTK_INVALID_LIST_POSITION)
    return;
  self->level = (int)chosen - 1;
  g_array_set_size (self->shares, 0);
  show_words (self);
  g_signal_emit (self, signals[TOUCHED], 0);
}

/* A choice of the menu, or the view itself came or went. */
static void
choice_changed (SlWordView *self)
{
  if (self->touched >= 0 && self->frame && self->touched < (int)sl_frame_object_count_words (self->frame)
      && !is_offered (self, (guint)self->touched))
    self->touched = -1;
  show_words (self);
  g_signal_emit (self, signals[TOUCHED], 0);
}

void
sl_word_view_set_preferences (SlWordView *self, GSettings *preferences)
{
  self->preferences = g_object_ref (preferences);
  g_signal_connect_object (preferences, "changed::word-scale", G_CALLBACK (choice_changed), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (preferences, "changed::word-ends", G_CALLBACK (choice_changed), self,
                           G_CONNECT_SWAPPED);
}

char *
sl_word_view_dup_name (SlWordView *self)
{
  return self->map ? sl_word_name (self->frame, (guint)self->touched) : NULL;
}

gboolean
sl_word_view_save (SlWordView *self, const char *path, GError **error)
{
  g_autofree char *title = make_title (self);
  const SlWordPicture picture
      = { .view = self->view, .map = self->map, .scale = self->scale, .title = title };

  g_return_val_if_fail (self->map != NULL, FALSE);
  return sl_frame_object_save_word (self->frame, &picture, path, error);
}

/* ---- keys: as in a list, arrows go from word to word, and the one that has the focus is the one that is touched ---- */

static gboolean
key_pressed (SlWordView *self, guint key, guint code, GdkModifierType state)
{
  gboolean rtl = gtk_widget_get_direction (GTK_WIDGET (self)) == GTK_TEXT_DIR_RTL;
  gboolean along = key == GDK_KEY_Left || key == GDK_KEY_Right;
  int last = (int)self->cards->len - 1,
      by = key == GDK_KEY_End || key == (rtl ? GDK_KEY_Right : GDK_KEY_Left) ? -1 : 1;
  int to = along ? self->touched + by : key == GDK_KEY_End ? last : 0;

  if ((!along && key != GDK_KEY_Home && key != GDK_KEY_End)
      || state & (GDK_CONTROL_MASK | GDK_ALT_MASK | GDK_SHIFT_MASK))
    return GDK_EVENT_PROPAGATE;
  while (to >= 0 && to <= last && !is_offered (self, (guint)to))
    to += by;
  if (to < 0 || to > last)
    return GDK_EVENT_STOP;
  sl_word_view_touch (self, to);
  gtk_widget_grab_focus (self->cards->pdata[to]);
  return GDK_EVENT_STOP;
}

static void
draw_legend (GtkDrawingArea *area, cairo_t *cr, int width, int height, gpointer user_data)
{
  for (int x = 0; x < width; x++)
    {
      guint8 rgb[3];

      sl_word_scale_get_color ((x + 0.5) / width, rgb);
      cairo_set_source_rgb (cr, rgb[0] / 255.0, rgb[1] / 255.0, rgb[2] / 255.0);
      cairo_rectangle (cr, x, 0, 1, height);
      cairo_fill (cr);
    }
}

/* ---- class ---- */

static void
sl_word_view_dispose (GObject *object)
{
  SlWordView *self = SL_WORD_VIEW (object);

  drop_map (self);
  g_clear_object (&self->preferences);
  g_clear_object (&self->job);
  g_clear_object (&self->frame);
  g_clear_object (&self->words);
  g_clear_pointer (&self->cards, g_ptr_array_unref);
  g_clear_pointer (&self->shares, g_array_unref);
  G_OBJECT_CLASS (sl_word_view_parent_class)->dispose (object);
}

static void
sl_word_view_hide (GtkWidget *widget)
{
  sl_focus_leave (widget);
  GTK_WIDGET_CLASS (sl_word_view_parent_class)->hide (widget);
}

static void
sl_word_view_class_init (SlWordViewClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = sl_word_view_dispose;
  widget_class->hide = sl_word_view_hide;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/safelight/Safelight/sl-word-view.ui");
  gtk_widget_class_bind_template_child (widget_class, SlWordView, stack);
  gtk_widget_class_bind_template_child (widget_class, SlWordView, message);
  gtk_widget_class_bind_template_child (widget_class, SlWordView, again);
  gtk_widget_class_bind_template_child (widget_class, SlWordView, title);
  gtk_widget_class_bind_template_child (widget_class, SlWordView, low);
  gtk_widget_class_bind_template_child (widget_class, SlWordView, high);
  gtk_widget_class_bind_template_child (widget_class, SlWordView, legend);
  gtk_widget_class_bind_template_child (widget_class, SlWordView, levels);
  gtk_widget_class_bind_template_child (widget_class, SlWordView, row);
  gtk_widget_class_set_css_name (widget_class, "wordview");
  signals[TOUCHED]
      = g_signal_new ("touched", SL_TYPE_WORD_VIEW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
sl_word_view_init (SlWordView *self)
{
  GtkEventController *keys = gtk_event_controller_key_new ();

  gtk_widget_init_template (GTK_WIDGET (self));
  sl_button_name_in_list (self->levels);
  self->cards = g_ptr_array_new ();
  self->shares = g_array_new (FALSE, FALSE, sizeof (double));
  self->touched = -1;
  self->level = SL_WORD_ALL_LEVELS;
  gtk_drop_down_set_model (self->levels, G_LIST_MODEL (g_list_store_new (GTK_TYPE_STRING_OBJECT)));
  gtk_drawing_area_set_draw_func (GTK_DRAWING_AREA (self->legend), draw_legend, NULL, NULL);
  gtk_event_controller_set_propagation_phase (keys, GTK_PHASE_CAPTURE);
  g_signal_connect_object (keys, "key-pressed", G_CALLBACK (key_pressed), self, G_CONNECT_SWAPPED);
  gtk_widget_add_controller (GTK_WIDGET (self->row), keys);
  g_signal_connect_object (self->levels, "notify::selected", G_CALLBACK (level_chosen), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self, "notify::visible", G_CALLBACK (choice_changed), self, 0);
}
