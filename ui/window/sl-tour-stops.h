/* sl-tour-stops.h - the stops of the tour: what each says and how it sets the window up. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  SL_TOUR_RUN,   /* a run in the darkroom */
  SL_TOUR_LANES, /* lanes of Compare */
} SlTourPlace;

#define SL_TOUR_MAX_LANES 2

typedef struct
{
  const char *title; /* to be translated, as the text */
  const char *text;  /* two sentences: what is to be seen, and what to do */
  const char *model;
  const char *scheduler;
  int steps;
  SlTourPlace place;
  /* of a run: */
  gboolean noisy; /* the sample, not the prediction */
  /* of lanes: NULL: the run of the darkroom is the only one; or a preset of Compare, */
  const char *preset;
  const char *lanes[SL_TOUR_MAX_LANES]; /* or, where it is "", schedulers; */
  gboolean inside;                      /* looked at inside the step */
  double branch_guidance;               /* and a branch from where the stop is, with this guidance; 0: none */
  double at;                            /* the share of the run at which it is looked at */
} SlTourStop;

guint sl_tour_stop_count (void);
const SlTourStop *sl_tour_stop_nth (guint i);

G_END_DECLS
