/* sl-tour.h - the guided tour: a bar over the pages that sets the window up stop by stop (sl-tour-stops.c) and says what
 * there is to see.
 *
 * Every stop is a real run. What the person had (model, recipe, lanes) is kept and given back when the tour is left.
 */
#pragma once

#include "ui/compare/sl-compare-page.h"
#include "ui/darkroom/sl-darkroom-page.h"

G_BEGIN_DECLS

#define SL_TYPE_TOUR (sl_tour_get_type ())

G_DECLARE_FINAL_TYPE (SlTour, sl_tour, SL, TOUR, AdwBin)

/* Once. Adds its actions: "tour", "tour-next", "tour-back", "tour-leave". */
void sl_tour_connect (SlTour *self,
                      SlWorkspace *workspace,
                      SlDarkroomPage *darkroom,
                      SlComparePage *compare,
                      GActionMap *actions);
/* Where the window is narrow, the buttons stand under the text. */
void sl_tour_set_narrow (SlTour *self, gboolean narrow);
gboolean sl_tour_is_on (SlTour *self);
guint sl_tour_get_stop (SlTour *self);
/* The runs of the stop are done, and the window shows what its text speaks of. */
gboolean sl_tour_is_ready (SlTour *self);
/* As the person had it; the stop is remembered. */
void sl_tour_leave (SlTour *self);

G_END_DECLS
