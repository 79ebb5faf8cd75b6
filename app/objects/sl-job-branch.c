/* sl-job-branch.c - where a job comes from, and the places at which others go on from it; see sl-job.h and
 * sl-job-private.h.
 */
#include "app/objects/sl-job-private.h"

#include "app/objects/sl-frame-object-private.h"

/* ---- branches ---- */

void
_sl_job_set_first (SlJob *self, int first)
{
  self->first = first;
}

int
_sl_job_get_first (SlJob *self)
{
  return self->first;
}

SlJob *
_sl_job_get_owner (SlJob *self, guint evaluations)
{
  while (self->parent && evaluations <= self->branch_point)
    self = self->parent;
  return self;
}

SlJob *
sl_job_new_branch (SlJob *parent, guint evaluations, SlSettings *settings)
{
  SlJob *self;

  g_return_val_if_fail (SL_IS_JOB (parent), NULL);

  if (evaluations < 1 || evaluations >= (guint)sl_job_get_evaluations (parent)
      || evaluations > g_list_model_get_n_items (G_LIST_MODEL (parent->frames)))
    return NULL;
  /* Files name a branch by finished steps. */
  while (!sl_job_get_plan (parent)[evaluations - 1].ends_step)
    if (++evaluations > g_list_model_get_n_items (G_LIST_MODEL (parent->frames)))
      return NULL;
  if (evaluations >= (guint)sl_job_get_evaluations (parent))
    return NULL;
  self = sl_job_new (parent->model, settings, parent->previews);
  self->parent = g_object_ref (_sl_job_get_owner (parent, evaluations));
  self->branch_point = evaluations;
  self->plan = g_array_new (FALSE, FALSE, sizeof (SlPlanPoint));
  g_array_append_vals (self->plan, sl_job_get_plan (parent), evaluations);
  for (guint i = 0; i < evaluations; i++)
    {
      g_autoptr (SlFrameObject) frame = g_list_model_get_item (G_LIST_MODEL (parent->frames), i);

      self->seconds += sl_frame_object_get_seconds (frame);
      g_list_store_append (self->frames, frame);
    }
  return self;
}

SlJob *
sl_job_get_parent (SlJob *self)
{
  return self->parent;
}

guint
sl_job_get_branch_point (SlJob *self)
{
  return self->branch_point;
}

void
_sl_job_set_parent (SlJob *self, SlJob *parent, guint branch_point)
{
  g_set_object (&self->parent, parent);
  self->branch_point = branch_point;
}

SlBatches
_sl_job_list_batches (SlJob *self, guint end)
{
  SlBatches batches = { 0 };

  for (guint i = self->parent ? self->branch_point : 0; i < end; i++)
    {
      g_autoptr (SlFrameObject) frame = g_list_model_get_item (G_LIST_MODEL (self->frames), i);
      SlFrame made = _sl_frame_object_get_record (frame).frame;

      if (!sl_batches_add (&batches, made.place, made.together))
        g_error ("out of memory for a list of %u numbers", end); /* as g_malloc */
    }
  return batches;
}

/* ---- places ---- */

void
_sl_job_add_checkpoint (SlJob *self, guint evaluations, GBytes *state)
{
  SlCheckpoint checkpoint = { evaluations, g_bytes_ref (state) };

  self->bytes += g_bytes_get_size (state);
  g_array_append_val (self->checkpoints, checkpoint);
}

GBytes *
_sl_job_find_checkpoint (SlJob *self, guint evaluations, guint *at)
{
  GBytes *found = NULL;

  *at = 0;
  for (guint i = 0; i < self->checkpoints->len; i++)
    {
      const SlCheckpoint *checkpoint = &g_array_index (self->checkpoints, SlCheckpoint, i);

      if (checkpoint->evaluations >= evaluations)
        break;
      found = checkpoint->state;
      *at = checkpoint->evaluations;
    }
  return found;
}
