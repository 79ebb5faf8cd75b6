/* sl-compare-page.h - the page on which lanes are developed side by side: it fills the comparison with lanes, starts and
 * stops them, and does what their menus ask for. SlCompareView shows them.
 */
#pragma once

#include "ui/compare/sl-compare-view.h"
#include "ui/exchange/sl-export-bar.h"
#include "ui/workspace/sl-workspace.h"
#include "ui/widgets/sl-page.h"

G_BEGIN_DECLS

#define SL_TYPE_COMPARE_PAGE (sl_compare_page_get_type ())

/* Implements SlPage. */
G_DECLARE_FINAL_TYPE (SlComparePage, sl_compare_page, SL, COMPARE_PAGE, AdwBin)

/* Once, before the page is shown. Adds its actions: "compare-preset" and "compare-add" (a name, see
 * sl-compare-presets.h), "compare-pause", "compare-clear", and those of SlComparisonFiles. */
void sl_compare_page_connect (SlComparePage *self,
                              SlWorkspace *workspace,
                              GActionMap *actions,
                              SlExportBar *export_bar);
/* A run from elsewhere becomes the only lane, and a person is asked how it shall be branched after frame. */
void sl_compare_page_branch_run (SlComparePage *self, SlJob *job, SlFrameObject *frame);
/* The same at once with these settings, from before a frame: it is made again. */
void sl_compare_page_continue_run (
    SlComparePage *self, SlJob *job, SlFrameObject *frame, SlOwn own, SlSettings *values);
/* A lane for each of these, of SlSettings, in place of those that are there, and starts them; the recipe becomes the
 * first one. What differs between them is each lane's own. FALSE where none of them fits the model; the person was
 * told. *left_out becomes how many differ in what lanes cannot have of their own (the size). */
gboolean sl_compare_page_compare (SlComparePage *self, GPtrArray *settings, guint *left_out);
/* The runs of a sheet or an animation in place of what is there: lanes, and once they are there their branches. */
void sl_compare_page_make_again (SlComparePage *self, SlComparisonRecipe *recipe);
/* The comparison in a file, in place of the one that is there. */
void sl_compare_page_open (SlComparePage *self, const char *path);
SlCompareView *sl_compare_page_get_view (SlComparePage *self);

G_END_DECLS
