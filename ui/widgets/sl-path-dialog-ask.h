/* sl-path-dialog-ask.h - the toolkit's side of sl-path-dialog.h: GtkFileChooserNative (gtk-4.8/), and since GTK 4.10 GtkFileDialog
 * (gtk-4.14/). */
#pragma once

#include "ui/widgets/sl-path-dialog.h"

G_BEGIN_DECLS

/* files, of GFile, is borrowed, and NULL where a person chose none. */
typedef void (*SlPathAnswered) (GListModel *files, gpointer data);

/* answered is called once. filter and folder, in which it begins, may be NULL. */
void sl_path_dialog_ask (
    const SlPathDialog *dialog, GtkFileFilter *filter, GFile *folder, SlPathAnswered answered, gpointer data);

G_END_DECLS
