/* sl-lora.c - see sl-lora.h. */
#include "app/objects/sl-lora-private.h"

#include <stdlib.h>
#include <string.h>

#include "app/files/files.h"
#include "app/objects/sl-model-item-private.h"

#define MOST_WORDS 24

/* What is read of a file; a reading that is over takes the place of the one before. */
typedef struct
{
  SlLoraState state;
  char *problem;
  char *path;
  char *picture;
  char *kinds;
  char *made_over;
  char *title;
  const char *base; /* lives as long as the program */
  int rank_min, rank_max;
  char **words;
  int modules, matched;
} Facts;

struct _SlLora
{
  GObject parent_instance;
  SlAdapterUse *use;
  char *name; /* without folder and ending */
  char *curve;
  Facts facts;
  guint readings; /* begun so far: only the last counts */
};

G_DEFINE_FINAL_TYPE (SlLora, sl_lora, G_TYPE_OBJECT)

enum
{
  PROP_0,
  PROP_NAME,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

enum
{
  READ,
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
facts_clear (Facts *facts)
{
  g_free (facts->problem);
  g_free (facts->path);
  g_free (facts->picture);
  g_free (facts->kinds);
  g_free (facts->made_over);
  g_free (facts->title);
  g_strfreev (facts->words);
  *facts = (Facts){ .state = SL_LORA_READING };
}

/* ---- reading ---- */

typedef struct
{
  SlLora *lora;
  SlModelItem *model; /* or NULL */
  char *name, *hash;
  guint number;
  Facts facts;
} Reading;

static void
reading_free (gpointer data)
{
  Reading *reading = data;

  g_object_unref (reading->lora);
  g_clear_object (&reading->model);
  g_free (reading->name);
  g_free (reading->hash);
  facts_clear (&reading->facts);
  g_free (reading);
}

/* Texts in files may be anything. */
static char *
dup_text (const char *text)
{
  return text ? g_utf8_make_valid (text, -1) : NULL;
}

/* The picture that other programs keep beside a file. */
static char *
find_picture (const char *path)
{
  static const char *const endings[] = { ".png",  ".preview.png",  ".jpg",  ".preview.jpg",
                                         ".jpeg", ".preview.jpeg", ".webp", ".preview.webp" };
  g_autofree char *stem = g_strdup (path);
  char *dot = strrchr (stem, '.');

  if (dot && strchr (dot, '/') == NULL)
    *dot = '\0';
  for (guint i = 0; i < G_N_ELEMENTS (endings); i++)
    {
      g_autofree char *picture = g_strconcat (stem, endings[i], NULL);

      if (g_file_test (picture, G_FILE_TEST_IS_REGULAR))
        return g_steal_pointer (&picture);
    }
  return NULL;
}

static void
add_words (GPtrArray *words, const char *text)
{
  g_auto (GStrv) each = text ? g_strsplit (text, ",", MOST_WORDS * 2) : NULL;

  for (guint i = 0; each && each[i] && words->len < MOST_WORDS; i++)
    {
      g_autofree char *word = g_strstrip (g_utf8_make_valid (each[i], -1));

      if (*word && !g_ptr_array_find_with_equal_func (words, word, g_str_equal, NULL))
        g_ptr_array_add (words, g_steal_pointer (&word));
    }
}

static void
take_facts (Facts *facts, const SlAdapter *adapter)
{
  SlAdapterFacts said;
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  char trained[2000];

  sl_adapter_facts (adapter, &said);
  facts->kinds = g_strdup (said.kinds);
  facts->base = said.base;
  facts->made_over = dup_text (said.base_model);
  facts->title = dup_text (said.title);
  facts->rank_min = said.rank_min;
  facts->rank_max = said.rank_max;
  facts->modules = said.modules;
  add_words (words, said.trigger);
  sl_adapter_words (adapter, MOST_WORDS, trained, sizeof trained);
  add_words (words, trained);
  g_ptr_array_add (words, NULL);
  facts->words = (char **)g_ptr_array_steal (words, NULL);
}

static void
match (Facts *facts, const SlAdapter *adapter, SlModelItem *model)
{
  SlError err = { 0 };
  SlAdapterCounts counts;

  facts->state = SL_LORA_FITS;
  facts->matched = facts->modules;
  if (model == NULL)
    return;
  if (!sl_model_info_adapter (_sl_model_item_get_info (model), adapter, &counts, &err))
    {
      facts->state = SL_LORA_UNFIT;
      facts->problem = g_strdup (err.message);
    }
  facts->matched = counts.matched;
}

static void
reading_run (gpointer data)
{
  Reading *reading = data;
  Facts *facts = &reading->facts;
  SlError err = { 0 };
  char *path = sl_lora_find (reading->name, reading->hash, &err);
  SlAdapter *adapter = path ? sl_adapter_open (path, &err) : NULL;

  facts->path = g_strdup (path);
  facts->picture = path ? find_picture (path) : NULL;
  if (adapter)
    {
      take_facts (facts, adapter);
      match (facts, adapter, reading->model);
    }
  else
    {
      facts->state = path ? SL_LORA_UNREADABLE : SL_LORA_MISSING;
      facts->problem = g_strdup (err.message);
    }
  sl_adapter_close (adapter);
  free (path);
}

static void
reading_done (gpointer data)
{
  Reading *reading = data;
  SlLora *self = reading->lora;

  if (reading->number != self->readings)
    return;
  facts_clear (&self->facts);
  self->facts = reading->facts;
  reading->facts = (Facts){ .state = SL_LORA_READING };
  g_signal_emit (self, signals[READ], 0);
}

void
sl_lora_read (SlLora *self, SlThreadQueue *files, SlModelItem *model)
{
  Reading *reading = g_new0 (Reading, 1);

  reading->lora = g_object_ref (self);
  reading->model = model ? g_object_ref (model) : NULL;
  reading->name = g_strdup (self->use->name);
  reading->hash = g_strdup (self->use->hash);
  reading->number = ++self->readings;
  sl_thread_queue_push (files, FALSE, reading_run, reading_done, reading, reading_free);
}

/* ---- what it says ---- */

const char *
sl_lora_get_name (SlLora *self)
{
  return self->name;
}

SlLoraState
sl_lora_get_state (SlLora *self)
{
  return self->facts.state;
}

const char *
sl_lora_get_problem (SlLora *self)
{
  return self->facts.problem;
}

const char *
sl_lora_get_path (SlLora *self)
{
  return self->facts.path;
}

const char *
sl_lora_get_picture (SlLora *self)
{
  return self->facts.picture;
}

const char *
sl_lora_get_kinds (SlLora *self)
{
  return self->facts.kinds;
}

const char *
sl_lora_get_base (SlLora *self)
{
  return self->facts.base;
}

const char *
sl_lora_get_made_over (SlLora *self)
{
  return self->facts.made_over;
}

const char *
sl_lora_get_title (SlLora *self)
{
  return self->facts.title;
}

void
sl_lora_get_ranks (SlLora *self, int *min, int *max)
{
  *min = self->facts.rank_min;
  *max = self->facts.rank_max;
}

const char *const *
sl_lora_get_words (SlLora *self)
{
  static const char *const none[] = { NULL };

  return self->facts.words ? (const char *const *)self->facts.words : none;
}

int
sl_lora_get_modules (SlLora *self)
{
  return self->facts.modules;
}

int
sl_lora_get_matched (SlLora *self)
{
  return self->facts.matched;
}

/* ---- how strong it is ---- */

double
sl_lora_get_strength (SlLora *self)
{
  return self->use->unet;
}

double
sl_lora_get_text_strength (SlLora *self)
{
  return self->use->text;
}

void
sl_lora_get_range (SlLora *self, double *from, double *to)
{
  *from = self->use->from;
  *to = self->use->to;
}

const char *
sl_lora_get_curve (SlLora *self)
{
  return self->curve;
}

const SlAdapterUse *
_sl_lora_get_use (SlLora *self)
{
  return self->use;
}

static char *
curve_text (const SlAdapterUse *use)
{
  GString *text = g_string_new (NULL);

  for (int i = 0; i < use->points; i++)
    g_string_append_printf (text, "%s%s:%s", i ? "," : "", sl_strength_text (use->point[i].at).text,
                            sl_strength_text (use->point[i].factor).text);
  return g_string_free (text, FALSE);
}

static gboolean
same_strengths (const SlAdapterUse *a, const SlAdapterUse *b)
{
  gboolean same = a->unet == b->unet && a->text == b->text && a->from == b->from && a->to == b->to
                  && a->points == b->points;

  for (int i = 0; same && i < a->points; i++)
    same = a->point[i].at == b->point[i].at && a->point[i].factor == b->point[i].factor;
  return same;
}

static char *
name_of (const char *said)
{
  g_autofree char *name = g_path_get_basename (said);
  if (g_str_has_suffix (name, ".safetensors"))
    name[strlen (name) - strlen (".safetensors")] = '\0';
  return g_utf8_make_valid (name, -1);
}

gboolean
_sl_lora_set_use (SlLora *self, const SlAdapterUse *use)
{
  if (g_str_equal (self->use->name, use->name) && g_str_equal (self->use->hash, use->hash)
      && same_strengths (self->use, use))
    return FALSE;
  *self->use = *use;
  g_free (self->name);
  g_free (self->curve);
  self->name = name_of (use->name);
  self->curve = curve_text (use);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_NAME]);
  g_signal_emit (self, signals[CHANGED], 0);
  return TRUE;
}

SlLora *
_sl_lora_new_use (const SlAdapterUse *use)
{
  SlLora *self = g_object_new (SL_TYPE_LORA, NULL);

  _sl_lora_set_use (self, use);
  return self;
}

SlLora *
sl_lora_new (const char *path)
{
  g_autofree SlAdapterUse *use = g_new0 (SlAdapterUse, 1);

  use->unet = use->text = use->to = 1;
  g_strlcpy (use->name, path, sizeof use->name);
  return _sl_lora_new_use (use);
}

/* ---- class ---- */

static void
sl_lora_finalize (GObject *object)
{
  SlLora *self = SL_LORA (object);

  facts_clear (&self->facts);
  g_free (self->use);
  g_free (self->name);
  g_free (self->curve);
  G_OBJECT_CLASS (sl_lora_parent_class)->finalize (object);
}

static void
sl_lora_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  switch (prop_id)
    {
    case PROP_NAME:
      g_value_set_string (value, SL_LORA (object)->name);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
sl_lora_class_init (SlLoraClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = sl_lora_finalize;
  object_class->get_property = sl_lora_get_property;
  properties[PROP_NAME]
      = g_param_spec_string ("name", NULL, NULL, NULL, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  signals[READ] = g_signal_new ("read", SL_TYPE_LORA, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[CHANGED]
      = g_signal_new ("changed", SL_TYPE_LORA, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
sl_lora_init (SlLora *self)
{
  self->use = g_new0 (SlAdapterUse, 1);
  self->name = g_strdup ("");
  self->curve = g_strdup ("");
}
