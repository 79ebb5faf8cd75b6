/* sl-reader.c - see sl-reader.h. */
#include "app/objects/gallery/sl-reader.h"

#include <stdlib.h>
#include <string.h>

#include "app/recipe/recipe.h"
#include "app/image/image.h"
#include "app/objects/sl-error.h"
#include "app/objects/gallery/sl-reader-private.h"
#include "app/objects/sl-settings-private.h"

/* ---- settings ---- */

typedef struct
{
  char *path;
  GBytes *data;
  SlRecipe *base;
  SlImport import;
  GError *error;
  SlRestoredFunc restored;
  gpointer user_data;
} Restoring;

static void
restoring_free (gpointer data)
{
  Restoring *restoring = data;

  g_free (restoring->path);
  g_clear_pointer (&restoring->data, g_bytes_unref);
  free (restoring->base);
  sl_import_free (&restoring->import);
  g_clear_error (&restoring->error);
  g_free (restoring);
}

static gboolean
import_data (Restoring *restoring, SlError *err)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (restoring->data, &size);
  SlPngTexts texts = { 0 };
  gboolean ok;

  if (size < 8 || memcmp (data, "\x89PNG\r\n\x1a\n", 8) != 0)
    {
      g_autofree char *text = g_strndup ((const char *)data, size);

      return sl_import_parameters ("The text", text, restoring->base, NULL, &restoring->import, err);
    }
  ok = sl_png_texts_parse ("The picture", data, size, &texts, err)
       && sl_import_texts ("The picture", &texts, restoring->base, NULL, &restoring->import, err);
  sl_png_texts_free (&texts);
  return ok;
}

static void
restore_run (gpointer data)
{
  Restoring *restoring = data;
  SlError err = { 0 };
  gboolean ok;

  if (restoring->data)
    ok = import_data (restoring, &err);
  else
    ok = sl_import_png (restoring->path, restoring->base, NULL, &restoring->import, &err);
  if (!ok)
    restoring->error = sl_app_error_new (&err);
}

static void
restore_done (gpointer data)
{
  Restoring *restoring = data;
  const SlImport *import = &restoring->import;
  g_autoptr (SlSettings) settings = NULL;
  SlRestored restored;

  if (restoring->error)
    {
      restoring->restored (NULL, restoring->error, restoring->user_data);
      return;
    }
  if (import->recipe)
    {
      settings = sl_settings_new ();
      _sl_settings_set_recipe (settings, import->recipe);
    }
  restored = (SlRestored){ settings, (char *)import->source, import->model, import->problems, import->notes };
  restoring->restored (&restored, NULL, restoring->user_data);
}

static Restoring *
restoring_new (SlSettings *base, SlRestoredFunc restored, gpointer user_data)
{
  Restoring *restoring = g_new0 (Restoring, 1);
  SlRecipe recipe;

  _sl_settings_get_recipe (base, &recipe);
  restoring->base = sl_recipe_copy (&recipe);
  restoring->restored = restored;
  restoring->user_data = user_data;
  return restoring;
}

void
sl_reader_restore_file (
    SlThreadQueue *files, const char *path, SlSettings *base, SlRestoredFunc restored, gpointer user_data)
{
  Restoring *restoring = restoring_new (base, restored, user_data);

  restoring->path = g_strdup (path);
  sl_thread_queue_push (files, TRUE, restore_run, restore_done, restoring, restoring_free);
}

void
sl_reader_restore_data (
    SlThreadQueue *files, GBytes *data, SlSettings *base, SlRestoredFunc restored, gpointer user_data)
{
  Restoring *restoring = restoring_new (base, restored, user_data);

  restoring->data = g_bytes_ref (data);
  sl_thread_queue_push (files, TRUE, restore_run, restore_done, restoring, restoring_free);
}

gboolean
_sl_reader_describe (const char *path, char **prompt, SlLineage **lineage)
{
  SlMetadata metadata = { 0 };
  gboolean ours = sl_metadata_read (path, &metadata, NULL);

  *lineage = ours ? _sl_lineage_new (&metadata) : NULL;
  if (ours && prompt)
    *prompt = g_strdup (metadata.recipe->prompt ? metadata.recipe->prompt : "");
  sl_metadata_free (&metadata);
  return *lineage != NULL;
}

/* ---- pixels ---- */

typedef struct
{
  char *path;
  int max_side;
  GBytes *rgb;
  int width;
  int height;
  GError *error;
  SlPixelsFunc loaded;
  gpointer user_data;
} Pixels;

static void
pixels_free (gpointer data)
{
  Pixels *pixels = data;

  g_free (pixels->path);
  g_clear_pointer (&pixels->rgb, g_bytes_unref);
  g_clear_error (&pixels->error);
  g_free (pixels);
}

/* One pixel of the small picture: the mean of the rectangle that it covers. */
static void
average (const guint8 *rgb, int width, const int box[4], guint8 *out)
{
  guint sum[3] = { 0, 0, 0 }, n = (guint)(box[2] - box[0]) * (box[3] - box[1]);

  for (int y = box[1]; y < box[3]; y++)
    for (int x = box[0]; x < box[2]; x++)
      for (int c = 0; c < 3; c++)
        sum[c] += rgb[((gsize)y * width + x) * 3 + c];
  for (int c = 0; c < 3; c++)
    out[c] = (sum[c] + n / 2) / n;
}

static guint8 *
shrink (const guint8 *rgb, int width, int height, int small_width, int small_height)
{
  guint8 *small = g_malloc ((gsize)small_width * small_height * 3);

  for (int y = 0; y < small_height; y++)
    for (int x = 0; x < small_width; x++)
      {
        int box[4] = { (int)((gint64)x * width / small_width), (int)((gint64)y * height / small_height),
                       (int)((gint64)(x + 1) * width / small_width),
                       (int)((gint64)(y + 1) * height / small_height) };

        average (rgb, width, box, small + ((gsize)y * small_width + x) * 3);
      }
  return small;
}

static void
pixels_run (gpointer data)
{
  Pixels *pixels = data;
  SlError err = { 0 };
  int width, height, longest;
  guint8 *rgb = sl_png_read (pixels->path, &width, &height, &err);

  if (rgb == NULL)
    {
      pixels->error = sl_app_error_new (&err);
      return;
    }
  longest = MAX (width, height);
  if (pixels->max_side > 0 && longest > pixels->max_side)
    {
      pixels->width = MAX ((int)((gint64)width * pixels->max_side / longest), 1);
      pixels->height = MAX ((int)((gint64)height * pixels->max_side / longest), 1);
      pixels->rgb = g_bytes_new_take (shrink (rgb, width, height, pixels->width, pixels->height),
                                      (gsize)pixels->width * pixels->height * 3);
      free (rgb);
      return;
    }
  pixels->width = width;
  pixels->height = height;
  pixels->rgb = g_bytes_new_with_free_func (rgb, (gsize)width * height * 3, free, rgb);
}

static void
pixels_done (gpointer data)
{
  Pixels *pixels = data;

  pixels->loaded (pixels->rgb, pixels->width, pixels->height, pixels->error, pixels->user_data);
}

void
sl_reader_load_pixels (
    SlThreadQueue *files, const char *path, int max_side, SlPixelsFunc loaded, gpointer user_data)
{
  Pixels *pixels = g_new0 (Pixels, 1);

  pixels->path = g_strdup (path);
  pixels->max_side = max_side;
  pixels->loaded = loaded;
  pixels->user_data = user_data;
  sl_thread_queue_push (files, TRUE, pixels_run, pixels_done, pixels, pixels_free);
}
