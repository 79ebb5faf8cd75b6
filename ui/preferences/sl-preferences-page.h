/* sl-preferences-page.h - folders, device, looks; every change takes effect at once. For sl_dialog_new_preferences. */
#pragma once

#include <adwaita.h>

#include "ui/workspace/sl-workspace.h"

G_BEGIN_DECLS

#define SL_TYPE_PREFERENCES_PAGE (sl_preferences_page_get_type ())

G_DECLARE_FINAL_TYPE (SlPreferencesPage, sl_preferences_page, SL, PREFERENCES_PAGE, AdwPreferencesPage)

SlPreferencesPage *sl_preferences_page_new (SlWorkspace *workspace);

G_END_DECLS
