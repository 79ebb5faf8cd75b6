/* sl-side-view.c - see sl-side-view.h. */
#include "ui/widgets/sl-side-view.h"

#include "ui/widgets/sl-side-view-parts.h"

struct _SlSideView
{
  AdwBin parent_instance;
  SlSideViewParts parts;
};

G_DEFINE_FINAL_TYPE (SlSideView, sl_side_view, ADW_TYPE_BIN)

enum
{
  PANEL = 1,
  PAGE,
  PANEL_SHOWN,
  FOLDED,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];

/* What the property is called in the toolkit's widget. */
static const char *
name_in_view (SlSideView *self, guint id)
{
  const SlSideViewParts *parts = &self->parts;

  return id == PANEL         ? parts->panel
         : id == PAGE        ? parts->page
         : id == PANEL_SHOWN ? parts->panel_shown
                             : parts->folded;
}

static void
sl_side_view_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  SlSideView *self = SL_SIDE_VIEW (object);

  g_object_get_property (G_OBJECT (self->parts.view), name_in_view (self, id), value);
}

static void
sl_side_view_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  SlSideView *self = SL_SIDE_VIEW (object);

  g_object_set_property (G_OBJECT (self->parts.view), name_in_view (self, id), value);
}

/* The view notifies of a change, also of one that was made here. */
static void
view_changed (SlSideView *self, GParamSpec *pspec)
{
  for (guint id = PANEL; id < N_PROPERTIES; id++)
    if (g_str_equal (pspec->name, name_in_view (self, id)))
      g_object_notify_by_pspec (G_OBJECT (self), properties[id]);
}

gboolean
sl_side_view_get_folded (SlSideView *self)
{
  gboolean folded;

  g_object_get (self, "folded", &folded, NULL);
  return folded;
}

gboolean
sl_side_view_get_panel_shown (SlSideView *self)
{
  gboolean shown;

  g_object_get (self, "panel-shown", &shown, NULL);
  return shown;
}

void
sl_side_view_set_panel_shown (SlSideView *self, gboolean shown)
{
  g_object_set (self, "panel-shown", shown, NULL);
}

static void
sl_side_view_class_init (SlSideViewClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;

  object_class->get_property = sl_side_view_get_property;
  object_class->set_property = sl_side_view_set_property;
  properties[PANEL] = g_param_spec_object ("panel", NULL, NULL, GTK_TYPE_WIDGET, flags);
  properties[PAGE] = g_param_spec_object ("page", NULL, NULL, GTK_TYPE_WIDGET, flags);
  properties[PANEL_SHOWN] = g_param_spec_boolean ("panel-shown", NULL, NULL, TRUE, flags);
  properties[FOLDED]
      = g_param_spec_boolean ("folded", NULL, NULL, FALSE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
sl_side_view_init (SlSideView *self)
{
  sl_side_view_make_parts (&self->parts);
  g_signal_connect_object (self->parts.view, "notify", G_CALLBACK (view_changed), self, G_CONNECT_SWAPPED);
  adw_bin_set_child (ADW_BIN (self), self->parts.child);
}
