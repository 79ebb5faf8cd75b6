/* sl-family-track.h - the strip under a print of the gallery: its dot in the tree of its family, and the
 * lines that come in from the print before and go on to the next one. */
#pragma once

#include <gtk/gtk.h>

#include "app/objects/objects.h"

G_BEGIN_DECLS

#define SL_TYPE_FAMILY_TRACK (sl_family_track_get_type ())

G_DECLARE_FINAL_TYPE (SlFamilyTrack, sl_family_track, SL, FAMILY_TRACK, GtkWidget)

GtkWidget *sl_family_track_new (void);
/* NULL or a picture that is alone: nothing is drawn and no room is taken. */
void sl_family_track_set_place (SlFamilyTrack *self, const SlPicturePlace *place);

G_END_DECLS
