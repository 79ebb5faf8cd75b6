/* sl-lora-row.c - see sl-lora-row.h.
 *
 * A control that is set because the LoRA changed must not change it in turn: `updating` is TRUE then.
 */
#include "ui/darkroom/sl-lora-row.h"

#include <glib/gi18n.h>
#include <math.h>

#include "ui/darkroom/sl-lora-picture.h"
#include "ui/darkroom/sl-lora-text.h"
#include "ui/widgets/sl-wheel.h"

#define MOST_WORDS 12 /* that are shown */
#define SCALE_END 2.0 /* of the coarse slider, in both directions */
#define SCALE_STEP 0.05
#define CURVE_HELP N_ ("Points of a curve: a part of the steps, and by what the strength is multiplied there")

struct _SlLoraRow
{
  AdwPreferencesRow parent_instance;
  SlLoraPicture *picture;
  GtkLabel *name;
  GtkLabel *line;
  GtkSwitch *on;
  GtkToggleButton *unfold;
  GtkAdjustment *strength_adjustment;
  GtkAdjustment *text_adjustment;
  GtkAdjustment *from_adjustment;
  GtkAdjustment *to_adjustment;
  GtkRange *strength_scale;
  GtkSpinButton *strength_spin;
  GtkSpinButton *text_spin;
  GtkSpinButton *from_spin;
  GtkSpinButton *to_spin;
  GtkButton *remove;
  GtkButton *locate;
  GtkCheckButton *own_text;
  GtkWidget *range_box;
  GtkEditable *curve;
  GtkFlowBox *words;
  GtkLabel *facts;
  GtkButton *compare;

  SlLoraList *list;
  SlLora *lora;
  char *shown_curve;
  double before_off, text_before_off; /* the strengths that the switch brings back */
  gboolean updating;
};

G_DEFINE_FINAL_TYPE (SlLoraRow, sl_lora_row, ADW_TYPE_PREFERENCES_ROW)

enum
{
  REMOVED,
  LOCATE,
  WORD,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

SlLora *
sl_lora_row_get_lora (SlLoraRow *self)
{
  return self->lora;
}

/* ---- the strengths, shown ---- */

static void
show_curve (SlLoraRow *self)
{
  const char *curve = sl_lora_get_curve (self->lora);

  gtk_widget_set_sensitive (self->range_box, *curve == '\0');
  if (g_strcmp0 (curve, self->shown_curve) == 0)
    return; /* what is being typed stays */
  g_free (self->shown_curve);
  self->shown_curve = g_strdup (curve);
  gtk_editable_set_text (self->curve, curve);
}

static void
show_strengths (SlLoraRow *self)
{
  double unet = sl_lora_get_strength (self->lora), text = sl_lora_get_text_strength (self->lora), from, to;

  sl_lora_get_range (self->lora, &from, &to);
  self->updating = TRUE;
  if (unet != 0 || text != 0)
    {
      self->before_off = unet;
      self->text_before_off = text;
    }
  gtk_adjustment_set_value (self->strength_adjustment, unet);
  gtk_range_set_value (self->strength_scale, unet);
  if (unet != text)
    gtk_check_button_set_active (self->own_text, TRUE);
  gtk_adjustment_set_value (self->text_adjustment, text);
  gtk_switch_set_active (self->on, unet != 0 || text != 0);
  gtk_adjustment_set_value (self->from_adjustment, from * 100);
  gtk_adjustment_set_value (self->to_adjustment, to * 100);
  show_curve (self);
  self->updating = FALSE;
}

/* ---- the strengths, changed ---- */

static void
strength_typed (SlLoraRow *self)
{
  double unet = gtk_adjustment_get_value (self->strength_adjustment);
  gboolean own = gtk_check_button_get_active (self->own_text);

  if (!self->updating)
    sl_lora_list_set_strength (self->list, self->lora, unet,
                               own ? sl_lora_get_text_strength (self->lora) : unet);
}

static void
strength_dragged (SlLoraRow *self)
{
  double value = round (gtk_range_get_value (self->strength_scale) / SCALE_STEP) * SCALE_STEP;

  /* The scale ends before the largest number; a larger one that was typed stays. */
  if (!self->updating
      && (fabs (value) < SCALE_END
          || fabs (gtk_adjustment_get_value (self->strength_adjustment)) < SCALE_END))
    gtk_adjustment_set_value (self->strength_adjustment, value);
}

static void
text_typed (SlLoraRow *self)
{
  if (!self->updating)
    sl_lora_list_set_strength (self->list, self->lora, sl_lora_get_strength (self->lora),
                               gtk_adjustment_get_value (self->text_adjustment));
}

static void
own_text_toggled (SlLoraRow *self)
{
  double unet = sl_lora_get_strength (self->lora);

  if (!self->updating && !gtk_check_button_get_active (self->own_text))
    sl_lora_list_set_strength (self->list, self->lora, unet, unet);
}

/* Off keeps the strengths for the next time. */
static void
switched (SlLoraRow *self)
{
  gboolean on = gtk_switch_get_active (self->on);

  if (self->updating)
    return;
  if (on && self->before_off == 0 && self->text_before_off == 0)
    self->before_off = self->text_before_off = 1;
  sl_lora_list_set_strength (self->list, self->lora, on ? self->before_off : 0,
                             on ? self->text_before_off : 0);
}

static void
range_typed (SlLoraRow *self)
{
  double from = gtk_adjustment_get_value (self->from_adjustment);
  double to = gtk_adjustment_get_value (self->to_adjustment);

  if (self->updating)
    return;
  if (from < to)
    sl_lora_list_set_range (self->list, self->lora, from / 100, to / 100);
  else
    show_strengths (self); /* there is no such range: the one before stays */
}

static void
curve_typed (SlLoraRow *self)
{
  g_autoptr (GError) error = NULL;
  const char *text = gtk_editable_get_text (self->curve);

  sl_lora_list_set_curve (self->list, self->lora, text, &error);
  (error ? gtk_widget_add_css_class : gtk_widget_remove_css_class) (GTK_WIDGET (self->curve), "error");
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->curve), error ? error->message : _ (CURVE_HELP));
  gtk_accessible_update_state (GTK_ACCESSIBLE (self->curve), GTK_ACCESSIBLE_STATE_INVALID,
                               error ? GTK_ACCESSIBLE_INVALID_TRUE : GTK_ACCESSIBLE_INVALID_FALSE, -1);
}

/* ---- what is known of it ---- */

static void
word_clicked (SlLoraRow *self, GtkButton *button)
{
  g_signal_emit (self, signals[WORD], 0, g_object_get_data (G_OBJECT (button), "sl-word"));
}

static void
add_word (SlLoraRow *self, const char *word)
{
  GtkWidget *label = gtk_label_new (word), *button = gtk_button_new ();
  g_autofree char *name = g_strdup_printf (_ ("Add “%s” to the prompt"), word);

  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
  gtk_label_set_max_width_chars (GTK_LABEL (label), 24);
  gtk_button_set_child (GTK_BUTTON (button), label);
  gtk_widget_add_css_class (button, "lora-word");
  gtk_widget_set_tooltip_text (button, name);
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  g_object_set_data_full (G_OBJECT (button), "sl-word", g_strdup (word), g_free);
  g_signal_connect_object (button, "clicked", G_CALLBACK (word_clicked), self, G_CONNECT_SWAPPED);
  gtk_flow_box_append (self->words, button);
  gtk_widget_set_focusable (gtk_widget_get_parent (button), FALSE);
}

static void
show_words (SlLoraRow *self)
{
  const char *const *words = sl_lora_get_words (self->lora);
  GtkFlowBoxChild *child;

  while ((child = gtk_flow_box_get_child_at_index (self->words, 0)))
    gtk_flow_box_remove (self->words, GTK_WIDGET (child));
  for (guint i = 0; words[i] && i < MOST_WORDS; i++)
    add_word (self, words[i]);
  gtk_widget_set_visible (GTK_WIDGET (self->words), words[0] != NULL);
}

static void
show_facts (SlLoraRow *self)
{
  SlLoraState state = sl_lora_get_state (self->lora);
  gboolean wrong = state == SL_LORA_MISSING || state == SL_LORA_UNREADABLE || state == SL_LORA_UNFIT;
  g_autofree char *line = sl_lora_text_line (self->lora);
  g_autofree char *facts = sl_lora_text_facts (self->lora);
  g_autofree char *spoken = g_strdup_printf ("%s. %s", sl_lora_get_name (self->lora), line);

  gtk_label_set_label (self->name, sl_lora_get_name (self->lora));
  gtk_label_set_label (self->line, line);
  (wrong ? gtk_widget_add_css_class : gtk_widget_remove_css_class) (GTK_WIDGET (self->line), "error");
  (wrong ? gtk_widget_remove_css_class : gtk_widget_add_css_class) (GTK_WIDGET (self->line), "dim-label");
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->line), sl_lora_get_problem (self->lora));
  gtk_label_set_label (self->facts, facts);
  gtk_widget_set_visible (GTK_WIDGET (self->facts), *facts != '\0');
  gtk_widget_set_visible (GTK_WIDGET (self->locate), state == SL_LORA_MISSING);
  gtk_widget_set_sensitive (GTK_WIDGET (self->compare), !wrong);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, spoken, -1);
  sl_lora_picture_show (self->picture, sl_lora_list_get_files (self->list), sl_lora_get_picture (self->lora));
  show_words (self);
}

/* ---- the rest ---- */

static void
remove_clicked (SlLoraRow *self)
{
  g_signal_emit (self, signals[REMOVED], 0);
}

static void
remove_by_key (GtkWidget *widget, const char *action, GVariant *parameter)
{
  remove_clicked (SL_LORA_ROW (widget));
}

static void
locate_clicked (SlLoraRow *self)
{
  g_signal_emit (self, signals[LOCATE], 0);
}

static void
compare_clicked (SlLoraRow *self)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->list));

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (SlLora) lora = g_list_model_get_item (G_LIST_MODEL (self->list), i);
      g_autofree char *preset = g_strdup_printf ("strengths/%u", i);

      if (lora == self->lora)
        gtk_widget_activate_action (GTK_WIDGET (self), "win.compare-preset", "s", preset);
    }
}

SlLoraRow *
sl_lora_row_new (SlLoraList *list, SlLora *lora)
{
  SlLoraRow *self = g_object_new (SL_TYPE_LORA_ROW, NULL);

  self->list = g_object_ref (list);
  self->lora = g_object_ref (lora);
  g_signal_connect_object (lora, "changed", G_CALLBACK (show_strengths), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (lora, "read", G_CALLBACK (show_facts), self, G_CONNECT_SWAPPED);
  show_strengths (self);
  show_facts (self);
  return self;
}

static void
sl_lora_row_dispose (GObject *object)
{
  SlLoraRow *self = SL_LORA_ROW (object);

  g_clear_object (&self->list);
  g_clear_object (&self->lora);
  G_OBJECT_CLASS (sl_lora_row_parent_class)->dispose (object);
}

#define BIND(name) gtk_widget_class_bind_template_child (widget_class, SlLoraRow, name)

static void
sl_lora_row_finalize (GObject *object)
{
  g_free (SL_LORA_ROW (object)->shown_curve);
  G_OBJECT_CLASS (sl_lora_row_parent_class)->finalize (object);
}

static void
sl_lora_row_class_init (SlLoraRowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = sl_lora_row_dispose;
  G_OBJECT_CLASS (klass)->finalize = sl_lora_row_finalize;
  g_type_ensure (SL_TYPE_LORA_PICTURE);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/safelight/Safelight/sl-lora-row.ui");
  BIND (picture);
  BIND (name);
  BIND (line);
  BIND (on);
  BIND (unfold);
  BIND (strength_adjustment);
  BIND (text_adjustment);
  BIND (from_adjustment);
  BIND (to_adjustment);
  BIND (strength_scale);
  BIND (strength_spin);
  BIND (text_spin);
  BIND (from_spin);
  BIND (to_spin);
  BIND (remove);
  BIND (locate);
  BIND (own_text);
  BIND (range_box);
  BIND (curve);
  BIND (words);
  BIND (facts);
  BIND (compare);
  gtk_widget_class_install_action (widget_class, "lora.remove", NULL, remove_by_key);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Delete, 0, "lora.remove", NULL);
  signals[REMOVED]
      = g_signal_new ("removed", SL_TYPE_LORA_ROW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[LOCATE]
      = g_signal_new ("locate", SL_TYPE_LORA_ROW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[WORD] = g_signal_new ("word", SL_TYPE_LORA_ROW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                                1, G_TYPE_STRING);
}

static void
sl_lora_row_init (SlLoraRow *self)
{
  GtkEventController *focus = gtk_event_controller_focus_new ();

  gtk_widget_init_template (GTK_WIDGET (self));
  sl_wheel_scrolls_page (GTK_WIDGET (self));
  g_signal_connect_swapped (focus, "leave", G_CALLBACK (curve_typed), self);
  gtk_widget_add_controller (GTK_WIDGET (self->curve), focus);
  gtk_range_set_range (self->strength_scale, -SCALE_END, SCALE_END);
  gtk_range_set_increments (self->strength_scale, SCALE_STEP, 0.25);
  gtk_scale_add_mark (GTK_SCALE (self->strength_scale), 0, GTK_POS_BOTTOM, NULL);
  gtk_scale_add_mark (GTK_SCALE (self->strength_scale), 1, GTK_POS_BOTTOM, NULL);
  g_signal_connect_swapped (self->strength_adjustment, "value-changed", G_CALLBACK (strength_typed), self);
  g_signal_connect_swapped (self->strength_scale, "value-changed", G_CALLBACK (strength_dragged), self);
  g_signal_connect_swapped (self->text_adjustment, "value-changed", G_CALLBACK (text_typed), self);
  g_signal_connect_swapped (self->from_adjustment, "value-changed", G_CALLBACK (range_typed), self);
  g_signal_connect_swapped (self->to_adjustment, "value-changed", G_CALLBACK (range_typed), self);
  g_signal_connect_swapped (self->own_text, "toggled", G_CALLBACK (own_text_toggled), self);
  g_signal_connect_swapped (self->on, "notify::active", G_CALLBACK (switched), self);
  g_signal_connect_swapped (self->curve, "activate", G_CALLBACK (curve_typed), self);
  g_signal_connect_swapped (self->remove, "clicked", G_CALLBACK (remove_clicked), self);
  g_signal_connect_swapped (self->locate, "clicked", G_CALLBACK (locate_clicked), self);
  g_signal_connect_swapped (self->compare, "clicked", G_CALLBACK (compare_clicked), self);
}
