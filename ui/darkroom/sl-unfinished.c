/* sl-unfinished.c - see sl-unfinished.h. */
#include "ui/darkroom/sl-unfinished.h"

#include <glib/gi18n.h>

#include "ui/exchange/sl-moment-file.h"
#include "ui/widgets/sl-notice.h"

#define KEY "unfinished"
#define TOAST_SECONDS 15

static void
add_recipe (GStrvBuilder *recipes, SlJob *job)
{
  g_autofree char *recipe = sl_settings_to_string (sl_job_get_settings (job));

  g_strv_builder_add (recipes, recipe);
}

void
sl_unfinished_keep_moment (SlWorkspace *workspace, GtkWidget *from)
{
  SlJob *current = sl_queue_get_current (workspace->queue);
  SlFrameObject *frame = current ? sl_job_get_last_frame (current) : NULL;

  if (frame && sl_frame_object_is_decoded (frame, SL_VIEW_PICTURE) && !sl_moment_file_get_path (frame))
    sl_moment_file_keep (workspace, from, &(SlMomentOfRun){ current, frame });
}

gboolean
sl_unfinished_write (SlWorkspace *workspace, SlJob *lost, GError **error)
{
  SlJob *current = sl_queue_get_current (workspace->queue);
  g_autoptr (GStrvBuilder) unfinished = g_strv_builder_new ();
  g_auto (GStrv) recipes = NULL;

  if (lost)
    add_recipe (unfinished, lost);
  if (current)
    add_recipe (unfinished, current);
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (workspace->queue)); i++)
    {
      g_autoptr (SlJob) job = g_list_model_get_item (G_LIST_MODEL (workspace->queue), i);

      add_recipe (unfinished, job);
    }
  recipes = g_strv_builder_end (unfinished);
  g_settings_set_strv (workspace->preferences, KEY, (const char *const *)recipes);
  return *recipes == NULL || sl_places_check_kept (workspace->preferences, KEY, error);
}

void
sl_unfinished_remember (SlWorkspace *workspace, SlJob *lost)
{
  sl_unfinished_write (workspace, lost, NULL);
  sl_queue_clear (workspace->queue);
}

void
sl_unfinished_resume (SlWorkspace *workspace)
{
  g_auto (GStrv) recipes = g_settings_get_strv (workspace->preferences, KEY);

  for (char **recipe = recipes; workspace->model && *recipe; recipe++)
    {
      g_autoptr (SlSettings) settings = sl_settings_new ();

      if (sl_settings_from_string (settings, *recipe)
          && sl_model_item_check (workspace->model, settings, NULL))
        {
          g_autoptr (SlJob) job
              = sl_job_new (workspace->model, settings, sl_workspace_get_previews (workspace));

          sl_queue_add (workspace->queue, job);
        }
    }
  g_settings_reset (workspace->preferences, KEY);
}

void
sl_unfinished_offer (SlWorkspace *workspace, GtkWidget *from)
{
  g_auto (GStrv) recipes = g_settings_get_strv (workspace->preferences, KEY);
  guint n = g_strv_length (recipes);
  g_autofree char *text = NULL;
  AdwToast *toast;

  if (n == 0)
    return;
  text = g_strdup_printf (
      ngettext ("%u picture was not finished last time", "%u pictures were not finished last time", n), n);
  toast = adw_toast_new (text);
  adw_toast_set_timeout (toast, TOAST_SECONDS);
  adw_toast_set_button_label (toast, _ ("_Develop"));
  adw_toast_set_action_name (toast, "win.resume");
  sl_notice_add_toast (from, toast);
}
