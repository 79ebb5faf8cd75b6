/* sl-compare-decode.c - the real decoder for the place where the hand rests: one lane after the other, the
 * chosen one first. See sl-compare-view-private.h.
 */
#include "ui/compare/sl-compare-view-private.h"

#define REST_MS 120

static void decode_next (SlCompareView *self);

static void
decoded (SlCompareView *self)
{
  g_signal_handlers_disconnect_by_func (self->decoding, decoded, self);
  g_clear_object (&self->decoding);
  _sl_compare_view_show_lanes (self);
  _sl_compare_view_show_inside (self);
  decode_next (self);
}

/* What failed is tried again only when somebody comes back to it. */
static SlFrameObject *
undecoded_frame (SlCompareView *self, guint index)
{
  SlFrameObject *frame = sl_comparison_get_frame (self->comparison, index);

  return frame && !sl_frame_object_is_decoded (frame, self->view)
                 && !sl_frame_object_get_problem (frame, self->view)
             ? frame
             : NULL;
}

static void
decode_next (SlCompareView *self)
{
  guint n = self->lanes->len;

  for (guint i = 0; i < n && !self->decoding && !self->rest; i++)
    {
      guint index = (self->chosen + i) % n;
      SlFrameObject *frame = undecoded_frame (self, index);

      if (frame
          && sl_worker_decode (self->worker, sl_comparison_get_job (self->comparison, index), frame,
                               self->view))
        {
          self->decoding = g_object_ref (frame);
          g_signal_connect_object (frame, "decoded", G_CALLBACK (decoded), self, G_CONNECT_SWAPPED);
        }
    }
}

void
_sl_compare_view_try_again (SlCompareView *self)
{
  for (guint i = 0; i < self->lanes->len; i++)
    {
      SlFrameObject *frame = sl_comparison_get_frame (self->comparison, i);

      if (frame)
        sl_frame_object_forget_problem (frame, self->view);
    }
  _sl_compare_view_decode_at_rest (self);
}

static gboolean
rested (gpointer data)
{
  SlCompareView *self = data;

  self->rest = 0;
  decode_next (self);
  return G_SOURCE_REMOVE;
}

void
_sl_compare_view_decode_at_rest (SlCompareView *self)
{
  gboolean flying = sl_comparison_is_busy (self->comparison) && sl_comparison_is_following (self->comparison);

  g_clear_handle_id (&self->rest, g_source_remove);
  if (!flying)
    self->rest = g_timeout_add (REST_MS, rested, self);
}
