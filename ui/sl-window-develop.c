/* sl-window-develop.c - making pictures: starting and stopping, what the tray shows while one comes
 * up, and keeping the result. */
#include "ui/sl-window-private.h"

#include <glib/gi18n.h>
#include <string.h>

#define REST_MS 120
#define TICK_MS 100
/* A run that took at least this long is worth a notification when the window is out of sight. */
#define LONG_RUN_SECONDS 10

/* ---- the moment in the tray ---- */

static void
add_time (GString *caption, double seconds)
{
  if (seconds >= 90)
    g_string_append_printf (caption, _ ("%d min %d s"), (int)seconds / 60, (int)seconds % 60);
  else if (seconds >= 2)
    g_string_append_printf (caption, _ ("%.0f s"), seconds);
  else
    g_string_append_printf (caption, _ ("%.0f ms"), seconds * 1000);
}

static char *
make_caption (SlWindow *self)
{
  g_autoptr (GString) caption = g_string_new (NULL);
  double remaining = sl_job_get_remaining (self->job);

  g_string_append_printf (caption, _ ("Step %d of %d"), sl_frame_object_get_step (self->frame) + 1,
                          sl_frame_object_get_steps (self->frame));
  g_string_append_printf (caption, "  ·  t %.4g  ·  σ %.3g  ·  ", sl_frame_object_get_timestep (self->frame),
                          sl_frame_object_get_sigma (self->frame));
  add_time (caption, sl_frame_object_get_seconds (self->frame));
  if (remaining >= 0 && sl_film_strip_is_following (self->strip))
    {
      g_autoptr (GString) left = g_string_new (NULL);

      add_time (left, MAX (remaining, 0));
      g_string_append (caption, "  ·  ");
      g_string_append_printf (caption, _ ("%s left"), left->str);
    }
  else if (!sl_frame_object_is_last (self->frame) && sl_job_is_over (self->job))
    g_string_append_printf (caption, "  ·  %s",
                            self->view == SL_VIEW_NOISY ? _ ("the noisy sample") : _ ("prediction"));
  return g_string_free (g_steal_pointer (&caption), FALSE);
}

static void
draw_moment (SlWindow *self)
{
  int width, height;
  GBytes *rgb = sl_frame_object_get_rgb (self->frame, self->view, &width, &height);
  g_autoptr (GdkTexture) texture = sl_texture_new_rgb (rgb, width, height);
  g_autofree char *caption = make_caption (self);
  SlSettings *settings = sl_job_get_settings (self->job);

  sl_canvas_set_size (sl_tray_get_canvas (self->tray), sl_settings_get_width (settings),
                      sl_settings_get_height (settings));
  sl_tray_show (self->tray, texture, caption);
  sl_tray_set_caption (self->tray, caption);
}

static gboolean
rested (gpointer data)
{
  SlWindow *self = data;

  self->rest = 0;
  if (self->frame && self->job)
    sl_worker_decode (self->worker, self->job, self->frame, self->view);
  return G_SOURCE_REMOVE;
}

/* The real decoder is for a step that is looked at, not for each one that flies by. */
static void
decode_at_rest (SlWindow *self)
{
  gboolean flying = !sl_job_is_over (self->job) && sl_film_strip_is_following (self->strip);

  g_clear_handle_id (&self->rest, g_source_remove);
  if (!flying && !sl_frame_object_is_decoded (self->frame, self->view))
    self->rest = g_timeout_add (REST_MS, rested, self);
}

void
_sl_window_show_moment (SlWindow *self)
{
  SlFrameObject *frame = sl_film_strip_get_frame (self->strip);

  if (frame == NULL || self->picture)
    return;
  if (self->frame != frame)
    {
      if (self->frame)
        g_signal_handlers_disconnect_by_func (self->frame, draw_moment, self);
      g_set_object (&self->frame, frame);
      g_signal_connect_object (frame, "decoded", G_CALLBACK (draw_moment), self, G_CONNECT_SWAPPED);
    }
  draw_moment (self);
  decode_at_rest (self);
}

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
}

/* ---- starting and stopping ---- */

static void
show_job (SlWindow *self, SlJob *job)
{
  g_clear_object (&self->picture);
  g_set_object (&self->job, job);
  if (self->frame)
    g_signal_handlers_disconnect_by_func (self->frame, draw_moment, self);
  g_clear_object (&self->frame);
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

/* ---- the end of a run ---- */

/* A moment on its way into a file. */
typedef struct
{
  SlWindow *window;
  SlJob *job;
  SlFrameObject *frame;
  char *path; /* a folder with '/' at its end is the gallery's */
} Write;

static void
write_free (Write *write)
{
  g_object_unref (write->window);
  g_object_unref (write->job);
  g_object_unref (write->frame);
  g_free (write->path);
  g_free (write);
}

static void
written (const char *path, const GError *error, gpointer user_data)
{
  Write *write = user_data;
  SlWindow *self = write->window;
  gboolean kept = g_str_has_suffix (write->path, G_DIR_SEPARATOR_S);

  if (path && kept)
    {
      sl_gallery_add (self->gallery, path, sl_settings_get_prompt (sl_job_get_settings (write->job)));
      /* What is copied or dragged out of the tray is this file. */
      g_object_set_data_full (G_OBJECT (write->frame), "sl-path", g_strdup (path), g_free);
    }
  if (error && !self->closed)
    _sl_window_alert (self, _ ("The picture could not be saved"), error->message);
  else if (!kept && !self->closed)
    sl_window_toast (self, _ ("Saved with its settings"));
  write_free (write);
}

static void
write_decoded (Write *write)
{
  SlWindow *self = write->window;

  g_signal_handlers_disconnect_by_data (write->frame, write);
  if (self->files && sl_frame_object_is_decoded (write->frame, SL_VIEW_PICTURE))
    {
      sl_writer_save (self->files, write->job, write->frame, write->path, written, write);
      return;
    }
  if (!self->closed)
    sl_window_toast (self, _ ("This step needs its model: load it again to save the step"));
  write_free (write);
}

void
_sl_window_write_moment (SlWindow *self, SlJob *job, SlFrameObject *frame, const char *path)
{
  Write *write = g_new0 (Write, 1);

  *write = (Write){ g_object_ref (self), g_object_ref (job), g_object_ref (frame), g_strdup (path) };
  if (sl_worker_decode (self->worker, job, frame, SL_VIEW_PICTURE))
    g_signal_connect_swapped (frame, "decoded", G_CALLBACK (write_decoded), write);
  else
    write_decoded (write);
}

static char *
pictures_folder (SlWindow *self)
{
  g_autofree char *folder = sl_places_pictures_folder (self->preferences);

  return g_strconcat (folder, G_DIR_SEPARATOR_S, NULL);
}

static void
keep_moment (SlWindow *self, SlJob *job, SlFrameObject *frame)
{
  g_autofree char *folder = pictures_folder (self);

  _sl_window_write_moment (self, job, frame, folder);
}

static void
keep_step (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlWindow *self = SL_WINDOW (widget);

  if (self->frame == NULL || self->picture)
    return;
  keep_moment (self, self->job, self->frame);
  sl_window_toast (self, _ ("This step goes to the gallery"));
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
    keep_moment (self, self->stopped, sl_job_get_last_frame (self->stopped));
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

static void
say_failed (SlWindow *self, SlJob *job)
{
  if (job == self->job && sl_job_get_last_frame (job) == NULL)
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
    keep_moment (self, job, last);
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

/* ---- what waits when the window is closed ---- */

void
_sl_window_keep_unfinished (SlWindow *self)
{
  SlJob *current = sl_queue_get_current (self->queue);
  SlFrameObject *frame = current ? sl_job_get_last_frame (current) : NULL;
  g_autoptr (GStrvBuilder) unfinished = g_strv_builder_new ();
  g_auto (GStrv) recipes = NULL;

  if (current)
    {
      g_autofree char *recipe = sl_settings_to_string (sl_job_get_settings (current));

      g_strv_builder_add (unfinished, recipe);
    }
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (self->queue)); i++)
    {
      g_autoptr (SlJob) job = g_list_model_get_item (G_LIST_MODEL (self->queue), i);
      g_autofree char *recipe = sl_settings_to_string (sl_job_get_settings (job));

      g_strv_builder_add (unfinished, recipe);
    }
  recipes = g_strv_builder_end (unfinished);
  g_settings_set_strv (self->preferences, "unfinished", (const char *const *)recipes);
  /* How far it came is kept where that costs no time. */
  if (frame && sl_frame_object_is_decoded (frame, SL_VIEW_PICTURE))
    keep_moment (self, current, frame);
  sl_queue_clear (self->queue);
}

static void
resume (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlWindow *self = SL_WINDOW (widget);
  g_auto (GStrv) recipes = g_settings_get_strv (self->preferences, "unfinished");
  SlModelItem *model = sl_recipe_panel_get_model (self->panel);

  for (char **recipe = recipes; model && *recipe; recipe++)
    {
      g_autoptr (SlSettings) settings = sl_settings_new ();

      if (sl_settings_from_string (settings, *recipe) && sl_model_item_check (model, settings, NULL))
        {
          g_autoptr (SlJob) job
              = sl_job_new (model, settings, (SlPreviews)g_settings_get_uint (self->preferences, "previews"));

          sl_queue_add (self->queue, job);
        }
    }
  g_settings_reset (self->preferences, "unfinished");
}

static void
offer_unfinished (SlWindow *self)
{
  g_auto (GStrv) recipes = g_settings_get_strv (self->preferences, "unfinished");
  guint n = g_strv_length (recipes);
  g_autofree char *text = NULL;
  AdwToast *toast;

  if (n == 0)
    return;
  text = g_strdup_printf (
      ngettext ("%u picture was not finished last time", "%u pictures were not finished last time", n), n);
  toast = adw_toast_new (text);
  adw_toast_set_timeout (toast, 15);
  adw_toast_set_button_label (toast, _ ("_Develop"));
  adw_toast_set_action_name (toast, "win.resume");
  adw_toast_overlay_add_toast (self->toasts, toast);
}

/* ---- the view ---- */

void
_sl_window_set_view (SlWindow *self, SlView view)
{
  self->view = view;
  sl_film_strip_set_view (self->strip, view);
  _sl_window_show_moment (self);
}

static void
zoom (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlCanvas *canvas = sl_tray_get_canvas (SL_WINDOW (widget)->tray);

  if (_sl_window_compare_takes (SL_WINDOW (widget), action))
    return;
  if (g_str_equal (action, "win.zoom-in"))
    sl_canvas_zoom_by (canvas, 1.25);
  else if (g_str_equal (action, "win.zoom-out"))
    sl_canvas_zoom_by (canvas, 0.8);
  else
    sl_canvas_set_zoom (canvas, g_str_equal (action, "win.zoom-original") ? 1 : 0);
}

static void
step (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlWindow *self = SL_WINDOW (widget);
  int by = g_str_equal (action, "win.previous-step") ? -1 : 1;

  if (!_sl_window_compare_takes (self, action) && self->picture == NULL)
    sl_film_strip_pick (self->strip, sl_film_strip_get_position (self->strip) + by);
}

static void
toggle_panel (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlWindow *self = SL_WINDOW (widget);

  adw_flap_set_reveal_flap (self->flap, !adw_flap_get_reveal_flap (self->flap));
}

void
_sl_window_install_develop (GtkWidgetClass *klass)
{
  static const char *const zooms[] = { "win.zoom-in", "win.zoom-out", "win.zoom-fit", "win.zoom-original" };

  gtk_widget_class_install_action (klass, "win.develop", NULL, develop);
  gtk_widget_class_install_action (klass, "win.stop", NULL, stop);
  gtk_widget_class_install_action (klass, "win.example", "s", example);
  gtk_widget_class_install_action (klass, "win.random-seed", NULL, random_seed);
  gtk_widget_class_install_action (klass, "win.reset", NULL, reset);
  gtk_widget_class_install_action (klass, "win.keep-step", NULL, keep_step);
  gtk_widget_class_install_action (klass, "win.resume", NULL, resume);
  gtk_widget_class_install_property_action (klass, "win.noisy", "noisy");
  gtk_widget_class_install_action (klass, "win.previous-step", NULL, step);
  gtk_widget_class_install_action (klass, "win.next-step", NULL, step);
  gtk_widget_class_install_action (klass, "win.toggle-panel", NULL, toggle_panel);
  for (guint i = 0; i < G_N_ELEMENTS (zooms); i++)
    gtk_widget_class_install_action (klass, zooms[i], NULL, zoom);
}

/* Plain keys, so they belong to the tray and the strip and not to where one types. */
static void
add_keys (SlWindow *self)
{
  static const struct
  {
    guint key;
    const char *action;
  } keys[] = {
    { GDK_KEY_n, "win.noisy" },         { GDK_KEY_0, "win.zoom-fit" },
    { GDK_KEY_1, "win.zoom-original" }, { GDK_KEY_plus, "win.zoom-in" },
    { GDK_KEY_minus, "win.zoom-out" },  { GDK_KEY_Left, "win.previous-step" },
    { GDK_KEY_Right, "win.next-step" }, { GDK_KEY_Delete, "win.delete" },
  };
  GtkEventController *controller = gtk_shortcut_controller_new ();

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    gtk_shortcut_controller_add_shortcut (
        GTK_SHORTCUT_CONTROLLER (controller),
        gtk_shortcut_new (gtk_keyval_trigger_new (keys[i].key, 0), gtk_named_action_new (keys[i].action)));
  gtk_widget_add_controller (self->darkroom, controller);
}

void
_sl_window_init_develop (SlWindow *self)
{
  add_keys (self);
  g_signal_connect_object (self->queue, "started", G_CALLBACK (job_started), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->queue, "ended", G_CALLBACK (job_ended), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->queue, "items-changed", G_CALLBACK (_sl_window_update), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->worker, "loading", G_CALLBACK (_sl_window_update), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->strip, "picked", G_CALLBACK (_sl_window_show_moment), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->recipe, "notify::seed", G_CALLBACK (seed_changed), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->flap, "notify::folded", G_CALLBACK (_sl_window_update), self,
                           G_CONNECT_SWAPPED);
  offer_unfinished (self);
}
