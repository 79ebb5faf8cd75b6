/* sl-lineage.c - see sl-lineage.h. */
#include "app/objects/gallery/sl-lineage.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "app/files/files.h"
#include "app/recipe/recipe.h"

#define ID_DIGITS 64
#define MAX_TEXT 4096

static SlLineage *
lineage_new (const char *model, const char *scheduler)
{
  SlLineage *lineage = g_new0 (SlLineage, 1);

  lineage->runs = g_ptr_array_new_with_free_func (g_free);
  lineage->steps = g_array_new (FALSE, FALSE, sizeof (int));
  lineage->model = g_strdup (model);
  lineage->scheduler = g_strdup (scheduler ? scheduler : "");
  lineage->changed = g_strdup ("");
  return lineage;
}

void
_sl_lineage_free (SlLineage *lineage)
{
  if (lineage == NULL)
    return;
  g_ptr_array_unref (lineage->runs);
  g_array_unref (lineage->steps);
  g_free (lineage->model);
  g_free (lineage->scheduler);
  g_free (lineage->changed);
  g_free (lineage);
}

static void
add_run (SlLineage *lineage, const char *id)
{
  g_ptr_array_add (lineage->runs, g_strconcat (id, " ", lineage->model, NULL));
}

SlLineage *
_sl_lineage_new (const SlMetadata *metadata)
{
  g_autoptr (SlLineage) lineage = lineage_new (metadata->model, metadata->recipe->scheduler);
  char *changed = metadata->origin ? sl_recipe_diff (metadata->origin->recipe, metadata->recipe) : NULL;
  char id[ID_DIGITS + 1];

  if (changed)
    {
      g_free (lineage->changed);
      lineage->changed = g_utf8_make_valid (changed, MIN (strlen (changed), MAX_TEXT));
    }
  free (changed);
  if (!sl_run_id (metadata->recipe, metadata->origin, id))
    return NULL;
  add_run (lineage, id);
  for (const SlOrigin *origin = metadata->origin; origin; origin = origin->origin)
    {
      if (!sl_origin_parent_id (origin, id))
        return NULL;
      add_run (lineage, id);
      g_array_append_val (lineage->steps, origin->step);
    }
  lineage->moment = metadata->partial ? metadata->step : 0;
  return g_steal_pointer (&lineage);
}

char *
_sl_lineage_text (const SlLineage *lineage)
{
  SlJsonOut out = { 0 };
  cJSON *line = sl_out_object (&out, NULL, NULL);
  cJSON *runs = sl_out_array (&out, line, "runs"), *steps = sl_out_array (&out, line, "steps");

  for (guint i = 0; i < lineage->runs->len; i++)
    {
      g_autofree char *id = g_strndup (lineage->runs->pdata[i], ID_DIGITS);

      sl_out_text (&out, runs, NULL, id);
    }
  for (guint i = 0; i < lineage->steps->len; i++)
    sl_out_number (&out, steps, NULL, g_array_index (lineage->steps, int, i));
  sl_out_text (&out, line, "model", lineage->model);
  sl_out_text (&out, line, "scheduler", lineage->scheduler);
  sl_out_text (&out, line, "changed", lineage->changed);
  sl_out_number (&out, line, "moment", lineage->moment);
  return sl_out_end_text (&out, line);
}

static gboolean
read_runs (SlLineage *lineage, const cJSON *runs)
{
  const cJSON *item;

  cJSON_ArrayForEach (item, runs)
  {
    const char *id = cJSON_GetStringValue (item);

    if (id == NULL || strspn (id, "0123456789abcdef") != ID_DIGITS || id[ID_DIGITS]
        || lineage->runs->len > SL_ORIGIN_MAX_DEPTH)
      return FALSE;
    add_run (lineage, id);
  }
  return lineage->runs->len > 0;
}

static gboolean
read_count (const cJSON *item, int *count)
{
  double value = cJSON_IsNumber (item) ? item->valuedouble : -1;

  *count = value >= 0 && value <= G_MAXINT ? (int)value : -1;
  return *count >= 0;
}

static gboolean
read_steps (SlLineage *lineage, const cJSON *steps)
{
  const cJSON *item;
  int step;

  cJSON_ArrayForEach (item, steps)
  {
    if (!read_count (item, &step))
      return FALSE;
    g_array_append_val (lineage->steps, step);
  }
  return lineage->steps->len == lineage->runs->len - 1;
}

SlLineage *
_sl_lineage_read (const cJSON *line)
{
  const char *model = cJSON_GetStringValue (cJSON_GetObjectItem (line, "model"));
  const char *changed = cJSON_GetStringValue (cJSON_GetObjectItem (line, "changed"));
  const char *scheduler = cJSON_GetStringValue (cJSON_GetObjectItem (line, "scheduler"));
  g_autoptr (SlLineage) lineage = NULL;

  if (model == NULL || changed == NULL || scheduler == NULL || !g_utf8_validate (changed, -1, NULL)
      || !g_utf8_validate (scheduler, -1, NULL))
    return NULL;
  lineage = lineage_new (model, scheduler);
  g_free (lineage->changed);
  lineage->changed = g_strdup (changed);
  if (!read_runs (lineage, cJSON_GetObjectItem (line, "runs"))
      || !read_steps (lineage, cJSON_GetObjectItem (line, "steps"))
      || !read_count (cJSON_GetObjectItem (line, "moment"), &lineage->moment))
    return NULL;
  return g_steal_pointer (&lineage);
}
