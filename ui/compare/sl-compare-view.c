/* sl-compare-view.c - see sl-compare-view.h.
 *
 * While lanes run, what came is drawn at most once per REFRESH_MS; what a person moves is drawn at
 * once.
 */
#include "ui/compare/sl-compare-view-private.h"

#include <glib/gi18n.h>

#define REFRESH_MS 16

G_DEFINE_FINAL_TYPE (SlCompareView, sl_compare_view, ADW_TYPE_BIN)

enum
{
  PROP_0,
  PROP_NOISY,
  PROP_DIFFERENCE,
  PROP_FAST,
  N_PROPS
};

enum
{
  ASKED,
  N_SIGNALS
};

static GParamSpec *properties[N_PROPS];
static guint signals[N_SIGNALS];

static void schedule (SlCompareView *self);

/* ---- lanes ---- */

static guint
count_lanes (SlCompareView *self)
{
  return self->lanes->len;
}

SlLaneView *
sl_compare_view_get_lane (SlCompareView *self, guint index)
{
  return index < count_lanes (self) ? self->lanes->pdata[index] : NULL;
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
  for (guint i = 0; i < count_lanes (self); i++)
    sl_lane_view_set_chosen (self->lanes->pdata[i], i == index);
  schedule (self);
}

static void
lane_chosen (SlCompareView *self, SlLaneView *lane)
{
  guint index = sl_lane_view_get_number (lane) - 1;

  if (index != self->chosen)
    sl_compare_view_choose (self, index);
}

static void
lane_asked (SlCompareView *self, const char *what, SlLaneView *lane)
{
  if (g_str_equal (what, "inspect"))
    gtk_toggle_button_set_active (self->tabs[TAB_INSIDE], TRUE);
  else
    g_signal_emit (self, signals[ASKED], 0, sl_lane_view_get_number (lane) - 1, what);
}

/* ---- zoom ---- */

static void
canvas_moved (SlCompareView *self, SlCanvas *canvas)
{
  for (guint i = 0; i < count_lanes (self); i++)
    {
      SlCanvas *other = sl_lane_view_get_canvas (self->lanes->pdata[i]);

      if (other != canvas)
        sl_canvas_copy_view (other, canvas);
    }
}

void
sl_compare_view_zoom (SlCompareView *self, SlZoom zoom)
{
  SlLaneView *lane = sl_compare_view_get_lane (self, self->chosen);

  if (lane)
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

/* ---- what changes ---- */

static void
show_all (SlCompareView *self)
{
  g_clear_handle_id (&self->refresh, g_source_remove);
  for (guint i = 0; i < count_lanes (self); i++)
    {
      _sl_compare_view_show_name (self, i);
      sl_lane_view_set_reference (self->lanes->pdata[i], i == sl_comparison_get_reference (self->comparison)
                                                             && count_lanes (self) > 1);
    }
  gtk_drop_down_set_selected (self->align, sl_comparison_get_align (self->comparison));
  _sl_compare_view_show_lanes (self);
  _sl_compare_view_show_curves (self);
  _sl_compare_view_show_parting (self);
  _sl_compare_view_show_inside (self);
  _sl_compare_view_show_place (self);
  _sl_compare_view_show_summary (self);
}

static gboolean
refresh (gpointer data)
{
  SlCompareView *self = data;

  self->refresh = 0;
  show_all (self);
  _sl_compare_view_decode_at_rest (self);
  return G_SOURCE_REMOVE;
}

static void
schedule (SlCompareView *self)
{
  if (self->refresh == 0)
    self->refresh = g_timeout_add (REFRESH_MS, refresh, self);
}

static void
moved (SlCompareView *self)
{
  if (sl_comparison_is_busy (self->comparison) && sl_comparison_is_following (self->comparison))
    {
      schedule (self);
      return;
    }
  _sl_compare_view_try_again (self);
  _sl_compare_view_show_lanes (self);
  _sl_compare_view_show_place (self);
  _sl_compare_view_show_inside (self);
}

static void
lanes_changed (SlCompareView *self)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->comparison));

  g_ptr_array_set_size (self->lanes, 0);
  sl_lane_grid_clear (self->grid);
  for (guint i = 0; i < n; i++)
    {
      SlLaneView *lane = sl_lane_view_new ((int)i + 1);

      g_ptr_array_add (self->lanes, lane);
      sl_lane_grid_append (self->grid, GTK_WIDGET (lane));
      g_signal_connect_object (lane, "chosen", G_CALLBACK (lane_chosen), self, G_CONNECT_SWAPPED);
      g_signal_connect_object (lane, "asked", G_CALLBACK (lane_asked), self, G_CONNECT_SWAPPED);
      g_signal_connect_object (sl_lane_view_get_canvas (lane), "view-changed", G_CALLBACK (canvas_moved),
                               self, G_CONNECT_SWAPPED);
    }
  gtk_stack_set_visible_child_name (self->stack, n > 0 ? "lanes" : "empty");
  sl_compare_view_choose (self, MIN (self->chosen, MAX (n, 1) - 1));
  show_all (self);
}

static void
align_chosen (SlCompareView *self)
{
  sl_comparison_set_align (self->comparison, (SlAlign)gtk_drop_down_get_selected (self->align));
}

static void
place_picked (SlCompareView *self, double place)
{
  sl_comparison_set_position (self->comparison, place);
}

static void
place_moved (SlCompareView *self, int by)
{
  sl_comparison_move (self->comparison, by);
}

SlCurveView *
sl_compare_view_get_curves (SlCompareView *self)
{
  return self->curves;
}

SlView
sl_compare_view_get_view (SlCompareView *self)
{
  return self->view;
}

/* ---- setting up ---- */

void
sl_compare_view_connect (SlCompareView *self, SlWorkspace *workspace)
{
  static const char *const changes[] = { "lane-changed", "frame", "state", "reference" };
  SlComparison *comparison = workspace->comparison;

  self->comparison = g_object_ref (comparison);
  self->worker = g_object_ref (workspace->worker);
  self->recipe = g_object_ref (workspace->recipe);
  for (guint i = 0; i < G_N_ELEMENTS (changes); i++)
    g_signal_connect_object (comparison, changes[i], G_CALLBACK (schedule), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->recipe, "notify", G_CALLBACK (schedule), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (comparison, "items-changed", G_CALLBACK (lanes_changed), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (comparison, "moved", G_CALLBACK (moved), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->worker, "loaded", G_CALLBACK (_sl_compare_view_try_again), self,
                           G_CONNECT_SWAPPED);
  _sl_compare_view_connect_fast (self, workspace->preferences);
  lanes_changed (self);
}

/* ---- class ---- */

static void
sl_compare_view_dispose (GObject *object)
{
  SlCompareView *self = SL_COMPARE_VIEW (object);

  g_clear_handle_id (&self->rest, g_source_remove);
  g_clear_handle_id (&self->refresh, g_source_remove);
  g_clear_object (&self->decoding);
  g_clear_object (&self->result);
  if (self->comparison)
    g_signal_handlers_disconnect_by_data (self->comparison, self);
  g_clear_object (&self->comparison);
  g_clear_object (&self->worker);
  g_clear_object (&self->recipe);
  g_clear_object (&self->preferences);
  g_clear_pointer (&self->lanes, g_ptr_array_unref);
  G_OBJECT_CLASS (sl_compare_view_parent_class)->dispose (object);
}

static void
sl_compare_view_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  switch (prop_id)
    {
    case PROP_NOISY:
      g_value_set_boolean (value, SL_COMPARE_VIEW (object)->view == SL_VIEW_NOISY);
      break;
    case PROP_DIFFERENCE:
      g_value_set_boolean (value, SL_COMPARE_VIEW (object)->difference);
      break;
    case PROP_FAST:
      g_value_set_boolean (value, _sl_compare_view_is_fast (SL_COMPARE_VIEW (object)));
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
      break;
    case PROP_FAST:
      _sl_compare_view_set_fast (self, g_value_get_boolean (value));
      return;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
      return;
    }
  _sl_compare_view_show_lanes (self);
  _sl_compare_view_decode_at_rest (self);
}

#define BIND(name) gtk_widget_class_bind_template_child (widget_class, SlCompareView, name)

static void
sl_compare_view_class_init (SlCompareViewClass *klass)
{
  static const char *const tab_names[N_TABS] = { "tab_sigma", "tab_distance", "tab_likeness", "tab_inside" };
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  g_type_ensure (SL_TYPE_LANE_GRID);
  g_type_ensure (SL_TYPE_CURVE_VIEW);
  g_type_ensure (SL_TYPE_STEP_INSPECTOR);
  G_OBJECT_CLASS (klass)->dispose = sl_compare_view_dispose;
  G_OBJECT_CLASS (klass)->get_property = sl_compare_view_get_property;
  G_OBJECT_CLASS (klass)->set_property = sl_compare_view_set_property;
  properties[PROP_NOISY]
      = g_param_spec_boolean ("noisy", NULL, NULL, FALSE, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  properties[PROP_DIFFERENCE]
      = g_param_spec_boolean ("difference", NULL, NULL, FALSE, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  properties[PROP_FAST] = g_param_spec_boolean (
      "fast", NULL, NULL, FALSE, G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (G_OBJECT_CLASS (klass), N_PROPS, properties);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/safelight/Safelight/sl-compare-view.ui");
  BIND (stack);
  BIND (presets);
  BIND (scheduler_menu);
  BIND (add_button);
  BIND (align);
  BIND (summary);
  BIND (pause);
  BIND (keep_button);
  BIND (grid);
  BIND (parting);
  BIND (inspector);
  for (guint i = 0; i < N_TABS; i++)
    gtk_widget_class_bind_template_child_full (widget_class, tab_names[i], FALSE,
                                               G_STRUCT_OFFSET (SlCompareView, tabs[i]));
  BIND (curves);
  gtk_widget_class_install_property_action (widget_class, "compare.noisy", "noisy");
  gtk_widget_class_install_property_action (widget_class, "compare.difference", "difference");
  gtk_widget_class_install_property_action (widget_class, "compare.fast", "fast");
  for (guint i = 0; i < G_N_ELEMENTS (zooms); i++)
    gtk_widget_class_install_action (widget_class, zooms[i].action, NULL, zoom);
  _sl_compare_view_add_keys (widget_class);
  signals[ASKED] = g_signal_new ("asked", SL_TYPE_COMPARE_VIEW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                 G_TYPE_NONE, 2, G_TYPE_UINT, G_TYPE_STRING);
}

static void
sl_compare_view_init (SlCompareView *self)
{
  self->lanes = g_ptr_array_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
  _sl_compare_view_fill_menus (self);
  g_signal_connect_swapped (self->align, "notify::selected", G_CALLBACK (align_chosen), self);
  _sl_compare_view_init_curves (self);
  g_signal_connect_swapped (self->curves, "picked", G_CALLBACK (place_picked), self);
  g_signal_connect_swapped (self->curves, "moved", G_CALLBACK (place_moved), self);
}
