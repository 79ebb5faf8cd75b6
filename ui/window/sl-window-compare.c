/* sl-window-compare.c - the compare page: filling it with lanes, starting and stopping them, what their
 * menus ask for. */
#include "ui/window/sl-window-private.h"

#include <glib/gi18n.h>

#include "ui/compare/sl-lane-editor.h"

static gboolean
is_in_sight (SlWindow *self)
{
  return g_strcmp0 (adw_view_stack_get_visible_child_name (self->pages), "compare") == 0;
}

static guint
count_lanes (SlWindow *self)
{
  return g_list_model_get_n_items (G_LIST_MODEL (self->comparison));
}

/* ---- starting and stopping ---- */

static void
start (SlWindow *self)
{
  SlModelItem *model = sl_recipe_panel_get_model (self->panel);
  SlPreviews previews = (SlPreviews)g_settings_get_uint (self->preferences, "previews");
  g_autoptr (SlComparisonState) before = NULL;
  g_autoptr (GError) error = NULL;

  if (model == NULL)
    return;
  if (count_lanes (self) == 0)
    sl_compare_presets_add (self->comparison, "four", self->recipe);
  if (!self->seed_is_fresh && !sl_recipe_panel_keeps_seed (self->panel))
    _sl_window_roll_seed (self);
  self->seed_is_fresh = FALSE;
  if (adw_flap_get_folded (self->flap))
    adw_flap_set_reveal_flap (self->flap, FALSE);
  before = sl_comparison_state_new (self->comparison);
  if (!sl_comparison_start (self->comparison, model, self->recipe, previews, &error))
    _sl_window_alert (self, _ ("A lane’s setting does not fit"), error->message);
  else if (before && sl_comparison_state_has_branches (before))
    _sl_window_offer_lanes_back (self, g_steal_pointer (&before),
                                 _ ("The branches went with the runs before"));
  _sl_window_update (self);
}

/* A lane that was added or changed joins a comparison that was already started. */
static void
join (SlWindow *self, guint index)
{
  g_autoptr (GError) error = NULL;

  if (!sl_comparison_start_lane (self->comparison, index, &error) && error)
    _sl_window_alert (self, _ ("A lane’s setting does not fit"), error->message);
}

static void
preset (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlWindow *self = SL_WINDOW (widget);
  SlComparisonState *before;

  if (sl_recipe_panel_get_model (self->panel) == NULL)
    {
      sl_window_toast (self, _ ("Open a model first"));
      return;
    }
  before = sl_comparison_state_new (self->comparison);
  sl_comparison_clear (self->comparison);
  sl_compare_presets_add (self->comparison, g_variant_get_string (parameter, NULL), self->recipe);
  adw_view_stack_set_visible_child_name (self->pages, "compare");
  start (self);
  _sl_window_offer_lanes_back (self, before, _ ("The lanes before were removed"));
}

static void
add (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlWindow *self = SL_WINDOW (widget);
  guint before = count_lanes (self);
  guint added
      = sl_compare_presets_add (self->comparison, g_variant_get_string (parameter, NULL), self->recipe);

  for (guint i = before; i < before + added; i++)
    join (self, i);
  if (added == 0)
    sl_window_toast (self, before >= SL_COMPARISON_MAX ? _ ("Nine lanes are as many as there can be")
                                                       : _ ("This lane is there already"));
  _sl_window_update (self);
}

static void
pause_or_resume (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlComparison *comparison = SL_WINDOW (widget)->comparison;

  if (sl_comparison_is_paused (comparison))
    sl_comparison_resume (comparison);
  else
    sl_comparison_pause (comparison);
}

static void
clear (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlWindow *self = SL_WINDOW (widget);
  SlComparisonState *before = sl_comparison_state_new (self->comparison);

  sl_comparison_clear (self->comparison);
  _sl_window_offer_lanes_back (self, before, _ ("All lanes were removed"));
  _sl_window_update (self);
}

static void
remove_lane (SlWindow *self, guint index)
{
  SlJob *job = sl_comparison_get_job (self->comparison, index);
  SlComparisonState *before
      = job && sl_job_get_last_frame (job) ? sl_comparison_state_new (self->comparison) : NULL;

  sl_comparison_remove (self->comparison, index);
  _sl_window_offer_lanes_back (self, before, _ ("The lane was removed"));
}

/* ---- what a lane's menu asks for ---- */

static void
edited (SlLaneEditor *editor, guint own, SlSettings *values, SlWindow *self)
{
  SlCompareLane *lane = sl_lane_editor_get_lane (editor);

  for (guint i = 0; i < count_lanes (self); i++)
    if (sl_comparison_get_lane (self->comparison, i) == lane)
      {
        sl_compare_lane_set (lane, (SlOwn)own, values);
        join (self, i);
      }
}

static void
edit (SlWindow *self, guint index)
{
  SlLaneEditor *editor
      = sl_lane_editor_new (GTK_WINDOW (self), sl_comparison_get_lane (self->comparison, index), self->recipe,
                            sl_recipe_panel_get_model (self->panel));

  g_signal_connect_object (editor, "applied", G_CALLBACK (edited), self, 0);
  gtk_window_present (GTK_WINDOW (editor));
}

static void
duplicate (SlWindow *self, guint index)
{
  SlCompareLane *lane = sl_comparison_get_lane (self->comparison, index);
  g_autoptr (SlCompareLane) copy
      = sl_compare_lane_new (sl_compare_lane_get_own (lane), sl_compare_lane_get_values (lane));

  if (!sl_comparison_add (self->comparison, copy))
    sl_window_toast (self, _ ("Nine lanes are as many as there can be"));
  else
    {
      sl_compare_view_choose (self->compare_view, count_lanes (self) - 1);
      edit (self, count_lanes (self) - 1);
    }
}

/* What somebody took the trouble to branch is kept as any other finished picture. */
static void
branch_over (SlWindow *self, GParamSpec *pspec, SlJob *job)
{
  if (!self->closed && sl_job_get_state (job) == SL_JOB_DONE)
    _sl_window_keep_moment (self, job, sl_job_get_last_frame (job));
}

static void
branched (SlLaneEditor *editor, guint own, SlSettings *values, SlWindow *self)
{
  guint index = GPOINTER_TO_UINT (g_object_get_data (G_OBJECT (editor), "sl-lane"));
  g_autoptr (GError) error = NULL;

  if (sl_comparison_branch (self->comparison, index, (SlOwn)own, values, &error))
    {
      sl_compare_view_choose (self->compare_view, count_lanes (self) - 1);
      g_signal_connect_object (sl_comparison_get_job (self->comparison, count_lanes (self) - 1),
                               "notify::state", G_CALLBACK (branch_over), self, G_CONNECT_SWAPPED);
    }
  else
    _sl_window_alert (self, _ ("There can be no branch here"), error->message);
  _sl_window_update (self);
}

static void
branch (SlWindow *self, guint index)
{
  SlJob *job = sl_comparison_get_job (self->comparison, index);
  SlLaneEditor *editor;

  if (job == NULL)
    return;
  editor = sl_lane_editor_new_branch (GTK_WINDOW (self), job);
  g_object_set_data (G_OBJECT (editor), "sl-lane", GUINT_TO_POINTER (index));
  g_signal_connect_object (editor, "applied", G_CALLBACK (branched), self, 0);
  gtk_window_present (GTK_WINDOW (editor));
}

/* "win.branch": the run in the darkroom becomes a lane that can be branched. */
static void
branch_from_darkroom (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlWindow *self = SL_WINDOW (widget);
  SlFrameObject *frame = self->frame;
  SlComparisonState *before;

  if (self->job == NULL || frame == NULL || self->picture)
    return;
  before = sl_comparison_state_new (self->comparison);
  sl_comparison_clear (self->comparison);
  _sl_window_offer_lanes_back (self, before, _ ("The lanes before were removed"));
  sl_comparison_set_align (self->comparison, SL_ALIGN_EVALUATIONS);
  sl_comparison_adopt (self->comparison, self->job);
  sl_comparison_set_position (self->comparison, sl_frame_object_get_index (frame) + 1);
  adw_view_stack_set_visible_child_name (self->pages, "compare");
  branch (self, 0);
}

static void
keep (SlWindow *self, guint index)
{
  SlFrameObject *frame = sl_comparison_get_frame (self->comparison, index);

  if (frame == NULL)
    return;
  _sl_window_keep_moment (self, sl_comparison_get_job (self->comparison, index), frame);
  sl_window_toast (self, _ ("This step goes to the gallery"));
}

static void
asked (SlWindow *self, guint index, const char *what)
{
  if (g_str_equal (what, "edit"))
    edit (self, index);
  else if (g_str_equal (what, "reference"))
    sl_comparison_set_reference (self->comparison, index);
  else if (g_str_equal (what, "branch"))
    branch (self, index);
  else if (g_str_equal (what, "duplicate"))
    duplicate (self, index);
  else if (g_str_equal (what, "keep"))
    keep (self, index);
  else if (g_str_equal (what, "save"))
    _sl_window_keep_lane (self, index);
  else if (g_str_equal (what, "remove"))
    remove_lane (self, index);
  _sl_window_update (self);
}

/* ---- the window's own actions ---- */

gboolean
_sl_window_compare_takes (SlWindow *self, const char *action)
{
  if (!is_in_sight (self))
    return FALSE;
  if (g_str_equal (action, "win.develop"))
    start (self);
  else if (g_str_equal (action, "win.stop"))
    sl_comparison_stop (self->comparison);
  else if (g_str_equal (action, "win.save"))
    _sl_window_keep_lane (self, sl_compare_view_get_chosen (self->compare_view));
  else if (g_str_equal (action, "win.previous-step") || g_str_equal (action, "win.next-step"))
    sl_comparison_move (self->comparison, g_str_equal (action, "win.next-step") ? 1 : -1);
  else if (g_str_has_prefix (action, "win.zoom-"))
    sl_compare_view_zoom (self->compare_view, action);
  else
    return FALSE;
  return TRUE;
}

void
_sl_window_update_compare (SlWindow *self)
{
  gboolean busy = sl_comparison_is_busy (self->comparison);
  gboolean any = sl_comparison_get_frame (self->comparison, 0) != NULL;

  gtk_widget_action_set_enabled (GTK_WIDGET (self), "win.compare-pause",
                                 busy || sl_comparison_is_paused (self->comparison));
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "win.compare-clear", count_lanes (self) > 0);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "win.branch", self->frame && !self->picture);
  if (!is_in_sight (self))
    return;
  gtk_widget_set_visible (self->stop, busy);
  gtk_widget_set_visible (self->narrow_stop, busy && adw_flap_get_folded (self->flap));
  gtk_button_set_label (self->develop, busy ? _ ("_Start Again") : _ ("_Develop All Lanes"));
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "win.stop", busy);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "win.save", any);
}

void
_sl_window_install_compare (GtkWidgetClass *klass)
{
  gtk_widget_class_install_action (klass, "win.compare-preset", "s", preset);
  gtk_widget_class_install_action (klass, "win.compare-add", "s", add);
  gtk_widget_class_install_action (klass, "win.compare-pause", NULL, pause_or_resume);
  gtk_widget_class_install_action (klass, "win.compare-clear", NULL, clear);
  _sl_window_install_compare_keep (klass);
  gtk_widget_class_install_action (klass, "win.branch", NULL, branch_from_darkroom);
}

void
_sl_window_init_compare (SlWindow *self)
{
  sl_compare_view_connect (self->compare_view, self->comparison, self->worker, self->recipe,
                           self->preferences);
  g_signal_connect_object (self->compare_view, "asked", G_CALLBACK (asked), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->comparison, "state", G_CALLBACK (_sl_window_update), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->pages, "notify::visible-child", G_CALLBACK (_sl_window_update), self,
                           G_CONNECT_SWAPPED);
}
