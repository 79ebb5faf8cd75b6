/* sl-list.c - see sl-list.h. */
#include "app/objects/sl-list.h"

typedef struct
{
  GListStore *items;
} SlListPrivate;

static void list_model_iface_init (GListModelInterface *iface);

G_DEFINE_ABSTRACT_TYPE_WITH_CODE (SlList,
                                  sl_list,
                                  G_TYPE_OBJECT,
                                  G_ADD_PRIVATE (SlList)
                                      G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, list_model_iface_init))

static GListModel *
get_items (GListModel *list)
{
  SlListPrivate *priv = sl_list_get_instance_private (SL_LIST (list));

  return G_LIST_MODEL (priv->items);
}

static GType
get_item_type (GListModel *list)
{
  return g_list_model_get_item_type (get_items (list));
}

static guint
get_n_items (GListModel *list)
{
  return g_list_model_get_n_items (get_items (list));
}

static gpointer
get_item (GListModel *list, guint position)
{
  return g_list_model_get_item (get_items (list), position);
}

static void
list_model_iface_init (GListModelInterface *iface)
{
  iface->get_item_type = get_item_type;
  iface->get_n_items = get_n_items;
  iface->get_item = get_item;
}

GListStore *
sl_list_init_items (SlList *self, GType item_type)
{
  SlListPrivate *priv = sl_list_get_instance_private (self);

  priv->items = g_list_store_new (item_type);
  g_signal_connect_object (priv->items, "items-changed", G_CALLBACK (g_list_model_items_changed), self,
                           G_CONNECT_SWAPPED);
  return priv->items;
}

static void
sl_list_finalize (GObject *object)
{
  SlListPrivate *priv = sl_list_get_instance_private (SL_LIST (object));

  g_clear_object (&priv->items);
  G_OBJECT_CLASS (sl_list_parent_class)->finalize (object);
}

static void
sl_list_class_init (SlListClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = sl_list_finalize;
}

static void
sl_list_init (SlList *self)
{
}
