/* sl-film-strip.c - see sl-film-strip.h. */
#include "ui/darkroom/sl-film-strip.h"

#include <glib/gi18n.h>
#include <math.h>

#include "ui/widgets/sl-canvas.h"

#define CELL 68.0
#define GAP 4.0
#define EDGE 8.0 /* room for the perforation above and below */
#define PAGE 10

struct _SlFilmStrip
{
  GtkWidget parent_instance;
  SlJob *job;
  int position; /* -1: nothing yet */
  gboolean following;
  gboolean at_noise; /* a person is at what is before the first moment; position is -1 then */
  SlView view;
};

G_DEFINE_FINAL_TYPE (SlFilmStrip, sl_film_strip, GTK_TYPE_WIDGET)

enum
{
  PICKED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static int
count_frames (SlFilmStrip *self)
{
  return self->job ? (int)g_list_model_get_n_items (sl_job_get_frames (self->job)) : 0;
}

static GdkTexture *
get_noise (SlFilmStrip *self)
{
  int width, height;
  GBytes *rgb = self->job ? sl_job_get_noise (self->job, &width, &height) : NULL;
  GdkTexture *texture = rgb ? g_object_get_data (G_OBJECT (self->job), "sl-noise") : NULL;

  if (texture || rgb == NULL)
    return texture;
  texture = sl_texture_new_rgb (rgb, width, height);
  g_object_set_data_full (G_OBJECT (self->job), "sl-noise", texture, g_object_unref);
  return texture;
}

/* Where the strip begins: -1, the noise before the first moment, or 0. */
static int
first_place (SlFilmStrip *self)
{
  int width, height;

  return self->job && count_frames (self) > 0 && sl_job_get_noise (self->job, &width, &height) ? -1 : 0;
}

/* The moments of the whole run: those that are there and those that are still to come. */
static int
count_places (SlFilmStrip *self)
{
  int frames = count_frames (self);
  int planned = self->job ? sl_job_get_evaluations (self->job) : 0;

  return (self->job && sl_job_is_over (self->job) ? frames : MAX (frames, planned)) - first_place (self);
}

static int
count_cells (SlFilmStrip *self)
{
  int fitting = (int)((gtk_widget_get_width (GTK_WIDGET (self)) - GAP) / (CELL + GAP));

  return CLAMP (count_places (self), 0, MAX (fitting, 1));
}

static double
strip_start (SlFilmStrip *self)
{
  double used = count_cells (self) * (CELL + GAP) - GAP;

  return floor (MAX (gtk_widget_get_width (GTK_WIDGET (self)) - used, 0) / 2);
}

/* Where there are more moments than cells, a cell stands for several and shows the last of them. */
static int
place_of_cell (SlFilmStrip *self, int cell)
{
  if (cell == 0)
    return first_place (self); /* the noise is one of a kind */
  return (int)((gint64)(cell + 1) * count_places (self) / MAX (count_cells (self), 1)) - 1
         + first_place (self);
}

static double
x_of_place (SlFilmStrip *self, int place)
{
  double used = count_cells (self) * (CELL + GAP) - GAP;

  return strip_start (self) + (place - first_place (self) + 0.5) * used / MAX (count_places (self), 1);
}

static int
place_at (SlFilmStrip *self, double x)
{
  double used = count_cells (self) * (CELL + GAP) - GAP;

  return (int)floor ((x - strip_start (self)) * count_places (self) / MAX (used, 1)) + first_place (self);
}

/* ---- drawing ---- */

static void
texture_free (gpointer texture)
{
  g_object_unref (texture);
}

/* Means over squares, so that a cell has at most some times its own pixels. */
static GBytes *
shrink (GBytes *rgb, int *width, int *height)
{
  const int side = MAX (MIN (*width, *height) / (2 * (int)CELL), 1);
  const int w = *width / side, h = *height / side, stride = *width * 3;
  const guint8 *from = g_bytes_get_data (rgb, NULL);
  guint8 *to = g_malloc ((gsize)w * (gsize)h * 3);

  for (int i = 0; i < w * h * 3; i++)
    {
      const guint8 *square = from + (gsize)(i / 3 / w * side) * (gsize)stride + i / 3 % w * side * 3 + i % 3;
      int sum = 0;

      for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++)
          sum += square[y * stride + x * 3];
      to[i] = (guint8)((sum + side * side / 2) / (side * side));
    }
  *width = w;
  *height = h;
  return g_bytes_new_take (to, (gsize)w * (gsize)h * 3);
}

/* The quick preview, and once the moment was decoded, that. */
static GdkTexture *
thumbnail (SlFrameObject *frame, SlView view)
{
  static const char *const keys[][2] = { { "sl-thumbnail", "sl-thumbnail-noisy" },
                                         { "sl-thumbnail-decoded", "sl-thumbnail-noisy-decoded" } };
  const char *key = keys[sl_frame_object_is_decoded (frame, view)][view != SL_VIEW_PICTURE];
  GdkTexture *texture = g_object_get_data (G_OBJECT (frame), key);
  int width, height;
  g_autoptr (GBytes) rgb = NULL;

  if (texture)
    return texture;
  rgb = shrink (sl_frame_object_get_rgb (frame, view, &width, &height), &width, &height);
  texture = sl_texture_new_rgb (rgb, width, height);
  g_object_set_data_full (G_OBJECT (frame), key, texture, texture_free);
  return texture;
}

static void
draw_texture (GtkSnapshot *snapshot, GdkTexture *texture, const graphene_rect_t *cell)
{
  double aspect = gdk_paintable_get_intrinsic_aspect_ratio (GDK_PAINTABLE (texture));
  double width = aspect > 1 ? CELL * aspect : CELL, height = aspect > 1 ? CELL : CELL / aspect;
  graphene_rect_t whole;

  graphene_rect_init (&whole, cell->origin.x - (width - CELL) / 2, cell->origin.y - (height - CELL) / 2,
                      width, height);
  gtk_snapshot_append_texture (snapshot, texture, &whole);
}

/* Two arrow heads in the corner: a step that was partly skipped. */
static void
draw_cached (GtkSnapshot *snapshot, const graphene_rect_t *cell)
{
  const float width = 20, height = 14, margin = 3, head = 5;
  graphene_rect_t badge = GRAPHENE_RECT_INIT (cell->origin.x + (float)CELL - width - margin,
                                              cell->origin.y + (float)CELL - height - margin, width, height);
  cairo_t *cr = gtk_snapshot_append_cairo (snapshot, &badge);
  double x = badge.origin.x + 4.5, y = badge.origin.y + height / 2;

  cairo_set_source_rgba (cr, 0, 0, 0, 0.62);
  cairo_rectangle (cr, badge.origin.x, badge.origin.y, width, height);
  cairo_fill (cr);
  cairo_set_source_rgba (cr, 1, 1, 1, 0.92);
  for (int i = 0; i < 2; i++, x += head + 1)
    {
      cairo_move_to (cr, x, y - head + 1);
      cairo_line_to (cr, x + head, y);
      cairo_line_to (cr, x, y + head - 1);
      cairo_close_path (cr);
      cairo_fill (cr);
    }
  cairo_destroy (cr);
}

static void
draw_cell (SlFilmStrip *self, GtkSnapshot *snapshot, int cell)
{
  static const GdkRGBA unexposed = { 1, 1, 1, 0.05 };
  int place = place_of_cell (self, cell);
  graphene_rect_t rect;
  GskRoundedRect rounded;

  graphene_rect_init (&rect, strip_start (self) + cell * (CELL + GAP), EDGE, CELL, CELL);
  gsk_rounded_rect_init_from_rect (&rounded, &rect, 3);
  gtk_snapshot_push_rounded_clip (snapshot, &rounded);
  if (place < 0)
    draw_texture (snapshot, get_noise (self), &rect);
  else if (place < count_frames (self))
    {
      g_autoptr (SlFrameObject) frame = g_list_model_get_item (sl_job_get_frames (self->job), place);

      draw_texture (snapshot, thumbnail (frame, self->view), &rect);
      if (sl_frame_object_is_cached (frame))
        draw_cached (snapshot, &rect);
    }
  else
    gtk_snapshot_append_color (snapshot, &unexposed, &rect);
  gtk_snapshot_pop (snapshot);
}

static void
draw_perforation (SlFilmStrip *self, GtkSnapshot *snapshot)
{
  static const GdkRGBA hole = { 1, 1, 1, 0.20 };
  double start = strip_start (self), end = start + count_cells (self) * (CELL + GAP) - GAP;

  for (double x = start + 5; x + 6 < end; x += 12)
    {
      graphene_rect_t top = GRAPHENE_RECT_INIT (x, 2, 6, 3);
      graphene_rect_t bottom = GRAPHENE_RECT_INIT (x, EDGE + CELL + EDGE - 5, 6, 3);

      gtk_snapshot_append_color (snapshot, &hole, &top);
      gtk_snapshot_append_color (snapshot, &hole, &bottom);
    }
}

static void
draw_cursor (SlFilmStrip *self, GtkSnapshot *snapshot)
{
  static const GdkRGBA red = { 0.90, 0.22, 0.16, 1 };
  const float widths[4] = { 2, 2, 2, 2 };
  const GdkRGBA colors[4] = { red, red, red, red };
  double x = x_of_place (self, self->position);
  graphene_rect_t line = GRAPHENE_RECT_INIT (floor (x) - 1, 0, 2, EDGE * 2 + CELL);
  graphene_rect_t cell;
  GskRoundedRect rounded;

  if (count_cells (self) < count_places (self))
    {
      gtk_snapshot_append_color (snapshot, &red, &line);
      return;
    }
  graphene_rect_init (&cell, strip_start (self) + (self->position - first_place (self)) * (CELL + GAP) - 2,
                      EDGE - 2, CELL + 4, CELL + 4);
  gsk_rounded_rect_init_from_rect (&rounded, &cell, 5);
  gtk_snapshot_append_border (snapshot, &rounded, widths, colors);
}

static void
sl_film_strip_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  SlFilmStrip *self = SL_FILM_STRIP (widget);

  draw_perforation (self, snapshot);
  for (int cell = 0; cell < count_cells (self); cell++)
    draw_cell (self, snapshot, cell);
  if (self->position >= 0 || self->at_noise)
    draw_cursor (self, snapshot);
}

static void
sl_film_strip_measure (GtkWidget *widget,
                       GtkOrientation orientation,
                       int for_size,
                       int *minimum,
                       int *natural,
                       int *minimum_baseline,
                       int *natural_baseline)
{
  *minimum = orientation == GTK_ORIENTATION_VERTICAL ? CELL + 2 * EDGE : CELL + 2 * GAP;
  *natural = orientation == GTK_ORIENTATION_VERTICAL ? *minimum : 8 * (CELL + GAP);
}

/* ---- moving ---- */

SlFrameObject *
sl_film_strip_get_frame (SlFilmStrip *self)
{
  g_autoptr (SlFrameObject) frame = NULL;

  if (self->position >= 0 && self->position < count_frames (self))
    frame = g_list_model_get_item (sl_job_get_frames (self->job), self->position);
  return frame; /* borrowed: the job holds it */
}

static char *
name_of_frame (SlFrameObject *frame)
{
  g_autofree char *step = g_strdup_printf (_ ("Step %d of %d"), sl_frame_object_get_step (frame) + 1,
                                           sl_frame_object_get_steps (frame));

  if (sl_frame_object_is_refined (frame))
    {
      g_autofree char *refined = g_strdup_printf ("%s, %s", step, _ ("by the refiner"));

      g_free (step);
      step = g_steal_pointer (&refined);
    }
  return sl_frame_object_is_cached (frame) ? g_strdup_printf ("%s, %s", step, _ ("cached"))
                                           : g_steal_pointer (&step);
}

static char *
name_of_noise (SlFilmStrip *self)
{
  int steps = sl_settings_get_steps (sl_job_get_settings (self->job));

  return g_strdup_printf (_ ("Step 0 of %d: the noise that it begins with"), steps);
}

static void
describe (SlFilmStrip *self)
{
  SlFrameObject *frame = sl_film_strip_get_frame (self);
  g_autofree char *text = frame ? name_of_frame (frame) : self->at_noise ? name_of_noise (self) : NULL;
  int before = -first_place (self);

  gtk_accessible_update_property (
      GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_VALUE_MIN, 1.0 - before,
      GTK_ACCESSIBLE_PROPERTY_VALUE_MAX, (double)MAX (count_places (self) - before, 1),
      GTK_ACCESSIBLE_PROPERTY_VALUE_NOW, (double)MAX (self->position + 1, 1 - before),
      GTK_ACCESSIBLE_PROPERTY_VALUE_TEXT, text ? text : "",
      /* which alone GTK 4.8 tells of a slider */
      GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, text ? text : "", -1);
}

/* The name of the moment under the pointer, above or below its cell. */
static gboolean
query_tooltip (SlFilmStrip *self, int x, int y, gboolean by_keyboard, GtkTooltip *tooltip)
{
  int place = by_keyboard ? self->position : place_at (self, x);
  g_autoptr (SlFrameObject) frame = NULL;
  g_autofree char *text = NULL;
  GdkRectangle cell = { (int)(x_of_place (self, place) - CELL / 2), 0, (int)CELL, (int)(CELL + 2 * EDGE) };

  if (place < first_place (self) || place >= count_frames (self))
    return FALSE;
  frame = place >= 0 ? g_list_model_get_item (sl_job_get_frames (self->job), place) : NULL;
  text = frame ? name_of_frame (frame) : name_of_noise (self);
  gtk_tooltip_set_text (tooltip, text);
  gtk_tooltip_set_tip_area (tooltip, &cell);
  return TRUE;
}

static void
set_position (SlFilmStrip *self, int position)
{
  int last = count_frames (self) - 1;

  self->position = last < 0 ? -1 : CLAMP (position, first_place (self), last);
  self->at_noise = last >= 0 && self->position < 0;
  self->following = self->position == last;
  describe (self);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

int
sl_film_strip_get_position (SlFilmStrip *self)
{
  return self->position;
}

GdkTexture *
sl_film_strip_get_noise (SlFilmStrip *self)
{
  return self->at_noise ? get_noise (self) : NULL;
}

gboolean
sl_film_strip_is_following (SlFilmStrip *self)
{
  return self->following;
}

void
sl_film_strip_pick (SlFilmStrip *self, int position)
{
  int before = self->position;

  set_position (self, position);
  if (self->position != before)
    g_signal_emit (self, signals[PICKED], 0);
}

static gboolean
key_pressed (SlFilmStrip *self, guint keyval)
{
  switch (keyval)
    {
    case GDK_KEY_Left:
      sl_film_strip_pick (self, self->position - 1);
      return TRUE;
    case GDK_KEY_Right:
      sl_film_strip_pick (self, self->position + 1);
      return TRUE;
    case GDK_KEY_Page_Up:
      sl_film_strip_pick (self, self->position - PAGE);
      return TRUE;
    case GDK_KEY_Page_Down:
      sl_film_strip_pick (self, self->position + PAGE);
      return TRUE;
    case GDK_KEY_Home:
      sl_film_strip_pick (self, first_place (self));
      return TRUE;
    case GDK_KEY_End:
      sl_film_strip_pick (self, G_MAXINT);
      return TRUE;
    default:
      return FALSE;
    }
}

static void
drag_begin (SlFilmStrip *self, double x, double y)
{
  gtk_widget_grab_focus (GTK_WIDGET (self));
  sl_film_strip_pick (self, place_at (self, x));
}

static void
drag_update (SlFilmStrip *self, double dx, double dy, GtkGestureDrag *drag)
{
  double x, y;

  if (gtk_gesture_drag_get_start_point (drag, &x, &y))
    sl_film_strip_pick (self, place_at (self, x + dx));
}

static void
frame_came (SlFilmStrip *self)
{
  if (self->following || (self->position < 0 && !self->at_noise))
    set_position (self, G_MAXINT);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
state_changed (SlFilmStrip *self)
{
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

void
sl_film_strip_set_job (SlFilmStrip *self, SlJob *job)
{
  if (self->job)
    g_signal_handlers_disconnect_by_data (self->job, self);
  g_set_object (&self->job, job);
  if (job)
    {
      g_signal_connect_object (job, "frame", G_CALLBACK (frame_came), self, G_CONNECT_SWAPPED);
      g_signal_connect_object (job, "notify::state", G_CALLBACK (state_changed), self, G_CONNECT_SWAPPED);
    }
  set_position (self, G_MAXINT);
  self->following = TRUE;
}

void
sl_film_strip_set_view (SlFilmStrip *self, SlView view)
{
  self->view = view;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

/* ---- class ---- */

static void
sl_film_strip_dispose (GObject *object)
{
  SlFilmStrip *self = SL_FILM_STRIP (object);

  if (self->job)
    g_signal_handlers_disconnect_by_data (self->job, self);
  g_clear_object (&self->job);
  G_OBJECT_CLASS (sl_film_strip_parent_class)->dispose (object);
}

static void
sl_film_strip_class_init (SlFilmStripClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = sl_film_strip_dispose;
  widget_class->snapshot = sl_film_strip_snapshot;
  widget_class->measure = sl_film_strip_measure;
  gtk_widget_class_set_css_name (widget_class, "filmstrip");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_SLIDER);
  signals[PICKED]
      = g_signal_new ("picked", SL_TYPE_FILM_STRIP, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
sl_film_strip_init (SlFilmStrip *self)
{
  GtkEventController *keys = gtk_event_controller_key_new ();
  GtkGesture *drag = gtk_gesture_drag_new ();

  self->position = -1;
  self->following = TRUE;
  gtk_widget_set_focusable (GTK_WIDGET (self), TRUE);
  gtk_widget_set_overflow (GTK_WIDGET (self), GTK_OVERFLOW_HIDDEN);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, _ ("Steps"), -1);
  gtk_widget_set_has_tooltip (GTK_WIDGET (self), TRUE);
  g_signal_connect (self, "query-tooltip", G_CALLBACK (query_tooltip), NULL);
  g_signal_connect_swapped (keys, "key-pressed", G_CALLBACK (key_pressed), self);
  g_signal_connect_swapped (drag, "drag-begin", G_CALLBACK (drag_begin), self);
  g_signal_connect_swapped (drag, "drag-update", G_CALLBACK (drag_update), self);
  gtk_widget_add_controller (GTK_WIDGET (self), keys);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (drag));
}
