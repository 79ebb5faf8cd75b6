/* sl-page.h - a page of the window that develops pictures (darkroom, compare), as the window's header bar, its
 * button "Develop" and its keys see it; and what every page needs of the window around it.
 */
#pragma once

#include <gtk/gtk.h>

#include "ui/widgets/sl-canvas.h"

G_BEGIN_DECLS

#define SL_TYPE_PAGE (sl_page_get_type ())

G_DECLARE_INTERFACE (SlPage, sl_page, SL, PAGE, GtkWidget)

typedef struct
{
  const char *develop_label; /* what the button that starts says, with its mnemonic; static */
  gboolean busy;             /* something runs that can be stopped */
  gboolean can_save;         /* there is a picture to save */
} SlPageState;

struct _SlPageInterface
{
  GTypeInterface parent_interface;
  void (*get_state) (SlPage *self, SlPageState *state);
  /* What develop would start now: SlSettings are added, and count says how often each is made. */
  void (*get_plan) (SlPage *self, GPtrArray *plan, guint *count);
  /* FALSE when nothing was started; the person was told why. */
  gboolean (*develop) (SlPage *self);
  void (*stop) (SlPage *self);
  /* Asks where the picture shall be saved. */
  void (*save) (SlPage *self);
  /* So many steps forward or (negative) back. */
  void (*step) (SlPage *self, int by);
  void (*zoom) (SlPage *self, SlZoom zoom);
};

/* Signal "state-changed": get_state may answer otherwise. */
void sl_page_get_state (SlPage *self, SlPageState *state);
void sl_page_state_changed (SlPage *self);
void sl_page_get_plan (SlPage *self, GPtrArray *plan, guint *count);
gboolean sl_page_develop (SlPage *self);
void sl_page_stop (SlPage *self);
void sl_page_save (SlPage *self);
void sl_page_step (SlPage *self, int by);
void sl_page_zoom (SlPage *self, SlZoom zoom);

/* For any page of an AdwViewStack: brings it to the front, and says whether it is there. */
void sl_page_show (GtkWidget *page);
gboolean sl_page_is_shown (GtkWidget *page);

/* Actions that a page has put into the window's map can be done now, or cannot. */
void sl_page_enable_action (GActionMap *actions, const char *name, gboolean enabled);

G_END_DECLS
