/* sl-difference.c - see sl-difference.h. */
#include "app/objects/compare/sl-difference.h"

#include <math.h>
#include <stdlib.h>

#include "app/record/record.h"

double
sl_difference_rms (SlFrameObject *a, SlFrameObject *b)
{
  int channels[2], height[2], width[2];
  GBytes *x = sl_frame_object_get_sample (a, SL_VIEW_PICTURE, &channels[0], &height[0], &width[0]);
  GBytes *y = sl_frame_object_get_sample (b, SL_VIEW_PICTURE, &channels[1], &height[1], &width[1]);

  if (x == NULL || y == NULL || channels[0] != channels[1] || height[0] != height[1] || width[0] != width[1])
    return NAN;
  return sl_rms (g_bytes_get_data (x, NULL), g_bytes_get_data (y, NULL),
                 (int64_t)channels[0] * height[0] * width[0]);
}

/* ---- pixels ---- */

typedef struct
{
  const guint8 *a;
  const guint8 *b;
  int width;
  int height;
  gsize bytes;
} Pixels;

/* FALSE when their sizes differ. */
static gboolean
pair_pixels (SlFrameObject *a, SlFrameObject *b, SlView view, gboolean decoded, Pixels *pixels)
{
  GBytes *(*get) (SlFrameObject *, SlView, int *, int *)
      = decoded ? sl_frame_object_get_rgb : sl_frame_object_get_preview;
  int width, height;

  pixels->a = g_bytes_get_data (get (a, view, &pixels->width, &pixels->height), NULL);
  pixels->b = g_bytes_get_data (get (b, view, &width, &height), NULL);
  pixels->bytes = (gsize)pixels->width * pixels->height * 3;
  return width == pixels->width && height == pixels->height;
}

double
sl_difference_psnr (SlFrameObject *a, SlFrameObject *b, gboolean decoded)
{
  Pixels pixels;

  return pair_pixels (a, b, SL_VIEW_PICTURE, decoded, &pixels) ? sl_psnr (pixels.a, pixels.b, pixels.bytes)
                                                               : NAN;
}

gboolean
sl_difference_looks_same (SlFrameObject *a, SlFrameObject *b)
{
  Pixels pixels;
  const guint8 *both[2];

  if (!pair_pixels (a, b, SL_VIEW_PICTURE, FALSE, &pixels))
    return FALSE;
  both[0] = pixels.a;
  both[1] = pixels.b;
  return sl_settled (both, 2, pixels.bytes, SL_VISIBLE_LEVELS) == 1;
}

static SlPixelDifference
measure_pixels (const Pixels *pixels)
{
  SlPixelDifference found = { 0, 0 };

  for (gsize i = 0; i < pixels->bytes; i += 3)
    {
      int most = 0;

      for (gsize c = i; c < i + 3; c++)
        most = MAX (most, abs (pixels->a[c] - pixels->b[c]));
      found.mean += most;
      found.largest = MAX (found.largest, most);
    }
  found.mean /= MAX (pixels->bytes / 3, 1);
  return found;
}

void
sl_difference_get_color (double difference, guint8 rgb[3])
{
  const guint8 none[3] = { 0, 0, 0 };
  guint8 level = (guint8)lround (255 * CLAMP (difference, 0, 1));
  const guint8 all[3] = { level, level, level };

  sl_heat_map (none, all, 1, 255, rgb);
}

GBytes *
sl_difference_heat (const SlHeatOf *of, int *width, int *height, SlPixelDifference *difference)
{
  gboolean decoded
      = sl_frame_object_is_decoded (of->a, of->view) && sl_frame_object_is_decoded (of->b, of->view);
  Pixels pixels;
  guint8 *rgb;

  if (!pair_pixels (of->a, of->b, of->view, decoded, &pixels))
    return NULL;
  rgb = g_malloc (pixels.bytes);
  sl_heat_map (pixels.a, pixels.b, pixels.bytes / 3, of->full, rgb);
  if (difference)
    *difference = measure_pixels (&pixels);
  *width = pixels.width;
  *height = pixels.height;
  return g_bytes_new_take (rgb, pixels.bytes);
}

/* ---- since when ---- */

/* The frame that ends a step; NULL when it is not there yet. A new reference. */
static SlFrameObject *
end_of_step (SlJob *job, int step, guint *from)
{
  GListModel *frames = sl_job_get_frames (job);

  for (; *from < g_list_model_get_n_items (frames); (*from)++)
    {
      g_autoptr (SlFrameObject) frame = g_list_model_get_item (frames, *from);

      if (sl_frame_object_get_step (frame) == step && sl_frame_object_ends_step (frame))
        return g_steal_pointer (&frame);
      if (sl_frame_object_get_step (frame) > step)
        return NULL;
    }
  return NULL;
}

int
sl_difference_parting (SlJob *a, SlJob *b)
{
  guint from_a = 0, from_b = 0;

  for (int step = 0;; step++)
    {
      g_autoptr (SlFrameObject) frame_a = end_of_step (a, step, &from_a);
      g_autoptr (SlFrameObject) frame_b = end_of_step (b, step, &from_b);

      if (frame_a == NULL || frame_b == NULL)
        return -1;
      if (!sl_difference_looks_same (frame_a, frame_b))
        return step;
    }
}

int
sl_difference_settled (SlJob *job)
{
  GListModel *frames = sl_job_get_frames (job);
  SlFrameObject *last = sl_job_get_last_frame (job);
  int settled = last ? sl_frame_object_get_step (last) : -1;

  for (guint i = g_list_model_get_n_items (frames); i > 0; i--)
    {
      g_autoptr (SlFrameObject) frame = g_list_model_get_item (frames, i - 1);

      if (!sl_difference_looks_same (frame, last))
        break;
      settled = sl_frame_object_get_step (frame);
    }
  return settled;
}
