/* sl-grid-overview.c - see sl-grid-overview.h.
 *
 * A cell's picture is made small and kept: of many lanes the decoded pictures do not stay (sl-decoded.h), and a cell
 * that was decoded once must not fall back to its quick preview.
 */
#include "ui/compare/sl-grid-overview.h"

#include <glib/gi18n.h>

#include "ui/compare/sl-lane-text.h"
#include "ui/widgets/sl-canvas.h"

/* Pixels that a kept picture's longer side has at most. */
#define KEPT_SIDE 320

/* What a cell has a picture of. */
typedef struct
{
  SlFrameObject *frame;
  SlView view;
  int width; /* of the picture that it was made of */
} Shown;

struct _SlGridOverview
{
  AdwBin parent_instance;
  SlCellGrid *cells;
  SlComparison *comparison;
  SlSettings *recipe;
  GArray *shown; /* of Shown, for each cell */
  GArray *lane;  /* of guint, for each cell: its lane, or G_MAXUINT */
};

G_DEFINE_FINAL_TYPE (SlGridOverview, sl_grid_overview, ADW_TYPE_BIN)

enum
{
  CHOSEN,
  WANTED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
shown_clear (gpointer data)
{
  g_clear_object (&((Shown *)data)->frame);
}

static guint
count_lanes (SlGridOverview *self)
{
  return g_list_model_get_n_items (G_LIST_MODEL (self->comparison));
}

static guint
lane_of (SlGridOverview *self, guint cell)
{
  return cell < self->lane->len ? g_array_index (self->lane, guint, cell) : G_MAXUINT;
}

static guint
cell_of (SlGridOverview *self, guint lane)
{
  for (guint i = 0; i < self->lane->len; i++)
    if (g_array_index (self->lane, guint, i) == lane)
      return i;
  return G_MAXUINT;
}

/* ---- names ---- */

static int
place_on (SlGridPlan *grid, SlPlanAxis axis, int cell)
{
  int columns = (int)sl_grid_plan_count (grid, SL_PLAN_ACROSS);

  return axis == SL_PLAN_ACROSS ? cell % columns : cell / columns;
}

/* Of a lane that stands there. */
static char *
name_of (SlGridOverview *self, SlGridPlan *grid, SlPlanAxis axis, guint place)
{
  for (guint i = 0; i < count_lanes (self); i++)
    {
      SlCompareLane *lane = sl_comparison_get_lane (self->comparison, i);
      int cell = sl_compare_lane_get_cell (lane);

      if (cell >= 0 && place_on (grid, axis, cell) == (int)place)
        return sl_lane_setting (sl_grid_plan_get_control (grid, axis), sl_compare_lane_get_values (lane));
    }
  return g_strdup ("");
}

static GStrv
names_of (SlGridOverview *self, SlGridPlan *grid, SlPlanAxis axis, guint beside)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();

  for (guint i = 0; i < sl_grid_plan_count (grid, axis); i++)
    {
      g_autofree char *name = name_of (self, grid, axis, i);

      g_strv_builder_add (names, name);
    }
  for (guint i = 0; i < beside; i++)
    /* Translators: lanes beside a grid, which are none of its cells. */
    g_strv_builder_add (names, i == 0 ? _ ("Others") : "");
  return g_strv_builder_end (names);
}

/* Where each lane stands: those that are no cells behind the last, one after the other. */
static guint
place_lanes (SlGridOverview *self, SlGridPlan *grid)
{
  guint columns = sl_grid_plan_count (grid, SL_PLAN_ACROSS), none = G_MAXUINT;
  guint cells = columns * sl_grid_plan_count (grid, SL_PLAN_DOWN), next = cells;

  g_array_set_size (self->lane, 0);
  for (guint i = 0; i < cells; i++)
    g_array_append_val (self->lane, none);
  for (guint i = 0; i < count_lanes (self); i++)
    {
      int cell = sl_compare_lane_get_cell (sl_comparison_get_lane (self->comparison, i));

      if (cell >= 0 && cell < (int)cells)
        g_array_index (self->lane, guint, cell) = i;
      else
        {
          g_array_append_val (self->lane, i);
          next++;
        }
    }
  return (next - cells + columns - 1) / columns;
}

void
sl_grid_overview_set_up (SlGridOverview *self)
{
  SlGridPlan *grid = sl_comparison_get_grid (self->comparison);
  g_auto (GStrv) columns = NULL;
  g_auto (GStrv) rows = NULL;
  guint beside;

  gtk_widget_set_visible (GTK_WIDGET (self), grid != NULL);
  g_array_set_size (self->shown, 0);
  g_array_set_size (self->lane, 0);
  if (grid == NULL)
    return;
  beside = place_lanes (self, grid);
  columns = names_of (self, grid, SL_PLAN_ACROSS, 0);
  rows = names_of (self, grid, SL_PLAN_DOWN, beside);
  sl_cell_grid_set_names (self->cells, (const char *const *)columns, (const char *const *)rows);
  g_array_set_size (self->shown, sl_cell_grid_count (self->cells));
}

/* ---- pictures ---- */

/* Each pixel the mean of those that it stands for. */
static GBytes *
shrink (GBytes *rgb, int *width, int *height)
{
  int by = (MAX (*width, *height) + KEPT_SIDE - 1) / KEPT_SIDE;
  int wide = *width / MAX (by, 1), high = *height / MAX (by, 1);
  const guint8 *from = g_bytes_get_data (rgb, NULL);
  guint8 *to;

  if (by <= 1 || wide < 1 || high < 1)
    return g_bytes_ref (rgb);
  to = g_malloc ((gsize)wide * high * 3);
  for (int y = 0; y < high; y++)
    for (int x = 0; x < wide; x++)
      for (int c = 0; c < 3; c++)
        {
          guint sum = 0;

          for (int i = 0; i < by * by; i++)
            sum += from[((gsize)(y * by + i / by) * *width + x * by + i % by) * 3 + c];
          to[((gsize)y * wide + x) * 3 + c] = (guint8)(sum / (guint)(by * by));
        }
  *width = wide;
  *height = high;
  return g_bytes_new_take (to, (gsize)wide * high * 3);
}

static void
show_picture (SlGridOverview *self, guint cell, SlFrameObject *frame, SlView view)
{
  Shown *shown = &g_array_index (self->shown, Shown, cell);
  g_autoptr (GBytes) small = NULL;
  g_autoptr (GdkTexture) texture = NULL;
  int width, height, whole;
  GBytes *rgb;

  if (frame == NULL)
    {
      g_clear_object (&shown->frame);
      sl_cell_grid_set_texture (self->cells, cell, NULL);
      return;
    }
  rgb = sl_frame_object_get_rgb (frame, view, &width, &height);
  whole = width;
  if (shown->frame == frame && shown->view == view && whole <= shown->width)
    return;
  small = shrink (rgb, &width, &height);
  texture = sl_texture_new_rgb (small, width, height);
  g_set_object (&shown->frame, frame);
  shown->view = view;
  shown->width = whole;
  sl_cell_grid_set_texture (self->cells, cell, texture);
}

static void
show_state (SlGridOverview *self, guint cell, guint lane)
{
  SlJob *job = sl_comparison_get_job (self->comparison, lane);
  int evaluations = job ? sl_job_get_evaluations (job) : 0;
  guint frames = job ? g_list_model_get_n_items (sl_job_get_frames (job)) : 0;
  gboolean going = job && evaluations > 0 && frames > 0 && !sl_job_is_over (job);
  const SlCellState state
      = { .here = lane < count_lanes (self),
          .progress = going ? (double)frames / evaluations : -1,
          .failed = job && sl_job_get_state (job) == SL_JOB_FAILED,
          .stale = lane < count_lanes (self)
                   && sl_compare_lane_is_stale (sl_comparison_get_lane (self->comparison, lane)) };

  sl_cell_grid_set_state (self->cells, cell, &state);
}

/* A lane that got other settings is no cell any more, and stands elsewhere. */
static gboolean
is_placed (SlGridOverview *self)
{
  SlGridPlan *grid = sl_comparison_get_grid (self->comparison);
  guint cells = sl_grid_plan_count (grid, SL_PLAN_ACROSS) * sl_grid_plan_count (grid, SL_PLAN_DOWN);

  for (guint i = 0; i < self->lane->len; i++)
    {
      guint lane = lane_of (self, i);
      int cell = lane < count_lanes (self)
                     ? sl_compare_lane_get_cell (sl_comparison_get_lane (self->comparison, lane))
                     : (int)i;

      if (lane < count_lanes (self) && (i < cells ? cell != (int)i : cell >= 0))
        return FALSE;
    }
  return TRUE;
}

void
sl_grid_overview_show (SlGridOverview *self, SlView view)
{
  guint chosen = lane_of (self, sl_cell_grid_get_chosen (self->cells));

  if (sl_comparison_get_grid (self->comparison) && !is_placed (self))
    {
      sl_grid_overview_set_up (self);
      sl_grid_overview_choose (self, chosen);
    }
  for (guint i = 0; i < self->shown->len; i++)
    {
      guint lane = lane_of (self, i);

      show_state (self, i, lane);
      show_picture (
          self, i, lane < count_lanes (self) ? sl_comparison_get_frame (self->comparison, lane) : NULL, view);
    }
}

gboolean
sl_grid_overview_is_shown (gpointer overview, guint lane)
{
  SlGridOverview *self = overview;
  SlJob *job = sl_comparison_get_job (self->comparison, lane);
  guint cell = cell_of (self, lane);
  const Shown *shown = cell < self->shown->len ? &g_array_index (self->shown, Shown, cell) : NULL;

  return shown && job && shown->frame == sl_comparison_get_frame (self->comparison, lane)
         && shown->width >= sl_settings_get_width (sl_job_get_settings (job));
}

/* ---- choosing ---- */

void
sl_grid_overview_choose (SlGridOverview *self, guint lane)
{
  sl_cell_grid_choose (self->cells, cell_of (self, lane));
}

static void
cell_chosen (SlGridOverview *self, guint cell)
{
  if (lane_of (self, cell) < count_lanes (self))
    g_signal_emit (self, signals[CHOSEN], 0, lane_of (self, cell));
}

static void
cell_wanted (SlGridOverview *self, guint cell)
{
  if (lane_of (self, cell) < count_lanes (self))
    g_signal_emit (self, signals[WANTED], 0, lane_of (self, cell));
}

SlCellGrid *
sl_grid_overview_get_cells (SlGridOverview *self)
{
  return self->cells;
}

void
sl_grid_overview_get_row (SlGridOverview *self, guint lane, guint most, guint *first, guint *count)
{
  SlGridPlan *grid = sl_comparison_get_grid (self->comparison);
  guint columns = grid ? sl_grid_plan_count (grid, SL_PLAN_ACROSS) : 1, row = cell_of (self, lane) / columns;

  *first = lane;
  *count = 1;
  while (*first > 0 && *count < most && cell_of (self, *first - 1) / columns == row)
    {
      *first -= 1;
      *count += 1;
    }
  while (*first + *count < count_lanes (self) && *count < most
         && cell_of (self, *first + *count) / columns == row)
    *count += 1;
}

/* ---- class ---- */

void
sl_grid_overview_connect (SlGridOverview *self, SlComparison *comparison, SlSettings *recipe)
{
  self->comparison = g_object_ref (comparison);
  self->recipe = g_object_ref (recipe);
}

static void
sl_grid_overview_dispose (GObject *object)
{
  SlGridOverview *self = SL_GRID_OVERVIEW (object);

  g_clear_pointer (&self->shown, g_array_unref);
  g_clear_pointer (&self->lane, g_array_unref);
  g_clear_object (&self->comparison);
  g_clear_object (&self->recipe);
  G_OBJECT_CLASS (sl_grid_overview_parent_class)->dispose (object);
}

static void
sl_grid_overview_class_init (SlGridOverviewClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = sl_grid_overview_dispose;
  signals[CHOSEN] = g_signal_new ("chosen", SL_TYPE_GRID_OVERVIEW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 1, G_TYPE_UINT);
  signals[WANTED] = g_signal_new ("wanted", SL_TYPE_GRID_OVERVIEW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 1, G_TYPE_UINT);
}

static void
sl_grid_overview_init (SlGridOverview *self)
{
  self->cells = g_object_new (SL_TYPE_CELL_GRID, NULL);
  self->shown = g_array_new (FALSE, TRUE, sizeof (Shown));
  self->lane = g_array_new (FALSE, TRUE, sizeof (guint));
  g_array_set_clear_func (self->shown, shown_clear);
  adw_bin_set_child (ADW_BIN (self), GTK_WIDGET (self->cells));
  gtk_widget_set_visible (GTK_WIDGET (self), FALSE);
  g_signal_connect_swapped (self->cells, "chosen", G_CALLBACK (cell_chosen), self);
  g_signal_connect_swapped (self->cells, "wanted", G_CALLBACK (cell_wanted), self);
}
