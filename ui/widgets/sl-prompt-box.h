/* sl-prompt-box.h - a prompt of a recipe to be typed: its text, how much of it is used, what is weighed, and what is
 * wrong with a bracket and where.
 *
 * What looks like a weight in plain text is plain text; the box then proposes the mode that reads it, and changes
 * nothing by itself.
 */
#pragma once

#include <adwaita.h>

#include "app/objects/objects.h"

G_BEGIN_DECLS

#define SL_TYPE_PROMPT_BOX (sl_prompt_box_get_type ())

G_DECLARE_FINAL_TYPE (SlPromptBox, sl_prompt_box, SL, PROMPT_BOX, AdwBin)

/* Properties: "label" (its accessible name), "hint" (what stands there while it is empty), "lines" (at least so
 * many are seen). */

/* Once. From here on the box shows and changes a property of the recipe, "prompt" or "negative-prompt". */
void
sl_prompt_box_connect (SlPromptBox *self, SlPromptReader *reader, SlSettings *recipe, const char *property);
GtkTextView *sl_prompt_box_get_view (SlPromptBox *self);

G_END_DECLS
