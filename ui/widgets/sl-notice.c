/* sl-notice.c - see sl-notice.h.
 *
 * Easy to get wrong: libadwaita 1.2 frees what it knows of a toast when the toast has left, and its entrance, should
 * that still play, then ends in freed memory. One late frame is enough, which ends both. So a toast that is dismissed
 * during its entrance leaves after it.
 */
#include "ui/widgets/sl-notice.h"

#include <glib/gi18n.h>

#include "ui/widgets/sl-dialog.h"
#include "ui/widgets/sl-toolkit.h"

#define TOAST_SECONDS 3
#define LETTERS_PER_SECOND 16 /* that are read */
#define TOAST_LETTERS 70      /* of a line */
#define TOAST_LINES 8
#define NAME_LETTERS 24    /* in a toast with a button */
#define ENTRANCE_US 600000 /* libadwaita's lasts half a second at most */
#define TOASTS_KEY "sl-toasts"
#define TEXT_KEY "sl-text" /* of a toast whose title is a widget of ours */

/* The toasts of a window. */
#define SL_TYPE_TOASTS (sl_toasts_get_type ())

G_DECLARE_FINAL_TYPE (SlToasts, sl_toasts, SL, TOASTS, GObject)

struct _SlToasts
{
  GObject parent_instance;
  AdwToastOverlay *overlay;
  GQueue toasts;      /* of AdwToast: the one that is shown, then those that wait */
  guint entrance;     /* tick callback; 0: the first toast is all there */
  gint64 since;       /* the time of the entrance's first frame; 0: there was none */
  gboolean dismissed; /* the first toast, during its entrance */
};

G_DEFINE_FINAL_TYPE (SlToasts, sl_toasts, G_TYPE_OBJECT)

static gboolean
entrance_frame (GtkWidget *widget, GdkFrameClock *clock, gpointer data)
{
  SlToasts *self = data;
  gint64 now = gdk_frame_clock_get_frame_time (clock);

  if (self->since == 0)
    self->since = now;
  if (now - self->since < ENTRANCE_US)
    return G_SOURCE_CONTINUE;
  self->entrance = 0;
  if (self->dismissed) /* not adw_toast_dismiss, which works once */
    g_signal_emit_by_name (g_queue_peek_head (&self->toasts), "dismissed");
  return G_SOURCE_REMOVE;
}

static void
end_entrance (SlToasts *self)
{
  if (self->entrance)
    gtk_widget_remove_tick_callback (GTK_WIDGET (self->overlay), self->entrance);
  self->entrance = 0;
}

/* Of the toast that is first now. */
static void
begin_entrance (SlToasts *self)
{
  self->since = 0;
  self->dismissed = FALSE;
  if (!g_queue_is_empty (&self->toasts))
    self->entrance = gtk_widget_add_tick_callback (GTK_WIDGET (self->overlay), entrance_frame, self, NULL);
}

/* The overlay's own handler comes after this one. In a window that is not shown nothing plays. */
static void
dismissed (SlToasts *self, AdwToast *toast)
{
  gboolean first = g_queue_peek_head (&self->toasts) == toast;

  if (first && self->entrance && gtk_widget_get_mapped (GTK_WIDGET (self->overlay)))
    {
      self->dismissed = TRUE;
      adw_toast_set_button_label (toast, NULL); /* it was pressed, or it is too late */
      g_signal_stop_emission_by_name (toast, "dismissed");
      return;
    }
  if (!g_queue_remove (&self->toasts, toast))
    return;
  if (first)
    {
      end_entrance (self);
      begin_entrance (self);
    }
  g_object_unref (toast);
}

static void
sl_toasts_finalize (GObject *object)
{
  SlToasts *self = SL_TOASTS (object);

  end_entrance (self);
  g_queue_clear_full (&self->toasts, g_object_unref);
  g_object_unref (self->overlay);
  G_OBJECT_CLASS (sl_toasts_parent_class)->finalize (object);
}

static void
sl_toasts_class_init (SlToastsClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = sl_toasts_finalize;
}

static void
sl_toasts_init (SlToasts *self)
{
  g_queue_init (&self->toasts);
}

void
sl_notice_set_overlay (GtkWindow *window, AdwToastOverlay *overlay)
{
  SlToasts *toasts = g_object_new (SL_TYPE_TOASTS, NULL);

  toasts->overlay = g_object_ref (overlay);
  g_object_set_data_full (G_OBJECT (window), TOASTS_KEY, toasts, g_object_unref);
}

static const char *
get_text (AdwToast *toast)
{
  const char *text = g_object_get_data (G_OBJECT (toast), TEXT_KEY);

  return text ? text : adw_toast_get_title (toast);
}

/* Whether a toast that waits says the same, and asks nothing. */
static gboolean
is_said_already (SlToasts *toasts, AdwToast *toast)
{
  const char *text = get_text (toast);

  if (adw_toast_get_button_label (toast))
    return FALSE;
  for (GList *each = toasts->toasts.head ? toasts->toasts.head->next : NULL; each; each = each->next)
    if (adw_toast_get_button_label (each->data) == NULL && g_str_equal (get_text (each->data), text))
      return TRUE;
  return FALSE;
}

/* A toast with a button has markup for its title. */
static void
announce (SlToasts *toasts, GParamSpec *unused, AdwToast *toast)
{
  const char *own = g_object_get_data (G_OBJECT (toast), TEXT_KEY);
  g_autofree char *text = NULL;

  if (own == NULL && !pango_parse_markup (adw_toast_get_title (toast), -1, 0, NULL, &text, NULL, NULL))
    return;
  sl_toolkit_announce (GTK_WIDGET (toasts->overlay), own ? own : text);
}

void
sl_notice_add_toast (GtkWidget *from, AdwToast *toast)
{
  GtkRoot *root = gtk_widget_get_root (from);
  SlToasts *toasts = root ? g_object_get_data (G_OBJECT (root), TOASTS_KEY) : NULL;

  if (toasts == NULL || is_said_already (toasts, toast))
    {
      g_object_unref (toast);
      return;
    }
  g_signal_connect_object (toast, "dismissed", G_CALLBACK (dismissed), toasts, G_CONNECT_SWAPPED);
  g_queue_push_tail (&toasts->toasts, g_object_ref (toast));
  if (g_queue_get_length (&toasts->toasts) == 1)
    begin_entrance (toasts);
  announce (toasts, NULL, toast);
  g_signal_connect_object (toast, "notify::title", G_CALLBACK (announce), toasts, G_CONNECT_SWAPPED);
  adw_toast_overlay_add_toast (toasts->overlay, toast);
}

/* A toast's own title is one line, which ends in dots where it is too long. */
static GtkWidget *
new_title (const char *text)
{
  GtkWidget *title = gtk_label_new (text);
  GtkLabel *label = GTK_LABEL (title);

  gtk_widget_add_css_class (title, "heading");
  gtk_label_set_xalign (label, 0);
  gtk_label_set_wrap (label, TRUE);
  gtk_label_set_wrap_mode (label, PANGO_WRAP_WORD_CHAR);
  gtk_label_set_max_width_chars (label, TOAST_LETTERS);
  gtk_label_set_lines (label, TOAST_LINES);
  gtk_label_set_ellipsize (label, PANGO_ELLIPSIZE_END);
  return title;
}

void
sl_notice_toast (GtkWidget *from, const char *text)
{
  AdwToast *toast = adw_toast_new ("");
  guint seconds = (guint)g_utf8_strlen (text, -1) / LETTERS_PER_SECOND;

  g_object_set_data_full (G_OBJECT (toast), TEXT_KEY, g_strdup (text), g_free);
  adw_toast_set_custom_title (toast, new_title (text));
  adw_toast_set_timeout (toast, MAX (TOAST_SECONDS, seconds));
  sl_notice_add_toast (from, toast);
}

char *
sl_notice_short_name (const char *name)
{
  glong letters = g_utf8_strlen (name, -1), before = NAME_LETTERS / 2;
  g_autofree char *start = NULL;

  if (letters <= NAME_LETTERS)
    return g_strdup (name);
  start = g_utf8_substring (name, 0, before);
  return g_strconcat (start, "…", g_utf8_offset_to_pointer (name, letters - (NAME_LETTERS - before - 1)),
                      NULL);
}

void
sl_notice_alert (GtkWidget *from, const char *heading, const char *body)
{
  GtkRoot *root = gtk_widget_get_root (from);
  GtkWidget *alert;

  if (root == NULL || !gtk_widget_get_visible (GTK_WIDGET (root)))
    return;
  alert = sl_dialog_new_alert (heading, body);
  sl_dialog_add_response (alert, "close", _ ("_Close"), FALSE);
  sl_dialog_present (alert, from);
}

char *
sl_notice_entries_lost (guint lost, const char *name)
{
  return g_strdup_printf (
      ngettext ("%u entry could not be read; all others are here. The file as it was is kept as %s.",
                "%u entries could not be read; all others are here. The file as it was is kept as %s.", lost),
      lost, name);
}
