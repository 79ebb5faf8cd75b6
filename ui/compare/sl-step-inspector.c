/* sl-step-inspector.c - see sl-step-inspector.h. */
#include "ui/compare/sl-step-inspector.h"

#include <glib/gi18n.h>
#include <math.h>

#include "ui/compare/sl-curve-view.h"
#include "ui/compare/sl-lane-view.h"
#include "ui/compare/sl-tile.h"
#include "ui/widgets/sl-terms.h"

enum
{
  TILE_NOISY,
  TILE_PREDICTION,
  TILE_OUTPUT,
  TILE_GUIDANCE,
  N_TILES
};

struct _SlStepInspector
{
  AdwBin parent_instance;
  SlTile *tile[N_TILES];
  SlWordPair *words;
  SlCurveView *means;
  SlCurveView *deviations;
  SlTerms *terms;
  GtkLabel *note;
};

G_DEFINE_FINAL_TYPE (SlStepInspector, sl_step_inspector, ADW_TYPE_BIN)

/* ---- the four pictures ---- */

static GBytes *
tile_pixels (SlFrameObject *frame, guint tile, int *width, int *height)
{
  switch (tile)
    {
    case TILE_NOISY:
      return g_bytes_ref (sl_frame_object_get_rgb (frame, SL_VIEW_NOISY, width, height));
    case TILE_PREDICTION:
      return g_bytes_ref (sl_frame_object_get_rgb (frame, SL_VIEW_PICTURE, width, height));
    default:
      return sl_frame_object_draw_part (frame, tile == TILE_OUTPUT ? SL_PART_OUTPUT : SL_PART_GUIDANCE, width,
                                        height);
    }
}

static const char *
tile_title (SlFrameObject *frame, guint tile)
{
  switch (tile)
    {
    case TILE_NOISY:
      return _ ("The sample, x_t");
    case TILE_PREDICTION:
      return sl_frame_object_is_last (frame) ? _ ("The result") : _ ("Predicted picture, x_0");
    case TILE_OUTPUT:
      return sl_frame_object_predicts_noise (frame) ? _ ("Predicted noise") : _ ("The model’s answer");
    case TILE_GUIDANCE:
    default:
      return _ ("Guidance: words − none");
    }
}

static void
show_tile (SlStepInspector *self, guint tile, SlFrameObject *frame)
{
  int width, height;
  g_autoptr (GBytes) rgb = tile_pixels (frame, tile, &width, &height);

  sl_tile_show (self->tile[tile], rgb, width, height, tile_title (frame, tile));
}

/* ---- channels ---- */

static void
show_channels (SlCurveView *view, SlJob *job, SlFrameObject *frame, gboolean deviations)
{
  GListModel *frames = sl_job_get_frames (job);
  guint n = g_list_model_get_n_items (frames), channels = sl_frame_object_get_channels (frame);
  SlCurve curves[SL_MAX_CHANNELS] = { 0 };
  g_autofree SlCurvePoint *points = g_new (SlCurvePoint, (gsize)n * channels);
  SlCurveAxes axes = { .first = 1,
                       .last = MAX (sl_job_get_evaluations (job), 2),
                       .y_title = deviations ? _ ("Deviation of each channel") : _ ("Mean of each channel") };

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (SlFrameObject) each = g_list_model_get_item (frames, i);

      for (guint c = 0; c < channels; c++)
        {
          SlChannel channel = sl_frame_object_get_channel (each, c);

          points[c * n + i] = (SlCurvePoint){ i + 1, deviations ? channel.deviation : channel.mean };
        }
    }
  for (guint c = 0; c < channels; c++)
    curves[c] = (SlCurve){
      .color = sl_lane_color (c), .number = (int)c + 1, .reached = n, .n_points = n, .points = &points[c * n]
    };
  sl_curve_view_set_axes (view, &axes);
  sl_curve_view_set_curves (view, curves, channels);
  sl_curve_view_set_cursor (view, sl_frame_object_get_index (frame) + 1, NULL);
}

/* ---- all of it ---- */

static char *
make_note (SlJob *job, SlFrameObject *frame)
{
  g_autofree char *place = NULL;
  int settled;

  if (sl_job_get_state (job) == SL_JOB_FAILED)
    return g_strdup (sl_job_get_message (job));
  settled = sl_difference_settled (job);
  if (!sl_frame_object_is_cached (frame) && settled >= 0
      && settled + 1 < sl_frame_object_get_step (sl_job_get_last_frame (job)))
    return g_strdup_printf (_ ("No visible change since step %d"), settled + 1);
  place = g_strdup_printf (_ ("Timestep %.4g, noise level σ %.3g"), sl_frame_object_get_timestep (frame),
                           sl_frame_object_get_sigma (frame));
  return sl_frame_object_is_cached (frame)
             ? g_strdup_printf ("%s · %s", place, _ ("This step took over a part of an earlier evaluation"))
             : g_steal_pointer (&place);
}

void
sl_step_inspector_show (SlStepInspector *self, const SlInspected *inspected)
{
  SlJob *job = inspected->job;
  SlFrameObject *frame = inspected->lane.frame;
  g_autofree char *note = NULL;

  gtk_widget_set_visible (GTK_WIDGET (self->words),
                          frame && sl_model_item_uses_prompt (sl_job_get_model (job)));
  sl_word_pair_show (self->words, &inspected->lane, &inspected->reference);
  sl_terms_show (self->terms, job, frame);

  gtk_widget_set_visible (GTK_WIDGET (self->means), frame != NULL);
  gtk_widget_set_visible (GTK_WIDGET (self->deviations), frame != NULL);
  if (frame == NULL)
    {
      for (guint i = 0; i < N_TILES; i++)
        sl_tile_show (self->tile[i], NULL, 0, 0, NULL);
      gtk_label_set_text (self->note, job && sl_job_get_message (job)
                                          ? sl_job_get_message (job)
                                          : _ ("There is no step to look into yet"));
      return;
    }
  for (guint i = 0; i < N_TILES; i++)
    show_tile (self, i, frame);
  show_channels (self->means, job, frame, FALSE);
  show_channels (self->deviations, job, frame, TRUE);
  note = make_note (job, frame);
  gtk_label_set_text (self->note, note);
}

const char *
sl_step_inspector_get_note (SlStepInspector *self)
{
  return gtk_label_get_text (self->note);
}

static SlCurveView *
add_chart (GtkBox *row, const char *name)
{
  GtkWidget *chart = g_object_new (SL_TYPE_CURVE_VIEW, "accessible-role", GTK_ACCESSIBLE_ROLE_IMG, NULL);

  sl_curve_view_set_parts (SL_CURVE_VIEW (chart), TRUE, FALSE);
  gtk_widget_set_hexpand (chart, TRUE);
  gtk_accessible_update_property (GTK_ACCESSIBLE (chart), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  gtk_box_append (row, chart);
  return SL_CURVE_VIEW (chart);
}

static void
sl_step_inspector_class_init (SlStepInspectorClass *klass)
{
  gtk_widget_class_set_css_name (GTK_WIDGET_CLASS (klass), "inspector");
}

static void
sl_step_inspector_init (SlStepInspector *self)
{
  GtkWidget *scroller = gtk_scrolled_window_new (), *column = gtk_box_new (GTK_ORIENTATION_VERTICAL, 2);
  GtkBox *row = GTK_BOX (gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 12));
  GtkBox *foot = GTK_BOX (gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6));

  for (guint i = 0; i < N_TILES; i++)
    self->tile[i] = sl_tile_append (row);
  self->words = g_object_new (SL_TYPE_WORD_PAIR, NULL);
  gtk_box_append (row, GTK_WIDGET (self->words));
  self->means = add_chart (row, _ ("Mean of each channel"));
  self->deviations = add_chart (row, _ ("Deviation of each channel"));
  self->note = GTK_LABEL (gtk_label_new (NULL));
  gtk_label_set_xalign (self->note, 0);
  gtk_label_set_ellipsize (self->note, PANGO_ELLIPSIZE_END);
  gtk_widget_add_css_class (GTK_WIDGET (self->note), "caption");
  gtk_widget_set_margin_start (GTK_WIDGET (row), 12);
  gtk_widget_set_margin_end (GTK_WIDGET (row), 12);
  gtk_widget_set_margin_top (GTK_WIDGET (row), 6);
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scroller), GTK_POLICY_AUTOMATIC, GTK_POLICY_NEVER);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller), GTK_WIDGET (row));
  self->terms = g_object_new (SL_TYPE_TERMS, NULL);
  gtk_box_append (GTK_BOX (column), scroller);
  gtk_box_append (foot, GTK_WIDGET (self->terms));
  gtk_box_append (foot, GTK_WIDGET (self->note));
  gtk_widget_set_margin_start (GTK_WIDGET (foot), 6);
  gtk_box_append (GTK_BOX (column), GTK_WIDGET (foot));
  adw_bin_set_child (ADW_BIN (self), column);
}
