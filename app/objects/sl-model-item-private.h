/* sl-model-item-private.h - a model item as the engine sees it; for app/ only. */
#pragma once

#include "app/objects/sl-model-item.h"
#include "engine/engine.h"

G_BEGIN_DECLS

/* Immutable, alive as long as the item. */
const SlModelInfo *_sl_model_item_get_info (SlModelItem *self);

G_END_DECLS
