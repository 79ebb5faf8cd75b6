/* sl-model-list.c - see sl-model-list.h. */
#include "ui/darkroom/sl-model-list.h"

#include <glib/gi18n.h>

#include "app/objects/objects.h"

static GtkWidget *
label_new (const char *class)
{
  GtkWidget *label = gtk_label_new (NULL);

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_MIDDLE);
  gtk_label_set_max_width_chars (GTK_LABEL (label), 48);
  if (class)
    gtk_widget_add_css_class (label, class);
  return label;
}

static void
setup (GtkSignalListItemFactory *factory, GtkListItem *entry)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 2);
  GtkWidget *facts = label_new ("caption"), *memory = label_new ("caption");

  gtk_widget_add_css_class (facts, "dim-label");
  gtk_box_append (GTK_BOX (box), label_new (NULL));
  gtk_box_append (GTK_BOX (box), facts);
  gtk_box_append (GTK_BOX (box), memory);
  gtk_list_item_set_child (entry, box);
}

/* "StableDiffusionPipeline · 2.1 GB, F16" */
static char *
facts_of (SlModelItem *model)
{
  g_autofree char *size = g_format_size (sl_model_item_get_bytes (model));

  return g_strdup_printf ("%s · %s, %s", sl_model_item_get_family (model), size,
                          sl_model_item_get_stored_type (model));
}

static char *
memory_of (SlModelItem *model)
{
  g_autofree char *size = g_format_size (sl_model_item_get_memory (model));
  g_autofree char *needs = g_strdup_printf (_ ("Needs about %s of memory in f32"), size);

  if (sl_model_item_fits (model))
    return g_steal_pointer (&needs);
  return g_strdup_printf ("%s: %s", needs, _ ("more than is free"));
}

static void
bind (GtkSignalListItemFactory *factory, GtkListItem *entry)
{
  SlModelItem *model = gtk_list_item_get_item (entry);
  GtkWidget *name = gtk_widget_get_first_child (gtk_list_item_get_child (entry));
  GtkWidget *facts = gtk_widget_get_next_sibling (name), *memory = gtk_widget_get_next_sibling (facts);
  g_autofree char *text = facts_of (model);
  g_autofree char *need = memory_of (model);

  gtk_label_set_text (GTK_LABEL (name), sl_model_item_get_name (model));
  gtk_label_set_text (GTK_LABEL (facts), text);
  gtk_label_set_text (GTK_LABEL (memory), need);
  gtk_widget_set_visible (memory, sl_model_item_get_memory (model) > 0);
  if (sl_model_item_fits (model))
    gtk_widget_remove_css_class (memory, "warning");
  else
    gtk_widget_add_css_class (memory, "warning");
}

GtkListItemFactory *
sl_model_list_factory_new (void)
{
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();

  g_signal_connect (factory, "setup", G_CALLBACK (setup), NULL);
  g_signal_connect (factory, "bind", G_CALLBACK (bind), NULL);
  return factory;
}
