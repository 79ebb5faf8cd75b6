/* sl-comparison-file.h - a comparison as one file that opens again with all lanes and steps.
 *
 * The file is app/core/lanes_file.h's, and has in addition "lane.<i>.output" and "lane.<i>.guidance" in F16
 * where there are any, and what the lanes are in the window. Of runs that are not kept whole it has the
 * moments that are.
 */
#pragma once

#include "app/sl-comparison.h"
#include "app/sl-lane.h"

G_BEGIN_DECLS

#define SL_COMPARISON_SUFFIX ".safelight"

typedef void (*SlComparisonSaved) (const GError *error, gpointer user_data);
/* Finds the model that a file names; NULL when it is not here. */
typedef SlModelItem *(*SlComparisonFindModel) (const char *name, gpointer user_data);

/* What there is now, with all lanes' frames. */
void sl_comparison_file_save (
    SlComparison *comparison, SlLane *files, const char *path, SlComparisonSaved saved, gpointer user_data);
/* Replaces the comparison's lanes; after an error they are as they were. */
void sl_comparison_file_load (SlComparison *comparison,
                              SlLane *files,
                              const char *path,
                              SlComparisonFindModel find_model,
                              SlComparisonSaved loaded,
                              gpointer user_data);

G_END_DECLS
