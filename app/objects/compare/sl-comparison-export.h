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

/* How an animation looks; see SlReelLook. */
typedef struct
{
  guint ms;   /* that each picture is shown; 0: as is usual */
  guint side; /* both sides get so many pixels at least; 0: as is usual */
  gboolean captions;
} SlExportLook;

/* What an animation can be saved as. lacks: NULL, or why this build cannot write it, to be translated. */
typedef struct
{
  const char *name;   /* "WebP" */
  const char *ending; /* ".webp" */
  const char *lacks;
} SlExportFormat;

guint sl_export_count_formats (void);
SlExportFormat sl_export_nth_format (guint n);
/* FALSE in a build that writes no animation at all. */
gboolean sl_export_has_animations (void);
/* A name for a file of this comparison or run: its prompt, and what tells it from others, with an ending. frame, of a
 * run: a moment before its end is named by its step; NULL: all of it. */
char *sl_comparison_dup_file_name (SlComparison *comparison, const char *ending);
char *sl_job_dup_file_name (SlJob *job, SlFrameObject *frame, const char *ending);

/* The lanes where they are at the position, labelled. The task is borrowed until exported was called;
 * NULL where there is nothing to write, and exported was called with the reason. */
SlExportTask *
sl_comparison_export_sheet (SlComparison *comparison, const char *path, const SlExportCall *call);
/* Their development, lined up as they are seen; as the path's ending says. look NULL: as is usual. */
SlExportTask *sl_comparison_export_animation (SlComparison *comparison,
                                              const char *path,
                                              const SlExportLook *look,
                                              const SlExportCall *call);
/* Figures, pictures, curves and settings of all lanes as one page; titles has a name for each lane. */
SlExportTask *sl_comparison_export_report (SlComparison *comparison,
                                           const char *const *titles,
                                           const char *path,
                                           const SlExportCall *call);
/* The development of one run. */
SlExportTask *
sl_job_export_animation (SlJob *job, const char *path, const SlExportLook *look, const SlExportCall *call);
void sl_export_cancel (SlExportTask *task);

G_END_DECLS
