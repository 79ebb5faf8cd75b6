/* sl-family-track.c - see sl-family-track.h.
 *
 * Easy to get wrong: the lines of neighbours meet in the gap between their cells, so each draws GAP beyond
 * its own edges.
 */
#include "ui/gallery/sl-family-track.h"

#include "ui/widgets/sl-toolkit.h"

#define ROW 9    /* between the lines of two depths */
#define MARGIN 7 /* above the first and below the last of them */
#define DOT 4
#define GAP 6
#define CURVE 14 /* from where a line leaves its row to the dot */

/* Deeper branches share the last row: more would push the prints apart. */
#define MAX_ROWS 4

struct _SlFamilyTrack
{
  GtkWidget parent_instance;
  SlPicturePlace place;
};

G_DEFINE_FINAL_TYPE (SlFamilyTrack, sl_family_track, GTK_TYPE_WIDGET)

static int
count_rows (const SlPicturePlace *place)
{
  guint rows = MAX (g_bit_storage (place->before | place->after), place->depth + 1);

  return place->family ? (int)MIN (rows, MAX_ROWS) : 0;
}

static double
row_at (guint depth)
{
  return MARGIN + ROW * (double)MIN (depth, MAX_ROWS - 1);
}

static void
sl_family_track_measure (GtkWidget *widget,
                         GtkOrientation orientation,
                         int for_size,
                         int *minimum,
                         int *natural,
                         int *minimum_baseline,
                         int *natural_baseline)
{
  int rows = count_rows (&SL_FAMILY_TRACK (widget)->place);

  *minimum = *natural
      = orientation == GTK_ORIENTATION_HORIZONTAL || rows == 0 ? 0 : 2 * MARGIN + ROW * (rows - 1);
}

static void
add_line (cairo_t *cr, double from, double to, guint depth)
{
  cairo_move_to (cr, from, row_at (depth));
  cairo_line_to (cr, to, row_at (depth));
}

/* The curve that leaves the parent's line and ends in the dot. */
static void
add_branch (cairo_t *cr, double middle, guint depth)
{
  double from = row_at (depth - 1), to = row_at (depth);

  add_line (cr, -GAP, middle - CURVE, depth - 1);
  cairo_curve_to (cr, middle - CURVE / 2.0, from, middle - CURVE / 2.0, to, middle, to);
}

static void
add_lines (cairo_t *cr, const SlPicturePlace *place, int width)
{
  double middle = width / 2.0;

  for (guint depth = 0; depth < 32; depth++)
    {
      gboolean before = place->before >> depth & 1, after = place->after >> depth & 1;

      if (before && depth + 1 == place->depth)
        add_branch (cr, middle, place->depth);
      if (before && after)
        add_line (cr, -GAP, width + GAP, depth);
      else if (before && depth == place->depth)
        add_line (cr, -GAP, middle, depth);
      else if (after)
        add_line (cr, middle, width + GAP, depth);
    }
}

static void
draw (SlFamilyTrack *self, cairo_t *cr, int width)
{
  GtkWidget *widget = GTK_WIDGET (self);
  GdkRGBA color;

  if (gtk_widget_get_direction (widget) == GTK_TEXT_DIR_RTL)
    {
      cairo_translate (cr, width, 0);
      cairo_scale (cr, -1, 1);
    }
  sl_toolkit_get_color (widget, &color);
  gdk_cairo_set_source_rgba (cr, &color);
  cairo_set_line_width (cr, 2);
  add_lines (cr, &self->place, width);
  cairo_stroke (cr);
  cairo_new_sub_path (cr);
  cairo_arc (cr, width / 2.0, row_at (self->place.depth), self->place.again ? DOT - 1 : DOT, 0, 2 * G_PI);
  if (self->place.again)
    cairo_stroke (cr); /* a ring beside the lines: the same picture once more */
  else
    cairo_fill (cr);
}

static void
sl_family_track_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  SlFamilyTrack *self = SL_FAMILY_TRACK (widget);
  int width = gtk_widget_get_width (widget);
  cairo_t *cr;

  if (self->place.family == 0)
    return;
  cr = gtk_snapshot_append_cairo (
      snapshot, &GRAPHENE_RECT_INIT (-GAP, 0, (float)width + 2 * GAP, (float)gtk_widget_get_height (widget)));
  draw (self, cr, width);
  cairo_destroy (cr);
}

void
sl_family_track_set_place (SlFamilyTrack *self, const SlPicturePlace *place)
{
  self->place = place ? *place : (SlPicturePlace){ 0 };
  gtk_widget_queue_resize (GTK_WIDGET (self));
}

GtkWidget *
sl_family_track_new (void)
{
  return g_object_new (SL_TYPE_FAMILY_TRACK, NULL);
}

static void
sl_family_track_class_init (SlFamilyTrackClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  widget_class->measure = sl_family_track_measure;
  widget_class->snapshot = sl_family_track_snapshot;
  gtk_widget_class_set_css_name (widget_class, "familytrack");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_PRESENTATION);
}

static void
sl_family_track_init (SlFamilyTrack *self)
{
}
