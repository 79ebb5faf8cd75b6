/* sl-picture-content.h - a picture on its way out through the clipboard or a drag. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* The file at path with its settings (path may be NULL), and the texture for programs that want pixels. */
GdkContentProvider *sl_picture_content_new (GdkTexture *texture, const char *path);
/* Several files, of char *, and the texture of the one that was taken hold of. */
GdkContentProvider *sl_picture_content_new_list (GdkTexture *texture, GPtrArray *paths);
/* A small picture under the pointer while it is dragged. */
void sl_picture_content_set_icon (GtkDragSource *source, GdkTexture *texture);

G_END_DECLS
