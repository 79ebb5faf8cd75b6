/* sl-plan-line.h - the line over the button "Develop": how long what it starts will take, and how much memory it needs;
 * and the question before something that does not fit, or takes hours.
 */
#pragma once

#include <adwaita.h>

#include "ui/widgets/sl-page.h"
#include "ui/workspace/sl-workspace.h"

G_BEGIN_DECLS

#define SL_TYPE_PLAN_LINE (sl_plan_line_get_type ())

G_DECLARE_FINAL_TYPE (SlPlanLine, sl_plan_line, SL, PLAN_LINE, AdwBin)

/* Once, before the line is shown. */
void sl_plan_line_connect (SlPlanLine *self, SlWorkspace *workspace);
/* The page that the button is about; also when what it would start may have changed. */
void sl_plan_line_set_page (SlPlanLine *self, SlPage *page);
/* Calls start, at once where nothing speaks against it, after the person's yes where something does, or not at all. */
void sl_plan_line_start (SlPlanLine *self, void (*start) (gpointer user_data), gpointer user_data);

G_END_DECLS
