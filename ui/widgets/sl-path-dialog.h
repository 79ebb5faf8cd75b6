/* sl-path-dialog.h - asks a person for a file or a folder, to open or to save. It begins where the same question was
 * answered before, and where something was saved before.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

typedef enum
{
  SL_PATH_OPEN,
  SL_PATH_OPEN_SEVERAL, /* at least one */
  SL_PATH_SAVE,
  SL_PATH_FOLDER,
} SlPathWanted;

typedef struct
{
  GtkWidget *from; /* any widget of the window that the dialog belongs to */
  const char *title;
  SlPathWanted wants;
  const char *name;        /* what a new file is called at first, or NULL */
  const char *filter_name; /* only files of this kind are shown; NULL: all */
  const char *pattern;     /* of that kind, "*.png"; several with spaces between them */
} SlPathDialog;

/* Only called with a path; what is the string that was given to sl_path_dialog_show. */
typedef void (*SlPathChosen) (gpointer object, const char *path, const char *what);

/* Of SL_PATH_OPEN_SEVERAL: all of them, up to NULL. */
typedef void (*SlPathsChosen) (gpointer object, const char *const *paths);

/* chosen is not called any more when object is gone. what may be NULL, and is copied. */
void sl_path_dialog_show (const SlPathDialog *dialog, SlPathChosen chosen, GObject *object, const char *what);
void sl_path_dialog_show_several (const SlPathDialog *dialog, SlPathsChosen chosen, GObject *object);

G_END_DECLS
