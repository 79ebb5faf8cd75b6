/* sl-model-list.h - the entries of the list of models: each with what it is, how large, and whether it fits. */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

/* For the list of a row over SlModelItems, which outlives it. */
GtkListItemFactory *sl_model_list_factory_new (AdwComboRow *row);

G_END_DECLS
