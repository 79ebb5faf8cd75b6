/* sl-frame-object.h - one moment of a run: what the model saw and predicted at one evaluation.
 *
 * A view of a moment of a timeline (app/record/timeline.h), which decides what is kept. Made on the worker's
 * thread and immutable after that, but for the decoded pictures, which the main thread sets and drops. Pictures
 * are RGB rows without padding.
 *
 * The "picture" of a moment is what the model believes the result to be (x_0), and for the last
 * moment the result itself; its "noisy" side is the sample as it stands (x_t).
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef enum
{
  SL_VIEW_PICTURE,
  SL_VIEW_NOISY,
} SlView;

/* What else the model said at a moment; kept in half precision, only to be looked at. */
typedef enum
{
  SL_PART_OUTPUT,   /* the guided prediction */
  SL_PART_GUIDANCE, /* text - unconditional */
} SlFramePart;

/* Of one channel of the sample as it stands. */
typedef struct
{
  float mean;
  float deviation;
} SlChannel;

#define SL_N_VIEWS 2
#define SL_N_PARTS 2
#define SL_MAX_CHANNELS 16
#define SL_TYPE_FRAME_OBJECT (sl_frame_object_get_type ())

G_DECLARE_FINAL_TYPE (SlFrameObject, sl_frame_object, SL, FRAME_OBJECT, GObject)

/* 0-based, of all evaluations of the run. */
int sl_frame_object_get_index (SlFrameObject *self);
/* 0-based step, and how many there are. */
int sl_frame_object_get_step (SlFrameObject *self);
int sl_frame_object_get_steps (SlFrameObject *self);
gboolean sl_frame_object_ends_step (SlFrameObject *self);
gboolean sl_frame_object_is_last (SlFrameObject *self);
double sl_frame_object_get_timestep (SlFrameObject *self);
double sl_frame_object_get_sigma (SlFrameObject *self);
double sl_frame_object_get_seconds (SlFrameObject *self);
/* It took over a part of what an evaluation before found (the setting caching). */
gboolean sl_frame_object_is_cached (SlFrameObject *self);
/* Made by the refiner, which goes on with what the model began. */
gboolean sl_frame_object_is_refined (SlFrameObject *self);
/* The best picture there is now: decoded, or a preview of full size by a tiny VAE, or the quick preview. Borrowed. */
GBytes *sl_frame_object_get_rgb (SlFrameObject *self, SlView view, int *width, int *height);
/* Always the quick preview: small, for thumbnails. */
GBytes *sl_frame_object_get_preview (SlFrameObject *self, SlView view, int *width, int *height);
gboolean sl_frame_object_is_decoded (SlFrameObject *self, SlView view);
/* Why it could not be decoded when it was tried last, a sentence without its full stop, or NULL. */
const char *sl_frame_object_get_problem (SlFrameObject *self, SlView view);
/* It may be tried again. */
void sl_frame_object_forget_problem (SlFrameObject *self, SlView view);
/* The f32 sample behind a view: channels * height * width values. NULL while it is not kept: a long run
 * of large samples keeps some frames whole, and of the others a small preview. Decoding one brings its
 * samples back for as long as the decoded picture is kept. */
GBytes *sl_frame_object_get_sample (SlFrameObject *self, SlView view, int *channels, int *height, int *width);
/* RGB rows of the sample's size: the first three channels around grey. NULL without that part. A new
 * reference. */
GBytes *sl_frame_object_draw_part (SlFrameObject *self, SlFramePart part, int *width, int *height);
/* The output is noise; else it is what the model was trained to say instead. */
gboolean sl_frame_object_predicts_noise (SlFrameObject *self);
guint sl_frame_object_get_channels (SlFrameObject *self);
SlChannel sl_frame_object_get_channel (SlFrameObject *self, guint channel);

G_END_DECLS
