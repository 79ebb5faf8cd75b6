/* sl-tray.h - the large dark area of the darkroom: the picture, under it a caption and the tools to look at it, how far
 * the run is, or, when there is no picture, what to do. Nothing lies on the picture. */
#pragma once

#include <adwaita.h>

#include "ui/widgets/sl-canvas.h"
#include "ui/widgets/sl-terms.h"

G_BEGIN_DECLS

#define SL_TYPE_TRAY (sl_tray_get_type ())

G_DECLARE_FINAL_TYPE (SlTray, sl_tray, SL, TRAY, AdwBin)

SlCanvas *sl_tray_get_canvas (SlTray *self);
/* What the numbers in the caption mean. */
SlTerms *sl_tray_get_terms (SlTray *self);
/* The picture page with this texture; NULL goes back to the empty tray. */
void sl_tray_show (SlTray *self, GdkTexture *texture, const char *description);
/* A picture is on its way, but nothing can be seen of it yet. */
void sl_tray_show_waiting (SlTray *self);
/* Why there is nothing to show, under a title. */
void sl_tray_show_error (SlTray *self, const char *title, const char *message);
/* The line under the picture; NULL hides it. */
void sl_tray_set_caption (SlTray *self, const char *caption);
/* Why the quick preview is shown and not the decoded picture; NULL hides it. */
void sl_tray_set_problem (SlTray *self, const char *problem);
/* The text that is shown about this, or NULL. */
const char *sl_tray_get_problem (SlTray *self);
/* 0 to 1, < 0 hides the bar. */
void sl_tray_set_progress (SlTray *self, double fraction);
/* The button in the empty tray that begins the tour. */
GtkWidget *sl_tray_get_offer (SlTray *self);
/* FALSE while there is no model that takes a prompt: the examples go. */
void sl_tray_set_prompts (SlTray *self, gboolean prompts);

G_END_DECLS
