/* sl-picture-lanes.c - see sl-picture-lanes.h. */
#include "ui/gallery/sl-picture-lanes.h"

typedef struct
{
  SlWorkspace *workspace;
  GPtrArray *paths; /* of char * */
  guint next;
  SlPictureLanes lanes;
  char *model;
  SlPictureLanesFunc read;
  gpointer user_data;
} Reading;

static void read_next (Reading *reading);

static void
reading_end (Reading *reading)
{
  reading->lanes.model = reading->model;
  reading->read (reading->workspace->closed ? NULL : &reading->lanes, reading->user_data);
  g_object_unref (reading->workspace);
  g_ptr_array_unref (reading->paths);
  g_ptr_array_unref (reading->lanes.settings);
  g_free (reading->model);
  g_free (reading);
}

static gboolean
is_other (SlWorkspace *workspace, const SlFacts *facts)
{
  g_autofree char *difference
      = sl_workspace_dup_difference (workspace, (SlComputed){ facts->device, facts->types });

  return difference != NULL;
}

static void
facts_read (const SlFacts *facts, const GError *error, gpointer user_data)
{
  Reading *reading = user_data;
  SlPictureLanes *lanes = &reading->lanes;
  const char *model = facts && facts->model ? facts->model : "";
  const char *path = reading->paths->pdata[reading->next++];

  if (facts == NULL || facts->settings == NULL)
    lanes->without++;
  else if (facts->lanes)
    lanes->sheets++;
  else if (reading->model && !g_str_equal (reading->model, model))
    lanes->others++;
  else
    {
      if (reading->model == NULL)
        {
          reading->model = g_strdup (model);
          lanes->first = path;
        }
      lanes->branches += facts->branch ? 1 : 0;
      lanes->otherwise += is_other (reading->workspace, facts);
      g_ptr_array_add (lanes->settings, g_object_ref (facts->settings));
    }
  read_next (reading);
}

static void
read_next (Reading *reading)
{
  if (reading->workspace->closed || reading->next >= reading->paths->len)
    reading_end (reading);
  else
    sl_facts_read (reading->workspace->files, reading->paths->pdata[reading->next], facts_read, reading);
}

static gpointer
copy_path (gconstpointer path, gpointer user_data)
{
  return g_strdup (path);
}

void
sl_picture_lanes_read (SlWorkspace *workspace, GPtrArray *paths, SlPictureLanesFunc read, gpointer user_data)
{
  Reading *reading = g_new0 (Reading, 1);

  reading->workspace = g_object_ref (workspace);
  reading->paths = g_ptr_array_copy (paths, copy_path, NULL);
  g_ptr_array_set_free_func (reading->paths, g_free);
  reading->lanes.settings = g_ptr_array_new_with_free_func (g_object_unref);
  reading->read = read;
  reading->user_data = user_data;
  read_next (reading);
}
