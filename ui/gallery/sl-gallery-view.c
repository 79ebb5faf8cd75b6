/* sl-gallery-view.c - see sl-gallery-view.h. */
#include "ui/gallery/sl-gallery-view.h"

#include <glib/gi18n.h>

#include "ui/exchange/sl-picture-content.h"
#include "ui/widgets/sl-button-name.h"
#include "ui/widgets/sl-picture-text.h"
#include "ui/gallery/sl-print.h"

struct _SlGalleryView
{
  AdwBin parent_instance;
  GtkStack *stack;
  GtkStack *results; /* "some" or "none" */
  GtkEditable *search;
  GtkDropDown *kinds;
  GtkDropDown *orders;
  GtkGridView *grid;
  GtkRevealer *family_bar;
  GtkLabel *family_title;
  GMenuModel *picture_menu;
  GtkPopover *menu;
  SlGallery *gallery;
  SlThreadQueue *files;
  GtkFilter *filter;
  GtkSortListModel *sorted;
  char **words; /* that are looked for; NULL: none */
  GtkSingleSelection *selection;
  GtkMultiSelection *several; /* of the same pictures; the grid's while several can be chosen */
  GtkToggleButton *choose;
  GtkRevealer *chosen_bar;
  GtkLabel *chosen_count;
  GtkButton *compare_chosen;
  SlPicture *shown_family; /* a picture of the only family that is shown; NULL: all are shown */
  guint64 family;          /* the number of that family, or 0 */
};

G_DEFINE_FINAL_TYPE (SlGalleryView, sl_gallery_view, ADW_TYPE_BIN)

enum
{
  OPENED,
  SELECTED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* ---- the menu of a picture ---- */

static void
open_menu (SlGalleryView *self, GtkWidget *print)
{
  graphene_rect_t bounds;

  if (!gtk_widget_compute_bounds (print, GTK_WIDGET (self), &bounds))
    return;
  gtk_popover_set_pointing_to (self->menu,
                               &(GdkRectangle){ (int)bounds.origin.x + (int)bounds.size.width / 2,
                                                (int)bounds.origin.y + (int)bounds.size.height / 2, 1, 1 });
  gtk_popover_popup (self->menu);
}

/* The position of a picture in what is shown; GTK_INVALID_LIST_POSITION when it is not there. */
static guint
find_position (SlGalleryView *self, SlPicture *picture)
{
  GListModel *shown = G_LIST_MODEL (self->selection);

  for (guint i = 0; i < g_list_model_get_n_items (shown); i++)
    {
      g_autoptr (SlPicture) found = g_list_model_get_item (shown, i);

      if (found == picture)
        return i;
    }
  return GTK_INVALID_LIST_POSITION;
}

static void
menu_by_touch (SlGalleryView *self, double x, double y, GtkGesture *gesture)
{
  GtkWidget *print = gtk_event_controller_get_widget (GTK_EVENT_CONTROLLER (gesture));

  gtk_single_selection_set_selected (self->selection,
                                     find_position (self, sl_print_get_picture (SL_PRINT (print))));
  open_menu (self, print);
  gtk_gesture_set_state (gesture, GTK_EVENT_SEQUENCE_CLAIMED);
}

static void
menu_by_click (SlGalleryView *self, int count, double x, double y, GtkGesture *gesture)
{
  menu_by_touch (self, x, y, gesture);
}

/* The print of a picture that is in sight, or NULL. */
static GtkWidget *
find_print (SlGalleryView *self, SlPicture *picture)
{
  for (GtkWidget *cell = gtk_widget_get_first_child (GTK_WIDGET (self->grid)); cell;
       cell = gtk_widget_get_next_sibling (cell))
    {
      GtkWidget *print = gtk_widget_get_first_child (cell);

      if (SL_IS_PRINT (print) && sl_print_get_picture (SL_PRINT (print)) == picture)
        return print;
    }
  return NULL;
}

void
sl_gallery_view_focus (SlGalleryView *self)
{
  SlPicture *picture = sl_gallery_view_get_selected (self);
  GtkWidget *print = picture ? find_print (self, picture) : NULL;

  gtk_widget_grab_focus (print ? gtk_widget_get_parent (print) : GTK_WIDGET (self->grid));
}

static void
menu_by_key (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlGalleryView *self = SL_GALLERY_VIEW (widget);
  SlPicture *picture = sl_gallery_view_get_selected (self);
  GtkWidget *print = picture ? find_print (self, picture) : NULL;

  if (print)
    open_menu (self, print);
}

/* ---- several at once ---- */

gboolean
sl_gallery_view_is_choosing (SlGalleryView *self)
{
  return gtk_toggle_button_get_active (self->choose);
}

GPtrArray *
sl_gallery_view_get_chosen (SlGalleryView *self)
{
  GPtrArray *chosen = g_ptr_array_new_with_free_func (g_object_unref);
  gboolean choosing = sl_gallery_view_is_choosing (self);
  GtkSelectionModel *model
      = choosing ? GTK_SELECTION_MODEL (self->several) : GTK_SELECTION_MODEL (self->selection);

  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (model)); i++)
    if (gtk_selection_model_is_selected (model, i))
      g_ptr_array_add (chosen, g_list_model_get_item (G_LIST_MODEL (model), i));
  return chosen;
}

static void
chosen_changed (SlGalleryView *self)
{
  g_autoptr (GPtrArray) chosen = sl_gallery_view_get_chosen (self);
  g_autofree char *text
      = g_strdup_printf (ngettext ("%u picture chosen", "%u pictures chosen", chosen->len), chosen->len);

  gtk_label_set_text (self->chosen_count, text);
  g_signal_emit (self, signals[SELECTED], 0);
}

static void
choosing_changed (SlGalleryView *self)
{
  gboolean choosing = sl_gallery_view_is_choosing (self);

  gtk_selection_model_unselect_all (GTK_SELECTION_MODEL (self->several));
  /* Before the model: cells that it makes anew take it from there. */
  gtk_grid_view_set_single_click_activate (self->grid, !choosing);
  gtk_grid_view_set_model (self->grid, choosing ? GTK_SELECTION_MODEL (self->several)
                                                : GTK_SELECTION_MODEL (self->selection));
  gtk_grid_view_set_enable_rubberband (self->grid, choosing);
  gtk_revealer_set_reveal_child (self->chosen_bar, choosing);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "gallery.done", choosing);
  chosen_changed (self);
}

void
sl_gallery_view_set_choosing (SlGalleryView *self, gboolean choosing)
{
  gtk_toggle_button_set_active (self->choose, choosing);
}

void
sl_gallery_view_toggle (SlGalleryView *self, SlPicture *picture)
{
  GtkSelectionModel *model = GTK_SELECTION_MODEL (self->several);
  guint position = find_position (self, picture);

  if (position == GTK_INVALID_LIST_POSITION)
    return;
  if (gtk_selection_model_is_selected (model, position))
    gtk_selection_model_unselect_item (model, position);
  else
    gtk_selection_model_select_item (model, position, FALSE);
}

static void
done (GtkWidget *widget, const char *action, GVariant *parameter)
{
  sl_gallery_view_set_choosing (SL_GALLERY_VIEW (widget), FALSE);
  sl_gallery_view_focus (SL_GALLERY_VIEW (widget));
}

/* A click chooses where several can be chosen, and begins that with Ctrl; with Shift the grid chooses a range. */
static void
clicked (SlGalleryView *self, int count, double x, double y, GtkGesture *gesture)
{
  GdkModifierType state = gtk_event_controller_get_current_event_state (GTK_EVENT_CONTROLLER (gesture));
  GtkWidget *print = gtk_event_controller_get_widget (GTK_EVENT_CONTROLLER (gesture));
  SlPicture *picture = sl_print_get_picture (SL_PRINT (print));

  if (picture == NULL || (state & GDK_SHIFT_MASK)
      || (!sl_gallery_view_is_choosing (self) && !(state & GDK_CONTROL_MASK)))
    return;
  gtk_gesture_set_state (gesture, GTK_EVENT_SEQUENCE_CLAIMED);
  sl_gallery_view_set_choosing (self, TRUE);
  sl_gallery_view_toggle (self, picture);
}

/* ---- dragged out ---- */

static GdkContentProvider *
drag_prepare (SlGalleryView *self, double x, double y, GtkDragSource *drag)
{
  SlPrint *print = SL_PRINT (gtk_event_controller_get_widget (GTK_EVENT_CONTROLLER (drag)));
  SlPicture *picture = sl_print_get_picture (print);
  GdkTexture *texture = sl_print_get_texture (print);
  g_autoptr (GPtrArray) chosen = sl_gallery_view_get_chosen (self);
  g_autoptr (GPtrArray) paths = g_ptr_array_new ();

  if (picture == NULL || texture == NULL)
    return NULL;
  if (!sl_gallery_view_is_choosing (self) || !g_ptr_array_find (chosen, picture, NULL))
    return sl_picture_content_new (texture, sl_picture_get_path (picture));
  for (guint i = 0; i < chosen->len; i++)
    g_ptr_array_add (paths, (gpointer)sl_picture_get_path (chosen->pdata[i]));
  return sl_picture_content_new_list (texture, paths);
}

static void
drag_begin (GtkDragSource *drag)
{
  GtkWidget *print = gtk_event_controller_get_widget (GTK_EVENT_CONTROLLER (drag));
  GdkTexture *texture = sl_print_get_texture (SL_PRINT (print));

  if (texture)
    sl_picture_content_set_icon (drag, texture);
}

static void
add_drag_source (SlGalleryView *self, GtkWidget *print)
{
  GtkDragSource *drag = gtk_drag_source_new ();

  g_signal_connect_object (drag, "prepare", G_CALLBACK (drag_prepare), self, G_CONNECT_SWAPPED);
  g_signal_connect (drag, "drag-begin", G_CALLBACK (drag_begin), NULL);
  gtk_widget_add_controller (print, GTK_EVENT_CONTROLLER (drag));
}

/* ---- cells ---- */

static void
setup_cell (SlGalleryView *self, GtkListItem *item)
{
  GtkWidget *print = sl_print_new ();
  GtkGesture *click = gtk_gesture_click_new (), *press = gtk_gesture_long_press_new ();
  GtkGesture *choice = gtk_gesture_click_new ();

  gtk_gesture_single_set_button (GTK_GESTURE_SINGLE (choice), GDK_BUTTON_PRIMARY);
  g_signal_connect_object (choice, "released", G_CALLBACK (clicked), self, G_CONNECT_SWAPPED);
  gtk_widget_add_controller (print, GTK_EVENT_CONTROLLER (choice));
  add_drag_source (self, print);
  gtk_gesture_single_set_button (GTK_GESTURE_SINGLE (click), GDK_BUTTON_SECONDARY);
  gtk_gesture_single_set_touch_only (GTK_GESTURE_SINGLE (press), TRUE);
  g_signal_connect_object (click, "pressed", G_CALLBACK (menu_by_click), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (press, "pressed", G_CALLBACK (menu_by_touch), self, G_CONNECT_SWAPPED);
  gtk_widget_add_controller (print, GTK_EVENT_CONTROLLER (click));
  gtk_widget_add_controller (print, GTK_EVENT_CONTROLLER (press));
  gtk_list_item_set_child (item, print);
}

/* Pictures of a family stand together. */
static gboolean
shows_tree (SlGalleryView *self)
{
  return gtk_drop_down_get_selected (self->kinds) == SL_PICTURES_ALL
         && gtk_drop_down_get_selected (self->orders) == SL_PICTURES_NEWEST
         && (self->words == NULL || *self->words == NULL);
}

static void
bind_cell (SlGalleryView *self, GtkListItem *item)
{
  SlPrint *print = SL_PRINT (gtk_list_item_get_child (item));

  sl_print_set_picture (print, gtk_list_item_get_item (item), self->files);
  sl_print_set_in_tree (print, shows_tree (self));
}

static void
unbind_cell (SlGalleryView *self, GtkListItem *item)
{
  sl_print_set_picture (SL_PRINT (gtk_list_item_get_child (item)), NULL, NULL);
}

/* ---- one family ---- */

static gboolean
is_shown (gpointer picture, gpointer user_data)
{
  SlGalleryView *self = user_data;

  return (self->shown_family == NULL || sl_picture_get_place (picture)->family == self->family)
         && sl_picture_is_of_kind (picture, (SlPictureKind)gtk_drop_down_get_selected (self->kinds))
         && sl_picture_matches (picture, (const char *const *)self->words);
}

static void
show_title (SlGalleryView *self)
{
  guint members = sl_picture_get_place (self->shown_family)->members;
  g_autofree char *text = g_strdup_printf (
      ngettext ("The family of “%s”: %u picture", "The family of “%s”: %u pictures", members),
      sl_picture_name (self->shown_family), members);

  gtk_label_set_text (self->family_title, text);
}

void
sl_gallery_view_show_family (SlGalleryView *self, SlPicture *picture)
{
  guint64 family = picture ? sl_picture_get_place (picture)->family : 0;

  if (family == 0)
    picture = NULL;
  g_set_object (&self->shown_family, picture);
  self->family = family;
  gtk_filter_changed (self->filter, GTK_FILTER_CHANGE_DIFFERENT);
  gtk_revealer_set_reveal_child (self->family_bar, family != 0);
  if (family)
    show_title (self);
}

gboolean
sl_gallery_view_shows_family (SlGalleryView *self)
{
  return self->shown_family != NULL;
}

/* When only one picture of the family is left, it is no family any more and all pictures are shown. */
static void
arranged (SlGalleryView *self)
{
  GListModel *pictures = G_LIST_MODEL (self->gallery);

  sl_gallery_view_look_again (self); /* of a new one more is known now */
  if (self->shown_family == NULL)
    return;
  for (guint i = 0; i < g_list_model_get_n_items (pictures); i++)
    {
      g_autoptr (SlPicture) picture = g_list_model_get_item (pictures, i);

      if (sl_picture_get_place (picture)->family == self->family)
        {
          sl_gallery_view_show_family (self, picture);
          return;
        }
    }
  sl_gallery_view_show_family (self, NULL);
}

static void
show_all (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlGalleryView *self = SL_GALLERY_VIEW (widget);

  sl_gallery_view_show_family (self, NULL);
  gtk_editable_set_text (self->search, "");
  gtk_drop_down_set_selected (self->kinds, SL_PICTURES_ALL);
}

/* ---- finding ---- */

static void
show_results (SlGalleryView *self)
{
  gboolean any = g_list_model_get_n_items (G_LIST_MODEL (self->selection)) > 0;

  gtk_stack_set_visible_child_name (self->results, any ? "some" : "none");
}

static void
show_trees (SlGalleryView *self)
{
  for (GtkWidget *cell = gtk_widget_get_first_child (GTK_WIDGET (self->grid)); cell;
       cell = gtk_widget_get_next_sibling (cell))
    {
      GtkWidget *print = gtk_widget_get_first_child (cell);

      if (SL_IS_PRINT (print))
        sl_print_set_in_tree (SL_PRINT (print), shows_tree (self));
    }
}

void
sl_gallery_view_look_again (SlGalleryView *self)
{
  gtk_filter_changed (self->filter, GTK_FILTER_CHANGE_DIFFERENT);
  show_trees (self);
}

static void
searched (SlGalleryView *self)
{
  g_strfreev (self->words);
  self->words = sl_search_words (gtk_editable_get_text (self->search));
  sl_gallery_view_look_again (self);
}

static void
search_left (SlGalleryView *self)
{
  gtk_editable_set_text (self->search, "");
  sl_gallery_view_focus (self);
}

static int
compare (gconstpointer a, gconstpointer b, gpointer user_data)
{
  SlGalleryView *self = user_data;

  return sl_picture_compare ((SlPicture *)a, (SlPicture *)b,
                             (SlPictureOrder)gtk_drop_down_get_selected (self->orders));
}

static void
order_chosen (SlGalleryView *self)
{
  g_autoptr (GtkSorter) sorter = NULL;

  if (gtk_drop_down_get_selected (self->orders) != SL_PICTURES_NEWEST)
    sorter = GTK_SORTER (gtk_custom_sorter_new (compare, self, NULL));
  gtk_sort_list_model_set_sorter (self->sorted, sorter);
  show_trees (self);
}

void
sl_gallery_view_find (SlGalleryView *self)
{
  gtk_widget_grab_focus (GTK_WIDGET (self->search));
}

SlPicture *
sl_gallery_view_get_neighbour (SlGalleryView *self, SlPicture *picture, int by)
{
  gint64 position = find_position (self, picture);
  g_autoptr (SlPicture) found = NULL;

  if (position != GTK_INVALID_LIST_POSITION && position + by >= 0)
    found = g_list_model_get_item (G_LIST_MODEL (self->selection), (guint)(position + by));
  return found; /* borrowed: the gallery holds it */
}

/* ---- the grid ---- */

static void
items_changed (SlGalleryView *self)
{
  gboolean any = g_list_model_get_n_items (G_LIST_MODEL (self->gallery)) > 0;

  gtk_stack_set_visible_child_name (self->stack, any ? "grid" : "empty");
}

/* Where the beginning was shown, it still is when pictures come in front of it: the grid by itself stays with those that
 * were the first, however many there are before them by then. */
static void
keep_beginning (SlGalleryView *self, guint position, guint removed, guint added)
{
  GtkAdjustment *adjustment = gtk_scrollable_get_vadjustment (GTK_SCROLLABLE (self->grid));

  if (added > 0 && position == 0 && gtk_adjustment_get_value (adjustment) <= 0)
    gtk_widget_activate_action (GTK_WIDGET (self->grid), "list.scroll-to-item", "u", 0u);
}

static void
activated (SlGalleryView *self, guint position)
{
  g_autoptr (SlPicture) picture = g_list_model_get_item (G_LIST_MODEL (self->selection), position);

  if (picture)
    g_signal_emit (self, signals[OPENED], 0, picture);
}

static void
selected (SlGalleryView *self)
{
  g_signal_emit (self, signals[SELECTED], 0);
}

SlPicture *
sl_gallery_view_get_selected (SlGalleryView *self)
{
  return gtk_single_selection_get_selected_item (self->selection);
}

static gboolean
focus_selected (gpointer data)
{
  SlGalleryView *self = data;
  SlPicture *picture = sl_gallery_view_get_selected (self);
  GtkWidget *print = picture ? find_print (self, picture) : NULL;

  if (print)
    gtk_widget_grab_focus (gtk_widget_get_parent (print));
  return G_SOURCE_REMOVE;
}

void
sl_gallery_view_choose (SlGalleryView *self, SlPicture *picture)
{
  guint position = find_position (self, picture);

  if (position == GTK_INVALID_LIST_POSITION)
    return;
  gtk_single_selection_set_selected (self->selection, position);
  gtk_widget_activate_action (GTK_WIDGET (self->grid), "list.scroll-to-item", "u", position);
}

void
sl_gallery_view_select (SlGalleryView *self, SlPicture *picture)
{
  if (find_position (self, picture) == GTK_INVALID_LIST_POSITION)
    return;
  sl_gallery_view_choose (self, picture);
  /* Its cell is there when the grid has been laid out. */
  g_idle_add_full (G_PRIORITY_LOW, focus_selected, g_object_ref (self), g_object_unref);
}

static void
make_models (SlGalleryView *self)
{
  GtkCustomFilter *filter = gtk_custom_filter_new (is_shown, self, NULL);
  GtkFilterListModel *shown
      = gtk_filter_list_model_new (g_object_ref (G_LIST_MODEL (self->gallery)), GTK_FILTER (filter));

  self->filter = g_object_ref (GTK_FILTER (filter));
  self->sorted = gtk_sort_list_model_new (G_LIST_MODEL (shown), NULL);
  self->selection = gtk_single_selection_new (g_object_ref (G_LIST_MODEL (self->sorted)));
  gtk_single_selection_set_autoselect (self->selection, FALSE);
  gtk_single_selection_set_can_unselect (self->selection, TRUE);
  self->several = gtk_multi_selection_new (g_object_ref (G_LIST_MODEL (self->sorted)));
  g_signal_connect_object (self->selection, "notify::selected-item", G_CALLBACK (selected), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->several, "selection-changed", G_CALLBACK (chosen_changed), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->several, "items-changed", G_CALLBACK (chosen_changed), self,
                           G_CONNECT_SWAPPED);
}

void
sl_gallery_view_connect (SlGalleryView *self, SlGallery *gallery, SlThreadQueue *files)
{
  g_autoptr (GtkListItemFactory) factory = gtk_signal_list_item_factory_new ();

  self->gallery = g_object_ref (gallery);
  self->files = files;
  make_models (self);
  g_signal_connect_object (factory, "setup", G_CALLBACK (setup_cell), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (factory, "bind", G_CALLBACK (bind_cell), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (factory, "unbind", G_CALLBACK (unbind_cell), self, G_CONNECT_SWAPPED);
  gtk_grid_view_set_factory (self->grid, factory);
  gtk_grid_view_set_model (self->grid, GTK_SELECTION_MODEL (self->selection));
  g_signal_connect_swapped (self->grid, "activate", G_CALLBACK (activated), self);
  /* after the grid */
  g_signal_connect_object (self->sorted, "items-changed", G_CALLBACK (keep_beginning), self,
                           G_CONNECT_SWAPPED | G_CONNECT_AFTER);
  g_signal_connect_object (gallery, "items-changed", G_CALLBACK (items_changed), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (gallery, "arranged", G_CALLBACK (arranged), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->selection, "items-changed", G_CALLBACK (show_results), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_swapped (self->search, "search-changed", G_CALLBACK (searched), self);
  g_signal_connect_swapped (self->search, "stop-search", G_CALLBACK (search_left), self);
  g_signal_connect_swapped (self->search, "activate", G_CALLBACK (sl_gallery_view_focus), self);
  g_signal_connect_swapped (self->choose, "notify::active", G_CALLBACK (choosing_changed), self);
  g_signal_connect_swapped (self->kinds, "notify::selected", G_CALLBACK (sl_gallery_view_look_again), self);
  g_signal_connect_swapped (self->orders, "notify::selected", G_CALLBACK (order_chosen), self);
  items_changed (self);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "gallery.done", FALSE);
}

/* ---- class ---- */

static void
sl_gallery_view_dispose (GObject *object)
{
  SlGalleryView *self = SL_GALLERY_VIEW (object);

  if (self->menu)
    {
      g_signal_handlers_disconnect_by_data (self->menu, self);
      gtk_widget_unparent (GTK_WIDGET (self->menu));
    }
  self->menu = NULL;
  g_clear_object (&self->selection);
  g_clear_object (&self->several);
  g_clear_object (&self->sorted);
  g_clear_object (&self->filter);
  g_clear_object (&self->shown_family);
  g_clear_object (&self->gallery);
  G_OBJECT_CLASS (sl_gallery_view_parent_class)->dispose (object);
}

static void
sl_gallery_view_finalize (GObject *object)
{
  g_strfreev (SL_GALLERY_VIEW (object)->words);
  G_OBJECT_CLASS (sl_gallery_view_parent_class)->finalize (object);
}

#define BIND(name) gtk_widget_class_bind_template_child (widget_class, SlGalleryView, name)

static void
sl_gallery_view_class_init (SlGalleryViewClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = sl_gallery_view_dispose;
  G_OBJECT_CLASS (klass)->finalize = sl_gallery_view_finalize;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/safelight/Safelight/sl-gallery-view.ui");
  BIND (stack);
  BIND (results);
  BIND (search);
  BIND (kinds);
  BIND (orders);
  BIND (choose);
  BIND (chosen_bar);
  BIND (chosen_count);
  BIND (compare_chosen);
  BIND (grid);
  BIND (family_bar);
  BIND (family_title);
  BIND (picture_menu);
  gtk_widget_class_install_action (widget_class, "gallery.all", NULL, show_all);
  gtk_widget_class_install_action (widget_class, "gallery.done", NULL, done);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "gallery.done", NULL);
  gtk_widget_class_install_action (widget_class, "gallery.menu", NULL, menu_by_key);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_F10, GDK_SHIFT_MASK, "gallery.menu", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Menu, 0, "gallery.menu", NULL);
  signals[OPENED] = g_signal_new ("opened", SL_TYPE_GALLERY_VIEW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 1, SL_TYPE_PICTURE);
  signals[SELECTED] = g_signal_new ("selected", SL_TYPE_GALLERY_VIEW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                    G_TYPE_NONE, 0);
}

static void
sl_gallery_view_init (SlGalleryView *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  sl_button_name_in_list (self->kinds);
  sl_button_name_in_list (self->orders);
  sl_button_name_by_label (self->compare_chosen);
  self->menu = GTK_POPOVER (gtk_popover_menu_new_from_model (self->picture_menu));
  gtk_popover_set_has_arrow (self->menu, FALSE);
  gtk_widget_set_parent (GTK_WIDGET (self->menu), GTK_WIDGET (self));
  g_signal_connect_swapped (self->menu, "closed", G_CALLBACK (sl_gallery_view_focus), self);
}
