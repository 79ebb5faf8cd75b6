/* sl-job.h - one picture to be made: its settings, how far it is, and every moment of it.
 *
 * Main thread only, but for the private side that the worker uses. The frames keep their samples, so
 * that any moment can be looked at and saved later.
 */
#pragma once

#include "app/objects/sl-frame-object.h"
#include "app/objects/sl-model-item.h"

G_BEGIN_DECLS

typedef enum
{
  SL_JOB_WAITING,
  SL_JOB_LOADING, /* the model */
  SL_JOB_RUNNING,
  SL_JOB_PAUSED,
  SL_JOB_DONE,
  SL_JOB_STOPPED,
  SL_JOB_FAILED,
} SlJobState;

/* What shows the moments of a run while it goes on, where there is more than the quick preview. */
typedef enum
{
  SL_PREVIEWS_AUTOMATIC, /* the real decoder where it costs less than a step, else a tiny VAE if there is one */
  SL_PREVIEWS_QUICK,
  SL_PREVIEWS_BEST, /* the real decoder */
  SL_PREVIEWS_TINY, /* a tiny VAE if there is one */
} SlPreviews;

/* One evaluation that a run will make. */
typedef struct
{
  double timestep;
  double sigma;
  int step; /* 0-based */
  gboolean ends_step;
} SlPlanPoint;

/* What a run was computed on and in, as files say it: "cpu", "f32" or "bf16,vae=f32". Both NULL: nothing is known of it.
 * Borrowed. */
typedef struct
{
  const char *device;
  const char *types;
} SlComputed;

gboolean sl_computed_equal (SlComputed a, SlComputed b);

#define SL_TYPE_JOB (sl_job_get_type ())

G_DECLARE_FINAL_TYPE (SlJob, sl_job, SL, JOB, GObject)

/* settings are copied. Signals: "frame" (SlFrameObject), "notify::state". */
SlJob *sl_job_new (SlModelItem *model, SlSettings *settings, SlPreviews previews);
/* A job that goes on from another one, after so many of its evaluations, with settings of its own. The
 * frames until there are the same objects. In the middle of a step it goes on after that step. NULL
 * before the first and after the last step. */
SlJob *sl_job_new_branch (SlJob *parent, guint evaluations, SlSettings *settings);
gboolean sl_job_can_branch (SlJob *self, guint evaluations);
/* What it goes on from, or NULL, and after how many evaluations. */
SlJob *sl_job_get_parent (SlJob *self);
guint sl_job_get_branch_point (SlJob *self);
SlSettings *sl_job_get_settings (SlJob *self);
SlModelItem *sl_job_get_model (SlJob *self);
/* What it is computed on and in, or is to be where this machine can: a run that has begun goes on as it began, a branch
 * as the run that it left. Nothing: as the preferences say when it begins. */
SlComputed sl_job_get_computed (SlJob *self);
/* Before it starts: as another one was, whose bytes it is to have or beside which it is to stand. */
void sl_job_compute_as (SlJob *self, SlComputed computed);
SlJobState sl_job_get_state (SlJob *self);
/* Done, stopped or failed. */
gboolean sl_job_is_over (SlJob *self);
/* What went wrong, a sentence, or NULL. */
const char *sl_job_get_message (SlJob *self);
/* It failed since its device did, which this process cannot use any more. */
gboolean sl_job_has_lost_device (SlJob *self);
/* What was not as asked for (a prompt that was cut off), or NULL. */
const char *sl_job_get_warning (SlJob *self);
/* It was computed in one batch with others; alone, its last bits may be others. */
gboolean sl_job_is_fast (SlJob *self);
/* Of SlFrameObject. */
GListModel *sl_job_get_frames (SlJob *self);
SlFrameObject *sl_job_get_last_frame (SlJob *self);
/* How many model evaluations the run has; 0 before it starts. */
/* The random numbers that it begins with (x_T), a branch as its parent, as a picture in RGB rows. NULL where they are not
 * known: before it starts, and of a run from a file. Borrowed. */
GBytes *sl_job_get_noise (SlJob *self, int *width, int *height);
int sl_job_get_evaluations (SlJob *self);
/* All of them, before they are made; NULL before it starts. */
const SlPlanPoint *sl_job_get_plan (SlJob *self);
/* Seconds, by the evaluations so far; < 0 when unknown. */
double sl_job_get_remaining (SlJob *self);
double sl_job_get_elapsed (SlJob *self);

G_END_DECLS
