/* sl-frame-part.c - what else the model said at a moment, as a picture; see sl-frame-object.h. */
#include <math.h>

#include "app/objects/sl-frame-object-private.h"

/* Three deviations to either side of grey; 0 stays grey. */
static double
find_scale (const guint16 *halves, gsize n)
{
  double squares = 0;

  for (gsize i = 0; i < n; i++)
    squares += (double)sl_f16_to_f32 (halves[i]) * sl_f16_to_f32 (halves[i]);
  return squares > 0 ? 127 / (3 * sqrt (squares / n)) : 0;
}

GBytes *
sl_frame_object_draw_part (SlFrameObject *self, SlFramePart part, int *width, int *height)
{
  SlFrameRecord record = _sl_frame_object_get_record (self);
  gsize pixels = (gsize)record.frame.height * record.frame.width;
  const guint16 *halves;
  double scale;
  guint8 *rgb;

  if (record.part[part] == NULL)
    return NULL;
  halves = g_bytes_get_data (record.part[part], NULL);
  scale = find_scale (halves, pixels * record.frame.channels);
  rgb = g_malloc (pixels * 3);
  for (int c = 0; c < 3; c++)
    for (gsize i = 0; i < pixels; i++)
      {
        int channel = MIN (c, record.frame.channels - 1);
        double value = 128 + scale * sl_f16_to_f32 (halves[channel * pixels + i]);

        rgb[3 * i + c] = (guint8)CLAMP (value, 0, 255);
      }
  *width = record.frame.width;
  *height = record.frame.height;
  return g_bytes_new_take (rgb, pixels * 3);
}
