/* sl-cell-grid.c - see sl-cell-grid.h.
 *
 * The cells are drawn, not widgets: there may be a thousand. The names stand in two strips beside the scrolled cells and
 * follow their adjustments, so that they stay in sight. Easy to get wrong: a cell's size is known only when the cells
 * are allocated, and the strips draw by it.
 */
#include "ui/compare/sl-cell-grid.h"

#include "ui/widgets/sl-toolkit.h"

#include <glib/gi18n.h>

#define GAP 4
#define LEAST 28
#define LEAST_FITTING 72 /* below that there is no room for names: the cells are scrolled */
#define MOST 640
#define STRIP_HEIGHT 26
#define STRIP_WIDTH 104
#define NAME_GAP 6
#define BAR 3

typedef struct
{
  GdkTexture *texture;
  SlCellState state;
} Cell;

/* ---- the cells ---- */

#define SL_TYPE_CELLS (sl_cells_get_type ())

G_DECLARE_FINAL_TYPE (SlCells, sl_cells, SL, CELLS, GtkWidget)

struct _SlCells
{
  GtkWidget parent_instance;
  GStrv columns, rows;
  GArray *cells; /* of Cell, row by row; may be more than columns and rows say: lanes beside the grid */
  guint chosen;
  int size;   /* of a cell, as it is drawn */
  int wanted; /* 0: what fits */
};

G_DEFINE_FINAL_TYPE (SlCells, sl_cells, GTK_TYPE_WIDGET)

enum
{
  CHOSEN,
  WANTED,
  RESIZED,
  N_SIGNALS
};

static guint cells_signals[N_SIGNALS];

static int
count_columns (SlCells *self)
{
  return self->columns ? (int)g_strv_length (self->columns) : 0;
}

static int
count_rows (SlCells *self)
{
  return self->rows ? (int)g_strv_length (self->rows) : 0;
}

static Cell *
nth_cell (SlCells *self, guint cell)
{
  return cell < self->cells->len ? &g_array_index (self->cells, Cell, cell) : NULL;
}

static void
cell_clear (gpointer data)
{
  g_clear_object (&((Cell *)data)->texture);
}

/* The size with which all are in sight. */
static int
fitting_size (SlCells *self, int width, int height)
{
  int across = (width - GAP) / MAX (count_columns (self), 1) - GAP;
  int down = (height - GAP) / MAX (count_rows (self), 1) - GAP;

  return CLAMP (MIN (across, down), LEAST_FITTING, MOST);
}

static void
sl_cells_measure (GtkWidget *widget,
                  GtkOrientation orientation,
                  int for_size,
                  int *minimum,
                  int *natural,
                  int *minimum_baseline,
                  int *natural_baseline)
{
  SlCells *self = SL_CELLS (widget);
  int size = self->wanted ? self->wanted : LEAST_FITTING;
  int n = orientation == GTK_ORIENTATION_HORIZONTAL ? count_columns (self) : count_rows (self);

  *minimum = *natural = GAP + n * (size + GAP);
}

static void
sl_cells_size_allocate (GtkWidget *widget, int width, int height, int baseline)
{
  SlCells *self = SL_CELLS (widget);
  int size = self->wanted ? self->wanted : fitting_size (self, width, height);

  if (size == self->size)
    return;
  self->size = size;
  g_signal_emit (self, cells_signals[RESIZED], 0);
}

static graphene_rect_t
place_of (SlCells *self, guint cell)
{
  int columns = MAX (count_columns (self), 1);
  int x = GAP + (int)cell % columns * (self->size + GAP), y = GAP + (int)cell / columns * (self->size + GAP);

  return GRAPHENE_RECT_INIT (x, y, self->size, self->size);
}

static void
fill (GtkSnapshot *snapshot, const graphene_rect_t *area, float red, float green, float blue, float alpha)
{
  const GdkRGBA color = { red, green, blue, alpha };

  gtk_snapshot_append_color (snapshot, &color, area);
}

/* As large as the cell allows, with its own sides. */
static void
draw_texture (GtkSnapshot *snapshot, GdkTexture *texture, const graphene_rect_t *area)
{
  float width = gdk_texture_get_width (texture), height = gdk_texture_get_height (texture);
  float scale = MIN (area->size.width / width, area->size.height / height);
  graphene_rect_t inside = GRAPHENE_RECT_INIT (area->origin.x + (area->size.width - width * scale) / 2,
                                               area->origin.y + (area->size.height - height * scale) / 2,
                                               width * scale, height * scale);

  gtk_snapshot_append_texture (snapshot, texture, &inside);
}

static void
draw_cell (SlCells *self, GtkSnapshot *snapshot, guint index)
{
  const Cell *cell = nth_cell (self, index);
  graphene_rect_t area = place_of (self, index);
  graphene_rect_t bar = GRAPHENE_RECT_INIT (area.origin.x, area.origin.y + area.size.height - BAR,
                                            area.size.width * (float)CLAMP (cell->state.progress, 0, 1), BAR);

  fill (snapshot, &area, 1, 1, 1, cell->state.here ? 0.06F : 0.02F);
  if (cell->texture)
    draw_texture (snapshot, cell->texture, &area);
  if (cell->state.stale)
    {
      fill (snapshot, &area, 0.09F, 0.07F, 0.08F, 0.55F);
      fill (snapshot, &GRAPHENE_RECT_INIT (area.origin.x, area.origin.y, area.size.width, BAR), 1, 0.82F,
            0.4F, 1);
    }
  if (cell->state.failed)
    fill (snapshot, &area, 0.9F, 0.2F, 0.15F, 0.35F);
  if (cell->state.progress >= 0)
    fill (snapshot, &bar, 1, 0.48F, 0.42F, 1);
}

static void
draw_outline (SlCells *self, GtkSnapshot *snapshot, guint index)
{
  const float wide[4] = { 2, 2, 2, 2 };
  graphene_rect_t area = place_of (self, index);
  GskRoundedRect outline;
  GdkRGBA color = { 1, 1, 1, 0.7F };

  if (gtk_widget_has_focus (GTK_WIDGET (self)))
    color = (GdkRGBA){ 1, 0.48F, 0.42F, 1 };
  graphene_rect_inset (&area, -2, -2);
  gsk_rounded_rect_init_from_rect (&outline, &area, 3);
  gtk_snapshot_append_border (snapshot, &outline, wide, (const GdkRGBA[4]){ color, color, color, color });
}

static void
sl_cells_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  SlCells *self = SL_CELLS (widget);

  for (guint i = 0; i < self->cells->len; i++)
    draw_cell (self, snapshot, i);
  if (self->chosen < self->cells->len)
    draw_outline (self, snapshot, self->chosen);
}

/* "Euler, 20 steps" */
static char *
name_of (SlCells *self, guint cell)
{
  guint columns = (guint)count_columns (self), row = columns ? cell / columns : 0;

  if (columns == 0 || row >= (guint)count_rows (self))
    return g_strdup ("");
  return g_strdup_printf ("%s, %s", self->columns[cell % columns], self->rows[row]);
}

static void
say_chosen (SlCells *self)
{
  g_autofree char *name = self->chosen < self->cells->len ? name_of (self, self->chosen) : NULL;

  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  name && *name ? name : _ ("Cells of the grid"), -1);
}

static void
choose (SlCells *self, guint cell)
{
  if (cell >= self->cells->len || !nth_cell (self, cell)->state.here)
    return;
  self->chosen = cell;
  say_chosen (self);
  gtk_widget_queue_draw (GTK_WIDGET (self));
  g_signal_emit (self, cells_signals[CHOSEN], 0, cell);
}

/* The next cell in that direction that is not empty. */
static gboolean
go (GtkWidget *widget, GVariant *arguments, gpointer user_data)
{
  SlCells *self = SL_CELLS (widget);
  int columns = count_columns (self), rows = columns ? ((int)self->cells->len + columns - 1) / columns : 0;
  int across, down, column, row;

  if (columns == 0)
    return FALSE;
  g_variant_get (arguments, "(ii)", &across, &down);
  column = self->chosen < self->cells->len ? (int)self->chosen % columns : 0;
  row = self->chosen < self->cells->len ? (int)self->chosen / columns : 0;
  for (;;)
    {
      guint cell;

      column += across;
      row += down;
      cell = (guint)(row * columns + column);
      if (column < 0 || row < 0 || column >= columns || row >= rows || cell >= self->cells->len)
        return TRUE;
      if (nth_cell (self, cell)->state.here)
        {
          choose (self, cell);
          return TRUE;
        }
    }
}

static gboolean
want (GtkWidget *widget, GVariant *arguments, gpointer user_data)
{
  SlCells *self = SL_CELLS (widget);

  if (self->chosen < self->cells->len)
    g_signal_emit (self, cells_signals[WANTED], 0, self->chosen);
  return TRUE;
}

static guint
cell_at (SlCells *self, double x, double y)
{
  int columns = count_columns (self), step = self->size + GAP;
  int column = (int)(x - GAP / 2) / MAX (step, 1), row = (int)(y - GAP / 2) / MAX (step, 1);

  return x < 0 || y < 0 || column >= columns ? G_MAXUINT : (guint)(row * columns + column);
}

static void
pressed (SlCells *self, int presses, double x, double y)
{
  guint cell = cell_at (self, x, y);

  gtk_widget_grab_focus (GTK_WIDGET (self));
  choose (self, cell);
  if (presses == 2 && cell == self->chosen)
    g_signal_emit (self, cells_signals[WANTED], 0, cell);
}

static gboolean
query_tooltip (GtkWidget *widget, int x, int y, gboolean keyboard, GtkTooltip *tooltip)
{
  SlCells *self = SL_CELLS (widget);
  guint cell = keyboard ? self->chosen : cell_at (self, x, y);
  g_autofree char *name = cell < self->cells->len ? name_of (self, cell) : NULL;

  if (name == NULL || *name == '\0')
    return FALSE;
  gtk_tooltip_set_text (tooltip, name);
  return TRUE;
}

static void
sl_cells_finalize (GObject *object)
{
  SlCells *self = SL_CELLS (object);

  g_strfreev (self->columns);
  g_strfreev (self->rows);
  g_array_unref (self->cells);
  G_OBJECT_CLASS (sl_cells_parent_class)->finalize (object);
}

static void
sl_cells_class_init (SlCellsClass *klass)
{
  static const struct
  {
    guint key;
    int across, down;
  } keys[]
      = { { GDK_KEY_Left, -1, 0 }, { GDK_KEY_Right, 1, 0 }, { GDK_KEY_Up, 0, -1 }, { GDK_KEY_Down, 0, 1 } };
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = sl_cells_finalize;
  widget_class->measure = sl_cells_measure;
  widget_class->size_allocate = sl_cells_size_allocate;
  widget_class->snapshot = sl_cells_snapshot;
  widget_class->query_tooltip = query_tooltip;
  gtk_widget_class_set_css_name (widget_class, "cells");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_GROUP);
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    gtk_widget_class_add_binding (widget_class, keys[i].key, 0, go, "(ii)", keys[i].across, keys[i].down);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_Return, 0, want, NULL);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_KP_Enter, 0, want, NULL);
  cells_signals[CHOSEN] = g_signal_new ("chosen", SL_TYPE_CELLS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                        G_TYPE_NONE, 1, G_TYPE_UINT);
  cells_signals[WANTED] = g_signal_new ("wanted", SL_TYPE_CELLS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                        G_TYPE_NONE, 1, G_TYPE_UINT);
  cells_signals[RESIZED]
      = g_signal_new ("resized", SL_TYPE_CELLS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
sl_cells_init (SlCells *self)
{
  GtkGesture *click = gtk_gesture_click_new ();
  GtkEventController *focus = gtk_event_controller_focus_new ();

  self->cells = g_array_new (FALSE, TRUE, sizeof (Cell));
  g_array_set_clear_func (self->cells, cell_clear);
  self->chosen = G_MAXUINT;
  self->size = LEAST;
  gtk_widget_set_focusable (GTK_WIDGET (self), TRUE);
  gtk_widget_set_has_tooltip (GTK_WIDGET (self), TRUE);
  g_signal_connect_swapped (click, "pressed", G_CALLBACK (pressed), self);
  g_signal_connect_swapped (focus, "enter", G_CALLBACK (gtk_widget_queue_draw), self);
  g_signal_connect_swapped (focus, "leave", G_CALLBACK (gtk_widget_queue_draw), self);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (click));
  gtk_widget_add_controller (GTK_WIDGET (self), focus);
  say_chosen (self);
}

/* ---- cells with names ---- */

struct _SlCellGrid
{
  AdwBin parent_instance;
  SlCells *cells;
  GtkScrolledWindow *scrolled;
  GtkDrawingArea *across, *down;
};

G_DEFINE_FINAL_TYPE (SlCellGrid, sl_cell_grid, ADW_TYPE_BIN)

static guint signals[N_SIGNALS];

/* One name in its place. */
static void
draw_name (cairo_t *cr, PangoLayout *layout, const char *name, double x, double y, int width, int height)
{
  int text_height;

  pango_layout_set_width (layout, MAX (width, 1) * PANGO_SCALE);
  pango_layout_set_text (layout, name, -1);
  pango_layout_get_pixel_size (layout, NULL, &text_height);
  cairo_move_to (cr, x, y + (height - text_height) / 2.0);
  pango_cairo_show_layout (cr, layout);
}

static void
draw_names (GtkDrawingArea *area, cairo_t *cr, int width, int height, gpointer user_data)
{
  SlCellGrid *self = user_data;
  gboolean is_across = area == self->across;
  GStrv names = is_across ? self->cells->columns : self->cells->rows;
  GtkAdjustment *adjustment = is_across ? gtk_scrolled_window_get_hadjustment (self->scrolled)
                                        : gtk_scrolled_window_get_vadjustment (self->scrolled);
  g_autoptr (PangoLayout) layout = gtk_widget_create_pango_layout (GTK_WIDGET (area), NULL);
  double at = GAP - gtk_adjustment_get_value (adjustment);
  int size = self->cells->size;
  GdkRGBA color;

  sl_toolkit_get_color (GTK_WIDGET (area), &color);
  gdk_cairo_set_source_rgba (cr, &color);
  pango_layout_set_ellipsize (layout, PANGO_ELLIPSIZE_END);
  pango_layout_set_single_paragraph_mode (layout, TRUE);
  pango_layout_set_alignment (layout, is_across ? PANGO_ALIGN_CENTER : PANGO_ALIGN_RIGHT);
  for (guint i = 0; names && names[i]; i++, at += size + GAP)
    if (is_across)
      draw_name (cr, layout, names[i], at, 0, size, height);
    else
      draw_name (cr, layout, names[i], 0, at, width - NAME_GAP, size);
}

static void
redraw_names (SlCellGrid *self)
{
  gtk_widget_queue_draw (GTK_WIDGET (self->across));
  gtk_widget_queue_draw (GTK_WIDGET (self->down));
}

static void
bring_into_sight (SlCellGrid *self, guint cell)
{
  graphene_rect_t area = place_of (self->cells, cell);
  GtkAdjustment *h = gtk_scrolled_window_get_hadjustment (self->scrolled);
  GtkAdjustment *v = gtk_scrolled_window_get_vadjustment (self->scrolled);

  gtk_adjustment_clamp_page (h, area.origin.x - GAP, area.origin.x + area.size.width + GAP);
  gtk_adjustment_clamp_page (v, area.origin.y - GAP, area.origin.y + area.size.height + GAP);
}

static void
cell_chosen (SlCellGrid *self, guint cell)
{
  bring_into_sight (self, cell);
  g_signal_emit (self, signals[CHOSEN], 0, cell);
}

static void
cell_wanted (SlCellGrid *self, guint cell)
{
  g_signal_emit (self, signals[WANTED], 0, cell);
}

void
sl_cell_grid_set_names (SlCellGrid *self, const char *const *columns, const char *const *rows)
{
  SlCells *cells = self->cells;
  GStrv across = g_strdupv ((char **)columns), down = g_strdupv ((char **)rows);

  g_strfreev (cells->columns);
  g_strfreev (cells->rows);
  cells->columns = across;
  cells->rows = down;
  g_array_set_size (cells->cells, 0);
  g_array_set_size (cells->cells, (guint)(count_columns (cells) * count_rows (cells)));
  for (guint i = 0; i < cells->cells->len; i++)
    nth_cell (cells, i)->state.progress = -1;
  cells->chosen = G_MAXUINT;
  gtk_widget_queue_resize (GTK_WIDGET (cells));
  redraw_names (self);
}

guint
sl_cell_grid_count (SlCellGrid *self)
{
  return self->cells->cells->len;
}

void
sl_cell_grid_set_state (SlCellGrid *self, guint cell, const SlCellState *state)
{
  Cell *its = nth_cell (self->cells, cell);

  if (its == NULL
      || (its->state.here == state->here && its->state.progress == state->progress
          && its->state.failed == state->failed && its->state.stale == state->stale))
    return;
  its->state = *state;
  gtk_widget_queue_draw (GTK_WIDGET (self->cells));
}

void
sl_cell_grid_set_texture (SlCellGrid *self, guint cell, GdkTexture *texture)
{
  Cell *its = nth_cell (self->cells, cell);

  if (its && g_set_object (&its->texture, texture))
    gtk_widget_queue_draw (GTK_WIDGET (self->cells));
}

GdkTexture *
sl_cell_grid_get_texture (SlCellGrid *self, guint cell)
{
  Cell *its = nth_cell (self->cells, cell);

  return its ? its->texture : NULL;
}

void
sl_cell_grid_choose (SlCellGrid *self, guint cell)
{
  if (self->cells->chosen == cell)
    return;
  self->cells->chosen = cell;
  say_chosen (self->cells);
  if (cell < self->cells->cells->len)
    bring_into_sight (self, cell);
  gtk_widget_queue_draw (GTK_WIDGET (self->cells));
}

guint
sl_cell_grid_get_chosen (SlCellGrid *self)
{
  return self->cells->chosen;
}

int
sl_cell_grid_get_size (SlCellGrid *self)
{
  return self->cells->size;
}

void
sl_cell_grid_zoom (SlCellGrid *self, int by)
{
  int size = self->cells->size;

  self->cells->wanted = by == 0 ? 0 : CLAMP (by > 0 ? size * 5 / 4 + 1 : size * 4 / 5, LEAST, MOST);
  gtk_widget_queue_resize (GTK_WIDGET (self->cells));
  redraw_names (self);
}

static gboolean
zoom_by_key (GtkWidget *widget, GVariant *arguments, gpointer user_data)
{
  sl_cell_grid_zoom (SL_CELL_GRID (widget), g_variant_get_int32 (arguments));
  return TRUE;
}

static gboolean
scrolled (GtkEventControllerScroll *controller, double dx, double dy, SlCellGrid *self)
{
  GdkModifierType state = gtk_event_controller_get_current_event_state (GTK_EVENT_CONTROLLER (controller));

  if (!(state & GDK_CONTROL_MASK) || dy == 0)
    return FALSE;
  sl_cell_grid_zoom (self, dy < 0 ? 1 : -1);
  return TRUE;
}

static void
sl_cell_grid_class_init (SlCellGridClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  gtk_widget_class_set_css_name (widget_class, "cellgrid");
  gtk_widget_class_add_binding (widget_class, GDK_KEY_plus, 0, zoom_by_key, "i", 1);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_KP_Add, 0, zoom_by_key, "i", 1);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_minus, 0, zoom_by_key, "i", -1);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_KP_Subtract, 0, zoom_by_key, "i", -1);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_0, 0, zoom_by_key, "i", 0);
  signals[CHOSEN] = g_signal_new ("chosen", SL_TYPE_CELL_GRID, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 1, G_TYPE_UINT);
  signals[WANTED] = g_signal_new ("wanted", SL_TYPE_CELL_GRID, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 1, G_TYPE_UINT);
}

static GtkDrawingArea *
new_strip (SlCellGrid *self, int width, int height)
{
  GtkWidget *strip = gtk_drawing_area_new ();

  gtk_widget_set_size_request (strip, width, height);
  gtk_widget_add_css_class (strip, "caption");
  gtk_drawing_area_set_draw_func (GTK_DRAWING_AREA (strip), draw_names, self, NULL);
  return GTK_DRAWING_AREA (strip);
}

static void
sl_cell_grid_init (SlCellGrid *self)
{
  GtkWidget *grid = gtk_grid_new (), *window = gtk_scrolled_window_new ();
  GtkEventController *scroll = gtk_event_controller_scroll_new (GTK_EVENT_CONTROLLER_SCROLL_VERTICAL);

  self->cells = g_object_new (SL_TYPE_CELLS, NULL);
  self->scrolled = GTK_SCROLLED_WINDOW (window);
  self->across = new_strip (self, -1, STRIP_HEIGHT);
  self->down = new_strip (self, STRIP_WIDTH, -1);
  gtk_scrolled_window_set_child (self->scrolled, GTK_WIDGET (self->cells));
  gtk_widget_set_hexpand (window, TRUE);
  gtk_widget_set_vexpand (window, TRUE);
  gtk_grid_attach (GTK_GRID (grid), GTK_WIDGET (self->across), 1, 0, 1, 1);
  gtk_grid_attach (GTK_GRID (grid), GTK_WIDGET (self->down), 0, 1, 1, 1);
  gtk_grid_attach (GTK_GRID (grid), window, 1, 1, 1, 1);
  adw_bin_set_child (ADW_BIN (self), grid);
  gtk_event_controller_set_propagation_phase (scroll, GTK_PHASE_CAPTURE);
  gtk_widget_add_controller (window, scroll);
  g_signal_connect (scroll, "scroll", G_CALLBACK (scrolled), self);
  g_signal_connect_swapped (gtk_scrolled_window_get_hadjustment (self->scrolled), "value-changed",
                            G_CALLBACK (redraw_names), self);
  g_signal_connect_swapped (gtk_scrolled_window_get_vadjustment (self->scrolled), "value-changed",
                            G_CALLBACK (redraw_names), self);
  g_signal_connect_swapped (self->cells, "resized", G_CALLBACK (redraw_names), self);
  g_signal_connect_swapped (self->cells, "chosen", G_CALLBACK (cell_chosen), self);
  g_signal_connect_swapped (self->cells, "wanted", G_CALLBACK (cell_wanted), self);
}
