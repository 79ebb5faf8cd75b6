/* sl-export.c - see sl-export.h.
 *
 * Lanes that are kept whole become timelines without computing anything. A lane of which some frames are
 * not kept is computed again with all others, as replay does.
 *
 * Easy to get wrong: a branch is a lane of its own here, as it is when the file is replayed: its parent
 * may not be among the lanes.
 */
#include "app/objects/compare/sl-export.h"

#include <string.h>

#include "app/image/image.h"
#include "app/record/record.h"
#include "app/record/timeline_private.h"
#include "app/objects/sl-frame-object-private.h"

/* ---- lanes ---- */

static gboolean
is_whole (const SlExport *export)
{
  for (int i = 0; i < export->n_lanes; i++)
    for (guint f = 0; f < export->lanes[i].frames->len; f++)
      if (_sl_frame_object_is_light (export->lanes[i].frames->pdata[f]))
        return FALSE;
  return TRUE;
}

static void
record_frames (SlTimeline *timeline, const SlExportLane *lane)
{
  double elapsed = 0;

  for (guint i = 0; i < lane->frames->len; i++)
    {
      SlFrameRecord record = _sl_frame_object_get_record (lane->frames->pdata[i]);
      SlMoment moment = timeline->moments[i];

      moment.place = record.frame.place;
      moment.together = record.frame.together;
      moment.seconds = record.frame.seconds;
      moment.elapsed = elapsed += moment.seconds;
      moment.x_t = g_bytes_get_data (record.sample[SL_VIEW_NOISY], NULL);
      moment.x_0 = g_bytes_get_data (record.x_0, NULL);
      sl_timeline_record (timeline, &moment);
    }
}

static SlTimeline *
make_timeline (const SlExportLane *lane, SlError *err)
{
  const SlMetadata *metadata = lane->metadata;
  SlFrame frame = _sl_frame_object_get_record (lane->frames->pdata[0]).frame;
  const SlTimelineShape shape = { .channels = frame.channels,
                                  .height = frame.height,
                                  .width = frame.width,
                                  .total = (int)lane->moments->len,
                                  .interval = 1 };
  SlTimeline *timeline = sl_timeline_shaped (metadata->recipe, metadata->origin, &shape, err);

  if (timeline == NULL)
    return NULL;
  memcpy (timeline->moments, lane->moments->data, lane->moments->len * sizeof (SlMoment));
  timeline->warning = metadata->warnings ? strdup (metadata->warnings) : NULL;
  timeline->given_latents = metadata->given_latents;
  timeline->given_step_noise = metadata->given_step_noise;
  timeline->fast = metadata->fast;
  memcpy (timeline->noise_sha256, metadata->noise_sha256, sizeof timeline->noise_sha256);
  record_frames (timeline, lane);
  return timeline;
}

static gboolean
take_lanes (const SlExport *export, SlCompare *compare, SlModel *model, SlError *err)
{
  SlLanes *lanes = sl_lanes_new ();
  gboolean ok = lanes || sl_fail (err, SL_MEMORY, "memory ran out");

  for (int i = 0; ok && i < export->n_lanes; i++)
    {
      SlTimeline *timeline = make_timeline (&export->lanes[i], err);

      ok = timeline != NULL;
      if (ok)
        sl_lanes_put (lanes, timeline, export->lanes[i].parent);
    }
  if (ok)
    return sl_compare_take (compare, model, lanes, err);
  sl_lanes_free (lanes);
  return FALSE;
}

static int
finished_steps (const SlExportLane *lane)
{
  return g_array_index (lane->moments, SlMoment, lane->frames->len - 1).step + 1;
}

static gboolean
compute_lanes (const SlExport *export, SlCompare *compare, SlModel *model, SlError *err)
{
  SlRecipe *recipes[SL_LANES_MAX];
  SlOrigin *origins[SL_LANES_MAX];
  const SlBatches *batches[SL_LANES_MAX];
  int stops[SL_LANES_MAX], parents[SL_LANES_MAX];
  const SlCompareJob job = { .model = model,
                             .count = export->n_lanes,
                             .recipe = recipes,
                             .origin = origins,
                             .parent = parents,
                             .batches = batches,
                             .stop_after = stops,
                             .progress = export->progress,
                             .arg = export->arg };
  SlError stopped = { 0 };

  for (int i = 0; i < export->n_lanes; i++)
    {
      const SlExportLane *lane = &export->lanes[i];

      recipes[i] = lane->metadata->recipe;
      origins[i] = lane->metadata->origin;
      batches[i] = &lane->batches;
      parents[i] = lane->parent;
      stops[i] = lane->frames->len < lane->moments->len ? finished_steps (lane) : 0;
    }
  /* A stop leaves what was finished until then, which is not what was asked for. */
  return sl_compare_run (compare, &job, err) && sl_compare_whole (compare, err)
         && (export->progress (export->arg, 0, 1, &stopped) || sl_fail (err, SL_CANCELLED, "stopped"));
}

/* ---- films ---- */

/* The predicted pictures at the ends of steps, as `generate --animation` shows them. */
static gboolean
add_pictures (
    const SlExport *export, const SlCompare *compare, SlAnimation *animation, SlFilm *film, SlError *err)
{
  SlTimeline *timeline = sl_lanes_timeline (compare->lanes, 0);
  const SlGenerated *end = &compare->picture[0];
  gsize bytes = (gsize)end->width * end->height * 3;
  g_autofree float *sample = g_new (float, sl_timeline_elements (timeline));
  g_autofree guint8 *rgb = g_malloc (bytes);
  int n = sl_timeline_count (timeline), steps = sl_timeline_recipe (timeline)->steps;

  for (int i = 0; i < n; i++)
    {
      SlMoment moment = sl_timeline_planned (timeline, i);
      SlSample data = sl_compare_sample (timeline, i, sample);

      if (!moment.ends_step || !(moment.last || sl_film_wants (moment.step, steps)))
        continue;
      if (!export->progress (export->arg, i, n, err)
          || !sl_timeline_fetch (timeline, compare->model, i, moment.last ? sample : NULL,
                                 moment.last ? NULL : sample, err)
          || !sl_sample_decode (compare->model, &data, NULL, rgb, err))
        return FALSE;
      sl_animation_add (animation, rgb, moment.last ? SL_ANIMATION_LAST_MS : SL_ANIMATION_MS);
      sl_film_add (film, rgb, bytes);
    }
  return TRUE;
}

static gboolean
write_film (const SlExport *export, SlCompare *compare, SlError *err)
{
  SlGenerated *end = &compare->picture[0];
  SlAnimation *animation = sl_animation_new (end->width, end->height, err);
  SlFilm film = { 0 };
  gboolean ok = animation && add_pictures (export, compare, animation, &film, err);

  if (ok)
    {
      char *text = sl_film_to_text (&end->metadata, film.pixels);

      ok = text ? sl_animation_save (animation, export->path, text, err)
                : sl_fail (err, SL_MEMORY, "%s: memory ran out", export->path);
      free (text);
    }
  sl_animation_free (animation);
  return ok;
}

/* ---- writing ---- */

/* The pictures are of the device that the runs were computed on, not of the one that is used now. */
static void
describe_lanes (const SlExport *export, SlCompare *compare)
{
  compare->identity = export->identity;
  for (int i = 0; i < compare->count; i++)
    {
      SlMetadata *is = &compare->picture[i].metadata;
      const SlMetadata *was = export->lanes[compare->lane[i]].metadata;

      sl_metadata_set_model (is, export->identity);
      g_strlcpy (is->device, was->device, sizeof is->device);
      g_strlcpy (is->device_description, was->device_description, sizeof is->device_description);
      g_strlcpy (is->dtype, was->dtype, sizeof is->dtype);
    }
}

static gboolean
write_lanes (const SlExport *export, SlCompare *compare, SlError *err)
{
  const SlAnimationJob job = {
    .path = export->path, .line_up = export->line_up, .progress = export->progress, .arg = export->arg
  };

  describe_lanes (export, compare);
  switch (export->kind)
    {
    case SL_EXPORT_SHEET:
      return sl_compare_sheet (compare, export->path, NULL, err);
    case SL_EXPORT_ANIMATION:
      return sl_compare_animation (compare, &job, NULL, err);
    case SL_EXPORT_FILM:
    default:
      return write_film (export, compare, err);
    }
}

gboolean
_sl_export (const SlExport *export, SlModel *model, SlError *err)
{
  SlCompare compare = { 0 };
  gboolean ok = is_whole (export) ? take_lanes (export, &compare, model, err)
                                  : compute_lanes (export, &compare, model, err);

  ok = ok && write_lanes (export, &compare, err);
  sl_compare_free (&compare);
  return ok;
}
