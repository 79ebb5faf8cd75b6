/* sl-reader.c - see sl-reader.h. */
#include "app/objects/gallery/sl-reader.h"

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/files/files.h"
#include "app/recipe/recipe.h"
#include "app/image/image.h"
#include "app/objects/sl-error.h"
#include "app/objects/gallery/sl-reader-private.h"
#include "app/objects/sl-settings-private.h"

/* ---- settings ---- */

typedef struct
{
  char *path;
  char *models;
  GBytes *data;
  char **parts;  /* as SlRestored's */
  char *missing; /* why they are NULL; or NULL */
  char *device;  /* as SlComputed */
  char *types;
  char *renamed; /* the path of the model, which has another name here; or NULL */
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
  g_free (restoring->models);
  g_free (restoring->missing);
  g_free (restoring->renamed);
  g_free (restoring->device);
  g_free (restoring->types);
  g_strfreev (restoring->parts);
  g_clear_pointer (&restoring->data, g_bytes_unref);
  free (restoring->base);
  sl_import_free (&restoring->import);
  g_clear_error (&restoring->error);
  g_free (restoring);
}

static void
take_computed (Restoring *restoring, const SlMetadata *metadata)
{
  restoring->device = g_strdup (metadata->device);
  restoring->types = g_strdup (metadata->dtype);
}

/* Of a picture of ours. */
static void
read_computed (Restoring *restoring, const SlPictureTexts *texts)
{
  const char *json = sl_picture_texts_find (texts, SL_METADATA_KEYWORD);
  g_autofree SlMetadata *metadata = g_new0 (SlMetadata, 1);

  if (json && sl_metadata_from_json ("", json, metadata, NULL))
    take_computed (restoring, metadata);
  sl_metadata_free (metadata);
}

static gboolean
import_data (Restoring *restoring, SlError *err)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (restoring->data, &size);
  SlPictureTexts texts = { 0 };
  gboolean ok;

  if (sl_picture_kind (data, size) == NULL)
    {
      g_autofree char *text = g_strndup ((const char *)data, size);

      return sl_import_parameters (sl_words ("The text"), text, restoring->base, NULL, &restoring->import,
                                   err);
    }
  ok = sl_picture_texts_parse (sl_words ("The picture"), data, size, &texts, err)
       && sl_import_texts (sl_words ("The picture"), &texts, restoring->base, NULL, &restoring->import, err);
  if (ok)
    read_computed (restoring, &texts);
  sl_picture_texts_free (&texts);
  return ok;
}

/* The model by its hashes, where none has its name: hashing takes seconds. */
static void
find_renamed (Restoring *restoring, const SlModelWanted *wanted)
{
  g_autofree char *path = g_build_filename (restoring->models, wanted->name, NULL);
  g_autofree SlModelInfo *info = g_new0 (SlModelInfo, 1);
  char *named = sl_model_find (wanted->name, NULL);

  if (named == NULL && !g_file_test (path, G_FILE_TEST_EXISTS) && sl_model_find_same (wanted, info, NULL))
    restoring->renamed = g_strdup (info->path);
  free (named);
}

/* Where the model and those parts are that a picture of ours names. */
static void
find_model (Restoring *restoring)
{
  g_autofree SlMetadata *metadata = g_new0 (SlMetadata, 1);
  g_autoptr (GStrvBuilder) parts = g_strv_builder_new ();
  SlFoundParts found = { .count = 0 };
  SlModelWanted wanted;
  SlError err = { 0 };

  if (!sl_metadata_read (restoring->path, metadata, NULL))
    return;
  take_computed (restoring, metadata);
  wanted = (SlModelWanted){
    .name = metadata->model, .files = metadata->file, .count = metadata->files, .first = restoring->models
  };
  if (sl_parts_find_same (&wanted, &found, &err))
    {
      for (int i = 0; i < found.count; i++)
        g_strv_builder_add_many (parts, found.part[i], found.path[i], NULL);
      restoring->parts = g_strv_builder_end (parts);
      find_renamed (restoring, &wanted);
    }
  else
    restoring->missing = g_strdup (err.message);
  sl_found_parts_free (&found);
  sl_metadata_free (metadata);
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
    ok = sl_import_picture (restoring->path, restoring->base, NULL, &restoring->import, &err);
  if (!ok)
    restoring->error = sl_app_error_new (&err);
  else if (restoring->path)
    find_model (restoring);
}

static void
restore_done (gpointer data)
{
  Restoring *restoring = data;
  SlImport *import = &restoring->import;
  g_autoptr (SlSettings) settings = NULL;
  char *notes;
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
  notes = sl_notes_text (&import->all_notes, sl_words);
  restored = (SlRestored){ .settings = settings,
                           .source = (char *)import->source,
                           .model = restoring->renamed ? restoring->renamed : import->model,
                           .problems = import->problems,
                           .notes = notes,
                           .parts = restoring->parts,
                           .missing = restoring->missing,
                           .computed = { restoring->device, restoring->types } };
  restoring->restored (&restored, NULL, restoring->user_data);
  free (notes);
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
sl_reader_restore_file (SlThreadQueue *files,
                        const char *path,
                        const char *models,
                        SlSettings *base,
                        SlRestoredFunc restored,
                        gpointer user_data)
{
  Restoring *restoring = restoring_new (base, restored, user_data);

  restoring->path = g_strdup (path);
  restoring->models = g_strdup (models);
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
  g_autofree SlMetadata *metadata = g_new0 (SlMetadata, 1);
  gboolean ours = sl_metadata_read (path, metadata, NULL);

  *lineage = ours ? _sl_lineage_new (metadata) : NULL;
  if (ours && prompt)
    *prompt = g_strdup (metadata->recipe->prompt ? metadata->recipe->prompt : "");
  sl_metadata_free (metadata);
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

/* The last picture of a WebP: of an animation what it comes to. */
static guint8 *
read_webp (Pixels *pixels, SlError *err)
{
  SlAnimationReader *reader = sl_animation_open (pixels->path, err);
  guint8 *rgb = NULL;
  int pictures = 0;

  if (reader)
    {
      sl_animation_size (reader, &pixels->width, &pixels->height, &pictures);
      rgb = malloc ((size_t)pixels->width * pixels->height * 3);
      if (rgb == NULL)
        sl_fail (err, SL_MEMORY, "%s: memory ran out for its pictures", pixels->path);
    }
  for (int i = 0; rgb && i < pictures; i++)
    if (!sl_animation_next (reader, rgb, NULL, err))
      g_clear_pointer (&rgb, free);
  sl_animation_close (reader);
  return rgb;
}

/* As the camera was held. */
static guint8 *
read_jpeg (Pixels *pixels, SlError *err)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GdkPixbuf) pixbuf = NULL;
  g_autoptr (GdkPixbuf) upright = NULL;
  guint8 *rgb;
  int width = 0, height = 0;

  gdk_pixbuf_get_file_info (pixels->path, &width, &height);
  if (width > SL_PNG_MAX_SIDE || height > SL_PNG_MAX_SIDE)
    {
      sl_fail (err, SL_FORMAT, "%s: %d x %d pixels; at most %d a side are shown", pixels->path, width, height,
               SL_PNG_MAX_SIDE);
      return NULL;
    }
  pixbuf = gdk_pixbuf_new_from_file (pixels->path, &error);
  upright = pixbuf ? gdk_pixbuf_apply_embedded_orientation (pixbuf) : NULL;
  if (upright == NULL || gdk_pixbuf_get_n_channels (upright) != 3)
    {
      sl_fail (err, SL_FORMAT, "%s: %s", pixels->path,
               error ? error->message : sl_words ("its pixels cannot be decoded"));
      return NULL;
    }
  pixels->width = gdk_pixbuf_get_width (upright);
  pixels->height = gdk_pixbuf_get_height (upright);
  rgb = malloc ((size_t)pixels->width * pixels->height * 3);
  if (rgb == NULL)
    sl_fail (err, SL_MEMORY, "%s: memory ran out for its pictures", pixels->path);
  for (int y = 0; rgb && y < pixels->height; y++)
    memcpy (rgb + (size_t)y * pixels->width * 3,
            gdk_pixbuf_read_pixels (upright) + (size_t)y * gdk_pixbuf_get_rowstride (upright),
            (size_t)pixels->width * 3);
  return rgb;
}

static guint8 *
read_png (Pixels *pixels, SlError *err)
{
  if (pixels->max_side > 0)
    return sl_png_read_small (pixels->path, pixels->max_side, &pixels->width, &pixels->height, err);
  return sl_png_read (pixels->path, &pixels->width, &pixels->height, err);
}

/* "PNG", "JPEG", "WebP" by what it begins with; a PNG's reader says best what is wrong with anything else. */
static const char *
kind_of (const char *path)
{
  guint8 first[12];
  FILE *file = g_file_test (path, G_FILE_TEST_IS_REGULAR) ? g_fopen (path, "rb") : NULL;
  size_t read = file ? fread (first, 1, sizeof first, file) : 0;
  const char *kind = sl_picture_kind (first, read);

  if (file)
    fclose (file);
  return kind ? kind : "PNG";
}

static void
pixels_run (gpointer data)
{
  Pixels *pixels = data;
  const char *kind = kind_of (pixels->path);
  SlError err = { 0 };
  guint8 *rgb = g_str_equal (kind, "WebP")   ? read_webp (pixels, &err)
                : g_str_equal (kind, "JPEG") ? read_jpeg (pixels, &err)
                                             : read_png (pixels, &err);

  if (rgb == NULL)
    pixels->error = sl_app_error_new (&err);
  else
    pixels->rgb = g_bytes_new_with_free_func (rgb, (gsize)pixels->width * pixels->height * 3, free, rgb);
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
