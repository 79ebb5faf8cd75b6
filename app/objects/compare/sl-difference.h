/* sl-difference.h - how two lanes differ: as numbers, as a picture, and since when.
 *
 * Computed by app/record/difference.h. The heat map is of the decoded pictures when both are decoded, else of
 * both quick previews. Differences of pixels are in steps of 1/255.
 */
#pragma once

#include "app/objects/sl-job.h"

G_BEGIN_DECLS

typedef struct
{
  double mean;
  int largest;
} SlPixelDifference;

/* Root mean square between the pictures' samples (latents); NAN when their sizes differ. */
double sl_difference_rms (SlFrameObject *a, SlFrameObject *b);
/* Between the decoded pictures, which both must have, or the quick previews, in decibels; INFINITY when they
 * are equal, NAN when their sizes differ. */
double sl_difference_psnr (SlFrameObject *a, SlFrameObject *b, gboolean decoded);
/* The colour of a difference, 0 to 1 of what is white. */
void sl_difference_get_color (double difference, guint8 rgb[3]);
typedef struct
{
  SlFrameObject *a;
  SlFrameObject *b;
  SlView view;
  int full; /* the difference, of 255, that is white already */
} SlHeatOf;
/* RGB rows, black where both are equal, over red and yellow to white; NULL when the sizes differ.
 * difference may be NULL. */
GBytes *sl_difference_heat (const SlHeatOf *of, int *width, int *height, SlPixelDifference *difference);
/* TRUE when nobody would see a difference between the quick previews. */
gboolean sl_difference_looks_same (SlFrameObject *a, SlFrameObject *b);
/* The first step (0-based) after which the previews of two lanes look different; -1: none so far. */
int sl_difference_parting (SlJob *a, SlJob *b);
/* The first step (0-based) whose preview looks like the newest one and stays so; -1 without frames. */
int sl_difference_settled (SlJob *job);

G_END_DECLS
