/* sl-scheduler-item.h - a scheduler as the panel lists it. */
#pragma once

#include "app/objects/sl-model-item.h"

G_BEGIN_DECLS

#define SL_TYPE_SCHEDULER_ITEM (sl_scheduler_item_get_type ())

G_DECLARE_FINAL_TYPE (SlSchedulerItem, sl_scheduler_item, SL, SCHEDULER_ITEM, GObject)

/* A GListStore of all schedulers, group after group. */
GListModel *sl_scheduler_items_new (void);
/* Leaves in such a list those that suit a model; NULL: those for models that do not predict flow. */
void sl_scheduler_items_offer (GListModel *items, SlModelItem *model);
/* Position of an id in such a list; 0 when it is unknown. */
guint sl_scheduler_items_find (GListModel *items, const char *id);
const char *sl_scheduler_item_get_id (SlSchedulerItem *self);
const char *sl_scheduler_item_get_name (SlSchedulerItem *self);
/* One line: when to choose it. */
const char *sl_scheduler_item_get_good_for (SlSchedulerItem *self);
/* What it has in common with those beside it, "Steady", and a line about them; to be translated. The same pointer for
 * all of a group. */
const char *sl_scheduler_item_get_group (SlSchedulerItem *self);
const char *sl_scheduler_item_get_group_good_for (SlSchedulerItem *self);

G_END_DECLS
