/* sl-comparison-place.c - the place in all lanes that is looked at; see sl-comparison.h. */
#include "app/objects/compare/sl-comparison-private.h"

/* Positions that differ by less are the same place. */
#define SAME 1e-6

static double
position_in_plan (const SlPlanPoint *point, guint evaluation, SlAlign align)
{
  switch (align)
    {
    case SL_ALIGN_STEPS:
      return point->step + 1;
    case SL_ALIGN_SIGMA:
      return point->sigma;
    case SL_ALIGN_EVALUATIONS:
    default:
      return evaluation + 1;
    }
}

double
sl_comparison_position_of (SlComparison *self, guint index, guint evaluation)
{
  SlJob *job = sl_comparison_get_job (self, index);
  const SlPlanPoint *plan = job ? sl_job_get_plan (job) : NULL;

  if (plan == NULL || evaluation >= (guint)sl_job_get_evaluations (job))
    return 0;
  return position_in_plan (&plan[evaluation], evaluation, self->align);
}

/* TRUE when a comes before b on the axis. */
static gboolean
is_before (SlComparison *self, double a, double b)
{
  if (self->align == SL_ALIGN_SIGMA)
    return a > b * (1 + SAME) + SAME * SAME;
  return a < b - SAME;
}

static void
extend (SlComparison *self, double position, gboolean *any, double *first, double *last)
{
  if (!*any || is_before (self, position, *first))
    *first = position;
  if (!*any || is_before (self, *last, position))
    *last = position;
  *any = TRUE;
}

/* Of what is computed, or of all that is planned. The first and the last evaluation of a lane are its
 * ends: no scheduler goes back. */
static gboolean
find_ends (SlComparison *self, gboolean computed, double *first, double *last)
{
  gboolean any = FALSE;

  for (guint i = 0; i < _sl_comparison_count (self); i++)
    {
      SlJob *job = sl_comparison_get_job (self, i);
      guint n
          = computed ? _sl_comparison_count_frames (job) : (guint)(job ? sl_job_get_evaluations (job) : 0);

      if (n > 0)
        {
          extend (self, sl_comparison_position_of (self, i, 0), &any, first, last);
          extend (self, sl_comparison_position_of (self, i, n - 1), &any, first, last);
        }
    }
  return any;
}

gboolean
sl_comparison_get_range (SlComparison *self, double *first, double *last)
{
  return find_ends (self, FALSE, first, last);
}

static void
place (SlComparison *self, double position)
{
  double first, last;

  if (!find_ends (self, TRUE, &first, &last))
    return;
  if (is_before (self, position, first))
    position = first;
  self->following = !is_before (self, position, last);
  self->position = self->following ? last : position;
  g_signal_emit_by_name (self, "moved");
}

void
sl_comparison_set_position (SlComparison *self, double position)
{
  place (self, position);
}

double
sl_comparison_get_position (SlComparison *self)
{
  return self->position;
}

gboolean
sl_comparison_is_following (SlComparison *self)
{
  return self->following;
}

/* The next place in that direction where some lane has a frame; the position itself at the end. */
static double
neighbour (SlComparison *self, double from, gboolean forward)
{
  double best = from;

  for (guint i = 0; i < _sl_comparison_count (self); i++)
    for (guint j = 0; j < _sl_comparison_count_frames (sl_comparison_get_job (self, i)); j++)
      {
        double position = sl_comparison_position_of (self, i, j);
        gboolean beyond = forward ? is_before (self, from, position) : is_before (self, position, from);
        gboolean nearer
            = best == from || (forward ? is_before (self, position, best) : is_before (self, best, position));

        if (beyond && nearer)
          best = position;
      }
  return best;
}

void
sl_comparison_move (SlComparison *self, int by)
{
  double first, last, position = self->position;

  if (!find_ends (self, TRUE, &first, &last))
    return;
  if (by == G_MININT || by == G_MAXINT)
    position = by == G_MININT ? first : last;
  else
    for (int i = 0; i < ABS (by); i++)
      position = neighbour (self, position, by > 0);
  place (self, position);
}

void
sl_comparison_set_align (SlComparison *self, SlAlign align)
{
  SlJob *job = sl_comparison_get_job (self, sl_comparison_get_reference (self));
  SlFrameObject *frame = sl_comparison_get_frame (self, sl_comparison_get_reference (self));
  gboolean following = self->following;

  if (self->align == align)
    return;
  self->align = align;
  /* The reference lane stays where it is, the others come to its side. */
  if (job && frame && !following)
    place (self, sl_comparison_position_of (self, sl_comparison_get_reference (self),
                                            (guint)sl_frame_object_get_index (frame)));
  else
    sl_comparison_move (self, G_MAXINT);
  g_signal_emit_by_name (self, "state");
}

SlAlign
sl_comparison_get_align (SlComparison *self)
{
  return self->align;
}

SlFrameObject *
sl_comparison_get_frame (SlComparison *self, guint index)
{
  SlJob *job = sl_comparison_get_job (self, index);
  guint n = _sl_comparison_count_frames (job), found = 0;
  g_autoptr (SlFrameObject) frame = NULL;

  if (n == 0)
    return NULL;
  for (guint i = 1; i < n; i++)
    if (!is_before (self, self->position, sl_comparison_position_of (self, index, i)))
      found = i;
  frame = g_list_model_get_item (sl_job_get_frames (job), found);
  return frame; /* borrowed: the job holds it */
}
