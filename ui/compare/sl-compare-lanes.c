/* sl-compare-lanes.c - what each lane of the compare view shows at the place that is looked at: its picture, or how
 * that differs from the reference's, its name and its figures. See sl-compare-view-private.h.
 */
#include "ui/compare/sl-compare-view-private.h"

#include "ui/compare/sl-lane-text.h"

void
_sl_compare_view_show_name (SlCompareView *self, guint index)
{
  SlCompareLane *lane = sl_comparison_get_lane (self->comparison, index);
  g_autofree char *title = sl_lane_title (lane, self->recipe);
  g_autofree char *settings = sl_lane_settings (lane, self->recipe);

  sl_lane_view_set_title (self->lanes->pdata[index], title, settings);
}

static void
show_figures (
    SlCompareView *self, guint index, SlJob *job, SlFrameObject *frame, const SlPixelDifference *difference)
{
  SlLaneView *lane = self->lanes->pdata[index];
  g_autofree char *figures = !frame                     ? g_strdup ("")
                             : difference->largest >= 0 ? sl_lane_difference (difference)
                                                        : sl_lane_figures (job, frame);
  g_autofree char *detail = frame ? sl_lane_figures_in_full (job, frame) : NULL;
  gboolean going = job && sl_job_get_evaluations (job) > 0 && !sl_job_is_over (job);

  sl_lane_view_set_figures (lane, figures, detail);
  sl_lane_view_set_progress (lane, going ? (double)g_list_model_get_n_items (sl_job_get_frames (job))
                                               / sl_job_get_evaluations (job)
                                         : -1);
}

static gboolean
is_reference (SlCompareView *self, guint index)
{
  return index == sl_comparison_get_reference (self->comparison);
}

/* The lane's picture, or how it differs from the reference's at the same place. */
static GdkTexture *
make_texture (SlCompareView *self, guint index, SlFrameObject *frame, SlPixelDifference *difference)
{
  SlFrameObject *other
      = sl_comparison_get_frame (self->comparison, sl_comparison_get_reference (self->comparison));
  g_autoptr (GBytes) heat = NULL;
  int width, height;
  GBytes *rgb = sl_frame_object_get_rgb (frame, self->view, &width, &height);

  difference->largest = -1;
  if (self->difference && other && !is_reference (self, index))
    heat = sl_difference_heat (frame, other, self->view, &width, &height, difference);
  return sl_texture_new_rgb (heat ? heat : rgb, width, height);
}

static void
show_lane (SlCompareView *self, guint index)
{
  SlJob *job = sl_comparison_get_job (self->comparison, index);
  SlFrameObject *frame = sl_comparison_get_frame (self->comparison, index);
  SlLaneView *lane = self->lanes->pdata[index];
  SlPixelDifference difference = { 0, -1 };
  g_autoptr (GdkTexture) texture = frame ? make_texture (self, index, frame, &difference) : NULL;

  if (frame)
    sl_canvas_set_size (sl_lane_view_get_canvas (lane), sl_settings_get_width (sl_job_get_settings (job)),
                        sl_settings_get_height (sl_job_get_settings (job)));
  sl_lane_view_show (lane, texture, sl_lane_message (job), job && sl_job_get_state (job) == SL_JOB_FAILED);
  sl_lane_view_set_problem (lane, frame ? sl_frame_object_get_problem (frame, self->view) : NULL);
  sl_lane_view_set_has_picture (lane, frame != NULL);
  show_figures (self, index, job, frame, &difference);
}

void
_sl_compare_view_show_lanes (SlCompareView *self)
{
  for (guint i = 0; i < self->lanes->len; i++)
    show_lane (self, i);
}
