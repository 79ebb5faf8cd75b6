/* sl-window.c - see sl-window.h.
 *
 * Buttons and keys that mean the same on two pages ("develop", "stop", "save", steps, zoom) are actions of the window,
 * which does them on the page in front, or in the darkroom where that page develops nothing. All other actions belong
 * to the page that adds them.
 */
#include "ui/window/sl-window.h"

#include <glib/gi18n.h>

#include "ui/darkroom/sl-recipe-panel.h"
#include "ui/exchange/sl-intake.h"
#include "ui/exchange/sl-unsaved-bar.h"
#include "ui/preferences/sl-preferences-page.h"
#include "ui/widgets/sl-button-name.h"
#include "ui/widgets/sl-dialog.h"
#include "ui/widgets/sl-drop-hint.h"
#include "ui/widgets/sl-focus.h"
#include "ui/widgets/sl-notice.h"
#include "ui/widgets/sl-page-switcher.h"
#include "ui/widgets/sl-side-view.h"
#include "ui/window/sl-history-popover.h"
#include "ui/window/sl-preset-popover.h"
#include "ui/window/sl-plan-line.h"
#include "ui/window/sl-queue-popover.h"
#include "ui/window/sl-tour.h"

struct _SlWindow
{
  AdwApplicationWindow parent_instance;
  AdwToastOverlay *toasts;
  SlSideView *sides;
  SlRecipePanel *panel;
  GtkLabel *status; /* how far the model is loaded */
  SlPlanLine *plan;
  GtkButton *develop;
  GtkWidget *stop;
  GtkWidget *narrow_stop; /* in the header bar, where the panel is hidden */
  AdwViewStack *pages;
  SlDarkroomPage *darkroom;
  SlComparePage *compare;
  SlGalleryPage *gallery;
  SlTour *tour;
  GtkMenuButton *preset_button;
  SlPresetPopover *preset_popover;
  GtkMenuButton *history_button;
  SlHistoryPopover *history_popover;
  SlQueuePopover *queue_popover;
  GtkLabel *queue_count;
  SlExportBar *export_bar;
  SlUnsavedBar *unsaved_bar;
  SlDropHint *drop_hint;
  gboolean quits; /* whatever is not saved */

  SlWorkspace *workspace;
  SlIntake *intake;
};

G_DEFINE_FINAL_TYPE (SlWindow, sl_window, ADW_TYPE_APPLICATION_WINDOW)

/* ---- what the window shows of its pages ---- */

static SlPage *
page_in_front (SlWindow *self)
{
  GtkWidget *page = adw_view_stack_get_visible_child (self->pages);

  return SL_IS_PAGE (page) ? SL_PAGE (page) : SL_PAGE (self->darkroom);
}

static void
show_loading (SlWindow *self)
{
  SlWorker *worker = self->workspace->worker;
  g_autofree char *text
      = g_strdup_printf (_ ("Loading the model, %.0f %%"), sl_worker_get_load_fraction (worker) * 100);

  gtk_widget_set_visible (GTK_WIDGET (self->status), sl_worker_is_loading (worker));
  if (!sl_worker_is_loading (worker))
    return;
  gtk_label_set_text (self->status, text);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->status), sl_worker_get_load_what (worker));
}

static void
update (SlWindow *self)
{
  guint waiting = g_list_model_get_n_items (G_LIST_MODEL (self->workspace->queue));
  g_autofree char *count = g_strdup_printf ("%u", waiting);
  GtkWidget *widget = GTK_WIDGET (self);
  SlPageState state;

  if (self->workspace->closed)
    return;
  sl_page_get_state (page_in_front (self), &state);
  sl_tour_set_narrow (self->tour, sl_side_view_get_folded (self->sides));
  if (!state.busy)
    sl_focus_leave (self->stop);
  gtk_widget_set_visible (self->stop, state.busy);
  gtk_widget_set_visible (self->narrow_stop, state.busy && sl_side_view_get_folded (self->sides));
  gtk_button_set_label (self->develop, state.develop_label);
  sl_button_name_by_label (self->develop);
  gtk_label_set_text (self->queue_count, count);
  gtk_widget_set_visible (GTK_WIDGET (self->queue_count), waiting > 0);
  show_loading (self);
  gtk_widget_action_set_enabled (widget, "win.develop", self->workspace->model != NULL);
  gtk_widget_action_set_enabled (widget, "win.stop", state.busy);
  gtk_widget_action_set_enabled (widget, "win.save", state.can_save);
}

static void
page_changed (SlWindow *self)
{
  sl_plan_line_set_page (self->plan, page_in_front (self));
  update (self);
  sl_intake_set_comparisons_first (self->intake, page_in_front (self) == SL_PAGE (self->compare));
  sl_gallery_page_update (self->gallery);
}

/* ---- actions on the page in front ---- */

/* Prompts that pictures are made with; those of the tour are not the person's. */
static void
remember_words (SlWindow *self)
{
  SlWorkspace *workspace = self->workspace;

  if (workspace->takes_prompt && *sl_settings_get_prompt (workspace->recipe) && !sl_tour_is_on (self->tour))
    sl_cookbook_add_words (workspace->history, workspace->recipe);
}

static void
start (gpointer user_data)
{
  SlWindow *self = user_data;

  if (!sl_page_develop (page_in_front (self)))
    return;
  remember_words (self);
  /* A panel that lies over the page goes, so that the picture can be seen. */
  if (sl_side_view_get_folded (self->sides))
    sl_side_view_set_panel_shown (self->sides, FALSE);
}

static void
develop (GtkWidget *widget, const char *action, GVariant *parameter)
{
  sl_plan_line_start (SL_WINDOW (widget)->plan, start, widget);
}

/* One of the prompts that the empty tray offers. */
static void
example (GtkWidget *widget, const char *action, GVariant *parameter)
{
  g_object_set (SL_WINDOW (widget)->workspace->recipe, "prompt", g_variant_get_string (parameter, NULL),
                NULL);
  develop (widget, action, NULL);
}

static void
stop (GtkWidget *widget, const char *action, GVariant *parameter)
{
  sl_page_stop (page_in_front (SL_WINDOW (widget)));
}

static void
save (GtkWidget *widget, const char *action, GVariant *parameter)
{
  sl_page_save (page_in_front (SL_WINDOW (widget)));
}

static void
step (GtkWidget *widget, const char *action, GVariant *parameter)
{
  sl_page_step (page_in_front (SL_WINDOW (widget)), g_str_equal (action, "win.next-step") ? 1 : -1);
}

static const struct
{
  const char *action;
  SlZoom zoom;
} zooms[] = {
  { "win.zoom-in", SL_ZOOM_IN },
  { "win.zoom-out", SL_ZOOM_OUT },
  { "win.zoom-fit", SL_ZOOM_FIT },
  { "win.zoom-original", SL_ZOOM_ORIGINAL },
};

static void
zoom (GtkWidget *widget, const char *action, GVariant *parameter)
{
  for (guint i = 0; i < G_N_ELEMENTS (zooms); i++)
    if (g_str_equal (action, zooms[i].action))
      sl_page_zoom (page_in_front (SL_WINDOW (widget)), zooms[i].zoom);
}

/* ---- the window's own actions ---- */

static void
show_page (GtkWidget *widget, const char *action, GVariant *parameter)
{
  GtkWidget *page
      = adw_view_stack_get_child_by_name (SL_WINDOW (widget)->pages, g_variant_get_string (parameter, NULL));

  if (page)
    sl_page_show (page);
}

static void
toggle_panel (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlSideView *sides = SL_WINDOW (widget)->sides;

  sl_side_view_set_panel_shown (sides, !sl_side_view_get_panel_shown (sides));
}

static void
show_presets (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlWindow *self = SL_WINDOW (widget);

  sl_side_view_set_panel_shown (self->sides, TRUE);
  gtk_menu_button_popup (self->preset_button);
}

static void
show_history (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlWindow *self = SL_WINDOW (widget);

  sl_side_view_set_panel_shown (self->sides, TRUE);
  gtk_menu_button_popup (self->history_button);
}

static void
random_seed (GtkWidget *widget, const char *action, GVariant *parameter)
{
  sl_workspace_roll_seed (SL_WINDOW (widget)->workspace);
}

static void
reset (GtkWidget *widget, const char *action, GVariant *parameter)
{
  sl_workspace_reset_recipe (SL_WINDOW (widget)->workspace);
}

static void
draw_sigmas (GtkWidget *widget, const char *action, GVariant *parameter)
{
  sl_recipe_panel_draw_sigmas (SL_WINDOW (widget)->panel);
}

static void
rescan (GtkWidget *widget, const char *action, GVariant *parameter)
{
  sl_workspace_scan_models (SL_WINDOW (widget)->workspace);
}

static void
show_preferences (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlPreferencesPage *page = sl_preferences_page_new (SL_WINDOW (widget)->workspace);

  sl_dialog_present (sl_dialog_new_preferences (ADW_PREFERENCES_PAGE (page)), widget);
}

/* ---- models: the panel chooses, the workspace has the chosen one ---- */

static void
model_chosen (SlWindow *self)
{
  SlModelItem *model = sl_recipe_panel_get_model (self->panel);

  if (model && sl_model_store_is_scanned (self->workspace->models))
    sl_workspace_take_model (self->workspace, model);
}

static void
model_wanted (SlWindow *self, guint position)
{
  sl_recipe_panel_select_model (self->panel, position);
}

static void
parts_wanted (SlWindow *self, const char *const *parts)
{
  sl_recipe_panel_set_parts (self->panel, parts);
}

static void
models_scanned (SlWindow *self)
{
  SlModelStore *models = self->workspace->models;
  g_autofree char *wanted = g_settings_get_string (self->workspace->preferences, "model");
  guint position = *wanted ? sl_model_store_find (models, wanted) : G_MAXUINT;

  if (g_list_model_get_n_items (G_LIST_MODEL (models)) == 0)
    {
      sl_darkroom_page_show_error (
          self->darkroom, _ ("No Model Yet"),
          _ ("Open a model folder with the button beside “Model”, or set the folder that holds "
             "your models in the preferences."));
      return;
    }
  if (position == G_MAXUINT)
    position = sl_model_store_find (models, "starter");
  sl_recipe_panel_select_model (self->panel, position == G_MAXUINT ? 0 : position);
  model_chosen (self);
}

/* The model that is still loaded is chosen again. */
static void
model_load_failed (SlWindow *self, SlModelItem *model, const char *message)
{
  SlModelItem *usable = sl_worker_get_model (self->workspace->worker);
  g_autofree char *heading = g_strdup_printf (_ ("“%s” could not be loaded"), sl_model_item_get_name (model));

  if (self->workspace->closed)
    return; /* it was given up; the person's choice is kept */
  sl_notice_alert (GTK_WIDGET (self), heading, message);
  if (sl_recipe_panel_get_model (self->panel) == model)
    sl_recipe_panel_drop_parts (self->panel);
  if (sl_recipe_panel_get_model (self->panel) != model) /* it was a part: the model's own again */
    model_chosen (self);
  if (usable && usable != model)
    sl_workspace_want_model (self->workspace,
                             sl_model_store_find (self->workspace->models, sl_model_item_get_path (usable)));
  update (self);
}

/* A run goes on in another way than it was computed. */
static void
computed_otherwise (SlWindow *self, const char *text)
{
  if (!self->workspace->closed)
    sl_notice_alert (GTK_WIDGET (self), _ ("Not all is as it was"), text);
}

/* ---- from page to page ---- */

static void
branch_asked (SlWindow *self)
{
  sl_compare_page_branch_run (self->compare, sl_darkroom_page_get_job (self->darkroom),
                              sl_darkroom_page_get_frame (self->darkroom));
}

static void
continue_asked (SlWindow *self, SlOwn own, SlSettings *values)
{
  sl_compare_page_continue_run (self->compare, sl_darkroom_page_get_job (self->darkroom),
                                sl_darkroom_page_get_frame (self->darkroom), own, values);
}

static void
shown_picture_changed (SlWindow *self)
{
  sl_gallery_page_set_shown (self->gallery, sl_darkroom_page_get_picture (self->darkroom));
}

/* In the order in which the gallery shows them. */
static void
neighbour_asked (SlWindow *self, int by)
{
  SlGalleryView *view = sl_gallery_page_get_view (self->gallery);
  SlPicture *picture
      = sl_gallery_view_get_neighbour (view, sl_darkroom_page_get_picture (self->darkroom), by);

  if (picture == NULL)
    return;
  sl_darkroom_page_show_picture (self->darkroom, picture);
  sl_gallery_view_choose (view, picture);
}

/* Back to where it was chosen. */
static void
picture_left (SlWindow *self, SlPicture *picture)
{
  if (sl_gallery_find (self->workspace->gallery, sl_picture_get_path (picture)) == G_MAXUINT)
    return;
  sl_page_show (GTK_WIDGET (self->gallery));
  sl_gallery_view_select (sl_gallery_page_get_view (self->gallery), picture);
}

/* One of the gallery, or a file from anywhere. */
static void
picture_opened (SlWindow *self, const char *path, const char *what, gboolean shows_lanes)
{
  GListModel *gallery = G_LIST_MODEL (self->workspace->gallery);
  guint position = what ? G_MAXUINT : sl_gallery_find (self->workspace->gallery, path);
  g_autoptr (SlPicture) picture = position == G_MAXUINT ? sl_picture_new (path, what, g_get_real_time ())
                                                        : g_list_model_get_item (gallery, position);

  if (position == G_MAXUINT)
    sl_picture_set_shows_lanes (picture, shows_lanes);
  sl_darkroom_page_show_picture (self->darkroom, picture);
}

static void
picture_deleted (SlWindow *self, SlPicture *picture)
{
  if (sl_darkroom_page_get_picture (self->darkroom) == picture)
    sl_darkroom_page_leave_picture (self->darkroom);
}

/* What of the pictures is otherwise than somebody may expect, a sentence a line. */
static void
describe_left_out (GString *text, const SlPictureLanes *lanes, guint left_out, gboolean model_is_here)
{
  if (!model_is_here)
    g_string_append_printf (text, _ ("The model “%s” is not here; the chosen one stays.\n"), lanes->model);
  if (lanes->others > 0)
    g_string_append_printf (text,
                            ngettext ("%u picture of another model is left out.\n",
                                      "%u pictures of other models are left out.\n", lanes->others),
                            lanes->others);
  if (lanes->without > 0)
    g_string_append_printf (text,
                            ngettext ("%u picture does not say how it was made.\n",
                                      "%u pictures do not say how they were made.\n", lanes->without),
                            lanes->without);
  if (lanes->sheets > 0)
    g_string_append_printf (
        text,
        ngettext ("%u contact sheet or animation shows lanes of its own: open it by itself.\n",
                  "%u contact sheets or animations show lanes of their own: open them by themselves.\n",
                  lanes->sheets),
        lanes->sheets);
  if (left_out > 0)
    g_string_append_printf (
        text,
        ngettext ("%u picture has another size, or differs in what lanes have in common.\n",
                  "%u pictures have another size, or differ in what lanes have in common.\n", left_out),
        left_out);
  if (lanes->otherwise > 0)
    g_string_append_printf (
        text,
        ngettext ("%u picture was computed on another device or in other types than its lane is now.\n",
                  "%u pictures were computed on another device or in other types than their lanes are now.\n",
                  lanes->otherwise),
        lanes->otherwise);
  if (lanes->branches > 0)
    g_string_append_printf (text,
                            ngettext ("%u picture is a branch; its lane begins with noise.\n",
                                      "%u pictures are branches; their lanes begin with noise.\n",
                                      lanes->branches),
                            lanes->branches);
}

/* A lane for the recipe of each; text begins with what else there is to say. */
static void
compare_lanes (SlWindow *self, const SlPictureLanes *lanes, GString *text)
{
  SlModelStore *models = self->workspace->models;
  guint position = sl_model_store_find (models, lanes->model), left_out;

  sl_workspace_want_model (self->workspace, position);
  if (!sl_compare_page_compare (self->compare, lanes->settings, &left_out))
    return;
  describe_left_out (text, lanes, left_out, position != G_MAXUINT || *lanes->model == '\0');
  if (text->len > 0)
    sl_notice_alert (GTK_WIDGET (self), _ ("Not all is as it was"), g_strstrip (text->str));
}

/* Pictures of the gallery. */
static void
compare_wanted (SlWindow *self, const SlPictureLanes *lanes)
{
  g_autoptr (GString) text = g_string_new (NULL);

  compare_lanes (self, lanes, text);
}

typedef struct
{
  SlWindow *window;
  char *first;
  GString *text; /* what else there is to say */
} Opened;

/* Of pictures that were opened together. Where no two can be compared, one is shown by itself. */
static void
opened_lanes_read (const SlPictureLanes *lanes, gpointer user_data)
{
  Opened *opened = user_data;
  g_autoptr (SlWindow) self = opened->window;
  g_autofree char *first = opened->first;
  g_autoptr (GString) text = opened->text;

  g_free (opened);
  if (lanes == NULL)
    return;
  if (lanes->settings->len >= 2)
    {
      compare_lanes (self, lanes, text);
      return;
    }
  if (text->len > 0)
    sl_notice_alert (GTK_WIDGET (self), _ ("Not everything was opened"), g_strstrip (text->str));
  sl_intake_open (self->intake, lanes->first ? lanes->first : first);
  sl_notice_toast (GTK_WIDGET (self), _ ("No two of these pictures can be compared: one is shown"));
}

static void
pictures_opened (SlWindow *self, GPtrArray *paths, const char *text)
{
  Opened *opened = g_new (Opened, 1);

  *opened = (Opened){ g_object_ref (self), g_strdup (paths->pdata[0]), g_string_new (text) };
  if (text)
    g_string_append_c (opened->text, '\n');
  sl_picture_lanes_read (self->workspace, paths, opened_lanes_read, opened);
}

void
sl_window_open_paths (SlWindow *self, const char *const *paths)
{
  sl_intake_open_all (self->intake, paths);
}

/* ---- opening and closing ---- */

static void
theme_changed (SlWindow *self)
{
  static const AdwColorScheme schemes[]
      = { ADW_COLOR_SCHEME_DEFAULT, ADW_COLOR_SCHEME_FORCE_LIGHT, ADW_COLOR_SCHEME_FORCE_DARK };
  guint theme = g_settings_get_uint (self->workspace->preferences, "theme");

  adw_style_manager_set_color_scheme (adw_style_manager_get_default (), schemes[MIN (theme, 2)]);
}

static void
restore_layout (SlWindow *self)
{
  GSettings *preferences = self->workspace->preferences;

  gtk_window_set_default_size (GTK_WINDOW (self), g_settings_get_int (preferences, "width"),
                               g_settings_get_int (preferences, "height"));
  if (g_settings_get_boolean (preferences, "maximized"))
    gtk_window_maximize (GTK_WINDOW (self));
  sl_side_view_set_panel_shown (self->sides, g_settings_get_boolean (preferences, "panel-shown"));
}

static void
save_layout (SlWindow *self)
{
  GSettings *preferences = self->workspace->preferences;
  int width, height;

  gtk_window_get_default_size (GTK_WINDOW (self), &width, &height);
  g_settings_set_int (preferences, "width", width);
  g_settings_set_int (preferences, "height", height);
  g_settings_set_boolean (preferences, "maximized", gtk_window_is_maximized (GTK_WINDOW (self)));
  if (!sl_side_view_get_folded (self->sides))
    g_settings_set_boolean (preferences, "panel-shown", sl_side_view_get_panel_shown (self->sides));
}

static void
quit_anyway (GtkWindow *window)
{
  SL_WINDOW (window)->quits = TRUE;
  gtk_window_close (window);
}

static gboolean
sl_window_close_request (GtkWindow *window)
{
  SlWindow *self = SL_WINDOW (window);
  g_autofree char *forgotten = NULL;

  if (!self->workspace->closed)
    {
      sl_darkroom_page_keep_moment (self->darkroom);
      sl_comparison_shelf_keep (self->workspace->shelf);
      forgotten = sl_darkroom_page_try_remember (self->darkroom);
      if (!self->quits && !sl_unsaved_bar_allows_quit (self->unsaved_bar, forgotten, quit_anyway))
        return TRUE;
      save_layout (self);
      sl_darkroom_page_close (self->darkroom);
      sl_tour_leave (self->tour);
      g_settings_set_boolean (self->workspace->preferences, "tour-offered", TRUE);
      gtk_widget_set_visible (GTK_WIDGET (self), FALSE);
      sl_workspace_close (self->workspace);
    }
  return GTK_WINDOW_CLASS (sl_window_parent_class)->close_request (window);
}

/* A file of presets or prompts. */
static void
cookbook_damaged (SlWindow *self, const char *aside, guint lost)
{
  g_autofree char *name = g_filename_display_name (aside);
  g_autofree char *text
      = lost == 0
            ? g_strdup_printf (_ ("The file was damaged. It is kept as %s, and a new one begins."), name)
            : sl_notice_entries_lost (lost, name);

  sl_notice_alert (GTK_WIDGET (self), _ ("What was kept could not be read"), text);
}

static void
cookbook_unsaved (SlWindow *self, const char *reason)
{
  sl_notice_alert (GTK_WIDGET (self), _ ("Presets and prompts could not be saved"), reason);
}

static void
models_unread (SlWindow *self, const char *reason)
{
  sl_notice_alert (GTK_WIDGET (self), _ ("Models may be missing here"), reason);
}

static void
connect_parts (SlWindow *self)
{
  SlWorkspace *workspace = self->workspace;
  const struct
  {
    gpointer object;
    const char *signal;
    GCallback handler;
  } handlers[] = {
    { workspace->preferences, "changed::theme", G_CALLBACK (theme_changed) },
    { workspace->models, "scanned", G_CALLBACK (models_scanned) },
    { workspace->models, "unread", G_CALLBACK (models_unread) },
    { workspace->worker, "load-failed", G_CALLBACK (model_load_failed) },
    { workspace->worker, "otherwise", G_CALLBACK (computed_otherwise) },
    { workspace->worker, "loading", G_CALLBACK (update) },
    { workspace->queue, "items-changed", G_CALLBACK (update) },
    { workspace->presets, "damaged", G_CALLBACK (cookbook_damaged) },
    { workspace->presets, "unsaved", G_CALLBACK (cookbook_unsaved) },
    { workspace->history, "damaged", G_CALLBACK (cookbook_damaged) },
    { workspace->history, "unsaved", G_CALLBACK (cookbook_unsaved) },
    { workspace, "model-changed", G_CALLBACK (update) },
    { workspace, "model-wanted", G_CALLBACK (model_wanted) },
    { workspace, "parts-wanted", G_CALLBACK (parts_wanted) },
    { self->panel, "model-chosen", G_CALLBACK (model_chosen) },
    { self->sides, "notify::folded", G_CALLBACK (update) },
    { self->pages, "notify::visible-child", G_CALLBACK (page_changed) },
    { self->darkroom, "state-changed", G_CALLBACK (update) },
    { self->darkroom, "branch-asked", G_CALLBACK (branch_asked) },
    { self->darkroom, "continue-asked", G_CALLBACK (continue_asked) },
    { self->darkroom, "picture-changed", G_CALLBACK (shown_picture_changed) },
    { self->darkroom, "picture-left", G_CALLBACK (picture_left) },
    { self->darkroom, "neighbour-asked", G_CALLBACK (neighbour_asked) },
    { self->compare, "state-changed", G_CALLBACK (update) },
  };

  for (guint i = 0; i < G_N_ELEMENTS (handlers); i++)
    g_signal_connect_object (handlers[i].object, handlers[i].signal, handlers[i].handler, self,
                             G_CONNECT_SWAPPED);
  g_signal_connect_object (self->gallery, "opened", G_CALLBACK (sl_darkroom_page_show_picture),
                           self->darkroom, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->gallery, "deleted", G_CALLBACK (picture_deleted), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->gallery, "compare-wanted", G_CALLBACK (compare_wanted), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->gallery, "settings-wanted", G_CALLBACK (sl_intake_take_settings),
                           self->intake, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->intake, "hint", G_CALLBACK (sl_drop_hint_say), self->drop_hint,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->intake, "picture", G_CALLBACK (picture_opened), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->intake, "pictures", G_CALLBACK (pictures_opened), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->intake, "made-of", G_CALLBACK (sl_compare_page_make_again), self->compare,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->intake, "comparison", G_CALLBACK (sl_compare_page_open), self->compare,
                           G_CONNECT_SWAPPED);
}

SlWindow *
sl_window_new (AdwApplication *application, GSettings *preferences)
{
  SlWindow *self = g_object_new (SL_TYPE_WINDOW, "application", application, NULL);
  GActionMap *actions = G_ACTION_MAP (self);

  self->workspace = sl_workspace_new (preferences);
  self->intake = sl_intake_new (self->workspace, GTK_WIDGET (self), actions);
  restore_layout (self);
  theme_changed (self);
  sl_recipe_panel_connect (self->panel, self->workspace->recipe, self->workspace->loras,
                           self->workspace->models, self->workspace->prompts, preferences);
  sl_preset_popover_connect (self->preset_popover, self->workspace);
  sl_history_popover_connect (self->history_popover, self->workspace);
  sl_queue_popover_connect (self->queue_popover, self->workspace->queue, actions);
  sl_plan_line_connect (self->plan, self->workspace);
  sl_export_bar_connect (self->export_bar, self->workspace, actions);
  sl_unsaved_bar_connect (self->unsaved_bar, self->workspace, actions);
  sl_darkroom_page_connect (self->darkroom, self->workspace, actions, self->export_bar);
  sl_compare_page_connect (self->compare, self->workspace, actions, self->export_bar);
  sl_gallery_page_connect (self->gallery, self->workspace, actions);
  sl_tour_connect (self->tour, self->workspace, self->darkroom, self->compare, actions);
  connect_parts (self);
  sl_darkroom_page_open (self->darkroom);
  sl_workspace_open (self->workspace);
  sl_plan_line_set_page (self->plan, page_in_front (self));
  update (self);
  sl_recipe_panel_focus_prompt (self->panel);
  return self;
}

SlWorkspace *
sl_window_get_workspace (SlWindow *self)
{
  return self->workspace;
}

SlDarkroomPage *
sl_window_get_darkroom (SlWindow *self)
{
  return self->darkroom;
}

SlComparePage *
sl_window_get_compare (SlWindow *self)
{
  return self->compare;
}

SlGalleryPage *
sl_window_get_gallery (SlWindow *self)
{
  return self->gallery;
}

/* ---- class ---- */

static void
sl_window_dispose (GObject *object)
{
  SlWindow *self = SL_WINDOW (object);

  g_clear_object (&self->intake);
  g_clear_object (&self->workspace);
  G_OBJECT_CLASS (sl_window_parent_class)->dispose (object);
}

#define BIND(name) gtk_widget_class_bind_template_child (widget_class, SlWindow, name)

static void
install_actions (GtkWidgetClass *widget_class)
{
  gtk_widget_class_install_action (widget_class, "win.develop", NULL, develop);
  gtk_widget_class_install_action (widget_class, "win.example", "s", example);
  gtk_widget_class_install_action (widget_class, "win.stop", NULL, stop);
  gtk_widget_class_install_action (widget_class, "win.save", NULL, save);
  gtk_widget_class_install_action (widget_class, "win.previous-step", NULL, step);
  gtk_widget_class_install_action (widget_class, "win.next-step", NULL, step);
  for (guint i = 0; i < G_N_ELEMENTS (zooms); i++)
    gtk_widget_class_install_action (widget_class, zooms[i].action, NULL, zoom);
  gtk_widget_class_install_action (widget_class, "win.show-page", "s", show_page);
  gtk_widget_class_install_action (widget_class, "win.toggle-panel", NULL, toggle_panel);
  gtk_widget_class_install_action (widget_class, "win.presets", NULL, show_presets);
  gtk_widget_class_install_action (widget_class, "win.history", NULL, show_history);
  gtk_widget_class_install_action (widget_class, "win.random-seed", NULL, random_seed);
  gtk_widget_class_install_action (widget_class, "win.reset", NULL, reset);
  gtk_widget_class_install_action (widget_class, "win.draw-sigmas", NULL, draw_sigmas);
  gtk_widget_class_install_action (widget_class, "win.rescan", NULL, rescan);
  gtk_widget_class_install_action (widget_class, "win.preferences", NULL, show_preferences);
}

static void
sl_window_class_init (SlWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  /* Not an accelerator of the application, which would come before all that Escape closes within the window. */
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "win.leave-what-if", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "win.stop", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, GDK_SHIFT_MASK, "win.stop-all", NULL);
  g_type_ensure (SL_TYPE_SIDE_VIEW);
  g_type_ensure (SL_TYPE_PAGE_SWITCHER);
  g_type_ensure (SL_TYPE_RECIPE_PANEL);
  g_type_ensure (SL_TYPE_DARKROOM_PAGE);
  g_type_ensure (SL_TYPE_COMPARE_PAGE);
  g_type_ensure (SL_TYPE_GALLERY_PAGE);
  g_type_ensure (SL_TYPE_PRESET_POPOVER);
  g_type_ensure (SL_TYPE_HISTORY_POPOVER);
  g_type_ensure (SL_TYPE_PLAN_LINE);
  g_type_ensure (SL_TYPE_QUEUE_POPOVER);
  g_type_ensure (SL_TYPE_TOUR);
  g_type_ensure (SL_TYPE_EXPORT_BAR);
  g_type_ensure (SL_TYPE_UNSAVED_BAR);
  g_type_ensure (SL_TYPE_DROP_HINT);
  G_OBJECT_CLASS (klass)->dispose = sl_window_dispose;
  GTK_WINDOW_CLASS (klass)->close_request = sl_window_close_request;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/safelight/Safelight/sl-window.ui");
  BIND (toasts);
  BIND (sides);
  BIND (panel);
  BIND (status);
  BIND (plan);
  BIND (develop);
  BIND (stop);
  BIND (narrow_stop);
  BIND (pages);
  BIND (darkroom);
  BIND (compare);
  BIND (gallery);
  BIND (tour);
  BIND (preset_button);
  BIND (preset_popover);
  BIND (history_button);
  BIND (history_popover);
  BIND (queue_popover);
  BIND (queue_count);
  BIND (export_bar);
  BIND (unsaved_bar);
  BIND (drop_hint);
  install_actions (widget_class);
}

static void
sl_window_init (SlWindow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  sl_notice_set_overlay (GTK_WINDOW (self), self->toasts);
  sl_button_name_by_label (GTK_BUTTON (self->stop));
}
