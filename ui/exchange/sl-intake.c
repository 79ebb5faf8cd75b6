/* sl-intake.c - see sl-intake.h. */
#include "ui/exchange/sl-intake.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ui/exchange/sl-opening.h"
#include "ui/widgets/sl-notice.h"

#define PASTE_MAX_BYTES ((gsize)64 << 20)

struct _SlIntake
{
  GObject parent_instance;
  SlWorkspace *workspace;
  GtkWidget *widget; /* not held: it holds the intake */
  gboolean comparisons_first;
  GPtrArray *waiting; /* of char **: paths that were opened together before the models were found */
};

G_DEFINE_FINAL_TYPE (SlIntake, sl_intake, G_TYPE_OBJECT)

enum
{
  COMPARISON,
  PICTURE,
  SEVERAL,
  MADE_OF,
  HINT,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* ---- settings ---- */

/* The model by its path or name; a note when it is not here. */
static void
take_model (SlIntake *self, const char *model, GString *notes)
{
  SlModelStore *models = self->workspace->models;
  g_autofree char *name = model ? g_path_get_basename (model) : NULL;
  guint position = model ? sl_model_store_find (models, model) : G_MAXUINT;

  if (position == G_MAXUINT && name)
    position = sl_model_store_find (models, name);
  if (position != G_MAXUINT)
    sl_workspace_want_model (self->workspace, position);
  else if (model)
    g_string_append_printf (notes, _ ("The model “%s” is not here; the chosen one stays.\n"), model);
}

/* All of them or none: they must fit the model. */
static void
take_settings (SlIntake *self, const SlRestored *restored)
{
  g_autoptr (GString) notes = g_string_new ("");
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  g_autofree char *difference = NULL;

  take_model (self, restored->model, notes);
  if (restored->parts)
    sl_workspace_want_parts (self->workspace, (const char *const *)restored->parts);
  else if (restored->missing)
    g_string_append_printf (notes, _ ("A part of the model is not here: %s.\n"), restored->missing);
  if (self->workspace->model && !sl_model_item_check (self->workspace->model, restored->settings, &error))
    {
      sl_notice_alert (self->widget, _ ("These settings do not fit the model"), error->message);
      return;
    }
  sl_workspace_take_settings (self->workspace, restored->settings);
  if (restored->notes)
    g_string_append (notes, restored->notes);
  difference = sl_workspace_dup_difference (self->workspace, restored->computed);
  /* The common text has the name of its place in a PNG: people know it by the program that began it. */
  text = g_strdup_printf (_ ("Settings taken from %s"),
                          g_str_equal (restored->source, "parameters") ? "AUTOMATIC1111" : restored->source);
  if (notes->len > 0)
    sl_notice_alert (self->widget, text, g_strstrip (notes->str));
  else
    sl_notice_toast (self->widget, text);
  if (difference)
    sl_notice_toast (self->widget, difference);
}

static void
restored (const SlRestored *restored, const GError *error, gpointer user_data)
{
  g_autoptr (SlIntake) self = user_data;

  if (self->workspace->closed)
    return;
  if (error)
    sl_notice_alert (self->widget, _ ("No settings could be read"), error->message);
  else if (restored->settings == NULL)
    sl_notice_alert (self->widget, _ ("The settings were not taken"), restored->problems);
  else
    take_settings (self, restored);
}

/* The picture is shown: where it says nothing of how it was made, that is no reason to stop somebody. */
static void
restored_shown (const SlRestored *restored_, const GError *error, gpointer user_data)
{
  SlIntake *self = user_data;

  if (error == NULL)
    {
      restored (restored_, NULL, self);
      return;
    }
  if (!self->workspace->closed)
    sl_notice_toast (self->widget, _ ("It holds no settings that can be read: the chosen ones stay"));
  g_object_unref (self);
}

/* ---- pictures of ours that show several lanes, or their development ---- */

/* A picture that is opened, or whose settings alone are wanted. */
typedef struct
{
  SlIntake *intake;
  char *path;
  gboolean shown;
} Taking;

/* What its lanes have in common is the recipe's; of a single run that is all of it. */
static void
take_recipe (SlIntake *self, SlComparisonRecipe *recipe)
{
  g_autoptr (GString) notes = g_string_new ("");
  SlSettings *first = sl_comparison_recipe_get_settings (recipe, 0);
  g_autoptr (GError) error = NULL;
  g_autofree char *difference = NULL;

  take_model (self, sl_comparison_recipe_get_model (recipe), notes);
  if (self->workspace->model && !sl_model_item_check (self->workspace->model, first, &error))
    {
      sl_notice_alert (self->widget, _ ("These settings do not fit the model"), error->message);
      return;
    }
  sl_workspace_take_settings (self->workspace, first);
  if (notes->len > 0)
    sl_notice_alert (self->widget, _ ("Another model is chosen"), g_strstrip (notes->str));
  if (!sl_comparison_recipe_is_single (recipe))
    {
      g_signal_emit (self, signals[MADE_OF], 0, recipe); /* as it was computed */
      return;
    }
  if (notes->len == 0)
    sl_notice_toast (self->widget, _ ("Settings taken from the animation"));
  difference = sl_workspace_dup_difference (self->workspace, sl_comparison_recipe_get_computed (recipe, 0));
  if (difference)
    sl_notice_toast (self->widget, difference);
}

static void
show_recipe (SlIntake *self, const char *path, SlComparisonRecipe *recipe)
{
  guint lanes = sl_comparison_recipe_get_lanes (recipe);
  g_autofree char *name
      = !sl_comparison_recipe_is_animation (recipe) ? g_strdup_printf (
            ngettext ("Contact sheet of %u lane", "Contact sheet of %u lanes", lanes), lanes)
        : lanes > 1
            ? g_strdup_printf (ngettext ("Animation of %u lane", "Animation of %u lanes", lanes), lanes)
            : g_strdup (_ ("Animation of a run"));

  g_signal_emit (self, signals[PICTURE], 0, path, name, !sl_comparison_recipe_is_single (recipe));
}

static void
recipe_read (SlComparisonRecipe *recipe, const GError *error, gpointer user_data)
{
  Taking *taking = user_data;
  g_autoptr (SlIntake) self = taking->intake;
  g_autofree char *path = taking->path;
  gboolean shown = taking->shown;
  SlWorkspace *workspace = self->workspace;
  g_autofree char *models = g_settings_get_string (workspace->preferences, "models-folder");

  g_free (taking);
  if (workspace->closed)
    return;
  if (recipe && shown)
    show_recipe (self, path, recipe);
  else if (recipe)
    take_recipe (self, recipe);
  else
    {
      if (shown)
        g_signal_emit (self, signals[PICTURE], 0, path, NULL, FALSE);
      sl_reader_restore_file (workspace->files, path, models, workspace->recipe,
                              shown ? restored_shown : restored, g_object_ref (self));
    }
}

static void
take_picture (SlIntake *self, const char *path, gboolean shown)
{
  Taking *taking = g_new (Taking, 1);

  *taking = (Taking){ g_object_ref (self), g_strdup (path), shown };
  sl_comparison_recipe_read (self->workspace->files, path, recipe_read, taking);
}

void
sl_intake_take_settings (SlIntake *self, const char *path)
{
  if (!self->workspace->closed)
    take_picture (self, path, FALSE);
}

static void
take_data (SlIntake *self, GBytes *data)
{
  if (!self->workspace->closed)
    sl_reader_restore_data (self->workspace->files, data, self->workspace->recipe, restored,
                            g_object_ref (self));
}

/* ---- files ---- */

/* Files that are opened together, or one. What there is to say of them is said when all are there. */
typedef struct
{
  SlIntake *intake;
  guint open;          /* files on their way, and whoever opens them */
  guint models;        /* that were opened: the first one is chosen */
  GPtrArray *names;    /* of LoRAs and embeddings that were added */
  char *added;         /* a sentence about the last of these */
  const char *heading; /* of the last problem */
  GPtrArray *problems; /* sentences */
} Batch;

static Batch *
batch_new (SlIntake *self)
{
  Batch *batch = g_new0 (Batch, 1);

  batch->intake = g_object_ref (self);
  batch->open = 1;
  batch->names = g_ptr_array_new_with_free_func (g_free);
  batch->problems = g_ptr_array_new_with_free_func (g_free);
  return batch;
}

static Batch *
batch_enter (Batch *batch)
{
  batch->open++;
  return batch;
}

static char *
join (GPtrArray *texts, const char *separator)
{
  g_ptr_array_add (texts, NULL);
  return g_strjoinv (separator, (char **)texts->pdata);
}

static void
batch_report (Batch *batch)
{
  GtkWidget *widget = batch->intake->widget;
  guint problems = batch->problems->len, names = batch->names->len;
  g_autofree char *all_problems = join (batch->problems, "\n\n");
  g_autofree char *all_names = join (batch->names, ", ");
  g_autofree char *text = NULL;

  if (problems > 0)
    sl_notice_alert (widget, problems > 1 ? _ ("Not everything was opened") : batch->heading, all_problems);
  if (names > 1)
    text = g_strdup_printf (_ ("Added: %s"), all_names);
  if (names > 0)
    sl_notice_toast (widget, text ? text : batch->added);
  if (batch->models > 1)
    {
      g_autofree char *more = g_strdup_printf (
          ngettext ("%u more model is in the list", "%u more models are in the list", batch->models - 1),
          batch->models - 1);

      sl_notice_toast (widget, more);
    }
}

static void
batch_leave (Batch *batch)
{
  if (--batch->open > 0)
    return;
  if (!batch->intake->workspace->closed)
    batch_report (batch);
  g_ptr_array_unref (batch->names);
  g_ptr_array_unref (batch->problems);
  g_free (batch->added);
  g_object_unref (batch->intake);
  g_free (batch);
}

static void
note_problem (Batch *batch, const char *heading, const char *sentence)
{
  batch->heading = heading;
  g_ptr_array_add (batch->problems, g_strdup (sentence));
}

/* Takes the sentence. */
static void
note_added (Batch *batch, char *sentence, const char *name)
{
  g_free (batch->added);
  batch->added = sentence;
  g_ptr_array_add (batch->names, g_strdup (name));
}

/* Each one that was chosen would be loaded. */
static void
model_opened (SlModelItem *item, const GError *error, gpointer user_data)
{
  Batch *batch = user_data;
  SlWorkspace *workspace = batch->intake->workspace;

  if (error)
    note_problem (batch, _ ("This is not a model that can be opened"), error->message);
  else if (batch->models++ == 0 && !workspace->closed)
    sl_workspace_want_model (workspace,
                             sl_model_store_find (workspace->models, sl_model_item_get_path (item)));
  batch_leave (batch);
}

static void
open_model (Batch *batch, const char *path)
{
  sl_model_store_open (batch->intake->workspace->models, path, model_opened, batch_enter (batch));
}

/* A .safetensors file is a LoRA, an embedding or a model. */
typedef struct
{
  Batch *batch;
  char *path;
} Weights;

static Weights *
weights_new (Batch *batch, const char *path)
{
  Weights *weights = g_new (Weights, 1);

  *weights = (Weights){ batch_enter (batch), g_strdup (path) };
  return weights;
}

static void
weights_free (Weights *weights)
{
  batch_leave (weights->batch);
  g_free (weights->path);
  g_free (weights);
}

/* Behind those that the recipe has; one that it has already stays where it is. */
static void
add_embedding (Batch *batch, const SlEmbeddingAnswer *answer)
{
  SlSettings *recipe = batch->intake->workspace->recipe;
  g_autofree char *embeddings = NULL;
  g_autofree char *more = NULL;

  g_object_get (recipe, "embedding", &embeddings, NULL);
  if (embeddings == NULL || strstr (embeddings, answer->use) == NULL)
    {
      more = embeddings && *embeddings ? g_strjoin ("; ", embeddings, answer->use, NULL)
                                       : g_strdup (answer->use);
      g_object_set (recipe, "embedding", more, NULL);
    }
  note_added (batch, g_strdup_printf (_ ("Added the embedding: “%s” stands for it in prompts"), answer->word),
              answer->word);
}

static void
embedding_answered (const SlEmbeddingAnswer *answer, gpointer user_data)
{
  Weights *weights = user_data;
  Batch *batch = weights->batch;

  if (!batch->intake->workspace->closed && !answer->is_embedding)
    open_model (batch, weights->path);
  else if (answer->error)
    note_problem (batch, _ ("This cannot be used as an embedding"), answer->error->message);
  else if (!batch->intake->workspace->closed)
    add_embedding (batch, answer);
  weights_free (weights);
}

static void
open_embedding (Batch *batch, const char *path)
{
  sl_embedding_file_look (batch->intake->workspace->files, path, embedding_answered,
                          weights_new (batch, path));
}

static void
lora_answered (const SlLoraAnswer *answer, gpointer user_data)
{
  Weights *weights = user_data;
  Batch *batch = weights->batch;

  if (!batch->intake->workspace->closed && !answer->is_lora)
    open_embedding (batch, weights->path);
  else if (answer->error)
    note_problem (batch, _ ("This cannot be used as a LoRA"), answer->error->message);
  else
    note_added (batch, g_strdup_printf (_ ("Added the LoRA “%s”"), sl_lora_get_name (answer->lora)),
                sl_lora_get_name (answer->lora));
  weights_free (weights);
}

static void
open_weights (Batch *batch, const char *path)
{
  sl_lora_list_add (batch->intake->workspace->loras, path, lora_answered, weights_new (batch, path));
}

static void
open_one (Batch *batch, const char *path)
{
  SlIntake *self = batch->intake;

  switch (sl_opening_kind (path))
    {
    case SL_OPENING_COMPARISON:
      g_signal_emit (self, signals[COMPARISON], 0, path);
      break;
    case SL_OPENING_PICTURE:
      take_picture (self, path, TRUE);
      break;
    case SL_OPENING_WEIGHTS:
      open_weights (batch, path);
      break;
    case SL_OPENING_EMBEDDING:
      open_embedding (batch, path);
      break;
    case SL_OPENING_MODEL:
    case SL_OPENING_OTHER: /* which says what it is instead */
      open_model (batch, path);
      break;
    }
}

static void
open_several (Batch *batch, const char *const *paths)
{
  g_auto (SlOpening) opening;
  g_autofree char *text = NULL;

  sl_opening_init (&opening, paths);
  for (guint i = 0; i < opening.others->len; i++)
    open_one (batch, opening.others->pdata[i]);
  text = sl_opening_dup_text (&opening);
  if (opening.pictures->len == 1)
    open_one (batch, opening.pictures->pdata[0]);
  if (opening.pictures->len > 1) /* what there is to say is said with what comes of them */
    g_signal_emit (batch->intake, signals[SEVERAL], 0, opening.pictures, text);
  else if (text)
    note_problem (batch, _ ("Not everything was opened"), text);
}

static void
open_now (SlIntake *self, const char *const *paths)
{
  Batch *batch = batch_new (self);

  if (paths[0] && paths[1])
    open_several (batch, paths);
  else if (paths[0])
    open_one (batch, paths[0]);
  batch_leave (batch);
}

/* After the window has chosen the model of the last time, so that one that was opened stays. */
static void
models_scanned (SlIntake *self)
{
  g_autoptr (GPtrArray) waiting = g_steal_pointer (&self->waiting);

  self->waiting = g_ptr_array_new_with_free_func ((GDestroyNotify)g_strfreev);
  for (guint i = 0; i < waiting->len && !self->workspace->closed; i++)
    open_now (self, waiting->pdata[i]);
}

/* All that can be opened goes by the models that there are, so at the start it waits for them. */
void
sl_intake_open_all (SlIntake *self, const char *const *paths)
{
  if (self->workspace->closed)
    return;
  if (sl_model_store_is_scanned (self->workspace->models))
    open_now (self, paths);
  else
    g_ptr_array_add (self->waiting, g_strdupv ((char **)paths));
}

void
sl_intake_open (SlIntake *self, const char *path)
{
  sl_intake_open_all (self, (const char *const[]){ path, NULL });
}

static void
path_chosen (gpointer self, const char *path, const char *what)
{
  sl_intake_open (self, path);
}

static void
paths_chosen (gpointer self, const char *const *paths)
{
  sl_intake_open_all (self, paths);
}

#define PICTURES "*.png *.jpg *.jpeg *.jfif *.webp"
#define COMPARISONS "*" SL_COMPARISON_SUFFIX

void
sl_intake_set_comparisons_first (SlIntake *self, gboolean first)
{
  self->comparisons_first = first;
}

SlPathDialog
sl_intake_get_dialog (SlIntake *self)
{
  gboolean first = self->comparisons_first;

  return (SlPathDialog){ .from = self->widget,
                         .title
                         = first ? _ ("Open a Comparison or Pictures") : _ ("Open Pictures or a Comparison"),
                         .wants = SL_PATH_OPEN_SEVERAL,
                         .filter_name
                         = first ? _ ("Comparisons and Pictures") : _ ("Pictures and Comparisons"),
                         .pattern = first ? COMPARISONS " " PICTURES : PICTURES " " COMPARISONS };
}

static void
ask_for_picture (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  SlIntake *self = user_data;
  const SlPathDialog dialog = sl_intake_get_dialog (self);

  sl_path_dialog_show_several (&dialog, paths_chosen, G_OBJECT (self));
}

static void
ask_for_model_folder (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  SlIntake *self = user_data;
  const SlPathDialog dialog = { .from = self->widget, .title = _ ("Open a Model"), .wants = SL_PATH_FOLDER };

  sl_path_dialog_show (&dialog, path_chosen, G_OBJECT (self), NULL);
}

static void
ask_for_model_file (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  SlIntake *self = user_data;
  const SlPathDialog dialog = { .from = self->widget,
                                .title = _ ("Open Models"),
                                .wants = SL_PATH_OPEN_SEVERAL,
                                .filter_name = _ ("Models"),
                                .pattern = "*.safetensors *.gguf" };

  sl_path_dialog_show_several (&dialog, paths_chosen, G_OBJECT (self));
}

/* What happens when a file is dropped; for scripts and tests. */
static void
open_path (GSimpleAction *action, GVariant *parameter, gpointer self)
{
  sl_intake_open (self, g_variant_get_string (parameter, NULL));
}

/* The same of several. */
static void
open_paths (GSimpleAction *action, GVariant *parameter, gpointer self)
{
  g_autofree const char **paths = g_variant_get_strv (parameter, NULL);

  sl_intake_open_all (self, paths);
}

/* Those that this machine has as files. */
static char **
list_paths (GSList *files)
{
  g_autoptr (GStrvBuilder) paths = g_strv_builder_new ();

  for (; files; files = files->next)
    {
      g_autofree char *path = g_file_get_path (files->data);

      if (path)
        g_strv_builder_add (paths, path);
    }
  return g_strv_builder_end (paths);
}

static gboolean
open_file_list (SlIntake *self, GSList *files)
{
  g_auto (GStrv) paths = list_paths (files);

  sl_intake_open_all (self, (const char *const *)paths);
  return paths[0] != NULL;
}

/* ---- dropped and pasted ---- */

static void
say (SlIntake *self, const char *text, gboolean fits)
{
  g_signal_emit (self, signals[HINT], 0, text, fits);
}

static gboolean
dropped (SlIntake *self, const GValue *value)
{
  say (self, NULL, TRUE);
  if (G_VALUE_HOLDS (value, GDK_TYPE_FILE_LIST))
    return open_file_list (self, g_value_get_boxed (value));
  return FALSE;
}

void
sl_intake_hint (SlIntake *self, const char *const *paths)
{
  g_auto (SlOpening) opening = { NULL };

  if (paths == NULL)
    {
      say (self, _ ("Drop pictures, a comparison, a model, a LoRA or an embedding"), TRUE);
      return;
    }
  sl_opening_init (&opening, paths);
  say (self, sl_opening_hint (&opening), opening.pictures->len + opening.others->len > 0);
}

/* What is dragged is known a moment after it came over the window. */
static void
drag_changed (SlIntake *self, GParamSpec *pspec, GtkDropTarget *drop)
{
  const GValue *value = gtk_drop_target_get_value (drop);
  GSList *files = value && G_VALUE_HOLDS (value, GDK_TYPE_FILE_LIST) ? g_value_get_boxed (value) : NULL;
  g_auto (GStrv) paths = list_paths (files);

  if (paths[0])
    sl_intake_hint (self, (const char *const *)paths);
}

static GdkDragAction
drag_entered (SlIntake *self)
{
  sl_intake_hint (self, NULL);
  return GDK_ACTION_COPY;
}

static void
drag_left (SlIntake *self)
{
  say (self, NULL, TRUE);
}

/* A paste of bytes on their way: another program hands them over in pieces. */
typedef struct
{
  SlIntake *intake;
  guint8 *bytes; /* PASTE_MAX_BYTES; those that were not filled cost nothing */
} Paste;

static void
picture_pasted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Paste *paste = user_data;
  g_autoptr (SlIntake) self = paste->intake;
  gsize length = 0;
  gboolean read = g_input_stream_read_all_finish (G_INPUT_STREAM (source), result, &length, NULL);

  if (read && length > 0)
    {
      g_autoptr (GBytes) bytes = g_bytes_new (paste->bytes, length);

      take_data (self, bytes);
    }
  g_free (paste->bytes);
  g_free (paste);
}

static void
stream_pasted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (SlIntake) self = user_data;
  g_autoptr (GInputStream) stream = gdk_clipboard_read_finish (GDK_CLIPBOARD (source), result, NULL, NULL);
  guint8 *bytes = stream && !self->workspace->closed ? g_try_malloc (PASTE_MAX_BYTES) : NULL;
  Paste *paste;

  if (bytes == NULL)
    return;
  paste = g_new (Paste, 1);
  *paste = (Paste){ g_object_ref (self), bytes };
  g_input_stream_read_all_async (stream, bytes, PASTE_MAX_BYTES, G_PRIORITY_DEFAULT, NULL, picture_pasted,
                                 paste);
}

static void
value_pasted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (SlIntake) self = user_data;
  const GValue *value = gdk_clipboard_read_value_finish (GDK_CLIPBOARD (source), result, NULL);

  if (value == NULL)
    return;
  if (G_VALUE_HOLDS (value, GDK_TYPE_FILE_LIST))
    open_file_list (self, g_value_get_boxed (value));
  else if (G_VALUE_HOLDS_STRING (value) && g_value_get_string (value))
    {
      const char *text = g_value_get_string (value);
      g_autoptr (GBytes) bytes = g_bytes_new (text, MIN (strlen (text), PASTE_MAX_BYTES));

      take_data (self, bytes);
    }
}

static void
paste (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  static const char *const pictures[] = { "image/png", "image/jpeg", "image/webp" };
  SlIntake *self = user_data;
  GdkClipboard *clipboard = gtk_widget_get_clipboard (self->widget);
  GdkContentFormats *formats = gdk_clipboard_get_formats (clipboard);

  /* As bytes: a texture would have lost the settings. */
  for (guint i = 0; i < G_N_ELEMENTS (pictures); i++)
    if (gdk_content_formats_contain_mime_type (formats, pictures[i]))
      {
        const char *kinds[] = { pictures[i], NULL };

        gdk_clipboard_read_async (clipboard, kinds, G_PRIORITY_DEFAULT, NULL, stream_pasted,
                                  g_object_ref (self));
        return;
      }
  if (gdk_content_formats_contain_gtype (formats, GDK_TYPE_FILE_LIST)
      || gdk_content_formats_contain_mime_type (formats, "text/uri-list"))
    gdk_clipboard_read_value_async (clipboard, GDK_TYPE_FILE_LIST, G_PRIORITY_DEFAULT, NULL, value_pasted,
                                    g_object_ref (self));
  else if (gdk_content_formats_contain_gtype (formats, G_TYPE_STRING)
           || gdk_content_formats_contain_mime_type (formats, "text/plain;charset=utf-8"))
    gdk_clipboard_read_value_async (clipboard, G_TYPE_STRING, G_PRIORITY_DEFAULT, NULL, value_pasted,
                                    g_object_ref (self));
  else
    sl_notice_toast (self->widget, _ ("The clipboard holds no picture and no settings"));
}

/* ---- setting up ---- */

static void
add_drop_target (SlIntake *self)
{
  GType types[] = { GDK_TYPE_FILE_LIST };
  GtkDropTarget *drop = gtk_drop_target_new (G_TYPE_INVALID, GDK_ACTION_COPY);

  gtk_drop_target_set_gtypes (drop, types, G_N_ELEMENTS (types));
  gtk_drop_target_set_preload (drop, TRUE);
  g_signal_connect_object (drop, "enter", G_CALLBACK (drag_entered), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (drop, "leave", G_CALLBACK (drag_left), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (drop, "notify::value", G_CALLBACK (drag_changed), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (drop, "drop", G_CALLBACK (dropped), self, G_CONNECT_SWAPPED);
  gtk_widget_add_controller (self->widget, GTK_EVENT_CONTROLLER (drop));
}

SlIntake *
sl_intake_new (SlWorkspace *workspace, GtkWidget *widget, GActionMap *actions)
{
  const GActionEntry entries[] = {
    { .name = "open", .activate = ask_for_picture },
    { .name = "open-model-folder", .activate = ask_for_model_folder },
    { .name = "open-model-file", .activate = ask_for_model_file },
    { .name = "open-path", .activate = open_path, .parameter_type = "s" },
    { .name = "open-paths", .activate = open_paths, .parameter_type = "as" },
    { .name = "paste", .activate = paste },
  };
  SlIntake *self = g_object_new (SL_TYPE_INTAKE, NULL);

  self->workspace = g_object_ref (workspace);
  self->widget = widget;
  g_signal_connect_object (workspace->models, "scanned", G_CALLBACK (models_scanned), self,
                           G_CONNECT_AFTER | G_CONNECT_SWAPPED);
  g_action_map_add_action_entries (actions, entries, G_N_ELEMENTS (entries), self);
  add_drop_target (self);
  return self;
}

static void
sl_intake_finalize (GObject *object)
{
  g_clear_object (&SL_INTAKE (object)->workspace);
  g_clear_pointer (&SL_INTAKE (object)->waiting, g_ptr_array_unref);
  G_OBJECT_CLASS (sl_intake_parent_class)->finalize (object);
}

static void
sl_intake_class_init (SlIntakeClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = sl_intake_finalize;
  signals[COMPARISON] = g_signal_new ("comparison", SL_TYPE_INTAKE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                      G_TYPE_NONE, 1, G_TYPE_STRING);
  signals[PICTURE] = g_signal_new ("picture", SL_TYPE_INTAKE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                   G_TYPE_NONE, 3, G_TYPE_STRING, G_TYPE_STRING, G_TYPE_BOOLEAN);
  signals[SEVERAL] = g_signal_new ("pictures", SL_TYPE_INTAKE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                   G_TYPE_NONE, 2, G_TYPE_PTR_ARRAY, G_TYPE_STRING);
  signals[HINT] = g_signal_new ("hint", SL_TYPE_INTAKE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                                2, G_TYPE_STRING, G_TYPE_BOOLEAN);
  signals[MADE_OF] = g_signal_new ("made-of", SL_TYPE_INTAKE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                   G_TYPE_NONE, 1, SL_TYPE_COMPARISON_RECIPE);
}

static void
sl_intake_init (SlIntake *self)
{
  self->waiting = g_ptr_array_new_with_free_func ((GDestroyNotify)g_strfreev);
}
