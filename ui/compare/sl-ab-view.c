/* sl-ab-view.c - see sl-ab-view.h.
 *
 * Easy to get wrong: blinking is for eyes that bear it. It never changes more than three times a second, and where
 * animations are turned off it does not blink by itself: Space changes the picture.
 */
#include "ui/compare/sl-ab-view.h"

#include <glib/gi18n.h>
#include <math.h>

#include "ui/compare/sl-heat-scale.h"
#include "ui/compare/sl-lane-text.h"
#include "ui/widgets/sl-button-name.h"
#include "ui/widgets/sl-toolkit.h"

#define NEAR_LINE 14 /* pixels from the line that take hold of it */

struct _SlAbView
{
  AdwBin parent_instance;
  GtkLabel *badge_a;
  GtkLabel *badge_b;
  GtkDropDown *choose_a;
  GtkDropDown *choose_b;
  GtkDropDown *choose_mode;
  GtkScale *amount;
  GtkAdjustment *adjustment;
  GtkLabel *amount_text;
  GtkWidget *other;
  GtkOverlay *overlay;
  SlCanvas *canvas;
  GtkLabel *name_a;
  GtkLabel *name_b;
  SlHeatScale *scale;
  GtkLabel *status;

  SlComparison *comparison;
  SlSettings *recipe;
  SlCompareLane *a; /* NULL before it was opened */
  SlCompareLane *b;
  SlView view;
  SlAbMode mode;
  double amounts[SL_AB_N_MODES]; /* of each mode its own */
  gboolean open;
  gboolean shows_b;
  gboolean filling; /* the lists are set by the program */
  guint blink;      /* timeout; 0: it does not blink */
};

G_DEFINE_FINAL_TYPE (SlAbView, sl_ab_view, ADW_TYPE_BIN)

enum
{
  LEFT,
  PICKED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* What can be set in a mode. */
static const struct
{
  const char *label; /* NULL: nothing */
  double low, high, step, page, usual;
} amounts[SL_AB_N_MODES] = {
  [SL_AB_WIPE] = { N_ ("Where the line is"), 0, 1, 0.01, 0.1, 0.5 },
  [SL_AB_BLINK] = { N_ ("Changes a second"), 0.25, 3, 0.25, 0.5, 1 },
  [SL_AB_DIFFERENCE] = { N_ ("Gain"), 1, 32, 1, 4, 4 },
  [SL_AB_ONE] = { NULL, 0, 1, 1, 1, 0 },
};

/* ---- the lanes ---- */

static guint
count_lanes (SlAbView *self)
{
  return g_list_model_get_n_items (G_LIST_MODEL (self->comparison));
}

static guint
index_of (SlAbView *self, SlCompareLane *lane)
{
  for (guint i = 0; i < count_lanes (self); i++)
    if (sl_comparison_get_lane (self->comparison, i) == lane)
      return i;
  return G_MAXUINT;
}

/* In place of lanes that are gone, the first that is there. */
static gboolean
keep_lanes (SlAbView *self)
{
  if (count_lanes (self) == 0)
    return FALSE;
  if (self->a == NULL || index_of (self, self->a) == G_MAXUINT)
    g_set_object (&self->a, sl_comparison_get_lane (self->comparison, 0));
  if (self->b == NULL || index_of (self, self->b) == G_MAXUINT)
    g_set_object (&self->b, sl_comparison_get_lane (self->comparison, count_lanes (self) - 1));
  return TRUE;
}

void
sl_ab_view_get_lanes (SlAbView *self, guint *a, guint *b)
{
  *a = index_of (self, self->a);
  *b = index_of (self, self->b);
}

static SlFrameObject *
frame_of (SlAbView *self, SlCompareLane *lane)
{
  return sl_comparison_get_frame (self->comparison, index_of (self, lane));
}

/* "2 · Heun · 30 steps" */
static char *
name_of (SlAbView *self, SlCompareLane *lane)
{
  guint index = index_of (self, lane);
  g_autofree char *name = sl_comparison_dup_lane_name (self->comparison, index, self->recipe);

  return g_strdup_printf ("%u · %s", index + 1, name);
}

/* Long names are cut in the button, so that it needs little room; the list has them whole. */
static void
setup_name (GtkSignalListItemFactory *factory, GtkListItem *item)
{
  GtkWidget *label = gtk_label_new (NULL);

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
  gtk_label_set_width_chars (GTK_LABEL (label), 3);
  gtk_list_item_set_child (item, label);
}

static void
bind_name (GtkSignalListItemFactory *factory, GtkListItem *item)
{
  gtk_label_set_text (GTK_LABEL (gtk_list_item_get_child (item)),
                      gtk_string_object_get_string (gtk_list_item_get_item (item)));
}

static void
cut_names (GtkDropDown *list)
{
  g_autoptr (GtkListItemFactory) whole = g_object_ref (gtk_drop_down_get_factory (list));
  g_autoptr (GtkListItemFactory) cut = gtk_signal_list_item_factory_new ();

  g_signal_connect (cut, "setup", G_CALLBACK (setup_name), NULL);
  g_signal_connect (cut, "bind", G_CALLBACK (bind_name), NULL);
  gtk_drop_down_set_factory (list, cut);
  gtk_drop_down_set_list_factory (list, whole);
}

static void
fill (SlAbView *self, GtkDropDown *list, SlCompareLane *chosen)
{
  GtkStringList *names = gtk_string_list_new (NULL);
  GListModel *before = gtk_drop_down_get_model (list);
  gboolean same = before && g_list_model_get_n_items (before) == count_lanes (self);

  for (guint i = 0; i < count_lanes (self); i++)
    {
      g_autofree char *name = name_of (self, sl_comparison_get_lane (self->comparison, i));

      gtk_string_list_append (names, name);
      same = same && g_str_equal (gtk_string_list_get_string (GTK_STRING_LIST (before), i), name);
    }
  self->filling = TRUE;
  if (!same)
    gtk_drop_down_set_model (list, G_LIST_MODEL (names));
  gtk_drop_down_set_selected (list, index_of (self, chosen));
  self->filling = FALSE;
  g_object_unref (names);
}

static void
show_badge (GtkLabel *badge, SlCompareLane *lane)
{
  g_autofree char *class = g_strdup_printf ("lane-%u",
                                            sl_compare_lane_get_color (lane) % sl_lane_color_count () + 1);
  const char *classes[] = { "lane-number", class, NULL };

  gtk_widget_set_css_classes (GTK_WIDGET (badge), classes);
}

static void
show_name (SlAbView *self, GtkLabel *label, SlCompareLane *lane, const char *letter)
{
  g_autofree char *name = name_of (self, lane);
  g_autofree char *text = g_strdup_printf ("%s  %s", letter, name);

  gtk_label_set_text (label, text);
}

static void
show_names (SlAbView *self)
{
  gboolean both = self->mode == SL_AB_WIPE || self->mode == SL_AB_DIFFERENCE;

  fill (self, self->choose_a, self->a);
  fill (self, self->choose_b, self->b);
  show_badge (self->badge_a, self->a);
  show_badge (self->badge_b, self->b);
  show_name (self, self->name_a, self->a, "A");
  show_name (self, self->name_b, self->b, "B");
  gtk_widget_set_visible (GTK_WIDGET (self->name_a), both || !self->shows_b);
  gtk_widget_set_visible (GTK_WIDGET (self->name_b), both || self->shows_b);
}

/* ---- the picture ---- */

static GdkTexture *
new_texture (SlAbView *self, SlFrameObject *frame)
{
  int width, height;
  GBytes *rgb = frame ? sl_frame_object_get_rgb (frame, self->view, &width, &height) : NULL;

  return rgb ? sl_texture_new_rgb (rgb, width, height) : NULL;
}

static char *
likeness_text (SlAbView *self, SlFrameObject *a, SlFrameObject *b)
{
  gboolean decoded
      = sl_frame_object_is_decoded (a, SL_VIEW_PICTURE) && sl_frame_object_is_decoded (b, SL_VIEW_PICTURE);
  double psnr = sl_difference_psnr (a, b, decoded);

  if (isnan (psnr))
    return g_strdup (_ ("A and B have different sizes"));
  if (isinf (psnr))
    return g_strdup (_ ("A and B are equal here"));
  return g_strdup_printf (decoded ? _ ("A and B are alike by %.1f dB (PSNR)")
                                  : _ ("The quick previews of A and B are alike by %.1f dB (PSNR)"),
                          psnr);
}

static GdkTexture *
new_heat (SlAbView *self, SlFrameObject *a, SlFrameObject *b, char **status)
{
  int full = (int)lround (255 / self->amounts[SL_AB_DIFFERENCE]), width, height;
  SlPixelDifference difference;
  g_autoptr (GBytes) heat
      = sl_difference_heat (&(SlHeatOf){ a, b, self->view, full }, &width, &height, &difference);

  sl_heat_scale_set_full (self->scale, full);
  if (heat == NULL)
    return NULL;
  g_free (*status);
  *status = g_strdelimit (sl_lane_difference (&difference), "\n", ' ');
  return sl_texture_new_rgb (heat, width, height);
}

static void
show_status (SlAbView *self, const char *text)
{
  if (g_strcmp0 (gtk_label_get_text (self->status), text) != 0)
    gtk_label_set_text (self->status, text);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->canvas), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, text,
                                  -1);
}

static void
show_picture (SlAbView *self)
{
  SlFrameObject *a = frame_of (self, self->a), *b = frame_of (self, self->b);
  SlFrameObject *first = self->shows_b && self->mode != SL_AB_WIPE ? b : a;
  SlJob *job = sl_compare_lane_get_job (self->a);
  g_autofree char *status
      = a && b ? likeness_text (self, a, b) : g_strdup (_ ("There is no step to look at yet"));
  g_autoptr (GdkTexture) heat
      = self->mode == SL_AB_DIFFERENCE && a && b ? new_heat (self, a, b, &status) : NULL;
  g_autoptr (GdkTexture) texture = heat ? g_object_ref (heat) : new_texture (self, first);
  g_autoptr (GdkTexture) beside = self->mode == SL_AB_WIPE ? new_texture (self, b) : NULL;

  if (job)
    sl_canvas_set_size (self->canvas, sl_settings_get_width (sl_job_get_settings (job)),
                        sl_settings_get_height (sl_job_get_settings (job)));
  sl_canvas_set_texture (self->canvas, texture);
  sl_canvas_set_beside (self->canvas, beside, self->amounts[SL_AB_WIPE]);
  show_status (self, status);
}

/* ---- blinking ---- */

static gboolean
is_calm (SlAbView *self)
{
  gboolean animations = TRUE;

  g_object_get (gtk_widget_get_settings (GTK_WIDGET (self)), "gtk-enable-animations", &animations, NULL);
  return !animations;
}

static void
show_other (SlAbView *self)
{
  self->shows_b = !self->shows_b;
  show_names (self);
  show_picture (self);
}

static gboolean
blinked (gpointer data)
{
  show_other (data);
  return G_SOURCE_CONTINUE;
}

static void
start_blinking (SlAbView *self)
{
  g_clear_handle_id (&self->blink, g_source_remove);
  if (self->open && self->mode == SL_AB_BLINK && !is_calm (self))
    self->blink = g_timeout_add ((guint)(1000 / self->amounts[SL_AB_BLINK]), blinked, self);
}

/* ---- modes ---- */

static char *
amount_text (SlAbView *self)
{
  double amount = self->amounts[self->mode];

  switch (self->mode)
    {
    case SL_AB_WIPE:
      return g_strdup_printf (_ ("%.0f %%"), 100 * amount);
    case SL_AB_BLINK:
      if (is_calm (self))
        return g_strdup (_ ("by Space"));
      /* Translators: how often the picture changes, a second. */
      return g_strdup_printf (_ ("%.2g / s"), amount);
    case SL_AB_DIFFERENCE:
      return g_strdup_printf ("× %.0f", amount);
    default:
      return g_strdup ("");
    }
}

static void
show_amount (SlAbView *self)
{
  g_autofree char *text = amount_text (self);

  gtk_label_set_text (self->amount_text, text);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->amount), GTK_ACCESSIBLE_PROPERTY_VALUE_TEXT, text,
                                  -1);
}

static void
show_mode (SlAbView *self)
{
  const char *label = amounts[self->mode].label;

  self->filling = TRUE;
  gtk_drop_down_set_selected (self->choose_mode, self->mode);
  gtk_adjustment_configure (self->adjustment, self->amounts[self->mode], amounts[self->mode].low,
                            amounts[self->mode].high, amounts[self->mode].step, amounts[self->mode].page, 0);
  self->filling = FALSE;
  gtk_widget_set_visible (GTK_WIDGET (self->amount), label != NULL);
  gtk_widget_set_visible (GTK_WIDGET (self->amount_text), label != NULL);
  gtk_widget_set_sensitive (GTK_WIDGET (self->amount), !(self->mode == SL_AB_BLINK && is_calm (self)));
  gtk_widget_set_visible (GTK_WIDGET (self->scale), self->mode == SL_AB_DIFFERENCE);
  gtk_widget_set_visible (self->other, self->mode == SL_AB_BLINK || self->mode == SL_AB_ONE);
  if (label)
    {
      gtk_widget_set_tooltip_text (GTK_WIDGET (self->amount), _ (label));
      gtk_accessible_update_property (GTK_ACCESSIBLE (self->amount), GTK_ACCESSIBLE_PROPERTY_LABEL, _ (label),
                                      -1);
    }
  show_amount (self);
}

/* "Wipe. A: 1 · Euler. B: 2 · Heun." */
static void
announce (SlAbView *self)
{
  GListModel *modes = gtk_drop_down_get_model (self->choose_mode);
  g_autofree char *a = name_of (self, self->a), *b = name_of (self, self->b);
  const char *mode = gtk_string_list_get_string (GTK_STRING_LIST (modes), self->mode);
  /* Translators: how two lanes are shown, and their names. */
  g_autofree char *text = g_strdup_printf (_ ("%s. A: %s. B: %s."), mode, a, b);

  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, text, -1);
  sl_toolkit_announce (GTK_WIDGET (self), text);
}

void
sl_ab_view_set_mode (SlAbView *self, SlAbMode mode)
{
  self->mode = mode;
  self->shows_b = FALSE;
  show_mode (self);
  if (!self->open)
    return;
  show_names (self);
  show_picture (self);
  start_blinking (self);
  announce (self);
}

SlAbMode
sl_ab_view_get_mode (SlAbView *self)
{
  return self->mode;
}

void
sl_ab_view_set_amount (SlAbView *self, double amount)
{
  gtk_adjustment_set_value (self->adjustment, amount);
}

double
sl_ab_view_get_amount (SlAbView *self)
{
  return self->amounts[self->mode];
}

gboolean
sl_ab_view_shows_b (SlAbView *self)
{
  return self->shows_b;
}

SlCanvas *
sl_ab_view_get_canvas (SlAbView *self)
{
  return self->canvas;
}

/* ---- what a person chooses ---- */

static void
amount_changed (SlAbView *self)
{
  if (self->filling)
    return;
  self->amounts[self->mode] = gtk_adjustment_get_value (self->adjustment);
  show_amount (self);
  if (!self->open)
    return;
  show_picture (self);
  if (self->mode == SL_AB_BLINK)
    start_blinking (self);
}

static void
mode_chosen (SlAbView *self)
{
  if (!self->filling)
    sl_ab_view_set_mode (self, (SlAbMode)gtk_drop_down_get_selected (self->choose_mode));
}

static void
pick (SlAbView *self, SlCompareLane **place, guint index)
{
  SlCompareLane *lane = sl_comparison_get_lane (self->comparison, index);

  if (lane == NULL || !g_set_object (place, lane))
    return;
  show_names (self);
  show_picture (self);
  announce (self);
  g_signal_emit (self, signals[PICKED], 0);
}

static void
a_chosen (SlAbView *self)
{
  if (!self->filling)
    pick (self, &self->a, gtk_drop_down_get_selected (self->choose_a));
}

static void
b_chosen (SlAbView *self)
{
  if (!self->filling)
    pick (self, &self->b, gtk_drop_down_get_selected (self->choose_b));
}

static gboolean
choose_number (GtkWidget *widget, GVariant *arguments, gpointer user_data)
{
  SlAbView *self = SL_AB_VIEW (widget);

  pick (self, &self->b, (guint)g_variant_get_int32 (arguments) - 1);
  return TRUE;
}

static gboolean
next_mode (GtkWidget *widget, GVariant *arguments, gpointer user_data)
{
  SlAbView *self = SL_AB_VIEW (widget);

  sl_ab_view_set_mode (self, (SlAbMode)((self->mode + 1) % SL_AB_N_MODES));
  return TRUE;
}

static gboolean
change_amount (GtkWidget *widget, GVariant *arguments, gpointer user_data)
{
  SlAbView *self = SL_AB_VIEW (widget);

  sl_ab_view_set_amount (self, self->amounts[self->mode]
                                   + g_variant_get_int32 (arguments) * amounts[self->mode].page / 2);
  return TRUE;
}

static void
swap (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlAbView *self = SL_AB_VIEW (widget);
  SlCompareLane *a = self->a;

  self->a = self->b;
  self->b = a;
  show_names (self);
  show_picture (self);
  announce (self);
}

static void
other (GtkWidget *widget, const char *action, GVariant *parameter)
{
  SlAbView *self = SL_AB_VIEW (widget);

  if (self->mode != SL_AB_BLINK && self->mode != SL_AB_ONE)
    return;
  show_other (self);
  start_blinking (self);
}

static void
leave (GtkWidget *widget, const char *action, GVariant *parameter)
{
  g_signal_emit (widget, signals[LEFT], 0);
}

/* ---- the line ---- */

/* Where it is in the canvas; FALSE where there is none. */
static gboolean
line_x (SlAbView *self, double *x)
{
  graphene_rect_t paper;

  if (self->mode != SL_AB_WIPE || !sl_canvas_get_paper (self->canvas, &paper))
    return FALSE;
  *x = (double)paper.origin.x + (double)paper.size.width * self->amounts[SL_AB_WIPE];
  return TRUE;
}

static void
drag_begin (SlAbView *self, double x, double y, GtkGesture *drag)
{
  double line;

  gtk_gesture_set_state (drag, line_x (self, &line) && fabs (x - line) <= NEAR_LINE
                                   ? GTK_EVENT_SEQUENCE_CLAIMED
                                   : GTK_EVENT_SEQUENCE_DENIED);
}

static void
drag_update (SlAbView *self, double dx, double dy, GtkGestureDrag *drag)
{
  graphene_rect_t paper;
  double x, y;

  if (gtk_gesture_drag_get_start_point (drag, &x, &y) && sl_canvas_get_paper (self->canvas, &paper)
      && paper.size.width > 0)
    sl_ab_view_set_amount (self, (x + dx - (double)paper.origin.x) / (double)paper.size.width);
}

static void
pointer_moved (SlAbView *self, double x, double y)
{
  double line;

  gtk_widget_set_cursor_from_name (
      GTK_WIDGET (self->canvas), line_x (self, &line) && fabs (x - line) <= NEAR_LINE ? "col-resize" : NULL);
}

/* ---- from outside ---- */

gboolean
sl_ab_view_update (SlAbView *self, SlView view)
{
  self->view = view;
  if (!keep_lanes (self))
    return FALSE;
  show_names (self);
  show_picture (self);
  return TRUE;
}

void
sl_ab_view_open (SlAbView *self, guint a, guint b)
{
  g_set_object (&self->a, sl_comparison_get_lane (self->comparison, a));
  g_set_object (&self->b, sl_comparison_get_lane (self->comparison, b));
  self->open = TRUE;
  if (keep_lanes (self))
    sl_ab_view_set_mode (self, self->a == self->b ? SL_AB_ONE : self->mode);
}

void
sl_ab_view_close (SlAbView *self)
{
  self->open = FALSE;
  g_clear_handle_id (&self->blink, g_source_remove);
  sl_canvas_set_texture (self->canvas, NULL);
  sl_canvas_set_beside (self->canvas, NULL, 0);
  g_clear_object (&self->a);
  g_clear_object (&self->b);
}

void
sl_ab_view_connect (SlAbView *self, SlComparison *comparison, SlSettings *recipe)
{
  self->comparison = g_object_ref (comparison);
  self->recipe = g_object_ref (recipe);
}

/* ---- class ---- */

static void
sl_ab_view_dispose (GObject *object)
{
  SlAbView *self = SL_AB_VIEW (object);

  g_clear_handle_id (&self->blink, g_source_remove);
  g_clear_object (&self->a);
  g_clear_object (&self->b);
  g_clear_object (&self->comparison);
  g_clear_object (&self->recipe);
  G_OBJECT_CLASS (sl_ab_view_parent_class)->dispose (object);
}

#define BIND(name) gtk_widget_class_bind_template_child (widget_class, SlAbView, name)

static void
add_keys (GtkWidgetClass *widget_class)
{
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "ab.leave", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_x, 0, "ab.swap", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_space, 0, "ab.other", NULL);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_m, 0, next_mode, NULL);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_Left, GDK_SHIFT_MASK, change_amount, "i", -1);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_Right, GDK_SHIFT_MASK, change_amount, "i", 1);
  for (int i = 1; i <= 9; i++)
    gtk_widget_class_add_binding (widget_class, (guint)(GDK_KEY_0 + i), 0, choose_number, "i", i);
}

static void
sl_ab_view_class_init (SlAbViewClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  g_type_ensure (SL_TYPE_CANVAS);
  g_type_ensure (SL_TYPE_HEAT_SCALE);
  G_OBJECT_CLASS (klass)->dispose = sl_ab_view_dispose;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/safelight/Safelight/sl-ab-view.ui");
  BIND (badge_a);
  BIND (badge_b);
  BIND (choose_a);
  BIND (choose_b);
  BIND (choose_mode);
  BIND (amount);
  BIND (adjustment);
  BIND (amount_text);
  BIND (other);
  BIND (overlay);
  BIND (canvas);
  BIND (name_a);
  BIND (name_b);
  BIND (scale);
  BIND (status);
  gtk_widget_class_install_action (widget_class, "ab.swap", NULL, swap);
  gtk_widget_class_install_action (widget_class, "ab.other", NULL, other);
  gtk_widget_class_install_action (widget_class, "ab.leave", NULL, leave);
  add_keys (widget_class);
  signals[LEFT]
      = g_signal_new ("left", SL_TYPE_AB_VIEW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[PICKED]
      = g_signal_new ("picked", SL_TYPE_AB_VIEW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
sl_ab_view_init (SlAbView *self)
{
  GtkGesture *drag = gtk_gesture_drag_new ();
  GtkEventController *motion = gtk_event_controller_motion_new ();

  gtk_widget_init_template (GTK_WIDGET (self));
  sl_button_name_in_list (self->choose_a);
  sl_button_name_in_list (self->choose_b);
  sl_button_name_in_list (self->choose_mode);
  for (guint i = 0; i < SL_AB_N_MODES; i++)
    self->amounts[i] = amounts[i].usual;
  show_mode (self);
  cut_names (self->choose_a);
  cut_names (self->choose_b);
  /* Before the canvas, which moves the picture otherwise. */
  gtk_event_controller_set_propagation_phase (GTK_EVENT_CONTROLLER (drag), GTK_PHASE_CAPTURE);
  g_signal_connect_swapped (drag, "drag-begin", G_CALLBACK (drag_begin), self);
  g_signal_connect_swapped (drag, "drag-update", G_CALLBACK (drag_update), self);
  g_signal_connect_swapped (motion, "motion", G_CALLBACK (pointer_moved), self);
  gtk_widget_add_controller (GTK_WIDGET (self->overlay), GTK_EVENT_CONTROLLER (drag));
  gtk_widget_add_controller (GTK_WIDGET (self->overlay), motion);
  g_signal_connect_swapped (self->adjustment, "value-changed", G_CALLBACK (amount_changed), self);
  g_signal_connect_swapped (self->choose_mode, "notify::selected", G_CALLBACK (mode_chosen), self);
  g_signal_connect_swapped (self->choose_a, "notify::selected", G_CALLBACK (a_chosen), self);
  g_signal_connect_swapped (self->choose_b, "notify::selected", G_CALLBACK (b_chosen), self);
}
