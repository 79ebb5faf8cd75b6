/* sl-job-private.h - the worker's and the writer's side of a job; for app/ only. */
#pragma once

#include "app/files/files.h"
#include "app/recipe/recipe.h"
#include "app/objects/sl-frame-object-private.h"
#include "app/objects/sl-job.h"

G_BEGIN_DECLS

struct _SlJob
{
  GObject parent_instance;
  SlModelItem *model;
  SlSettings *settings;
  SlRecipe *recipe; /* what the worker reads */
  SlPreviews previews;
  int cancelled; /* atomic, as the next */
  int asked_to_pause;
  SlJobState state;
  char *message;
  gboolean lost_device;
  SlMetadata *metadata;
  char *as_device; /* what it is to be computed on and in, where that was said; or NULL */
  char *as_types;
  SlModelKeys *model_keys; /* of the files that it is computed from; NULL: not known */
  double each;             /* seconds of an evaluation; or 0 */
  GBytes *noise;           /* that it begins with, as a picture; or NULL */
  int noise_width, noise_height;
  SlTimeline *timeline; /* its own evaluations; NULL before it starts */
  GListStore *frames;   /* its ancestors' first */
  GArray *plan;         /* of SlPlanPoint; of a branch that has not started, its ancestors' */
  SlJob *parent;
  guint inherited;    /* frames that are its ancestors' */
  SlTimeline *before; /* the ancestors' moments of a file that does not hold the parent lane; else NULL */
  int step_offset;    /* added to a step's number to count on from the ancestors' steps */
  gint64 started;     /* later by the pauses */
  gint64 paused;      /* since when; 0: not paused */
  gint64 latest;      /* when the last frame came, or the job ended or paused */
};

/* Any thread: immutable after sl_job_new. */
const SlRecipe *_sl_job_get_recipe (SlJob *self);
SlPreviews _sl_job_get_previews (SlJob *self);
void _sl_job_cancel (SlJob *self);
gboolean _sl_job_is_cancelled (SlJob *self);
void _sl_job_ask_pause (SlJob *self, gboolean pause);
gboolean _sl_job_is_asked_to_pause (SlJob *self);

/* Main thread. */
void _sl_job_set_state (SlJob *self, SlJobState state);
void _sl_job_fail (SlJob *self, const char *message, gboolean lost_device);
/* Takes what the run's pictures will say about themselves; refers to the timeline. Again after a pause. */
/* Before it starts. */
/* How long an evaluation took in the mean, with what is shown of it; 0: nothing that another run's could be told from. */
void _sl_job_set_each (SlJob *self, double seconds);
double _sl_job_get_each (SlJob *self);
void _sl_job_set_noise (SlJob *self, GBytes *rgb, int width, int height);
void _sl_job_started (SlJob *self, SlTimeline *timeline, SlMetadata *metadata);
/* Of the run itself; NULL before it started. Borrowed. */
SlTimeline *_sl_job_get_timeline (SlJob *self);
/* The ancestors' moments that were read from a file without the parent lane; NULL if there are none. Borrowed. */
SlTimeline *_sl_job_get_before (SlJob *self);
/* Where moment i of its timeline is among its frames, once it started. */
/* The job (this one or an ancestor) that computed frame number `evaluations`. */
SlJob *_sl_job_get_owner (SlJob *self, guint evaluations);
/* What its own moments take, without its ancestors' and without decoded pictures. */
gsize _sl_job_get_bytes (SlJob *self);
/* The batches in which its own evaluations were made, those among its first `end` frames. Free with
 * sl_batches_free. */
SlBatches _sl_job_list_batches (SlJob *self, guint end);
void _sl_job_add_frame (SlJob *self, SlFrameObject *frame);

/* A job whose run is done or was stopped, read from a file. parent is the job that it left, before its
 * ancestors' moments where that is not there; both NULL: from noise. Takes metadata. */
typedef struct
{
  SlModelItem *model;
  SlSettings *settings;
  SlTimeline *timeline;
  SlMetadata *metadata;
  gboolean done;
  SlJob *parent;
  SlTimeline *before;
  guint inherited;
} SlRecordedJob;
SlJob *_sl_job_new_recorded (const SlRecordedJob *recorded);
/* NULL before the run started. */
const SlMetadata *_sl_job_get_metadata (SlJob *self);
/* What the model's files were when it was loaded for the job; the first ones stay. malloc'ed. */
void _sl_job_take_model_keys (SlJob *self, SlModelKeys *keys);
/* May be NULL. */
const SlModelKeys *_sl_job_get_model_keys (SlJob *self);

G_END_DECLS
