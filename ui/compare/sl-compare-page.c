/* sl-compare-page.c - see sl-compare-page.h. */
#include "ui/compare/sl-compare-page.h"

#include <glib/gi18n.h>

#include "ui/compare/sl-comparison-files.h"
#include "ui/compare/sl-grid-form.h"
#include "ui/compare/sl-lane-editor.h"
#include "ui/compare/sl-lanes-again.h"
#include "ui/compare/sl-lanes-undo.h"
#include "ui/exchange/sl-moment-file.h"
#include "ui/widgets/sl-notice.h"
#include "ui/widgets/sl-toolkit.h"

struct _SlComparePage
{
  AdwBin parent_instance;
  SlCompareView *view;
  SlWorkspace *workspace;
  SlComparison *comparison; /* the workspace's */
  GActionMap *actions;      /* the window's; not held */
  SlComparisonFiles *files;
  SlLanesUndo *undo;
  SlLanesAgain *again;
  gboolean was_busy;
  guint stale_check; /* idle: lanes may be stale */
};

static void page_init (SlPageInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (SlComparePage,
                               sl_compare_page,
                               ADW_TYPE_BIN,
                               G_IMPLEMENT_INTERFACE (SL_TYPE_PAGE, page_init))

static guint
count_lanes (SlComparePage *self)
{
  return g_list_model_get_n_items (G_LIST_MODEL (self->comparison));
}

/* Each lane came to its last step. */
static gboolean
is_ready (SlComparePage *self)
{
  for (guint i = 0; i < count_lanes (self); i++)
    {
      SlJob *job = sl_comparison_get_job (self->comparison, i);

      if (job == NULL || sl_job_get_state (job) != SL_JOB_DONE)
        return FALSE;
    }
  return count_lanes (self) > 0;
}

static void
update (SlComparePage *self)
{
  gboolean busy = sl_comparison_is_busy (self->comparison);

  if (self->workspace->closed)
    return;
  sl_page_enable_action (self->actions, "compare-pause", busy || sl_comparison_is_paused (self->comparison));
  sl_page_enable_action (self->actions, "compare-clear", count_lanes (self) > 0);
  if (self->was_busy && is_ready (self))
    sl_toolkit_announce (GTK_WIDGET (self), _ ("The comparison is ready"));
  self->was_busy = busy;
  sl_page_state_changed (SL_PAGE (self));
}

static void
say_full (SlComparePage *self)
{
  g_autofree char *text = g_strdup_printf (_ ("There can be no more than %d lanes"), SL_COMPARISON_MAX);

  sl_notice_toast (GTK_WIDGET (self), text);
}

static void
say_does_not_fit (SlComparePage *self, const GError *error)
{
  sl_notice_alert (GTK_WIDGET (self), _ ("A lane’s setting does not fit"), error->message);
}

/* ---- starting and stopping ---- */

/* Whether lanes' own prompts are templates, as the preferences say now. */
static void
tell_templates (SlComparePage *self)
{
  GSettings *preferences = self->workspace->preferences;
  g_autofree char *folder = g_settings_get_string (preferences, "models-folder");
  gboolean dynamic = g_settings_get_uint (preferences, "dynamic") != SL_DYNAMIC_OFF;

  sl_comparison_set_templates (self->comparison, dynamic ? folder : NULL);
}

/* Of the runs that are there; nothing where there is none. */
static char *
dup_difference (SlComparePage *self)
{
  char *difference = NULL;

  for (guint i = 0; i < count_lanes (self) && difference == NULL; i++)
    {
      SlJob *job = sl_comparison_get_job (self->comparison, i);

      if (job && sl_model_item_equal (sl_job_get_model (job), self->workspace->model))
        difference = sl_workspace_dup_difference (self->workspace, sl_job_get_computed (job));
    }
  return difference;
}

static gboolean
start (SlComparePage *self)
{
  SlWorkspace *workspace = self->workspace;
  g_autoptr (SlComparisonState) before = NULL;
  g_autoptr (SlSettings) drawn = NULL;
  g_autofree char *difference = NULL;
  g_autoptr (GError) error = NULL;
  gboolean started;

  if (workspace->model == NULL || workspace->closed)
    return FALSE;
  if (count_lanes (self) == 0)
    sl_compare_presets_add (self->comparison, "four", workspace->recipe, workspace->model);
  sl_workspace_use_seed (workspace);
  drawn = sl_workspace_draw (workspace, &error);
  if (drawn == NULL)
    {
      sl_notice_alert (GTK_WIDGET (self), _ ("The prompt’s choices cannot be made"), error->message);
      return FALSE;
    }
  before = sl_comparison_state_new (self->comparison);
  difference = dup_difference (self);
  tell_templates (self);
  started = sl_comparison_start (self->comparison, workspace->model, drawn,
                                 sl_workspace_get_previews (workspace), &error);
  if (started)
    sl_comparison_set_origin (self->comparison, workspace->recipe);
  if (!started)
    say_does_not_fit (self, error);
  else if (before && sl_comparison_state_has_branches (before))
    sl_lanes_undo_offer (self->undo, g_steal_pointer (&before), _ ("The branches went with the runs before"));
  if (started && difference)
    sl_notice_toast (GTK_WIDGET (self), difference);
  update (self);
  return started;
}

/* ---- lanes that were made with other settings ---- */

/* A seed that is drawn anew for each picture is nobody's choice. */
static gboolean
seed_counts (SlComparePage *self)
{
  return self->workspace->seed_is_fresh || g_settings_get_boolean (self->workspace->preferences, "keep-seed");
}

static gboolean
check_stale (gpointer data)
{
  SlComparePage *self = data;
  guint stale = 0;

  self->stale_check = 0;
  if (!self->workspace->closed)
    stale = sl_comparison_find_stale (self->comparison, self->workspace->model, self->workspace->recipe,
                                      seed_counts (self));
  sl_page_enable_action (self->actions, "compare-again", stale > 0);
  return G_SOURCE_REMOVE;
}

static void
may_be_stale (SlComparePage *self)
{
  if (self->stale_check == 0)
    self->stale_check = g_idle_add (check_stale, self);
}

/* With the seed that the others have, unless a person chose another. */
static void
again (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  SlComparePage *self = user_data;
  SlWorkspace *workspace = self->workspace;
  g_autoptr (SlComparisonState) before = NULL;
  g_autoptr (SlSettings) drawn = NULL;
  g_autoptr (GError) error = NULL;

  if (workspace->closed || workspace->model == NULL)
    return;
  if (!seed_counts (self))
    g_object_set (workspace->recipe, "seed", sl_comparison_get_seed (self->comparison), NULL);
  drawn = sl_workspace_draw (workspace, &error);
  if (drawn == NULL)
    {
      sl_notice_alert (GTK_WIDGET (self), _ ("The prompt’s choices cannot be made"), error->message);
      return;
    }
  before = sl_comparison_state_new (self->comparison);
  tell_templates (self);
  sl_comparison_find_stale (self->comparison, workspace->model, workspace->recipe, TRUE);
  if (sl_comparison_start_stale (self->comparison, workspace->model, drawn,
                                 sl_workspace_get_previews (workspace), &error))
    {
      sl_comparison_set_origin (self->comparison, workspace->recipe);
      sl_lanes_undo_offer (self->undo, g_steal_pointer (&before), _ ("The lanes before were replaced"));
    }
  else
    say_does_not_fit (self, error);
  check_stale (self);
  update (self);
}

/* A lane that was added or changed is started too, where the others were. */
static void
join (SlComparePage *self, guint index)
{
  g_autoptr (GError) error = NULL;

  tell_templates (self);
  if (!sl_comparison_start_lane (self->comparison, index, &error) && error)
    say_does_not_fit (self, error);
}

static void grid (GSimpleAction *action, GVariant *parameter, gpointer user_data);

static void
preset (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  SlComparePage *self = user_data;
  SlComparisonState *before;

  if (self->workspace->model == NULL)
    {
      sl_notice_toast (GTK_WIDGET (self), _ ("Open a model first"));
      return;
    }
  if (g_str_equal (g_variant_get_string (parameter, NULL), "grid"))
    {
      grid (action, NULL, self);
      return;
    }
  before = sl_comparison_state_new (self->comparison);
  sl_comparison_clear (self->comparison);
  sl_compare_presets_add (self->comparison, g_variant_get_string (parameter, NULL), self->workspace->recipe,
                          self->workspace->model);
  sl_page_show (GTK_WIDGET (self));
  start (self);
  sl_lanes_undo_offer (self->undo, before, _ ("The lanes before were removed"));
}

static gboolean
differ_in (const SlControl *control, SlSettings *a, SlSettings *b)
{
  GParamSpec *pspec = g_object_class_find_property (G_OBJECT_GET_CLASS (a), control->property);
  g_auto (GValue) first = G_VALUE_INIT, second = G_VALUE_INIT;

  g_value_init (&first, pspec->value_type);
  g_value_init (&second, pspec->value_type);
  g_object_get_property (G_OBJECT (a), control->property, &first);
  g_object_get_property (G_OBJECT (b), control->property, &second);
  return g_param_values_cmp (pspec, &first, &second) != 0;
}

/* What a differs in from b; FALSE where that cannot be a lane's own. */
static gboolean
find_own (SlSettings *a, SlSettings *b, SlOwn *own)
{
  for (guint i = 0; i < sl_control_count (); i++)
    {
      const SlControl *control = sl_control_nth (i);

      if (!differ_in (control, a, b))
        continue;
      if (control->own == 0)
        return FALSE;
      *own |= control->own;
    }
  return TRUE;
}

gboolean
sl_compare_page_compare (SlComparePage *self, GPtrArray *settings, guint *left_out)
{
  SlWorkspace *workspace = self->workspace;
  g_autoptr (GPtrArray) lanes = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  SlComparisonState *before;
  SlOwn all = 0;

  *left_out = 0;
  for (guint i = 0; i < settings->len; i++)
    {
      SlOwn own = 0;

      if (find_own (settings->pdata[i], settings->pdata[0], &own))
        {
          g_ptr_array_add (lanes, settings->pdata[i]);
          all |= own;
        }
      else
        (*left_out)++;
    }
  if (workspace->model == NULL || !sl_model_item_check (workspace->model, lanes->pdata[0], &error))
    {
      sl_notice_alert (GTK_WIDGET (self), _ ("These settings do not fit the model"),
                       error ? error->message : _ ("Open a model first"));
      return FALSE;
    }
  sl_workspace_take_settings (workspace, lanes->pdata[0]);
  before = sl_comparison_state_new (self->comparison);
  sl_comparison_clear (self->comparison);
  for (guint i = 0; i < lanes->len; i++)
    {
      g_autoptr (SlCompareLane) lane = sl_compare_lane_new (all, lanes->pdata[i]);

      sl_comparison_add (self->comparison, lane);
    }
  sl_page_show (GTK_WIDGET (self));
  start (self);
  sl_lanes_undo_offer (self->undo, before, _ ("The lanes before were removed"));
  return TRUE;
}

static void
add (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  SlComparePage *self = user_data;
  guint before = count_lanes (self);
  guint added = sl_compare_presets_add (self->comparison, g_variant_get_string (parameter, NULL),
                                        self->workspace->recipe, self->workspace->model);

  for (guint i = before; i < before + added; i++)
    join (self, i);
  if (added == 0 && before >= SL_COMPARISON_MAX)
    say_full (self);
  else if (added == 0)
    sl_notice_toast (GTK_WIDGET (self), _ ("This lane is there already"));
  update (self);
}

/* ---- grids ---- */

static void
make_grid (SlComparePage *self, SlGridPlan *plan)
{
  SlComparisonState *before = sl_comparison_state_new (self->comparison);
  g_autoptr (GError) error = NULL;

  if (!sl_comparison_set_grid (self->comparison, plan, self->workspace->model, self->workspace->recipe,
                               &error))
    {
      g_clear_pointer (&before, sl_comparison_state_free);
      say_does_not_fit (self, error);
      return;
    }
  sl_page_show (GTK_WIDGET (self));
  start (self);
  sl_lanes_undo_offer (self->undo, before, _ ("The lanes before were removed"));
  update (self);
}

static gboolean
has_model (SlComparePage *self)
{
  if (self->workspace->model == NULL)
    sl_notice_toast (GTK_WIDGET (self), _ ("Open a model first"));
  return self->workspace->model != NULL;
}

static void
form_applied (SlComparePage *self, SlGridPlan *plan)
{
  if (!self->workspace->closed && has_model (self))
    make_grid (self, plan);
}

static void
grid (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  SlComparePage *self = user_data;
  SlGridForm *form;

  if (!has_model (self))
    return;
  form = sl_grid_form_new (GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self))), self->workspace->model,
                           self->workspace->recipe);
  g_signal_connect_object (form, "applied", G_CALLBACK (form_applied), self, G_CONNECT_SWAPPED);
  gtk_window_present (GTK_WINDOW (form));
}

static void
take_back_recipe (SlComparePage *self, AdwToast *toast)
{
  if (!self->workspace->closed)
    sl_workspace_take_settings (self->workspace, g_object_get_data (G_OBJECT (toast), "sl-recipe"));
}

/* A lane's settings become the recipe; what was there is offered back. */
static void
use_recipe (SlComparePage *self, guint index)
{
  AdwToast *toast = adw_toast_new (_ ("The lane’s settings are in the recipe"));
  SlCompareLane *lane = sl_comparison_get_lane (self->comparison, index);
  SlJob *job = sl_comparison_get_job (self->comparison, index);
  g_autoptr (SlSettings) settings = job ? g_object_ref (sl_job_get_settings (job))
                                        : sl_compare_lane_resolve (lane, self->workspace->recipe);
  g_autofree char *difference = NULL;

  adw_toast_set_button_label (toast, _ ("_Undo"));
  g_object_set_data_full (G_OBJECT (toast), "sl-recipe", sl_settings_dup (self->workspace->recipe),
                          g_object_unref);
  g_signal_connect_object (toast, "button-clicked", G_CALLBACK (take_back_recipe), self, G_CONNECT_SWAPPED);
  if (job)
    sl_workspace_want_model (
        self->workspace,
        sl_model_store_find (self->workspace->models, sl_model_item_get_path (sl_job_get_model (job))));
  sl_workspace_take_settings (self->workspace, settings);
  sl_notice_add_toast (GTK_WIDGET (self), toast);
  if (job)
    difference = sl_workspace_dup_difference (self->workspace, sl_job_get_computed (job));
  if (difference)
    sl_notice_toast (GTK_WIDGET (self), difference);
}

static void
pause_or_resume (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  SlComparison *comparison = SL_COMPARE_PAGE (user_data)->comparison;

  if (sl_comparison_is_paused (comparison))
    sl_comparison_resume (comparison);
  else
    sl_comparison_pause (comparison);
}

static void
clear (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  SlComparePage *self = user_data;
  SlComparisonState *before = sl_comparison_state_new (self->comparison);

  sl_comparison_clear (self->comparison);
  sl_lanes_undo_offer (self->undo, before, _ ("All lanes were removed"));
  update (self);
}

static void
remove_lane (SlComparePage *self, guint index)
{
  SlJob *job = sl_comparison_get_job (self->comparison, index);
  SlComparisonState *before
      = job && sl_job_get_last_frame (job) ? sl_comparison_state_new (self->comparison) : NULL;

  sl_comparison_remove (self->comparison, index);
  sl_lanes_undo_offer (self->undo, before, _ ("The lane was removed"));
}

/* ---- what a lane's menu asks for ---- */

static GtkWindow *
get_window (SlComparePage *self)
{
  return GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self)));
}

static void
edited (SlLaneEditor *editor, SlOwn own, SlSettings *values, SlComparePage *self)
{
  SlCompareLane *lane = sl_lane_editor_get_lane (editor);

  for (guint i = 0; i < count_lanes (self); i++)
    if (sl_comparison_get_lane (self->comparison, i) == lane)
      {
        sl_compare_lane_set (lane, own, values);
        sl_comparison_place_lane (self->comparison, i);
        join (self, i);
      }
}

static void
edit (SlComparePage *self, guint index)
{
  SlCompareLane *lane = sl_comparison_get_lane (self->comparison, index);
  SlLaneEditor *editor = sl_lane_editor_new (get_window (self), lane, self->workspace->recipe,
                                             self->workspace->model, self->workspace->prompts);

  g_signal_connect_object (editor, "applied", G_CALLBACK (edited), self, 0);
  gtk_window_present (GTK_WINDOW (editor));
}

static void
duplicate (SlComparePage *self, guint index)
{
  SlCompareLane *lane = sl_comparison_get_lane (self->comparison, index);
  g_autoptr (SlCompareLane) copy
      = sl_compare_lane_new (sl_compare_lane_get_own (lane), sl_compare_lane_get_values (lane));

  if (!sl_comparison_add (self->comparison, copy))
    {
      say_full (self);
      return;
    }
  sl_compare_view_choose (self->view, count_lanes (self) - 1);
  edit (self, count_lanes (self) - 1);
}

static void
keep_frame (SlComparePage *self, SlJob *job, SlFrameObject *frame)
{
  sl_moment_file_keep (self->workspace, GTK_WIDGET (self), &(SlMomentOfRun){ job, frame });
}

/* A person chose to make this branch: its picture goes to the gallery like one from the darkroom. */
static void
branch_over (SlComparePage *self, GParamSpec *pspec, SlJob *job)
{
  if (!self->workspace->closed && sl_job_get_state (job) == SL_JOB_DONE)
    keep_frame (self, job, sl_job_get_last_frame (job));
}

static void
make_branch (SlComparePage *self, guint index, SlOwn own, SlSettings *values)
{
  g_autoptr (GError) error = NULL;

  tell_templates (self);
  if (sl_comparison_branch (self->comparison, index, own, values, &error))
    {
      sl_compare_view_choose (self->view, count_lanes (self) - 1);
      g_signal_connect_object (sl_comparison_get_job (self->comparison, count_lanes (self) - 1),
                               "notify::state", G_CALLBACK (branch_over), self, G_CONNECT_SWAPPED);
    }
  else
    sl_notice_alert (GTK_WIDGET (self), _ ("There can be no branch here"), error->message);
  update (self);
}

static void
branched (SlLaneEditor *editor, SlOwn own, SlSettings *values, SlComparePage *self)
{
  make_branch (self, GPOINTER_TO_UINT (g_object_get_data (G_OBJECT (editor), "sl-lane")), own, values);
}

static SlLaneEditor *
ask_for_branch (SlComparePage *self, guint lane, SlJob *job, SlFrameObject *frame)
{
  SlLaneEditor *editor = sl_lane_editor_new_branch (get_window (self), job, self->workspace->prompts);

  sl_lane_editor_name_place (editor, lane, (guint)sl_frame_object_get_step (frame) + 1);
  gtk_window_present (GTK_WINDOW (editor));
  return editor;
}

/* FALSE where there can be none, said before a person fills anything in. */
static gboolean
can_branch (SlComparePage *self, SlJob *job, SlFrameObject *frame)
{
  if (job && frame && sl_job_can_branch (job, (guint)sl_frame_object_get_index (frame) + 1))
    return TRUE;
  sl_notice_alert (GTK_WIDGET (self), _ ("There can be no branch here"),
                   _ ("Nothing comes after the last step: branch from an earlier one."));
  return FALSE;
}

static void
branch (SlComparePage *self, guint index)
{
  SlJob *job = sl_comparison_get_job (self->comparison, index);
  SlFrameObject *frame = sl_comparison_get_frame (self->comparison, index);
  SlLaneEditor *editor;

  if (count_lanes (self) >= SL_COMPARISON_MAX)
    {
      say_full (self);
      return;
    }
  if (!can_branch (self, job, frame))
    return;
  editor = ask_for_branch (self, index + 1, job, frame);
  g_object_set_data (G_OBJECT (editor), "sl-lane", GUINT_TO_POINTER (index));
  g_signal_connect_object (editor, "applied", G_CALLBACK (branched), self, 0);
}

/* It is the only lane, after so many of its evaluations. */
static void
take_run (SlComparePage *self, SlJob *job, int evaluations)
{
  SlComparisonState *before = sl_comparison_state_new (self->comparison);

  sl_comparison_clear (self->comparison);
  sl_lanes_undo_offer (self->undo, before, _ ("The lanes before were removed"));
  sl_comparison_set_align (self->comparison, SL_ALIGN_EVALUATIONS);
  sl_comparison_adopt (self->comparison, job);
  sl_comparison_set_position (self->comparison, evaluations);
  sl_page_show (GTK_WIDGET (self));
}

static void
run_branched (SlLaneEditor *editor, SlOwn own, SlSettings *values, SlComparePage *self)
{
  SlFrameObject *frame = g_object_get_data (G_OBJECT (editor), "sl-frame");

  take_run (self, g_object_get_data (G_OBJECT (editor), "sl-job"), sl_frame_object_get_index (frame) + 1);
  make_branch (self, 0, own, values);
}

/* The lanes that are there go once a person has agreed, not before. */
void
sl_compare_page_branch_run (SlComparePage *self, SlJob *job, SlFrameObject *frame)
{
  SlLaneEditor *editor;

  if (!can_branch (self, job, frame))
    return;
  editor = ask_for_branch (self, 0, job, frame);
  g_object_set_data_full (G_OBJECT (editor), "sl-job", g_object_ref (job), g_object_unref);
  g_object_set_data_full (G_OBJECT (editor), "sl-frame", g_object_ref (frame), g_object_unref);
  g_signal_connect_object (editor, "applied", G_CALLBACK (run_branched), self, 0);
}

void
sl_compare_page_continue_run (
    SlComparePage *self, SlJob *job, SlFrameObject *frame, SlOwn own, SlSettings *values)
{
  take_run (self, job, sl_frame_object_get_index (frame));
  make_branch (self, 0, own, values);
}

static void
keep (SlComparePage *self, guint index)
{
  SlFrameObject *frame = sl_comparison_get_frame (self->comparison, index);

  if (frame == NULL)
    return;
  keep_frame (self, sl_comparison_get_job (self->comparison, index), frame);
  sl_notice_toast (GTK_WIDGET (self), _ ("This step goes to the gallery"));
}

static void
save_lane (SlComparePage *self, guint index)
{
  sl_comparison_files_save_lane (self->files, index);
}

static void
set_reference (SlComparePage *self, guint index)
{
  sl_comparison_set_reference (self->comparison, index);
}

static void
asked (SlComparePage *self, guint index, const char *what)
{
  static const struct
  {
    const char *what;
    void (*answer) (SlComparePage *self, guint index);
  } answers[] = {
    { "edit", edit }, { "reference", set_reference }, { "branch", branch },      { "duplicate", duplicate },
    { "keep", keep }, { "save", save_lane },          { "remove", remove_lane }, { "use", use_recipe },
  };

  for (guint i = 0; i < G_N_ELEMENTS (answers); i++)
    if (g_str_equal (what, answers[i].what))
      answers[i].answer (self, index);
  update (self);
}

/* ---- as a page ---- */

static void
page_get_state (SlPage *page, SlPageState *state)
{
  SlComparison *comparison = SL_COMPARE_PAGE (page)->comparison;

  state->busy = sl_comparison_is_busy (comparison);
  state->can_save = sl_comparison_get_frame (comparison, 0) != NULL;
  state->develop_label = state->busy ? _ ("_Start Again") : _ ("_Develop All Lanes");
}

/* Without lanes those four that would be made. */
static void
page_get_plan (SlPage *page, GPtrArray *plan, guint *count)
{
  SlComparePage *self = SL_COMPARE_PAGE (page);
  SlSettings *recipe = self->workspace->recipe;

  for (guint i = 0; i < count_lanes (self); i++)
    g_ptr_array_add (plan, sl_compare_lane_resolve (sl_comparison_get_lane (self->comparison, i), recipe));
  if (plan->len == 0)
    {
      g_ptr_array_add (plan, g_object_ref (recipe));
      *count = 4;
    }
}

static gboolean
page_develop (SlPage *page)
{
  return start (SL_COMPARE_PAGE (page));
}

static void
page_stop (SlPage *page)
{
  sl_comparison_stop (SL_COMPARE_PAGE (page)->comparison);
}

static void
page_save (SlPage *page)
{
  SlComparePage *self = SL_COMPARE_PAGE (page);

  sl_comparison_files_save_lane (self->files, sl_compare_view_get_chosen (self->view));
}

static void
page_step (SlPage *page, int by)
{
  sl_comparison_move (SL_COMPARE_PAGE (page)->comparison, by);
}

static void
page_zoom (SlPage *page, SlZoom zoom)
{
  sl_compare_view_zoom (SL_COMPARE_PAGE (page)->view, zoom);
}

/* ---- setting up ---- */

static void
opened (SlComparePage *self)
{
  sl_compare_view_take_fast (self->view);
  sl_page_show (GTK_WIDGET (self));
  update (self);
}

void
sl_compare_page_make_again (SlComparePage *self, SlComparisonRecipe *recipe)
{
  SlComparisonState *before;
  g_autoptr (GError) error = NULL;

  if (self->workspace->model == NULL || self->workspace->closed)
    return;
  before = sl_comparison_state_new (self->comparison);
  sl_page_show (GTK_WIDGET (self));
  sl_compare_view_follow_fast (self->view, sl_comparison_recipe_is_fast (recipe));
  if (sl_lanes_again_begin (self->again, recipe, &error))
    sl_comparison_set_origin (self->comparison, sl_comparison_recipe_get_settings (recipe, 0));
  else
    say_does_not_fit (self, error);
  sl_lanes_undo_offer (self->undo, before, _ ("The lanes before were removed"));
  update (self);
}

void
sl_compare_page_open (SlComparePage *self, const char *path)
{
  sl_comparison_files_open (self->files, path);
}

static void
model_changed (SlComparePage *self)
{
  GListModel *loras = G_LIST_MODEL (self->workspace->loras);

  if (self->workspace->model)
    sl_compare_view_set_model (self->view, self->workspace->model, g_list_model_get_n_items (loras) > 0);
}

SlCompareView *
sl_compare_page_get_view (SlComparePage *self)
{
  return self->view;
}

void
sl_compare_page_connect (SlComparePage *self,
                         SlWorkspace *workspace,
                         GActionMap *actions,
                         SlExportBar *export_bar)
{
  const GActionEntry entries[] = {
    { .name = "compare-preset", .activate = preset, .parameter_type = "s" },
    { .name = "compare-add", .activate = add, .parameter_type = "s" },
    { .name = "compare-grid", .activate = grid },
    { .name = "compare-again", .activate = again },
    { .name = "compare-pause", .activate = pause_or_resume },
    { .name = "compare-clear", .activate = clear },
  };

  self->workspace = g_object_ref (workspace);
  self->comparison = g_object_ref (workspace->comparison);
  self->actions = actions;
  self->files = sl_comparison_files_new (workspace, self->view, export_bar);
  self->undo = sl_lanes_undo_new (workspace->comparison, GTK_WIDGET (self));
  self->again = sl_lanes_again_new (workspace);
  g_action_map_add_action_entries (actions, entries, G_N_ELEMENTS (entries), self);
  sl_comparison_files_add_actions (self->files, actions);
  sl_compare_view_connect (self->view, workspace);
  g_signal_connect_object (self->files, "opened", G_CALLBACK (opened), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->view, "asked", G_CALLBACK (asked), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->comparison, "state", G_CALLBACK (update), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->comparison, "items-changed", G_CALLBACK (update), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (workspace, "model-changed", G_CALLBACK (model_changed), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (workspace, "model-changed", G_CALLBACK (may_be_stale), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (workspace->recipe, "notify", G_CALLBACK (may_be_stale), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->comparison, "items-changed", G_CALLBACK (may_be_stale), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->comparison, "state", G_CALLBACK (may_be_stale), self, G_CONNECT_SWAPPED);
  sl_page_enable_action (actions, "compare-again", FALSE);
  g_signal_connect_object (workspace->loras, "items-changed", G_CALLBACK (model_changed), self,
                           G_CONNECT_SWAPPED);
  update (self);
}

/* ---- class ---- */

static void
sl_compare_page_dispose (GObject *object)
{
  SlComparePage *self = SL_COMPARE_PAGE (object);

  g_clear_handle_id (&self->stale_check, g_source_remove);
  g_clear_object (&self->undo);
  g_clear_object (&self->again);
  g_clear_object (&self->files);
  g_clear_object (&self->comparison);
  g_clear_object (&self->workspace);
  G_OBJECT_CLASS (sl_compare_page_parent_class)->dispose (object);
}

static void
page_init (SlPageInterface *iface)
{
  iface->get_state = page_get_state;
  iface->get_plan = page_get_plan;
  iface->develop = page_develop;
  iface->stop = page_stop;
  iface->save = page_save;
  iface->step = page_step;
  iface->zoom = page_zoom;
}

static void
sl_compare_page_class_init (SlComparePageClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = sl_compare_page_dispose;
}

static void
sl_compare_page_init (SlComparePage *self)
{
  self->view = g_object_new (SL_TYPE_COMPARE_VIEW, NULL);
  adw_bin_set_child (ADW_BIN (self), GTK_WIDGET (self->view));
}
