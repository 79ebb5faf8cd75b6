/* sl-intake.h - what comes in from outside: settings out of pictures and texts, models, comparisons, whether they
 * are opened, dropped or pasted.
 */
#pragma once

#include <gtk/gtk.h>

#include "ui/widgets/sl-path-dialog.h"
#include "ui/workspace/sl-workspace.h"

G_BEGIN_DECLS

#define SL_TYPE_INTAKE (sl_intake_get_type ())

G_DECLARE_FINAL_TYPE (SlIntake, sl_intake, SL, INTAKE, GObject)

/* widget is where things are dropped and pasted, and asks and says what there is to say; it outlives the intake.
 * Adds the actions "open", "open-model-folder", "open-model-file", "open-path" (a path), "open-paths" (several) and
 * "paste".
 * Signals: "comparison" (const char *): the path of a comparison that was opened; "picture" (const char *, const char *,
 * gboolean): the path of a picture that was opened, what it is where it is a sheet or an animation of ours, or NULL, and
 * whether that is of several runs; "pictures" (GPtrArray of char *, const char *): pictures
 * that were opened together, and a sentence about what came with them and was not, or NULL; "made-of" (SlComparisonRecipe): these shall be made again; "hint" (const char *, gboolean):
 * what is dragged over the widget would do when it is dropped, and whether it would do anything; NULL: nothing is. */
SlIntake *sl_intake_new (SlWorkspace *workspace, GtkWidget *widget, GActionMap *actions);
/* What "open" asks for first: comparisons, or pictures. */
void sl_intake_set_comparisons_first (SlIntake *self, gboolean first);
/* The question that it asks. */
SlPathDialog sl_intake_get_dialog (SlIntake *self);
/* As if these files, up to NULL, were dragged over the widget; NULL: they are not known yet. */
void sl_intake_hint (SlIntake *self, const char *const *paths);
/* A picture (its settings are taken, but for a sheet or an animation of ours), a comparison, a model's folder or file; before the models are found,
 * once they are. */
void sl_intake_open (SlIntake *self, const char *path);
/* Several that came together, up to NULL: see sl-opening.h for what becomes of them. */
void sl_intake_open_all (SlIntake *self, const char *const *paths);
/* The settings out of a picture's file; of a sheet the runs that it was made of are made again. */
void sl_intake_take_settings (SlIntake *self, const char *path);

G_END_DECLS
