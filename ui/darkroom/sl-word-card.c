/* sl-word-card.c - see sl-word-card.h. */
#include "ui/darkroom/sl-word-card.h"

#include <glib/gi18n.h>
#include <math.h>

#define SIDE 64
#define CHART 20
#define LETTERS 12 /* of a word that are shown */

struct _SlWordCard
{
  GtkToggleButton parent_instance;
  char *text;
  GtkPicture *picture;
  GtkWidget *chart;
  GtkLabel *share;
  GArray *shares; /* of double */
  int shown;
  double most;
};

G_DEFINE_FINAL_TYPE (SlWordCard, sl_word_card, GTK_TYPE_TOGGLE_BUTTON)

static double
x_of (SlWordCard *self, guint i, int width)
{
  return self->shares->len > 1 ? 1.5 + i * (width - 3.0) / (self->shares->len - 1) : width / 2.0;
}

static double
y_of (SlWordCard *self, double share, int height)
{
  return height - 1.5 - (self->most > 0 ? MIN (share / self->most, 1) : 0) * (height - 3);
}

static void
draw_shares (GtkDrawingArea *area, cairo_t *cr, int width, int height, gpointer card)
{
  SlWordCard *self = card;
  gboolean pen = FALSE;

  cairo_set_line_width (cr, 1.4);
  cairo_set_source_rgba (cr, 0.93, 0.91, 0.90, 0.75);
  for (guint i = 0; i < self->shares->len; i++)
    {
      double share = g_array_index (self->shares, double, i);

      if (!isfinite (share))
        pen = FALSE;
      else if (pen)
        cairo_line_to (cr, x_of (self, i, width), y_of (self, share, height));
      else
        cairo_move_to (cr, x_of (self, i, width), y_of (self, share, height));
      pen = isfinite (share);
    }
  cairo_stroke (cr);
  if (self->shown < 0 || self->shown >= (int)self->shares->len
      || !isfinite (g_array_index (self->shares, double, self->shown)))
    return;
  cairo_set_source_rgb (cr, 0.99, 0.65, 0.16);
  cairo_arc (cr, CLAMP (x_of (self, self->shown, width), 3, width - 3),
             CLAMP (y_of (self, g_array_index (self->shares, double, self->shown), height), 3, height - 3), 3,
             0, 2 * G_PI);
  cairo_fill (cr);
}

const char *
sl_word_card_get_text (SlWordCard *self)
{
  return self->text;
}

void
sl_word_card_show (SlWordCard *self, GdkTexture *texture, double share)
{
  g_autofree char *percent = texture ? g_strdup_printf (_ ("%.2g %%"), 100 * share) : g_strdup ("–");
  g_autofree char *name = texture ? g_strdup_printf (_ ("%s, %s of the attention"), self->text, percent)
                                  : g_strdup_printf (_ ("%s, not told at this step"), self->text);

  gtk_picture_set_paintable (self->picture, GDK_PAINTABLE (texture));
  gtk_label_set_text (self->share, percent);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
}

void
sl_word_card_set_shares (SlWordCard *self, const double *shares, guint n, int shown, double most)
{
  g_array_set_size (self->shares, 0);
  g_array_append_vals (self->shares, shares, n);
  self->shown = shown;
  self->most = most;
  gtk_widget_queue_draw (self->chart);
}

static void
sl_word_card_finalize (GObject *object)
{
  SlWordCard *self = SL_WORD_CARD (object);

  g_free (self->text);
  g_array_unref (self->shares);
  G_OBJECT_CLASS (sl_word_card_parent_class)->finalize (object);
}

static void
sl_word_card_class_init (SlWordCardClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = sl_word_card_finalize;
}

static void
sl_word_card_init (SlWordCard *self)
{
  self->shares = g_array_new (FALSE, FALSE, sizeof (double));
  self->shown = -1;
}

GtkWidget *
sl_word_card_new (const char *text)
{
  SlWordCard *self = g_object_new (SL_TYPE_WORD_CARD, NULL);
  GtkWidget *column = gtk_box_new (GTK_ORIENTATION_VERTICAL, 3);
  GtkWidget *word = gtk_label_new (text), *picture = gtk_picture_new ();

  self->text = g_strdup (text);
  self->picture = GTK_PICTURE (picture);
  self->chart = gtk_drawing_area_new ();
  self->share = GTK_LABEL (gtk_label_new (NULL));
  gtk_widget_set_size_request (picture, SIDE, SIDE);
  gtk_widget_set_halign (picture, GTK_ALIGN_CENTER);
  gtk_picture_set_content_fit (self->picture, GTK_CONTENT_FIT_COVER);
  gtk_widget_set_overflow (picture, GTK_OVERFLOW_HIDDEN);
  gtk_widget_set_can_target (picture, FALSE);
  gtk_widget_add_css_class (picture, "word-picture");
  gtk_label_set_ellipsize (GTK_LABEL (word), PANGO_ELLIPSIZE_END);
  gtk_label_set_max_width_chars (GTK_LABEL (word), LETTERS);
  if (g_utf8_strlen (text, -1) > LETTERS)
    gtk_widget_set_tooltip_text (GTK_WIDGET (self), text);
  gtk_widget_add_css_class (GTK_WIDGET (self->share), "numeric");
  gtk_widget_add_css_class (GTK_WIDGET (self->share), "word-share");
  gtk_widget_set_size_request (self->chart, SIDE, CHART);
  gtk_drawing_area_set_draw_func (GTK_DRAWING_AREA (self->chart), draw_shares, self, NULL);
  gtk_box_append (GTK_BOX (column), picture);
  gtk_box_append (GTK_BOX (column), word);
  gtk_box_append (GTK_BOX (column), self->chart);
  gtk_box_append (GTK_BOX (column), GTK_WIDGET (self->share));
  gtk_button_set_child (GTK_BUTTON (self), column);
  gtk_widget_add_css_class (GTK_WIDGET (self), "word-card");
  return GTK_WIDGET (self);
}
