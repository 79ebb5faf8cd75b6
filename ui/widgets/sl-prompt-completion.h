/* sl-prompt-completion.h - names of LoRAs and embeddings under the cursor of a prompt, while one is being typed.
 *
 * Up and Down choose, Tab and Enter put the name in, Escape closes; keys are the text's as long as nothing is offered.
 */
#pragma once

#include <gtk/gtk.h>

#include "app/objects/objects.h"

G_BEGIN_DECLS

#define SL_TYPE_PROMPT_COMPLETION (sl_prompt_completion_get_type ())

G_DECLARE_FINAL_TYPE (SlPromptCompletion, sl_prompt_completion, SL, PROMPT_COMPLETION, GObject)

/* Over a text view in holder, a widget with a layout manager, which the names hang on. Neither is held. */
SlPromptCompletion *sl_prompt_completion_new (GtkTextView *view, GtkWidget *holder, SlPromptReader *reader);
/* Offers what fits the text at the cursor in a prompt mode (a choice of the setting "prompt-mode"), or closes. */
void sl_prompt_completion_offer (SlPromptCompletion *self, guint mode);
gboolean sl_prompt_completion_is_open (SlPromptCompletion *self);
/* Takes the names off the holder; before that goes. */
void sl_prompt_completion_close (SlPromptCompletion *self);

G_END_DECLS
