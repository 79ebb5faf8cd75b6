/* sl-moment-file.c - see sl-moment-file.h. */
#include "ui/exchange/sl-moment-file.h"

#include <glib/gi18n.h>

#include "ui/widgets/sl-notice.h"

#define PATH_KEY "sl-path"
#define KEEPING_KEY "sl-keeping"

/* A moment on its way. */
typedef struct
{
  SlWorkspace *workspace;
  GtkWidget *from;
  SlJob *job;
  SlFrameObject *frame;
  char *path; /* NULL: it goes into the gallery */
} Write;

static void
write_free (gpointer data)
{
  Write *write = data;

  if (write->path == NULL)
    g_object_set_data (G_OBJECT (write->frame), KEEPING_KEY, NULL);
  g_object_unref (write->workspace);
  g_object_unref (write->from);
  g_object_unref (write->job);
  g_object_unref (write->frame);
  g_free (write->path);
  g_free (write);
}

static void
saved (const char *path, const GError *error, gpointer user_data)
{
  Write *write = user_data;

  if (error)
    sl_notice_alert (write->from, _ ("The picture could not be saved"), error->message);
  else
    sl_notice_toast (write->from, _ ("Saved with its settings"));
  write_free (write);
}

static void
kept (const char *path, const GError *error, gpointer user_data)
{
  Write *write = user_data;

  sl_gallery_add (write->workspace->gallery, path, sl_settings_get_prompt (sl_job_get_settings (write->job)));
  g_object_set_data_full (G_OBJECT (write->frame), PATH_KEY, g_strdup (path), g_free);
}

/* Another view of the same frame may be decoded before. */
static void
write_decoded (Write *write, guint view)
{
  if (view != SL_VIEW_PICTURE)
    return;
  g_signal_handlers_disconnect_by_data (write->frame, write);
  if (write->workspace->files && sl_frame_object_is_decoded (write->frame, SL_VIEW_PICTURE))
    {
      if (write->path)
        sl_writer_save (write->workspace->files, write->job, write->frame, write->path, saved, write);
      else
        sl_writer_keep (write->workspace->keeper, write->job, write->frame, kept, write, write_free);
    }
  else
    {
      const char *problem = sl_frame_object_get_problem (write->frame, SL_VIEW_PICTURE);
      g_autofree char *text = problem ? g_strdup_printf (_ ("Not decoded: %s"), problem) : NULL;

      sl_notice_toast (write->from,
                       text ? text : _ ("This step needs its model: load it again to save the step"));
      write_free (write);
    }
}

static void
start (SlWorkspace *workspace, GtkWidget *from, const SlMomentOfRun *moment, Write *write)
{
  write->workspace = g_object_ref (workspace);
  write->from = g_object_ref (from);
  write->job = g_object_ref (moment->job);
  write->frame = g_object_ref (moment->frame);
  if (sl_worker_decode (workspace->worker, moment->job, moment->frame, SL_VIEW_PICTURE))
    g_signal_connect_swapped (moment->frame, "decoded", G_CALLBACK (write_decoded), write);
  else
    write_decoded (write, SL_VIEW_PICTURE);
}

void
sl_moment_file_save (SlWorkspace *workspace, GtkWidget *from, const SlMomentOfRun *moment, const char *path)
{
  Write *write = g_new0 (Write, 1);

  write->path = g_strdup (path);
  start (workspace, from, moment, write);
}

void
sl_moment_file_keep (SlWorkspace *workspace, GtkWidget *from, const SlMomentOfRun *moment)
{
  if (g_object_get_data (G_OBJECT (moment->frame), KEEPING_KEY))
    return;
  g_object_set_data (G_OBJECT (moment->frame), KEEPING_KEY, GINT_TO_POINTER (TRUE));
  start (workspace, from, moment, g_new0 (Write, 1));
}

const char *
sl_moment_file_get_path (SlFrameObject *frame)
{
  return g_object_get_data (G_OBJECT (frame), PATH_KEY);
}
