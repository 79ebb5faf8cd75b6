/* sl-window-moment.c - what the tray shows: a moment of a job with its caption, which of its two
 * pictures, how large, and the keys for that. */
#include "ui/window/sl-window-private.h"

#include <glib/gi18n.h>

#define REST_MS 120
#define PAN 48

/* ---- the moment in the tray ---- */

static void
add_time (GString *caption, double seconds)
{
  if (seconds >= 90)
    g_string_append_printf (caption, _ ("%d min %d s"), (int)seconds / 60, (int)seconds % 60);
  else if (seconds >= 2)
    g_string_append_printf (caption, _ ("%.0f s"), seconds);
  else
    g_string_append_printf (caption, _ ("%.0f ms"), seconds * 1000);
}

static char *
make_caption (SlWindow *self)
{
  g_autoptr (GString) caption = g_string_new (NULL);
  double remaining = sl_job_get_remaining (self->job);

  g_string_append_printf (caption, _ ("Step %d of %d"), sl_frame_object_get_step (self->frame) + 1,
                          sl_frame_object_get_steps (self->frame));
  g_string_append_printf (caption, "  ·  t %.4g  ·  σ %.3g  ·  ", sl_frame_object_get_timestep (self->frame),
                          sl_frame_object_get_sigma (self->frame));
  add_time (caption, sl_frame_object_get_seconds (self->frame));
  if (remaining >= 0 && sl_film_strip_is_following (self->strip))
    {
      g_autoptr (GString) left = g_string_new (NULL);

      add_time (left, MAX (remaining, 0));
      g_string_append (caption, "  ·  ");
      g_string_append_printf (caption, _ ("%s left"), left->str);
    }
  else if (!sl_frame_object_is_last (self->frame) && sl_job_is_over (self->job))
    g_string_append_printf (caption, "  ·  %s",
                            self->view == SL_VIEW_NOISY ? _ ("the noisy sample") : _ ("prediction"));
  return g_string_free (g_steal_pointer (&caption), FALSE);
}

static void
draw_moment (SlWindow *self)
{
  int width, height;
  GBytes *rgb = sl_frame_object_get_rgb (self->frame, self->view, &width, &height);
  g_autoptr (GdkTexture) texture = sl_texture_new_rgb (rgb, width, height);
  g_autofree char *caption = make_caption (self);
  SlSettings *settings = sl_job_get_settings (self->job);

  sl_canvas_set_size (sl_tray_get_canvas (self->tray), sl_settings_get_width (settings),
                      sl_settings_get_height (settings));
  sl_tray_show (self->tray, texture, caption);
  sl_tray_set_caption (self->tray, caption);
  sl_tray_set_problem (self->tray, sl_frame_object_get_problem (self->frame, self->view));
}

static gboolean
rested (gpointer data)
{
  SlWindow *self = data;

  self->rest = 0;
  if (self->frame && self->job)
    sl_worker_decode (self->worker, self->job, self->frame, self->view);
  return G_SOURCE_REMOVE;
}

/* The real decoder is for a step that is looked at, not for each one that flies by. */
static void
decode_at_rest (SlWindow *self)
{
  gboolean flying = !sl_job_is_over (self->job) && sl_film_strip_is_following (self->strip);

  g_clear_handle_id (&self->rest, g_source_remove);
  if (!flying && !sl_frame_object_is_decoded (self->frame, self->view))
    self->rest = g_timeout_add (REST_MS, rested, self);
}

void
_sl_window_forget_moment (SlWindow *self)
{
  if (self->frame)
    g_signal_handlers_disconnect_by_func (self->frame, draw_moment, self);
  g_clear_object (&self->frame);
  sl_tray_set_problem (self->tray, NULL);
}

void
_sl_window_show_moment (SlWindow *self)
{
  SlFrameObject *frame = sl_film_strip_get_frame (self->strip);

  if (frame == NULL || self->picture)
    return;
  if (self->frame != frame)
    {
      _sl_window_forget_moment (self);
      self->frame = g_object_ref (frame);
      sl_frame_object_forget_problem (frame, self->view); /* it is tried again */
      g_signal_connect_object (frame, "decoded", G_CALLBACK (draw_moment), self, G_CONNECT_SWAPPED);
    }
  draw_moment (self);
  decode_at_rest (self);
}

/* ---- the view ---- */

void
_sl_window_set_view (SlWindow *self, SlView view)
{
  self->view = view;
  sl_film_strip_set_view (self->strip, view);
  _sl_window_show_moment (self);
}

static void
zoom (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlCanvas *canvas = sl_tray_get_canvas (SL_WINDOW (widget)->tray);

  if (_sl_window_compare_takes (SL_WINDOW (widget), action))
    return;
  if (g_str_equal (action, "win.zoom-in"))
    sl_canvas_zoom_by (canvas, 1.25);
  else if (g_str_equal (action, "win.zoom-out"))
    sl_canvas_zoom_by (canvas, 0.8);
  else
    sl_canvas_set_zoom (canvas,
                        g_str_equal (action, "win.zoom-original") ? sl_canvas_get_true_zoom (canvas) : 0);
}

/* By key, in units of the window. */
static void
pan (GtkWidget *widget, const char *action, GVariant *parameter)
{
  int dx, dy;

  g_variant_get (parameter, "(ii)", &dx, &dy);
  sl_canvas_pan_by (sl_tray_get_canvas (SL_WINDOW (widget)->tray), dx, dy);
}

static void
step (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlWindow *self = SL_WINDOW (widget);
  int by = g_str_equal (action, "win.previous-step") ? -1 : 1;

  if (!_sl_window_compare_takes (self, action) && self->picture == NULL)
    sl_film_strip_pick (self->strip, sl_film_strip_get_position (self->strip) + by);
}

static void
toggle_panel (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlWindow *self = SL_WINDOW (widget);

  adw_flap_set_reveal_flap (self->flap, !adw_flap_get_reveal_flap (self->flap));
}

/* Plain keys, so they belong to the tray and the strip and not to where one types. */
static void
add_keys (SlWindow *self)
{
  static const struct
  {
    guint key;
    const char *action;
  } keys[] = {
    { GDK_KEY_n, "win.noisy" },         { GDK_KEY_0, "win.zoom-fit" },
    { GDK_KEY_1, "win.zoom-original" }, { GDK_KEY_plus, "win.zoom-in" },
    { GDK_KEY_minus, "win.zoom-out" },  { GDK_KEY_Left, "win.previous-step" },
    { GDK_KEY_Right, "win.next-step" }, { GDK_KEY_Delete, "win.delete" },
  };
  static const struct
  {
    guint key;
    int dx, dy;
  } pans[] = {
    { GDK_KEY_Left, PAN, 0 }, { GDK_KEY_Right, -PAN, 0 }, { GDK_KEY_Up, 0, PAN }, { GDK_KEY_Down, 0, -PAN }
  };
  GtkEventController *controller = gtk_shortcut_controller_new ();

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    gtk_shortcut_controller_add_shortcut (
        GTK_SHORTCUT_CONTROLLER (controller),
        gtk_shortcut_new (gtk_keyval_trigger_new (keys[i].key, 0), gtk_named_action_new (keys[i].action)));
  for (guint i = 0; i < G_N_ELEMENTS (pans); i++)
    gtk_shortcut_controller_add_shortcut (
        GTK_SHORTCUT_CONTROLLER (controller),
        gtk_shortcut_new_with_arguments (gtk_keyval_trigger_new (pans[i].key, GDK_SHIFT_MASK),
                                         gtk_named_action_new ("win.pan"), "(ii)", pans[i].dx, pans[i].dy));
  gtk_widget_add_controller (self->darkroom, controller);
}

void
_sl_window_install_moment (GtkWidgetClass *klass)
{
  static const char *const zooms[] = { "win.zoom-in", "win.zoom-out", "win.zoom-fit", "win.zoom-original" };

  gtk_widget_class_install_property_action (klass, "win.noisy", "noisy");
  gtk_widget_class_install_action (klass, "win.previous-step", NULL, step);
  gtk_widget_class_install_action (klass, "win.next-step", NULL, step);
  gtk_widget_class_install_action (klass, "win.pan", "(ii)", pan);
  gtk_widget_class_install_action (klass, "win.toggle-panel", NULL, toggle_panel);
  for (guint i = 0; i < G_N_ELEMENTS (zooms); i++)
    gtk_widget_class_install_action (klass, zooms[i], NULL, zoom);
}

void
_sl_window_init_moment (SlWindow *self)
{
  add_keys (self);
  g_signal_connect_object (self->strip, "picked", G_CALLBACK (_sl_window_show_moment), self,
                           G_CONNECT_SWAPPED);
}
