/* sl-tour.c - see sl-tour.h.
 *
 * A stop is set up in two parts: what can be done at once (set_up), and, when the runs are done, the place in them
 * (arrive). A run that the person starts at a stop is shown at that place as well.
 */
#include "ui/window/sl-tour.h"

#include <glib/gi18n.h>
#include <math.h>

#include "ui/darkroom/sl-unfinished.h"
#include "ui/widgets/sl-focus.h"
#include "ui/widgets/sl-notice.h"
#include "ui/widgets/sl-toolkit.h"
#include "ui/window/sl-tour-stops.h"

#define SEED 7
#define PROMPT                                                                                               \
  "a red house by a lake at sunset" /* until the person writes another one; the model reads English */

/* What the person had before. */
typedef struct
{
  SlModelItem *model;
  SlSettings *recipe;
  SlComparisonState *lanes; /* NULL: none with a picture */
  gboolean noisy;           /* the darkroom showed noisy samples */
} Before;

struct _SlTour
{
  AdwBin parent_instance;
  GtkBox *box;
  GtkLabel *title;
  GtkLabel *progress;
  GtkSpinner *spinner;
  GtkLabel *text;
  GtkButton *next;

  SlWorkspace *workspace;
  SlDarkroomPage *darkroom;
  SlComparePage *compare;
  GActionMap *actions; /* the window's; not held */
  Before before;
  SlJob *job;   /* of the darkroom, that this tour started */
  char *prompt; /* of the stops with words */
  guint stop;
  gboolean on;
  gboolean ready;
  gboolean setting; /* the recipe is being set, not changed by the person */
};

G_DEFINE_FINAL_TYPE (SlTour, sl_tour, ADW_TYPE_BIN)

static const SlTourStop *
current_stop (SlTour *self)
{
  return sl_tour_stop_nth (self->stop);
}

/* ---- what the bar says ---- */

static void
set_ready (SlTour *self, gboolean ready)
{
  self->ready = ready;
  gtk_spinner_set_spinning (self->spinner, !ready);
}

static void
show_stop (SlTour *self)
{
  const SlTourStop *stop = current_stop (self);
  gboolean last = self->stop + 1 == sl_tour_stop_count ();
  /* Translators: a stop of the tour, and how many there are. */
  g_autofree char *progress = g_strdup_printf (_ ("%u of %u"), self->stop + 1, sl_tour_stop_count ());
  g_autofree char *words = g_strdup_printf ("%s. %s. %s", progress, _ (stop->title), _ (stop->text));

  gtk_label_set_text (self->title, _ (stop->title));
  gtk_label_set_text (self->progress, progress);
  gtk_label_set_text (self->text, _ (stop->text));
  gtk_button_set_label (self->next, last ? _ ("_Finish") : _ ("_Next"));
  sl_page_enable_action (self->actions, "tour-back", self->stop > 0);
  sl_toolkit_announce (GTK_WIDGET (self), words);
}

/* Instead of the stop's text. */
static void
show_problem (SlTour *self, const char *problem)
{
  gtk_label_set_text (self->text, problem);
  sl_toolkit_announce (GTK_WIDGET (self), problem);
  set_ready (self, TRUE);
}

/* ---- where a stop looks at its runs ---- */

static void
set_noisy (SlTour *self, gboolean noisy)
{
  g_action_group_change_action_state (G_ACTION_GROUP (self->actions), "noisy", g_variant_new_boolean (noisy));
}

static gboolean
is_noisy (SlTour *self)
{
  g_autoptr (GVariant) state = g_action_group_get_action_state (G_ACTION_GROUP (self->actions), "noisy");

  return g_variant_get_boolean (state);
}

static guint
index_at (SlJob *job, double share)
{
  return (guint)round (share * (g_list_model_get_n_items (sl_job_get_frames (job)) - 1));
}

static void
arrive_in_darkroom (SlTour *self)
{
  SlFrameObject *frame = sl_darkroom_page_get_frame (self->darkroom);
  SlJob *job = sl_darkroom_page_get_job (self->darkroom);

  if (job == NULL || frame == NULL)
    return;
  set_noisy (self, current_stop (self)->noisy);
  sl_page_step (SL_PAGE (self->darkroom),
                (int)index_at (job, current_stop (self)->at) - sl_frame_object_get_index (frame));
  set_ready (self, TRUE);
}

/* TRUE: it is on its way. */
static gboolean
start_branch (SlTour *self)
{
  double guidance = current_stop (self)->branch_guidance;
  g_autoptr (SlSettings) values = NULL;

  if (guidance == 0 || g_list_model_get_n_items (G_LIST_MODEL (self->workspace->comparison)) > 1)
    return FALSE;
  values = sl_settings_dup (self->workspace->recipe);
  g_object_set (values, "guidance", guidance, NULL);
  return sl_comparison_branch (self->workspace->comparison, 0, sl_own ("guidance"), values, NULL);
}

static void
arrive_in_lanes (SlTour *self)
{
  const SlTourStop *stop = current_stop (self);
  SlComparison *comparison = self->workspace->comparison;
  SlCompareChart *chart = sl_compare_view_get_chart (sl_compare_page_get_view (self->compare));
  SlJob *job = sl_comparison_get_job (comparison, 0);
  guint index = job ? index_at (job, stop->at) : 0;

  if (job == NULL || sl_job_get_last_frame (job) == NULL)
    {
      set_ready (self, TRUE); /* stopped, or failed, which its lane says */
      return;
    }
  sl_comparison_set_position (comparison, sl_comparison_position_of (comparison, 0, index));
  if (start_branch (self))
    return;
  if (stop->branch_guidance != 0)
    sl_comparison_move (comparison, G_MAXINT); /* what became of it */
  if (stop->inside)
    sl_compare_chart_inspect (chart);
  else
    sl_compare_chart_show_distance (chart);
  set_ready (self, TRUE);
}

static void
run_ended (SlTour *self, SlJob *job)
{
  if (!self->on || current_stop (self)->place != SL_TOUR_RUN
      || sl_darkroom_page_get_job (self->darkroom) != job)
    return;
  if (sl_job_get_state (job) == SL_JOB_DONE)
    arrive_in_darkroom (self);
  else
    set_ready (self, TRUE);
}

static void
lanes_state (SlTour *self)
{
  if (!self->on || self->setting || current_stop (self)->place != SL_TOUR_LANES)
    return;
  if (sl_comparison_is_busy (self->workspace->comparison))
    set_ready (self, FALSE);
  else if (!self->ready)
    arrive_in_lanes (self);
}

/* ---- setting a stop up ---- */

/* FALSE: it is not there. */
static gboolean
choose_model (SlTour *self, const char *name)
{
  static const char *const own_parts[] = { NULL };
  SlWorkspace *workspace = self->workspace;
  guint position = sl_model_store_find (workspace->models, name);
  g_autoptr (SlModelItem) item = NULL;

  if (position == G_MAXUINT)
    return FALSE;
  sl_workspace_want_model (workspace, position);
  item = g_list_model_get_item (G_LIST_MODEL (workspace->models), position);
  if (workspace->model && !sl_model_item_equal (workspace->model, item))
    sl_workspace_want_parts (workspace, own_parts);
  return workspace->model != NULL;
}

static void
set_recipe (SlTour *self)
{
  const SlTourStop *stop = current_stop (self);
  g_autoptr (SlSettings) settings = sl_model_item_defaults (self->workspace->model);

  if (sl_model_item_uses_prompt (self->workspace->model))
    g_object_set (settings, "prompt", self->prompt, NULL);
  g_object_set (settings, "scheduler", stop->scheduler, "steps", stop->steps, "seed", (guint64)SEED, NULL);
  sl_workspace_take_settings (self->workspace, settings);
}

/* The darkroom has this run already: it is not made again. */
static gboolean
has_run (SlTour *self)
{
  SlJob *job = sl_darkroom_page_get_job (self->darkroom);

  return job && sl_job_get_state (job) == SL_JOB_DONE
         && sl_model_item_equal (sl_job_get_model (job), self->workspace->model)
         && sl_settings_equal (sl_job_get_settings (job), self->workspace->recipe);
}

static void
set_up_run (SlTour *self)
{
  g_autoptr (SlSettings) drawn = NULL;
  g_autoptr (GError) error = NULL;

  sl_darkroom_page_leave_picture (self->darkroom);
  sl_page_show (GTK_WIDGET (self->darkroom));
  if (has_run (self))
    {
      arrive_in_darkroom (self);
      return;
    }
  drawn = sl_workspace_draw (self->workspace, &error);
  if (drawn == NULL)
    {
      show_problem (self, error->message);
      return;
    }
  set_noisy (self, current_stop (self)->noisy);
  g_clear_object (&self->job);
  self->job = sl_job_new (self->workspace->model, drawn, sl_workspace_get_previews (self->workspace));
  sl_queue_add (self->workspace->queue, self->job);
}

static void
add_lanes (SlTour *self)
{
  const SlTourStop *stop = current_stop (self);
  SlWorkspace *workspace = self->workspace;

  if (*stop->preset)
    sl_compare_presets_add (workspace->comparison, stop->preset, workspace->recipe, workspace->model);
  for (guint i = 0; i < SL_TOUR_MAX_LANES && stop->lanes[i]; i++)
    sl_compare_presets_add (workspace->comparison, stop->lanes[i], workspace->recipe, workspace->model);
}

static void
set_up_lanes (SlTour *self)
{
  SlWorkspace *workspace = self->workspace;
  g_autoptr (SlSettings) drawn = NULL;
  g_autoptr (GError) error = NULL;
  gboolean adopts = current_stop (self)->preset == NULL;

  sl_comparison_clear (workspace->comparison);
  sl_comparison_set_align (workspace->comparison, SL_ALIGN_STEPS);
  sl_page_show (GTK_WIDGET (self->compare));
  if (adopts && has_run (self))
    {
      sl_comparison_adopt (workspace->comparison, sl_darkroom_page_get_job (self->darkroom));
      arrive_in_lanes (self);
      return;
    }
  if (adopts)
    sl_compare_presets_add (workspace->comparison, "lane", workspace->recipe, workspace->model);
  else
    add_lanes (self);
  drawn = sl_workspace_draw (workspace, &error);
  if (drawn == NULL
      || !sl_comparison_start (workspace->comparison, workspace->model, drawn,
                               sl_workspace_get_previews (workspace), &error))
    show_problem (self, error->message);
}

static void
set_up (SlTour *self)
{
  const SlTourStop *stop = current_stop (self);

  show_stop (self);
  set_ready (self, FALSE);
  self->setting = TRUE;
  if (choose_model (self, stop->model))
    {
      set_recipe (self);
      if (stop->place == SL_TOUR_RUN)
        set_up_run (self);
      else
        set_up_lanes (self);
    }
  else
    {
      g_autofree char *text = g_strdup_printf (
          _ ("This stop works with the model “%s”, which comes with the program and was not found."),
          stop->model);

      show_problem (self, text);
    }
  self->setting = FALSE;
}

static void
go_to (SlTour *self, guint stop)
{
  self->stop = stop;
  g_settings_set_uint (self->workspace->preferences, "tour-stop", stop);
  set_up (self);
}

/* ---- entering and leaving ---- */

static void
keep_before (SlTour *self)
{
  SlWorkspace *workspace = self->workspace;

  g_set_object (&self->before.model, workspace->model);
  self->before.recipe = sl_settings_dup (workspace->recipe);
  self->before.lanes = sl_comparison_state_new (workspace->comparison);
  self->before.noisy = is_noisy (self);
}

/* The model with the parts that it had from elsewhere. */
static void
give_model_back (SlTour *self)
{
  static const char *const names[] = { "vae", "unet", "text_encoder", "text_encoder_2", "refiner" };
  SlModelItem *model = self->before.model;
  const char *parts[2 * G_N_ELEMENTS (names) + 1];
  guint count = 0;

  if (model == NULL || !choose_model (self, sl_model_item_get_path (model)))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (sl_model_item_get_part_path (model, names[i]))
      {
        parts[count++] = names[i];
        parts[count++] = sl_model_item_get_part_path (model, names[i]);
      }
  parts[count] = NULL;
  if (count > 0)
    sl_workspace_want_parts (self->workspace, parts);
}

static void
give_back (SlTour *self)
{
  SlWorkspace *workspace = self->workspace;

  give_model_back (self);
  sl_workspace_take_settings (workspace, self->before.recipe);
  sl_comparison_clear (workspace->comparison);
  if (self->before.lanes)
    sl_comparison_state_restore (self->before.lanes, workspace->comparison);
  g_clear_object (&self->before.model);
  g_clear_object (&self->before.recipe);
  g_clear_pointer (&self->before.lanes, sl_comparison_state_free);
}

void
sl_tour_leave (SlTour *self)
{
  SlQueue *queue = self->workspace->queue;

  if (!self->on)
    return;
  self->on = FALSE;
  sl_focus_leave (GTK_WIDGET (self));
  gtk_widget_set_visible (GTK_WIDGET (self), FALSE);
  sl_page_enable_action (self->actions, "tour-next", FALSE);
  sl_page_enable_action (self->actions, "tour-back", FALSE);
  sl_page_enable_action (self->actions, "tour-leave", FALSE);
  if (self->job && sl_queue_get_current (queue) == self->job)
    {
      sl_queue_stop (queue);
      sl_unfinished_forget (self->workspace, self->job);
    }
  g_clear_object (&self->job);
  self->setting = TRUE;
  set_noisy (self, self->before.noisy);
  give_back (self);
  self->setting = FALSE;
  sl_comparison_shelf_set_asleep (self->workspace->shelf, FALSE);
  sl_page_show (GTK_WIDGET (self->darkroom));
}

static void
start (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  SlTour *self = user_data;
  guint stop = g_settings_get_uint (self->workspace->preferences, "tour-stop");

  if (!sl_model_store_is_scanned (self->workspace->models))
    return;
  if (!self->on)
    {
      self->on = TRUE;
      sl_comparison_shelf_set_asleep (self->workspace->shelf, TRUE);
      keep_before (self);
      g_settings_set_boolean (self->workspace->preferences, "tour-offered", TRUE);
      gtk_widget_set_visible (GTK_WIDGET (self), TRUE);
      sl_page_enable_action (self->actions, "tour-next", TRUE);
      sl_page_enable_action (self->actions, "tour-leave", TRUE);
      go_to (self, stop < sl_tour_stop_count () ? stop : 0);
    }
  gtk_widget_grab_focus (GTK_WIDGET (self->next));
}

static void
next (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  SlTour *self = user_data;

  if (self->stop + 1 < sl_tour_stop_count ())
    {
      go_to (self, self->stop + 1);
      return;
    }
  sl_tour_leave (self);
  g_settings_reset (self->workspace->preferences, "tour-stop");
  sl_notice_toast (GTK_WIDGET (self->darkroom), _ ("That was the tour. Your model and settings are back."));
}

static void
back (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  SlTour *self = user_data;

  if (self->stop > 0)
    go_to (self, self->stop - 1);
  if (self->stop == 0)
    gtk_widget_grab_focus (GTK_WIDGET (self->next)); /* its own button is out of use now */
}

static void
leave (GSimpleAction *action, GVariant *parameter, gpointer self)
{
  sl_tour_leave (self);
}

/* The person's own words, from here on. */
static void
prompt_changed (SlTour *self)
{
  if (!self->on || self->setting || !sl_model_item_uses_prompt (self->workspace->model))
    return;
  g_free (self->prompt);
  self->prompt = g_strdup (sl_settings_get_prompt (self->workspace->recipe));
}

void
sl_tour_set_narrow (SlTour *self, gboolean narrow)
{
  gtk_orientable_set_orientation (GTK_ORIENTABLE (self->box),
                                  narrow ? GTK_ORIENTATION_VERTICAL : GTK_ORIENTATION_HORIZONTAL);
}

gboolean
sl_tour_is_on (SlTour *self)
{
  return self->on;
}

guint
sl_tour_get_stop (SlTour *self)
{
  return self->stop;
}

gboolean
sl_tour_is_ready (SlTour *self)
{
  return self->ready;
}

static const GActionEntry entries[] = {
  { .name = "tour", .activate = start },
  { .name = "tour-next", .activate = next },
  { .name = "tour-back", .activate = back },
  { .name = "tour-leave", .activate = leave },
};

void
sl_tour_connect (SlTour *self,
                 SlWorkspace *workspace,
                 SlDarkroomPage *darkroom,
                 SlComparePage *compare,
                 GActionMap *actions)
{
  const struct
  {
    gpointer object;
    const char *signal;
    GCallback handler;
  } handlers[] = {
    { workspace->queue, "ended", G_CALLBACK (run_ended) },
    { workspace->comparison, "state", G_CALLBACK (lanes_state) },
    { workspace->recipe, "notify::prompt", G_CALLBACK (prompt_changed) },
  };

  self->workspace = g_object_ref (workspace);
  self->darkroom = darkroom;
  self->compare = compare;
  self->actions = actions;
  self->prompt = g_strdup (PROMPT);
  g_action_map_add_action_entries (actions, entries, G_N_ELEMENTS (entries), self);
  for (guint i = 1; i < G_N_ELEMENTS (entries); i++)
    sl_page_enable_action (actions, entries[i].name, FALSE);
  for (guint i = 0; i < G_N_ELEMENTS (handlers); i++)
    g_signal_connect_object (handlers[i].object, handlers[i].signal, handlers[i].handler, self,
                             G_CONNECT_SWAPPED | G_CONNECT_AFTER);
}

/* ---- class ---- */

static void
sl_tour_dispose (GObject *object)
{
  SlTour *self = SL_TOUR (object);

  g_clear_object (&self->before.model);
  g_clear_object (&self->before.recipe);
  g_clear_pointer (&self->before.lanes, sl_comparison_state_free);
  g_clear_object (&self->job);
  g_clear_object (&self->workspace);
  g_clear_pointer (&self->prompt, g_free);
  G_OBJECT_CLASS (sl_tour_parent_class)->dispose (object);
}

#define BIND(name) gtk_widget_class_bind_template_child (widget_class, SlTour, name)

static void
sl_tour_class_init (SlTourClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = sl_tour_dispose;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/safelight/Safelight/sl-tour.ui");
  BIND (box);
  BIND (title);
  BIND (progress);
  BIND (spinner);
  BIND (text);
  BIND (next);
}

static void
sl_tour_init (SlTour *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
