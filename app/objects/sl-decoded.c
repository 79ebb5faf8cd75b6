/* sl-decoded.c - see sl-decoded.h. */
#include "app/objects/sl-decoded.h"

#include "app/objects/sl-frame-object-private.h"

typedef struct
{
  SlDecoded *owner;
  SlFrameObject *frame; /* not held: the pictures of a run that was given up go with it */
  SlView view;
  gsize bytes;
} Picture;

struct _SlDecoded
{
  GQueue pictures;   /* of Picture, the last looked at first */
  GHashTable *links; /* Picture to its place there */
  gsize bytes;
};

static guint
picture_hash (gconstpointer key)
{
  const Picture *picture = key;

  return g_direct_hash (picture->frame) ^ (guint)picture->view;
}

static gboolean
picture_equal (gconstpointer a, gconstpointer b)
{
  const Picture *one = a, *other = b;

  return one->frame == other->frame && one->view == other->view;
}

SlDecoded *
sl_decoded_new (void)
{
  SlDecoded *self = g_new0 (SlDecoded, 1);

  g_queue_init (&self->pictures);
  self->links = g_hash_table_new (picture_hash, picture_equal);
  return self;
}

static void
take_off (SlDecoded *self, Picture *picture)
{
  GList *link = g_hash_table_lookup (self->links, picture);

  g_hash_table_remove (self->links, picture);
  g_queue_delete_link (&self->pictures, link);
  self->bytes -= picture->bytes;
}

static void
on_frame_gone (gpointer data, GObject *where_it_was)
{
  Picture *picture = data;

  take_off (picture->owner, picture);
  g_free (picture);
}

static void
picture_free (gpointer data)
{
  Picture *picture = data;

  g_object_weak_unref (G_OBJECT (picture->frame), on_frame_gone, picture);
  g_free (picture);
}

void
sl_decoded_free (SlDecoded *self)
{
  g_hash_table_unref (self->links);
  g_queue_clear_full (&self->pictures, picture_free);
  g_free (self);
}

static GList *
find (SlDecoded *self, SlFrameObject *frame, SlView view)
{
  const Picture key = { .frame = frame, .view = view };

  return g_hash_table_lookup (self->links, &key);
}

void
sl_decoded_touch (SlDecoded *self, SlFrameObject *frame, SlView view)
{
  GList *link = find (self, frame, view);

  if (link == NULL)
    return;
  g_queue_unlink (&self->pictures, link);
  g_queue_push_head_link (&self->pictures, link);
}

static void
drop_oldest (SlDecoded *self)
{
  Picture *oldest = g_queue_peek_tail (&self->pictures);

  take_off (self, oldest);
  _sl_frame_object_set_decoded (oldest->frame, oldest->view, NULL, 0, 0);
  picture_free (oldest);
}

void
sl_decoded_add (SlDecoded *self, SlFrameObject *frame, SlView view, gboolean made_again)
{
  Picture *picture;
  int width, height;

  if (find (self, frame, view))
    {
      sl_decoded_touch (self, frame, view);
      return;
    }
  picture = g_new (Picture, 1);
  *picture = (Picture){ self, frame, view,
                        g_bytes_get_size (sl_frame_object_get_rgb (frame, view, &width, &height)) };
  g_object_weak_ref (G_OBJECT (frame), on_frame_gone, picture);
  if (made_again)
    picture->bytes += _sl_frame_object_get_taken_bytes (frame);
  g_queue_push_head (&self->pictures, picture);
  g_hash_table_insert (self->links, picture, self->pictures.head);
  self->bytes += picture->bytes;
  while (self->bytes > SL_DECODED_LIMIT && self->pictures.length > SL_DECODED_LEAST)
    drop_oldest (self);
}

gsize
sl_decoded_get_bytes (SlDecoded *self)
{
  return self->bytes;
}
