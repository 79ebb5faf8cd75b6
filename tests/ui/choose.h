/* choose.h - the toolkit's own dialog of files, for tests that choose several in it. */
#pragma once

#include "driver.h"

G_GNUC_BEGIN_IGNORE_DEPRECATIONS /* newer toolkits have another interface to the same dialog */

    /* The list of files in the toolkit's own dialog, where no portal has another: a GtkTreeView, later a GtkColumnView. */
    static GtkWidget *
    find_files(GtkWidget *widget)
{
    if ((GTK_IS_TREE_VIEW(widget) || GTK_IS_COLUMN_VIEW(widget)) && gtk_widget_get_mapped(widget))
        return widget;
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child;
         child = gtk_widget_get_next_sibling(child)) {
        GtkWidget *found = find_files(child);

        if (found)
            return found;
    }
    return NULL;
}

/* FALSE as long as there are not two. */
static gboolean select_two(GtkWidget *dialog)
{
    GtkWidget *files = find_files(dialog);

    if (files && GTK_IS_TREE_VIEW(files)) {
        GtkTreeSelection *selection = gtk_tree_view_get_selection(GTK_TREE_VIEW(files));

        gtk_tree_selection_select_all(selection);
        return gtk_tree_selection_count_selected_rows(selection) == 2;
    }
    if (files) {
        GtkSelectionModel *model = gtk_column_view_get_model(GTK_COLUMN_VIEW(files));

        return g_list_model_get_n_items(G_LIST_MODEL(model)) == 2 &&
               gtk_selection_model_select_all(model);
    }
    return FALSE;
}

static gboolean is_in_folder(GtkFileChooser *dialog, const char *inside)
{
    g_autoptr(GFile) shown = gtk_file_chooser_get_current_folder(dialog);

    return shown && g_strcmp0(g_file_peek_path(shown), inside) == 0;
}

/* The dialog that was asked for begins there. */
G_GNUC_UNUSED static void check_begins_in(const char *inside)
{
    gpointer dialog;

    WAIT_UNTIL((dialog = find_dialog()) != NULL);
    WAIT_UNTIL(is_in_folder(dialog, inside));
}

/* Both files of the folder, in the dialog that was asked for. */
static void choose_two(const char *inside, const char *shot)
{
    g_autoptr(GFile) file = g_file_new_for_path(inside);
    gpointer dialog;

    WAIT_UNTIL((dialog = find_dialog()) != NULL);
    g_assert_true(GTK_IS_FILE_CHOOSER_DIALOG(dialog));
    g_assert_true(gtk_file_chooser_set_current_folder(GTK_FILE_CHOOSER(dialog), file, NULL));
    g_assert_true(gtk_file_chooser_get_select_multiple(GTK_FILE_CHOOSER(dialog)));
    WAIT_UNTIL(select_two(dialog));
    screenshot(shot);
    gtk_dialog_response(GTK_DIALOG(dialog), GTK_RESPONSE_ACCEPT);
}

G_GNUC_END_IGNORE_DEPRECATIONS
