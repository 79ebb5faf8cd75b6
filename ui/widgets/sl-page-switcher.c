/* sl-page-switcher.c - see sl-page-switcher.h. */
#include "ui/widgets/sl-page-switcher.h"

struct _SlPageSwitcher
{
  AdwBin parent_instance;
  char *title;
  gboolean title_visible;
};

G_DEFINE_FINAL_TYPE (SlPageSwitcher, sl_page_switcher, ADW_TYPE_BIN)

enum
{
  STACK = 1,
  TITLE,
  TITLE_VISIBLE,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];

static void
sl_page_switcher_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  g_value_set_boolean (value, SL_PAGE_SWITCHER (object)->title_visible);
}

static void
sl_page_switcher_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  SlPageSwitcher *self = SL_PAGE_SWITCHER (object);

  switch (id)
    {
    case STACK:
      if (g_value_get_object (value))
        adw_bin_set_child (ADW_BIN (self),
                           sl_page_switcher_make_child (self, g_value_get_object (value), self->title));
      break;
    case TITLE:
      g_free (self->title);
      self->title = g_value_dup_string (value);
      break;
    default:
      if (self->title_visible == g_value_get_boolean (value))
        return;
      self->title_visible = g_value_get_boolean (value);
      g_object_notify_by_pspec (object, pspec);
    }
}

static void
sl_page_switcher_finalize (GObject *object)
{
  g_free (SL_PAGE_SWITCHER (object)->title);
  G_OBJECT_CLASS (sl_page_switcher_parent_class)->finalize (object);
}

static void
sl_page_switcher_class_init (SlPageSwitcherClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = sl_page_switcher_get_property;
  object_class->set_property = sl_page_switcher_set_property;
  object_class->finalize = sl_page_switcher_finalize;
  properties[STACK] = g_param_spec_object ("stack", NULL, NULL, ADW_TYPE_VIEW_STACK,
                                           G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS);
  properties[TITLE]
      = g_param_spec_string ("title", NULL, NULL, NULL, G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS);
  properties[TITLE_VISIBLE]
      = g_param_spec_boolean ("title-visible", NULL, NULL, FALSE,
                              G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
sl_page_switcher_init (SlPageSwitcher *self)
{
}
