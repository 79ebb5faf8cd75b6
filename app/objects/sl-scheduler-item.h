/* sl-scheduler-item.h - a scheduler as the panel lists it. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define SL_TYPE_SCHEDULER_ITEM (sl_scheduler_item_get_type ())

G_DECLARE_FINAL_TYPE (SlSchedulerItem, sl_scheduler_item, SL, SCHEDULER_ITEM, GObject)

/* A GListStore of all schedulers. */
GListModel *sl_scheduler_items_new (void);
/* Position of an id in such a list; 0 when it is unknown. */
guint sl_scheduler_items_find (GListModel *items, const char *id);
const char *sl_scheduler_item_get_id (SlSchedulerItem *self);
const char *sl_scheduler_item_get_name (SlSchedulerItem *self);
/* One line: when to choose it. */
const char *sl_scheduler_item_get_good_for (SlSchedulerItem *self);
int sl_scheduler_item_get_evaluations (SlSchedulerItem *self);

G_END_DECLS
