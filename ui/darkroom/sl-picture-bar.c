/* sl-picture-bar.c - see sl-picture-bar.h. */
#include "ui/darkroom/sl-picture-bar.h"

#include <glib/gi18n.h>

#include "ui/widgets/sl-button-name.h"
#include "ui/widgets/sl-picture-text.h"

struct _SlPictureBar
{
  AdwBin parent_instance;
  GtkLabel *prompt;
  GtkLabel *story;
  GtkWidget *parent_button;
  GtkWidget *family_button;
  GtkButton *use_settings;
};

G_DEFINE_FINAL_TYPE (SlPictureBar, sl_picture_bar, ADW_TYPE_BIN)

void
sl_picture_bar_show (SlPictureBar *self, SlPicture *picture)
{
  g_autofree char *story = sl_picture_story (picture);

  gtk_label_set_text (self->prompt, sl_picture_name (picture));
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->prompt), sl_picture_get_prompt (picture));
  gtk_label_set_text (self->story, story);
  gtk_widget_set_visible (GTK_WIDGET (self->story), *story != '\0');
  gtk_button_set_label (self->use_settings,
                        sl_picture_shows_lanes (picture) ? _ ("_Compare Again") : _ ("_Use These Settings"));
  sl_button_name_by_label (self->use_settings);
  gtk_widget_set_visible (self->family_button, sl_picture_get_place (picture)->family != 0);
  gtk_widget_set_visible (self->parent_button, sl_picture_get_parent (picture) != NULL);
}

void
sl_picture_bar_set_name (SlPictureBar *self, const char *name)
{
  gtk_label_set_text (self->prompt, name);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->prompt), name);
}

static void
sl_picture_bar_class_init (SlPictureBarClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  gtk_widget_class_set_template_from_resource (widget_class, "/org/safelight/Safelight/sl-picture-bar.ui");
  gtk_widget_class_bind_template_child (widget_class, SlPictureBar, prompt);
  gtk_widget_class_bind_template_child (widget_class, SlPictureBar, story);
  gtk_widget_class_bind_template_child (widget_class, SlPictureBar, parent_button);
  gtk_widget_class_bind_template_child (widget_class, SlPictureBar, family_button);
  gtk_widget_class_bind_template_child (widget_class, SlPictureBar, use_settings);
}

static void
sl_picture_bar_init (SlPictureBar *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  sl_button_name_by_label (self->use_settings);
}
