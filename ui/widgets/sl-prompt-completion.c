/* sl-prompt-completion.c - see sl-prompt-completion.h. */
#include "ui/widgets/sl-prompt-completion.h"

#include <glib/gi18n.h>
#include <string.h>

#define MAX_NAMES 8
#define MAX_TYPED 80 /* characters before the cursor that are looked at */

struct _SlPromptCompletion
{
  GObject parent_instance;
  GtkTextView *view;
  SlPromptReader *reader;
  GtkWidget *popover;
  GtkListBox *list;
  const struct Opening *opening; /* what was typed */
  int typed;                     /* characters from its beginning to the cursor */
};

G_DEFINE_FINAL_TYPE (SlPromptCompletion, sl_prompt_completion, G_TYPE_OBJECT)

/* Modes as bits: plain, a1111, comfyui, compel. In plain text a tag is completed as well: the panel then proposes the
 * mode that reads it. */
static const struct Opening
{
  const char *text; /* that a name follows; "": a name stands by itself, after two letters */
  const char *behind;
  guint modes;
  SlPromptNames names;
} openings[] = {
  { "<lora:", ":1>", 1 << 0 | 1 << 1, SL_PROMPT_LORAS },
  { "withLora(", ", 1)", 1 << 3, SL_PROMPT_LORAS },
  { "embedding:", "", 1 << 2, SL_PROMPT_EMBEDDINGS },
  { "", "", 1 << 0 | 1 << 1 | 1 << 3, SL_PROMPT_EMBEDDINGS },
};

/* What stands before the cursor on its line, as far as it is looked at. */
static char *
text_before (SlPromptCompletion *self)
{
  GtkTextBuffer *buffer = gtk_text_view_get_buffer (self->view);
  GtkTextIter cursor, start;

  gtk_text_buffer_get_iter_at_mark (buffer, &cursor, gtk_text_buffer_get_insert (buffer));
  start = cursor;
  gtk_text_iter_backward_chars (&start, MIN (MAX_TYPED, gtk_text_iter_get_line_offset (&start)));
  return gtk_text_iter_get_slice (&start, &cursor);
}

/* The beginning of a name behind an opening, in text; NULL where there is none. */
static const char *
typed_name (const struct Opening *opening, const char *text)
{
  const char *found = NULL;

  if (!*opening->text)
    {
      for (found = text + strlen (text); found > text && !strchr (" ,()[]|\t", found[-1]); found--)
        ;
      return g_utf8_strlen (found, -1) >= 2 ? found : NULL;
    }
  found = g_strrstr (text, opening->text);
  found = found ? found + strlen (opening->text) : NULL;
  return found && !strpbrk (found, ":>,)") ? found : NULL;
}

/* Names that begin so come before those that hold it. */
static void
fill (SlPromptCompletion *self, const char *name)
{
  const char *const *names = sl_prompt_reader_get_names (self->reader, self->opening->names);
  g_autofree char *wanted = g_utf8_casefold (name, -1);
  gboolean alone = !*self->opening->text;
  GtkWidget *child;
  int count = 0;

  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self->list))))
    gtk_list_box_remove (self->list, child);
  for (int inside = 0; inside <= (alone ? 0 : 1); inside++)
    for (int i = 0; names[i] && count < MAX_NAMES; i++)
      {
        g_autofree char *folded = g_utf8_casefold (names[i], -1);
        const char *at = strstr (folded, wanted);
        GtkWidget *label;

        if (at == NULL || (at != folded) != inside || (alone && g_str_equal (folded, wanted)))
          continue;
        label = gtk_label_new (names[i]);
        gtk_label_set_xalign (GTK_LABEL (label), 0);
        gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_MIDDLE);
        gtk_label_set_max_width_chars (GTK_LABEL (label), 36);
        gtk_list_box_append (self->list, label);
        count++;
      }
  gtk_list_box_select_row (self->list, gtk_list_box_get_row_at_index (self->list, 0));
}

static void
point_at_cursor (SlPromptCompletion *self)
{
  GtkWidget *holder = gtk_widget_get_parent (self->popover);
  GdkRectangle at;
  graphene_point_t point;
  int wx, wy;

  gtk_text_view_get_cursor_locations (self->view, NULL, &at, NULL);
  gtk_text_view_buffer_to_window_coords (self->view, GTK_TEXT_WINDOW_WIDGET, at.x, at.y, &wx, &wy);
  if (!gtk_widget_compute_point (GTK_WIDGET (self->view), holder, &GRAPHENE_POINT_INIT ((float)wx, (float)wy),
                                 &point))
    return;
  gtk_popover_set_pointing_to (GTK_POPOVER (self->popover),
                               &(GdkRectangle){ (int)point.x, (int)point.y, MAX (at.width, 1), at.height });
}

gboolean
sl_prompt_completion_is_open (SlPromptCompletion *self)
{
  return self->popover && gtk_widget_get_visible (self->popover);
}

static void
dismiss (SlPromptCompletion *self)
{
  if (sl_prompt_completion_is_open (self))
    gtk_popover_popdown (GTK_POPOVER (self->popover));
}

void
sl_prompt_completion_offer (SlPromptCompletion *self, guint mode)
{
  g_autofree char *before = text_before (self);

  for (guint i = 0; i < G_N_ELEMENTS (openings); i++)
    {
      const char *name = openings[i].modes & 1u << mode ? typed_name (&openings[i], before) : NULL;

      if (name == NULL)
        continue;
      self->opening = &openings[i];
      self->typed = (int)g_utf8_strlen (name, -1);
      fill (self, name);
      if (gtk_list_box_get_row_at_index (self->list, 0) == NULL)
        continue;
      point_at_cursor (self);
      gtk_popover_popup (GTK_POPOVER (self->popover));
      return;
    }
  dismiss (self);
}

static void
put_in (SlPromptCompletion *self, GtkListBoxRow *row)
{
  GtkTextBuffer *buffer = gtk_text_view_get_buffer (self->view);
  g_autofree char *text = g_strconcat (gtk_label_get_text (GTK_LABEL (gtk_list_box_row_get_child (row))),
                                       self->opening->behind, NULL);
  GtkTextIter start, cursor;

  gtk_text_buffer_get_iter_at_mark (buffer, &cursor, gtk_text_buffer_get_insert (buffer));
  start = cursor;
  gtk_text_iter_backward_chars (&start, self->typed);
  dismiss (self);
  gtk_text_buffer_begin_user_action (buffer);
  gtk_text_buffer_delete (buffer, &start, &cursor);
  gtk_text_buffer_insert (buffer, &start, text, -1);
  gtk_text_buffer_end_user_action (buffer);
  dismiss (self);
}

static void
move (SlPromptCompletion *self, int by)
{
  GtkListBoxRow *row = gtk_list_box_get_selected_row (self->list);
  GtkListBoxRow *next
      = gtk_list_box_get_row_at_index (self->list, (row ? gtk_list_box_row_get_index (row) : 0) + by);

  if (next)
    gtk_list_box_select_row (self->list, next);
}

static gboolean
key_pressed (SlPromptCompletion *self, guint key, guint code, GdkModifierType state)
{
  GtkListBoxRow *row = gtk_list_box_get_selected_row (self->list);

  if (!sl_prompt_completion_is_open (self) || state & (GDK_CONTROL_MASK | GDK_ALT_MASK | GDK_SHIFT_MASK))
    return GDK_EVENT_PROPAGATE;
  switch (key)
    {
    case GDK_KEY_Up:
    case GDK_KEY_Down:
      move (self, key == GDK_KEY_Up ? -1 : 1);
      return GDK_EVENT_STOP;
    case GDK_KEY_Tab:
    case GDK_KEY_Return:
    case GDK_KEY_KP_Enter:
      if (row)
        put_in (self, row);
      return GDK_EVENT_STOP;
    case GDK_KEY_Escape:
      dismiss (self);
      return GDK_EVENT_STOP;
    case GDK_KEY_Left:
    case GDK_KEY_Right:
      dismiss (self);
      return GDK_EVENT_PROPAGATE;
    default:
      return GDK_EVENT_PROPAGATE;
    }
}

SlPromptCompletion *
sl_prompt_completion_new (GtkTextView *view, GtkWidget *holder, SlPromptReader *reader)
{
  SlPromptCompletion *self = g_object_new (SL_TYPE_PROMPT_COMPLETION, NULL);
  GtkEventController *keys = gtk_event_controller_key_new ();
  GtkEventController *focus = gtk_event_controller_focus_new ();

  self->view = view;
  self->reader = g_object_ref (reader);
  self->popover = gtk_popover_new ();
  self->list = GTK_LIST_BOX (gtk_list_box_new ());
  gtk_list_box_set_selection_mode (self->list, GTK_SELECTION_BROWSE);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->list), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Names that fit"), -1);
  gtk_widget_add_css_class (self->popover, "menu");
  gtk_widget_add_css_class (GTK_WIDGET (self->list), "prompt-names");
  gtk_popover_set_autohide (GTK_POPOVER (self->popover), FALSE);
  gtk_popover_set_has_arrow (GTK_POPOVER (self->popover), FALSE);
  gtk_popover_set_position (GTK_POPOVER (self->popover), GTK_POS_BOTTOM);
  gtk_widget_set_halign (self->popover, GTK_ALIGN_START);
  gtk_widget_set_can_focus (self->popover, FALSE);
  gtk_popover_set_child (GTK_POPOVER (self->popover), GTK_WIDGET (self->list));
  gtk_widget_set_parent (self->popover, holder);
  g_signal_connect_swapped (self->list, "row-activated", G_CALLBACK (put_in), self);
  gtk_event_controller_set_propagation_phase (keys, GTK_PHASE_CAPTURE);
  g_signal_connect_object (keys, "key-pressed", G_CALLBACK (key_pressed), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (focus, "leave", G_CALLBACK (dismiss), self, G_CONNECT_SWAPPED);
  gtk_widget_add_controller (GTK_WIDGET (view), keys);
  gtk_widget_add_controller (GTK_WIDGET (view), focus);
  return self;
}

void
sl_prompt_completion_close (SlPromptCompletion *self)
{
  g_clear_pointer (&self->popover, gtk_widget_unparent);
}

static void
sl_prompt_completion_dispose (GObject *object)
{
  SlPromptCompletion *self = SL_PROMPT_COMPLETION (object);

  sl_prompt_completion_close (self);
  g_clear_object (&self->reader);
  G_OBJECT_CLASS (sl_prompt_completion_parent_class)->dispose (object);
}

static void
sl_prompt_completion_class_init (SlPromptCompletionClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = sl_prompt_completion_dispose;
}

static void
sl_prompt_completion_init (SlPromptCompletion *self)
{
}
