/* sl-player.h - the button beside the film strip: it pauses a run that goes on and lets it go on again, and plays the
 * steps of one that is over, with a speed, once or again and again.
 *
 * Playing is a person at the strip, only faster: it picks one place after another. It ends when somebody picks a place
 * themselves or touches the strip or the picture. Where the desktop asks for less motion, it goes slowly and only once.
 */
#pragma once

#include <adwaita.h>

#include "ui/darkroom/sl-film-strip.h"

G_BEGIN_DECLS

#define SL_TYPE_PLAYER (sl_player_get_type ())

G_DECLARE_FINAL_TYPE (SlPlayer, sl_player, SL, PLAYER, AdwBin)

/* Of the run in the strip. */
typedef enum
{
  SL_PLAYER_RUNS,
  SL_PLAYER_RESTS, /* it is paused */
  SL_PLAYER_OVER,
} SlPlayerRun;

/* Once. Its button is the action "win.play". Signal "played": sl_player_is_playing answers otherwise. */
void sl_player_connect (SlPlayer *self, SlFilmStrip *strip, GSettings *preferences);
/* A press on the widget ends playing, too. */
void sl_player_stop_at_touch (SlPlayer *self, GtkWidget *widget);
/* What the button says and does; a run that is not over is not played. */
void sl_player_set_run (SlPlayer *self, SlPlayerRun run);
/* From where the strip is, or from the beginning when that is the end. Nothing where there is only one place. */
void sl_player_play (SlPlayer *self);
void sl_player_stop (SlPlayer *self);
gboolean sl_player_is_playing (SlPlayer *self);

G_END_DECLS
