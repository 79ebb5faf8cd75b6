/* compare_first.h - what the first edition wrote on sheets and animations, to the letter: `replay
 * --verify` draws its files again and compares their pixels. Files of this edition are compared by the
 * pictures themselves, so what stands on them may change.
 */
#ifndef SL_APP_COMPARE_FIRST_H
#define SL_APP_COMPARE_FIRST_H

#include "app/record/compare.h"

bool sl_first_heading(const SlCompare *c, char *out, size_t size, SlError *err);
/* Title and detail of lane i on a sheet, and on an animation at a place. */
bool sl_first_end(const SlCompare *c, int i, SlSheetTile *tile, SlError *err);
bool sl_first_moment(const SlCompare *c, int i, SlPlace place, SlSheetTile *tile, SlError *err);

#endif
