/* sl-compare-chart.c - see sl-compare-chart.h.
 *
 * Distance and likeness of a frame are measured once and kept with the frame; what they were measured against has a
 * number (measurement), so that a value from before is known to be old.
 */
#include "ui/compare/sl-compare-chart.h"

#include <glib/gi18n.h>
#include <math.h>

#include "ui/compare/sl-lane-view.h"
#include "ui/compare/sl-step-inspector.h"
#include "ui/widgets/sl-strip-handle.h"

#define HEIGHT_MIN 96
#define HEIGHT_MAX 2000

/* What the chart shows. */
enum
{
  TAB_SIGMA,
  TAB_DISTANCE,
  TAB_LIKENESS,
  TAB_INSIDE,
  TAB_TABLE,
  N_TABS
};

struct _SlCompareChart
{
  AdwBin parent_instance;
  GtkToggleButton *tabs[N_TABS];
  SlStripHandle *handle;
  GtkLabel *parting; /* since when two lanes look different */
  SlStepInspector *inspector;
  SlLaneTable *table;
  SlCurveView *curves;

  SlComparison *comparison;
  GSettings *preferences;
  int height;                 /* of the curves or the table, as a person wants it; 0: their own */
  int grabbed;                /* what it was when the handle was taken */
  guint first, count, chosen; /* the lanes that are shown */
  guint tab;
  SlFrameObject *result; /* what lanes are measured against, or NULL */
  guint measurement;     /* the number of result, and of what is measured */
  gboolean decoded;      /* likeness is that of decoded pictures */
};

G_DEFINE_FINAL_TYPE (SlCompareChart, sl_compare_chart, ADW_TYPE_BIN)

typedef struct
{
  guint measurement;
  double value;
} Measured;

static char *
place_text (SlCompareChart *self)
{
  double position = sl_comparison_get_position (self->comparison);

  switch (sl_comparison_get_align (self->comparison))
    {
    case SL_ALIGN_STEPS:
      return g_strdup_printf (_ ("Step %g"), position);
    case SL_ALIGN_SIGMA:
      return g_strdup_printf (_ ("Noise level %.3g"), position);
    case SL_ALIGN_EVALUATIONS:
    default:
      return g_strdup_printf (_ ("%g evaluations"), position);
    }
}

static SlJob *
reference_job (SlCompareChart *self)
{
  return sl_comparison_get_job (self->comparison, sl_comparison_get_reference (self->comparison));
}

/* Whether every frame has its decoded picture: a curve of both kinds would jump between them. */
static gboolean
all_decoded (SlCompareChart *self)
{
  for (guint i = 0; i < self->count; i++)
    {
      SlJob *job = sl_comparison_get_job (self->comparison, self->first + i);
      guint n = job ? g_list_model_get_n_items (sl_job_get_frames (job)) : 0;

      for (guint f = 0; f < n; f++)
        {
          g_autoptr (SlFrameObject) frame = g_list_model_get_item (sl_job_get_frames (job), f);

          if (!sl_frame_object_is_decoded (frame, SL_VIEW_PICTURE))
            return FALSE;
        }
    }
  return TRUE;
}

/* What lanes are measured against: the reference's result, so there is none before it is finished. */
static void
find_result (SlCompareChart *self)
{
  SlJob *job = reference_job (self);
  SlFrameObject *result = job && sl_job_is_over (job) ? sl_job_get_last_frame (job) : NULL;
  gboolean decoded = self->tab == TAB_LIKENESS && result && all_decoded (self);

  if (g_set_object (&self->result, result) || decoded != self->decoded)
    self->measurement++;
  self->decoded = decoded;
}

static void
show_axes (SlCompareChart *self)
{
  SlAlign align = sl_comparison_get_align (self->comparison);
  SlCurveAxes axes
      = { .first = 0, .last = 1, .log_y = self->tab != TAB_LIKENESS, .log_x = align == SL_ALIGN_SIGMA };

  sl_comparison_get_range (self->comparison, &axes.first, &axes.last);
  axes.y_title = self->tab == TAB_SIGMA      ? _ ("Noise level σ")
                 : self->tab == TAB_DISTANCE ? _ ("Distance in latents")
                 : self->decoded             ? _ ("PSNR of pictures, dB")
                                             : _ ("PSNR of previews, dB");
  axes.x_title = align == SL_ALIGN_STEPS   ? _ ("Steps")
                 : align == SL_ALIGN_SIGMA ? _ ("Noise level σ")
                                           : _ ("Evaluations of the model");
  axes.missing = self->tab == TAB_SIGMA ? NULL : _ ("equal");
  axes.nothing = self->tab == TAB_SIGMA ? NULL
                 : g_list_model_get_n_items (G_LIST_MODEL (self->comparison)) < 2
                     ? _ ("Add a second lane to measure it against this one")
                 : self->result == NULL ? _ ("The curves come when the reference lane is finished")
                                        : NULL;
  sl_curve_view_set_axes (self->curves, &axes);
}

static double
compare_with_result (SlCompareChart *self, SlFrameObject *frame)
{
  return self->tab == TAB_DISTANCE ? sl_difference_rms (frame, self->result)
                                   : sl_difference_psnr (frame, self->result, self->decoded);
}

/* Measured once for each frame and result. */
static double
measure (SlCompareChart *self, SlFrameObject *frame)
{
  static const char *const keys[N_TABS] = { NULL, "sl-distance", "sl-likeness", NULL, NULL };
  Measured *measured = g_object_get_data (G_OBJECT (frame), keys[self->tab]);

  if (measured && measured->measurement == self->measurement)
    return measured->value;
  measured = g_new (Measured, 1);
  *measured = (Measured){ self->measurement, compare_with_result (self, frame) };
  g_object_set_data_full (G_OBJECT (frame), keys[self->tab], measured, g_free);
  return measured->value;
}

static void
fill_measured (SlCompareChart *self, guint index, GArray *points)
{
  SlJob *job = sl_comparison_get_job (self->comparison, index);
  guint n = job && self->result ? g_list_model_get_n_items (sl_job_get_frames (job)) : 0;

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (SlFrameObject) frame = g_list_model_get_item (sl_job_get_frames (job), i);
      double y = measure (self, frame);
      /* Equal ones are infinitely like: a logarithm has no place for that, nor has a distance of 0. */
      gboolean equal = self->tab == TAB_DISTANCE ? y <= 0 : isinf (y);
      SlCurvePoint point = { sl_comparison_position_of (self->comparison, index, i), equal ? NAN : y,
                             sl_frame_object_is_cached (frame) };

      g_array_append_val (points, point);
    }
}

static void
fill_sigmas (SlCompareChart *self, guint index, GArray *points)
{
  SlJob *job = sl_comparison_get_job (self->comparison, index);
  const SlPlanPoint *plan = job ? sl_job_get_plan (job) : NULL;

  for (int i = 0; plan && i < sl_job_get_evaluations (job); i++)
    {
      g_autoptr (SlFrameObject) frame = g_list_model_get_item (sl_job_get_frames (job), (guint)i);
      SlCurvePoint point = { sl_comparison_position_of (self->comparison, index, (guint)i),
                             MAX (plan[i].sigma, 1e-3), frame && sl_frame_object_is_cached (frame) };

      g_array_append_val (points, point);
    }
}

static void
show_curves (SlCompareChart *self)
{
  SlCurve curves[SL_LANES_SHOWN] = { 0 };
  GArray *points[SL_LANES_SHOWN];
  guint n = MIN (self->count, SL_LANES_SHOWN), drawn = 0;

  find_result (self);
  for (guint i = 0; i < n; i++)
    {
      guint lane = self->first + i;
      SlJob *job = sl_comparison_get_job (self->comparison, lane);

      points[i] = g_array_new (FALSE, FALSE, sizeof (SlCurvePoint));
      if (self->tab == TAB_DISTANCE || self->tab == TAB_LIKENESS)
        fill_measured (self, lane, points[i]);
      else
        fill_sigmas (self, lane, points[i]);
      if (points[i]->len > 0)
        curves[drawn++] = (SlCurve){ .color = sl_lane_color (sl_compare_lane_get_color (
                                         sl_comparison_get_lane (self->comparison, lane))),
                                     .number = (int)lane + 1,
                                     .bold = lane == self->chosen,
                                     .reached = g_list_model_get_n_items (sl_job_get_frames (job)),
                                     .n_points = points[i]->len,
                                     .points = (const SlCurvePoint *)points[i]->data };
    }
  show_axes (self);
  sl_curve_view_set_curves (self->curves, curves, drawn);
  for (guint i = 0; i < n; i++)
    g_array_unref (points[i]);
}

static void
show_parting (SlCompareChart *self)
{
  guint reference = sl_comparison_get_reference (self->comparison);
  SlJob *job = sl_comparison_get_job (self->comparison, self->chosen);
  SlJob *other = reference_job (self);
  g_autofree char *text = NULL;
  int step = -1;

  if (job && other && job != other && sl_job_get_last_frame (job) && sl_job_get_last_frame (other))
    {
      step = sl_difference_parting (job, other);
      text = step >= 0 ? g_strdup_printf (_ ("Lanes %u and %u part at step %d"), reference + 1,
                                          self->chosen + 1, step + 1)
                       : g_strdup_printf (_ ("Lanes %u and %u look the same so far"), reference + 1,
                                          self->chosen + 1);
    }
  gtk_label_set_text (self->parting, text ? text : "");
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->parting), text);
  sl_curve_view_set_mark (self->curves,
                          step >= 0 && sl_comparison_get_align (self->comparison) == SL_ALIGN_STEPS ? step + 1
                                                                                                    : NAN);
}

static SlLaneMoment
moment_of (SlCompareChart *self, guint lane)
{
  return (SlLaneMoment){ sl_comparison_get_frame (self->comparison, lane), lane + 1 };
}

static void
show_inside (SlCompareChart *self)
{
  const SlInspected inspected
      = { .job = sl_comparison_get_job (self->comparison, self->chosen),
          .lane = moment_of (self, self->chosen),
          .reference = moment_of (self, sl_comparison_get_reference (self->comparison)) };

  if (self->tab == TAB_INSIDE)
    sl_step_inspector_show (self->inspector, &inspected);
}

static void
show_table (SlCompareChart *self)
{
  if (self->tab != TAB_TABLE)
    return;
  sl_lane_table_update (self->table);
  sl_lane_table_choose (self->table, self->chosen);
}

static void
tab_chosen (SlCompareChart *self, GtkToggleButton *button)
{
  if (!gtk_toggle_button_get_active (button))
    return;
  for (guint i = 0; i < N_TABS; i++)
    if (self->tabs[i] == button)
      self->tab = i;
  sl_curve_view_set_parts (self->curves, self->tab != TAB_INSIDE && self->tab != TAB_TABLE, TRUE);
  show_curves (self);
  show_inside (self);
  show_table (self);
}

static void
show_place (SlCompareChart *self)
{
  double first, last;
  double position = sl_comparison_get_position (self->comparison);
  g_autofree char *name = place_text (self);
  g_autofree char *values = sl_curve_view_describe (self->curves, position);
  g_autofree char *text = *values && self->tab != TAB_INSIDE && self->tab != TAB_TABLE
                              ? g_strconcat (name, "; ", values, NULL)
                              : g_steal_pointer (&name);
  gboolean any = sl_comparison_get_range (self->comparison, &first, &last)
                 && sl_comparison_get_frame (self->comparison, 0) != NULL;

  sl_curve_view_set_cursor (self->curves, any ? position : NAN, any ? text : NULL);
}

void
sl_compare_chart_show (SlCompareChart *self, guint first, guint count, guint chosen)
{
  self->first = first;
  self->count = count;
  self->chosen = chosen;
  show_curves (self);
  show_parting (self);
  show_table (self);
  sl_compare_chart_move (self);
}

void
sl_compare_chart_move (SlCompareChart *self)
{
  show_inside (self);
  show_place (self);
}

void
sl_compare_chart_inspect (SlCompareChart *self)
{
  gtk_toggle_button_set_active (self->tabs[TAB_INSIDE], TRUE);
}

void
sl_compare_chart_show_distance (SlCompareChart *self)
{
  gtk_toggle_button_set_active (self->tabs[TAB_DISTANCE], TRUE);
}

void
sl_compare_chart_show_table (SlCompareChart *self)
{
  gtk_toggle_button_set_active (self->tabs[TAB_TABLE], TRUE);
  gtk_widget_grab_focus (GTK_WIDGET (self->table));
}

SlLaneTable *
sl_compare_chart_get_table (SlCompareChart *self)
{
  return self->table;
}

gboolean
sl_compare_chart_measures_decoded (SlCompareChart *self)
{
  return self->decoded;
}

SlCurveView *
sl_compare_chart_get_curves (SlCompareChart *self)
{
  return self->curves;
}

/* ---- setting up ---- */

static void
place_picked (SlCompareChart *self, double place)
{
  sl_comparison_set_position (self->comparison, place);
}

static void
place_moved (SlCompareChart *self, int by)
{
  sl_comparison_move (self->comparison, by);
}

/* ---- as tall as a person wants it ---- */

static void
set_height (SlCompareChart *self, int height)
{
  self->height = height;
  sl_curve_view_set_height (self->curves, height);
  sl_lane_table_set_height (self->table, height);
  sl_strip_handle_set_height (self->handle, height);
}

static void
handle_grabbed (SlCompareChart *self)
{
  self->grabbed = self->tab == TAB_TABLE ? gtk_widget_get_height (GTK_WIDGET (self->table))
                                         : gtk_widget_get_height (GTK_WIDGET (self->curves));
}

static void
handle_pulled (SlCompareChart *self, int by)
{
  set_height (self, CLAMP (self->grabbed + by, HEIGHT_MIN, HEIGHT_MAX));
}

static void
handle_released (SlCompareChart *self)
{
  g_settings_set_int (self->preferences, "compare-strip-height", self->height);
}

static void
handle_reset (SlCompareChart *self)
{
  set_height (self, 0);
  handle_released (self);
}

void
sl_compare_chart_connect (SlCompareChart *self, SlWorkspace *workspace)
{
  self->comparison = g_object_ref (workspace->comparison);
  self->preferences = g_object_ref (workspace->preferences);
  sl_lane_table_connect (self->table, workspace->comparison, workspace->recipe);
  set_height (self, g_settings_get_int (self->preferences, "compare-strip-height"));
}

static void
sl_compare_chart_dispose (GObject *object)
{
  SlCompareChart *self = SL_COMPARE_CHART (object);

  g_clear_object (&self->result);
  g_clear_object (&self->preferences);
  g_clear_object (&self->comparison);
  G_OBJECT_CLASS (sl_compare_chart_parent_class)->dispose (object);
}

static void
sl_compare_chart_class_init (SlCompareChartClass *klass)
{
  static const char *const tab_names[N_TABS]
      = { "tab_sigma", "tab_distance", "tab_likeness", "tab_inside", "tab_table" };
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  g_type_ensure (SL_TYPE_CURVE_VIEW);
  g_type_ensure (SL_TYPE_LANE_TABLE);
  g_type_ensure (SL_TYPE_STRIP_HANDLE);
  g_type_ensure (SL_TYPE_STEP_INSPECTOR);
  G_OBJECT_CLASS (klass)->dispose = sl_compare_chart_dispose;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/safelight/Safelight/sl-compare-chart.ui");
  for (guint i = 0; i < N_TABS; i++)
    gtk_widget_class_bind_template_child_full (widget_class, tab_names[i], FALSE,
                                               G_STRUCT_OFFSET (SlCompareChart, tabs[i]));
  gtk_widget_class_bind_template_child (widget_class, SlCompareChart, parting);
  gtk_widget_class_bind_template_child (widget_class, SlCompareChart, handle);
  gtk_widget_class_bind_template_child (widget_class, SlCompareChart, inspector);
  gtk_widget_class_bind_template_child (widget_class, SlCompareChart, table);
  gtk_widget_class_bind_template_child (widget_class, SlCompareChart, curves);
}

static void
sl_compare_chart_init (SlCompareChart *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  for (guint i = 0; i < N_TABS; i++)
    g_signal_connect_swapped (self->tabs[i], "toggled", G_CALLBACK (tab_chosen), self);
  g_signal_connect_swapped (self->curves, "picked", G_CALLBACK (place_picked), self);
  g_signal_connect_swapped (self->handle, "grabbed", G_CALLBACK (handle_grabbed), self);
  g_signal_connect_swapped (self->handle, "pulled", G_CALLBACK (handle_pulled), self);
  g_signal_connect_swapped (self->handle, "released", G_CALLBACK (handle_released), self);
  g_signal_connect_swapped (self->handle, "reset", G_CALLBACK (handle_reset), self);
  g_signal_connect_swapped (self->curves, "moved", G_CALLBACK (place_moved), self);
}
