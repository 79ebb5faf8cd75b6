/* sl-lane-table.c - see sl-lane-table.h.
 *
 * Easy to get wrong: before GTK 4.12 the headings cannot be reached by keyboard, so there is a list to sort by, too.
 */
#include "ui/compare/sl-lane-table.h"

#include <glib/gi18n.h>
#include <math.h>

#include "ui/compare/sl-lane-text.h"
#include "ui/compare/sl-lane-view.h"
#include "ui/widgets/sl-button-name.h"
#include "ui/widgets/sl-notice.h"

#define REFRESH_MS 250
#define ROW_HEIGHT 26
#define BAR_HEIGHT 40
#define ROWS 2 /* that are seen at least */

struct _SlLaneTable
{
  AdwBin parent_instance;
  GtkScrolledWindow *scroller;
  GtkColumnView *view;
  GtkSingleSelection *selection;
  GtkDropDown *sort_by;
  GtkToggleButton *falling;
  GPtrArray *columns; /* of GtkColumnViewColumn, by their numbers */

  SlComparison *comparison;
  SlSettings *recipe;
  SlCompareTable *table;
  guint refresh;    /* timeout; 0: nothing waits for it */
  gboolean setting; /* the selection is set by the program */
};

G_DEFINE_FINAL_TYPE (SlLaneTable, sl_lane_table, ADW_TYPE_BIN)

enum
{
  CHOSEN,
  OPENED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static guint
column_of (gpointer object)
{
  return GPOINTER_TO_UINT (g_object_get_data (object, "sl-column"));
}

static gboolean
is_text (guint column)
{
  return sl_table_column_nth (column)->digits < 0;
}

/* ---- a cell ---- */

static char *
cell_text (SlCompareRow *row, guint column)
{
  double value = sl_compare_row_get_value (row, column);

  if (is_text (column) && sl_compare_row_is_reference (row))
    /* Translators: a lane's name in the table. */
    return g_strdup_printf (_ ("%s (reference)"), sl_compare_row_get_title (row));
  if (is_text (column))
    return g_strdup (sl_compare_row_get_title (row));
  if (isnan (value))
    return g_strdup ("–");
  if (isinf (value))
    return g_strdup (_ ("equal"));
  return g_strdup_printf ("%.*f", sl_table_column_nth (column)->digits, value);
}

static void
set_lane_color (GtkWidget *label, SlCompareLane *lane)
{
  g_autofree char *class = g_strdup_printf ("lane-%u",
                                            sl_compare_lane_get_color (lane) % sl_lane_color_count () + 1);
  const char *classes[] = { "lane-number", "numeric", class, NULL };

  gtk_widget_set_css_classes (label, classes);
}

static void
show_cell (SlCompareRow *row, GtkListItem *item)
{
  GtkWidget *label = gtk_list_item_get_child (item);
  guint column = column_of (item);
  g_autofree char *text = cell_text (row, column);

  gtk_label_set_text (GTK_LABEL (label), text);
  if (column == 0)
    set_lane_color (label, sl_compare_row_get_lane (row));
  if (is_text (column))
    gtk_widget_set_tooltip_text (label, text);
}

static void
setup_cell (GtkSignalListItemFactory *factory, GtkListItem *item)
{
  GtkWidget *label = gtk_label_new (NULL);
  guint column = column_of (factory);

  g_object_set_data (G_OBJECT (item), "sl-column", GUINT_TO_POINTER (column));
  gtk_label_set_xalign (GTK_LABEL (label), is_text (column) ? 0 : 1);
  if (is_text (column))
    {
      gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
      gtk_label_set_width_chars (GTK_LABEL (label), 17);
    }
  else
    gtk_widget_add_css_class (label, "numeric");
  if (column == 0)
    {
      gtk_label_set_xalign (GTK_LABEL (label), 0.5);
      gtk_widget_set_halign (label, GTK_ALIGN_START);
      gtk_widget_set_valign (label, GTK_ALIGN_CENTER);
    }
  gtk_list_item_set_child (item, label);
}

static void
bind_cell (GtkSignalListItemFactory *factory, GtkListItem *item)
{
  SlCompareRow *row = gtk_list_item_get_item (item);

  g_signal_connect_object (row, "changed", G_CALLBACK (show_cell), item, 0);
  show_cell (row, item);
}

static void
unbind_cell (GtkSignalListItemFactory *factory, GtkListItem *item)
{
  g_signal_handlers_disconnect_by_func (gtk_list_item_get_item (item), show_cell, item);
}

/* ---- sorting ---- */

/* What is not known comes last among what rises; equal pictures are the most alike. */
static int
compare_rows (gconstpointer a, gconstpointer b, gpointer data)
{
  guint column = GPOINTER_TO_UINT (data);
  double x = sl_compare_row_get_value ((SlCompareRow *)a, column);
  double y = sl_compare_row_get_value ((SlCompareRow *)b, column);

  if (is_text (column))
    return g_utf8_collate (sl_compare_row_get_title ((SlCompareRow *)a),
                           sl_compare_row_get_title ((SlCompareRow *)b));
  if (isnan (x) || isnan (y))
    return isnan (x) - isnan (y);
  return x < y ? -1 : x > y;
}

void
sl_lane_table_sort (SlLaneTable *self, guint column, GtkSortType order)
{
  gtk_column_view_sort_by_column (self->view, NULL, GTK_SORT_ASCENDING); /* by nothing else */
  gtk_column_view_sort_by_column (self->view, self->columns->pdata[column], order);
  gtk_drop_down_set_selected (self->sort_by, column);
  gtk_toggle_button_set_active (self->falling, order == GTK_SORT_DESCENDING);
}

static void
sort_chosen (SlLaneTable *self)
{
  guint column = gtk_drop_down_get_selected (self->sort_by);

  if (column >= self->columns->len)
    return;
  gtk_column_view_sort_by_column (self->view, NULL, GTK_SORT_ASCENDING);
  gtk_column_view_sort_by_column (self->view, self->columns->pdata[column],
                                  gtk_toggle_button_get_active (self->falling) ? GTK_SORT_DESCENDING
                                                                               : GTK_SORT_ASCENDING);
}

static void
values_changed (SlLaneTable *self)
{
  for (guint i = 0; i < self->columns->len; i++)
    gtk_sorter_changed (gtk_column_view_column_get_sorter (self->columns->pdata[i]),
                        GTK_SORTER_CHANGE_DIFFERENT);
}

/* ---- choosing ---- */

static guint
index_of_row (SlLaneTable *self, guint position)
{
  g_autoptr (SlCompareRow) row = g_list_model_get_item (G_LIST_MODEL (self->selection), position);

  return row ? sl_compare_row_get_number (row) - 1 : G_MAXUINT;
}

static void
row_chosen (SlLaneTable *self)
{
  guint index = index_of_row (self, gtk_single_selection_get_selected (self->selection));

  if (!self->setting && index != G_MAXUINT)
    g_signal_emit (self, signals[CHOSEN], 0, index);
}

static void
row_opened (SlLaneTable *self, guint position)
{
  guint index = index_of_row (self, position);

  if (index != G_MAXUINT)
    g_signal_emit (self, signals[OPENED], 0, index);
}

/* The rows' own action: before GTK 4.12 a GtkColumnView has no function for it. */
static void
bring_into_sight (SlLaneTable *self, guint position)
{
  GtkWidget *rows = gtk_widget_get_last_child (GTK_WIDGET (self->view));

  if (gtk_widget_get_mapped (rows))
    gtk_widget_activate_action (rows, "list.scroll-to-item", "u", position);
}

void
sl_lane_table_choose (SlLaneTable *self, guint index)
{
  guint before = gtk_single_selection_get_selected (self->selection);

  self->setting = TRUE;
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (self->selection)); i++)
    if (index_of_row (self, i) == index && i != before)
      {
        gtk_single_selection_set_selected (self->selection, i);
        bring_into_sight (self, i);
      }
  self->setting = FALSE;
}

/* The rows get the keyboard, not the bar above them. */
static gboolean
sl_lane_table_grab_focus (GtkWidget *widget)
{
  return gtk_widget_grab_focus (GTK_WIDGET (SL_LANE_TABLE (widget)->view));
}

/* ---- contents ---- */

SlCompareTable *
sl_lane_table_get_table (SlLaneTable *self)
{
  return self->table;
}

GListModel *
sl_lane_table_get_rows (SlLaneTable *self)
{
  return G_LIST_MODEL (self->selection);
}

static gboolean
refresh (gpointer data)
{
  SlLaneTable *self = data;
  guint chosen = index_of_row (self, gtk_single_selection_get_selected (self->selection));

  self->refresh = 0;
  self->setting = TRUE;
  sl_compare_table_update (self->table);
  values_changed (self);
  self->setting = FALSE;
  sl_lane_table_choose (self, chosen);
  return G_SOURCE_REMOVE;
}

void
sl_lane_table_update (SlLaneTable *self)
{
  if (sl_comparison_is_busy (self->comparison))
    {
      if (self->refresh == 0)
        self->refresh = g_timeout_add (REFRESH_MS, refresh, self);
      return;
    }
  g_clear_handle_id (&self->refresh, g_source_remove);
  refresh (self);
}

void
sl_lane_table_set_height (SlLaneTable *self, int height)
{
  int least = ROW_HEIGHT * (ROWS + 1);

  gtk_scrolled_window_set_max_content_height (self->scroller,
                                              height > 0 ? MAX (height - BAR_HEIGHT, least) : ROW_HEIGHT * 8);
}

char *
sl_lane_table_to_text (SlLaneTable *self)
{
  g_autofree const char **headings = g_new0 (const char *, sl_table_column_count () + 1);

  for (guint i = 0; i < sl_table_column_count (); i++)
    headings[i] = _ (sl_table_column_nth (i)->label);
  return sl_compare_rows_to_text (sl_lane_table_get_rows (self), headings);
}

static void
copy (GtkWidget *widget, const char *action, GVariant *parameter)
{
  g_autofree char *text = sl_lane_table_to_text (SL_LANE_TABLE (widget));

  gdk_clipboard_set_text (gtk_widget_get_clipboard (widget), text);
  sl_notice_toast (widget, _ ("The table was copied"));
}

/* ---- setting up ---- */

void
sl_lane_table_connect (SlLaneTable *self, SlComparison *comparison, SlSettings *recipe)
{
  GtkSorter *sorter = gtk_column_view_get_sorter (self->view);
  GtkSortListModel *sorted;

  self->comparison = g_object_ref (comparison);
  self->recipe = g_object_ref (recipe);
  self->table = sl_compare_table_new (comparison, recipe);
  sorted = gtk_sort_list_model_new (G_LIST_MODEL (g_object_ref (self->table)),
                                    GTK_SORTER (g_object_ref (sorter)));
  self->selection = gtk_single_selection_new (G_LIST_MODEL (sorted));
  gtk_column_view_set_model (self->view, GTK_SELECTION_MODEL (self->selection));
  g_signal_connect_object (self->selection, "notify::selected", G_CALLBACK (row_chosen), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->table, "changed", G_CALLBACK (values_changed), self, G_CONNECT_SWAPPED);
  sl_lane_table_sort (self, 0, GTK_SORT_ASCENDING);
}

static void
add_column (SlLaneTable *self, guint number)
{
  const SlTableColumn *info = sl_table_column_nth (number);
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();
  GtkColumnViewColumn *column = gtk_column_view_column_new (_ (info->label), factory);
  g_autoptr (GtkCustomSorter) sorter = gtk_custom_sorter_new (compare_rows, GUINT_TO_POINTER (number), NULL);

  g_object_set_data (G_OBJECT (factory), "sl-column", GUINT_TO_POINTER (number));
  g_signal_connect (factory, "setup", G_CALLBACK (setup_cell), NULL);
  g_signal_connect (factory, "bind", G_CALLBACK (bind_cell), NULL);
  g_signal_connect (factory, "unbind", G_CALLBACK (unbind_cell), NULL);
  gtk_column_view_column_set_sorter (column, GTK_SORTER (sorter));
  gtk_column_view_column_set_expand (column, is_text (number));
  gtk_column_view_column_set_resizable (column, TRUE);
  gtk_column_view_append_column (self->view, column);
  g_ptr_array_add (self->columns, column);
}

/* What the columns mean, a line each: headings have no tooltips of their own. */
static char *
describe_columns (void)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < sl_table_column_count (); i++)
    {
      const SlTableColumn *column = sl_table_column_nth (i);

      if (column->help)
        g_string_append_printf (text, "%s%s: %s", text->len ? "\n" : "", _ (column->label), _ (column->help));
    }
  return g_string_free (text, FALSE);
}

static GtkWidget *
new_button (const char *label, const char *action, const char *target, const char *tooltip)
{
  GtkWidget *button = gtk_button_new_with_mnemonic (label);

  if (target)
    gtk_actionable_set_action_target (GTK_ACTIONABLE (button), "s", target);
  gtk_actionable_set_action_name (GTK_ACTIONABLE (button), action);
  gtk_widget_set_tooltip_text (button, tooltip);
  gtk_widget_add_css_class (button, "flat");
  return button;
}

static void
add_bar (SlLaneTable *self, GtkBox *column)
{
  GtkBox *bar = GTK_BOX (gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6));
  GtkStringList *names = gtk_string_list_new (NULL);
  GtkWidget *scroller = gtk_scrolled_window_new (),
            *help = gtk_image_new_from_icon_name ("help-about-symbolic");
  GtkWidget *falling = gtk_toggle_button_new (), *space = gtk_label_new (NULL);
  g_autofree char *columns = describe_columns ();

  for (guint i = 0; i < sl_table_column_count (); i++)
    gtk_string_list_append (names, _ (sl_table_column_nth (i)->label));
  self->sort_by = GTK_DROP_DOWN (gtk_drop_down_new (G_LIST_MODEL (names), NULL));
  sl_button_name_in_list (self->sort_by);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->sort_by), _ ("What the table is sorted by"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->sort_by), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Sort by"), -1);
  gtk_button_set_icon_name (GTK_BUTTON (falling), "view-sort-descending-symbolic");
  gtk_widget_set_tooltip_text (falling, _ ("The largest first"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (falling), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("The largest first"), -1);
  self->falling = GTK_TOGGLE_BUTTON (falling);
  gtk_widget_set_tooltip_text (help, columns);
  gtk_widget_set_focusable (help, TRUE);
  gtk_accessible_update_property (GTK_ACCESSIBLE (help), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("What the columns mean"), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, columns,
                                  -1);
  gtk_widget_set_hexpand (space, TRUE);
  gtk_box_append (bar, GTK_WIDGET (self->sort_by));
  gtk_box_append (bar, falling);
  gtk_box_append (bar, help);
  gtk_box_append (bar, space);
  gtk_box_append (bar, new_button (_ ("_Copy"), "table.copy", NULL, _ ("Copy the table (Ctrl+C)")));
  gtk_box_append (bar, new_button (_ ("_Table…"), "win.compare-save", "table", _ ("Save the table as CSV")));
  gtk_box_append (bar,
                  new_button (_ ("_Report…"), "win.compare-save", "report",
                              _ ("Save pictures, figures, curves and settings as one page for a browser")));
  gtk_widget_set_margin_start (GTK_WIDGET (bar), 6);
  gtk_widget_set_margin_end (GTK_WIDGET (bar), 6);
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scroller), GTK_POLICY_EXTERNAL, GTK_POLICY_NEVER);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller), GTK_WIDGET (bar));
  gtk_box_append (column, scroller);
  g_signal_connect_swapped (self->sort_by, "notify::selected", G_CALLBACK (sort_chosen), self);
  g_signal_connect_swapped (falling, "toggled", G_CALLBACK (sort_chosen), self);
}

static void
sl_lane_table_dispose (GObject *object)
{
  SlLaneTable *self = SL_LANE_TABLE (object);

  g_clear_handle_id (&self->refresh, g_source_remove);
  g_clear_object (&self->table);
  g_clear_object (&self->comparison);
  g_clear_object (&self->recipe);
  g_clear_pointer (&self->columns, g_ptr_array_unref);
  G_OBJECT_CLASS (sl_lane_table_parent_class)->dispose (object);
}

static void
sl_lane_table_class_init (SlLaneTableClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = sl_lane_table_dispose;
  widget_class->grab_focus = sl_lane_table_grab_focus;
  gtk_widget_class_set_css_name (widget_class, "lanetable");
  gtk_widget_class_install_action (widget_class, "table.copy", NULL, copy);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_c, GDK_CONTROL_MASK, "table.copy", NULL);
  signals[CHOSEN] = g_signal_new ("chosen", SL_TYPE_LANE_TABLE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 1, G_TYPE_UINT);
  signals[OPENED] = g_signal_new ("opened", SL_TYPE_LANE_TABLE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 1, G_TYPE_UINT);
}

static void
sl_lane_table_init (SlLaneTable *self)
{
  GtkWidget *scroller = gtk_scrolled_window_new (), *column = gtk_box_new (GTK_ORIENTATION_VERTICAL, 4);

  self->columns = g_ptr_array_new_with_free_func (g_object_unref);
  self->view = GTK_COLUMN_VIEW (gtk_column_view_new (NULL));
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->view), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Table of the lanes"), -1);
  for (guint i = 0; i < sl_table_column_count (); i++)
    add_column (self, i);
  g_signal_connect_swapped (self->view, "activate", G_CALLBACK (row_opened), self);
  add_bar (self, GTK_BOX (column));
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller), GTK_WIDGET (self->view));
  gtk_scrolled_window_set_min_content_height (GTK_SCROLLED_WINDOW (scroller), ROW_HEIGHT * (ROWS + 1));
  gtk_scrolled_window_set_max_content_height (GTK_SCROLLED_WINDOW (scroller), ROW_HEIGHT * 8);
  gtk_scrolled_window_set_propagate_natural_height (GTK_SCROLLED_WINDOW (scroller), TRUE);
  self->scroller = GTK_SCROLLED_WINDOW (scroller);
  gtk_widget_set_vexpand (scroller, TRUE);
  gtk_box_append (GTK_BOX (column), scroller);
  adw_bin_set_child (ADW_BIN (self), column);
}
