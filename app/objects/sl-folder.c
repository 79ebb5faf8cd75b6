/* sl-folder.c - see sl-folder.h. With readdir: GLib's g_dir_read_name takes an error for the end. */
#include "app/objects/sl-folder.h"

#include <dirent.h>
#include <errno.h>

gboolean
_sl_folder_list (const char *folder, GPtrArray *names, SlError *unread)
{
  DIR *dir = opendir (folder);
  const struct dirent *entry;
  int error = errno;

  while (dir)
    {
      errno = 0;
      entry = readdir (dir);
      error = errno;
      if (entry == NULL)
        break;
      if (*entry->d_name != '.')
        g_ptr_array_add (names, g_strdup (entry->d_name));
    }
  if (dir)
    closedir (dir);
  if (error && error != ENOENT && error != ENOTDIR && unread->code == SL_OK)
    sl_fail (unread, SL_IO, "The folder %s could not be read: %s", sl_show_path (folder).text,
             g_strerror (error));
  return error == 0;
}
