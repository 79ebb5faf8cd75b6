/* sl-animation-page.c - see sl-animation-page.h. */
#include "ui/exchange/sl-animation-page.h"

#include <glib/gi18n.h>

#include "ui/widgets/sl-dialog.h"
#include "ui/widgets/sl-wheel.h"

#define HEIGHT 420

/* In the order of the list. */
static const guint sizes[] = { 0, 256, 512, 1024 };

struct _SlAnimationPage
{
  AdwPreferencesPage parent_instance;
  AdwComboRow *format;
  GtkSpinButton *ms;
  AdwComboRow *size;
  GtkSwitch *captions;
  AdwPreferencesGroup *end;
  GtkButton *save;
  GSettings *preferences;
  SlAnimationChosen chosen;
  GWeakRef object;
};

G_DEFINE_FINAL_TYPE (SlAnimationPage, sl_animation_page, ADW_TYPE_PREFERENCES_PAGE)

/* The n-th of the formats that can be written. */
static SlExportFormat
nth_format (guint n)
{
  guint i = 0;

  for (guint seen = 0; i < sl_export_count_formats (); i++)
    if (sl_export_nth_format (i).lacks == NULL && seen++ == n)
      break;
  return sl_export_nth_format (MIN (i, sl_export_count_formats () - 1));
}

static const char *
describe_format (const char *ending)
{
  static const struct
  {
    const char *ending, *text;
  } texts[] = {
    { ".webp", N_ ("Exact, and can be computed again") }, { ".gif", N_ ("Opens everywhere, in 256 colours") },
    { ".apng", N_ ("Exact, opens in browsers") },         { ".webm", N_ ("A small video") },
    { ".mp4", N_ ("A video that most programs take") },
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    if (g_str_equal (texts[i].ending, ending))
      return _ (texts[i].text);
  return ending;
}

static void
format_changed (SlAnimationPage *self)
{
  const char *ending = nth_format (adw_combo_row_get_selected (self->format)).ending;

  adw_action_row_set_subtitle (ADW_ACTION_ROW (self->format), describe_format (ending));
}

static void
fill_formats (SlAnimationPage *self)
{
  g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);
  g_autoptr (GString) lacking = g_string_new (NULL);
  g_autofree char *last = g_settings_get_string (self->preferences, "animation-format");

  for (guint i = 0; i < sl_export_count_formats (); i++)
    {
      SlExportFormat format = sl_export_nth_format (i);

      if (format.lacks == NULL)
        gtk_string_list_append (names, format.name);
      else
        {
          /* Translators: a format that cannot be written, and why. */
          g_autofree char *line = g_strdup_printf (_ ("No %s: %s."), format.name, _ (format.lacks));

          g_string_append_printf (lacking, "%s%s", lacking->len ? "\n" : "", line);
        }
    }
  adw_combo_row_set_model (self->format, G_LIST_MODEL (names));
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (names)); i++)
    if (g_str_equal (nth_format (i).ending + 1, last))
      adw_combo_row_set_selected (self->format, i);
  adw_preferences_group_set_description (self->end, lacking->str);
  format_changed (self);
}

static void
take_last (SlAnimationPage *self)
{
  guint side = g_settings_get_uint (self->preferences, "animation-size");

  gtk_spin_button_set_value (self->ms, g_settings_get_uint (self->preferences, "animation-ms"));
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    if (sizes[i] == side)
      adw_combo_row_set_selected (self->size, i);
}

static void
save (SlAnimationPage *self)
{
  g_autoptr (GObject) object = g_weak_ref_get (&self->object);
  const char *ending = nth_format (adw_combo_row_get_selected (self->format)).ending;
  const SlExportLook look = { .ms = (guint)gtk_spin_button_get_value_as_int (self->ms),
                              .side = sizes[MIN (adw_combo_row_get_selected (self->size), 3)],
                              .captions = gtk_switch_get_active (self->captions) };

  g_settings_set_string (self->preferences, "animation-format", ending + 1);
  g_settings_set_uint (self->preferences, "animation-ms", look.ms);
  g_settings_set_uint (self->preferences, "animation-size", look.side);
  g_object_ref (self); /* the dialog has it, and goes */
  sl_dialog_close (GTK_WIDGET (self));
  if (object)
    self->chosen (object, &look, ending);
  g_object_unref (self);
}

void
sl_animation_page_ask (
    GtkWidget *from, GSettings *preferences, gboolean captions, SlAnimationChosen chosen, GObject *object)
{
  SlAnimationPage *self = g_object_new (SL_TYPE_ANIMATION_PAGE, NULL);
  GtkWidget *dialog;

  self->preferences = g_object_ref (preferences);
  self->chosen = chosen;
  g_weak_ref_set (&self->object, object);
  gtk_switch_set_active (self->captions, captions);
  fill_formats (self);
  take_last (self);
  dialog = sl_dialog_new_preferences (ADW_PREFERENCES_PAGE (self));
  sl_dialog_ask (dialog, _ ("Save the Animation"), HEIGHT, GTK_WIDGET (self->save));
  sl_dialog_present (dialog, from);
}

/* ---- class ---- */

static void
sl_animation_page_finalize (GObject *object)
{
  SlAnimationPage *self = SL_ANIMATION_PAGE (object);

  g_clear_object (&self->preferences);
  g_weak_ref_clear (&self->object);
  G_OBJECT_CLASS (sl_animation_page_parent_class)->finalize (object);
}

static void
sl_animation_page_class_init (SlAnimationPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = sl_animation_page_finalize;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/safelight/Safelight/sl-animation-page.ui");
  gtk_widget_class_bind_template_child (widget_class, SlAnimationPage, format);
  gtk_widget_class_bind_template_child (widget_class, SlAnimationPage, ms);
  gtk_widget_class_bind_template_child (widget_class, SlAnimationPage, size);
  gtk_widget_class_bind_template_child (widget_class, SlAnimationPage, captions);
  gtk_widget_class_bind_template_child (widget_class, SlAnimationPage, end);
  gtk_widget_class_bind_template_child (widget_class, SlAnimationPage, save);
}

static void
sl_animation_page_init (SlAnimationPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  sl_wheel_scrolls_page (GTK_WIDGET (self));
  gtk_widget_set_name (GTK_WIDGET (self), "animation-page"); /* "name" is another property here */
  g_weak_ref_init (&self->object, NULL);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->ms), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Time per picture"), -1);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->captions), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Captions"), -1);
  g_signal_connect_swapped (self->format, "notify::selected", G_CALLBACK (format_changed), self);
  g_signal_connect_swapped (self->save, "clicked", G_CALLBACK (save), self);
}
