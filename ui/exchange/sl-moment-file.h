/* sl-moment-file.h - a moment of a run on its way into a file or the gallery. It is decoded first where that is
 * still to be done.
 */
#pragma once

#include <gtk/gtk.h>

#include "ui/workspace/sl-workspace.h"

G_BEGIN_DECLS

typedef struct
{
  SlJob *job;
  SlFrameObject *frame; /* one of job's */
} SlMomentOfRun;

/* Writes it to path with its settings. from is the widget that says what came of it (see sl-notice.h). */
void
sl_moment_file_save (SlWorkspace *workspace, GtkWidget *from, const SlMomentOfRun *moment, const char *path);
/* Writes it into the pictures folder under a new name, and adds it to the gallery. Where that fails, the workspace's
 * keeper has it. Nothing where that is going on already. */
void sl_moment_file_keep (SlWorkspace *workspace, GtkWidget *from, const SlMomentOfRun *moment);
/* The file in the gallery that a moment was written into, or NULL. */
const char *sl_moment_file_get_path (SlFrameObject *frame);

G_END_DECLS
