/* sl-unfinished.c - see sl-unfinished.h. */
#include "ui/darkroom/sl-unfinished.h"

#include <glib/gi18n.h>

#include "ui/exchange/sl-moment-file.h"
#include "ui/widgets/sl-dialog.h"
#include "ui/widgets/sl-notice.h"

#define KEY "unfinished"
#define LEFT "sl-unfinished-left"
#define TOAST_SECONDS 15
#define NAME_LETTERS 40 /* of a prompt, so that the sentence can be read */
#define NAMES_SAID 3

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

/* The recipes that were not finished another time and that nobody has resumed or given up yet. They are kept here, too:
 * what is written may have those of the queue before them. */
static GStrv
get_left (SlWorkspace *workspace)
{
  GStrv left = g_object_get_data (G_OBJECT (workspace), LEFT);

  if (left == NULL)
    {
      left = g_settings_get_strv (workspace->preferences, KEY);
      g_object_set_data_full (G_OBJECT (workspace), LEFT, left, (GDestroyNotify)g_strfreev);
    }
  return left;
}

static void
set_left (SlWorkspace *workspace, GStrv left)
{
  g_object_set_data_full (G_OBJECT (workspace), LEFT, left, (GDestroyNotify)g_strfreev);
  g_settings_set_strv (workspace->preferences, KEY, (const char *const *)left);
}

gboolean
sl_unfinished_write (SlWorkspace *workspace, SlJob *lost, GError **error)
{
  SlJob *current = sl_queue_get_current (workspace->queue);
  g_autoptr (GStrvBuilder) unfinished = g_strv_builder_new ();
  g_auto (GStrv) recipes = NULL;
  GStrv left = get_left (workspace);

  if (lost)
    add_recipe (unfinished, lost);
  if (current)
    add_recipe (unfinished, current);
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (workspace->queue)); i++)
    {
      g_autoptr (SlJob) job = g_list_model_get_item (G_LIST_MODEL (workspace->queue), i);

      add_recipe (unfinished, job);
    }
  g_strv_builder_addv (unfinished, (const char **)left);
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
sl_unfinished_forget (SlWorkspace *workspace, SlJob *job)
{
  g_auto (GStrv) recipes = g_settings_get_strv (workspace->preferences, KEY);
  g_autofree char *recipe = sl_settings_to_string (sl_job_get_settings (job));
  g_autoptr (GStrvBuilder) others = g_strv_builder_new ();
  g_auto (GStrv) kept = NULL;
  gboolean found = FALSE;

  for (char **each = recipes; *each; each++)
    if (!found && g_str_equal (*each, recipe))
      found = TRUE;
    else
      g_strv_builder_add (others, *each);
  kept = g_strv_builder_end (others);
  g_settings_set_strv (workspace->preferences, KEY, (const char *const *)kept);
}

/* ---- resuming ---- */

/* Into the queue. FALSE, what to call it in a sentence, and why not. */
static gboolean
resume (SlWorkspace *workspace, const char *recipe, char **name, GError **error)
{
  g_autoptr (SlSettings) settings = sl_settings_new ();
  gboolean readable = sl_settings_from_string (settings, recipe);
  const char *text = readable ? sl_settings_get_prompt (settings) : recipe;
  glong letters = g_utf8_strlen (text, -1);
  g_autofree char *start = g_utf8_substring (text, 0, MIN (letters, NAME_LETTERS));

  if (readable && sl_model_item_check (workspace->model, settings, error))
    {
      g_autoptr (SlJob) job = sl_job_new (workspace->model, settings, sl_workspace_get_previews (workspace));

      sl_queue_add (workspace->queue, job);
      return TRUE;
    }
  *name = g_strdup_printf (letters > NAME_LETTERS ? "“%s…”" : "“%s”", start);
  if (!readable)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, _ ("its settings cannot be read"));
  return FALSE;
}

static void
give_up (SlWorkspace *workspace)
{
  if (!workspace->closed)
    set_left (workspace, g_new0 (char *, 1));
}

/* What was not taken up and why; whoever does not want it any more says so. */
static void
say_left (SlWorkspace *workspace, GtkWidget *from, const char *why)
{
  guint n = g_strv_length (get_left (workspace));
  g_autofree char *heading
      = g_strdup_printf (ngettext ("%u picture was not taken up", "%u pictures were not taken up", n), n);
  g_autofree char *body
      = g_strdup_printf (_ ("What was not taken up is offered again at the next start: %s."), why);
  GtkWidget *alert = sl_dialog_new_alert (heading, body);

  sl_dialog_add_response (alert, "forget", _ ("_Forget"), FALSE);
  sl_dialog_add_response (alert, "keep", _ ("_Keep"), TRUE);
  g_signal_connect_object (alert, "response::forget", G_CALLBACK (give_up), workspace, G_CONNECT_SWAPPED);
  sl_dialog_present (alert, from);
}

/* All that can be taken up; the others are left, and why. */
static char *
resume_all (SlWorkspace *workspace)
{
  GStrv recipes = get_left (workspace);
  g_autoptr (GStrvBuilder) left = g_strv_builder_new ();
  g_autoptr (GString) why = g_string_new ("");
  guint unfit = 0;

  for (char **recipe = recipes; *recipe; recipe++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *name = NULL;

      if (resume (workspace, *recipe, &name, &error))
        continue;
      g_strv_builder_add (left, *recipe);
      if (unfit++ < NAMES_SAID)
        g_string_append_printf (why, "%s%s (%s)", unfit > 1 ? ", " : "", name, error->message);
    }
  set_left (workspace, g_strv_builder_end (left));
  if (unfit > NAMES_SAID)
    return g_strdup_printf (ngettext ("%s and %u more", "%s and %u more", unfit - NAMES_SAID), why->str,
                            unfit - NAMES_SAID);
  return unfit > 0 ? g_strdup (why->str) : NULL;
}

void
sl_unfinished_resume (SlWorkspace *workspace, GtkWidget *from)
{
  g_autofree char *why = NULL;

  if (g_strv_length (get_left (workspace)) == 0)
    return;
  why = workspace->model ? resume_all (workspace) : g_strdup (_ ("no model is chosen yet"));
  if (why)
    say_left (workspace, from, why);
}

void
sl_unfinished_offer (SlWorkspace *workspace, GtkWidget *from)
{
  guint n = g_strv_length (get_left (workspace));
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
