/* sl-comparison-file.h - a comparison as one file that opens again with all lanes and steps.
 *
 * The file is app/record/lanes_file.h's, which reads and writes it for the command line, too. It has all lanes that
 * have begun, and of a branch whose parent is no lane any more, its ancestors' moments.
 */
#pragma once

#include "app/objects/compare/sl-comparison.h"
#include "app/objects/sl-thread-queue.h"

G_BEGIN_DECLS

#define SL_COMPARISON_SUFFIX ".safelight"

typedef void (*SlComparisonSaved) (const GError *error, gpointer user_data);
/* renamed is the name that the file gives its model where the one here with the same weights has another;
 * else NULL. */
typedef void (*SlComparisonLoaded) (const GError *error, const char *renamed, gpointer user_data);

/* What there is now, with all lanes' frames. */
void sl_comparison_file_save (SlComparison *comparison,
                              SlThreadQueue *files,
                              const char *path,
                              SlComparisonSaved saved,
                              gpointer user_data);
/* Replaces the comparison's lanes; after an error they are as they were. Of models, of SlModelItem, the one
 * with the weights that the file names is taken, the one with its name first. */
void sl_comparison_file_load (SlComparison *comparison,
                              SlThreadQueue *files,
                              const char *path,
                              GListModel *models,
                              SlComparisonLoaded loaded,
                              gpointer user_data);

G_END_DECLS
