/* sl-prompt-box.c - see sl-prompt-box.h.
 *
 * A text is read on the reader's thread (SlPromptReader), one at a time, the newest after the one before. The marks of
 * the last reading move with the text until the next one is there; one of a text that is no longer shown is dropped.
 */
#include "ui/widgets/sl-prompt-box.h"

#include <glib/gi18n.h>

#include "ui/widgets/sl-prompt-completion.h"

/* A text view shapes a whole paragraph at once: a pasted megabyte would block the window. */
#define MAX_BYTES 8000
#define MAX_SHOWN 16 /* characters of a faulty place in its sentence */

struct _SlPromptBox
{
  AdwBin parent_instance;
  GtkScrolledWindow *scroller;
  GtkTextView *view;
  GtkLabel *hint;
  GtkButton *fault;
  GtkLabel *fault_text;
  GtkLabel *count;
  GtkWidget *proposal;
  GtkLabel *proposal_text;
  GtkButton *accept;
  GtkButton *decline;

  GtkTextTag *tags[SL_PROMPT_N_MARKS];
  GtkTextTag *second; /* of every second chunk */
  SlPromptCompletion *completion;
  SlPromptReader *reader;
  SlSettings *recipe;
  char *property;
  char *asked;  /* the text that is being read; NULL: none is */
  gboolean old; /* what was asked is not the newest any more */
  gboolean showing;
  int proposed;   /* which of `proposals` is shown; -1: none */
  guint declined; /* bits of those that were, until there is no more reason for them */
  int fault_at;
  GArray *words; /* of the last reading; see say_count */
  SlPromptReading last;
};

G_DEFINE_FINAL_TYPE (SlPromptBox, sl_prompt_box, ADW_TYPE_BIN)

enum
{
  PROP_LABEL = 1,
  PROP_HINT,
  PROP_LINES,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];

GtkTextView *
sl_prompt_box_get_view (SlPromptBox *self)
{
  return self->view;
}

static GtkTextBuffer *
buffer_of (SlPromptBox *self)
{
  return gtk_text_view_get_buffer (self->view);
}

static char *
get_text (SlPromptBox *self)
{
  GtkTextIter start, end;

  gtk_text_buffer_get_bounds (buffer_of (self), &start, &end);
  return gtk_text_buffer_get_text (buffer_of (self), &start, &end, FALSE);
}

/* ---- colours ---- */

/* Readable on a card of either style: at least 4.5 to 1. */
static void
set_colours (SlPromptBox *self)
{
  static const struct
  {
    const char *light, *dark;
  } colours[SL_PROMPT_N_MARKS] = {
    [SL_PROMPT_STRONGER] = { "#a82a20", "#ff8a7a" }, [SL_PROMPT_WEAKER] = { "#1c5fae", "#8fbcf5" },
    [SL_PROMPT_SIGNS] = { "#67676c", "#adaaaa" },    [SL_PROMPT_UNUSED] = { "#77767b", "#979494" },
    [SL_PROMPT_FAULTY] = { "#ffffff", "#241615" },
  };
  gboolean dark = adw_style_manager_get_dark (adw_style_manager_get_default ());

  for (guint i = 0; i < SL_PROMPT_N_MARKS; i++)
    g_object_set (self->tags[i], "foreground", dark ? colours[i].dark : colours[i].light, NULL);
  g_object_set (self->tags[SL_PROMPT_FAULTY], "background", dark ? "#ff8a7a" : "#c01c28", NULL);
  g_object_set (self->second, "background", dark ? "#443a3a" : "#f3e9e7", NULL);
}

static void
make_tags (SlPromptBox *self)
{
  self->second = gtk_text_buffer_create_tag (buffer_of (self), NULL, NULL); /* under the others */
  for (guint i = 0; i < SL_PROMPT_N_MARKS; i++)
    self->tags[i] = gtk_text_buffer_create_tag (buffer_of (self), NULL, NULL);
  /* Not by colour alone. */
  g_object_set (self->tags[SL_PROMPT_STRONGER], "weight", PANGO_WEIGHT_SEMIBOLD, NULL);
  g_object_set (self->tags[SL_PROMPT_WEAKER], "style", PANGO_STYLE_ITALIC, NULL);
  g_object_set (self->tags[SL_PROMPT_UNUSED], "strikethrough", TRUE, NULL);
  g_object_set (self->tags[SL_PROMPT_FAULTY], "weight", PANGO_WEIGHT_BOLD, NULL);
  set_colours (self);
  g_signal_connect_object (adw_style_manager_get_default (), "notify::dark", G_CALLBACK (set_colours), self,
                           G_CONNECT_SWAPPED);
}

/* What a text has that is plain text, and what would read it. */
static const struct
{
  const char *text, *accept;
} proposals[] = {
  { N_ ("Weights and tags are plain text in this prompt."), N_ ("Use _A1111 Weights") },
  { N_ ("Choices like {a|b} are plain text in this prompt."), N_ ("Make the _Choices") },
};
enum
{
  PROPOSE_WEIGHTS,
  PROPOSE_CHOICES,
};

/* ---- what was read ---- */

/* Every second chunk of a long text has another ground, so that one sees where they end. */
static void
mark_chunks (SlPromptBox *self, const SlPromptReading *reading)
{
  GtkTextBuffer *buffer = buffer_of (self);
  GtkTextIter start, end;

  gtk_text_buffer_get_bounds (buffer, &start, &end);
  gtk_text_buffer_remove_tag (buffer, self->second, &start, &end);
  for (guint i = 0; i < reading->words->len && reading->prompts == 0; i++)
    {
      const SlPromptWord *word = &g_array_index (reading->words, SlPromptWord, i);

      if (word->chunk % 2 == 0)
        continue;
      gtk_text_buffer_get_iter_at_offset (buffer, &start, word->begin);
      if (i + 1 < reading->words->len)
        gtk_text_buffer_get_iter_at_offset (buffer, &end, word[1].begin);
      else
        gtk_text_buffer_get_end_iter (buffer, &end);
      gtk_text_buffer_apply_tag (buffer, self->second, &start, &end);
    }
}

static void
mark_text (SlPromptBox *self, const SlPromptReading *reading)
{
  GtkTextBuffer *buffer = buffer_of (self);
  GtkTextIter start, end;

  gtk_text_buffer_get_bounds (buffer, &start, &end);
  for (guint i = 0; i < SL_PROMPT_N_MARKS; i++)
    gtk_text_buffer_remove_tag (buffer, self->tags[i], &start, &end);
  for (guint i = 0; i < reading->ranges->len; i++)
    {
      const SlPromptRange *range = &g_array_index (reading->ranges, SlPromptRange, i);

      gtk_text_buffer_get_iter_at_offset (buffer, &start, range->begin);
      gtk_text_buffer_get_iter_at_offset (buffer, &end, range->end);
      gtk_text_buffer_apply_tag (buffer, self->tags[range->mark], &start, &end);
    }
}

/* "23 of 75 tokens"; of a longer text the chunk that the cursor is in. */
static void
say_count (SlPromptBox *self)
{
  const SlPromptReading *last = &self->last;
  g_autofree char *text = NULL;
  int offset = 0, tokens, chunk;

  g_object_get (buffer_of (self), "cursor-position", &offset, NULL);
  gtk_widget_set_visible (GTK_WIDGET (self->count), last->counted && last->tokens > 0);
  if (!last->counted)
    return;
  if (last->prompts > 1 && last->prompts < 1e6)
    text = g_strdup_printf (_ ("One of %.0f prompts: %d tokens in chunks of %d"), last->prompts, last->tokens,
                            last->limit);
  else if (last->prompts > 1)
    text = g_strdup_printf (_ ("One of many prompts: %d tokens in chunks of %d"), last->tokens, last->limit);
  else if (last->unused)
    text = g_strdup_printf (_ ("%d of %d tokens, %d are not used"), last->tokens, last->limit, last->unused);
  else if (last->chunks > 1)
    {
      chunk = sl_prompt_reading_chunk_at (last, offset, &tokens);
      text = g_strdup_printf (_ ("Chunk %d of %d: %d of %d tokens"), chunk + 1, last->chunks, tokens,
                              last->limit);
    }
  else
    text = g_strdup_printf (_ ("%d of %d tokens"), last->tokens, last->limit);
  if (last->unused)
    gtk_widget_add_css_class (GTK_WIDGET (self->count), "warning");
  else
    gtk_widget_remove_css_class (GTK_WIDGET (self->count), "warning");
  gtk_label_set_text (self->count, text);
}

/* "“(cat in the…”: this bracket is not closed" */
static char *
fault_sentence (SlPromptBox *self, const SlPromptReading *reading)
{
  GtkTextIter start, end;
  g_autofree char *place = NULL;

  if (reading->problem)
    return g_strdup (_ (reading->problem));
  if (reading->fault == NULL)
    return NULL;
  gtk_text_buffer_get_iter_at_offset (buffer_of (self), &start, reading->fault_at);
  end = start;
  gtk_text_iter_forward_chars (&end, MAX_SHOWN);
  if (gtk_text_iter_get_line (&end) != gtk_text_iter_get_line (&start))
    {
      end = start;
      if (!gtk_text_iter_ends_line (&end))
        gtk_text_iter_forward_to_line_end (&end);
    }
  place = gtk_text_iter_get_slice (&start, &end);
  return g_strdup_printf (gtk_text_iter_ends_line (&end) ? _ ("“%s”: %s") : _ ("“%s…”: %s"), place,
                          _ (reading->fault));
}

static void
show_fault (SlPromptBox *self, const SlPromptReading *reading)
{
  g_autofree char *sentence = fault_sentence (self, reading);

  self->fault_at = reading->fault ? reading->fault_at : -1;
  gtk_widget_set_visible (GTK_WIDGET (self->fault), sentence != NULL);
  /* A sentence without a place is no button; insensitive it could not be read. */
  gtk_widget_set_can_target (GTK_WIDGET (self->fault), self->fault_at >= 0);
  gtk_widget_set_focusable (GTK_WIDGET (self->fault), self->fault_at >= 0);
  gtk_label_set_text (self->fault_text, sentence ? sentence : "");
  gtk_accessible_update_state (GTK_ACCESSIBLE (self->view), GTK_ACCESSIBLE_STATE_INVALID,
                               sentence ? GTK_ACCESSIBLE_INVALID_TRUE : GTK_ACCESSIBLE_INVALID_FALSE, -1);
}

/* What a screen reader says of the text: what is wrong with it, else how long it is. */
static void
describe (SlPromptBox *self)
{
  const char *said = gtk_widget_get_visible (GTK_WIDGET (self->fault)) ? gtk_label_get_text (self->fault_text)
                     : gtk_widget_get_visible (GTK_WIDGET (self->count)) ? gtk_label_get_text (self->count)
                                                                         : "";

  gtk_accessible_update_property (GTK_ACCESSIBLE (self->view), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, said, -1);
}

static void
propose (SlPromptBox *self, const SlPromptReading *reading)
{
  gboolean modes = sl_prompt_reader_has_modes (self->reader);
  guint reasons = (guint)(reading->plain_weights && modes) << PROPOSE_WEIGHTS
                  | (guint)reading->plain_choices << PROPOSE_CHOICES;

  self->declined &= reasons;
  self->proposed = g_bit_nth_lsf (reasons & ~self->declined, -1);
  gtk_widget_set_visible (self->proposal, self->proposed >= 0);
  if (self->proposed < 0)
    return;
  gtk_label_set_text (self->proposal_text, _ (proposals[self->proposed].text));
  gtk_button_set_label (self->accept, _ (proposals[self->proposed].accept));
}

/* ---- reading ---- */

static void ask (SlPromptBox *self);

static void
was_read (const SlPromptReading *reading, gpointer user_data)
{
  SlPromptBox *self = user_data;
  g_autofree char *text = get_text (self);
  g_autofree char *asked = g_steal_pointer (&self->asked);

  if (self->old)
    ask (self);
  if (g_strcmp0 (text, asked) != 0)
    return;
  g_array_set_size (self->words, 0);
  g_array_append_vals (self->words, reading->words->data, reading->words->len);
  self->last = *reading;
  self->last.words = self->words;
  self->last.ranges = NULL;
  self->last.problem = NULL;
  mark_chunks (self, reading);
  mark_text (self, reading);
  show_fault (self, reading);
  say_count (self);
  describe (self);
  propose (self, reading);
}

static void
ask (SlPromptBox *self)
{
  if (self->reader == NULL)
    return;
  self->old = self->asked != NULL;
  if (self->old)
    return;
  self->asked = get_text (self);
  sl_prompt_reader_read (self->reader, self->asked, g_str_equal (self->property, "negative-prompt"),
                         self->recipe, was_read, G_OBJECT (self));
}

static void
cursor_moved (SlPromptBox *self)
{
  if (self->last.counted && self->last.chunks > 1 && self->last.prompts == 0)
    {
      say_count (self);
      describe (self);
    }
}

/* ---- the text ---- */

static void
limit_text (GtkTextBuffer *buffer, GtkTextIter *location, char *text, int length, gpointer user_data)
{
  int room = MAX_BYTES - gtk_text_buffer_get_char_count (buffer);
  const char *end;

  if (length <= room)
    return;
  g_signal_stop_emission_by_name (buffer, "insert-text");
  if (room <= 0)
    return;
  /* Up to the last whole character that fits. */
  g_utf8_validate (text, room, &end);
  gtk_text_buffer_insert (buffer, location, text, (int)(end - text));
}

static guint
mode_of (SlPromptBox *self)
{
  guint mode = 0;

  if (sl_prompt_reader_has_modes (self->reader))
    g_object_get (self->recipe, "prompt-mode", &mode, NULL);
  return mode;
}

static void
edited (SlPromptBox *self)
{
  g_autofree char *text = get_text (self);

  gtk_widget_set_visible (GTK_WIDGET (self->hint), *text == '\0');
  if (!self->showing)
    {
      self->showing = TRUE;
      g_object_set (self->recipe, self->property, text, NULL);
      self->showing = FALSE;
      if (gtk_widget_is_focus (GTK_WIDGET (self->view)))
        sl_prompt_completion_offer (self->completion, mode_of (self));
    }
  ask (self);
}

static void
show (SlPromptBox *self)
{
  g_autofree char *wanted = NULL;
  g_autofree char *shown = get_text (self);

  if (self->showing)
    return;
  g_object_get (self->recipe, self->property, &wanted, NULL);
  if (g_strcmp0 (wanted, shown) == 0)
    return;
  self->showing = TRUE;
  gtk_text_buffer_set_text (buffer_of (self), wanted, -1);
  self->showing = FALSE;
}

static void
go_to_fault (SlPromptBox *self)
{
  GtkTextIter at;

  if (self->fault_at < 0)
    return;
  gtk_text_buffer_get_iter_at_offset (buffer_of (self), &at, self->fault_at);
  gtk_text_buffer_place_cursor (buffer_of (self), &at);
  gtk_text_view_scroll_to_iter (self->view, &at, 0, FALSE, 0, 0);
  gtk_widget_grab_focus (GTK_WIDGET (self->view));
}

/* It is answered: at once, not when the text has been read again. The keyboard goes on in the text. */
static void
leave_proposal (SlPromptBox *self)
{
  gtk_widget_grab_focus (GTK_WIDGET (self->view)); /* before the button goes */
  gtk_widget_set_visible (self->proposal, FALSE);
}

static void
accept_proposal (SlPromptBox *self)
{
  leave_proposal (self);
  if (self->proposed == PROPOSE_WEIGHTS)
    g_object_set (self->recipe, "prompt-mode", 1, NULL);
  else if (self->proposed == PROPOSE_CHOICES)
    g_object_set (self->reader, "dynamic", SL_DYNAMIC_DRAW, NULL);
}

static void
decline_proposal (SlPromptBox *self)
{
  leave_proposal (self);
  if (self->proposed >= 0)
    self->declined |= 1u << self->proposed;
  ask (self); /* there may be a reason for another one */
}

void
sl_prompt_box_connect (SlPromptBox *self, SlPromptReader *reader, SlSettings *recipe, const char *property)
{
  /* What a text's reading depends on beside the text. */
  static const char *const others[]
      = { "notify::prompt-mode", "notify::emphasis", "notify::tokenizer", "notify::steps",
          "notify::seed",        "notify::lora",     "notify::embedding" };
  g_autofree char *own = g_strconcat ("notify::", property, NULL);

  self->reader = g_object_ref (reader);
  self->recipe = g_object_ref (recipe);
  self->property = g_strdup (property);
  self->completion = sl_prompt_completion_new (self->view, GTK_WIDGET (self), reader);
  g_signal_connect_object (recipe, own, G_CALLBACK (show), self, G_CONNECT_SWAPPED);
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    g_signal_connect_object (recipe, others[i], G_CALLBACK (ask), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (reader, "changed", G_CALLBACK (ask), self, G_CONNECT_SWAPPED);
  g_signal_connect_swapped (buffer_of (self), "changed", G_CALLBACK (edited), self);
  g_signal_connect_swapped (buffer_of (self), "notify::cursor-position", G_CALLBACK (cursor_moved), self);
  show (self);
  ask (self);
}

/* ---- class ---- */

static void
sl_prompt_box_set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  SlPromptBox *self = SL_PROMPT_BOX (object);

  switch (id)
    {
    case PROP_LABEL:
      gtk_accessible_update_property (GTK_ACCESSIBLE (self->view), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                      g_value_get_string (value), -1);
      break;
    case PROP_HINT:
      gtk_label_set_text (self->hint, g_value_get_string (value));
      break;
    case PROP_LINES:
      gtk_scrolled_window_set_min_content_height (self->scroller, 18 + 20 * g_value_get_int (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
    }
}

static void
sl_prompt_box_dispose (GObject *object)
{
  SlPromptBox *self = SL_PROMPT_BOX (object);

  if (self->completion)
    sl_prompt_completion_close (self->completion);
  g_clear_object (&self->completion);
  g_clear_object (&self->reader);
  g_clear_object (&self->recipe);
  G_OBJECT_CLASS (sl_prompt_box_parent_class)->dispose (object);
}

static void
sl_prompt_box_finalize (GObject *object)
{
  SlPromptBox *self = SL_PROMPT_BOX (object);

  g_free (self->property);
  g_free (self->asked);
  g_array_unref (self->words);
  G_OBJECT_CLASS (sl_prompt_box_parent_class)->finalize (object);
}

#define BIND(name) gtk_widget_class_bind_template_child (widget_class, SlPromptBox, name)

static void
sl_prompt_box_class_init (SlPromptBoxClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  GParamFlags flags = G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS;

  G_OBJECT_CLASS (klass)->set_property = sl_prompt_box_set_property;
  G_OBJECT_CLASS (klass)->dispose = sl_prompt_box_dispose;
  G_OBJECT_CLASS (klass)->finalize = sl_prompt_box_finalize;
  properties[PROP_LABEL] = g_param_spec_string ("label", NULL, NULL, "", flags);
  properties[PROP_HINT] = g_param_spec_string ("hint", NULL, NULL, "", flags);
  properties[PROP_LINES] = g_param_spec_int ("lines", NULL, NULL, 1, 20, 1, flags);
  g_object_class_install_properties (G_OBJECT_CLASS (klass), N_PROPERTIES, properties);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/safelight/Safelight/sl-prompt-box.ui");
  BIND (scroller);
  BIND (view);
  BIND (hint);
  BIND (fault);
  BIND (fault_text);
  BIND (count);
  BIND (proposal);
  BIND (proposal_text);
  BIND (accept);
  BIND (decline);
}

static void
sl_prompt_box_init (SlPromptBox *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  self->words = g_array_new (FALSE, FALSE, sizeof (SlPromptWord));
  self->fault_at = -1;
  self->proposed = -1;
  make_tags (self);
  g_signal_connect (buffer_of (self), "insert-text", G_CALLBACK (limit_text), NULL);
  g_signal_connect_swapped (self->fault, "clicked", G_CALLBACK (go_to_fault), self);
  g_signal_connect_swapped (self->accept, "clicked", G_CALLBACK (accept_proposal), self);
  g_signal_connect_swapped (self->decline, "clicked", G_CALLBACK (decline_proposal), self);
}
