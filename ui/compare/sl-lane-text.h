/* sl-lane-text.h - the words about a lane: its settings, its figures (sl_comparison_dup_lane_name has its name). All are new strings. */
#pragma once

#include "app/objects/objects.h"

G_BEGIN_DECLS

/* One setting of a lane in a few words: "20 steps". */
char *sl_lane_setting (const SlControl *control, SlSettings *settings);
/* All settings that are worth comparing, a line each. */
char *sl_lane_settings (SlCompareLane *lane, SlSettings *recipe);
/* Two short lines about the frame that the lane shows: its step and noise level; how many evaluations were made
 * until there, and what they took. */
char *sl_lane_figures (SlJob *job, SlFrameObject *frame);
/* The same with words, a line each. */
char *sl_lane_figures_in_full (SlJob *job, SlFrameObject *frame);
/* What a heat map says in numbers. */
char *sl_lane_difference (const SlPixelDifference *difference);
/* What a lane without a picture says; NULL where it has one. */
const char *sl_lane_message (SlJob *job);

G_END_DECLS
