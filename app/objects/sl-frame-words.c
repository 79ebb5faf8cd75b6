/* sl-frame-words.c - see sl-frame-words.h. */
#include "app/objects/sl-frame-words.h"

#include <stdlib.h>
#include <string.h>

#include "app/image/image.h"
#include "app/objects/sl-error.h"
#include "app/objects/sl-frame-object-private.h"

#define THUMBNAIL 104 /* pixels of its longer side at most */

static const SlWordRecord *
find_record (SlFrameObject *self, int *moment)
{
  return sl_timeline_words (_sl_frame_object_get_timeline (self, moment));
}

/* ---- words ---- */

guint
sl_frame_object_count_words (SlFrameObject *self)
{
  int moment;
  const SlWordRecord *record = find_record (self, &moment);

  return record ? (guint)record->rows : 0;
}

SlWordKind
sl_frame_object_get_word_kind (SlFrameObject *self, guint word)
{
  int moment;

  return (SlWordKind)find_record (self, &moment)->row[word].kind;
}

char *
sl_frame_object_dup_word (SlFrameObject *self, guint word)
{
  int moment;
  SlTimeline *timeline = _sl_frame_object_get_timeline (self, &moment);
  const SlWordRow *row = &sl_timeline_words (timeline)->row[word];

  return g_strndup (sl_timeline_recipe (timeline)->prompt + row->begin, (gsize)(row->end - row->begin));
}

/* How many words before it have its kind and text. */
static guint
count_before (SlFrameObject *self, guint word, SlWordKind kind, const char *text)
{
  guint before = 0;

  for (guint i = 0; i < word; i++)
    {
      g_autofree char *other = sl_frame_object_dup_word (self, i);

      before += sl_frame_object_get_word_kind (self, i) == kind && g_str_equal (other, text);
    }
  return before;
}

int
sl_frame_object_find_word (SlFrameObject *self, SlFrameObject *other, guint word)
{
  g_autofree char *text = sl_frame_object_dup_word (other, word);
  SlWordKind kind = sl_frame_object_get_word_kind (other, word);
  guint before = count_before (other, word, kind, text);

  for (guint i = 0; i < sl_frame_object_count_words (self); i++)
    {
      g_autofree char *own = sl_frame_object_dup_word (self, i);

      if (sl_frame_object_get_word_kind (self, i) == kind && g_str_equal (own, text) && before-- == 0)
        return (int)i;
    }
  return -1;
}

gboolean
sl_frame_object_has_same_words (SlFrameObject *self, SlFrameObject *other)
{
  guint n = sl_frame_object_count_words (self);

  if (n != sl_frame_object_count_words (other))
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (sl_frame_object_find_word (other, self, i) != (int)i)
      return FALSE;
  return TRUE;
}

gboolean
sl_frame_object_has_word (SlFrameObject *self, guint word)
{
  int moment;
  const SlWordRecord *record = find_record (self, &moment);

  return record && sl_word_record_told (record, moment, (int)word);
}

double
sl_frame_object_get_word_share (SlFrameObject *self, guint word, int level)
{
  int moment;
  const SlWordRecord *record = find_record (self, &moment);

  return sl_word_record_share (record, moment, (int)word, level);
}

guint
sl_frame_object_count_word_levels (SlFrameObject *self)
{
  int moment;
  const SlWordRecord *record = find_record (self, &moment);

  return record ? (guint)record->levels : 0;
}

void
sl_frame_object_get_word_level (SlFrameObject *self, guint level, int *width, int *height)
{
  int moment;
  const SlWordRecord *record = find_record (self, &moment);

  *width = record->level[level].width;
  *height = record->level[level].height;
}

/* ---- maps ---- */

static SlWordMap *
map_new (int width, int height)
{
  SlWordMap *map = g_malloc (sizeof *map + (gsize)width * height * sizeof *map->values);

  map->width = width;
  map->height = height;
  return map;
}

SlWordMap *
sl_frame_object_get_word_map (SlFrameObject *self, guint word, int level, int side)
{
  int moment, channels, height, width, most;
  SlTimeline *timeline = _sl_frame_object_get_timeline (self, &moment);
  SlWordMap *map;
  SlError err = { 0 };

  if (!sl_frame_object_has_word (self, word))
    return NULL;
  sl_timeline_size (timeline, &channels, &height, &width);
  most = MAX (width, height);
  map = most > side ? map_new (MAX (width * side / most, 1), MAX (height * side / most, 1))
                    : map_new (width, height);
  if (!sl_word_record_map (sl_timeline_words (timeline), moment, (int)word, level, map->height, map->width,
                           map->values, &err))
    g_error ("%s", err.message); /* memory: as g_malloc */
  sl_heat_range (map->values, (size_t)map->width * (size_t)map->height, &map->low, &map->high);
  return map;
}

SlWordMap *
sl_word_map_subtract (const SlWordMap *a, const SlWordMap *b)
{
  SlWordMap *map;
  gsize n = (gsize)a->width * a->height;

  if (a->width != b->width || a->height != b->height)
    return NULL;
  map = map_new (a->width, a->height);
  for (gsize i = 0; i < n; i++)
    map->values[i] = a->values[i] - b->values[i];
  sl_heat_range (map->values, n, &map->low, &map->high);
  return map;
}

/* ---- as colours ---- */

void
sl_word_scale_get_color (double t, guint8 rgb[3])
{
  sl_heat_color (t, rgb);
}

GBytes *
sl_word_map_draw (const SlWordMap *map, const SlWordScale *scale)
{
  gsize n = (gsize)map->width * map->height;
  guint8 *rgba = g_malloc (n * 4);
  double range = scale->high - scale->low;

  for (gsize i = 0; i < n; i++)
    {
      double t = range > 0 ? CLAMP ((map->values[i] - scale->low) / range, 0, 1) : 0;

      sl_heat_color (t, rgba + 4 * i);
      rgba[4 * i + 3] = (guint8)(255 * sl_heat_cover (t) + 0.5);
    }
  return g_bytes_new_take (rgba, n * 4);
}

GBytes *
sl_word_map_draw_difference (const SlWordMap *map, double most)
{
  static const guint8 below[3] = { 64, 156, 255 }, above[3] = { 255, 150, 40 }, none[3] = { 24, 22, 24 };
  gsize n = (gsize)map->width * map->height;
  guint8 *rgb = g_malloc (n * 3);

  for (gsize i = 0; i < n; i++)
    {
      double t = most > 0 ? CLAMP (map->values[i] / most, -1, 1) : 0;
      const guint8 *color = t < 0 ? below : above;

      for (int c = 0; c < 3; c++)
        rgb[3 * i + c] = (guint8)(none[c] + (color[c] - none[c]) * ABS (t) + 0.5);
    }
  return g_bytes_new_take (rgb, n * 3);
}

static SlHeat
heat_of (const SlWordMap *map, const SlWordScale *scale, GBytes *rgb, int width, int height)
{
  return (SlHeat){ .value = map->values,
                   .height = map->height,
                   .width = map->width,
                   .low = (float)scale->low,
                   .high = (float)scale->high,
                   .rgb = g_bytes_get_data (rgb, NULL),
                   .picture_height = height,
                   .picture_width = width };
}

/* A preview of at most THUMBNAIL pixels a side: every by-th pixel of every by-th row. */
static GBytes *
small_preview (SlFrameObject *self, SlView view, int *width, int *height)
{
  int across, down, by;
  GBytes *rgb = sl_frame_object_get_preview (self, view, &across, &down);
  const guint8 *from = g_bytes_get_data (rgb, NULL);
  guint8 *to;

  by = (MAX (across, down) + THUMBNAIL - 1) / THUMBNAIL;
  *width = (across + by - 1) / by;
  *height = (down + by - 1) / by;
  to = g_malloc ((gsize)*width * *height * 3);
  for (int y = 0; y < *height; y++)
    for (int x = 0; x < *width; x++)
      memcpy (to + 3 * ((gsize)y * *width + x), from + 3 * ((gsize)y * by * across + x * by), 3);
  return g_bytes_new_take (to, (gsize)*width * *height * 3);
}

GBytes *
sl_frame_object_draw_word (
    SlFrameObject *self, SlView view, const SlWordMap *map, const SlWordScale *scale, int *width, int *height)
{
  g_autoptr (GBytes) rgb = small_preview (self, view, width, height);
  SlHeat heat = heat_of (map, scale, rgb, *width, *height);
  gsize bytes = (gsize)*width * *height * 3;
  guint8 *drawn = g_malloc (bytes);

  sl_heat_draw (&heat, drawn);
  return g_bytes_new_take (drawn, bytes);
}

gboolean
sl_frame_object_save_word (SlFrameObject *self,
                           const SlWordPicture *picture,
                           const char *path,
                           GError **error)
{
  int width, height;
  GBytes *rgb = sl_frame_object_get_rgb (self, picture->view, &width, &height);
  SlHeat heat = heat_of (picture->map, &picture->scale, rgb, width, height);
  g_autofree char *low = g_strdup_printf ("%.2g %%", 100 * picture->scale.low);
  g_autofree char *high = g_strdup_printf ("%.2g %%", 100 * picture->scale.high);
  const SlHeatLabels labels = { picture->title, low, high };
  SlError err = { 0 };
  guint8 *drawn = sl_heat_render (&heat, &labels, &width, &height, &err);
  gboolean ok = drawn && sl_png_write (path, drawn, width, height, NULL, 0, &err);

  free (drawn);
  if (!ok)
    g_propagate_error (error, sl_app_error_new (&err));
  return ok;
}
