/* sl-grid-form.c - see sl-grid-form.h. */
#include "ui/compare/sl-grid-form.h"

#include <glib/gi18n.h>
#include <string.h>

typedef struct
{
  SlGridForm *form;
  AdwComboRow *setting;
  AdwEntryRow *values;
  GtkMenuButton *choose;
  GtkBox *list;        /* in its popover */
  const SlControl *of; /* the setting that list offers values of */
} Axis;

struct _SlGridForm
{
  AdwWindow parent_instance;
  AdwComboRow *setting_across, *setting_down;
  AdwEntryRow *values_across, *values_down;
  GtkMenuButton *choose_across, *choose_down;
  GtkLabel *summary;
  GtkButton *apply;

  SlModelItem *model;
  SlSettings *recipe;
  GPtrArray *controls; /* of const SlControl: what an axis may be */
  Axis axis[SL_PLAN_AXES];
  SlGridPlan *plan; /* what stands there now; NULL: it is none */
  gboolean updating;
};

G_DEFINE_FINAL_TYPE (SlGridForm, sl_grid_form, ADW_TYPE_WINDOW)

enum
{
  APPLIED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static const SlControl *
chosen_control (SlGridForm *self, const Axis *axis)
{
  guint selected = adw_combo_row_get_selected (axis->setting);

  return selected < self->controls->len ? self->controls->pdata[selected] : self->controls->pdata[0];
}

/* ---- how much it is ---- */

static char *
describe (SlGridPlan *plan, guint evaluations)
{
  guint columns = sl_grid_plan_count (plan, SL_PLAN_ACROSS), rows = sl_grid_plan_count (plan, SL_PLAN_DOWN);

  /* Translators: columns times rows of a grid, how many cells that makes, and what they cost. */
  return g_strdup_printf (ngettext ("%u × %u = %u cell, about %u evaluations of the model",
                                    "%u × %u = %u cells, about %u evaluations of the model", columns * rows),
                          columns, rows, columns * rows, evaluations);
}

static void
update (SlGridForm *self)
{
  SlPlanText text[SL_PLAN_AXES];
  g_autoptr (GError) error = NULL;
  g_autofree char *words = NULL;
  guint evaluations = 0;

  if (self->updating || self->recipe == NULL)
    return;
  for (guint i = 0; i < SL_PLAN_AXES; i++)
    text[i] = (SlPlanText){ chosen_control (self, &self->axis[i])->property,
                            gtk_editable_get_text (GTK_EDITABLE (self->axis[i].values)) };
  g_clear_object (&self->plan);
  self->plan = sl_grid_plan_new (text, &error);
  if (self->plan && !sl_grid_plan_check (self->plan, self->model, self->recipe, &evaluations, &error))
    g_clear_object (&self->plan);
  words = self->plan ? describe (self->plan, evaluations) : g_strdup (error->message);
  gtk_label_set_text (self->summary, words);
  if (self->plan)
    gtk_widget_remove_css_class (GTK_WIDGET (self->summary), "error");
  else
    gtk_widget_add_css_class (GTK_WIDGET (self->summary), "error");
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "form.apply", self->plan != NULL);
}

/* ---- values to choose from ---- */

static void
preset_clicked (GtkButton *button, Axis *axis)
{
  gtk_editable_set_text (GTK_EDITABLE (axis->values), gtk_button_get_label (button));
  gtk_menu_button_popdown (axis->choose);
}

static gboolean
is_typed (const Axis *axis, const char *value)
{
  g_auto (GStrv) parts = g_strsplit (gtk_editable_get_text (GTK_EDITABLE (axis->values)), ",", -1);

  for (guint i = 0; parts[i]; i++)
    if (g_str_equal (g_strstrip (parts[i]), value))
      return TRUE;
  return FALSE;
}

/* All that have a tick, in the order in which they stand. */
static void
value_toggled (GtkCheckButton *button, Axis *axis)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (GtkWidget *child = gtk_widget_get_first_child (GTK_WIDGET (axis->list)); child;
       child = gtk_widget_get_next_sibling (child))
    if (GTK_IS_CHECK_BUTTON (child) && gtk_check_button_get_active (GTK_CHECK_BUTTON (child)))
      g_string_append_printf (text, "%s%s", text->len ? ", " : "", gtk_widget_get_name (child));
  gtk_editable_set_text (GTK_EDITABLE (axis->values), text->str);
}

/* A scheduler with what it is good for, or a choice. */
static GtkWidget *
new_value (SlGridForm *self, const Axis *axis, const char *value, guint position)
{
  GtkWidget *button = gtk_check_button_new (), *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  const SlControl *control = axis->of;
  g_autoptr (GListModel) schedulers
      = control->kind == SL_CONTROL_SCHEDULER ? sl_scheduler_items_new () : NULL;
  g_autoptr (SlSchedulerItem) item
      = schedulers ? g_list_model_get_item (schedulers, sl_scheduler_items_find (schedulers, value)) : NULL;
  const char *name = item ? sl_scheduler_item_get_name (item) : _ (control->choice_labels[position]);
  GtkWidget *title = gtk_label_new (name);

  gtk_label_set_xalign (GTK_LABEL (title), 0);
  gtk_box_append (GTK_BOX (box), title);
  if (item)
    {
      GtkWidget *words = gtk_label_new (_ (sl_scheduler_item_get_good_for (item)));

      gtk_label_set_xalign (GTK_LABEL (words), 0);
      gtk_label_set_wrap (GTK_LABEL (words), TRUE);
      gtk_label_set_max_width_chars (GTK_LABEL (words), 44);
      gtk_widget_add_css_class (words, "caption");
      gtk_widget_add_css_class (words, "dim-label");
      gtk_box_append (GTK_BOX (box), words);
    }
  gtk_check_button_set_child (GTK_CHECK_BUTTON (button), box);
  gtk_widget_set_name (button, value);
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  return button;
}

static void
clear_list (Axis *axis)
{
  GtkWidget *child;

  while ((child = gtk_widget_get_first_child (GTK_WIDGET (axis->list))))
    gtk_box_remove (axis->list, child);
}

static void
add_heading (Axis *axis, const char *words)
{
  GtkWidget *label = gtk_label_new (words);

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_widget_add_css_class (label, "heading");
  gtk_box_append (axis->list, label);
}

static void
add_presets (Axis *axis, const char *const *presets)
{
  for (guint i = 0; presets[i]; i++)
    {
      GtkWidget *button = gtk_button_new_with_label (presets[i]);
      GtkWidget *label = gtk_button_get_child (GTK_BUTTON (button));

      gtk_label_set_xalign (GTK_LABEL (label), 0);
      gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
      gtk_label_set_max_width_chars (GTK_LABEL (label), 44);
      gtk_widget_add_css_class (button, "flat");
      g_signal_connect (button, "clicked", G_CALLBACK (preset_clicked), axis);
      gtk_box_append (axis->list, button);
    }
}

/* The heading of a scheduler's group, before its first. */
static void
add_group (Axis *axis, const char *id, const char **group)
{
  g_autoptr (GListModel) schedulers = sl_scheduler_items_new ();
  g_autoptr (SlSchedulerItem) item
      = g_list_model_get_item (schedulers, sl_scheduler_items_find (schedulers, id));

  if (*group != sl_scheduler_item_get_group (item))
    add_heading (axis, _ (sl_scheduler_item_get_group (item)));
  *group = sl_scheduler_item_get_group (item);
}

/* Before it is opened: ticks are where the values stand now. */
static void
fill_list (GtkMenuButton *menu_button, gpointer user_data)
{
  Axis *axis = user_data;
  SlGridForm *self = axis->form;
  g_auto (GStrv) presets = NULL;
  g_auto (GStrv) values = NULL;
  const char *group = NULL;

  axis->of = chosen_control (self, axis);
  presets = sl_grid_plan_presets (axis->of, self->model, self->recipe);
  values = sl_grid_plan_values (axis->of, self->model, self->recipe);
  clear_list (axis);
  if (presets[0])
    add_heading (axis, _ ("Ready-made"));
  add_presets (axis, (const char *const *)presets);
  if (values[0] && axis->of->kind != SL_CONTROL_SCHEDULER)
    add_heading (axis, _ ("One by one"));
  for (guint i = 0; values[i]; i++)
    {
      guint position
          = axis->of->kind == SL_CONTROL_CHOICE ? sl_grid_plan_find_choice (axis->of, values[i]) : i;
      GtkWidget *button = new_value (self, axis, values[i], position);

      gtk_check_button_set_active (GTK_CHECK_BUTTON (button), is_typed (axis, values[i]));
      g_signal_connect (button, "toggled", G_CALLBACK (value_toggled), axis);
      if (axis->of->kind == SL_CONTROL_SCHEDULER)
        add_group (axis, values[i], &group);
      gtk_box_append (axis->list, button);
    }
}

/* ---- settings ---- */

/* Without the sign of its mnemonic. */
static char *
plain_label (const SlControl *control)
{
  g_auto (GStrv) parts = g_strsplit (_ (control->label), "_", -1);
  g_autofree char *joined = g_strjoinv ("", parts);
  char *mnemonic = strstr (joined, "(");

  /* "단계 수(S)" */
  if (mnemonic && strlen (mnemonic) == 3 && mnemonic[2] == ')' && g_ascii_isupper (mnemonic[1]))
    *mnemonic = '\0';
  return g_steal_pointer (&joined);
}

static guint
find_control (SlGridForm *self, const char *property)
{
  for (guint i = 0; i < self->controls->len; i++)
    if (g_str_equal (((const SlControl *)self->controls->pdata[i])->property, property))
      return i;
  return G_MAXUINT;
}

static void
setting_chosen (Axis *axis)
{
  SlGridForm *self = axis->form;
  g_auto (GStrv) presets = NULL;

  if (self->updating || self->recipe == NULL)
    return;
  presets = sl_grid_plan_presets (chosen_control (self, axis), self->model, self->recipe);
  gtk_editable_set_text (GTK_EDITABLE (axis->values), presets[0] ? presets[0] : "");
  update (self);
}

static void
fill_settings (SlGridForm *self)
{
  g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);

  for (guint i = 0; i < sl_control_count (); i++)
    {
      const SlControl *control = sl_control_nth (i);
      g_autofree char *name = NULL;

      if (!sl_grid_plan_offers (control, self->model))
        continue;
      name = plain_label (control);
      g_ptr_array_add (self->controls, (gpointer)control);
      gtk_string_list_append (names, name);
    }
  for (guint i = 0; i < SL_PLAN_AXES; i++)
    adw_combo_row_set_model (self->axis[i].setting, G_LIST_MODEL (names));
}

void
sl_grid_form_set (SlGridForm *self, SlPlanAxis which, const char *property, const char *values)
{
  Axis *axis = &self->axis[which];
  guint position = find_control (self, property);

  if (position < self->controls->len)
    adw_combo_row_set_selected (axis->setting, position);
  if (values)
    gtk_editable_set_text (GTK_EDITABLE (axis->values), values);
}

const char *
sl_grid_form_get_summary (SlGridForm *self)
{
  return gtk_label_get_text (self->summary);
}

static void
apply (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlGridForm *self = SL_GRID_FORM (widget);

  if (self->plan == NULL)
    return;
  g_signal_emit (self, signals[APPLIED], 0, self->plan);
  gtk_window_close (GTK_WINDOW (self));
}

/* ---- making it ---- */

static void
set_up_axis (SlGridForm *self, SlPlanAxis which, Axis axis)
{
  Axis *its = &self->axis[which];
  GtkWidget *scrolled = gtk_scrolled_window_new (), *popover = gtk_popover_new ();

  *its = axis;
  its->form = self;
  its->list = GTK_BOX (gtk_box_new (GTK_ORIENTATION_VERTICAL, 4));
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scrolled), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_propagate_natural_height (GTK_SCROLLED_WINDOW (scrolled), TRUE);
  gtk_scrolled_window_set_propagate_natural_width (GTK_SCROLLED_WINDOW (scrolled), TRUE);
  gtk_scrolled_window_set_max_content_height (GTK_SCROLLED_WINDOW (scrolled), 420);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scrolled), GTK_WIDGET (its->list));
  gtk_popover_set_child (GTK_POPOVER (popover), scrolled);
  gtk_menu_button_set_popover (its->choose, popover);
  gtk_menu_button_set_create_popup_func (its->choose, fill_list, its, NULL);
  g_signal_connect_swapped (its->setting, "notify::selected", G_CALLBACK (setting_chosen), its);
  g_signal_connect_swapped (its->values, "changed", G_CALLBACK (update), self);
}

SlGridForm *
sl_grid_form_new (GtkWindow *parent, SlModelItem *model, SlSettings *recipe)
{
  SlGridForm *self = g_object_new (SL_TYPE_GRID_FORM, "transient-for", parent, NULL);

  self->model = g_object_ref (model);
  self->updating = TRUE;
  fill_settings (self);
  self->updating = FALSE;
  self->recipe = sl_settings_dup (recipe);
  sl_grid_form_set (self, SL_PLAN_ACROSS, "scheduler", NULL);
  sl_grid_form_set (self, SL_PLAN_DOWN, "steps", NULL);
  setting_chosen (&self->axis[SL_PLAN_ACROSS]);
  setting_chosen (&self->axis[SL_PLAN_DOWN]);
  return self;
}

static void
sl_grid_form_dispose (GObject *object)
{
  SlGridForm *self = SL_GRID_FORM (object);

  g_clear_object (&self->plan);
  g_clear_object (&self->recipe);
  g_clear_object (&self->model);
  G_OBJECT_CLASS (sl_grid_form_parent_class)->dispose (object);
}

static void
sl_grid_form_finalize (GObject *object)
{
  SlGridForm *self = SL_GRID_FORM (object);

  g_ptr_array_unref (self->controls);
  G_OBJECT_CLASS (sl_grid_form_parent_class)->finalize (object);
}

#define BIND(name) gtk_widget_class_bind_template_child (widget_class, SlGridForm, name)

static void
sl_grid_form_class_init (SlGridFormClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = sl_grid_form_dispose;
  G_OBJECT_CLASS (klass)->finalize = sl_grid_form_finalize;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/safelight/Safelight/sl-grid-form.ui");
  BIND (setting_across);
  BIND (setting_down);
  BIND (values_across);
  BIND (values_down);
  BIND (choose_across);
  BIND (choose_down);
  BIND (summary);
  BIND (apply);
  gtk_widget_class_install_action (widget_class, "form.apply", NULL, apply);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
  signals[APPLIED] = g_signal_new ("applied", SL_TYPE_GRID_FORM, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                   G_TYPE_NONE, 1, SL_TYPE_GRID_PLAN);
}

static void
sl_grid_form_init (SlGridForm *self)
{
  self->controls = g_ptr_array_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
  set_up_axis (self, SL_PLAN_ACROSS,
               (Axis){ .setting = self->setting_across,
                       .values = self->values_across,
                       .choose = self->choose_across });
  set_up_axis (
      self, SL_PLAN_DOWN,
      (Axis){ .setting = self->setting_down, .values = self->values_down, .choose = self->choose_down });
}
