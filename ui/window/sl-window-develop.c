/* sl-window-develop.c - making pictures: starting and stopping, progress, and what is said at the
 * end of a run. */
#include "ui/window/sl-window-private.h"

#include <glib/gi18n.h>

#define TICK_MS 100
/* A run that took at least this long is worth a notification when the window is out of sight. */
#define LONG_RUN_SECONDS 10

/* ---- progress ---- */

static void
show_loading (SlWindow *self)
{
  const char *what = sl_worker_get_load_what (self->worker);
  g_autofree char *text
      = g_strdup_printf (_ ("Loading the model, %.0f %%"), sl_worker_get_load_fraction (self->worker) * 100);

  gtk_label_set_text (self->status, text);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->status), what);
}

static void
show_progress (SlWindow *self)
{
  SlJob *job = sl_queue_get_current (self->queue);
  int evaluations = job ? sl_job_get_evaluations (job) : 0;
  guint done;

  if (job == NULL || evaluations == 0)
    {
      sl_tray_set_progress (
          self->tray, sl_worker_is_loading (self->worker) ? sl_worker_get_load_fraction (self->worker) : -1);
      return;
    }
  done = g_list_model_get_n_items (sl_job_get_frames (job));
  sl_tray_set_progress (self->tray, (done + sl_worker_get_step_fraction (self->worker)) / evaluations);
}

static gboolean
tick (gpointer data)
{
  show_progress (data);
  return G_SOURCE_CONTINUE;
}

void
_sl_window_update (SlWindow *self)
{
  SlJob *current = sl_queue_get_current (self->queue);
  guint waiting = g_list_model_get_n_items (G_LIST_MODEL (self->queue));
  gboolean busy = current != NULL, loading = sl_worker_is_loading (self->worker);
  gboolean shows = self->picture || self->frame;
  g_autofree char *count = g_strdup_printf ("%u", waiting);

  if (self->closed)
    return;
  gtk_widget_set_visible (self->stop, busy);
  gtk_widget_set_visible (self->narrow_stop, busy && adw_flap_get_folded (self->flap));
  gtk_button_set_label (self->develop, busy ? _ ("_Add to Queue") : _ ("_Develop"));
  _sl_window_name_by_label (self->develop);
  gtk_label_set_text (self->queue_count, count);
  gtk_widget_set_visible (GTK_WIDGET (self->queue_count), waiting > 0);
  gtk_widget_set_visible (GTK_WIDGET (self->status), loading);
  if (loading)
    show_loading (self);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "win.develop",
                                 sl_recipe_panel_get_model (self->panel) != NULL);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "win.stop", busy);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "win.save", shows);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "win.copy", shows);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "win.keep-step", self->frame && !self->picture);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "win.noisy", self->frame && !self->picture);
  if ((busy || loading) && !self->ticking)
    self->ticking = g_timeout_add (TICK_MS, tick, self);
  else if (!busy && !loading)
    g_clear_handle_id (&self->ticking, g_source_remove);
  show_progress (self);
  _sl_window_update_compare (self);
  _sl_window_update_gallery (self);
  _sl_window_update_export (self);
}

/* ---- starting and stopping ---- */

static void
show_job (SlWindow *self, SlJob *job)
{
  g_clear_object (&self->picture);
  g_set_object (&self->job, job);
  _sl_window_forget_moment (self);
  sl_film_strip_set_job (self->strip, job);
  gtk_stack_set_visible_child_name (self->below, "strip");
  adw_view_stack_set_visible_child_name (self->pages, "darkroom");
  sl_tray_set_caption (self->tray, NULL);
  sl_tray_show_waiting (self->tray);
}

static void
job_frame (SlWindow *self, SlFrameObject *frame, SlJob *job)
{
  /* A late frame of a job that is not shown any more is only kept. */
  if (job == self->job && sl_film_strip_get_frame (self->strip) == frame)
    {
      _sl_window_show_moment (self);
      if (sl_frame_object_get_index (frame) == 0)
        _sl_window_update (self);
    }
}

static void
job_state (SlWindow *self)
{
  _sl_window_update (self);
}

static void
job_started (SlWindow *self, SlJob *job)
{
  /* First the strip, then the tray, which shows the moment that the strip is at. */
  show_job (self, job);
  g_signal_connect_object (job, "frame", G_CALLBACK (job_frame), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (job, "notify::state", G_CALLBACK (job_state), self, G_CONNECT_SWAPPED);
  _sl_window_update (self);
}

void
_sl_window_roll_seed (SlWindow *self)
{
  /* Below 2^31: short enough to read out, and every other program takes it. */
  g_object_set (self->recipe, "seed", (guint64)g_random_int_range (0, G_MAXINT32), NULL);
}

static void
add_jobs (SlWindow *self)
{
  SlModelItem *model = sl_recipe_panel_get_model (self->panel);
  g_autoptr (SlSettings) settings = sl_settings_dup (self->recipe);
  guint64 seed = sl_settings_get_seed (settings);
  int count = sl_recipe_panel_get_count (self->panel);

  for (int i = 0; i < count; i++)
    {
      g_autoptr (SlJob) job = NULL;

      g_object_set (settings, "seed", seed + i, NULL);
      job = sl_job_new (model, settings, (SlPreviews)g_settings_get_uint (self->preferences, "previews"));
      sl_queue_add (self->queue, job);
    }
}

static void
develop (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlWindow *self = SL_WINDOW (widget);
  SlModelItem *model = sl_recipe_panel_get_model (self->panel);
  g_autoptr (GError) error = NULL;

  if (model == NULL || self->closed || _sl_window_compare_takes (self, action))
    return;
  if (!sl_model_item_check (model, self->recipe, &error))
    {
      _sl_window_alert (self, _ ("A setting does not fit"), error->message);
      return;
    }
  if (!self->seed_is_fresh && !sl_recipe_panel_keeps_seed (self->panel))
    _sl_window_roll_seed (self);
  self->seed_is_fresh = FALSE;
  if (adw_flap_get_folded (self->flap))
    adw_flap_set_reveal_flap (self->flap, FALSE);
  add_jobs (self);
  _sl_window_update (self);
}

static void
stop (GtkWidget *widget, const char *action, GVariant *parameter)
{
  if (!_sl_window_compare_takes (SL_WINDOW (widget), action))
    sl_queue_stop (SL_WINDOW (widget)->queue);
}

static void
example (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlWindow *self = SL_WINDOW (widget);

  g_object_set (self->recipe, "prompt", g_variant_get_string (parameter, NULL), NULL);
  develop (widget, action, NULL);
}

static void
random_seed (GtkWidget *widget, const char *action, GVariant *parameter)
{
  _sl_window_roll_seed (SL_WINDOW (widget));
}

static void
seed_changed (SlWindow *self)
{
  self->seed_is_fresh = TRUE;
}

static void
reset (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlWindow *self = SL_WINDOW (widget);
  SlModelItem *model = sl_recipe_panel_get_model (self->panel);
  g_autoptr (SlSettings) defaults = model ? sl_model_item_defaults (model) : sl_settings_new ();

  g_object_set (defaults, "prompt", sl_settings_get_prompt (self->recipe), "seed",
                sl_settings_get_seed (self->recipe), NULL);
  sl_settings_assign (self->recipe, defaults);
}

static void
notify_done (SlWindow *self, SlJob *job)
{
  GApplication *application = G_APPLICATION (gtk_window_get_application (GTK_WINDOW (self)));
  g_autoptr (GNotification) notification = NULL;

  if (application == NULL || gtk_window_is_active (GTK_WINDOW (self))
      || sl_job_get_elapsed (job) < LONG_RUN_SECONDS)
    return;
  notification = g_notification_new (_ ("The picture is ready"));
  g_notification_set_body (notification, sl_settings_get_prompt (sl_job_get_settings (job)));
  g_notification_set_default_action (notification, "app.activate");
  g_application_send_notification (application, "picture-ready", notification);
}

static void
keep_stopped (SlWindow *self)
{
  if (self->stopped)
    _sl_window_keep_moment (self, self->stopped, sl_job_get_last_frame (self->stopped));
}

static void
say_stopped (SlWindow *self, SlJob *job)
{
  SlFrameObject *frame = sl_job_get_last_frame (job);
  g_autofree char *text = NULL;
  AdwToast *toast;

  if (frame == NULL)
    {
      if (job == self->job)
        {
          gtk_stack_set_visible_child_name (self->below, "nothing");
          sl_tray_show (self->tray, NULL, NULL);
        }
      sl_window_toast (self, _ ("Stopped before the first step"));
      return;
    }
  text = g_strdup_printf (_ ("Stopped at step %d of %d"), sl_frame_object_get_step (frame) + 1,
                          sl_frame_object_get_steps (frame));
  g_set_object (&self->stopped, job);
  /* One for all: toasts wait for each other, and old ones would be read long after. */
  if (self->stop_toast)
    {
      adw_toast_set_title (self->stop_toast, text);
      return;
    }
  toast = adw_toast_new (text);
  g_set_weak_pointer (&self->stop_toast, toast);
  adw_toast_set_button_label (toast, _ ("_Save This Step"));
  g_signal_connect_object (toast, "button-clicked", G_CALLBACK (keep_stopped), self, G_CONNECT_SWAPPED);
  adw_toast_overlay_add_toast (self->toasts, toast);
}

static gboolean
start_again (gpointer window)
{
  gtk_widget_activate_action (GTK_WIDGET (window), "app.restart", NULL);
  return G_SOURCE_REMOVE;
}

/* The window takes the dialog along, which is still busy here. */
static void
restart_chosen (SlJob *job, const char *response, GtkWidget *dialog)
{
  SlWindow *self = SL_WINDOW (gtk_window_get_transient_for (GTK_WINDOW (dialog)));

  g_set_object (&self->lost, job);
  g_idle_add_full (G_PRIORITY_DEFAULT, start_again, g_object_ref (self), g_object_unref);
}

/* A GPU that failed comes back to a new process only. Closing keeps what there is, and what was not
 * finished is offered at the start. */
static void
offer_restart (SlWindow *self, SlJob *job)
{
  GtkWidget *dialog
      = adw_message_dialog_new (GTK_WINDOW (self), _ ("The GPU failed"), sl_job_get_message (job));

  adw_message_dialog_add_responses (ADW_MESSAGE_DIALOG (dialog), "close", _ ("_Go On with the CPU"),
                                    "restart", _ ("_Restart Safelight"), NULL);
  adw_message_dialog_set_response_appearance (ADW_MESSAGE_DIALOG (dialog), "restart", ADW_RESPONSE_SUGGESTED);
  /* The job may be out of sight by the time of the answer. */
  g_object_set_data_full (G_OBJECT (dialog), "sl-job", g_object_ref (job), g_object_unref);
  g_signal_connect_swapped (dialog, "response::restart", G_CALLBACK (restart_chosen), job);
  gtk_window_present (GTK_WINDOW (dialog));
}

static void
say_failed (SlWindow *self, SlJob *job)
{
  if (sl_job_has_lost_device (job))
    offer_restart (self, job);
  else if (job == self->job && sl_job_get_last_frame (job) == NULL)
    {
      sl_tray_show_error (self->tray, _ ("That Did Not Work"), sl_job_get_message (job));
      gtk_stack_set_visible_child_name (self->below, "nothing");
    }
  else
    _sl_window_alert (self, _ ("The picture could not be finished"), sl_job_get_message (job));
}

static void
job_ended (SlWindow *self, SlJob *job)
{
  SlFrameObject *last = sl_job_get_last_frame (job);

  if (sl_job_get_state (job) == SL_JOB_DONE && last)
    _sl_window_keep_moment (self, job, last);
  if (self->closed)
    return;
  if (sl_job_get_state (job) == SL_JOB_DONE)
    notify_done (self, job);
  else if (sl_job_get_state (job) == SL_JOB_STOPPED)
    say_stopped (self, job);
  else
    say_failed (self, job);
  if (sl_job_get_state (job) == SL_JOB_DONE && sl_job_get_warning (job))
    sl_window_toast (self, sl_job_get_warning (job));
  if (job == self->job && self->frame)
    _sl_window_show_moment (self);
  _sl_window_update (self);
}

void
_sl_window_install_develop (GtkWidgetClass *klass)
{
  gtk_widget_class_install_action (klass, "win.develop", NULL, develop);
  gtk_widget_class_install_action (klass, "win.stop", NULL, stop);
  gtk_widget_class_install_action (klass, "win.example", "s", example);
  gtk_widget_class_install_action (klass, "win.random-seed", NULL, random_seed);
  gtk_widget_class_install_action (klass, "win.reset", NULL, reset);
}

void
_sl_window_init_develop (SlWindow *self)
{
  g_signal_connect_object (self->queue, "started", G_CALLBACK (job_started), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->queue, "ended", G_CALLBACK (job_ended), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->queue, "items-changed", G_CALLBACK (_sl_window_update), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->worker, "loading", G_CALLBACK (_sl_window_update), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->recipe, "notify::seed", G_CALLBACK (seed_changed), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->flap, "notify::folded", G_CALLBACK (_sl_window_update), self,
                           G_CONNECT_SWAPPED);
}
