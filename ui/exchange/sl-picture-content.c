/* sl-picture-content.c - see sl-picture-content.h. */
#include "ui/exchange/sl-picture-content.h"

#define ICON_SIDE 96

GdkContentProvider *
sl_picture_content_new (GdkTexture *texture, const char *path)
{
  GdkContentProvider *providers[3];
  gsize n = 0;

  if (path)
    {
      g_autoptr (GFile) file = g_file_new_for_path (path);
      g_autofree char *data = NULL;
      gsize length;

      providers[n++] = gdk_content_provider_new_typed (G_TYPE_FILE, file);
      if (g_file_get_contents (path, &data, &length, NULL))
        {
          g_autoptr (GBytes) bytes = g_bytes_new_take (g_steal_pointer (&data), length);

          providers[n++] = gdk_content_provider_new_for_bytes ("image/png", bytes);
        }
    }
  providers[n++] = gdk_content_provider_new_typed (GDK_TYPE_TEXTURE, texture);
  return gdk_content_provider_new_union (providers, n);
}

GdkContentProvider *
sl_picture_content_new_list (GdkTexture *texture, GPtrArray *paths)
{
  GdkContentProvider *providers[2];
  GSList *files = NULL;
  GdkFileList *list;

  for (guint i = paths->len; i-- > 0;)
    files = g_slist_prepend (files, g_file_new_for_path (paths->pdata[i]));
  list = gdk_file_list_new_from_list (files);
  providers[0] = gdk_content_provider_new_typed (GDK_TYPE_FILE_LIST, list);
  providers[1] = gdk_content_provider_new_typed (GDK_TYPE_TEXTURE, texture);
  g_boxed_free (GDK_TYPE_FILE_LIST, list);
  g_slist_free_full (files, g_object_unref);
  return gdk_content_provider_new_union (providers, 2);
}

void
sl_picture_content_set_icon (GtkDragSource *source, GdkTexture *texture)
{
  double aspect = gdk_paintable_get_intrinsic_aspect_ratio (GDK_PAINTABLE (texture));
  g_autoptr (GtkSnapshot) snapshot = gtk_snapshot_new ();
  g_autoptr (GdkPaintable) icon = NULL;

  gdk_paintable_snapshot (GDK_PAINTABLE (texture), snapshot, ICON_SIDE, ICON_SIDE / aspect);
  icon = gtk_snapshot_to_paintable (snapshot, NULL);
  gtk_drag_source_set_icon (source, icon, ICON_SIDE / 2, ICON_SIDE / 2);
}
