/* sl-terms.c - see sl-terms.h.
 *
 * Easy to get wrong: the popover shows the step that is shown now, also when a run goes on while it is open; so its
 * words are made anew with each step, and only then.
 */
#include "ui/widgets/sl-terms.h"

#include <glib/gi18n.h>

struct _SlTerms
{
  AdwBin parent_instance;
  GtkMenuButton *button;
  GtkWidget *list; /* of labels */
  SlJob *job;
  SlFrameObject *frame;
};

G_DEFINE_FINAL_TYPE (SlTerms, sl_terms, ADW_TYPE_BIN)

/* ---- the words ---- */

static double
get_guidance (SlJob *job)
{
  double guidance;

  g_object_get (sl_job_get_settings (job), "guidance", &guidance, NULL);
  return guidance;
}

static char *
explain_timestep (SlJob *job, SlFrameObject *frame)
{
  return g_strdup_printf (
      _ ("The model was trained on pictures with more and with less noise, and t tells it how much to "
         "expect: here %.4g. It began at %.4g and falls until the picture is finished."),
      sl_frame_object_get_timestep (frame), sl_job_get_plan (job)[0].timestep);
}

static char *
explain_sigma (SlJob *job, SlFrameObject *frame)
{
  return g_strdup_printf (
      _ ("Sigma is how large the noise in the sample is, measured by the picture under it: here %.3g. It "
         "began at %.3g, and the scheduler’s steps lead it down to nothing."),
      sl_frame_object_get_sigma (frame), sl_job_get_plan (job)[0].sigma);
}

static char *
explain_sample (SlJob *job, SlFrameObject *frame)
{
  g_autofree char *seed
      = g_strdup_printf ("%" G_GUINT64_FORMAT, sl_settings_get_seed (sl_job_get_settings (job)));

  return g_strdup_printf (
      _ ("The noisy sample is what the model looks at, here after step %d of %d. The first one, x_T, is "
         "nothing but random numbers, which the seed decides: %s."),
      sl_frame_object_get_step (frame) + 1, sl_frame_object_get_steps (frame), seed);
}

static char *
explain_prediction (SlJob *job, SlFrameObject *frame)
{
  if (sl_frame_object_is_last (frame))
    return g_strdup (
        _ ("At each step the model says which part of the sample is noise, and x_0 is the picture that is "
           "left without it. This is the last step: what is expected and what is there are the same."));
  return g_strdup_printf (
      _ ("At each step the model says which part of the sample is noise, and x_0 is the picture that is "
         "left without it. The scheduler takes only a part of that noise away, and then the model is "
         "asked again: %d times more."),
      sl_job_get_evaluations (job) - sl_frame_object_get_index (frame) - 1);
}

static char *
explain_guidance (SlJob *job, SlFrameObject *frame)
{
  double guidance = get_guidance (job);

  if (!sl_model_item_uses_prompt (sl_job_get_model (job)))
    return NULL;
  if (guidance <= 1)
    return g_strdup (_ (
        "Guidance enlarges what the words change. Here it is 1: the model’s answer to your prompt is taken "
        "as it is."));
  return g_strdup_printf (
      _ ("Guidance enlarges what the words change: what the model answers with your prompt and without "
         "differs, and the difference counts %.3g times. With little the picture cares less about the "
         "prompt, with much its colours become harsh."),
      guidance);
}

static const struct
{
  const char *sign, *title;
  char *(*explain) (SlJob *job, SlFrameObject *frame);
} terms[] = {
  { "t", N_ ("t, the timestep"), explain_timestep },
  { "σ", N_ ("σ, the noise level"), explain_sigma },
  { "x_t", N_ ("x_t, the noisy sample"), explain_sample },
  { "x_0", N_ ("x_0, the expected picture"), explain_prediction },
  { "guidance", N_ ("Guidance"), explain_guidance },
};

char *
sl_terms_explain (SlTerms *self, const char *sign)
{
  for (guint i = 0; i < G_N_ELEMENTS (terms); i++)
    if (g_str_equal (terms[i].sign, sign))
      return self->frame ? terms[i].explain (self->job, self->frame) : NULL;
  return NULL;
}

/* ---- the popover ---- */

static void
fill (SlTerms *self)
{
  GtkWidget *label = gtk_widget_get_first_child (self->list);

  for (guint i = 0; i < G_N_ELEMENTS (terms) && label; i++, label = gtk_widget_get_next_sibling (label))
    {
      g_autofree char *text = sl_terms_explain (self, terms[i].sign);
      g_autofree char *title = g_markup_escape_text (_ (terms[i].title), -1);
      g_autofree char *escaped = text ? g_markup_escape_text (text, -1) : NULL;
      g_autofree char *markup = text ? g_strdup_printf ("<b>%s</b>\n%s", title, escaped) : NULL;

      gtk_label_set_markup (GTK_LABEL (label), markup ? markup : "");
      gtk_widget_set_visible (label, text != NULL);
    }
}

static gboolean
is_open (SlTerms *self)
{
  GtkPopover *popover = gtk_menu_button_get_popover (self->button);

  return popover && gtk_widget_get_mapped (GTK_WIDGET (popover));
}

void
sl_terms_show (SlTerms *self, SlJob *job, SlFrameObject *frame)
{
  if (job == NULL || frame == NULL || sl_job_get_evaluations (job) == 0)
    {
      job = NULL;
      frame = NULL;
    }
  g_set_object (&self->job, job);
  g_set_object (&self->frame, frame);
  gtk_widget_set_visible (GTK_WIDGET (self), frame != NULL);
  if (is_open (self))
    fill (self);
}

/* ---- class ---- */

static void
sl_terms_dispose (GObject *object)
{
  SlTerms *self = SL_TERMS (object);

  g_clear_object (&self->job);
  g_clear_object (&self->frame);
  G_OBJECT_CLASS (sl_terms_parent_class)->dispose (object);
}

static void
sl_terms_class_init (SlTermsClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = sl_terms_dispose;
}

static GtkWidget *
make_list (SlTerms *self)
{
  self->list = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12);
  gtk_widget_set_margin_top (self->list, 6);
  gtk_widget_set_margin_bottom (self->list, 6);
  gtk_widget_set_margin_start (self->list, 6);
  gtk_widget_set_margin_end (self->list, 6);
  for (guint i = 0; i < G_N_ELEMENTS (terms); i++)
    {
      GtkWidget *label = gtk_label_new (NULL);

      gtk_label_set_xalign (GTK_LABEL (label), 0);
      gtk_label_set_wrap (GTK_LABEL (label), TRUE);
      gtk_label_set_max_width_chars (GTK_LABEL (label), 48);
      gtk_label_set_width_chars (GTK_LABEL (label), 32);
      gtk_label_set_selectable (GTK_LABEL (label),
                                TRUE); /* so that the keyboard gets to each, and readers say it */
      gtk_box_append (GTK_BOX (self->list), label);
    }
  return self->list;
}

static void
sl_terms_init (SlTerms *self)
{
  GtkWidget *popover = gtk_popover_new (), *scrolled = gtk_scrolled_window_new ();

  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scrolled), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_propagate_natural_height (GTK_SCROLLED_WINDOW (scrolled), TRUE);
  gtk_scrolled_window_set_max_content_height (GTK_SCROLLED_WINDOW (scrolled), 420);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scrolled), make_list (self));
  gtk_popover_set_child (GTK_POPOVER (popover), scrolled);
  g_signal_connect_object (popover, "map", G_CALLBACK (fill), self, G_CONNECT_SWAPPED);
  self->button = GTK_MENU_BUTTON (gtk_menu_button_new ());
  gtk_menu_button_set_icon_name (self->button, "help-about-symbolic");
  gtk_menu_button_set_popover (self->button, popover);
  gtk_widget_add_css_class (GTK_WIDGET (self->button), "flat");
  gtk_widget_set_name (GTK_WIDGET (self->button), "terms");
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->button), _ ("What the numbers of this step mean"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->button), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("What the numbers of this step mean"), -1);
  gtk_widget_set_visible (GTK_WIDGET (self), FALSE);
  adw_bin_set_child (ADW_BIN (self), GTK_WIDGET (self->button));
}
