/* sl-writer.c - see sl-writer.h. */
#include "app/objects/gallery/sl-writer.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "app/files/files.h"
#include "app/objects/sl-error.h"
#include "app/objects/sl-job-private.h"
#include "app/objects/sl-model-item-private.h"
#include "app/objects/gallery/sl-writer-private.h"

#define MAX_TRIES 20

typedef struct
{
  SlJob *job; /* keeps the metadata's strings alive */
  SlFrameObject *frame;
  SlMetadata metadata; /* a copy whose pointers are the job's, but for the batches */
  GBytes *sample;      /* held: a frame may drop its own meanwhile */
  GBytes *rgb;
  int width;
  int height;
  char *path;
  GError *error;
  SlWritten written;
  gpointer user_data;
  GDestroyNotify destroy; /* of user_data, or NULL */
} Writing;

static void
writing_free (gpointer data)
{
  Writing *writing = data;

  g_object_unref (writing->job);
  g_object_unref (writing->frame);
  g_bytes_unref (writing->sample);
  g_bytes_unref (writing->rgb);
  g_free (writing->path);
  g_clear_error (&writing->error);
  if (writing->destroy)
    writing->destroy (writing->user_data);
  sl_batches_free (&writing->metadata.batches);
  g_free (writing);
}

SlModelInfo *
_sl_writer_hash_model (SlJob *job)
{
  SlModelInfo *info = g_memdup2 (_sl_model_item_get_info (sl_job_get_model (job)), sizeof *info);

  /* A file that cannot be read any more has an empty hash: the picture is still worth keeping. */
  sl_hash_model_as (info, _sl_job_get_model_keys (job), NULL, NULL);
  return info;
}

/* "2026-11-23 14.05.09 a red house by a lake.png", counted up when it is taken; the last one
 * where all are. */
static char *
new_name (const char *folder, const char *prompt, guint64 seed)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autofree char *stamp = g_date_time_format (now, "%Y-%m-%d %H.%M.%S");
  g_autofree char *words = g_utf8_substring (prompt, 0, MIN (g_utf8_strlen (prompt, -1), 48));
  char *path = NULL;

  for (char *c = words; *c; c++)
    if (strchr ("/\\:*?\"<>|", *c) || g_ascii_iscntrl (*c))
      *c = ' ';
  g_strstrip (words);
  for (int i = 1; i < 10000; i++)
    {
      g_autofree char *suffix = i > 1 ? g_strdup_printf (" (%d)", i) : g_strdup ("");
      g_autofree char *name = *words
                                  ? g_strdup_printf ("%s %s%s.png", stamp, words, suffix)
                                  : g_strdup_printf ("%s %" G_GUINT64_FORMAT "%s.png", stamp, seed, suffix);

      g_free (path);
      path = g_build_filename (folder, name, NULL);
      if (!sl_is_taken (path))
        break;
    }
  return path;
}

static gboolean
choose_name (Writing *writing, const char *folder, GError **error)
{
  if (g_mkdir_with_parents (folder, 0755) != 0)
    {
      g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno),
                   sl_words ("The folder %s could not be made: %s"), sl_show_path (folder).text,
                   g_strerror (errno));
      return FALSE;
    }
  g_free (writing->path);
  writing->path = new_name (folder, writing->metadata.recipe->prompt, writing->metadata.recipe->seed);
  return TRUE;
}

static void
fill_metadata (Writing *writing)
{
  SlMetadata *metadata = &writing->metadata;
  g_autofree SlModelInfo *model = _sl_writer_hash_model (writing->job);

  sl_metadata_set_model (metadata, model);
  /* Of the run's own steps: a branch counts on from its parent's. */
  metadata->step = sl_frame_object_get_step (writing->frame) + 1
                   - (sl_frame_object_get_steps (writing->frame) - metadata->steps);
  metadata->partial = !sl_frame_object_is_last (writing->frame);
  sl_sha256 (g_bytes_get_data (writing->sample, NULL), g_bytes_get_size (writing->sample),
             metadata->latents_sha256);
  sl_sha256 (g_bytes_get_data (writing->rgb, NULL), g_bytes_get_size (writing->rgb), metadata->pixels_sha256);
}

static void
write_run (gpointer data)
{
  Writing *writing = data;
  SlError err = { 0 };

  fill_metadata (writing);
  if (!sl_metadata_write (writing->path, g_bytes_get_data (writing->rgb, NULL), writing->width,
                          writing->height, &writing->metadata, &err))
    writing->error = sl_app_error_new (&err);
}

static gboolean
write_kept (gpointer data, const char *folder, GError **error)
{
  Writing *writing = data;
  SlError err = { 0 };

  fill_metadata (writing);
  /* Another process may take the name that was free. */
  for (int tries = 0; tries < MAX_TRIES; tries++)
    {
      if (!choose_name (writing, folder, error))
        return FALSE;
      if (sl_metadata_write_new (writing->path, g_bytes_get_data (writing->rgb, NULL), writing->width,
                                 writing->height, &writing->metadata, &err))
        return TRUE;
      if (!sl_is_taken (writing->path))
        break;
    }
  g_propagate_error (error, sl_app_error_new (&err));
  return FALSE;
}

static void
write_done (gpointer data)
{
  Writing *writing = data;

  if (writing->written)
    writing->written (writing->error ? NULL : writing->path, writing->error, writing->user_data);
}

static Writing *
writing_new (SlJob *job, SlFrameObject *frame, SlWritten written, gpointer user_data)
{
  Writing *writing;
  int channels, height, width;

  /* What a branch has from its parent is the parent's. */
  job = _sl_job_get_owner (job, (guint)sl_frame_object_get_index (frame) + 1);
  g_return_val_if_fail (_sl_job_get_metadata (job) != NULL, NULL);
  g_return_val_if_fail (sl_frame_object_is_decoded (frame, SL_VIEW_PICTURE), NULL);

  writing = g_new0 (Writing, 1);
  writing->job = g_object_ref (job);
  writing->frame = g_object_ref (frame);
  writing->metadata = *_sl_job_get_metadata (job);
  writing->metadata.batches = _sl_job_list_batches (job, (guint)sl_frame_object_get_index (frame) + 1);
  writing->sample
      = g_bytes_ref (sl_frame_object_get_sample (frame, SL_VIEW_PICTURE, &channels, &height, &width));
  writing->rgb
      = g_bytes_ref (sl_frame_object_get_rgb (frame, SL_VIEW_PICTURE, &writing->width, &writing->height));
  writing->written = written;
  writing->user_data = user_data;
  return writing;
}

void
sl_writer_save (SlThreadQueue *files,
                SlJob *job,
                SlFrameObject *frame,
                const char *path,
                SlWritten written,
                gpointer user_data)
{
  Writing *writing = writing_new (job, frame, written, user_data);

  if (writing == NULL)
    return;
  writing->path = g_strdup (path);
  sl_thread_queue_push (files, FALSE, write_run, write_done, writing, writing_free);
}

void
sl_writer_keep (SlKeeper *keeper,
                SlJob *job,
                SlFrameObject *frame,
                SlWritten written,
                gpointer user_data,
                GDestroyNotify destroy)
{
  static const SlKeptClass pictures = { SL_KEEP_PICTURE, write_kept, write_done, writing_free };
  Writing *writing = writing_new (job, frame, written, user_data);

  if (writing == NULL)
    return;
  writing->destroy = destroy;
  sl_keeper_keep (keeper, &pictures, writing);
}
