/* sl-sigma-editor.h - the window in which a person draws the noise levels of the steps. */
#pragma once

#include <adwaita.h>

#include "app/objects/objects.h"

G_BEGIN_DECLS

#define SL_TYPE_SIGMA_EDITOR (sl_sigma_editor_get_type ())

G_DECLARE_FINAL_TYPE (SlSigmaEditor, sl_sigma_editor, SL, SIGMA_EDITOR, AdwWindow)

/* Over a window, with the noise levels of settings as a model has them; NULL where it has none, which is said. The
 * settings are not changed. Signal "applied" (SlSigmaCurve): what the person made of them. */
SlSigmaEditor *sl_sigma_editor_new (GtkWindow *parent, SlModelItem *model, SlSettings *settings);

G_END_DECLS
