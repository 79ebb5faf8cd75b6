/* sl-comparison-export.h - a comparison's contact sheet, animation and report, and the film of a single run, off
 * the main thread. Each carries what `safelight replay --verify` needs.
 */
#pragma once

#include "app/objects/compare/sl-comparison.h"
#include "app/objects/sl-thread-queue.h"

G_BEGIN_DECLS

typedef struct _SlExportTask SlExportTask;

/* error is NULL when it is written; borrowed during the call. */
typedef void (*SlExported) (const GError *error, gpointer user_data);
/* 0 .. 1 */
typedef void (*SlExportProgress) (double fraction, gpointer user_data);

typedef struct
{
  SlThreadQueue *files;
  SlWorker *worker;
  SlExportProgress progress; /* may be NULL */
  SlExported exported;       /* called once, also after a cancel */
  gpointer user_data;
} SlExportCall;

/* FALSE in a build without libwebp. */
gboolean sl_export_has_animations (void);

/* The lanes where they are at the position, labelled. The task is borrowed until exported was called;
 * NULL where there is nothing to write, and exported was called with the reason. */
SlExportTask *
sl_comparison_export_sheet (SlComparison *comparison, const char *path, const SlExportCall *call);
/* Their development, lined up as they are seen. */
SlExportTask *
sl_comparison_export_animation (SlComparison *comparison, const char *path, const SlExportCall *call);
/* Figures, pictures, curves and settings of all lanes as one page; titles has a name for each lane. */
SlExportTask *sl_comparison_export_report (SlComparison *comparison,
                                           const char *const *titles,
                                           const char *path,
                                           const SlExportCall *call);
/* The development of one run. */
SlExportTask *sl_job_export_animation (SlJob *job, const char *path, const SlExportCall *call);
void sl_export_cancel (SlExportTask *task);

G_END_DECLS
