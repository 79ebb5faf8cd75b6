/* sl-frame-plan.h - what of a run's frames is kept, so that long runs of large samples stay within a
 * number of bytes: some frames whole, of the others a small preview, and places from which those are
 * made again.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  int evaluations; /* that the run will make */
  int channels;    /* of the sample, as the next two */
  int height;
  int width;
  gboolean guided; /* there is a guidance term to keep */
  gsize state;     /* bytes of a place that the run can be taken up at again */
} SlFrameSizes;

typedef struct
{
  int whole_every;      /* of so many frames one is kept whole; 1: all */
  int light_side;       /* longest side of the others' previews */
  int checkpoint_every; /* evaluations between places */
} SlFramePlan;

/* All whole where that is within the budget. Otherwise as many as fit beside the places and the
 * previews, and more places, since any other frame is computed again from the one before it. */
SlFramePlan sl_frame_plan_new (const SlFrameSizes *sizes, gsize budget);
/* What a run takes under a plan. */
gsize sl_frame_plan_bytes (const SlFramePlan *plan, const SlFrameSizes *sizes);
/* What it takes whole. */
gsize sl_frame_plan_whole_bytes (const SlFrameSizes *sizes);

G_END_DECLS
