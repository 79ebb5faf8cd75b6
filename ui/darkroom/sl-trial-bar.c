/* sl-trial-bar.c - see sl-trial-bar.h. */
#include "ui/darkroom/sl-trial-bar.h"

#include <glib/gi18n.h>
#include <math.h>

#include "ui/widgets/sl-button-name.h"
#include "ui/widgets/sl-setting-row.h"
#include "ui/widgets/sl-toolkit.h"

/* A control, and what is shown of it. */
typedef struct
{
  const SlControl *control;
  GtkWidget *cell; /* what the flow box has */
  GtkRange *scale; /* of a number, */
  GtkDropDown *choice;
} Cell;

struct _SlTrialBar
{
  AdwBin parent_instance;
  GtkLabel *line;
  GtkButton *go_on;
  GtkFlowBox *controls;

  SlSettings *run; /* as the run has it */
  GArray *cells;
  GtkSizeGroup *labels; /* so that all sliders begin in a column */
  gboolean filling;
  gboolean possible;
};

G_DEFINE_FINAL_TYPE (SlTrialBar, sl_trial_bar, ADW_TYPE_BIN)

enum
{
  CHANGED,
  CONTINUED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* What a slider reaches: less than what can be set. */
static const struct
{
  const char *property;
  double min, max;
} reach[] = {
  { "guidance", 1.1, 20 },
  { "mimic-guidance", 1, 20 },
  { "mimic-quantile", 0.9, 1 },
  { "apg-norm", 0, 30 },
};

static Cell *
nth_cell (SlTrialBar *self, guint n)
{
  return &g_array_index (self->cells, Cell, n);
}

/* ---- what it says ---- */

static gboolean
differs (const Cell *cell, SlSettings *a, SlSettings *b)
{
  if (!sl_control_counts (cell->control, a))
    return FALSE;
  if (cell->choice)
    return sl_setting_row_choice (cell->control, a) != sl_setting_row_choice (cell->control, b);
  return fabs (sl_setting_row_number (cell->control, a) - sl_setting_row_number (cell->control, b)) > 1e-9;
}

/* A slider that stands where the run is says the run's number, which may lie between its steps. */
static void
collect (const Cell *cell, SlSettings *run, SlSettings *settings)
{
  double here;

  if (cell->choice)
    {
      g_object_set (settings, cell->control->property, gtk_drop_down_get_selected (cell->choice), NULL);
      return;
    }
  here = gtk_range_get_value (cell->scale);
  if (fabs (here - sl_setting_row_number (cell->control, run))
      > 0.51 * pow (10, -(double)cell->control->digits))
    sl_setting_row_set_number (cell->control, settings, here);
}

SlSettings *
sl_trial_bar_get_settings (SlTrialBar *self, SlOwn *own)
{
  SlSettings *settings = sl_settings_dup (self->run);

  *own = 0;
  for (guint i = 0; i < self->cells->len; i++)
    collect (nth_cell (self, i), self->run, settings);
  for (guint i = 0; i < self->cells->len; i++)
    if (differs (nth_cell (self, i), settings, self->run))
      *own |= nth_cell (self, i)->control->own;
  return settings;
}

char *
sl_trial_bar_describe (SlTrialBar *self)
{
  SlOwn own;
  g_autoptr (SlSettings) settings = sl_trial_bar_get_settings (self, &own);
  g_autoptr (GString) words = g_string_new (NULL);

  for (guint i = 0; i < self->cells->len; i++)
    {
      const SlControl *control = nth_cell (self, i)->control;
      g_autofree char *number = NULL, *phrase = NULL;

      if (!(own & control->own))
        continue;
      if (words->len)
        g_string_append (words, ", ");
      if (nth_cell (self, i)->choice)
        {
          g_string_append (words, _ (control->choice_labels[sl_setting_row_choice (control, settings)]));
          continue;
        }
      number = g_strdup_printf ("%g", sl_setting_row_number (control, settings));
      phrase = sl_setting_phrase (control, number);
      g_string_append (words, phrase);
    }
  return g_string_free (g_steal_pointer (&words), FALSE);
}

/* ---- showing it ---- */

static void
update (SlTrialBar *self)
{
  SlOwn own;
  g_autoptr (SlSettings) settings = sl_trial_bar_get_settings (self, &own);

  for (guint i = 0; i < self->cells->len; i++)
    gtk_widget_set_visible (nth_cell (self, i)->cell,
                            sl_control_counts (nth_cell (self, i)->control, settings));
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "trial.continue", self->possible && own);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "trial.reset", own != 0);
}

static void
changed (SlTrialBar *self)
{
  if (self->filling || self->run == NULL)
    return;
  update (self);
  g_signal_emit (self, signals[CHANGED], 0);
}

void
sl_trial_bar_set_possible (SlTrialBar *self, SlTrialPossible possible)
{
  static const char *const lines[] = {
    [SL_TRIAL_POSSIBLE] = N_ ("other guidance for this step, without computing it again"),
    [SL_TRIAL_UNGUIDED] = N_ ("this step has no guidance"),
    [SL_TRIAL_NOT_KEPT] = N_ ("the two predictions of this step were not kept"),
    [SL_TRIAL_FIRST] = N_ ("can be tried from the second step on"),
    [SL_TRIAL_HALF_A_STEP] = N_ ("this is the second half of a step: look at the first"),
  };

  self->possible = possible == SL_TRIAL_POSSIBLE;
  gtk_label_set_text (self->line, _ (lines[possible]));
  gtk_widget_set_sensitive (GTK_WIDGET (self->controls), self->possible);
  update (self);
}

void
sl_trial_bar_set_problem (SlTrialBar *self, const char *problem)
{
  gtk_label_set_text (self->line,
                      problem ? problem : _ ("other guidance for this step, without computing it again"));
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->line), problem);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "trial.continue", FALSE);
  if (problem == NULL)
    update (self);
}

void
sl_trial_bar_tell (SlTrialBar *self)
{
  g_autofree char *text = g_strdup_printf ("%s %s", _ ("What if…"), gtk_label_get_text (self->line));

  sl_toolkit_announce (GTK_WIDGET (self), text);
}

static void
fill (SlTrialBar *self)
{
  self->filling = TRUE;
  for (guint i = 0; i < self->cells->len; i++)
    {
      const Cell *cell = nth_cell (self, i);

      if (cell->choice)
        gtk_drop_down_set_selected (cell->choice, sl_setting_row_choice (cell->control, self->run));
      else
        gtk_range_set_value (cell->scale, sl_setting_row_number (cell->control, self->run));
    }
  self->filling = FALSE;
}

void
sl_trial_bar_begin (SlTrialBar *self, SlSettings *settings)
{
  g_clear_object (&self->run);
  self->run = sl_settings_dup (settings);
  fill (self);
  update (self);
}

/* ---- its controls ---- */

static GtkWidget *
make_scale (Cell *cell)
{
  const SlControl *control = cell->control;
  double min = control->min, max = control->max;
  GtkWidget *scale;

  for (guint i = 0; i < G_N_ELEMENTS (reach); i++)
    if (g_str_equal (reach[i].property, control->property))
      {
        min = reach[i].min;
        max = reach[i].max;
      }
  scale = gtk_scale_new_with_range (GTK_ORIENTATION_HORIZONTAL, min, max, pow (10, -(double)control->digits));
  gtk_scale_set_digits (GTK_SCALE (scale), (int)control->digits);
  gtk_scale_set_draw_value (GTK_SCALE (scale), TRUE);
  gtk_scale_set_value_pos (GTK_SCALE (scale), GTK_POS_RIGHT);
  gtk_range_set_increments (GTK_RANGE (scale), control->step, control->page);
  cell->scale = GTK_RANGE (scale);
  return scale;
}

static GtkWidget *
make_choice (Cell *cell)
{
  g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);

  for (guint i = 0; i < cell->control->n_choices; i++)
    gtk_string_list_append (names, _ (cell->control->choice_labels[i]));
  cell->choice = GTK_DROP_DOWN (gtk_drop_down_new (G_LIST_MODEL (g_steal_pointer (&names)), NULL));
  return GTK_WIDGET (cell->choice);
}

static void
add_cell (SlTrialBar *self, const SlControl *control)
{
  Cell cell = { .control = control };
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6), *label, *widget;

  widget = control->kind == SL_CONTROL_CHOICE ? make_choice (&cell) : make_scale (&cell);
  label = gtk_label_new_with_mnemonic (_ (control->label));
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_mnemonic_widget (GTK_LABEL (label), widget);
  gtk_size_group_add_widget (self->labels, label);
  gtk_widget_set_name (widget, control->property);
  gtk_widget_set_tooltip_text (box, control->help ? _ (control->help) : NULL);
  gtk_widget_set_hexpand (widget, TRUE);
  gtk_widget_set_valign (widget, GTK_ALIGN_CENTER);
  gtk_widget_set_size_request (widget, 120, -1);
  gtk_accessible_update_relation (GTK_ACCESSIBLE (widget), GTK_ACCESSIBLE_RELATION_LABELLED_BY, label, NULL,
                                  -1);
  gtk_box_append (GTK_BOX (box), label);
  gtk_box_append (GTK_BOX (box), widget);
  gtk_flow_box_append (self->controls, box);
  cell.cell = gtk_widget_get_parent (box);
  gtk_widget_set_focusable (cell.cell, FALSE);
  g_array_append_val (self->cells, cell);
  if (cell.choice)
    {
      /* a name that a label gives is not handed on to the button within */
      gtk_accessible_update_property (GTK_ACCESSIBLE (widget), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                      gtk_label_get_text (GTK_LABEL (label)), -1);
      sl_button_name_in_list (cell.choice);
      g_signal_connect_swapped (cell.choice, "notify::selected", G_CALLBACK (changed), self);
    }
  else
    g_signal_connect_swapped (cell.scale, "value-changed", G_CALLBACK (changed), self);
}

/* ---- class ---- */

static void
go_on (GtkWidget *widget, const char *action, GVariant *parameter)
{
  g_signal_emit (widget, signals[CONTINUED], 0);
}

static void
reset (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlTrialBar *self = SL_TRIAL_BAR (widget);

  fill (self);
  changed (self);
}

static void
sl_trial_bar_dispose (GObject *object)
{
  g_clear_object (&SL_TRIAL_BAR (object)->run);
  g_clear_object (&SL_TRIAL_BAR (object)->labels);
  G_OBJECT_CLASS (sl_trial_bar_parent_class)->dispose (object);
}

static void
sl_trial_bar_finalize (GObject *object)
{
  g_array_unref (SL_TRIAL_BAR (object)->cells);
  G_OBJECT_CLASS (sl_trial_bar_parent_class)->finalize (object);
}

static void
sl_trial_bar_class_init (SlTrialBarClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = sl_trial_bar_dispose;
  G_OBJECT_CLASS (klass)->finalize = sl_trial_bar_finalize;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/safelight/Safelight/sl-trial-bar.ui");
  gtk_widget_class_bind_template_child (widget_class, SlTrialBar, line);
  gtk_widget_class_bind_template_child (widget_class, SlTrialBar, go_on);
  gtk_widget_class_bind_template_child (widget_class, SlTrialBar, controls);
  gtk_widget_class_install_action (widget_class, "trial.continue", NULL, go_on);
  gtk_widget_class_install_action (widget_class, "trial.reset", NULL, reset);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "win.what-if", NULL);
  signals[CHANGED]
      = g_signal_new ("changed", SL_TYPE_TRIAL_BAR, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[CONTINUED]
      = g_signal_new ("continued", SL_TYPE_TRIAL_BAR, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
sl_trial_bar_init (SlTrialBar *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  sl_button_name_by_label (self->go_on);
  self->labels = gtk_size_group_new (GTK_SIZE_GROUP_HORIZONTAL);
  self->cells = g_array_new (FALSE, FALSE, sizeof (Cell));
  for (guint i = 0; sl_trial_nth_control (i); i++)
    add_cell (self, sl_trial_nth_control (i));
}
