/* sl-kept-comparison.c - see sl-kept-comparison.h. */
#include "app/objects/compare/sl-kept-comparison-private.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "app/record/record.h"

struct _SlKeptComparison
{
  GObject parent_instance;
  char *path;
  char *prompt;
  GStrv schedulers;
  guint lanes;
  gint64 time;
  GBytes *thumbnail[SL_KEPT_THUMBNAILS];
  int width[SL_KEPT_THUMBNAILS];
  int height[SL_KEPT_THUMBNAILS];
};

G_DEFINE_FINAL_TYPE (SlKeptComparison, sl_kept_comparison, G_TYPE_OBJECT)

static void
sl_kept_comparison_finalize (GObject *object)
{
  SlKeptComparison *self = SL_KEPT_COMPARISON (object);

  g_free (self->path);
  g_free (self->prompt);
  g_strfreev (self->schedulers);
  for (guint i = 0; i < SL_KEPT_THUMBNAILS; i++)
    g_clear_pointer (&self->thumbnail[i], g_bytes_unref);
  G_OBJECT_CLASS (sl_kept_comparison_parent_class)->finalize (object);
}

static void
sl_kept_comparison_class_init (SlKeptComparisonClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = sl_kept_comparison_finalize;
}

static void
sl_kept_comparison_init (SlKeptComparison *self)
{
}

static void
take_lanes (SlKeptComparison *self, const SlLanesIn *in)
{
  g_autoptr (GPtrArray) ids = g_ptr_array_new ();

  self->lanes = (guint)in->count;
  self->prompt = g_strdup (in->note[0].metadata.recipe->prompt);
  for (int i = 0; i < in->count; i++)
    {
      gpointer id = (gpointer)in->note[i].metadata.recipe->scheduler;

      if (id && !g_ptr_array_find_with_equal_func (ids, id, g_str_equal, NULL))
        g_ptr_array_add (ids, id);
    }
  g_ptr_array_add (ids, NULL);
  self->schedulers = g_strdupv ((char **)ids->pdata);
}

static void
take_thumbnails (SlKeptComparison *self)
{
  for (int i = 0; i < SL_KEPT_THUMBNAILS && i < (int)self->lanes; i++)
    {
      SlError ignored = { 0 };
      guint8 *rgb = sl_lanes_thumbnail (self->path, i, &self->width[i], &self->height[i], &ignored);

      if (rgb == NULL)
        return;
      self->thumbnail[i]
          = g_bytes_new_with_free_func (rgb, (gsize)self->width[i] * self->height[i] * 3, free, rgb);
    }
}

SlKeptComparison *
_sl_kept_comparison_read (const char *path)
{
  g_autofree SlLanesIn *in = g_new0 (SlLanesIn, 1);
  SlKeptComparison *self = NULL;
  SlError ignored = { 0 };
  struct stat status;

  if (stat (path, &status) == 0 && S_ISREG (status.st_mode) && sl_lanes_look (in, path, &ignored)
      && in->count > 0)
    {
      self = g_object_new (SL_TYPE_KEPT_COMPARISON, NULL);
      self->path = g_strdup (path);
      self->time = status.st_mtim.tv_sec * G_USEC_PER_SEC + status.st_mtim.tv_nsec / 1000;
      take_lanes (self, in);
      take_thumbnails (self);
    }
  sl_lanes_in_free (in);
  return self;
}

const char *
sl_kept_comparison_get_path (SlKeptComparison *self)
{
  return self->path;
}

const char *
sl_kept_comparison_get_prompt (SlKeptComparison *self)
{
  return self->prompt ? self->prompt : "";
}

const char *const *
sl_kept_comparison_get_schedulers (SlKeptComparison *self)
{
  return (const char *const *)self->schedulers;
}

guint
sl_kept_comparison_get_lanes (SlKeptComparison *self)
{
  return self->lanes;
}

gint64
sl_kept_comparison_get_time (SlKeptComparison *self)
{
  return self->time;
}

GBytes *
sl_kept_comparison_get_thumbnail (SlKeptComparison *self, guint lane, int *width, int *height)
{
  if (lane >= SL_KEPT_THUMBNAILS)
    return NULL;
  *width = self->width[lane];
  *height = self->height[lane];
  return self->thumbnail[lane];
}
