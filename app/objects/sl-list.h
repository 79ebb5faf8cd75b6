/* sl-list.h - what the gallery, the queue and the model store have in common: a list model over a
 * GListStore that only the derived type changes. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define SL_TYPE_LIST (sl_list_get_type ())

G_DECLARE_DERIVABLE_TYPE (SlList, sl_list, SL, LIST, GObject)

struct _SlListClass
{
  GObjectClass parent_class;
};

/* For derived types, in their init: the type of the items. The store is borrowed. */
GListStore *sl_list_init_items (SlList *self, GType item_type);

G_END_DECLS
