/* sl-job-private.h - the worker's and the writer's side of a job; for app/ only. */
#pragma once

#include "app/core/metadata.h"
#include "app/sl-job.h"

G_BEGIN_DECLS

/* Any thread: immutable after sl_job_new. */
const SlRecipe *_sl_job_get_recipe (SlJob *self);
SlPreviews _sl_job_get_previews (SlJob *self);
void _sl_job_cancel (SlJob *self);
gboolean _sl_job_is_cancelled (SlJob *self);

/* Main thread. */
void _sl_job_set_state (SlJob *self, SlJobState state);
void _sl_job_fail (SlJob *self, const char *message);
/* Takes what the run's pictures will say about themselves. */
void _sl_job_started (SlJob *self, SlMetadata *metadata, int evaluations);
void _sl_job_add_frame (SlJob *self, SlFrameObject *frame);
/* NULL before the run started. */
const SlMetadata *_sl_job_get_metadata (SlJob *self);

G_END_DECLS
