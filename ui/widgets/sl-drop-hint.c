/* sl-drop-hint.c - see sl-drop-hint.h. */
#include "ui/widgets/sl-drop-hint.h"

struct _SlDropHint
{
  AdwBin parent_instance;
  GtkImage *icon;
  GtkLabel *text;
};

G_DEFINE_FINAL_TYPE (SlDropHint, sl_drop_hint, ADW_TYPE_BIN)

void
sl_drop_hint_say (SlDropHint *self, const char *text, gboolean fits)
{
  gtk_widget_set_visible (GTK_WIDGET (self), text != NULL);
  gtk_label_set_text (self->text, text ? text : "");
  gtk_image_set_from_icon_name (self->icon, fits ? "document-open-symbolic" : "action-unavailable-symbolic");
  if (fits)
    gtk_widget_remove_css_class (GTK_WIDGET (self), "refused");
  else
    gtk_widget_add_css_class (GTK_WIDGET (self), "refused");
}

const char *
sl_drop_hint_get_text (SlDropHint *self)
{
  return gtk_widget_get_visible (GTK_WIDGET (self)) ? gtk_label_get_text (self->text) : NULL;
}

static void
sl_drop_hint_class_init (SlDropHintClass *klass)
{
}

static void
sl_drop_hint_init (SlDropHint *self)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 14);
  GtkWidget *icon = gtk_image_new (), *text = gtk_label_new (NULL);

  self->icon = GTK_IMAGE (icon);
  self->text = GTK_LABEL (text);
  gtk_image_set_pixel_size (self->icon, 48);
  gtk_label_set_wrap (self->text, TRUE);
  gtk_label_set_justify (self->text, GTK_JUSTIFY_CENTER);
  gtk_label_set_max_width_chars (self->text, 34);
  gtk_widget_add_css_class (text, "title-2");
  gtk_widget_set_valign (box, GTK_ALIGN_CENTER);
  gtk_widget_set_halign (box, GTK_ALIGN_CENTER);
  gtk_box_append (GTK_BOX (box), icon);
  gtk_box_append (GTK_BOX (box), text);
  adw_bin_set_child (ADW_BIN (self), box);
  gtk_widget_add_css_class (GTK_WIDGET (self), "drop-hint");
  gtk_widget_set_can_target (GTK_WIDGET (self), FALSE);
  gtk_widget_set_visible (GTK_WIDGET (self), FALSE);
}
