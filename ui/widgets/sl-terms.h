/* sl-terms.h - a button that explains what the numbers and pictures of a step are: t, sigma, x_t, x_0 and guidance, two
 * sentences each, with the numbers of the step that is shown. In the words of the tour (ui/window/sl-tour-stops.c).
 */
#pragma once

#include <adwaita.h>

#include "app/objects/objects.h"

G_BEGIN_DECLS

#define SL_TYPE_TERMS (sl_terms_get_type ())

G_DECLARE_FINAL_TYPE (SlTerms, sl_terms, SL, TERMS, AdwBin)

/* The step that is shown; NULL: none, and the button is not seen. */
void sl_terms_show (SlTerms *self, SlJob *job, SlFrameObject *frame);
/* What it says about one of them, by its sign ("t", "σ", "x_t", "x_0", "guidance"); NULL: nothing. Free with g_free. */
char *sl_terms_explain (SlTerms *self, const char *sign);

G_END_DECLS
