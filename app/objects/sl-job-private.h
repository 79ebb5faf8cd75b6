/* sl-job-private.h - the worker's and the writer's side of a job; for app/ only. */
#pragma once

#include "app/recipe/recipe.h"
#include "app/objects/sl-job.h"

G_BEGIN_DECLS

/* A place that a run can be taken up at again. */
typedef struct
{
  guint evaluations;
  GBytes *state;
} SlCheckpoint;

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
  GListStore *frames;
  GArray *plan; /* of SlPlanPoint; NULL before it starts */
  GBytes *saved;
  GArray *checkpoints; /* of SlCheckpoint, rising */
  SlJob *parent;
  guint branch_point;
  int first;
  gsize bytes;
  double seconds;
  gint64 started;
  gint64 latest; /* when the last frame came, or the job ended */
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
/* Takes what the run's pictures will say about themselves, and its plan, of SlPlanPoint. */
void _sl_job_started (SlJob *self, SlMetadata *metadata, GArray *plan);
/* With which evaluation of its own schedule a branch begins; 0 for a run from noise. */
void _sl_job_set_first (SlJob *self, int first);
int _sl_job_get_first (SlJob *self);
/* Whose own evaluations include this many: what a branch has from its parent is the parent's. */
SlJob *_sl_job_get_owner (SlJob *self, guint evaluations);
/* What its own frames and checkpoints take, without what it shares with its parent and without decoded
 * pictures. */
gsize _sl_job_get_bytes (SlJob *self);
/* In which its own evaluations were made, up to so many of its list. Free with sl_batches_free. */
SlBatches _sl_job_list_batches (SlJob *self, guint end);
/* A place that the run can be taken up at again. */
void _sl_job_add_checkpoint (SlJob *self, guint evaluations, GBytes *state);
/* The newest one before so many evaluations were made; NULL: from the beginning. */
GBytes *_sl_job_find_checkpoint (SlJob *self, guint evaluations, guint *at);
/* The whole timeline as bytes, to go on from; NULL when there is none. */
void _sl_job_set_saved (SlJob *self, GBytes *saved);
GBytes *_sl_job_get_saved (SlJob *self);
/* Of a job that was read from a file. */
void _sl_job_set_parent (SlJob *self, SlJob *parent, guint branch_point);
void _sl_job_add_frame (SlJob *self, SlFrameObject *frame);
/* NULL before the run started. */
const SlMetadata *_sl_job_get_metadata (SlJob *self);

G_END_DECLS
