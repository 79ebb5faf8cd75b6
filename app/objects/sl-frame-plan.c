/* sl-frame-plan.c - see sl-frame-plan.h. */
#include "app/objects/sl-frame-plan.h"

/* As many places of a run that is kept whole can be branched from at once. */
#define CHECKPOINTS 12
/* Of a run that is not: so many at most, within a quarter of its bytes. */
#define MOST_CHECKPOINTS 64

static const int light_sides[] = { 64, 32, 16 };

static gsize
whole_bytes (const SlFrameSizes *sizes)
{
  /* two samples, the parts in half precision, two previews */
  gsize pixels = (gsize)sizes->height * sizes->width, parts = sizes->guided ? 2 : 1;

  return pixels * ((gsize)sizes->channels * (2 * sizeof (float) + parts * sizeof (guint16)) + 2 * 3);
}

static gsize
light_bytes (const SlFrameSizes *sizes, int side)
{
  int by = MAX (1, (MAX (sizes->width, sizes->height) + side - 1) / side);

  return (gsize)((sizes->width + by - 1) / by) * ((sizes->height + by - 1) / by) * 2 * 3;
}

static int
count_of (int n, int every)
{
  return (n + every - 1) / every;
}

gsize
sl_frame_plan_bytes (const SlFramePlan *plan, const SlFrameSizes *sizes)
{
  int n = sizes->evaluations, whole = count_of (n, plan->whole_every); /* every k-th, and the last */
  gsize last_x_0 = (gsize)sizes->channels * sizes->height * sizes->width * sizeof (float);

  return last_x_0 + whole * whole_bytes (sizes) + (n - whole) * light_bytes (sizes, plan->light_side)
         + n / plan->checkpoint_every * sizes->state;
}

static SlFramePlan
all_whole (const SlFrameSizes *sizes)
{
  return (SlFramePlan){ 1, light_sides[0], 1 + (sizes->evaluations - 1) / CHECKPOINTS };
}

gsize
sl_frame_plan_whole_bytes (const SlFrameSizes *sizes)
{
  SlFramePlan plan = all_whole (sizes);

  return sl_frame_plan_bytes (&plan, sizes);
}

SlFramePlan
sl_frame_plan_new (const SlFrameSizes *sizes, gsize budget)
{
  SlFramePlan plan = all_whole (sizes);
  int n = sizes->evaluations, places;
  guint side = 0;

  if (sl_frame_plan_bytes (&plan, sizes) <= budget)
    return plan;
  while (side + 1 < G_N_ELEMENTS (light_sides) && n * light_bytes (sizes, light_sides[side]) > budget / 3)
    side++;
  plan.light_side = light_sides[side];
  places = (int)CLAMP (budget / 4 / MAX (sizes->state, 1), 1, MOST_CHECKPOINTS);
  plan.checkpoint_every = MAX (count_of (n, places), 1);
  for (plan.whole_every = 2; plan.whole_every < n; plan.whole_every++)
    if (sl_frame_plan_bytes (&plan, sizes) <= budget)
      break;
  return plan;
}
