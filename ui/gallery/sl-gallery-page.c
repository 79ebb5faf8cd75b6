/* sl-gallery-page.c - see sl-gallery-page.h. */
#include "ui/gallery/sl-gallery-page.h"

#include <glib/gi18n.h>

#include "ui/widgets/sl-notice.h"
#include "ui/widgets/sl-page.h"
#include "ui/widgets/sl-path-dialog.h"
#include "ui/widgets/sl-toolkit.h"

#define UNDO_SECONDS 8

struct _SlGalleryPage
{
  AdwBin parent_instance;
  SlGalleryView *view;
  SlWorkspace *workspace;
  GActionMap *actions; /* the window's; not held */
  SlPicture *shown;    /* by the darkroom */
  GQueue offers;       /* toasts that offer to undo a deletion, the newest first; not held */
};

G_DEFINE_FINAL_TYPE (SlGalleryPage, sl_gallery_page, ADW_TYPE_BIN)

enum
{
  OPENED,
  DELETED,
  SETTINGS_WANTED,
  COMPARE_WANTED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* Of SlPicture; empty: none. */
static GPtrArray *
chosen_pictures (SlGalleryPage *self)
{
  GPtrArray *chosen;

  if (sl_page_is_shown (GTK_WIDGET (self)))
    return sl_gallery_view_get_chosen (self->view);
  chosen = g_ptr_array_new_with_free_func (g_object_unref);
  if (self->shown)
    g_ptr_array_add (chosen, g_object_ref (self->shown));
  return chosen;
}

/* For what can be done with one only: NULL where there are more. Borrowed: the gallery holds it. */
static SlPicture *
chosen_picture (SlGalleryPage *self)
{
  g_autoptr (GPtrArray) chosen = chosen_pictures (self);

  return chosen->len == 1 ? chosen->pdata[0] : NULL;
}

static gboolean
are_favourites (GPtrArray *pictures)
{
  for (guint i = 0; i < pictures->len; i++)
    if (!sl_picture_is_favourite (pictures->pdata[i]))
      return FALSE;
  return pictures->len > 0;
}

void
sl_gallery_page_update (SlGalleryPage *self)
{
  static const char *const of_several[]
      = { "delete", "favourite", "copy-pictures", "copy-pictures-to", "compare-pictures" };
  g_autoptr (GPtrArray) chosen = NULL;
  SlPicture *picture;
  gboolean ours;

  if (self->workspace->closed)
    return;
  chosen = chosen_pictures (self);
  picture = chosen_picture (self);
  for (guint i = 0; i < G_N_ELEMENTS (of_several); i++)
    sl_page_enable_action (self->actions, of_several[i], chosen->len > 0);
  /* A file from elsewhere is only shown. */
  ours = chosen->len > 0
         && sl_gallery_find (self->workspace->gallery, sl_picture_get_path (chosen->pdata[0])) != G_MAXUINT;
  sl_page_enable_action (self->actions, "delete", ours);
  sl_page_enable_action (self->actions, "favourite", ours);
  g_simple_action_set_state (G_SIMPLE_ACTION (g_action_map_lookup_action (self->actions, "favourite")),
                             g_variant_new_boolean (are_favourites (chosen)));
  sl_page_enable_action (self->actions, "use-settings", picture != NULL);
  sl_page_enable_action (self->actions, "show-parent", picture && sl_picture_get_parent (picture));
  sl_page_enable_action (self->actions, "show-family",
                         picture && sl_picture_get_place (picture)->family != 0);
}

void
sl_gallery_page_set_shown (SlGalleryPage *self, SlPicture *picture)
{
  g_set_object (&self->shown, picture);
  sl_gallery_page_update (self);
}

/* ---- families ---- */

static void
opened (SlGalleryPage *self, SlPicture *picture)
{
  g_signal_emit (self, signals[OPENED], 0, picture);
}

static void
show_parent (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  SlGalleryPage *self = user_data;
  SlPicture *picture = chosen_picture (self);
  SlPicture *parent = picture ? sl_picture_get_parent (picture) : NULL;

  if (parent && sl_page_is_shown (GTK_WIDGET (self)))
    sl_gallery_view_select (self->view, parent);
  else if (parent)
    opened (self, parent);
}

/* A second time it shows all of them again. */
static void
show_family (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  SlGalleryPage *self = user_data;
  SlPicture *picture = chosen_picture (self);
  gboolean shown = sl_page_is_shown (GTK_WIDGET (self)) && sl_gallery_view_shows_family (self->view);

  sl_gallery_view_show_family (self->view, shown ? NULL : picture);
  sl_page_show (GTK_WIDGET (self));
  if (picture)
    sl_gallery_view_select (self->view, picture);
}

/* ---- deleting ---- */

/* Pictures that are gone from the gallery, but not from the disk while the toast is there. */
typedef struct
{
  SlGalleryPage *page;
  SlWorkspace *workspace;
  GPtrArray *pictures;
} Removal;

static void
removal_free (gpointer data, GClosure *closure)
{
  Removal *removal = data;

  g_object_unref (removal->page);
  g_object_unref (removal->workspace);
  g_ptr_array_unref (removal->pictures);
  g_free (removal);
}

static void
undo (AdwToast *toast, Removal *removal)
{
  for (guint i = 0; i < removal->pictures->len; i++)
    sl_gallery_undo_removal (removal->workspace->gallery, removal->pictures->pdata[i]);
}

/* The deletion before the last one comes back with the next call. */
static void
undo_delete (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  SlGalleryPage *self = user_data;
  AdwToast *toast = g_queue_peek_head (&self->offers);

  if (toast == NULL)
    return;
  g_signal_emit_by_name (toast, "button-clicked");
  adw_toast_dismiss (toast);
}

/* Also after undo, when there is nothing left to commit. */
static void
commit (AdwToast *toast, Removal *removal)
{
  g_queue_remove (&removal->page->offers, toast);
  for (guint i = 0; i < removal->pictures->len && !removal->workspace->closed; i++)
    sl_gallery_commit_removal (removal->workspace->gallery, removal->pictures->pdata[i]);
}

static void
offer_undo (SlGalleryPage *self, GPtrArray *pictures)
{
  Removal *removal = g_new (Removal, 1);
  g_autofree char *text
      = pictures->len == 1
            ? g_strdup (_ ("Picture deleted"))
            : g_strdup_printf (ngettext ("%u picture deleted", "%u pictures deleted", pictures->len),
                               pictures->len);
  AdwToast *toast = adw_toast_new (text);

  *removal = (Removal){ g_object_ref (self), g_object_ref (self->workspace), g_ptr_array_ref (pictures) };
  adw_toast_set_timeout (toast, UNDO_SECONDS);
  adw_toast_set_button_label (toast, _ ("_Undo"));
  g_signal_connect (toast, "button-clicked", G_CALLBACK (undo), removal);
  g_signal_connect_data (toast, "dismissed", G_CALLBACK (commit), removal, removal_free, 0);
  g_queue_push_head (&self->offers, toast);
  sl_notice_add_toast (GTK_WIDGET (self), toast);
}

static void
delete_pictures (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  SlGalleryPage *self = user_data;
  g_autoptr (GPtrArray) pictures = chosen_pictures (self);

  if (pictures->len == 0)
    return;
  sl_gallery_view_set_choosing (self->view, FALSE);
  for (guint i = 0; i < pictures->len; i++)
    sl_gallery_remove (self->workspace->gallery, pictures->pdata[i]);
  if (sl_page_is_shown (GTK_WIDGET (self)))
    sl_gallery_view_focus (self->view); /* the next key is for the picture that took its place */
  offer_undo (self, pictures);
  for (guint i = 0; i < pictures->len; i++)
    g_signal_emit (self, signals[DELETED], 0, pictures->pdata[i]);
}

/* ---- copied to a folder ---- */

static void
copied (guint count, const GError *error, gpointer user_data)
{
  g_autoptr (SlGalleryPage) self = user_data;
  g_autofree char *text
      = g_strdup_printf (ngettext ("%u picture copied", "%u pictures copied", count), count);

  if (error)
    sl_notice_alert (GTK_WIDGET (self), text, error->message);
  else
    sl_notice_toast (GTK_WIDGET (self), text);
}

static void
copy_to (gpointer page, const char *path, const char *what)
{
  SlGalleryPage *self = page;
  g_autoptr (GPtrArray) pictures = chosen_pictures (self);

  if (pictures->len > 0 && !self->workspace->closed)
    sl_pictures_copy (self->workspace->files, pictures, path, copied, g_object_ref (self));
}

static void
copy_pictures (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  SlGalleryPage *self = user_data;
  const SlPathDialog dialog
      = { .from = GTK_WIDGET (self), .title = _ ("Copy to a Folder"), .wants = SL_PATH_FOLDER };

  sl_path_dialog_show (&dialog, copy_to, G_OBJECT (self), NULL);
}

/* For scripts and tests, instead of the dialog. */
static void
copy_pictures_to (GSimpleAction *action, GVariant *parameter, gpointer self)
{
  copy_to (self, g_variant_get_string (parameter, NULL), NULL);
}

/* ---- compared ---- */

static void
lanes_read (const SlPictureLanes *lanes, gpointer user_data)
{
  g_autoptr (SlGalleryPage) self = user_data;

  if (lanes == NULL)
    return;
  if (lanes->settings->len == 0)
    {
      sl_notice_alert (GTK_WIDGET (self), _ ("Nothing to compare"),
                       _ ("None of these pictures says how it was made."));
      return;
    }
  sl_gallery_view_set_choosing (self->view, FALSE);
  g_signal_emit (self, signals[COMPARE_WANTED], 0, lanes);
}

static void
compare_pictures (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  SlGalleryPage *self = user_data;
  g_autoptr (GPtrArray) pictures = chosen_pictures (self);
  g_autoptr (GPtrArray) paths = g_ptr_array_new ();

  for (guint i = 0; i < pictures->len; i++)
    g_ptr_array_add (paths, (char *)sl_picture_get_path (pictures->pdata[i]));
  if (paths->len > 0 && !self->workspace->closed)
    sl_picture_lanes_read (self->workspace, paths, lanes_read, g_object_ref (self));
}

/* ---- favourites ---- */

static void
favourite (GSimpleAction *action, GVariant *state, gpointer user_data)
{
  SlGalleryPage *self = user_data;
  g_autoptr (GPtrArray) pictures = chosen_pictures (self);

  for (guint i = 0; i < pictures->len; i++)
    sl_gallery_set_favourite (self->workspace->gallery, pictures->pdata[i], g_variant_get_boolean (state));
  sl_gallery_page_update (self);
  sl_gallery_view_look_again (self->view);
}

static void
favourites_damaged (SlGalleryPage *self, const char *aside, guint lost)
{
  g_autofree char *name = g_filename_display_name (aside);
  g_autofree char *text
      = lost == 0 ? g_strdup_printf (
            _ ("The list of favourites was damaged. It is kept as %s, and a new one begins."), name)
                  : sl_notice_entries_lost (lost, name);

  sl_notice_alert (GTK_WIDGET (self), _ ("The favourites could not be read"), text);
}

static void
favourites_unsaved (SlGalleryPage *self, const char *reason)
{
  sl_gallery_page_update (self);
  sl_gallery_view_look_again (self->view);
  sl_notice_alert (GTK_WIDGET (self), _ ("The favourites could not be saved"), reason);
}

static void
unread (SlGalleryPage *self, const char *reason)
{
  sl_notice_alert (GTK_WIDGET (self), _ ("Pictures may be missing here"), reason);
}

/* ---- other actions ---- */

static void
find (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  SlGalleryPage *self = user_data;

  sl_page_show (GTK_WIDGET (self));
  sl_gallery_view_find (self->view);
}

static void
use_settings (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  SlGalleryPage *self = user_data;
  SlPicture *picture = chosen_picture (self);

  if (picture)
    g_signal_emit (self, signals[SETTINGS_WANTED], 0, sl_picture_get_path (picture));
}

static void
open_folder (SlGalleryPage *self, const char *folder)
{
  g_mkdir_with_parents (folder, 0755);
  sl_toolkit_show_folder (GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self))), folder);
}

static void
open_pictures_folder (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  SlGalleryPage *self = user_data;
  g_autofree char *folder = sl_places_pictures_folder (self->workspace->preferences);

  open_folder (self, folder);
}

static void
show_in_files (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  SlGalleryPage *self = user_data;
  SlPicture *picture = chosen_picture (self);
  g_autofree char *folder = picture ? g_path_get_dirname (sl_picture_get_path (picture)) : NULL;

  if (folder)
    open_folder (self, folder);
  else
    open_pictures_folder (action, parameter, self);
}

static const GActionEntry entries[] = {
  { .name = "delete", .activate = delete_pictures },
  { .name = "copy-pictures", .activate = copy_pictures },
  { .name = "copy-pictures-to", .activate = copy_pictures_to, .parameter_type = "s" },
  { .name = "compare-pictures", .activate = compare_pictures },
  { .name = "undo-delete", .activate = undo_delete },
  { .name = "favourite", .state = "false", .change_state = favourite },
  { .name = "find", .activate = find },
  { .name = "use-settings", .activate = use_settings },
  { .name = "show-parent", .activate = show_parent },
  { .name = "show-family", .activate = show_family },
  { .name = "show-in-files", .activate = show_in_files },
  { .name = "open-pictures-folder", .activate = open_pictures_folder },
};

static void
add_keys (SlGalleryPage *self)
{
  static const struct
  {
    guint key;
    GdkModifierType modifiers;
    const char *action;
  } shortcuts[] = { { GDK_KEY_Delete, 0, "win.delete" },
                    { GDK_KEY_z, GDK_CONTROL_MASK, "win.undo-delete" },
                    { GDK_KEY_f, 0, "win.show-family" },
                    { GDK_KEY_Up, GDK_ALT_MASK, "win.show-parent" } };
  GtkEventController *keys = gtk_shortcut_controller_new ();

  for (guint i = 0; i < G_N_ELEMENTS (shortcuts); i++)
    gtk_shortcut_controller_add_shortcut (
        GTK_SHORTCUT_CONTROLLER (keys),
        gtk_shortcut_new (gtk_keyval_trigger_new (shortcuts[i].key, shortcuts[i].modifiers),
                          gtk_named_action_new (shortcuts[i].action)));
  gtk_widget_add_controller (GTK_WIDGET (self), keys);
}

/* ---- what others do in the folder ---- */

/* Whoever comes to the gallery may have made or moved pictures elsewhere. */
static void
sl_gallery_page_map (GtkWidget *widget)
{
  SlGalleryPage *self = SL_GALLERY_PAGE (widget);

  GTK_WIDGET_CLASS (sl_gallery_page_parent_class)->map (widget);
  if (self->workspace && !self->workspace->closed)
    sl_gallery_look_again (self->workspace->gallery);
}

/* And so may who comes back to the window while the gallery is in front. */
static void
active_changed (SlGalleryPage *self, GParamSpec *pspec, GtkWindow *window)
{
  if (gtk_window_is_active (window) && gtk_widget_get_mapped (GTK_WIDGET (self)) && self->workspace
      && !self->workspace->closed)
    sl_gallery_look_again (self->workspace->gallery);
}

static void
sl_gallery_page_root (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (sl_gallery_page_parent_class)->root (widget);
  g_signal_connect_object (gtk_widget_get_root (widget), "notify::is-active", G_CALLBACK (active_changed),
                           widget, G_CONNECT_SWAPPED);
}

void
sl_gallery_page_connect (SlGalleryPage *self, SlWorkspace *workspace, GActionMap *actions)
{
  self->workspace = g_object_ref (workspace);
  self->actions = actions;
  g_action_map_add_action_entries (actions, entries, G_N_ELEMENTS (entries), self);
  sl_gallery_view_connect (self->view, workspace->gallery, workspace->files);
  g_signal_connect_object (self->view, "opened", G_CALLBACK (opened), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->view, "selected", G_CALLBACK (sl_gallery_page_update), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (workspace->gallery, "arranged", G_CALLBACK (sl_gallery_page_update), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (workspace->gallery, "favourites-damaged", G_CALLBACK (favourites_damaged), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (workspace->gallery, "favourites-unsaved", G_CALLBACK (favourites_unsaved), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (workspace->gallery, "unread", G_CALLBACK (unread), self, G_CONNECT_SWAPPED);
  sl_gallery_page_update (self);
}

SlGalleryView *
sl_gallery_page_get_view (SlGalleryPage *self)
{
  return self->view;
}

/* ---- class ---- */

static void
sl_gallery_page_dispose (GObject *object)
{
  SlGalleryPage *self = SL_GALLERY_PAGE (object);

  g_clear_object (&self->shown);
  g_clear_object (&self->workspace);
  G_OBJECT_CLASS (sl_gallery_page_parent_class)->dispose (object);
}

static void
sl_gallery_page_class_init (SlGalleryPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = sl_gallery_page_dispose;
  widget_class->map = sl_gallery_page_map;
  widget_class->root = sl_gallery_page_root;
  signals[OPENED] = g_signal_new ("opened", SL_TYPE_GALLERY_PAGE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 1, SL_TYPE_PICTURE);
  signals[DELETED] = g_signal_new ("deleted", SL_TYPE_GALLERY_PAGE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                   G_TYPE_NONE, 1, SL_TYPE_PICTURE);
  signals[COMPARE_WANTED] = g_signal_new ("compare-wanted", SL_TYPE_GALLERY_PAGE, G_SIGNAL_RUN_LAST, 0, NULL,
                                          NULL, NULL, G_TYPE_NONE, 1, G_TYPE_POINTER);
  signals[SETTINGS_WANTED] = g_signal_new ("settings-wanted", SL_TYPE_GALLERY_PAGE, G_SIGNAL_RUN_LAST, 0,
                                           NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
sl_gallery_page_init (SlGalleryPage *self)
{
  self->view = g_object_new (SL_TYPE_GALLERY_VIEW, NULL);
  adw_bin_set_child (ADW_BIN (self), GTK_WIDGET (self->view));
  add_keys (self);
}
