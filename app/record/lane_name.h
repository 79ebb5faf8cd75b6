/* lane_name.h - what lanes are called: the one rule for the window, sheets, animations, tables and
 * the command line.
 *
 * A name is the lane's scheduler, of a branch the step that it begins at, and those settings that tell
 * it from the others: what more than half of the lanes have alike is not named, what a branch has
 * otherwise than its parent always is. "Euler from step 8, guidance 5". So names depend on the other
 * lanes, and two have the same name only where nothing differs.
 */
#ifndef SL_APP_LANE_NAME_H
#define SL_APP_LANE_NAME_H

#include "app/files/files.h"
#include "engine/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is known of a lane. */
typedef struct SlNamedLane {
    const SlRecipe *recipe;
    const SlRecipe *left; /* of a branch: its parent's; NULL: from noise */
    int step;             /* of a branch: the steps that were finished where it begins */
} SlNamedLane;

/* The language; NULL in place of it: English. gettext's functions by these names. */
typedef struct SlLaneWords {
    const char *(*gettext)(const char *text);
    const char *(*ngettext)(const char *one, const char *many, unsigned long n);
    char point; /* between a number's whole and its part */
} SlLaneWords;

/* What tells lanes from each other: found once for the names of all of them, since there may be a
 * thousand. Borrows the lanes. NULL without memory. */
typedef struct SlLaneNames SlLaneNames;
SlLaneNames *sl_lane_names_new(const SlNamedLane *lanes, int count);
void sl_lane_names_free(SlLaneNames *names); /* NULL is fine */
/* The name of lane i, added to *out (whose `failed` says that memory ran out). */
void sl_lane_names_add(const SlLaneNames *names, int i, const SlLaneWords *words, SlText *out);

#ifdef __cplusplus
}
#endif

#endif
