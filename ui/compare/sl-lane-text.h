/* sl-lane-text.h - the words about a lane: its name, its settings, its figures. All are new strings. */
#pragma once

#include "app/objects/objects.h"

G_BEGIN_DECLS

/* What makes it different, in a few words: "Euler · 20 steps". */
char *sl_lane_title (SlCompareLane *lane, SlSettings *recipe);
/* All that matters of its settings, a line each. */
char *sl_lane_settings (SlCompareLane *lane, SlSettings *recipe);
/* Two short lines: how far, how much, how fast; frame is what the lane shows. */
char *sl_lane_figures (SlJob *job, SlFrameObject *frame);
/* The same with words, a line each. */
char *sl_lane_figures_in_full (SlJob *job, SlFrameObject *frame);
/* What a heat map says in numbers. */
char *sl_lane_difference (const SlPixelDifference *difference);
/* "1.3 s", "240 ms", "2 min 5 s" */
char *sl_duration_text (double seconds);
/* What a lane without a picture says; NULL where it has one. */
const char *sl_lane_message (SlJob *job);

G_END_DECLS
