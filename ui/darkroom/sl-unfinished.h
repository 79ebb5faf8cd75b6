/* sl-unfinished.h - pictures that were running or waiting when the window was closed, offered at the next start. */
#pragma once

#include <gtk/gtk.h>

#include "ui/workspace/sl-workspace.h"

G_BEGIN_DECLS

/* Before the window closes: how far the running one came is kept in the gallery, where that costs no time. from is for
 * sl-notice.h. */
void sl_unfinished_keep_moment (SlWorkspace *workspace, GtkWidget *from);
/* Then: remembers the recipes of all jobs, and behind them those of another time that nobody has resumed yet. lost is a job whose GPU failed and that shall be done again, or NULL. FALSE and
 * a sentence where they could not be written. */
gboolean sl_unfinished_write (SlWorkspace *workspace, SlJob *lost, GError **error);
/* The same, and empties the queue. */
void sl_unfinished_remember (SlWorkspace *workspace, SlJob *lost);
/* A job that sl_unfinished_remember has remembered is nothing to go on with. */
void sl_unfinished_forget (SlWorkspace *workspace, SlJob *job);
/* Shows a toast whose button is the action "win.resume". Nothing where nothing was left. */
void sl_unfinished_offer (SlWorkspace *workspace, GtkWidget *from);
/* Puts those that fit the chosen model into the queue. The others stay remembered, and a dialog says which they are and
 * why, and takes "forget". */
void sl_unfinished_resume (SlWorkspace *workspace, GtkWidget *from);

G_END_DECLS
