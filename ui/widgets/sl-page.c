/* sl-page.c - see sl-page.h. */
#include "ui/widgets/sl-page.h"

#include <adwaita.h>

G_DEFINE_INTERFACE (SlPage, sl_page, GTK_TYPE_WIDGET)

enum
{
  STATE_CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
sl_page_default_init (SlPageInterface *iface)
{
  signals[STATE_CHANGED]
      = g_signal_new ("state-changed", SL_TYPE_PAGE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

void
sl_page_get_state (SlPage *self, SlPageState *state)
{
  *state = (SlPageState){ 0 };
  SL_PAGE_GET_IFACE (self)->get_state (self, state);
}

void
sl_page_state_changed (SlPage *self)
{
  g_signal_emit (self, signals[STATE_CHANGED], 0);
}

void
sl_page_get_plan (SlPage *self, GPtrArray *plan, guint *count)
{
  SL_PAGE_GET_IFACE (self)->get_plan (self, plan, count);
}

gboolean
sl_page_develop (SlPage *self)
{
  return SL_PAGE_GET_IFACE (self)->develop (self);
}

void
sl_page_stop (SlPage *self)
{
  SL_PAGE_GET_IFACE (self)->stop (self);
}

void
sl_page_save (SlPage *self)
{
  SL_PAGE_GET_IFACE (self)->save (self);
}

void
sl_page_step (SlPage *self, int by)
{
  SL_PAGE_GET_IFACE (self)->step (self, by);
}

void
sl_page_zoom (SlPage *self, SlZoom zoom)
{
  SL_PAGE_GET_IFACE (self)->zoom (self, zoom);
}

static AdwViewStack *
find_stack (GtkWidget *page)
{
  GtkWidget *stack = gtk_widget_get_ancestor (page, ADW_TYPE_VIEW_STACK);

  return stack ? ADW_VIEW_STACK (stack) : NULL;
}

void
sl_page_show (GtkWidget *page)
{
  AdwViewStack *stack = find_stack (page);

  if (stack)
    adw_view_stack_set_visible_child (stack, page);
}

gboolean
sl_page_is_shown (GtkWidget *page)
{
  AdwViewStack *stack = find_stack (page);

  return stack && adw_view_stack_get_visible_child (stack) == page;
}

void
sl_page_enable_action (GActionMap *actions, const char *name, gboolean enabled)
{
  g_simple_action_set_enabled (G_SIMPLE_ACTION (g_action_map_lookup_action (actions, name)), enabled);
}
