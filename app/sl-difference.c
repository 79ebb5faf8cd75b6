/* sl-difference.c - see sl-difference.h. */
#include "app/sl-difference.h"

#include <math.h>
#include <stdlib.h>

double
sl_difference_rms (SlFrameObject *a, SlFrameObject *b)
{
  int channels[2], height[2], width[2];
  GBytes *sample_a = sl_frame_object_get_sample (a, SL_VIEW_PICTURE, &channels[0], &height[0], &width[0]);
  GBytes *sample_b = sl_frame_object_get_sample (b, SL_VIEW_PICTURE, &channels[1], &height[1], &width[1]);
  gsize n = (gsize)channels[0] * height[0] * width[0];
  const float *x, *y;
  double sum = 0;

  if (sample_a == NULL || sample_b == NULL || channels[0] != channels[1] || height[0] != height[1]
      || width[0] != width[1])
    return NAN;
  x = g_bytes_get_data (sample_a, NULL);
  y = g_bytes_get_data (sample_b, NULL);
  for (gsize i = 0; i < n; i++)
    sum += ((double)x[i] - y[i]) * ((double)x[i] - y[i]);
  return sqrt (sum / n);
}

/* ---- pixels ---- */

typedef struct
{
  const guint8 *a;
  const guint8 *b;
  int width;
  int height;
} Pixels;

/* The size that both have; FALSE when there is none. */
static gboolean
pair_pixels (SlFrameObject *a, SlFrameObject *b, SlView view, Pixels *pixels)
{
  gboolean decoded = sl_frame_object_is_decoded (a, view) && sl_frame_object_is_decoded (b, view);
  int width, height;
  GBytes *x, *y;

  if (decoded)
    {
      x = sl_frame_object_get_rgb (a, view, &pixels->width, &pixels->height);
      y = sl_frame_object_get_rgb (b, view, &width, &height);
    }
  else
    {
      x = sl_frame_object_get_preview (a, view, &pixels->width, &pixels->height);
      y = sl_frame_object_get_preview (b, view, &width, &height);
    }
  pixels->a = g_bytes_get_data (x, NULL);
  pixels->b = g_bytes_get_data (y, NULL);
  return width == pixels->width && height == pixels->height;
}

static gboolean
pair_previews (SlFrameObject *a, SlFrameObject *b, Pixels *pixels)
{
  int width, height;

  pixels->a = g_bytes_get_data (
      sl_frame_object_get_preview (a, SL_VIEW_PICTURE, &pixels->width, &pixels->height), NULL);
  pixels->b = g_bytes_get_data (sl_frame_object_get_preview (b, SL_VIEW_PICTURE, &width, &height), NULL);
  return width == pixels->width && height == pixels->height;
}

double
sl_difference_psnr (SlFrameObject *a, SlFrameObject *b)
{
  Pixels pixels;
  double sum = 0;
  gsize n;

  if (!pair_previews (a, b, &pixels))
    return NAN;
  n = (gsize)pixels.width * pixels.height * 3;
  for (gsize i = 0; i < n; i++)
    sum += (double)(pixels.a[i] - pixels.b[i]) * (pixels.a[i] - pixels.b[i]);
  return sum > 0 ? 10 * log10 (255.0 * 255.0 * n / sum) : INFINITY;
}

gboolean
sl_difference_looks_same (SlFrameObject *a, SlFrameObject *b)
{
  Pixels pixels;

  if (!pair_previews (a, b, &pixels))
    return FALSE;
  for (gsize i = 0; i < (gsize)pixels.width * pixels.height * 3; i++)
    if (abs (pixels.a[i] - pixels.b[i]) > SL_VISIBLE_DIFFERENCE)
      return FALSE;
  return TRUE;
}

/* As a print under the safelight: black, red, yellow, white. The square root keeps small ones visible. */
static void
heat_color (int difference, guint8 *rgb)
{
  double heat = sqrt (difference / 255.0) * 3;

  rgb[0] = (guint8)lround (255 * CLAMP (heat, 0, 1));
  rgb[1] = (guint8)lround (255 * CLAMP (heat - 1, 0, 1));
  rgb[2] = (guint8)lround (255 * CLAMP (heat - 2, 0, 1));
}

GBytes *
sl_difference_heat (
    SlFrameObject *a, SlFrameObject *b, SlView view, int *width, int *height, SlPixelDifference *difference)
{
  Pixels pixels;
  SlPixelDifference found = { 0, 0 };
  gsize n;
  guint8 *rgb;

  if (!pair_pixels (a, b, view, &pixels))
    return NULL;
  n = (gsize)pixels.width * pixels.height;
  rgb = g_malloc (n * 3);
  for (gsize i = 0; i < n; i++)
    {
      int most = 0;

      for (int c = 0; c < 3; c++)
        most = MAX (most, abs (pixels.a[3 * i + c] - pixels.b[3 * i + c]));
      heat_color (most, &rgb[3 * i]);
      found.mean += most;
      found.largest = MAX (found.largest, most);
    }
  found.mean /= MAX (n, 1);
  if (difference)
    *difference = found;
  *width = pixels.width;
  *height = pixels.height;
  return g_bytes_new_take (rgb, n * 3);
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
