/* sl-plan-line.c - see sl-plan-line.h.
 *
 * Easy to get wrong: the answer comes a moment after the settings changed. Whoever starts in between waits for it, but
 * only where the size or the number of steps says that it might matter: usual pictures start at once.
 */
#include "ui/window/sl-plan-line.h"

#include <glib/gi18n.h>

#include "ui/widgets/sl-dialog.h"
#include "ui/widgets/sl-duration.h"

#define SETTLE_MS 150
#define USUAL_AREA 4.0 /* times the model's own */
#define USUAL_EVALUATIONS 1000.0

struct _SlPlanLine
{
  AdwBin parent_instance;
  GtkLabel *label;
  SlWorkspace *workspace;
  SlPage *page;   /* borrowed: the window has both */
  guint settling; /* the timeout after which the question is put */
  void (*start) (gpointer user_data);
  gpointer user_data;
  gboolean waits; /* for an answer, after which it is decided */
};

G_DEFINE_FINAL_TYPE (SlPlanLine, sl_plan_line, ADW_TYPE_BIN)

/* ---- words ---- */

static char *
size_text (guint64 bytes)
{
  return g_format_size_full (bytes, G_FORMAT_SIZE_IEC_UNITS);
}

/* "3 pictures: about 2 min 5 s, 2.1 GiB of memory" */
static char *
cost_text (const SlPlanCost *cost)
{
  g_autofree char *bytes = size_text (sl_plan_cost_is_too_large (cost) ? cost->least : cost->bytes);
  g_autofree char *left = size_text (cost->left);
  g_autofree char *duration = sl_duration_text (cost->seconds);
  g_autofree char *one = NULL;

  if (sl_plan_cost_is_too_large (cost))
    one = g_strdup_printf (_ ("Needs %s of memory, and %s are there"), bytes, left);
  else if (cost->seconds >= 1)
    one = g_strdup_printf (_ ("About %s, %s of memory"), duration, bytes);
  else if (cost->seconds > 0)
    one = g_strdup_printf (_ ("Under a second, %s of memory"), bytes);
  else
    one = g_strdup_printf (_ ("%s of memory"), bytes);
  if (cost->pictures < 2)
    return g_steal_pointer (&one);
  return g_strdup_printf (ngettext ("%u picture: %s", "%u pictures: %s", cost->pictures), cost->pictures,
                          one);
}

static void
show_cost (SlPlanLine *self)
{
  const SlPlanCost *cost = sl_estimator_get (self->workspace->estimator);
  g_autofree char *text = cost ? cost_text (cost) : NULL;
  gboolean hurts = cost && (sl_plan_cost_is_too_large (cost) || sl_plan_cost_is_long (cost));
  const char *hint = cost == NULL         ? NULL
                     : cost->seconds == 0 ? _ ("How long it takes is known once a picture was made")
                     : cost->of_model     ? _ ("From the steps that this model made on this computer")
                                          : _ ("From the steps that other models made on this computer");

  /* While it is computed, what was said before stays: the line does not flicker with every key. */
  if (cost == NULL && sl_estimator_is_asking (self->workspace->estimator))
    return;
  gtk_label_set_text (self->label, text ? text : "");
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->label), hint);
  gtk_widget_set_visible (GTK_WIDGET (self), text != NULL);
  if (hurts)
    {
      gtk_widget_remove_css_class (GTK_WIDGET (self->label), "dim-label");
      gtk_widget_add_css_class (GTK_WIDGET (self->label), "warning");
    }
  else
    {
      gtk_widget_add_css_class (GTK_WIDGET (self->label), "dim-label");
      gtk_widget_remove_css_class (GTK_WIDGET (self->label), "warning");
    }
}

/* ---- what would be started ---- */

static void
ask (SlPlanLine *self)
{
  g_autoptr (GPtrArray) plan = g_ptr_array_new_with_free_func (g_object_unref);
  guint count = 1;

  g_clear_handle_id (&self->settling, g_source_remove);
  if (self->workspace->closed || self->page == NULL)
    return;
  sl_page_get_plan (self->page, plan, &count);
  sl_estimator_ask (self->workspace->estimator, self->workspace->model, plan, count);
}

static gboolean
settled (gpointer data)
{
  SlPlanLine *self = data;

  self->settling = 0;
  ask (self);
  return G_SOURCE_REMOVE;
}

static void
plan_changed (SlPlanLine *self)
{
  if (self->settling == 0 && !self->workspace->closed)
    self->settling = g_timeout_add (SETTLE_MS, settled, self);
}

void
sl_plan_line_set_page (SlPlanLine *self, SlPage *page)
{
  self->page = page;
  plan_changed (self);
}

/* Whether a plan is so small that nobody needs to wait for its cost. */
static gboolean
is_usual (SlPlanLine *self)
{
  g_autoptr (GPtrArray) plan = g_ptr_array_new_with_free_func (g_object_unref);
  SlModelItem *model = self->workspace->model;
  double own = model ? (double)sl_model_item_get_width (model) * sl_model_item_get_height (model) : 0;
  double evaluations = 0, area = 0;
  guint count = 1;

  sl_page_get_plan (self->page, plan, &count);
  for (guint i = 0; i < plan->len; i++)
    {
      evaluations += (double)sl_settings_get_steps (plan->pdata[i]) * count;
      area = MAX (area,
                  (double)sl_settings_get_width (plan->pdata[i]) * sl_settings_get_height (plan->pdata[i]));
    }
  return area <= USUAL_AREA * own && evaluations <= USUAL_EVALUATIONS;
}

/* ---- the question ---- */

static void
start_now (SlPlanLine *self)
{
  void (*start) (gpointer user_data) = self->start;

  self->start = NULL;
  if (start && !self->workspace->closed)
    start (self->user_data);
}

static void
responded (GtkWidget *dialog, const char *response, SlPlanLine *self)
{
  if (g_str_equal (response, "develop"))
    start_now (self);
  self->start = NULL;
}

static void
put_question (SlPlanLine *self, const SlPlanCost *cost)
{
  gboolean large = sl_plan_cost_is_too_large (cost);
  g_autofree char *bytes = size_text (cost->least), *left = size_text (cost->left);
  g_autofree char *duration = sl_duration_text (cost->rough);
  g_autofree char *body
      = large ? g_strdup_printf (
            _ ("It needs %s of memory, and %s are there. It would fail, or make everything else slow. "
               "A smaller picture needs less."),
            bytes, left)
        : cost->seconds > 0
            ? g_strdup_printf (_ ("It takes about %s here. Fewer steps or a smaller picture take less."),
                               duration)
            : g_strdup_printf (_ ("It takes %s or more here. Fewer steps or a smaller picture take less."),
                               duration);
  GtkWidget *dialog
      = sl_dialog_new_alert (large ? _ ("This does not fit into memory") : _ ("This takes hours"), body);

  sl_dialog_add_response (dialog, "cancel", _ ("_Cancel"), TRUE);
  sl_dialog_add_response (dialog, "develop", _ ("_Develop Anyway"), FALSE);
  g_signal_connect_object (dialog, "response", G_CALLBACK (responded), self, 0);
  sl_dialog_present (dialog, GTK_WIDGET (self));
}

static void
decide (gpointer data)
{
  g_autoptr (SlPlanLine) self = data;
  const SlPlanCost *cost;

  self->waits = FALSE;
  if (self->start == NULL || self->workspace->closed)
    return;
  cost = sl_estimator_get (self->workspace->estimator);
  if (cost && (sl_plan_cost_is_too_large (cost) || sl_plan_cost_is_long (cost)))
    put_question (self, cost);
  else
    start_now (self);
}

void
sl_plan_line_start (SlPlanLine *self, void (*start) (gpointer user_data), gpointer user_data)
{
  self->start = start;
  self->user_data = user_data;
  if (self->settling)
    ask (self);
  if (sl_estimator_is_asking (self->workspace->estimator) && is_usual (self))
    start_now (self);
  else if (!self->waits)
    {
      self->waits = TRUE;
      sl_estimator_wait (self->workspace->estimator, decide, g_object_ref (self));
    }
}

/* ---- class ---- */

void
sl_plan_line_connect (SlPlanLine *self, SlWorkspace *workspace)
{
  const struct
  {
    gpointer object;
    const char *signal;
    GCallback handler;
  } handlers[] = {
    { workspace->recipe, "notify", G_CALLBACK (plan_changed) },
    { workspace->preferences, "changed::count", G_CALLBACK (plan_changed) },
    { workspace->worker, "loaded", G_CALLBACK (plan_changed) },
    { workspace->preferences, "changed::speeds",
      G_CALLBACK (plan_changed) }, /* a run that ended tells more */
    { workspace->comparison, "items-changed", G_CALLBACK (plan_changed) },
    { workspace->comparison, "lane-changed", G_CALLBACK (plan_changed) },
    { workspace, "model-changed", G_CALLBACK (plan_changed) },
    { workspace->estimator, "changed", G_CALLBACK (show_cost) },
  };

  self->workspace = g_object_ref (workspace);
  for (guint i = 0; i < G_N_ELEMENTS (handlers); i++)
    g_signal_connect_object (handlers[i].object, handlers[i].signal, handlers[i].handler, self,
                             G_CONNECT_SWAPPED);
}

static void
sl_plan_line_dispose (GObject *object)
{
  SlPlanLine *self = SL_PLAN_LINE (object);

  g_clear_handle_id (&self->settling, g_source_remove);
  self->start = NULL;
  g_clear_object (&self->workspace);
  G_OBJECT_CLASS (sl_plan_line_parent_class)->dispose (object);
}

static void
sl_plan_line_class_init (SlPlanLineClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = sl_plan_line_dispose;
}

static void
sl_plan_line_init (SlPlanLine *self)
{
  self->label = GTK_LABEL (gtk_label_new (""));
  gtk_widget_set_name (GTK_WIDGET (self->label), "plan");
  gtk_label_set_xalign (self->label, 0);
  gtk_label_set_wrap (self->label, TRUE);
  gtk_label_set_wrap_mode (self->label, PANGO_WRAP_WORD_CHAR);
  gtk_widget_add_css_class (GTK_WIDGET (self->label), "caption");
  gtk_widget_add_css_class (GTK_WIDGET (self->label), "numeric");
  gtk_widget_add_css_class (GTK_WIDGET (self->label), "dim-label");
  gtk_widget_set_visible (GTK_WIDGET (self), FALSE);
  adw_bin_set_child (ADW_BIN (self), GTK_WIDGET (self->label));
}
