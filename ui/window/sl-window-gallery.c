/* sl-window-gallery.c - finished pictures: showing one in the tray, taking its settings, deleting it
 * with a way back. */
#include "ui/window/sl-window-private.h"

#include <glib/gi18n.h>

#include "ui/widgets/sl-picture-text.h"

#define UNDO_SECONDS 8

/* A picture that is being loaded or removed. */
typedef struct
{
  SlWindow *window;
  SlPicture *picture;
} Pending;

static void
pending_free (gpointer data, GClosure *closure)
{
  Pending *pending = data;

  g_object_unref (pending->picture);
  g_free (pending);
}

static void
picture_loaded (GBytes *rgb, int width, int height, const GError *error, gpointer user_data)
{
  Pending *shown = user_data;
  SlWindow *self = shown->window;

  if (!self->closed && self->picture == shown->picture)
    {
      g_autoptr (GdkTexture) texture = sl_texture_new_rgb (rgb, width, height);

      sl_canvas_set_size (sl_tray_get_canvas (self->tray), 0, 0);
      if (texture)
        sl_tray_show (self->tray, texture, sl_picture_get_prompt (self->picture));
      else
        sl_tray_show_error (self->tray, _ ("That Did Not Work"), error->message);
    }
  g_object_unref (self);
  pending_free (shown, NULL);
}

void
_sl_window_show_picture (SlWindow *self, SlPicture *picture)
{
  Pending *shown = g_new0 (Pending, 1);
  shown->window = g_object_ref (self);
  shown->picture = g_object_ref (picture);
  g_set_object (&self->picture, picture);
  gtk_label_set_text (self->picture_prompt, sl_picture_name (picture));
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->picture_prompt), sl_picture_get_prompt (picture));
  gtk_stack_set_visible_child_name (self->below, "picture");
  adw_view_stack_set_visible_child_name (self->pages, "darkroom");
  sl_tray_set_caption (self->tray, NULL);
  sl_reader_load_pixels (self->files, sl_picture_get_path (picture), 0, picture_loaded, shown);
  _sl_window_update (self);
}

/* Back to the moment that was there before, or to the empty tray. */
static void
leave_picture (SlWindow *self)
{
  g_clear_object (&self->picture);
  if (self->job && self->frame)
    {
      gtk_stack_set_visible_child_name (self->below, "strip");
      _sl_window_show_moment (self);
    }
  else
    {
      gtk_stack_set_visible_child_name (self->below, "nothing");
      sl_tray_show (self->tray, NULL, NULL);
    }
  _sl_window_update (self);
}

static SlPicture *
chosen_picture (SlWindow *self)
{
  if (g_strcmp0 (adw_view_stack_get_visible_child_name (self->pages), "gallery") == 0)
    return sl_gallery_view_get_selected (self->gallery_view);
  return self->picture;
}

/* ---- families ---- */

static gboolean
is_in_sight (SlWindow *self)
{
  return g_strcmp0 (adw_view_stack_get_visible_child_name (self->pages), "gallery") == 0;
}

static void
show_parent (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlWindow *self = SL_WINDOW (widget);
  SlPicture *picture = chosen_picture (self);
  SlPicture *parent = picture ? sl_picture_get_parent (picture) : NULL;

  if (parent && is_in_sight (self))
    sl_gallery_view_select (self->gallery_view, parent);
  else if (parent)
    _sl_window_show_picture (self, parent);
}

/* A second time it shows all of them again. */
static void
show_family (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlWindow *self = SL_WINDOW (widget);
  SlPicture *picture = chosen_picture (self);
  gboolean shown = is_in_sight (self) && sl_gallery_view_shows_family (self->gallery_view);

  sl_gallery_view_show_family (self->gallery_view, shown ? NULL : picture);
  adw_view_stack_set_visible_child_name (self->pages, "gallery");
  if (picture)
    sl_gallery_view_select (self->gallery_view, picture);
}

static void
show_story (SlWindow *self)
{
  g_autofree char *story = sl_picture_story (self->picture);

  gtk_label_set_text (self->picture_story, story);
  gtk_widget_set_visible (GTK_WIDGET (self->picture_story), *story != '\0');
  gtk_widget_set_visible (self->family_button, sl_picture_get_place (self->picture)->family != 0);
  gtk_widget_set_visible (self->parent_button, sl_picture_get_parent (self->picture) != NULL);
}

void
_sl_window_update_gallery (SlWindow *self)
{
  static const char *const actions[] = { "win.delete", "win.use-settings" };
  SlPicture *picture = self->closed ? NULL : chosen_picture (self);
  GtkWidget *widget = GTK_WIDGET (self);

  if (self->closed)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (actions); i++)
    gtk_widget_action_set_enabled (widget, actions[i], picture != NULL);
  gtk_widget_action_set_enabled (widget, "win.show-parent", picture && sl_picture_get_parent (picture));
  gtk_widget_action_set_enabled (widget, "win.show-family",
                                 picture && sl_picture_get_place (picture)->family != 0);
  if (self->picture)
    show_story (self);
}

/* ---- deleting ---- */

static void
undo_removal (AdwToast *toast, Pending *removal)
{
  sl_gallery_undo_removal (removal->window->gallery, removal->picture);
}

/* Also after undo, when there is nothing left to commit. */
static void
commit_removal (AdwToast *toast, Pending *removal)
{
  if (!removal->window->closed)
    sl_gallery_commit_removal (removal->window->gallery, removal->picture);
}

static void
delete_picture (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlWindow *self = SL_WINDOW (widget);
  SlPicture *picture = chosen_picture (self);
  Pending *removal;
  AdwToast *toast;

  if (picture == NULL)
    return;
  removal = g_new0 (Pending, 1);
  removal->window = self; /* the toast is the window's */
  removal->picture = g_object_ref (picture);
  sl_gallery_remove (self->gallery, picture);
  toast = adw_toast_new (_ ("Picture deleted"));
  adw_toast_set_timeout (toast, UNDO_SECONDS);
  adw_toast_set_button_label (toast, _ ("_Undo"));
  g_signal_connect (toast, "button-clicked", G_CALLBACK (undo_removal), removal);
  g_signal_connect_data (toast, "dismissed", G_CALLBACK (commit_removal), removal, pending_free, 0);
  adw_toast_overlay_add_toast (self->toasts, toast);
  if (self->picture == removal->picture)
    leave_picture (self);
}

static void
use_settings (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlWindow *self = SL_WINDOW (widget);
  SlPicture *picture = chosen_picture (self);

  if (picture)
    _sl_window_restore_file (self, sl_picture_get_path (picture));
}

static void
show_in_files (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlWindow *self = SL_WINDOW (widget);
  SlPicture *picture = chosen_picture (self);
  g_autofree char *folder = NULL;
  g_autofree char *uri = NULL;

  if (picture && g_str_equal (action, "win.show-in-files"))
    folder = g_path_get_dirname (sl_picture_get_path (picture));
  else
    folder = sl_places_pictures_folder (self->preferences);
  g_mkdir_with_parents (folder, 0755);
  uri = g_filename_to_uri (folder, NULL, NULL);
  gtk_show_uri (GTK_WINDOW (self), uri, GDK_CURRENT_TIME);
}

void
_sl_window_install_gallery (GtkWidgetClass *klass)
{
  gtk_widget_class_install_action (klass, "win.delete", NULL, delete_picture);
  gtk_widget_class_install_action (klass, "win.use-settings", NULL, use_settings);
  gtk_widget_class_install_action (klass, "win.show-parent", NULL, show_parent);
  gtk_widget_class_install_action (klass, "win.show-family", NULL, show_family);
  gtk_widget_class_install_action (klass, "win.show-in-files", NULL, show_in_files);
  gtk_widget_class_install_action (klass, "win.open-pictures-folder", NULL, show_in_files);
}

void
_sl_window_init_gallery (SlWindow *self)
{
  static const struct
  {
    guint key;
    GdkModifierType modifiers;
    const char *action;
  } shortcuts[] = { { GDK_KEY_Delete, 0, "win.delete" },
                    { GDK_KEY_f, 0, "win.show-family" },
                    { GDK_KEY_Up, GDK_ALT_MASK, "win.show-parent" } };
  GtkEventController *keys = gtk_shortcut_controller_new ();

  for (guint i = 0; i < G_N_ELEMENTS (shortcuts); i++)
    gtk_shortcut_controller_add_shortcut (
        GTK_SHORTCUT_CONTROLLER (keys),
        gtk_shortcut_new (gtk_keyval_trigger_new (shortcuts[i].key, shortcuts[i].modifiers),
                          gtk_named_action_new (shortcuts[i].action)));
  gtk_widget_add_controller (GTK_WIDGET (self->gallery_view), keys);
  sl_gallery_view_connect (self->gallery_view, self->gallery, self->files);
  g_signal_connect_object (self->gallery_view, "opened", G_CALLBACK (_sl_window_show_picture), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->gallery_view, "selected", G_CALLBACK (_sl_window_update_gallery), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->gallery, "arranged", G_CALLBACK (_sl_window_update_gallery), self,
                           G_CONNECT_SWAPPED);
  _sl_window_update_gallery (self);
}
