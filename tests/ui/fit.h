/* fit.h - whether a window's labels find room: those that are cut. */
#pragma once

#include "driver.h"

/* What a person wrote or chose, and captions of pictures, may be cut: the whole is in a tooltip or in the panel. */
G_GNUC_UNUSED static gboolean may_be_cut(GtkWidget *label)
{
    const char *name = gtk_widget_get_name(label);

    return gtk_widget_has_css_class(label, "tray-caption") || g_str_equal(name, "caption") ||
           gtk_widget_get_ancestor(label, GTK_TYPE_LIST_BASE) ||
           gtk_widget_get_ancestor(label, GTK_TYPE_FLOW_BOX);
}

/* see: is called for each label that may not be cut; NULL: nothing. */
G_GNUC_UNUSED static guint count_cut(GtkWidget *widget, const char *where,
                                     void (*see)(const char *text))
{
    guint cut = 0;

    if (!gtk_widget_get_mapped(widget))
        return 0;
    if (GTK_IS_LABEL(widget) && !may_be_cut(widget)) {
        if (see)
            see(gtk_label_get_text(GTK_LABEL(widget)));
        if (pango_layout_is_ellipsized(gtk_label_get_layout(GTK_LABEL(widget)))) {
            g_test_message("%s: “%s” is cut", where, gtk_label_get_text(GTK_LABEL(widget)));
            cut++;
        }
    }
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child;
         child = gtk_widget_get_next_sibling(child))
        cut += count_cut(child, where, see);
    return cut;
}
