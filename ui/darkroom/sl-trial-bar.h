/* sl-trial-bar.h - the bar under the tray that tries other guidance on the step that is shown. */
#pragma once

#include <adwaita.h>

#include "app/objects/objects.h"

G_BEGIN_DECLS

#define SL_TYPE_TRIAL_BAR (sl_trial_bar_get_type ())

G_DECLARE_FINAL_TYPE (SlTrialBar, sl_trial_bar, SL, TRIAL_BAR, AdwBin)

/* The guidance of a run is where it begins. Signals: "changed" by a person; "continued": the run is to go on so. */
void sl_trial_bar_begin (SlTrialBar *self, SlSettings *settings);
/* Whether it can be tried on this step, else why not, and how it went. Borrowed. */
void sl_trial_bar_set_possible (SlTrialBar *self, SlTrialPossible possible);
/* Why there is no picture of it, or NULL. */
void sl_trial_bar_set_problem (SlTrialBar *self, const char *problem);
/* A screen reader says what the bar is for, or why nothing can be tried: the keyboard stays where it was when the bar comes up. */
void sl_trial_bar_tell (SlTrialBar *self);
/* The run's settings with what the bar says; a new reference. And which of them it is that differ. */
SlSettings *sl_trial_bar_get_settings (SlTrialBar *self, SlOwn *own);
/* What differs, in words; "": nothing. */
char *sl_trial_bar_describe (SlTrialBar *self);

G_END_DECLS
