/* sl-model-list.h - the entries of the list of models: each with what it is, how large, and whether it fits. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* For a list of SlModelItem. */
GtkListItemFactory *sl_model_list_factory_new (void);

G_END_DECLS
