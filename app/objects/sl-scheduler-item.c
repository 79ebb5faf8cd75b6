/* sl-scheduler-item.c - see sl-scheduler-item.h. */
#include "app/objects/sl-scheduler-item.h"

#include "app/objects/sl-model-item-private.h"
#include "engine/engine.h"

struct _SlSchedulerItem
{
  GObject parent_instance;
  const SlSchedulerInfo *info;
};

G_DEFINE_FINAL_TYPE (SlSchedulerItem, sl_scheduler_item, G_TYPE_OBJECT)

enum
{
  PROP_0,
  PROP_NAME,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

static void
sl_scheduler_item_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  SlSchedulerItem *self = SL_SCHEDULER_ITEM (object);

  switch (prop_id)
    {
    case PROP_NAME:
      g_value_set_string (value, sl_scheduler_item_get_name (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
sl_scheduler_item_class_init (SlSchedulerItemClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = sl_scheduler_item_get_property;
  properties[PROP_NAME]
      = g_param_spec_string ("name", NULL, NULL, NULL, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
sl_scheduler_item_init (SlSchedulerItem *self)
{
}

static SlSchedulerItem *
item_new (const SlSchedulerInfo *info)
{
  SlSchedulerItem *item = g_object_new (SL_TYPE_SCHEDULER_ITEM, NULL);

  item->info = info;
  return item;
}

GListModel *
sl_scheduler_items_new (void)
{
  GListStore *items = g_list_store_new (SL_TYPE_SCHEDULER_ITEM);

  for (int i = 0; i < sl_scheduler_count (); i++)
    {
      g_autoptr (SlSchedulerItem) item = item_new (sl_scheduler_grouped (i));

      g_list_store_append (items, item);
    }
  return G_LIST_MODEL (items);
}

/* In one change, and none when the list is as it is to be: views keep what is selected. */
void
sl_scheduler_items_offer (GListModel *items, SlModelItem *model)
{
  g_autoptr (GPtrArray) offered = g_ptr_array_new_with_free_func (g_object_unref);
  SlPrediction prediction = model ? _sl_model_item_get_info (model)->prediction : SL_PREDICT_EPSILON;
  guint n = g_list_model_get_n_items (items);
  gboolean same = TRUE;

  for (int i = 0; i < sl_scheduler_count (); i++)
    if (sl_scheduler_suits (sl_scheduler_grouped (i), prediction))
      g_ptr_array_add (offered, item_new (sl_scheduler_grouped (i)));
  for (guint i = 0; i < n && n == offered->len; i++)
    {
      g_autoptr (SlSchedulerItem) item = g_list_model_get_item (items, i);
      SlSchedulerItem *other = g_ptr_array_index (offered, i);

      same = same && item->info == other->info;
    }
  if (n != offered->len || !same)
    g_list_store_splice (G_LIST_STORE (items), 0, n, offered->pdata, offered->len);
}

guint
sl_scheduler_items_find (GListModel *items, const char *id)
{
  for (guint i = 0; i < g_list_model_get_n_items (items); i++)
    {
      g_autoptr (SlSchedulerItem) item = g_list_model_get_item (items, i);

      if (g_strcmp0 (item->info->id, id) == 0)
        return i;
    }
  return 0;
}

const char *
sl_scheduler_item_get_id (SlSchedulerItem *self)
{
  return self->info->id;
}

const char *
sl_scheduler_item_get_name (SlSchedulerItem *self)
{
  return self->info->name;
}

const char *
sl_scheduler_item_get_good_for (SlSchedulerItem *self)
{
  return self->info->good_for;
}

static const SlSchedulerGroupInfo *
group_of (SlSchedulerItem *self)
{
  return sl_scheduler_group_info (sl_scheduler_group (self->info));
}

const char *
sl_scheduler_item_get_group (SlSchedulerItem *self)
{
  return group_of (self)->name;
}

const char *
sl_scheduler_item_get_group_good_for (SlSchedulerItem *self)
{
  return group_of (self)->good_for;
}
