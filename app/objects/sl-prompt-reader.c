/* sl-prompt-reader.c - see sl-prompt-reader.h.
 *
 * Easy to get wrong: the engine counts bytes, text views characters; and what is not in a word is a sign of the
 * language, but in plain text, where there are none.
 */
#include "app/objects/sl-prompt-reader.h"

#include <string.h>

#include "app/files/files.h"
#include "app/objects/sl-dynamic.h"
#include "app/objects/sl-model-item-private.h"
#include "app/objects/sl-settings-private.h"
#include "app/objects/sl-thread-queue.h"
#include "app/recipe/recipe.h"

struct _SlPromptReader
{
  GObject parent_instance;
  SlThreadQueue *queue; /* NULL: closed */
  SlModelItem *model;
  char *folder;
  guint dynamic;
  char **names[SL_PROMPT_N_NAMES];

  /* The queue's thread alone. */
  SlModelItem *opened; /* that the tokenizer is of */
  SlTokenizer *tokenizer;
};

G_DEFINE_FINAL_TYPE (SlPromptReader, sl_prompt_reader, G_TYPE_OBJECT)

enum
{
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

enum
{
  PROP_DYNAMIC = 1,
};

/* ---- a reading ---- */

int
sl_prompt_reading_chunk_at (const SlPromptReading *self, int offset, int *tokens)
{
  int chunk = 0;

  for (guint i = 0; i < self->words->len; i++)
    {
      const SlPromptWord *word = &g_array_index (self->words, SlPromptWord, i);

      if (word->begin <= offset)
        chunk = word->chunk;
    }
  *tokens = 0;
  for (guint i = 0; i < self->words->len; i++)
    if (g_array_index (self->words, SlPromptWord, i).chunk == chunk)
      *tokens += g_array_index (self->words, SlPromptWord, i).tokens;
  return chunk;
}

typedef struct
{
  SlPromptReader *reader;
  SlModelItem *model;
  char *text;
  char *lora, *embedding; /* the recipe's */
  char *folder;
  gboolean dynamic;
  guint64 seed;
  char *drawn; /* the prompt of a template */
  SlPromptAsk ask;
  SlTokenRules rules;
  SlPromptReading reading;
  SlPromptRead read;
  GWeakRef user_data;
} Task;

static void
task_free (gpointer data)
{
  Task *task = data;

  g_clear_object (&task->reader);
  g_clear_object (&task->model);
  g_free (task->text);
  g_free (task->lora);
  g_free (task->embedding);
  g_free (task->folder);
  free (task->drawn);
  g_free (task->reading.problem);
  g_array_unref (task->reading.ranges);
  g_array_unref (task->reading.words);
  g_weak_ref_clear (&task->user_data);
  g_free (task);
}

static void
add_range (Task *task, SlPromptMark mark, int begin, int end)
{
  const SlPromptRange range = { mark, begin, end };

  if (end > begin)
    g_array_append_val (task->reading.ranges, range);
}

/* The model's tokenizer; NULL where it has none that can be read. */
static const SlTokenizer *
need_tokenizer (Task *task)
{
  static const char *const parts[] = { "tokenizer", "tokenizer_2" };
  SlPromptReader *self = task->reader;
  SlError err;

  if (self->opened != task->model)
    {
      sl_tokenizer_close (self->tokenizer);
      self->tokenizer = NULL;
      g_set_object (&self->opened, task->model);
      for (guint i = 0; task->model && self->tokenizer == NULL && i < G_N_ELEMENTS (parts); i++)
        self->tokenizer
            = sl_model_open_tokenizer (_sl_model_item_get_info (task->model), parts[i], NULL, &err);
    }
  return self->tokenizer ? sl_tokenizer_as (self->tokenizer, task->rules) : NULL;
}

/* chars: of each byte of the text, and its end, the number of characters before it. */
static void
take_spans (Task *task, const SlPromptSpans *spans, const int *chars)
{
  gboolean plain = task->ask.mode == SL_PROMPT_PLAIN;
  int count = 0, last = 0;

  for (int i = 0; i < spans->spans; i++)
    {
      const SlPromptSpan *span = &spans->span[i];
      int begin = chars[span->begin], end = chars[span->end];
      const SlPromptWord word = { begin, plain ? 0 : span->chunk, span->tokens };

      g_array_append_val (task->reading.words, word);
      count += span->tokens;
      if (plain && count > spans->limit)
        add_range (task, SL_PROMPT_UNUSED, begin, end);
      if (span->weight != 1)
        add_range (task, span->weight > 1 ? SL_PROMPT_STRONGER : SL_PROMPT_WEAKER, begin, end);
      if (!plain)
        add_range (task, SL_PROMPT_SIGNS, last, begin);
      last = MAX (last, end);
    }
  if (!plain)
    add_range (task, SL_PROMPT_SIGNS, last, chars[strlen (task->text)]);
}

/* A textual inversion takes as many tokens as it has vectors. */
static gboolean
read_spans (Task *task, const SlTokenizer *tokenizer, SlPromptSpans *spans)
{
  static const SlEmbeddingPlaces places
      = { .find = sl_embedding_find, .find_adapter = sl_lora_find, .list = sl_embeddings_each };
  const SlRecipe recipe = { .prompt = task->ask.text,
                            .negative_prompt = "",
                            .prompt_mode = (int)task->ask.mode,
                            .steps = task->ask.evaluations,
                            .lora = task->lora,
                            .embedding = task->embedding };
  SlNamedVectors names;
  SlError err;
  gboolean ok = sl_recipe_embeddings (&recipe, &places, &names, &err)
                && sl_prompt_spans (&task->ask, tokenizer, &names, spans, &err);

  sl_named_vectors_free (&names);
  return ok;
}

static void
count (Task *task, const int *chars)
{
  const SlTokenizer *tokenizer = need_tokenizer (task);
  SlPromptSpans spans;

  if (tokenizer == NULL || !read_spans (task, tokenizer, &spans))
    return;
  task->reading.counted = TRUE;
  task->reading.tokens = spans.tokens;
  task->reading.limit = spans.limit;
  task->reading.unused = spans.dropped;
  task->reading.chunks = spans.chunks;
  if (task->drawn == NULL)
    take_spans (task, &spans, chars);
  sl_prompt_spans_free (&spans);
}

static void
find_faults (Task *task, const SlPrompt *prompt, const int *chars)
{
  for (int i = 0; i < prompt->faults; i++)
    {
      int at = chars[prompt->fault[i].at];

      add_range (task, SL_PROMPT_FAULTY, at, at + 1);
      if (task->reading.fault)
        continue;
      task->reading.fault = sl_prompt_fault_text (prompt->fault[i].fault);
      task->reading.fault_at = at;
    }
}

/* Of a template the prompt that the seed draws is read; FALSE and a problem where it cannot be made. */
static gboolean
draw (Task *task)
{
  SlTemplate *t = NULL;
  SlError err;
  char **folders;

  if (!task->dynamic || !(strchr (task->text, '{') || sl_template_has_choices (task->text)))
    return TRUE;
  folders = sl_folders_named ("wildcards", task->folder);
  t = sl_template_read (task->text, (const char *const *)folders, &err);
  sl_strings_free (folders);
  if (t)
    {
      task->reading.prompts = sl_template_count (t);
      task->drawn = sl_template_draw (t, task->seed, task->ask.negative, &err);
      task->ask.text = task->drawn;
    }
  sl_template_free (t);
  if (task->drawn == NULL)
    task->reading.problem = g_strdup (err.message);
  return task->drawn != NULL;
}

/* Braces with a choice, or a wildcard. */
static gboolean
looks_like_template (const char *text)
{
  const char *brace = strchr (text, '{');

  return sl_template_has_choices (text) && ((brace && strchr (brace, '|')) || strstr (text, "__"));
}

static void
task_run (gpointer data)
{
  Task *task = data;
  gsize length = strlen (task->text);
  g_autofree int *chars = g_new (int, length + 1);
  SlPrompt *prompt;
  SlError err;
  int before = -1;

  for (gsize i = 0; i <= length; i++)
    chars[i] = before += ((guchar)task->text[i] & 0xC0) != 0x80;
  if (!draw (task))
    return;
  prompt = sl_prompt_read (&task->ask, &err);
  if (prompt == NULL)
    {
      task->reading.problem = g_strdup (err.message);
      return;
    }
  count (task, chars);
  if (task->drawn == NULL)
    find_faults (task, prompt, chars);
  task->reading.plain_choices = !task->dynamic && looks_like_template (task->text);
  task->reading.plain_weights = task->ask.mode == SL_PROMPT_PLAIN
                                && (sl_prompt_has_weights (task->text) || strstr (task->text, "<lora:"));
  sl_prompt_free (prompt);
}

static void
task_done (gpointer data)
{
  Task *task = data;
  g_autoptr (GObject) user_data = g_weak_ref_get (&task->user_data);

  if (user_data && task->reader->queue)
    task->read (&task->reading, user_data);
}

/* ---- names ---- */

typedef struct
{
  SlPromptReader *reader;
  char *preferred;
  char **names[SL_PROMPT_N_NAMES];
} Look;

static void
look_free (gpointer data)
{
  Look *look = data;

  g_clear_object (&look->reader);
  g_free (look->preferred);
  for (guint i = 0; i < SL_PROMPT_N_NAMES; i++)
    g_strfreev (look->names[i]);
  g_free (look);
}

static gboolean
add_name (gpointer name, gpointer value, gpointer names)
{
  g_strv_builder_add (names, name);
  return FALSE;
}

static int
compare (gconstpointer a, gconstpointer b, gpointer unused)
{
  return g_utf8_collate (a, b);
}

/* The names that a prompt can have of these files: without folder and ending, in the order of the alphabet. Frees all. */
static char **
list_names (char **all)
{
  static const char ending[] = ".safetensors";
  g_autoptr (GTree) found = g_tree_new_full (compare, NULL, g_free, NULL);
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();

  for (char **path = all; path && *path; path++)
    {
      char *name = g_path_get_basename (*path);

      if (g_str_has_suffix (name, ending))
        name[strlen (name) - strlen (ending)] = '\0';
      if (g_utf8_validate (name, -1, NULL))
        g_tree_insert (found, name, NULL);
      else
        g_free (name);
    }
  sl_strings_free (all);
  g_tree_foreach (found, add_name, names);
  return g_strv_builder_end (names);
}

static void
look_run (gpointer data)
{
  Look *look = data;

  sl_lora_look_in (look->preferred);
  sl_embeddings_look_in (look->preferred);
  look->names[SL_PROMPT_LORAS] = list_names (sl_loras_list ());
  look->names[SL_PROMPT_EMBEDDINGS] = list_names (sl_embeddings_list ());
}

static void
look_done (gpointer data)
{
  Look *look = data;

  for (guint i = 0; i < SL_PROMPT_N_NAMES; i++)
    {
      g_strfreev (look->reader->names[i]);
      look->reader->names[i] = g_steal_pointer (&look->names[i]);
    }
}

void
sl_prompt_reader_set_folder (SlPromptReader *self, const char *preferred)
{
  Look *look;

  g_free (self->folder);
  self->folder = g_strdup (preferred);
  if (self->queue == NULL)
    return;
  look = g_new0 (Look, 1);
  look->reader = g_object_ref (self);
  look->preferred = g_strdup (preferred);
  sl_thread_queue_push (self->queue, FALSE, look_run, look_done, look, look_free);
}

const char *const *
sl_prompt_reader_get_names (SlPromptReader *self, SlPromptNames kind)
{
  static const char *const none[] = { NULL };

  return self->names[kind] ? (const char *const *)self->names[kind] : none;
}

/* ---- reading ---- */

gboolean
sl_prompt_reader_has_modes (SlPromptReader *self)
{
  const SlModelInfo *info = self->model ? _sl_model_item_get_info (self->model) : NULL;

  return sl_setting_exists (sl_setting (SL_SETTING_PROMPT_MODE), info, NULL);
}

void
sl_prompt_reader_set_model (SlPromptReader *self, SlModelItem *model)
{
  if (g_set_object (&self->model, model))
    g_signal_emit (self, signals[CHANGED], 0);
}

void
sl_prompt_reader_read (SlPromptReader *self,
                       const char *text,
                       gboolean negative,
                       SlSettings *settings,
                       SlPromptRead read,
                       GObject *user_data)
{
  SlRecipe recipe;
  Task *task;

  if (self->queue == NULL)
    return;
  _sl_settings_get_recipe (settings, &recipe);
  task = g_new0 (Task, 1);
  task->reader = g_object_ref (self);
  if (self->model)
    task->model = g_object_ref (self->model);
  task->text = g_strdup (text);
  task->lora = g_strdup (recipe.lora);
  task->embedding = g_strdup (recipe.embedding);
  task->folder = g_strdup (self->folder);
  task->dynamic = self->dynamic != SL_DYNAMIC_OFF;
  task->seed = recipe.seed;
  task->ask = (SlPromptAsk){ .mode = sl_prompt_reader_has_modes (self) ? (SlPromptMode)recipe.prompt_mode
                                                                       : SL_PROMPT_PLAIN,
                             .text = task->text,
                             .negative = negative,
                             .evaluations = MAX (recipe.steps, 1),
                             .emphasis = (SlEmphasis)recipe.emphasis };
  task->rules = (SlTokenRules)recipe.tokenizer;
  task->reading.ranges = g_array_new (FALSE, FALSE, sizeof (SlPromptRange));
  task->reading.words = g_array_new (FALSE, FALSE, sizeof (SlPromptWord));
  task->read = read;
  g_weak_ref_init (&task->user_data, user_data);
  sl_thread_queue_push (self->queue, FALSE, task_run, task_done, task, task_free);
}

/* ---- class ---- */

void
sl_prompt_reader_close (SlPromptReader *self)
{
  SlThreadQueue *queue = g_steal_pointer (&self->queue);

  if (queue)
    sl_thread_queue_close (queue);
}

static void
sl_prompt_reader_get_property (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  g_value_set_uint (value, SL_PROMPT_READER (object)->dynamic);
}

static void
sl_prompt_reader_set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  SlPromptReader *self = SL_PROMPT_READER (object);

  if (self->dynamic == g_value_get_uint (value))
    return;
  self->dynamic = g_value_get_uint (value);
  g_object_notify_by_pspec (object, spec);
  g_signal_emit (self, signals[CHANGED], 0);
}

static void
sl_prompt_reader_dispose (GObject *object)
{
  SlPromptReader *self = SL_PROMPT_READER (object);

  sl_prompt_reader_close (self);
  g_clear_object (&self->model);
  g_clear_object (&self->opened);
  G_OBJECT_CLASS (sl_prompt_reader_parent_class)->dispose (object);
}

static void
sl_prompt_reader_finalize (GObject *object)
{
  SlPromptReader *self = SL_PROMPT_READER (object);

  for (guint i = 0; i < SL_PROMPT_N_NAMES; i++)
    g_strfreev (self->names[i]);
  g_free (self->folder);
  sl_tokenizer_close (self->tokenizer);
  G_OBJECT_CLASS (sl_prompt_reader_parent_class)->finalize (object);
}

static void
sl_prompt_reader_class_init (SlPromptReaderClass *klass)
{
  G_OBJECT_CLASS (klass)->get_property = sl_prompt_reader_get_property;
  G_OBJECT_CLASS (klass)->set_property = sl_prompt_reader_set_property;
  G_OBJECT_CLASS (klass)->dispose = sl_prompt_reader_dispose;
  G_OBJECT_CLASS (klass)->finalize = sl_prompt_reader_finalize;
  g_object_class_install_property (
      G_OBJECT_CLASS (klass), PROP_DYNAMIC,
      g_param_spec_uint ("dynamic", NULL, NULL, SL_DYNAMIC_OFF, SL_DYNAMIC_ALL, SL_DYNAMIC_OFF,
                         G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY));
  signals[CHANGED] = g_signal_new ("changed", SL_TYPE_PROMPT_READER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                   G_TYPE_NONE, 0);
}

static void
sl_prompt_reader_init (SlPromptReader *self)
{
  self->queue = sl_thread_queue_new ("prompts");
}

SlPromptReader *
sl_prompt_reader_new (void)
{
  return g_object_new (SL_TYPE_PROMPT_READER, NULL);
}
