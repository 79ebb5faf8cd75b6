/* sl-comparison-files.c - see sl-comparison-files.h. */
#include "ui/compare/sl-comparison-files.h"

#include <glib/gi18n.h>

#include "ui/compare/sl-lane-text.h"
#include "ui/exchange/sl-animation-page.h"
#include "ui/exchange/sl-moment-file.h"
#include "ui/widgets/sl-notice.h"
#include "ui/widgets/sl-path-dialog.h"

struct _SlComparisonFiles
{
  GObject parent_instance;
  SlWorkspace *workspace;
  SlCompareView *view; /* not held */
  SlExportBar *export_bar;
  SlExportLook look; /* of the next animation */
  char *table_path;  /* where the table goes as soon as it is complete; NULL: nowhere */
};

G_DEFINE_FINAL_TYPE (SlComparisonFiles, sl_comparison_files, G_TYPE_OBJECT)

enum
{
  OPENED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* ---- out ---- */

static SlExportTask *
start_sheet (gpointer comparison, const char *path, const SlExportCall *call)
{
  return sl_comparison_export_sheet (comparison, path, call);
}

static SlExportTask *
start_animation (gpointer files, const char *path, const SlExportCall *call)
{
  SlComparisonFiles *self = files;

  return sl_comparison_export_animation (self->workspace->comparison, path, &self->look, call);
}

/* files is the SlComparisonFiles: lanes are called in the page as they are here. */
static SlExportTask *
start_report (gpointer files, const char *path, const SlExportCall *call)
{
  SlComparisonFiles *self = files;
  SlComparison *comparison = self->workspace->comparison;
  g_auto (GStrv) titles = sl_comparison_dup_lane_names (comparison, self->workspace->recipe);

  return sl_comparison_export_report (comparison, (const char *const *)titles, path, call);
}

static void
saved (const GError *error, gpointer user_data)
{
  g_autoptr (GtkWidget) widget = user_data;

  if (error)
    sl_notice_alert (widget, _ ("The comparison could not be saved"), error->message);
  else
    sl_notice_toast (widget, _ ("Saved"));
}

static void
save_lane (SlComparisonFiles *self, guint lane, const char *path)
{
  SlComparison *comparison = self->workspace->comparison;
  SlFrameObject *frame = sl_comparison_get_frame (comparison, lane);

  if (frame)
    sl_moment_file_save (self->workspace, GTK_WIDGET (self->view),
                         &(SlMomentOfRun){ sl_comparison_get_job (comparison, lane), frame }, path);
}

static void
save_all (SlComparisonFiles *self, const char *path)
{
  if (!self->workspace->closed)
    sl_comparison_file_save (self->workspace->comparison, self->workspace->files, path, saved,
                             g_object_ref (self->view));
}

/* What is still to be decoded is waited for, or the likeness of some lanes would be missing. */
static void
save_table (SlComparisonFiles *self)
{
  SlCompareTable *table
      = sl_lane_table_get_table (sl_compare_chart_get_table (sl_compare_view_get_chart (self->view)));
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;

  if (sl_compare_table_is_waiting (table) || self->table_path == NULL)
    return;
  path = g_steal_pointer (&self->table_path);
  g_signal_handlers_disconnect_by_func (table, save_table, self);
  sl_compare_rows_save (G_LIST_MODEL (table), path, &error);
  saved (error, g_object_ref (self->view));
}

static void
begin_table (SlComparisonFiles *self, const char *path)
{
  SlCompareTable *table
      = sl_lane_table_get_table (sl_compare_chart_get_table (sl_compare_view_get_chart (self->view)));

  g_signal_handlers_disconnect_by_func (table, save_table, self);
  g_free (self->table_path);
  self->table_path = g_strdup (path);
  sl_compare_table_update (table);
  g_signal_connect_object (table, "changed", G_CALLBACK (save_table), self, G_CONNECT_SWAPPED);
  save_table (self);
}

static void
save_to (gpointer files, const char *path, const char *what)
{
  SlComparisonFiles *self = files;

  if (g_str_equal (what, "sheet"))
    sl_export_bar_write (self->export_bar, start_sheet, self->workspace->comparison, path);
  else if (g_str_equal (what, "animation"))
    sl_export_bar_write (self->export_bar, start_animation, self, path);
  else if (g_str_equal (what, "report"))
    sl_export_bar_write (self->export_bar, start_report, self, path);
  else if (g_str_equal (what, "table"))
    begin_table (self, path);
  else if (g_str_equal (what, "comparison"))
    save_all (self, path);
  else if (g_str_equal (what, "picture"))
    save_lane (self, sl_compare_view_get_chosen (self->view), path);
}

static void
lane_path_chosen (gpointer files, const char *path, const char *lane)
{
  save_lane (files, (guint)g_ascii_strtoull (lane, NULL, 10), path);
}

void
sl_comparison_files_save_lane (SlComparisonFiles *self, guint lane)
{
  SlComparison *comparison = self->workspace->comparison;
  SlFrameObject *frame = sl_comparison_get_frame (comparison, lane);
  g_autofree char *which = g_strdup_printf ("%u", lane);
  g_autofree char *name
      = frame ? sl_job_dup_file_name (sl_comparison_get_job (comparison, lane), frame, ".png") : NULL;
  const SlPathDialog dialog = { .from = GTK_WIDGET (self->view),
                                .title = _ ("Save This Lane’s Picture"),
                                .wants = SL_PATH_SAVE,
                                .name = name };

  if (frame)
    sl_path_dialog_show (&dialog, lane_path_chosen, G_OBJECT (self), which);
}

static void
ask_for_path (SlComparisonFiles *self, const char *what, const char *title, const char *ending)
{
  g_autofree char *name = sl_comparison_dup_file_name (self->workspace->comparison, ending);
  const SlPathDialog dialog
      = { .from = GTK_WIDGET (self->view), .title = title, .wants = SL_PATH_SAVE, .name = name };

  sl_path_dialog_show (&dialog, save_to, G_OBJECT (self), what);
}

static void
animation_chosen (gpointer files, const SlExportLook *look, const char *ending)
{
  SlComparisonFiles *self = files;

  self->look = *look;
  ask_for_path (self, "animation", _ ("Save the Animation"), ending);
}

static void
save (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  static const struct
  {
    const char *what;
    const char *title;
    const char *ending;
  } kinds[] = {
    { "sheet", N_ ("Save the Contact Sheet"), ".png" },
    { "report", N_ ("Save the Report"), ".html" },
    { "table", N_ ("Save the Table"), ".csv" },
    { "comparison", N_ ("Save the Comparison"), SL_COMPARISON_SUFFIX },
  };
  SlComparisonFiles *self = user_data;
  const char *what = g_variant_get_string (parameter, NULL);

  if (g_str_equal (what, "picture"))
    sl_comparison_files_save_lane (self, sl_compare_view_get_chosen (self->view));
  else if (g_str_equal (what, "animation") && sl_export_bar_can_animate (self->export_bar))
    sl_animation_page_ask (GTK_WIDGET (self->view), self->workspace->preferences, TRUE, animation_chosen,
                           G_OBJECT (self));
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_str_equal (kinds[i].what, what))
      ask_for_path (self, what, _ (kinds[i].title), kinds[i].ending);
}

/* For scripts and tests, instead of the dialog. */
static void
save_to_path (GSimpleAction *action, GVariant *parameter, gpointer self)
{
  const char *what, *path;

  g_variant_get (parameter, "(&s&s)", &what, &path);
  SL_COMPARISON_FILES (self)->look = (SlExportLook){ .captions = TRUE };
  save_to (self, path, what);
}

/* ---- in ---- */

/* The model here that has the file's weights, or its name, is not the one that the file names. */
static void
say_renamed (SlComparisonFiles *self, const char *renamed, SlModelItem *model)
{
  gboolean other = sl_model_store_find (self->workspace->models, renamed) != G_MAXUINT;
  g_autofree char *text
      = g_strdup_printf (other ? _ ("Opened with “%s”: the “%s” here has other weights than the file’s")
                               /* Translators: the name of a model here, and its name in the file. */
                               : _ ("Opened with “%s”, which has the weights of the file’s model “%s”"),
                         sl_model_item_get_name (model), renamed);

  sl_notice_toast (GTK_WIDGET (self->view), text);
}

typedef struct
{
  SlComparisonFiles *files;
  char *path;
} Opening;

static void
loaded (const GError *error, const char *renamed, gpointer user_data)
{
  Opening *opening = user_data;
  g_autoptr (SlComparisonFiles) self = opening->files;
  g_autofree char *path = opening->path;
  SlWorkspace *workspace = self->workspace;
  SlModelItem *model;

  g_free (opening);
  if (workspace->closed)
    return;
  if (error)
    {
      sl_notice_alert (GTK_WIDGET (self->view), _ ("The comparison could not be opened"), error->message);
      return;
    }
  model = sl_job_get_model (sl_comparison_get_job (workspace->comparison, 0));
  sl_workspace_want_model (workspace,
                           sl_model_store_find (workspace->models, sl_model_item_get_path (model)));
  sl_worker_load_for (workspace->worker, sl_comparison_get_job (workspace->comparison, 0));
  sl_comparison_shelf_took (workspace->shelf, path);
  if (renamed)
    say_renamed (self, renamed, model);
  g_signal_emit (self, signals[OPENED], 0);
}

void
sl_comparison_files_open (SlComparisonFiles *self, const char *path)
{
  SlWorkspace *workspace = self->workspace;
  Opening *opening;

  if (workspace->closed)
    return;
  opening = g_new (Opening, 1);
  *opening = (Opening){ g_object_ref (self), g_strdup (path) };
  sl_comparison_file_load (workspace->comparison, workspace->files, path, G_LIST_MODEL (workspace->models),
                           loaded, opening);
}

static void
path_chosen (gpointer self, const char *path, const char *what)
{
  sl_comparison_files_open (self, path);
}

static void
ask_what_to_open (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  SlComparisonFiles *self = user_data;
  const SlPathDialog dialog = { .from = GTK_WIDGET (self->view),
                                .title = _ ("Open a Comparison"),
                                .wants = SL_PATH_OPEN,
                                .filter_name = _ ("Comparisons"),
                                .pattern = "*" SL_COMPARISON_SUFFIX };

  sl_path_dialog_show (&dialog, path_chosen, G_OBJECT (self), NULL);
}

/* ---- setting up ---- */

void
sl_comparison_files_add_actions (SlComparisonFiles *self, GActionMap *actions)
{
  const GActionEntry entries[] = {
    { .name = "compare-save", .activate = save, .parameter_type = "s" },
    { .name = "compare-save-to", .activate = save_to_path, .parameter_type = "(ss)" },
    { .name = "compare-open", .activate = ask_what_to_open },
  };

  g_action_map_add_action_entries (actions, entries, G_N_ELEMENTS (entries), self);
}

SlComparisonFiles *
sl_comparison_files_new (SlWorkspace *workspace, SlCompareView *view, SlExportBar *export_bar)
{
  SlComparisonFiles *self = g_object_new (SL_TYPE_COMPARISON_FILES, NULL);

  self->workspace = g_object_ref (workspace);
  self->view = view;
  self->export_bar = g_object_ref (export_bar);
  return self;
}

static void
sl_comparison_files_finalize (GObject *object)
{
  SlComparisonFiles *self = SL_COMPARISON_FILES (object);

  g_free (self->table_path);
  g_clear_object (&self->export_bar);
  g_clear_object (&self->workspace);
  G_OBJECT_CLASS (sl_comparison_files_parent_class)->finalize (object);
}

static void
sl_comparison_files_class_init (SlComparisonFilesClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = sl_comparison_files_finalize;
  signals[OPENED] = g_signal_new ("opened", SL_TYPE_COMPARISON_FILES, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 0);
}

static void
sl_comparison_files_init (SlComparisonFiles *self)
{
}
