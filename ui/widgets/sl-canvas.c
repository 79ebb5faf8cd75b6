/* sl-canvas.c - see sl-canvas.h. */
#include "ui/widgets/sl-canvas.h"

#include <math.h>

#include "ui/widgets/sl-toolkit.h"

#define ZOOM_MIN 0.1
#define ZOOM_MAX 32.0
#define ZOOM_STEP 1.25

struct _SlCanvas
{
  GtkWidget parent_instance;
  GdkTexture *texture;
  GdkTexture *overlay; /* NULL: none */
  GdkTexture *beside;  /* as well */
  double beside_from;
  int width;
  int height;
  double zoom; /* 0: fit */
  double x;    /* where the picture's centre is, from the widget's centre */
  double y;
  double drag_x;
  double drag_y;
  double pointer_x; /* from the widget's centre */
  double pointer_y;
};

G_DEFINE_FINAL_TYPE (SlCanvas, sl_canvas, GTK_TYPE_WIDGET)

enum
{
  VIEW_CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

GdkTexture *
sl_texture_new_rgb (GBytes *rgb, int width, int height)
{
  return rgb ? gdk_memory_texture_new (width, height, GDK_MEMORY_R8G8B8, rgb, (gsize)width * 3) : NULL;
}

static void
get_size (SlCanvas *self, double *width, double *height)
{
  *width = self->width ? self->width : gdk_texture_get_width (self->texture);
  *height = self->height ? self->height : gdk_texture_get_height (self->texture);
}

double
sl_canvas_get_zoom (SlCanvas *self)
{
  double width, height;

  if (self->zoom > 0 || self->texture == NULL)
    return self->zoom;
  get_size (self, &width, &height);
  return MIN (gtk_widget_get_width (GTK_WIDGET (self)) / width,
              gtk_widget_get_height (GTK_WIDGET (self)) / height);
}

double
sl_canvas_get_magnification (SlCanvas *self)
{
  return sl_canvas_get_zoom (self) * gtk_widget_get_scale_factor (GTK_WIDGET (self));
}

/* Whether its pixels are shown as squares. */
static gboolean
is_sharp (SlCanvas *self, GdkTexture *texture)
{
  double magnification = sl_canvas_get_magnification (self);

  if (self->width > 0 && gdk_texture_get_width (texture) < self->width)
    return FALSE;
  return self->zoom > 0 ? magnification > 1 : magnification >= 2;
}

static void
keep_in_sight (SlCanvas *self)
{
  double width, height, reach_x, reach_y;

  if (self->texture == NULL)
    return;
  get_size (self, &width, &height);
  reach_x = MAX (width * sl_canvas_get_zoom (self) - gtk_widget_get_width (GTK_WIDGET (self)), 0) / 2;
  reach_y = MAX (height * sl_canvas_get_zoom (self) - gtk_widget_get_height (GTK_WIDGET (self)), 0) / 2;
  self->x = CLAMP (self->x, -reach_x, reach_x);
  self->y = CLAMP (self->y, -reach_y, reach_y);
}

static void
draw_paper (SlCanvas *self, GtkSnapshot *snapshot, GdkTexture *texture, const graphene_rect_t *rect)
{
  GtkWidget *widget = GTK_WIDGET (self);
  const graphene_rect_t seen = GRAPHENE_RECT_INIT (0, 0, (float)gtk_widget_get_width (widget),
                                                   (float)gtk_widget_get_height (widget));

  if (is_sharp (self, texture))
    sl_toolkit_append_squares (snapshot, texture, rect, &seen);
  else
    gtk_snapshot_append_texture (snapshot, texture, rect);
}

/* The part that shows the other picture, and the line before it. */
static void
draw_beside (SlCanvas *self, GtkSnapshot *snapshot, const graphene_rect_t *rect)
{
  const GdkRGBA light = { 0.96f, 0.95f, 0.94f, 1 }, dark = { 0, 0, 0, 0.55f };
  float x = floorf (rect->origin.x + rect->size.width * (float)self->beside_from);
  graphene_rect_t part
      = GRAPHENE_RECT_INIT (x, rect->origin.y, rect->origin.x + rect->size.width - x, rect->size.height);

  gtk_snapshot_push_clip (snapshot, &part);
  draw_paper (self, snapshot, self->beside, rect);
  gtk_snapshot_pop (snapshot);
  gtk_snapshot_append_color (snapshot, &dark,
                             &GRAPHENE_RECT_INIT (x - 2, rect->origin.y, 4, rect->size.height));
  gtk_snapshot_append_color (snapshot, &light,
                             &GRAPHENE_RECT_INIT (x - 1, rect->origin.y, 2, rect->size.height));
}

/* Under colours that say something the picture has none of its own. */
static void
draw_picture (SlCanvas *self, GtkSnapshot *snapshot, const graphene_rect_t *rect)
{
  static const float grey[16]
      = { 0.239f, 0.239f, 0.239f, 0, 0.470f, 0.470f, 0.470f, 0, 0.091f, 0.091f, 0.091f, 0, 0, 0, 0, 1 };
  graphene_matrix_t matrix;
  graphene_vec4_t offset;

  if (self->overlay == NULL)
    {
      draw_paper (self, snapshot, self->texture, rect);
      return;
    }
  graphene_matrix_init_from_float (&matrix, grey);
  graphene_vec4_init (&offset, 0, 0, 0, 0);
  gtk_snapshot_push_color_matrix (snapshot, &matrix, &offset);
  draw_paper (self, snapshot, self->texture, rect);
  gtk_snapshot_pop (snapshot);
  gtk_snapshot_append_texture (snapshot, self->overlay, rect);
}

gboolean
sl_canvas_get_paper (SlCanvas *self, graphene_rect_t *paper)
{
  GtkWidget *widget = GTK_WIDGET (self);
  double width, height, zoom;

  if (self->texture == NULL || gtk_widget_get_width (widget) < 1)
    return FALSE;
  keep_in_sight (self);
  get_size (self, &width, &height);
  zoom = sl_canvas_get_zoom (self);
  width *= zoom;
  height *= zoom;
  graphene_rect_init (paper, floor ((gtk_widget_get_width (widget) - width) / 2 + self->x),
                      floor ((gtk_widget_get_height (widget) - height) / 2 + self->y), floor (width),
                      floor (height));
  return TRUE;
}

static void
sl_canvas_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  SlCanvas *self = SL_CANVAS (widget);
  graphene_rect_t rect;
  GskRoundedRect paper;
  GskShadow shadow = { { 0, 0, 0, 0.45 }, 0, 4, 18 };

  if (!sl_canvas_get_paper (self, &rect))
    return;
  gsk_rounded_rect_init_from_rect (&paper, &rect, 4);
  gtk_snapshot_append_outset_shadow (snapshot, &paper, &shadow.color, shadow.dx, shadow.dy, 0, shadow.radius);
  gtk_snapshot_push_rounded_clip (snapshot, &paper);
  draw_picture (self, snapshot, &rect);
  if (self->beside)
    draw_beside (self, snapshot, &rect);
  gtk_snapshot_pop (snapshot);
}

static void
sl_canvas_measure (GtkWidget *widget,
                   GtkOrientation orientation,
                   int for_size,
                   int *minimum,
                   int *natural,
                   int *minimum_baseline,
                   int *natural_baseline)
{
  *minimum = 64;
  *natural = 512;
}

/* The zoom of a fitted picture is another one. */
static void
sl_canvas_size_allocate (GtkWidget *widget, int width, int height, int baseline)
{
  GTK_WIDGET_CLASS (sl_canvas_parent_class)->size_allocate (widget, width, height, baseline);
  g_signal_emit (widget, signals[VIEW_CHANGED], 0);
}

static void
sl_canvas_dispose (GObject *object)
{
  g_clear_object (&SL_CANVAS (object)->texture);
  g_clear_object (&SL_CANVAS (object)->overlay);
  g_clear_object (&SL_CANVAS (object)->beside);
  G_OBJECT_CLASS (sl_canvas_parent_class)->dispose (object);
}

static void
sl_canvas_class_init (SlCanvasClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = sl_canvas_dispose;
  widget_class->snapshot = sl_canvas_snapshot;
  widget_class->measure = sl_canvas_measure;
  widget_class->size_allocate = sl_canvas_size_allocate;
  gtk_widget_class_set_css_name (widget_class, "canvas");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
  signals[VIEW_CHANGED]
      = g_signal_new ("view-changed", SL_TYPE_CANVAS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
view_changed (SlCanvas *self)
{
  gtk_widget_queue_draw (GTK_WIDGET (self));
  g_signal_emit (self, signals[VIEW_CHANGED], 0);
}

static void
drag_begin (SlCanvas *self)
{
  self->drag_x = self->x;
  self->drag_y = self->y;
}

static void
drag_update (SlCanvas *self, double dx, double dy)
{
  self->x = self->drag_x + dx;
  self->y = self->drag_y + dy;
  keep_in_sight (self);
  view_changed (self);
}

static void
moved (SlCanvas *self, double x, double y)
{
  self->pointer_x = x - gtk_widget_get_width (GTK_WIDGET (self)) / 2.0;
  self->pointer_y = y - gtk_widget_get_height (GTK_WIDGET (self)) / 2.0;
}

/* The point (x, y), from the widget's centre, stays where it is. */
static void
zoom_at (SlCanvas *self, double factor, double x, double y)
{
  double before = sl_canvas_get_zoom (self);

  if (before <= 0)
    return;
  self->zoom = CLAMP (before * factor, ZOOM_MIN, ZOOM_MAX);
  self->x = x + (self->x - x) * self->zoom / before;
  self->y = y + (self->y - y) * self->zoom / before;
  keep_in_sight (self);
  view_changed (self);
}

static gboolean
scroll (SlCanvas *self, double dx, double dy)
{
  zoom_at (self, pow (ZOOM_STEP, -dy), self->pointer_x, self->pointer_y);
  return TRUE;
}

static double
true_zoom (SlCanvas *self)
{
  return 1.0 / gtk_widget_get_scale_factor (GTK_WIDGET (self));
}

static void
pressed (SlCanvas *self, int n_press)
{
  if (n_press == 2)
    sl_canvas_set_zoom (self, self->zoom > 0 ? 0 : true_zoom (self));
}

static void
sl_canvas_init (SlCanvas *self)
{
  GtkGesture *drag = gtk_gesture_drag_new ();
  GtkGesture *click = gtk_gesture_click_new ();
  GtkEventController *motion = gtk_event_controller_motion_new ();
  GtkEventController *wheel = gtk_event_controller_scroll_new (GTK_EVENT_CONTROLLER_SCROLL_VERTICAL);

  gtk_gesture_single_set_button (GTK_GESTURE_SINGLE (drag), 0);
  gtk_widget_set_overflow (GTK_WIDGET (self), GTK_OVERFLOW_HIDDEN);
  g_signal_connect_swapped (drag, "drag-begin", G_CALLBACK (drag_begin), self);
  g_signal_connect_swapped (drag, "drag-update", G_CALLBACK (drag_update), self);
  g_signal_connect_swapped (click, "pressed", G_CALLBACK (pressed), self);
  g_signal_connect_swapped (motion, "motion", G_CALLBACK (moved), self);
  g_signal_connect_swapped (wheel, "scroll", G_CALLBACK (scroll), self);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (drag));
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (click));
  gtk_widget_add_controller (GTK_WIDGET (self), motion);
  gtk_widget_add_controller (GTK_WIDGET (self), wheel);
}

void
sl_canvas_set_texture (SlCanvas *self, GdkTexture *texture)
{
  if (g_set_object (&self->texture, texture))
    gtk_widget_queue_draw (GTK_WIDGET (self));
}

void
sl_canvas_set_overlay (SlCanvas *self, GdkTexture *overlay)
{
  if (g_set_object (&self->overlay, overlay))
    gtk_widget_queue_draw (GTK_WIDGET (self));
}

void
sl_canvas_set_beside (SlCanvas *self, GdkTexture *beside, double from)
{
  g_set_object (&self->beside, beside);
  self->beside_from = CLAMP (from, 0, 1);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

GdkTexture *
sl_canvas_get_beside (SlCanvas *self)
{
  return self->beside;
}

GdkTexture *
sl_canvas_get_overlay (SlCanvas *self)
{
  return self->overlay;
}

GdkTexture *
sl_canvas_get_texture (SlCanvas *self)
{
  return self->texture;
}

void
sl_canvas_set_size (SlCanvas *self, int width, int height)
{
  self->width = width;
  self->height = height;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

void
sl_canvas_set_zoom (SlCanvas *self, double zoom)
{
  self->zoom = zoom > 0 ? CLAMP (zoom, ZOOM_MIN, ZOOM_MAX) : 0;
  if (self->zoom <= 0)
    self->x = self->y = 0;
  view_changed (self);
}

gboolean
sl_canvas_is_fitted (SlCanvas *self)
{
  return self->zoom <= 0;
}

static void
zoom_by (SlCanvas *self, double factor)
{
  zoom_at (self, factor, 0, 0);
}

void
sl_canvas_zoom (SlCanvas *self, SlZoom zoom)
{
  switch (zoom)
    {
    case SL_ZOOM_IN:
      zoom_by (self, ZOOM_STEP);
      break;
    case SL_ZOOM_OUT:
      zoom_by (self, 1 / ZOOM_STEP);
      break;
    case SL_ZOOM_ORIGINAL:
      sl_canvas_set_zoom (self, true_zoom (self));
      break;
    case SL_ZOOM_FIT:
    default:
      sl_canvas_set_zoom (self, 0);
    }
}

void
sl_canvas_pan_by (SlCanvas *self, double dx, double dy)
{
  self->x += dx;
  self->y += dy;
  keep_in_sight (self);
  view_changed (self);
}

void
sl_canvas_get_place (SlCanvas *self, double *x, double *y)
{
  *x = self->x;
  *y = self->y;
}

void
sl_canvas_copy_view (SlCanvas *self, SlCanvas *other)
{
  self->zoom = other->zoom;
  self->x = other->x;
  self->y = other->y;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}
