/* text.h - everything that the other rooms see of engine/text: a prompt to tokens, tokens to
 * hidden states. */
#ifndef SL_ENGINE_TEXT_H
#define SL_ENGINE_TEXT_H

#include "engine/text/prompt.h"
#include "engine/text/prompt_tokens.h"
#include "engine/text/text_encoder.h"
#include "engine/text/text_words.h"
#include "engine/text/tokenizer.h"

#endif
