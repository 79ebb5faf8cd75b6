/* sl-player.c - see sl-player.h. */
#include "ui/darkroom/sl-player.h"

#include <glib/gi18n.h>

#define FIRST (-1)       /* the noise; where there is none the strip goes to the first moment */
#define CALM_SPEED 2     /* steps a second, where there shall be less motion */
#define END_REST_MS 1000 /* the last picture, before the first comes again */

struct _SlPlayer
{
  AdwBin parent_instance;
  GtkButton *button;
  GtkWidget *menu;
  SlFilmStrip *strip; /* not held: it is in the same page */
  GSettings *preferences;
  SlPlayerRun run;
  guint timeout;   /* the next place; 0: not playing */
  gboolean picks;  /* the place is picked by this, not by a person */
  gboolean rewind; /* the next place is the first */
};

G_DEFINE_FINAL_TYPE (SlPlayer, sl_player, ADW_TYPE_BIN)

enum
{
  PLAYED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
show (SlPlayer *self)
{
  static const struct
  {
    const char *icon;
    const char *tooltip;
    const char *name;
  } faces[] = {
    [SL_PLAYER_RUNS] = { "media-playback-pause-symbolic", N_ ("Pause the run (P)"), N_ ("Pause the run") },
    [SL_PLAYER_RESTS]
    = { "media-playback-start-symbolic", N_ ("Go on with the run (P)"), N_ ("Go on with the run") },
    [SL_PLAYER_OVER]
    = { "media-playback-start-symbolic", N_ ("Play the steps (Space)"), N_ ("Play the steps") },
    { "media-playback-pause-symbolic", N_ ("Stop playing (Space)"), N_ ("Stop playing") },
  };
  guint face = self->timeout ? G_N_ELEMENTS (faces) - 1 : self->run;

  gtk_button_set_icon_name (self->button, faces[face].icon);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->button), _ (faces[face].tooltip));
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->button), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ (faces[face].name), -1);
  gtk_widget_set_sensitive (self->menu, self->run == SL_PLAYER_OVER);
}

static gboolean
is_calm (SlPlayer *self)
{
  gboolean animations = TRUE;

  g_object_get (gtk_widget_get_settings (GTK_WIDGET (self)), "gtk-enable-animations", &animations, NULL);
  return !animations;
}

static guint
get_interval (SlPlayer *self)
{
  guint speed = g_settings_get_uint (self->preferences, "play-speed");

  return 1000 / MAX (is_calm (self) ? MIN (speed, CALM_SPEED) : speed, 1);
}

static gboolean
pick (SlPlayer *self, int position)
{
  int before = sl_film_strip_get_position (self->strip);

  self->picks = TRUE;
  sl_film_strip_pick (self->strip, position);
  self->picks = FALSE;
  return sl_film_strip_get_position (self->strip) != before;
}

static gboolean next_place (gpointer data);

static void
wait_for_next (SlPlayer *self, guint milliseconds)
{
  self->timeout = g_timeout_add (milliseconds, next_place, self);
}

static gboolean
next_place (gpointer data)
{
  SlPlayer *self = data;
  guint interval = get_interval (self);
  gboolean moved;

  self->timeout = 0;
  moved = pick (self, self->rewind ? FIRST : sl_film_strip_get_position (self->strip) + 1);
  if (moved)
    wait_for_next (self, interval);
  else if (!self->rewind && g_settings_get_boolean (self->preferences, "play-loop") && !is_calm (self))
    wait_for_next (self, MAX (interval, END_REST_MS));
  self->rewind = !moved;
  if (self->timeout == 0)
    {
      show (self);
      g_signal_emit (self, signals[PLAYED], 0);
    }
  return G_SOURCE_REMOVE;
}

void
sl_player_play (SlPlayer *self)
{
  if (self->timeout || self->run != SL_PLAYER_OVER)
    return;
  if (!pick (self, sl_film_strip_get_position (self->strip) + 1) && !pick (self, FIRST))
    return;
  self->rewind = FALSE;
  wait_for_next (self, get_interval (self));
  show (self);
  g_signal_emit (self, signals[PLAYED], 0);
}

void
sl_player_stop (SlPlayer *self)
{
  if (self->timeout == 0)
    return;
  g_clear_handle_id (&self->timeout, g_source_remove);
  show (self);
  g_signal_emit (self, signals[PLAYED], 0);
}

gboolean
sl_player_is_playing (SlPlayer *self)
{
  return self->timeout != 0 || self->picks;
}

void
sl_player_set_run (SlPlayer *self, SlPlayerRun run)
{
  self->run = run;
  if (run != SL_PLAYER_OVER)
    sl_player_stop (self);
  show (self);
}

static void
place_picked (SlPlayer *self)
{
  if (!self->picks)
    sl_player_stop (self);
}

static void
speed_changed (SlPlayer *self)
{
  if (self->timeout == 0)
    return;
  g_source_remove (self->timeout);
  wait_for_next (self, get_interval (self));
}

void
sl_player_stop_at_touch (SlPlayer *self, GtkWidget *widget)
{
  GtkGesture *press = gtk_gesture_click_new ();

  gtk_gesture_single_set_button (GTK_GESTURE_SINGLE (press), 0);
  gtk_event_controller_set_propagation_phase (GTK_EVENT_CONTROLLER (press), GTK_PHASE_CAPTURE);
  g_signal_connect_object (press, "pressed", G_CALLBACK (sl_player_stop), self, G_CONNECT_SWAPPED);
  gtk_widget_add_controller (widget, GTK_EVENT_CONTROLLER (press));
}

void
sl_player_connect (SlPlayer *self, SlFilmStrip *strip, GSettings *preferences)
{
  self->strip = strip;
  self->preferences = g_object_ref (preferences);
  g_signal_connect_object (strip, "picked", G_CALLBACK (place_picked), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (preferences, "changed::play-speed", G_CALLBACK (speed_changed), self,
                           G_CONNECT_SWAPPED);
  sl_player_stop_at_touch (self, GTK_WIDGET (strip));
  show (self);
}

/* ---- class ---- */

static void
sl_player_dispose (GObject *object)
{
  SlPlayer *self = SL_PLAYER (object);

  g_clear_handle_id (&self->timeout, g_source_remove);
  g_clear_object (&self->preferences);
  G_OBJECT_CLASS (sl_player_parent_class)->dispose (object);
}

static void
sl_player_class_init (SlPlayerClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = sl_player_dispose;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/safelight/Safelight/sl-player.ui");
  gtk_widget_class_bind_template_child (widget_class, SlPlayer, button);
  gtk_widget_class_bind_template_child (widget_class, SlPlayer, menu);
  signals[PLAYED]
      = g_signal_new ("played", SL_TYPE_PLAYER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
sl_player_init (SlPlayer *self)
{
  self->run = SL_PLAYER_OVER;
  gtk_widget_init_template (GTK_WIDGET (self));
}
