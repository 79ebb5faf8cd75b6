/* sl-facts.c - see sl-facts.h. */
#include "app/objects/gallery/sl-facts.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdlib.h>

#include "app/objects/sl-settings-private.h"
#include "app/recipe/recipe.h"
#include "app/record/record.h"

typedef struct
{
  char *path;
  SlRecipe *base; /* for what a foreign file does not say */
  SlFacts facts;
  GError *error;
  SlFactsFunc read;
  gpointer user_data;
} Reading;

static void
reading_free (gpointer data)
{
  Reading *reading = data;
  SlFacts *facts = &reading->facts;

  g_clear_object (&facts->settings);
  g_clear_pointer (&facts->lanes, g_ptr_array_unref);
  g_free (facts->source);
  g_free (facts->model);
  g_strfreev (facts->files);
  g_free (facts->device);
  g_free (facts->types);
  g_free (facts->notes);
  g_clear_error (&reading->error);
  free (reading->base);
  g_free (reading->path);
  g_free (reading);
}

static SlSettings *
settings_of (const SlRecipe *recipe)
{
  SlSettings *settings = sl_settings_new ();

  _sl_settings_set_recipe (settings, recipe);
  return settings;
}

static char **
list_files (const SlMetadata *metadata)
{
  g_autoptr (GStrvBuilder) files = g_strv_builder_new ();

  for (int i = 0; i < metadata->files; i++)
    g_strv_builder_add_many (files, metadata->file[i].name, metadata->file[i].sha256, NULL);
  return g_strv_builder_end (files);
}

static void
take_metadata (SlFacts *facts, const SlMetadata *metadata)
{
  facts->source = g_strdup (metadata->program);
  facts->settings = settings_of (metadata->recipe);
  facts->model = g_strdup (metadata->model);
  facts->files = list_files (metadata);
  facts->device = g_strdup (metadata->device);
  facts->types = g_strdup (metadata->dtype);
  facts->step = metadata->partial ? metadata->step : 0;
  facts->steps = metadata->steps;
  facts->branch = metadata->origin != NULL;
  facts->notes = g_strdup (metadata->warnings);
}

/* A sheet or an animation: what is said of all is the first lane's. */
static gboolean
read_lanes (Reading *reading)
{
  SlFacts *facts = &reading->facts;
  char *json = sl_compare_text_of (reading->path, NULL);
  SlCompareText text = { 0 };
  SlError ignored = { 0 };
  gboolean ours
      = json && sl_compare_is_text (json) && sl_compare_text_read (reading->path, json, &text, &ignored);

  if (ours)
    {
      take_metadata (facts, &text.lane[0]);
      facts->step = 0; /* each lane has its own */
      facts->lanes = g_ptr_array_new_with_free_func (g_object_unref);
      for (int i = 0; i < text.count; i++)
        g_ptr_array_add (facts->lanes, settings_of (text.lane[i].recipe));
    }
  sl_compare_text_free (&text);
  free (json);
  return ours;
}

static gboolean
read_ours (Reading *reading)
{
  g_autofree SlMetadata *metadata = g_new0 (SlMetadata, 1);
  gboolean ours = sl_metadata_read (reading->path, metadata, NULL);

  if (ours)
    take_metadata (&reading->facts, metadata);
  sl_metadata_free (metadata);
  return ours || read_lanes (reading);
}

static void
read_foreign (Reading *reading)
{
  SlFacts *facts = &reading->facts;
  SlImport import = { 0 };
  char *notes;

  if (sl_import_picture (reading->path, reading->base, NULL, &import, NULL))
    {
      notes = sl_notes_text (&import.all_notes, sl_words);
      facts->source = g_strdup (import.source);
      facts->settings = import.recipe ? settings_of (import.recipe) : NULL;
      facts->model = g_strdup (import.model);
      facts->notes = g_strdup (notes ? notes : import.problems);
      free (notes);
    }
  sl_import_free (&import);
}

static void
read_run (gpointer data)
{
  Reading *reading = data;
  GStatBuf status;

  if (g_stat (reading->path, &status) != 0)
    {
      g_set_error_literal (&reading->error, G_FILE_ERROR, g_file_error_from_errno (errno),
                           g_strerror (errno));
      return;
    }
  reading->facts.bytes = (guint64)status.st_size;
  reading->facts.time = status.st_mtime;
  if (!read_ours (reading))
    read_foreign (reading);
}

static void
read_done (gpointer data)
{
  Reading *reading = data;

  reading->read (reading->error ? NULL : &reading->facts, reading->error, reading->user_data);
}

void
sl_facts_read (SlThreadQueue *files, const char *path, SlFactsFunc read, gpointer user_data)
{
  g_autoptr (SlSettings) defaults = sl_settings_new ();
  Reading *reading = g_new0 (Reading, 1);
  SlRecipe recipe;

  _sl_settings_get_recipe (defaults, &recipe);
  reading->path = g_strdup (path);
  reading->base = sl_recipe_copy (&recipe);
  reading->read = read;
  reading->user_data = user_data;
  sl_thread_queue_push (files, TRUE, read_run, read_done, reading, reading_free);
}
