/* sl-canvas.h - a picture that can be zoomed and moved: the paper in the tray.
 *
 * Enlarged above a pixel of the picture for a pixel of the screen it is not blurred: its pixels become squares. One
 * that is only fitted is smooth up to twice its size, where squares would be of two sizes side by side, and a preview
 * with fewer pixels than the picture always is.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define SL_TYPE_CANVAS (sl_canvas_get_type ())

G_DECLARE_FINAL_TYPE (SlCanvas, sl_canvas, SL, CANVAS, GtkWidget)

/* Pixels of RGB rows as a texture; NULL stays NULL. */
GdkTexture *sl_texture_new_rgb (GBytes *rgb, int width, int height);

void sl_canvas_set_texture (SlCanvas *self, GdkTexture *texture);
GdkTexture *sl_canvas_get_texture (SlCanvas *self);
/* Colours over all of the picture, which becomes grey under them; NULL: none. */
void sl_canvas_set_overlay (SlCanvas *self, GdkTexture *overlay);
GdkTexture *sl_canvas_get_overlay (SlCanvas *self);
/* Another picture of the same place beside the texture, from `from`, 0 to 1 of its width, to its right end, with a line
 * between them; NULL: none. */
void sl_canvas_set_beside (SlCanvas *self, GdkTexture *beside, double from);
GdkTexture *sl_canvas_get_beside (SlCanvas *self);
/* Where the picture is in the widget, as it is drawn; FALSE where there is none. */
gboolean sl_canvas_get_paper (SlCanvas *self, graphene_rect_t *paper);
/* The size that zoom is relative to, when textures of several sizes show the same picture (a small
 * preview, then the decoded one); 0 for the texture's own. */
void sl_canvas_set_size (SlCanvas *self, int width, int height);
typedef enum
{
  SL_ZOOM_IN,
  SL_ZOOM_OUT,
  SL_ZOOM_FIT,      /* the whole picture */
  SL_ZOOM_ORIGINAL, /* a pixel of the picture for a pixel of the screen */
} SlZoom;

/* As a button or a key asks for it. */
void sl_canvas_zoom (SlCanvas *self, SlZoom zoom);
/* 0 fits the picture into the widget; 1 is a pixel of the picture for a unit of the widget. */
void sl_canvas_set_zoom (SlCanvas *self, double zoom);
/* The zoom as it is on screen. Signal "view-changed": it or the place may be another one. */
double sl_canvas_get_zoom (SlCanvas *self);
/* The same in pixels of the screen: 1 where each shows one of the picture. */
double sl_canvas_get_magnification (SlCanvas *self);
/* The whole picture is seen: dragging takes it out instead of moving it. */
gboolean sl_canvas_is_fitted (SlCanvas *self);
/* In units of the widget, as far as the picture reaches beyond it. */
void sl_canvas_pan_by (SlCanvas *self, double dx, double dy);
/* Where the middle of the picture is, from the middle of the widget. */
void sl_canvas_get_place (SlCanvas *self, double *x, double *y);
/* Takes zoom and place of another canvas. It does not emit "view-changed", by which canvases are linked: they would
 * call each other for ever. */
void sl_canvas_copy_view (SlCanvas *self, SlCanvas *other);

G_END_DECLS
