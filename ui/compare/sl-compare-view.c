/* sl-compare-view.c - see sl-compare-view.h.
 *
 * While lanes run, what came is drawn at most once per REFRESH_MS; what a person moves is drawn at once.
 */
#include "ui/compare/sl-compare-view.h"

#include <glib/gi18n.h>

#include "ui/compare/sl-fast-lanes.h"
#include "ui/compare/sl-grid-overview.h"
#include "ui/compare/sl-heat-scale.h"
#include "ui/compare/sl-lane-grid.h"
#include "ui/compare/sl-lane-offers.h"
#include "ui/compare/sl-lane-text.h"
#include "ui/compare/sl-recent-comparisons.h"
#include "ui/compare/sl-rest-decoder.h"
#include "ui/widgets/sl-button-name.h"

#define REFRESH_MS 16

struct _SlCompareView
{
  AdwBin parent_instance;
  GtkStack *stack; /* "empty" or "lanes" */
  GtkFlowBox *presets;
  GtkButton *open;
  SlRecentComparisons *recent;
  GMenu *scheduler_menu;
  GtkMenuButton *add_button;
  GtkDropDown *align;
  GtkWidget *range_box;
  GtkLabel *range;
  GtkWidget *scale_box; /* what the colours of differences mean */
  GtkLabel *summary;
  GtkButton *again;
  GtkButton *pause;
  GtkWidget *keep_button;
  SlGridOverview *overview; /* of a grid; then one lane is shown beside it */
  GtkWidget *all_lanes;     /* what is not seen while two are at full size */
  SlLaneGrid *grid;
  SlAbView *ab;
  SlCompareChart *chart;

  SlComparison *comparison;
  SlSettings *recipe; /* names lanes that have not run yet */
  SlRestDecoder *decoder;
  SlFastLanes *fast;
  GPtrArray *lanes; /* of SlLaneView: those that are shown */
  guint first;      /* the index of the first of them */
  guint chosen;
  SlView view;
  gboolean full_size;  /* two lanes are, and the others are not seen */
  gboolean difference; /* lanes show how they differ from the reference */
  guint refresh;       /* timeout that draws what came */
};

G_DEFINE_FINAL_TYPE (SlCompareView, sl_compare_view, ADW_TYPE_BIN)

enum
{
  PROP_0,
  PROP_NOISY,
  PROP_DIFFERENCE,
  PROP_FAST,
  PROP_FULL_SIZE,
  N_PROPS
};

enum
{
  ASKED,
  N_SIGNALS
};

static GParamSpec *properties[N_PROPS];
static guint signals[N_SIGNALS];

static guint
count_lanes (SlCompareView *self)
{
  return g_list_model_get_n_items (G_LIST_MODEL (self->comparison));
}

static gboolean
is_reference (SlCompareView *self, guint index)
{
  return index == sl_comparison_get_reference (self->comparison);
}

/* ---- one lane ---- */

static void
show_name (SlCompareView *self, guint index, SlLaneView *view)
{
  SlCompareLane *lane = sl_comparison_get_lane (self->comparison, index);
  g_autofree char *title = sl_comparison_dup_lane_name (self->comparison, index, self->recipe);
  g_autofree char *settings = sl_lane_settings (lane, self->recipe);

  sl_lane_view_set_title (view, title, settings);
  sl_lane_view_set_stale (view, sl_compare_lane_is_stale (lane));
  sl_lane_view_set_reference (view, is_reference (self, index) && count_lanes (self) > 1);
}

static void
show_figures (SlLaneView *view, SlJob *job, SlFrameObject *frame, const SlPixelDifference *difference)
{
  g_autofree char *figures = !frame                     ? g_strdup ("")
                             : difference->largest >= 0 ? sl_lane_difference (difference)
                                                        : sl_lane_figures (job, frame);
  g_autofree char *detail = frame ? sl_lane_figures_in_full (job, frame) : NULL;
  gboolean going = job && sl_job_get_evaluations (job) > 0 && !sl_job_is_over (job);

  sl_lane_view_set_figures (view, figures, detail);
  sl_lane_view_set_progress (view, going ? (double)g_list_model_get_n_items (sl_job_get_frames (job))
                                               / sl_job_get_evaluations (job)
                                         : -1);
}

/* The lane's picture, or how it differs from the reference's at the same place; then difference is filled in, and
 * otherwise its largest is -1. */
static GdkTexture *
make_texture (SlCompareView *self, guint index, SlFrameObject *frame, SlPixelDifference *difference)
{
  SlFrameObject *other
      = sl_comparison_get_frame (self->comparison, sl_comparison_get_reference (self->comparison));
  g_autoptr (GBytes) heat = NULL;
  int width, height;
  GBytes *rgb = sl_frame_object_get_rgb (frame, self->view, &width, &height);

  difference->largest = -1;
  if (self->difference && other && !is_reference (self, index))
    heat = sl_difference_heat (&(SlHeatOf){ frame, other, self->view, 255 }, &width, &height, difference);
  return sl_texture_new_rgb (heat ? heat : rgb, width, height);
}

static void
show_lane (SlCompareView *self, guint index, SlLaneView *view)
{
  SlJob *job = sl_comparison_get_job (self->comparison, index);
  SlFrameObject *frame = sl_comparison_get_frame (self->comparison, index);
  SlPixelDifference difference = { 0, -1 };
  g_autoptr (GdkTexture) texture = frame ? make_texture (self, index, frame, &difference) : NULL;

  if (frame)
    sl_canvas_set_size (sl_lane_view_get_canvas (view), sl_settings_get_width (sl_job_get_settings (job)),
                        sl_settings_get_height (sl_job_get_settings (job)));
  sl_lane_view_show (view, texture, sl_lane_message (job), job && sl_job_get_state (job) == SL_JOB_FAILED);
  sl_lane_view_set_problem (view, frame ? sl_frame_object_get_problem (frame, self->view) : NULL);
  sl_lane_view_set_has_picture (view, frame != NULL);
  show_figures (view, job, frame, &difference);
}

static void
show_lanes (SlCompareView *self)
{
  if (self->full_size)
    {
      sl_ab_view_update (self->ab, self->view);
      return;
    }
  for (guint i = 0; i < self->lanes->len; i++)
    show_lane (self, self->first + i, self->lanes->pdata[i]);
  sl_grid_overview_show (self->overview, self->view);
}

/* Lanes that are shown at a time. */
static guint
room_for_lanes (SlCompareView *self)
{
  return sl_comparison_get_grid (self->comparison) ? 1 : SL_LANES_SHOWN;
}

/* Those that are shown; of a grid those of the row. */
static void
show_chart (SlCompareView *self)
{
  guint first = self->first, count = self->lanes->len;

  if (sl_comparison_get_grid (self->comparison) && count > 0)
    sl_grid_overview_get_row (self->overview, self->chosen, SL_LANES_SHOWN, &first, &count);
  sl_compare_chart_show (self->chart, first, count, self->chosen);
}

/* ---- how far all lanes are ---- */

static char *
describe_progress (SlCompareView *self)
{
  guint done, planned;

  sl_comparison_get_progress (self->comparison, &done, &planned);
  if (sl_comparison_is_busy (self->comparison) && planned > 0)
    return g_strdup_printf (_ ("%.0f %%"), 100.0 * done / planned);
  return g_strdup (sl_comparison_is_paused (self->comparison) ? _ ("Paused") : "");
}

static void
show_summary (SlCompareView *self)
{
  g_autofree char *progress = describe_progress (self);
  gboolean fast = sl_fast_lanes_any_is_fast (self->fast);
  /* Translators: of lanes that were computed as one batch. */
  const char *note = fast ? _ ("fast: last bits may differ") : "";
  g_autofree char *text = g_strconcat (progress, *progress && fast ? "  ·  " : "", note, NULL);

  gtk_label_set_text (self->summary, text);
  gtk_widget_set_tooltip_text (
      GTK_WIDGET (self->summary),
      fast ? _ ("Lanes of one size were computed as one batch. Computed alone, their last bits may differ.")
           : NULL);
}

static void
show_buttons (SlCompareView *self)
{
  gboolean paused = sl_comparison_is_paused (self->comparison);
  guint done, planned;

  sl_comparison_get_progress (self->comparison, &done, &planned);
  gtk_widget_set_visible (GTK_WIDGET (self->pause), paused || sl_comparison_is_busy (self->comparison));
  gtk_button_set_icon_name (self->pause,
                            paused ? "media-playback-start-symbolic" : "media-playback-pause-symbolic");
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->pause), paused ? _ ("Go on (P)") : _ ("Pause (P)"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->pause), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  paused ? _ ("Go on") : _ ("Pause"), -1);
  gtk_widget_set_sensitive (self->keep_button, done > 0);
}

/* ---- drawing ---- */

/* The chosen cell, and the next ones whose pictures are quick previews yet. */
static void
rest_cells (SlCompareView *self, SlRestLanes *lanes)
{
  guint n = count_lanes (self);

  for (guint i = 0; i < n && lanes->count < SL_REST_LANES; i++)
    {
      guint lane = (self->chosen + i) % n;

      if (i == 0 || !sl_grid_overview_is_shown (self->overview, lane))
        lanes->lane[lanes->count++] = lane;
    }
}

static SlRestLanes
rest_lanes (SlCompareView *self)
{
  SlRestLanes lanes = { .view = self->view };

  if (self->full_size)
    {
      lanes.count = 2;
      sl_ab_view_get_lanes (self->ab, &lanes.lane[0], &lanes.lane[1]);
      return lanes;
    }
  if (sl_comparison_get_grid (self->comparison))
    {
      rest_cells (self, &lanes);
      return lanes;
    }
  lanes.count = MIN (self->lanes->len, SL_REST_LANES);
  for (guint i = 0; i < lanes.count; i++) /* the chosen one first */
    lanes.lane[i] = self->first + (self->chosen - self->first + i) % lanes.count;
  return lanes;
}

static void
show_all (SlCompareView *self)
{
  g_clear_handle_id (&self->refresh, g_source_remove);
  for (guint i = 0; i < self->lanes->len; i++)
    show_name (self, self->first + i, self->lanes->pdata[i]);
  gtk_drop_down_set_selected (self->align, sl_comparison_get_align (self->comparison));
  show_lanes (self);
  show_chart (self);
  show_summary (self);
  show_buttons (self);
}

static gboolean
refresh (gpointer data)
{
  SlCompareView *self = data;
  const SlRestLanes lanes = rest_lanes (self);

  self->refresh = 0;
  show_all (self);
  sl_rest_decoder_wait (self->decoder, &lanes);
  return G_SOURCE_REMOVE;
}

static void
schedule (SlCompareView *self)
{
  if (self->refresh == 0)
    self->refresh = g_timeout_add (REFRESH_MS, refresh, self);
}

static void
try_again (SlCompareView *self)
{
  const SlRestLanes lanes = rest_lanes (self);

  sl_rest_decoder_try_again (self->decoder, &lanes);
}

static void
moved (SlCompareView *self)
{
  if (sl_comparison_is_busy (self->comparison) && sl_comparison_is_following (self->comparison))
    {
      schedule (self);
      return;
    }
  try_again (self);
  show_lanes (self);
  sl_compare_chart_move (self->chart);
}

static void
decoded (SlCompareView *self)
{
  const SlRestLanes lanes = rest_lanes (self);

  show_lanes (self);
  sl_compare_chart_move (self->chart);
  /* The cells of a grid are more than are asked for at a time. */
  if (sl_comparison_get_grid (self->comparison) && !self->full_size && lanes.count > 1)
    sl_rest_decoder_wait (self->decoder, &lanes);
}

/* ---- which lanes are shown ---- */

SlLaneView *
sl_compare_view_get_lane (SlCompareView *self, guint index)
{
  return index >= self->first && index - self->first < self->lanes->len
             ? self->lanes->pdata[index - self->first]
             : NULL;
}

static void
lane_chosen (SlCompareView *self, SlLaneView *lane)
{
  guint index = (guint)sl_lane_view_get_number (lane) - 1;

  if (index != self->chosen)
    sl_compare_view_choose (self, index);
}

static void
lane_asked (SlCompareView *self, const char *what, SlLaneView *lane)
{
  if (g_str_equal (what, "inspect"))
    sl_compare_chart_inspect (self->chart);
  else
    g_signal_emit (self, signals[ASKED], 0, (guint)sl_lane_view_get_number (lane) - 1, what);
}

/* Zoom and place of one picture are those of all. */
static void
canvas_moved (SlCompareView *self, SlCanvas *canvas)
{
  for (guint i = 0; i < self->lanes->len; i++)
    {
      SlCanvas *other = sl_lane_view_get_canvas (self->lanes->pdata[i]);

      if (other != canvas)
        sl_canvas_copy_view (other, canvas);
    }
}

static void
add_lane (SlCompareView *self, guint index)
{
  SlLaneView *lane = sl_lane_view_new (
      (int)index + 1, sl_compare_lane_get_color (sl_comparison_get_lane (self->comparison, index)));

  g_ptr_array_add (self->lanes, lane);
  sl_lane_grid_append (self->grid, GTK_WIDGET (lane));
  g_signal_connect_object (lane, "chosen", G_CALLBACK (lane_chosen), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (lane, "asked", G_CALLBACK (lane_asked), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (sl_lane_view_get_canvas (lane), "view-changed", G_CALLBACK (canvas_moved), self,
                           G_CONNECT_SWAPPED);
}

/* "Lanes 10–18 of 30", where not all of them are shown; the grid is called so too. */
static void
show_range (SlCompareView *self)
{
  guint n = count_lanes (self), last = self->first + self->lanes->len;
  /* Translators: the first and the last lane that are shown, and how many there are. */
  g_autofree char *text = g_strdup_printf (_ ("Lanes %u–%u of %u"), self->first + 1, last, n);

  gtk_label_set_text (self->range, text);
  gtk_widget_set_visible (self->range_box, n > SL_LANES_SHOWN && room_for_lanes (self) > 1);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->grid), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  n > SL_LANES_SHOWN ? text : _ ("Lanes"), -1);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "compare.previous-lanes", self->first > 0);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "compare.next-lanes", last < n);
}

/* Makes a view for each lane of the page that the chosen one is on. */
static void
show_page (SlCompareView *self)
{
  guint n = count_lanes (self);

  g_ptr_array_set_size (self->lanes, 0);
  sl_lane_grid_clear (self->grid);
  self->first = self->chosen / room_for_lanes (self) * room_for_lanes (self);
  for (guint i = self->first; i < MIN (n, self->first + room_for_lanes (self)); i++)
    add_lane (self, i);
  gtk_stack_set_visible_child_name (self->stack, n > 0 ? "lanes" : "empty");
  show_range (self);
}

static void
mark_chosen (SlCompareView *self)
{
  for (guint i = 0; i < self->lanes->len; i++)
    sl_lane_view_set_chosen (self->lanes->pdata[i], self->first + i == self->chosen);
  sl_grid_overview_choose (self->overview, self->chosen);
}

guint
sl_compare_view_get_chosen (SlCompareView *self)
{
  return self->chosen;
}

void
sl_compare_view_choose (SlCompareView *self, guint index)
{
  if (index >= count_lanes (self))
    return;
  self->chosen = index;
  if (sl_compare_view_get_lane (self, index) == NULL)
    {
      show_page (self);
      show_all (self);
    }
  mark_chosen (self);
  schedule (self);
}

/* ---- two lanes at full size ---- */

static void
show_scale (SlCompareView *self)
{
  gtk_widget_set_visible (self->scale_box, self->difference && !self->full_size);
}

/* The reference and the chosen lane, or the one beside it. */
static void
open_ab (SlCompareView *self)
{
  guint reference = sl_comparison_get_reference (self->comparison), n = count_lanes (self);
  guint other = self->chosen != reference ? self->chosen : reference + 1 < n ? reference + 1 : 0;

  sl_ab_view_open (self->ab, reference, other);
}

static void
set_full_size (SlCompareView *self, gboolean full_size)
{
  SlLaneView *lane;

  full_size = full_size && count_lanes (self) > 0;
  if (self->full_size == full_size)
    return;
  if (full_size)
    open_ab (self);
  self->full_size = full_size;
  gtk_widget_set_visible (self->all_lanes, !full_size);
  gtk_widget_set_visible (GTK_WIDGET (self->ab), full_size);
  show_scale (self);
  if (!full_size)
    sl_ab_view_close (self->ab);
  show_lanes (self);
  lane = sl_compare_view_get_lane (self, self->chosen);
  if (full_size)
    gtk_widget_grab_focus (GTK_WIDGET (self->ab));
  else if (lane)
    gtk_widget_grab_focus (GTK_WIDGET (lane));
  schedule (self);
  g_object_notify (G_OBJECT (self), "full-size");
}

static void
ab_left (SlCompareView *self)
{
  set_full_size (self, FALSE);
}

static void
row_opened (SlCompareView *self, guint index)
{
  sl_compare_view_choose (self, index);
  set_full_size (self, FALSE);
  set_full_size (self, TRUE);
}

SlAbView *
sl_compare_view_get_ab (SlCompareView *self)
{
  return self->ab;
}

static void
lanes_changed (SlCompareView *self)
{
  guint n = count_lanes (self);

  if (n == 0)
    set_full_size (self, FALSE);
  self->chosen = MIN (self->chosen, MAX (n, 1) - 1);
  sl_grid_overview_set_up (self->overview);
  show_page (self);
  mark_chosen (self);
  show_all (self);
  schedule (self);
}

/* The keyboard goes from a cell to its lane, which has the menu. */
static void
cell_wanted (SlCompareView *self, guint index)
{
  SlLaneView *lane = sl_compare_view_get_lane (self, index);

  if (lane)
    gtk_widget_grab_focus (GTK_WIDGET (lane));
}

/* ---- keys and actions ---- */

/* The keyboard goes to the nth of the lanes that are shown. */
static gboolean
choose_number (GtkWidget *widget, GVariant *arguments, gpointer user_data)
{
  SlCompareView *self = SL_COMPARE_VIEW (widget);
  SlLaneView *lane
      = sl_compare_view_get_lane (self, self->first + (guint)g_variant_get_int32 (arguments) - 1);

  return lane && gtk_widget_grab_focus (GTK_WIDGET (lane));
}

static void
turn_page (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlCompareView *self = SL_COMPARE_VIEW (widget);
  gboolean back = g_str_equal (action, "compare.previous-lanes");
  guint first = back ? self->first - room_for_lanes (self) : self->first + room_for_lanes (self);

  if ((back && self->first == 0) || first >= count_lanes (self))
    return;
  sl_compare_view_choose (self, first);
  /* The lane that had the keyboard is gone. */
  gtk_widget_grab_focus (GTK_WIDGET (sl_compare_view_get_lane (self, first)));
}

static gboolean
move_place (GtkWidget *widget, GVariant *arguments, gpointer user_data)
{
  sl_comparison_move (SL_COMPARE_VIEW (widget)->comparison, g_variant_get_int32 (arguments));
  return TRUE;
}

static gboolean
next_align (GtkWidget *widget, GVariant *arguments, gpointer user_data)
{
  GtkDropDown *align = SL_COMPARE_VIEW (widget)->align;

  gtk_drop_down_set_selected (align, (gtk_drop_down_get_selected (align) + 1) % 3);
  return TRUE;
}

static gboolean
show_table (GtkWidget *widget, GVariant *arguments, gpointer user_data)
{
  sl_compare_chart_show_table (SL_COMPARE_VIEW (widget)->chart);
  return TRUE;
}

static void
row_chosen (SlCompareView *self, guint index)
{
  if (index != self->chosen)
    sl_compare_view_choose (self, index);
}

static gboolean
open_add_menu (GtkWidget *widget, GVariant *arguments, gpointer user_data)
{
  gtk_menu_button_popup (SL_COMPARE_VIEW (widget)->add_button);
  return TRUE;
}

static void
add_keys (GtkWidgetClass *klass)
{
  static const struct
  {
    guint key;
    const char *action;
  } keys[] = {
    { GDK_KEY_n, "compare.noisy" },
    { GDK_KEY_d, "compare.difference" },
    { GDK_KEY_f, "compare.fast" },
    { GDK_KEY_p, "win.compare-pause" },
    { GDK_KEY_v, "compare.full-size" },
    { GDK_KEY_a, "win.compare-again" },
    { GDK_KEY_0, "compare.zoom-fit" },
    { GDK_KEY_plus, "compare.zoom-in" },
    { GDK_KEY_minus, "compare.zoom-out" },
    { GDK_KEY_Page_Up, "compare.previous-lanes" },
    { GDK_KEY_Page_Down, "compare.next-lanes" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    gtk_widget_class_add_binding_action (klass, keys[i].key, 0, keys[i].action, NULL);
  for (int i = 1; i <= SL_LANES_SHOWN; i++)
    gtk_widget_class_add_binding (klass, GDK_KEY_0 + i, 0, choose_number, "i", i);
  gtk_widget_class_add_binding (klass, GDK_KEY_Left, 0, move_place, "i", -1);
  gtk_widget_class_add_binding (klass, GDK_KEY_Right, 0, move_place, "i", 1);
  gtk_widget_class_add_binding (klass, GDK_KEY_Home, 0, move_place, "i", G_MININT);
  gtk_widget_class_add_binding (klass, GDK_KEY_End, 0, move_place, "i", G_MAXINT);
  gtk_widget_class_add_binding (klass, GDK_KEY_l, 0, next_align, NULL);
  gtk_widget_class_add_binding (klass, GDK_KEY_t, 0, show_table, NULL);
  gtk_widget_class_add_binding (klass, GDK_KEY_l, GDK_CONTROL_MASK, open_add_menu, NULL);
}

void
sl_compare_view_zoom (SlCompareView *self, SlZoom zoom)
{
  SlLaneView *lane = sl_compare_view_get_lane (self, self->chosen);

  if (self->full_size)
    sl_canvas_zoom (sl_ab_view_get_canvas (self->ab), zoom);
  else if (lane)
    sl_canvas_zoom (sl_lane_view_get_canvas (lane), zoom);
}

static const struct
{
  const char *action;
  SlZoom zoom;
} zooms[] = {
  { "compare.zoom-in", SL_ZOOM_IN },
  { "compare.zoom-out", SL_ZOOM_OUT },
  { "compare.zoom-fit", SL_ZOOM_FIT },
  { "compare.zoom-original", SL_ZOOM_ORIGINAL },
};

static void
zoom (GtkWidget *widget, const char *action, GVariant *parameter)
{
  for (guint i = 0; i < G_N_ELEMENTS (zooms); i++)
    if (g_str_equal (action, zooms[i].action))
      sl_compare_view_zoom (SL_COMPARE_VIEW (widget), zooms[i].zoom);
}

static void
align_chosen (SlCompareView *self)
{
  sl_comparison_set_align (self->comparison, (SlAlign)gtk_drop_down_get_selected (self->align));
}

/* ---- setting up ---- */

SlCompareChart *
sl_compare_view_get_chart (SlCompareView *self)
{
  return self->chart;
}

void
sl_compare_view_set_model (SlCompareView *self, SlModelItem *model, gboolean loras)
{
  sl_lane_offers_suit (self->presets, model, loras);
  sl_lane_offers_fill_schedulers (self->scheduler_menu, model);
}

void
sl_compare_view_take_fast (SlCompareView *self)
{
  sl_fast_lanes_take_lanes (self->fast);
}

void
sl_compare_view_follow_fast (SlCompareView *self, gboolean fast)
{
  sl_fast_lanes_follow (self->fast, fast);
}

static void
fast_changed (SlCompareView *self)
{
  g_object_notify (G_OBJECT (self), "fast");
}

void
sl_compare_view_connect (SlCompareView *self, SlWorkspace *workspace)
{
  const struct
  {
    gpointer object;
    const char *signal;
    GCallback handler;
  } handlers[] = {
    { workspace->comparison, "lane-changed", G_CALLBACK (schedule) },
    { workspace->comparison, "frame", G_CALLBACK (schedule) },
    { workspace->comparison, "state", G_CALLBACK (schedule) },
    { workspace->comparison, "reference", G_CALLBACK (schedule) },
    { workspace->comparison, "items-changed", G_CALLBACK (lanes_changed) },
    { workspace->comparison, "moved", G_CALLBACK (moved) },
    { workspace->recipe, "notify", G_CALLBACK (schedule) },
    { workspace->worker, "loaded", G_CALLBACK (try_again) },
  };

  sl_recent_comparisons_connect (self->recent, workspace->shelf);
  self->comparison = g_object_ref (workspace->comparison);
  self->recipe = g_object_ref (workspace->recipe);
  self->decoder = sl_rest_decoder_new (workspace->comparison, workspace->worker);
  self->fast = sl_fast_lanes_new (workspace);
  sl_compare_chart_connect (self->chart, workspace);
  sl_grid_overview_connect (self->overview, workspace->comparison, workspace->recipe);
  g_signal_connect_object (self->overview, "chosen", G_CALLBACK (sl_compare_view_choose), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->overview, "wanted", G_CALLBACK (cell_wanted), self, G_CONNECT_SWAPPED);
  sl_ab_view_connect (self->ab, workspace->comparison, workspace->recipe);
  for (guint i = 0; i < G_N_ELEMENTS (handlers); i++)
    g_signal_connect_object (handlers[i].object, handlers[i].signal, handlers[i].handler, self,
                             G_CONNECT_SWAPPED);
  g_signal_connect_object (self->decoder, "decoded", G_CALLBACK (decoded), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->fast, "changed", G_CALLBACK (fast_changed), self, G_CONNECT_SWAPPED);
  fast_changed (self);
  lanes_changed (self);
}

/* ---- class ---- */

static void
sl_compare_view_dispose (GObject *object)
{
  SlCompareView *self = SL_COMPARE_VIEW (object);

  g_clear_handle_id (&self->refresh, g_source_remove);
  if (self->comparison)
    g_signal_handlers_disconnect_by_data (self->comparison, self);
  g_clear_object (&self->decoder);
  g_clear_object (&self->fast);
  g_clear_object (&self->comparison);
  g_clear_object (&self->recipe);
  g_clear_pointer (&self->lanes, g_ptr_array_unref);
  G_OBJECT_CLASS (sl_compare_view_parent_class)->dispose (object);
}

static void
sl_compare_view_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  SlCompareView *self = SL_COMPARE_VIEW (object);

  switch (prop_id)
    {
    case PROP_NOISY:
      g_value_set_boolean (value, self->view == SL_VIEW_NOISY);
      break;
    case PROP_DIFFERENCE:
      g_value_set_boolean (value, self->difference);
      break;
    case PROP_FULL_SIZE:
      g_value_set_boolean (value, self->full_size);
      break;
    case PROP_FAST:
      g_value_set_boolean (value, self->fast && sl_fast_lanes_is_on (self->fast));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
sl_compare_view_set_property (GObject *object, guint prop_id, const GValue *value, GParamSpec *pspec)
{
  SlCompareView *self = SL_COMPARE_VIEW (object);

  switch (prop_id)
    {
    case PROP_NOISY:
      self->view = g_value_get_boolean (value) ? SL_VIEW_NOISY : SL_VIEW_PICTURE;
      break;
    case PROP_DIFFERENCE:
      self->difference = g_value_get_boolean (value);
      show_scale (self);
      break;
    case PROP_FULL_SIZE:
      set_full_size (self, g_value_get_boolean (value));
      return;
    case PROP_FAST:
      sl_fast_lanes_choose (self->fast, g_value_get_boolean (value));
      return;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
      return;
    }
  show_lanes (self);
  try_again (self);
}

#define BIND(name) gtk_widget_class_bind_template_child (widget_class, SlCompareView, name)

static void
install_properties (GObjectClass *object_class)
{
  properties[PROP_NOISY]
      = g_param_spec_boolean ("noisy", NULL, NULL, FALSE, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  properties[PROP_DIFFERENCE]
      = g_param_spec_boolean ("difference", NULL, NULL, FALSE, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  properties[PROP_FULL_SIZE] = g_param_spec_boolean (
      "full-size", NULL, NULL, FALSE, G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  properties[PROP_FAST] = g_param_spec_boolean (
      "fast", NULL, NULL, FALSE, G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
sl_compare_view_class_init (SlCompareViewClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  g_type_ensure (SL_TYPE_AB_VIEW);
  g_type_ensure (SL_TYPE_HEAT_SCALE);
  g_type_ensure (SL_TYPE_LANE_GRID);
  g_type_ensure (SL_TYPE_RECENT_COMPARISONS);
  g_type_ensure (SL_TYPE_GRID_OVERVIEW);
  g_type_ensure (SL_TYPE_COMPARE_CHART);
  G_OBJECT_CLASS (klass)->dispose = sl_compare_view_dispose;
  G_OBJECT_CLASS (klass)->get_property = sl_compare_view_get_property;
  G_OBJECT_CLASS (klass)->set_property = sl_compare_view_set_property;
  install_properties (G_OBJECT_CLASS (klass));
  gtk_widget_class_set_template_from_resource (widget_class, "/org/safelight/Safelight/sl-compare-view.ui");
  BIND (stack);
  BIND (presets);
  BIND (open);
  BIND (recent);
  BIND (scheduler_menu);
  BIND (add_button);
  BIND (align);
  BIND (range_box);
  BIND (range);
  BIND (scale_box);
  BIND (summary);
  BIND (again);
  BIND (pause);
  BIND (keep_button);
  BIND (overview);
  BIND (all_lanes);
  BIND (grid);
  BIND (ab);
  BIND (chart);
  gtk_widget_class_install_property_action (widget_class, "compare.noisy", "noisy");
  gtk_widget_class_install_property_action (widget_class, "compare.difference", "difference");
  gtk_widget_class_install_property_action (widget_class, "compare.fast", "fast");
  gtk_widget_class_install_property_action (widget_class, "compare.full-size", "full-size");
  for (guint i = 0; i < G_N_ELEMENTS (zooms); i++)
    gtk_widget_class_install_action (widget_class, zooms[i].action, NULL, zoom);
  gtk_widget_class_install_action (widget_class, "compare.previous-lanes", NULL, turn_page);
  gtk_widget_class_install_action (widget_class, "compare.next-lanes", NULL, turn_page);
  add_keys (widget_class);
  signals[ASKED] = g_signal_new ("asked", SL_TYPE_COMPARE_VIEW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                 G_TYPE_NONE, 2, G_TYPE_UINT, G_TYPE_STRING);
}

static void
sl_compare_view_init (SlCompareView *self)
{
  self->lanes = g_ptr_array_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
  sl_button_name_in_list (self->align);
  sl_lane_offers_fill_presets (self->presets);
  sl_button_name_by_label (self->open);
  sl_lane_offers_fill_schedulers (self->scheduler_menu, NULL);
  g_signal_connect_swapped (self->ab, "left", G_CALLBACK (ab_left), self);
  g_signal_connect_swapped (self->ab, "picked", G_CALLBACK (schedule), self);
  g_signal_connect_swapped (sl_compare_chart_get_table (self->chart), "opened", G_CALLBACK (row_opened),
                            self);
  g_signal_connect_swapped (sl_compare_chart_get_table (self->chart), "chosen", G_CALLBACK (row_chosen),
                            self);
  /* An action that cannot be done makes its button insensitive. */
  g_object_bind_property (self->again, "sensitive", self->again, "visible", G_BINDING_SYNC_CREATE);
  g_signal_connect_swapped (self->align, "notify::selected", G_CALLBACK (align_chosen), self);
}
