/* sl-window-keep.c - what stays of a run: a moment written into a file or the gallery, and the
 * pictures that were not finished when the window was closed. */
#include "ui/window/sl-window-private.h"

#include <glib/gi18n.h>

/* ---- a moment into a file ---- */

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
    {
      const char *problem = sl_frame_object_get_problem (write->frame, SL_VIEW_PICTURE);
      g_autofree char *text = problem ? g_strdup_printf (_ ("Not decoded: %s"), problem) : NULL;

      sl_window_toast (self, text ? text : _ ("This step needs its model: load it again to save the step"));
    }
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

void
_sl_window_keep_moment (SlWindow *self, SlJob *job, SlFrameObject *frame)
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
  _sl_window_keep_moment (self, self->job, self->frame);
  sl_window_toast (self, _ ("This step goes to the gallery"));
}

/* ---- what waits when the window is closed ---- */

static void
add_recipe (GStrvBuilder *recipes, SlJob *job)
{
  g_autofree char *recipe = sl_settings_to_string (sl_job_get_settings (job));

  g_strv_builder_add (recipes, recipe);
}

void
_sl_window_keep_unfinished (SlWindow *self)
{
  SlJob *current = sl_queue_get_current (self->queue);
  SlFrameObject *frame = current ? sl_job_get_last_frame (current) : NULL;
  g_autoptr (GStrvBuilder) unfinished = g_strv_builder_new ();
  g_auto (GStrv) recipes = NULL;

  if (self->lost)
    add_recipe (unfinished, self->lost);
  if (current)
    add_recipe (unfinished, current);
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (self->queue)); i++)
    {
      g_autoptr (SlJob) job = g_list_model_get_item (G_LIST_MODEL (self->queue), i);

      add_recipe (unfinished, job);
    }
  recipes = g_strv_builder_end (unfinished);
  g_settings_set_strv (self->preferences, "unfinished", (const char *const *)recipes);
  /* How far it came is kept where that costs no time. */
  if (frame && sl_frame_object_is_decoded (frame, SL_VIEW_PICTURE))
    _sl_window_keep_moment (self, current, frame);
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

void
_sl_window_install_keep (GtkWidgetClass *klass)
{
  gtk_widget_class_install_action (klass, "win.keep-step", NULL, keep_step);
  gtk_widget_class_install_action (klass, "win.resume", NULL, resume);
}

void
_sl_window_init_keep (SlWindow *self)
{
  offer_unfinished (self);
}
