/* sl-comparison-file.h - a comparison as one file that opens again with all lanes and steps, and its
 * contact sheet.
 *
 * The file is a safetensors file: "lane.<i>.x_t" and "lane.<i>.x_0" [frames, C, h, w] in F32,
 * "lane.<i>.output" and "lane.<i>.guidance" in F16 where there are any, "lane.<i>.preview"
 * [2, frames, h, w, 3] in U8, and JSON under "safelight" with what each lane is. Any reader of
 * safetensors can use it.
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
/* The pictures at the position, labelled; those that are decoded. titles has one for each lane. */
void sl_comparison_sheet_save (SlComparison *comparison,
                               SlLane *files,
                               const char *path,
                               char **titles,
                               SlComparisonSaved saved,
                               gpointer user_data);

G_END_DECLS
