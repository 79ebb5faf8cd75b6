/* sl-window.c - see sl-window.h; the window itself: its parts, models, preferences and closing. */
#include "ui/window/sl-window-private.h"

#include <glib/gi18n.h>

#include "ui/preferences/sl-preferences-window.h"

G_DEFINE_FINAL_TYPE (SlWindow, sl_window, ADW_TYPE_APPLICATION_WINDOW)

enum
{
  PROP_0,
  PROP_NOISY, /* the tray shows the noisy sample; the win.noisy action */
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

/* What the first start shows; the starter model has learnt it. */
#define FIRST_PROMPT "a red house by a lake at sunset"

void
sl_window_toast (SlWindow *self, const char *message)
{
  AdwToast *toast = adw_toast_new (message);

  adw_toast_set_timeout (toast, 3);
  adw_toast_overlay_add_toast (self->toasts, toast);
}

void
_sl_window_alert (SlWindow *self, const char *heading, const char *body)
{
  GtkWidget *dialog = adw_message_dialog_new (GTK_WINDOW (self), heading, body);

  adw_message_dialog_add_response (ADW_MESSAGE_DIALOG (dialog), "close", _ ("_Close"));
  gtk_window_present (GTK_WINDOW (dialog));
}

/* ---- models ---- */

static void
set_device (SlWindow *self)
{
  static const char *const devices[] = { "auto", "cpu", "cuda", "ref" };
  static const char *const dtypes[] = { "auto", "f32", "bf16", "f16" };
  guint device = g_settings_get_uint (self->preferences, "device");
  guint dtype = g_settings_get_uint (self->preferences, "dtype");

  sl_worker_set_device (self->worker, devices[MIN (device, G_N_ELEMENTS (devices) - 1)],
                        dtypes[MIN (dtype, G_N_ELEMENTS (dtypes) - 1)],
                        (int)g_settings_get_uint (self->preferences, "threads"));
}

/* What suits another kind of model: prompt, seed and size stay. */
static void
take_model_defaults (SlWindow *self, SlModelItem *model)
{
  g_autoptr (SlSettings) defaults = sl_model_item_defaults (model);
  double guidance;

  g_object_get (defaults, "guidance", &guidance, NULL);
  g_object_set (self->recipe, "steps", sl_settings_get_steps (defaults), "scheduler",
                sl_settings_get_scheduler (defaults), "guidance", guidance, "sigmas", 0, "spacing", 0, NULL);
}

static void
model_chosen (SlWindow *self)
{
  SlModelItem *model = sl_recipe_panel_get_model (self->panel);

  if (model == NULL || !sl_model_store_is_scanned (self->models))
    return;
  if (sl_model_item_uses_prompt (model) != self->prompt_model || !*sl_settings_get_scheduler (self->recipe))
    take_model_defaults (self, model);
  self->prompt_model = sl_model_item_uses_prompt (model);
  sl_tray_set_prompts (self->tray, self->prompt_model);
  sl_compare_view_set_prompts (self->compare_view, self->prompt_model);
  sl_recipe_panel_fit_model (self->panel);
  g_settings_set_string (self->preferences, "model", sl_model_item_get_path (model));
  sl_worker_load (self->worker, model);
  _sl_window_update (self);
}

static void
models_scanned (SlWindow *self)
{
  g_autofree char *wanted = g_settings_get_string (self->preferences, "model");
  guint position = *wanted ? sl_model_store_find (self->models, wanted) : G_MAXUINT;

  if (g_list_model_get_n_items (G_LIST_MODEL (self->models)) == 0)
    {
      sl_tray_show_error (
          self->tray, _ ("No Model Yet"),
          _ ("Open a model folder with the button beside “Model”, or set the folder that holds "
             "your models in the preferences."));
      return;
    }
  if (position == G_MAXUINT)
    position = sl_model_store_find (self->models, "starter");
  sl_recipe_panel_select_model (self->panel, position == G_MAXUINT ? 0 : position);
  model_chosen (self);
}

static void
model_load_failed (SlWindow *self, SlModelItem *model, const char *message)
{
  SlModelItem *usable = sl_worker_get_model (self->worker);
  g_autofree char *heading = g_strdup_printf (_ ("“%s” could not be loaded"), sl_model_item_get_name (model));

  _sl_window_alert (self, heading, message);
  if (usable && usable != model)
    sl_recipe_panel_select_model (self->panel,
                                  sl_model_store_find (self->models, sl_model_item_get_path (usable)));
  _sl_window_update (self);
}

static void
model_opened (SlModelItem *item, const GError *error, gpointer user_data)
{
  g_autoptr (SlWindow) self = user_data;

  if (self->closed)
    return;
  if (error)
    _sl_window_alert (self, _ ("This is not a model that can be opened"), error->message);
  else
    sl_recipe_panel_select_model (self->panel,
                                  sl_model_store_find (self->models, sl_model_item_get_path (item)));
}

void
sl_window_open_path (SlWindow *self, const char *path)
{
  if (g_str_has_suffix (path, SL_COMPARISON_SUFFIX))
    _sl_window_open_comparison (self, path);
  else if (g_file_test (path, G_FILE_TEST_IS_DIR) || !g_str_has_suffix (path, ".png"))
    sl_model_store_open (self->models, path, model_opened, g_object_ref (self));
  else
    _sl_window_restore_file (self, path);
}

/* ---- preferences and state ---- */

static void
device_changed (SlWindow *self)
{
  SlModelItem *model = sl_recipe_panel_get_model (self->panel);

  set_device (self);
  if (model)
    sl_worker_load (self->worker, model);
}

static void
theme_changed (SlWindow *self)
{
  static const AdwColorScheme schemes[]
      = { ADW_COLOR_SCHEME_DEFAULT, ADW_COLOR_SCHEME_FORCE_LIGHT, ADW_COLOR_SCHEME_FORCE_DARK };
  guint theme = g_settings_get_uint (self->preferences, "theme");

  adw_style_manager_set_color_scheme (adw_style_manager_get_default (), schemes[MIN (theme, 2)]);
}

static void
models_folder_changed (SlWindow *self)
{
  g_autofree char *folder = g_settings_get_string (self->preferences, "models-folder");

  sl_model_store_scan (self->models, folder);
}

static void
pictures_folder_changed (SlWindow *self)
{
  g_autofree char *folder = sl_places_pictures_folder (self->preferences);

  sl_gallery_open (self->gallery, folder);
}

static void
show_preferences (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlWindow *self = SL_WINDOW (widget);

  gtk_window_present (GTK_WINDOW (sl_preferences_window_new (GTK_WINDOW (self), self->preferences,
                                                             sl_worker_get_device_line (self->worker))));
}

static void
rescan (GtkWidget *widget, const char *action, GVariant *parameter)
{
  models_folder_changed (SL_WINDOW (widget));
}

static void
restore_state (SlWindow *self)
{
  g_autofree char *recipe = g_settings_get_string (self->preferences, "recipe");

  gtk_window_set_default_size (GTK_WINDOW (self), g_settings_get_int (self->preferences, "width"),
                               g_settings_get_int (self->preferences, "height"));
  if (g_settings_get_boolean (self->preferences, "maximized"))
    gtk_window_maximize (GTK_WINDOW (self));
  adw_flap_set_reveal_flap (self->flap, g_settings_get_boolean (self->preferences, "panel-shown"));
  if (*recipe && sl_settings_from_string (self->recipe, recipe))
    self->seed_is_fresh = TRUE;
  else
    g_object_set (self->recipe, "prompt", FIRST_PROMPT, "seed", (guint64)7, NULL);
  self->seed_is_fresh = TRUE;
  self->prompt_model = TRUE;
}

static void
save_state (SlWindow *self)
{
  g_autofree char *recipe = sl_settings_to_string (self->recipe);
  int width, height;

  gtk_window_get_default_size (GTK_WINDOW (self), &width, &height);
  g_settings_set_int (self->preferences, "width", width);
  g_settings_set_int (self->preferences, "height", height);
  g_settings_set_boolean (self->preferences, "maximized", gtk_window_is_maximized (GTK_WINDOW (self)));
  if (!adw_flap_get_folded (self->flap))
    g_settings_set_boolean (self->preferences, "panel-shown", adw_flap_get_reveal_flap (self->flap));
  g_settings_set_string (self->preferences, "recipe", recipe);
}

/* Ends within one operation of the engine; pictures that are being written are finished first. */
static gboolean
sl_window_close_request (GtkWindow *window)
{
  SlWindow *self = SL_WINDOW (window);

  if (!self->closed)
    {
      save_state (self);
      _sl_window_keep_unfinished (self);
      self->closed = TRUE;
      gtk_widget_set_visible (GTK_WIDGET (self), FALSE);
      g_clear_handle_id (&self->rest, g_source_remove);
      g_clear_handle_id (&self->ticking, g_source_remove);
      sl_gallery_flush (self->gallery);
      sl_worker_shutdown (self->worker);
      g_clear_pointer (&self->files, sl_thread_queue_close);
      g_settings_sync ();
    }
  return GTK_WINDOW_CLASS (sl_window_parent_class)->close_request (window);
}

/* ---- class ---- */

static void
sl_window_dispose (GObject *object)
{
  SlWindow *self = SL_WINDOW (object);

  g_clear_weak_pointer (&self->stop_toast);
  g_clear_weak_pointer (&self->lanes_toast);
  g_clear_object (&self->stopped);
  g_clear_object (&self->lost);
  g_clear_object (&self->frame);
  g_clear_object (&self->job);
  g_clear_object (&self->picture);
  g_clear_object (&self->queue);
  g_clear_object (&self->comparison);
  g_clear_object (&self->worker);
  g_clear_object (&self->models);
  g_clear_object (&self->gallery);
  g_clear_object (&self->recipe);
  g_clear_object (&self->preferences);
  G_OBJECT_CLASS (sl_window_parent_class)->dispose (object);
}

static void
sl_window_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  switch (prop_id)
    {
    case PROP_NOISY:
      g_value_set_boolean (value, SL_WINDOW (object)->view == SL_VIEW_NOISY);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
sl_window_set_property (GObject *object, guint prop_id, const GValue *value, GParamSpec *pspec)
{
  switch (prop_id)
    {
    case PROP_NOISY:
      _sl_window_set_view (SL_WINDOW (object), g_value_get_boolean (value) ? SL_VIEW_NOISY : SL_VIEW_PICTURE);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

#define BIND(name) gtk_widget_class_bind_template_child (widget_class, SlWindow, name)

static void
sl_window_class_init (SlWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  g_type_ensure (SL_TYPE_TRAY);
  g_type_ensure (SL_TYPE_FILM_STRIP);
  g_type_ensure (SL_TYPE_RECIPE_PANEL);
  g_type_ensure (SL_TYPE_COMPARE_VIEW);
  g_type_ensure (SL_TYPE_GALLERY_VIEW);
  g_type_ensure (SL_TYPE_QUEUE_POPOVER);
  G_OBJECT_CLASS (klass)->dispose = sl_window_dispose;
  G_OBJECT_CLASS (klass)->get_property = sl_window_get_property;
  G_OBJECT_CLASS (klass)->set_property = sl_window_set_property;
  properties[PROP_NOISY]
      = g_param_spec_boolean ("noisy", NULL, NULL, FALSE, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (G_OBJECT_CLASS (klass), N_PROPS, properties);
  GTK_WINDOW_CLASS (klass)->close_request = sl_window_close_request;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/safelight/Safelight/sl-window.ui");
  BIND (toasts);
  BIND (flap);
  BIND (panel);
  BIND (status);
  BIND (develop);
  BIND (stop);
  BIND (narrow_stop);
  BIND (use_settings);
  BIND (pages);
  BIND (darkroom);
  BIND (tray);
  BIND (below);
  BIND (strip);
  BIND (picture_prompt);
  BIND (picture_story);
  BIND (parent_button);
  BIND (family_button);
  BIND (compare_view);
  BIND (gallery_view);
  BIND (queue_popover);
  BIND (queue_count);
  BIND (export_bar);
  BIND (export_text);
  gtk_widget_class_install_action (widget_class, "win.preferences", NULL, show_preferences);
  gtk_widget_class_install_action (widget_class, "win.rescan", NULL, rescan);
  _sl_window_install_develop (widget_class);
  _sl_window_install_moment (widget_class);
  _sl_window_install_keep (widget_class);
  _sl_window_install_files (widget_class);
  _sl_window_install_export (widget_class);
  _sl_window_install_gallery (widget_class);
  _sl_window_install_compare (widget_class);
}

static void
sl_window_init (SlWindow *self)
{
  self->recipe = sl_settings_new ();
  self->files = sl_thread_queue_new ("files");
  self->worker = sl_worker_new ();
  self->models = sl_model_store_new (self->files);
  self->queue = sl_queue_new (self->worker);
  self->gallery = sl_gallery_new (self->files);
  self->comparison = sl_comparison_new (self->worker);
  gtk_widget_init_template (GTK_WIDGET (self));
  _sl_window_name_by_label (GTK_BUTTON (self->stop));
  _sl_window_name_by_label (self->use_settings);
}

void
_sl_window_name_by_label (GtkButton *button)
{
  gtk_accessible_reset_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL);
}

static void
connect_preferences (SlWindow *self)
{
  const char *const device_keys[] = { "changed::device", "changed::dtype", "changed::threads" };

  for (guint i = 0; i < G_N_ELEMENTS (device_keys); i++)
    g_signal_connect_object (self->preferences, device_keys[i], G_CALLBACK (device_changed), self,
                             G_CONNECT_SWAPPED);
  g_signal_connect_object (self->preferences, "changed::theme", G_CALLBACK (theme_changed), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->preferences, "changed::models-folder", G_CALLBACK (models_folder_changed),
                           self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->preferences, "changed::pictures-folder",
                           G_CALLBACK (pictures_folder_changed), self, G_CONNECT_SWAPPED);
}

SlWindow *
sl_window_new (AdwApplication *application, GSettings *preferences)
{
  SlWindow *self = g_object_new (SL_TYPE_WINDOW, "application", application, NULL);

  self->preferences = g_object_ref (preferences);
  restore_state (self);
  theme_changed (self);
  set_device (self);
  connect_preferences (self);
  sl_recipe_panel_connect (self->panel, self->recipe, self->models, preferences);
  sl_queue_popover_connect (self->queue_popover, self->queue);
  g_signal_connect_object (self->panel, "model-chosen", G_CALLBACK (model_chosen), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->models, "scanned", G_CALLBACK (models_scanned), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->worker, "load-failed", G_CALLBACK (model_load_failed), self,
                           G_CONNECT_SWAPPED);
  _sl_window_init_develop (self);
  _sl_window_init_moment (self);
  _sl_window_init_keep (self);
  _sl_window_init_files (self);
  _sl_window_init_gallery (self);
  _sl_window_init_compare (self);
  models_folder_changed (self);
  pictures_folder_changed (self);
  _sl_window_update (self);
  sl_recipe_panel_focus_prompt (self->panel);
  return self;
}
