/* sl-animation-page.h - asks how an animation is to be saved: as which of the formats that this build writes, how
 * fast, how large, with captions or without. What it lacks is listed with the reason.
 */
#pragma once

#include <adwaita.h>

#include "ui/workspace/sl-workspace.h"

G_BEGIN_DECLS

#define SL_TYPE_ANIMATION_PAGE (sl_animation_page_get_type ())

G_DECLARE_FINAL_TYPE (SlAnimationPage, sl_animation_page, SL, ANIMATION_PAGE, AdwPreferencesPage)

/* What was chosen; ending is the format's, ".webp". */
typedef void (*SlAnimationChosen) (gpointer object, const SlExportLook *look, const char *ending);

/* Shows it over the window of from; captions is where that switch begins. Speed, size and format are remembered.
 * chosen is not called when object is gone by then. */
void sl_animation_page_ask (
    GtkWidget *from, GSettings *preferences, gboolean captions, SlAnimationChosen chosen, GObject *object);

G_END_DECLS
