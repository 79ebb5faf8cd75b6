/* sl-comparison-shelf.h - comparisons are kept by themselves, so that quitting, starting anew and clearing lose none.
 *
 * They lie as .safelight files in a folder of their own. A comparison is written when it has come to rest, before its
 * lanes or runs go, and when the window closes. It keeps its file as long as all that was written before is still a part
 * of it; otherwise what it is now gets another file, and the former one stays. What takes more room than there shall be
 * is removed, the oldest first, but never one that is open here or in another window.
 *
 * A list of SlKeptComparison, the newest first. Main thread only.
 */
#pragma once

#include "app/objects/compare/sl-comparison.h"
#include "app/objects/compare/sl-kept-comparison.h"
#include "app/objects/sl-keeper.h"
#include "app/objects/sl-list.h"

G_BEGIN_DECLS

#define SL_SHELF_MAX_FILES 40
#define SL_SHELF_MAX_BYTES ((guint64)2 << 30)

#define SL_TYPE_COMPARISON_SHELF (sl_comparison_shelf_get_type ())

G_DECLARE_FINAL_TYPE (SlComparisonShelf, sl_comparison_shelf, SL, COMPARISON_SHELF, SlList)

/* files is borrowed until sl_comparison_shelf_close. */
SlComparisonShelf *sl_comparison_shelf_new (SlComparison *comparison, SlKeeper *keeper, SlThreadQueue *files);
/* Reads the folder in the background; it need not be there. */
void sl_comparison_shelf_open (SlComparisonShelf *self, const char *folder);
/* At most so many files and bytes from now on, instead of the usual. */
void sl_comparison_shelf_set_bounds (SlComparisonShelf *self, guint files, guint64 bytes);
/* What the comparison is now, if there is anything new in it. */
void sl_comparison_shelf_keep (SlComparisonShelf *self);
/* The comparison's lanes are those of this file now. */
void sl_comparison_shelf_took (SlComparisonShelf *self, const char *path);
/* While it sleeps nothing is kept: the lanes are nobody's work. */
void sl_comparison_shelf_set_asleep (SlComparisonShelf *self, gboolean asleep);
/* Its file goes to the trash. */
void sl_comparison_shelf_remove (SlComparisonShelf *self, SlKeptComparison *kept);
void sl_comparison_shelf_close (SlComparisonShelf *self);

G_END_DECLS
