/* sl-picture.c - see sl-picture.h. */
#include "app/objects/gallery/sl-picture-private.h"

#include "engine/engine.h"

struct _SlPicture
{
  GObject parent_instance;
  char *path;
  char *prompt;
  gint64 time;
  gboolean shows_lanes;
  GBytes *thumbnail;
  int width;
  int height;
  SlLineage *lineage; /* NULL: not known */
  char *search_text;  /* NULL: not made yet */
  gboolean favourite;
  SlPicture *parent;
  SlPicturePlace place;
};

G_DEFINE_FINAL_TYPE (SlPicture, sl_picture, G_TYPE_OBJECT)

enum
{
  THUMBNAIL,
  PLACE,
  FAVOURITE,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
sl_picture_dispose (GObject *object)
{
  g_clear_object (&SL_PICTURE (object)->parent);
  G_OBJECT_CLASS (sl_picture_parent_class)->dispose (object);
}

static void
sl_picture_finalize (GObject *object)
{
  SlPicture *self = SL_PICTURE (object);

  g_free (self->path);
  g_free (self->prompt);
  g_free (self->search_text);
  _sl_lineage_free (self->lineage);
  g_clear_pointer (&self->thumbnail, g_bytes_unref);
  G_OBJECT_CLASS (sl_picture_parent_class)->finalize (object);
}

static void
sl_picture_class_init (SlPictureClass *klass)
{
  static const char *const names[N_SIGNALS] = { "thumbnail", "place", "favourite" };

  G_OBJECT_CLASS (klass)->dispose = sl_picture_dispose;
  G_OBJECT_CLASS (klass)->finalize = sl_picture_finalize;
  for (guint i = 0; i < N_SIGNALS; i++)
    signals[i]
        = g_signal_new (names[i], SL_TYPE_PICTURE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
sl_picture_init (SlPicture *self)
{
  self->place.members = 1;
}

SlPicture *
sl_picture_new (const char *path, const char *prompt, gint64 time)
{
  SlPicture *self = g_object_new (SL_TYPE_PICTURE, NULL);

  self->path = g_strdup (path);
  self->prompt = g_strdup (prompt ? prompt : "");
  self->time = time;
  return self;
}

const char *
sl_picture_get_path (SlPicture *self)
{
  return self->path;
}

const char *
sl_picture_get_prompt (SlPicture *self)
{
  return self->prompt;
}

gint64
sl_picture_get_time (SlPicture *self)
{
  return self->time;
}

const char *
sl_picture_get_model (SlPicture *self)
{
  return self->lineage ? self->lineage->model : "";
}

const char *
sl_picture_get_scheduler (SlPicture *self)
{
  return self->lineage ? self->lineage->scheduler : "";
}

/* ---- what it is found by ---- */

gboolean
sl_picture_is_favourite (SlPicture *self)
{
  return self->favourite;
}

void
_sl_picture_set_favourite (SlPicture *self, gboolean favourite)
{
  if (self->favourite == favourite)
    return;
  self->favourite = favourite;
  g_signal_emit (self, signals[FAVOURITE], 0);
}

char *
_sl_search_fold (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  g_autofree char *plain = g_utf8_normalize (valid, -1, G_NORMALIZE_ALL_COMPOSE);

  return g_utf8_casefold (plain ? plain : valid, -1);
}

const char *
_sl_picture_get_search_text (SlPicture *self)
{
  const SlSchedulerInfo *scheduler = sl_scheduler_find (sl_picture_get_scheduler (self));
  g_autoptr (GDateTime) time = NULL;
  g_autofree char *day = NULL;
  g_autofree char *all = NULL;

  if (self->search_text)
    return self->search_text;
  time = g_date_time_new_from_unix_local (self->time / G_USEC_PER_SEC);
  day = time ? g_date_time_format (time, "%Y-%m-%d") : NULL;
  all = g_strjoin ("\n", self->prompt, sl_picture_get_scheduler (self), scheduler ? scheduler->name : "",
                   sl_picture_get_model (self), day, NULL);
  self->search_text = _sl_search_fold (all);
  return self->search_text;
}

gboolean
sl_picture_shows_lanes (SlPicture *self)
{
  return self->shows_lanes;
}

void
sl_picture_set_shows_lanes (SlPicture *self, gboolean shows_lanes)
{
  self->shows_lanes = shows_lanes;
}

GBytes *
sl_picture_get_thumbnail (SlPicture *self, int *width, int *height)
{
  *width = self->width;
  *height = self->height;
  return self->thumbnail;
}

void
sl_picture_set_thumbnail (SlPicture *self, GBytes *rgb, int width, int height)
{
  g_clear_pointer (&self->thumbnail, g_bytes_unref);
  self->thumbnail = rgb ? g_bytes_ref (rgb) : NULL;
  self->width = width;
  self->height = height;
  g_signal_emit (self, signals[THUMBNAIL], 0);
}

/* ---- the tree ---- */

const SlLineage *
_sl_picture_get_lineage (SlPicture *self)
{
  return self->lineage;
}

void
_sl_picture_take_lineage (SlPicture *self, SlLineage *lineage)
{
  _sl_lineage_free (self->lineage);
  self->lineage = lineage;
  g_clear_pointer (&self->search_text, g_free);
}

SlLineage *
_sl_picture_steal_lineage (SlPicture *self)
{
  return g_steal_pointer (&self->lineage);
}

gboolean
sl_picture_is_branch (SlPicture *self)
{
  return self->lineage && self->lineage->steps->len > 0;
}

int
sl_picture_get_branch_step (SlPicture *self)
{
  return sl_picture_is_branch (self) ? g_array_index (self->lineage->steps, int, 0) : 0;
}

const char *
sl_picture_get_changes (SlPicture *self)
{
  return self->lineage ? self->lineage->changed : "";
}

int
sl_picture_get_moment (SlPicture *self)
{
  return self->lineage ? self->lineage->moment : 0;
}

SlPicture *
sl_picture_get_parent (SlPicture *self)
{
  return self->parent;
}

const SlPicturePlace *
sl_picture_get_place (SlPicture *self)
{
  return &self->place;
}

static gboolean
same_place (const SlPicturePlace *a, const SlPicturePlace *b)
{
  return a->family == b->family && a->members == b->members && a->depth == b->depth && a->before == b->before
         && a->after == b->after && a->orphan == b->orphan && a->again == b->again;
}

void
_sl_picture_set_place (SlPicture *self, SlPicture *parent, const SlPicturePlace *place)
{
  if (!g_set_object (&self->parent, parent) && same_place (&self->place, place))
    return;
  self->place = *place;
  g_signal_emit (self, signals[PLACE], 0);
}
