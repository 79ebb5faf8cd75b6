/* sl-facts-view.c - see sl-facts-view.h. */
#include "ui/widgets/sl-facts-view.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ui/widgets/sl-notice.h"
#include "ui/widgets/sl-setting-row.h"

#define HASH_DIGITS 12

struct _SlFactsView
{
  AdwBin parent_instance;
  GtkBox *rows;
  GString *text; /* as it is copied */
};

G_DEFINE_FINAL_TYPE (SlFactsView, sl_facts_view, ADW_TYPE_BIN)

/* ---- rows ---- */

/* A line that is too long is broken without a hyphen, which would look like a part of a name. */
static GtkWidget *
make_label (const char *text, const char *style)
{
  GtkWidget *label = gtk_label_new (text);
  g_autoptr (PangoAttrList) attributes = pango_attr_list_new ();

  pango_attr_list_insert (attributes, pango_attr_insert_hyphens_new (FALSE));
  gtk_label_set_attributes (GTK_LABEL (label), attributes);

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR);
  if (style)
    gtk_widget_add_css_class (label, style);
  return label;
}

/* Nothing where there is no value. */
static void
add (SlFactsView *self, const char *name, const char *value)
{
  GtkWidget *row, *value_label;

  if (value == NULL || *value == '\0')
    return;
  row = gtk_box_new (GTK_ORIENTATION_VERTICAL, 1);
  value_label = make_label (value, NULL);
  gtk_label_set_selectable (GTK_LABEL (value_label), TRUE);
  gtk_accessible_update_property (GTK_ACCESSIBLE (value_label), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  gtk_widget_set_name (value_label, name);
  gtk_box_append (GTK_BOX (row), make_label (name, "fact-name"));
  gtk_box_append (GTK_BOX (row), value_label);
  gtk_box_append (self->rows, row);
  g_string_append_printf (self->text, "%s: %s\n", name, value);
}

static void add_text (SlFactsView *self, const char *name, const char *format, ...) G_GNUC_PRINTF (3, 4);

static void
add_text (SlFactsView *self, const char *name, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  add (self, name, text);
}

/* ---- settings ---- */

/* "S_cheduler" and "스케줄러(_C)" without their mnemonics. */
static char *
plain_name (const SlControl *control)
{
  const char *label = _ (control->label);
  const char *mark = strstr (label, "(_");
  GString *name = g_string_new (NULL);

  for (const char *c = label; *c; c++)
    if (c == mark && c[2] && c[3] == ')')
      c += 3;
    else if (*c != '_')
      g_string_append_c (name, *c);
  return g_string_free (name, FALSE);
}

static char *
describe_number (const SlControl *control, SlSettings *settings)
{
  gboolean usual = !g_str_equal (control->property, "steps") && !g_str_equal (control->property, "guidance");

  if (usual && sl_control_is_unset (control, settings, TRUE))
    return NULL;
  return g_strdup_printf ("%.10g", sl_setting_row_number (control, settings));
}

static char *
describe_scheduler (SlSettings *settings)
{
  g_autoptr (GListModel) all = sl_scheduler_items_new ();
  guint position = sl_scheduler_items_find (all, sl_settings_get_scheduler (settings));
  g_autoptr (SlSchedulerItem) item = g_list_model_get_item (all, position);

  return g_strdup (item ? sl_scheduler_item_get_name (item) : sl_settings_get_scheduler (settings));
}

/* NULL: as it always is, which is not worth a row. */
static char *
describe_setting (const SlControl *control, SlSettings *settings)
{
  char *text = NULL;
  guint choice;

  switch (control->kind)
    {
    case SL_CONTROL_WORDS:
      g_object_get (settings, control->property, &text, NULL);
      return text;
    case SL_CONTROL_SCHEDULER:
      return describe_scheduler (settings);
    case SL_CONTROL_CHOICE:
      choice = sl_setting_row_choice (control, settings);
      return choice > 0 && choice < control->n_choices ? g_strdup (_ (control->choice_labels[choice])) : NULL;
    case SL_CONTROL_NUMBER:
      return describe_number (control, settings);
    case SL_CONTROL_SEED:
      return g_strdup_printf ("%" G_GUINT64_FORMAT, sl_settings_get_seed (settings));
    case SL_CONTROL_SIDE:
      break;
    }
  return NULL;
}

static void
add_settings (SlFactsView *self, SlSettings *settings)
{
  for (guint i = 0; i < sl_control_count (); i++)
    {
      const SlControl *control = sl_control_nth (i);
      g_autofree char *name = NULL, *value = NULL;

      if (control->label == NULL || !sl_control_exists (control, NULL, sl_settings_get_scheduler (settings))
          || !sl_control_counts (control, settings))
        continue;
      name = plain_name (control);
      value = describe_setting (control, settings);
      add (self, name, value);
    }
}

/* ---- lanes ---- */

/* Its scheduler, and in what else it differs from the first, a line each. */
static char *
describe_lane (SlSettings *lane, SlSettings *first)
{
  g_autofree char *scheduler = describe_scheduler (lane);
  GString *lines = g_string_new (scheduler);
  SlOwn own = sl_own_between (first, lane);

  for (guint i = 0; i < sl_control_count (); i++)
    {
      const SlControl *control = sl_control_nth (i);
      g_autofree char *name = NULL, *value = NULL;

      if (control->label == NULL || control->kind == SL_CONTROL_SCHEDULER || (own & control->own) == 0)
        continue;
      name = plain_name (control);
      value = describe_setting (control, lane);
      if (value)
        g_string_append_printf (lines, "\n%s: %s", name, value);
    }
  return g_string_free (lines, FALSE);
}

static void
add_lanes (SlFactsView *self, GPtrArray *lanes)
{
  for (guint i = 0; i < lanes->len; i++)
    {
      g_autofree char *name = g_strdup_printf (_ ("Lane %u"), i + 1);
      g_autofree char *text = describe_lane (lanes->pdata[i], lanes->pdata[0]);

      add (self, name, text);
    }
}

/* ---- where it comes from, and the file ---- */

static void
add_files (SlFactsView *self, char **files)
{
  g_autoptr (GString) lines = g_string_new (NULL);

  for (char **file = files; file && file[0] && file[1]; file += 2)
    g_string_append_printf (lines, "%s%s\n%.*s", lines->len ? "\n" : "", file[0], HASH_DIGITS, file[1]);
  add (self, _ ("Model files"), lines->str);
}

static void
add_origin (SlFactsView *self, const SlFactsOfPicture *picture, const SlFacts *facts)
{
  g_autofree char *device
      = facts && facts->device ? g_strdup_printf ("%s, %s", facts->device, facts->types) : NULL;

  add (self, _ ("Model"), facts ? facts->model : NULL);
  add (self, _ ("Branch"), picture->story);
  if (facts && facts->step > 0)
    add_text (self, _ ("Saved at"), _ ("Step %d of %d"), facts->step, facts->steps);
  add (self, _ ("Made by"), facts ? facts->source : NULL);
  add (self, _ ("Computed on"), device);
}

static void
add_file (SlFactsView *self, const SlFactsOfPicture *picture, const SlFacts *facts)
{
  g_autofree char *shown = g_filename_display_name (picture->path);
  g_autofree char *name = g_path_get_basename (shown);
  g_autofree char *folder = g_path_get_dirname (shown);
  g_autofree char *size = facts ? g_format_size (facts->bytes) : NULL;
  g_autoptr (GDateTime) time = facts ? g_date_time_new_from_unix_local (facts->time) : NULL;
  g_autofree char *written = time ? g_date_time_format (time, "%Y-%m-%d %H:%M:%S") : NULL;

  add (self, _ ("Written"), written);
  add (self, _ ("File"), name);
  add (self, _ ("Folder"), folder);
  add (self, _ ("File size"), size);
}

void
sl_facts_view_show (SlFactsView *self, const SlFactsOfPicture *picture, const SlFacts *facts)
{
  GtkWidget *row;

  while ((row = gtk_widget_get_first_child (GTK_WIDGET (self->rows))))
    gtk_box_remove (self->rows, row);
  g_string_truncate (self->text, 0);
  if (facts && facts->lanes && facts->lanes->len > 1)
    add_lanes (self, facts->lanes);
  if (facts && facts->settings)
    add_settings (self, facts->settings);
  if (picture->width > 0)
    add_text (self, _ ("Size"), "%d × %d", picture->width, picture->height);
  add_origin (self, picture, facts);
  add_file (self, picture, facts);
  if (facts)
    {
      add (self, _ ("Notes"), facts->notes);
      add_files (self, facts->files);
    }
}

char *
sl_facts_view_dup_text (SlFactsView *self)
{
  return g_strdup (self->text->str);
}

/* ---- class ---- */

static void
copy_all (SlFactsView *self)
{
  gdk_clipboard_set_text (gtk_widget_get_clipboard (GTK_WIDGET (self)), self->text->str);
  sl_notice_toast (GTK_WIDGET (self), _ ("Copied"));
}

static void
sl_facts_view_finalize (GObject *object)
{
  g_string_free (SL_FACTS_VIEW (object)->text, TRUE);
  G_OBJECT_CLASS (sl_facts_view_parent_class)->finalize (object);
}

static void
sl_facts_view_class_init (SlFactsViewClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = sl_facts_view_finalize;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/safelight/Safelight/sl-facts-view.ui");
  gtk_widget_class_bind_template_child (widget_class, SlFactsView, rows);
  gtk_widget_class_bind_template_callback (widget_class, copy_all);
}

static void
sl_facts_view_init (SlFactsView *self)
{
  self->text = g_string_new (NULL);
  gtk_widget_init_template (GTK_WIDGET (self));
}
