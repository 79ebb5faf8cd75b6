/* sl-picture-lanes.c - see sl-picture-lanes.h. */
#include "ui/gallery/sl-picture-lanes.h"

typedef struct
{
  SlWorkspace *workspace;
  GPtrArray *pictures;
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
  if (!reading->workspace->closed)
    reading->read (&reading->lanes, reading->user_data);
  g_object_unref (reading->workspace);
  g_ptr_array_unref (reading->pictures);
  g_ptr_array_unref (reading->lanes.settings);
  g_free (reading->model);
  g_free (reading);
}

static void
facts_read (const SlFacts *facts, const GError *error, gpointer user_data)
{
  Reading *reading = user_data;
  SlPictureLanes *lanes = &reading->lanes;
  SlPicture *picture = reading->pictures->pdata[reading->next++];

  if (facts == NULL || facts->settings == NULL)
    lanes->without++;
  else if (reading->model && g_strcmp0 (reading->model, facts->model) != 0)
    lanes->others++;
  else
    {
      if (reading->model == NULL)
        reading->model = g_strdup (facts->model ? facts->model : "");
      lanes->branches += sl_picture_is_branch (picture) ? 1 : 0;
      g_ptr_array_add (lanes->settings, g_object_ref (facts->settings));
    }
  read_next (reading);
}

static void
read_next (Reading *reading)
{
  if (reading->workspace->closed || reading->next >= reading->pictures->len)
    reading_end (reading);
  else
    sl_facts_read (reading->workspace->files, sl_picture_get_path (reading->pictures->pdata[reading->next]),
                   facts_read, reading);
}

void
sl_picture_lanes_read (SlWorkspace *workspace,
                       GPtrArray *pictures,
                       SlPictureLanesFunc read,
                       gpointer user_data)
{
  Reading *reading = g_new0 (Reading, 1);

  reading->workspace = g_object_ref (workspace);
  reading->pictures = g_ptr_array_ref (pictures);
  reading->lanes.settings = g_ptr_array_new_with_free_func (g_object_unref);
  reading->read = read;
  reading->user_data = user_data;
  read_next (reading);
}
