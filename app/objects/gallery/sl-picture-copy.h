/* sl-picture-copy.h - pictures copied into another folder, on the file thread. */
#pragma once

#include <gio/gio.h>

#include "app/objects/sl-thread-queue.h"

G_BEGIN_DECLS

/* How many were copied; error says why not all. */
typedef void (*SlPicturesCopied) (guint copied, const GError *error, gpointer user_data);

/* pictures: of SlPicture. Nothing in the folder is replaced: a name that is taken gets a number. The folder is made. */
void sl_pictures_copy (SlThreadQueue *files,
                       GPtrArray *pictures,
                       const char *folder,
                       SlPicturesCopied copied,
                       gpointer user_data);

G_END_DECLS
