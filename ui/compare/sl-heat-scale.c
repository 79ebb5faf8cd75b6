/* sl-heat-scale.c - see sl-heat-scale.h. */
#include "ui/compare/sl-heat-scale.h"

#include <glib/gi18n.h>
#include <math.h>

#include "app/objects/objects.h"

#define BAR 8.0f
#define STOPS 17
#define NUMBERS 5
#define SIDE 16.0f /* for half a number at each end */

struct _SlHeatScale
{
  GtkWidget parent_instance;
  int full;
};

G_DEFINE_FINAL_TYPE (SlHeatScale, sl_heat_scale, GTK_TYPE_WIDGET)

/* The colours are laid out by the square root, so that small differences have some room. */
static double
difference_at (SlHeatScale *self, double fraction)
{
  return self->full * fraction * fraction;
}

static void
draw_number (SlHeatScale *self, GtkSnapshot *snapshot, double fraction, float bar_width)
{
  double difference = difference_at (self, fraction);
  g_autofree char *text = g_strdup_printf (difference < 10 ? "%.3g" : "%.0f", difference);
  g_autoptr (PangoLayout) layout = gtk_widget_create_pango_layout (GTK_WIDGET (self), text);
  g_autoptr (PangoAttrList) attributes = pango_attr_list_new ();
  const GdkRGBA ink = { 0.93f, 0.91f, 0.90f, 0.85f };
  int width;

  pango_attr_list_insert (attributes, pango_attr_scale_new (0.8));
  pango_layout_set_attributes (layout, attributes);
  pango_layout_get_pixel_size (layout, &width, NULL);
  gtk_snapshot_save (snapshot);
  gtk_snapshot_translate (
      snapshot,
      &GRAPHENE_POINT_INIT (floorf (SIDE + (float)fraction * bar_width - (float)width / 2), BAR + 5));
  gtk_snapshot_append_layout (snapshot, layout, &ink);
  gtk_snapshot_restore (snapshot);
}

static void
sl_heat_scale_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  SlHeatScale *self = SL_HEAT_SCALE (widget);
  float width = (float)gtk_widget_get_width (widget) - 2 * SIDE;
  graphene_rect_t bar = GRAPHENE_RECT_INIT (SIDE, 2, width, BAR);
  GskColorStop stops[STOPS];

  if (width < 1)
    return;
  for (int i = 0; i < STOPS; i++)
    {
      guint8 rgb[3];
      float at = (float)i / (STOPS - 1);

      sl_difference_get_color (at * at, rgb);
      stops[i] = (GskColorStop){ at, { rgb[0] / 255.0f, rgb[1] / 255.0f, rgb[2] / 255.0f, 1 } };
    }
  gtk_snapshot_append_linear_gradient (snapshot, &bar, &GRAPHENE_POINT_INIT (SIDE, 0),
                                       &GRAPHENE_POINT_INIT (SIDE + width, 0), stops, STOPS);
  for (int i = 0; i < NUMBERS; i++)
    draw_number (self, snapshot, (double)i / (NUMBERS - 1), width);
}

static void
sl_heat_scale_measure (GtkWidget *widget,
                       GtkOrientation orientation,
                       int for_size,
                       int *minimum,
                       int *natural,
                       int *minimum_baseline,
                       int *natural_baseline)
{
  *minimum = orientation == GTK_ORIENTATION_VERTICAL ? 28 : 160;
  *natural = orientation == GTK_ORIENTATION_VERTICAL ? 28 : 320;
}

void
sl_heat_scale_set_full (SlHeatScale *self, int full)
{
  g_autofree char *text = NULL;

  self->full = CLAMP (full, 1, 255);
  /* Translators: of a picture that shows where two others differ. */
  text = g_strdup_printf (_ ("Differences from 0, black, over red and yellow to %d of 255, white"),
                          self->full);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, text, -1);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self), text);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
sl_heat_scale_class_init (SlHeatScaleClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  widget_class->snapshot = sl_heat_scale_snapshot;
  widget_class->measure = sl_heat_scale_measure;
  gtk_widget_class_set_css_name (widget_class, "heatscale");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
}

static void
sl_heat_scale_init (SlHeatScale *self)
{
  gtk_widget_set_overflow (GTK_WIDGET (self), GTK_OVERFLOW_HIDDEN);
  sl_heat_scale_set_full (self, 255);
}
