/* sl-darkroom-page.h - the page on which single pictures are developed: the tray with the picture, and under it the
 * film strip with the steps of the run, or the bar of a finished picture.
 */
#pragma once

#include <adwaita.h>

#include "ui/exchange/sl-export-bar.h"
#include "ui/workspace/sl-workspace.h"
#include "ui/widgets/sl-page.h"

G_BEGIN_DECLS

#define SL_TYPE_DARKROOM_PAGE (sl_darkroom_page_get_type ())

/* Implements SlPage. */
G_DECLARE_FINAL_TYPE (SlDarkroomPage, sl_darkroom_page, SL, DARKROOM_PAGE, AdwBin)

/* Once, before the page is shown. Adds its actions: "noisy", "pan", "keep-step", "copy", "save-to", "branch",
 * "save-animation", "save-animation-to", "resume", "play", "pause",
 * "leave-picture". Signals: "branch-asked": a branch from the step that is shown is
 * wanted; "neighbour-asked" (int): the picture so many places behind the one that is shown is wanted;
 * "picture-left" (SlPicture): it was put away;
 * "picture-changed": get_picture answers otherwise. */
void sl_darkroom_page_connect (SlDarkroomPage *self,
                               SlWorkspace *workspace,
                               GActionMap *actions,
                               SlExportBar *export_bar);
/* Offers what was not finished the last time. */
void sl_darkroom_page_open (SlDarkroomPage *self);
/* Before that: how far the running one came is kept in the gallery, where that costs no time. */
void sl_darkroom_page_keep_moment (SlDarkroomPage *self);
/* And the recipes of what is not finished; NULL, or why they could not be written. */
char *sl_darkroom_page_try_remember (SlDarkroomPage *self);
/* Before the workspace is closed: remembers what is not finished. */
void sl_darkroom_page_close (SlDarkroomPage *self);
/* The run whose steps are in the strip, and the step that is shown; NULL for none. */
SlJob *sl_darkroom_page_get_job (SlDarkroomPage *self);
SlFrameObject *sl_darkroom_page_get_frame (SlDarkroomPage *self);
/* The finished picture that is shown in place of a step, or NULL. */
SlPicture *sl_darkroom_page_get_picture (SlDarkroomPage *self);
/* Loads it and brings the page to the front. */
void sl_darkroom_page_show_picture (SlDarkroomPage *self, SlPicture *picture);
/* Back to the step that was there before, or to the empty tray. */
void sl_darkroom_page_leave_picture (SlDarkroomPage *self);
/* Why there is nothing to show. */
void sl_darkroom_page_show_error (SlDarkroomPage *self, const char *title, const char *message);

G_END_DECLS
