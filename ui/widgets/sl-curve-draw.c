/* sl-curve-draw.c - see sl-curve-draw.h. */
#include "ui/widgets/sl-curve-draw.h"

#include <math.h>

#define RING 2.6 /* radius */
#define KNOB 8.0
#define MAX_TICKS 9
#define Y_TICK_GAP 6.0

typedef struct
{
  double x, y;  /* y is its middle */
  double align; /* how much of the text is left of x: 0 nothing, 1 all */
  double alpha;
} TextPlace;

static const GdkRGBA ink = { 0.93, 0.91, 0.90, 1 };
static const GdkRGBA red = { 0.90, 0.22, 0.16, 1 };

static void
set_ink (cairo_t *cr, const GdkRGBA *color, double alpha)
{
  cairo_set_source_rgba (cr, color->red, color->green, color->blue, color->alpha * alpha);
}

static PangoLayout *
lay_out (const SlCurveChart *self, const char *text, int *width, int *height)
{
  PangoLayout *layout = gtk_widget_create_pango_layout (self->widget, text);
  g_autoptr (PangoAttrList) attributes = pango_attr_list_new ();

  pango_attr_list_insert (attributes, pango_attr_scale_new (0.82));
  pango_attr_list_insert (attributes, pango_attr_font_features_new ("tnum"));
  pango_layout_set_attributes (layout, attributes);
  pango_layout_get_pixel_size (layout, width, height);
  return layout;
}

static void
draw_text (const SlCurveChart *self, cairo_t *cr, const char *text, TextPlace at)
{
  int width, height;
  g_autoptr (PangoLayout) layout = lay_out (self, text, &width, &height);

  set_ink (cr, &ink, at.alpha);
  cairo_move_to (cr, floor (at.x - at.align * width), floor (at.y - height / 2.0));
  pango_cairo_show_layout (cr, layout);
}

/* 1, 2 or 5 times a power of ten. */
static double
round_distance (double range)
{
  double power = pow (10, floor (log10 (MAX (range / (MAX_TICKS - 1), 1e-9))));
  double factor = range / (MAX_TICKS - 1) / power;

  return power * (factor <= 1 ? 1 : factor <= 2 ? 2 : factor <= 5 ? 5 : 10);
}

static void
draw_tick (const SlCurveChart *self, cairo_t *cr, double place)
{
  g_autofree char *text = g_strdup_printf ("%g", place);
  double x = sl_curve_chart_x (self, place), bottom = SL_CURVE_TOP + sl_curve_chart_height (self);

  set_ink (cr, &ink, 0.07);
  cairo_rectangle (cr, floor (x), SL_CURVE_TOP, 1, bottom - SL_CURVE_TOP);
  cairo_fill (cr);
  draw_text (self, cr, text, (TextPlace){ x, bottom + 11, 0.5, 0.6 });
}

static void
draw_x_axis (const SlCurveChart *self, cairo_t *cr)
{
  const SlCurveAxes *axes = &self->axes;
  double distance = MAX (round_distance (axes->last - axes->first), 1);

  if (axes->log_x)
    for (double place = pow (10, floor (log10 (MAX (axes->first, 1e-6)))); place >= axes->last; place /= 10)
      draw_tick (self, cr, place);
  else
    for (double place = ceil (axes->first / distance) * distance; place <= axes->last; place += distance)
      draw_tick (self, cr, place);
}

/* With as many digits as find room beside the axis. */
static char *
y_tick_text (const SlCurveChart *self, double value)
{
  for (int digits = 3;; digits--)
    {
      g_autofree char *text = g_strdup_printf ("%.*g", digits, value);
      int width, height;
      g_autoptr (PangoLayout) layout = lay_out (self, text, &width, &height);

      if (digits == 1 || width <= SL_CURVE_LEFT - Y_TICK_GAP)
        return g_steal_pointer (&text);
    }
}

static void
draw_y_tick (const SlCurveChart *self, cairo_t *cr, double drawn)
{
  double value = self->axes.log_y ? pow (10, drawn) : drawn;
  g_autofree char *text = y_tick_text (self, value);
  double y = sl_curve_chart_y (self, value);

  set_ink (cr, &ink, 0.07);
  cairo_rectangle (cr, SL_CURVE_LEFT, floor (y), sl_curve_chart_width (self), 1);
  cairo_fill (cr);
  draw_text (self, cr, text, (TextPlace){ SL_CURVE_LEFT - Y_TICK_GAP, y, 1, 0.6 });
}

/* Powers of ten where there are some to be seen, else three places. */
static void
draw_y_axis (const SlCurveChart *self, cairo_t *cr)
{
  double from = ceil (self->low), to = floor (self->high);

  if (self->curves->len == 0)
    return;
  if (self->axes.log_y && to - from >= 1)
    for (double power = from; power <= to; power += MAX (floor ((to - from) / 3), 1))
      draw_y_tick (self, cr, power);
  else
    for (int i = 0; i <= 2; i++)
      draw_y_tick (self, cr, self->low + (self->high - self->low) * i / 2);
}

static void
trace (const SlCurveChart *self, cairo_t *cr, const SlCurve *curve, guint from, guint to)
{
  gboolean open = FALSE;

  for (guint i = from; i < to; i++)
    {
      double x = sl_curve_chart_x (self, curve->points[i].x), y;

      if (!isfinite (curve->points[i].y))
        {
          open = FALSE;
          continue;
        }
      y = sl_curve_chart_y (self, curve->points[i].y);
      if (open)
        cairo_line_to (cr, x, y);
      else
        cairo_move_to (cr, x, y);
      open = TRUE;
    }
}

/* Evaluations that took over a part of one before, where there is room for them. */
static void
draw_rings (const SlCurveChart *self, cairo_t *cr, const SlCurve *curve, guint reached)
{
  double last = -G_MAXDOUBLE;

  cairo_set_line_width (cr, 1);
  for (guint i = 0; i < reached; i++)
    {
      double x = sl_curve_chart_x (self, curve->points[i].x), y;

      if (!curve->points[i].cached || !isfinite (curve->points[i].y) || fabs (x - last) < 2 * RING + 1)
        continue;
      last = x;
      y = sl_curve_chart_y (self, curve->points[i].y);
      cairo_new_sub_path (cr);
      cairo_arc (cr, x, y, RING, 0, 2 * G_PI);
      cairo_set_source_rgb (cr, 0.12, 0.11, 0.115);
      cairo_fill_preserve (cr);
      set_ink (cr, &curve->color, 1);
      cairo_stroke (cr);
    }
}

static void
draw_curve (const SlCurveChart *self, cairo_t *cr, const SlCurve *curve)
{
  guint reached = MIN (curve->reached, curve->n_points);

  if (curve->n_points == 0)
    return;
  cairo_set_line_width (cr, curve->bold ? 2.6 : 1.5);
  set_ink (cr, &curve->color, 0.32);
  trace (self, cr, curve, reached > 0 ? reached - 1 : 0, curve->n_points);
  cairo_stroke (cr);
  set_ink (cr, &curve->color, 1);
  trace (self, cr, curve, 0, reached);
  cairo_stroke (cr);
  draw_rings (self, cr, curve, reached);
  if (reached > 0 && isfinite (curve->points[reached - 1].y))
    {
      cairo_arc (cr, sl_curve_chart_x (self, curve->points[reached - 1].x),
                 sl_curve_chart_y (self, curve->points[reached - 1].y), curve->bold ? 3.5 : 2.5, 0, 2 * G_PI);
      cairo_fill (cr);
    }
}

static void
draw_curves (const SlCurveChart *self, cairo_t *cr, gboolean bold)
{
  for (guint i = 0; i < self->curves->len; i++)
    {
      const SlCurve *curve = &g_array_index (self->curves, SlCurve, i);

      if (curve->bold == bold)
        draw_curve (self, cr, curve);
    }
}

/* ---- the curves' numbers ---- */

#define NUMBER_GAP 3.0
#define NUMBER_COLUMNS 3

static gboolean
is_free (const SlCurveChart *self, const graphene_rect_t *boxes, const graphene_rect_t *box)
{
  double lowest = SL_CURVE_TOP + sl_curve_chart_height (self); /* not on the ticks' numbers */

  if (box->origin.x + box->size.width > gtk_widget_get_width (self->widget) || box->origin.y < 0
      || box->origin.y + box->size.height / 2 > lowest)
    return FALSE;
  for (guint i = 0; i < self->curves->len; i++)
    if (boxes[i].size.width > 0 && graphene_rect_intersection (&boxes[i], box, NULL))
      return FALSE;
  return TRUE;
}

/* Beside the curve's end, or as near to it as there is room. */
static void
place_number (const SlCurveChart *self, const SlCurve *curve, graphene_rect_t *boxes, graphene_rect_t *box)
{
  static const int lines[] = { 0, -1, 1, -2, 2, -3, 3 };
  const SlCurvePoint *end = curve->n_points > 0 ? &curve->points[curve->n_points - 1] : NULL;
  g_autofree char *text = g_strdup_printf ("%d", curve->number);
  int width, height;
  g_autoptr (PangoLayout) layout = lay_out (self, text, &width, &height);
  double x, y;

  if (curve->number == 0 || end == NULL || !isfinite (end->y))
    return;
  x = sl_curve_chart_x (self, end->x) + 5;
  y = MIN (sl_curve_chart_y (self, end->y), SL_CURVE_TOP + sl_curve_chart_height (self) - 6) - height / 2.0;
  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    for (int column = 0; column < NUMBER_COLUMNS; column++)
      {
        graphene_rect_t there
            = GRAPHENE_RECT_INIT ((float)(x + column * (width + NUMBER_GAP)), (float)(y + lines[i] * height),
                                  (float)width, (float)height);

        if (!is_free (self, boxes, &there))
          continue;
        *box = there;
        return;
      }
}

void
sl_curve_draw_place_numbers (const SlCurveChart *self, graphene_rect_t *boxes)
{
  for (guint i = 0; i < self->curves->len; i++)
    boxes[i] = GRAPHENE_RECT_INIT (0, 0, 0, 0);
  for (int bold = TRUE; bold >= FALSE; bold--)
    for (guint i = 0; i < self->curves->len; i++)
      if (g_array_index (self->curves, SlCurve, i).bold == bold)
        place_number (self, &g_array_index (self->curves, SlCurve, i), boxes, &boxes[i]);
}

static void
draw_numbers (const SlCurveChart *self, cairo_t *cr)
{
  g_autofree graphene_rect_t *boxes = g_new (graphene_rect_t, self->curves->len);

  sl_curve_draw_place_numbers (self, boxes);
  for (guint i = 0; i < self->curves->len; i++)
    {
      const SlCurve *curve = &g_array_index (self->curves, SlCurve, i);
      const graphene_rect_t *box = &boxes[i];
      g_autofree char *text = g_strdup_printf ("%d", curve->number);

      if (box->size.width > 0)
        draw_text (
            self, cr, text,
            (TextPlace){ box->origin.x, box->origin.y + box->size.height / 2, 0, curve->bold ? 1 : 0.75 });
    }
}

static void
draw_mark (const SlCurveChart *self, cairo_t *cr)
{
  const double dashes[] = { 3, 4 };
  double x;

  if (!isfinite (self->mark))
    return;
  x = floor (sl_curve_chart_x (self, self->mark)) + 0.5;
  cairo_save (cr);
  cairo_set_dash (cr, dashes, G_N_ELEMENTS (dashes), 0);
  cairo_set_line_width (cr, 1);
  set_ink (cr, &ink, 0.75);
  cairo_move_to (cr, x, SL_CURVE_TOP);
  cairo_line_to (cr, x, SL_CURVE_TOP + sl_curve_chart_height (self));
  cairo_stroke (cr);
  cairo_restore (cr);
}

/* The line that ties the handle to the curves. */
static void
draw_cursor (const SlCurveChart *self, cairo_t *cr)
{
  double end = self->rail ? gtk_widget_get_height (self->widget) - SL_CURVE_RAIL
                          : SL_CURVE_TOP + sl_curve_chart_height (self);

  if (!isfinite (self->cursor))
    return;
  set_ink (cr, &red, 1);
  cairo_rectangle (cr, floor (sl_curve_chart_x (self, self->cursor)) - 0.5, SL_CURVE_TOP - 4, 1.5,
                   end - SL_CURVE_TOP + 4);
  cairo_fill (cr);
}

static void
draw_handle (const SlCurveChart *self, cairo_t *cr)
{
  double x = sl_curve_chart_x (self, self->cursor);
  double rail = gtk_widget_get_height (self->widget) - SL_CURVE_RAIL;

  cairo_set_line_cap (cr, CAIRO_LINE_CAP_ROUND);
  cairo_set_line_width (cr, 4);
  set_ink (cr, &ink, 0.16);
  cairo_move_to (cr, SL_CURVE_LEFT, rail);
  cairo_line_to (cr, SL_CURVE_LEFT + sl_curve_chart_width (self), rail);
  cairo_stroke (cr);
  if (!isfinite (self->cursor))
    return;
  set_ink (cr, &red, 1);
  cairo_move_to (cr, SL_CURVE_LEFT, rail);
  cairo_line_to (cr, x, rail);
  cairo_stroke (cr);
  cairo_arc (cr, x, rail, KNOB, 0, 2 * G_PI);
  set_ink (cr, &ink, 1);
  cairo_fill (cr);
}

/* ---- values at a place ---- */

#define LINE 15.0
#define VALUE_WIDTH 84.0
#define PAD 7.0

/* The place of the points that are read: that of the latest. */
static double
place_read (const SlCurveChart *self)
{
  double place = NAN;

  for (guint i = 0; i < self->curves->len; i++)
    {
      const SlCurvePoint *point = sl_curve_chart_point_at (self, i, self->reading);

      if (point && (isnan (place) || (self->axes.log_x ? point->x < place : point->x > place)))
        place = point->x;
    }
  return place;
}

static void
draw_value (const SlCurveChart *self, cairo_t *cr, guint index, double x, double y)
{
  const SlCurve *curve = &g_array_index (self->curves, SlCurve, index);
  g_autofree char *value = sl_curve_chart_value_text (self, index, self->reading);
  g_autofree char *number = g_strdup_printf ("%d", curve->number);

  set_ink (cr, &curve->color, 1);
  cairo_arc (cr, x + 4, y, 3.5, 0, 2 * G_PI);
  cairo_fill (cr);
  draw_text (self, cr, number, (TextPlace){ x + 13, y, 0, curve->bold ? 1 : 0.8 });
  draw_text (self, cr, value, (TextPlace){ x + VALUE_WIDTH - 6, y, 1, curve->bold ? 1 : 0.8 });
}

/* A line at the place, and beside it a card with what each curve is there: in as many columns as its height asks for. */
static void
draw_reading (const SlCurveChart *self, cairo_t *cr)
{
  double place = place_read (self), height = sl_curve_chart_height (self), x, width, left;
  int lines = MAX ((int)((height - LINE - PAD) / LINE), 1), columns, n = 0;
  g_autofree char *heading = NULL;

  if (!isfinite (place))
    return;
  for (guint i = 0; i < self->curves->len; i++)
    {
      g_autofree char *value = sl_curve_chart_value_text (self, i, self->reading);

      n += value != NULL;
    }
  columns = (n + lines - 1) / lines;
  lines = (n + columns - 1) / MAX (columns, 1);
  x = floor (sl_curve_chart_x (self, place)) + 0.5;
  width = columns * VALUE_WIDTH + 2 * PAD;
  left = x + 10 + width < gtk_widget_get_width (self->widget) ? x + 10 : MAX (x - 10 - width, 0);
  set_ink (cr, &ink, 0.35);
  cairo_set_line_width (cr, 1);
  cairo_move_to (cr, x, SL_CURVE_TOP);
  cairo_line_to (cr, x, SL_CURVE_TOP + height);
  cairo_stroke (cr);
  cairo_set_source_rgba (cr, 0.16, 0.14, 0.145, 0.94);
  cairo_rectangle (cr, left, SL_CURVE_TOP, width, LINE * (lines + 1) + PAD);
  cairo_fill (cr);
  heading = g_strdup_printf ("%s %.4g", self->axes.x_title ? self->axes.x_title : "", place);
  draw_text (self, cr, heading, (TextPlace){ left + PAD, SL_CURVE_TOP + LINE / 2 + 2, 0, 0.7 });
  n = 0;
  for (guint i = 0; i < self->curves->len; i++)
    {
      g_autofree char *value = sl_curve_chart_value_text (self, i, self->reading);

      if (value == NULL)
        continue;
      draw_value (self, cr, i, left + PAD + n / lines * VALUE_WIDTH,
                  SL_CURVE_TOP + LINE * (n % lines + 1.5) + 3);
      n++;
    }
}

static void
draw_chart (const SlCurveChart *self, cairo_t *cr)
{
  int width = gtk_widget_get_width (self->widget);

  draw_x_axis (self, cr);
  draw_y_axis (self, cr);
  if (self->axes.y_title)
    draw_text (self, cr, self->axes.y_title, (TextPlace){ 10, 10, 0, 0.75 });
  if (self->axes.x_title)
    draw_text (self, cr, self->axes.x_title, (TextPlace){ width - 10, 10, 1, 0.75 });
  draw_mark (self, cr);
  cairo_set_line_join (cr, CAIRO_LINE_JOIN_ROUND);
  draw_curves (self, cr, FALSE);
  draw_curves (self, cr, TRUE);
  draw_numbers (self, cr);
  if (self->curves->len == 0 && self->axes.nothing)
    draw_text (self, cr, self->axes.nothing,
               (TextPlace){ width / 2.0, SL_CURVE_TOP + sl_curve_chart_height (self) / 2, 0.5, 0.7 });
  draw_cursor (self, cr);
  if (isfinite (self->reading))
    draw_reading (self, cr);
}

void
sl_curve_draw (const SlCurveChart *self, cairo_t *cr)
{
  if (self->chart)
    draw_chart (self, cr);
  if (self->rail)
    draw_handle (self, cr);
}
