/* sl-lora.h - a LoRA (or one of its relatives) as the window lists it: the file, what it says of itself, whether it
 * fits the chosen model, and how strong the recipe has it (SlLoraList).
 *
 * All that is in files is read on the file thread; until then the state is SL_LORA_READING. The signal "read" follows
 * each reading, "changed" each change of its strengths or of which file it is.
 */
#pragma once

#include "app/objects/sl-model-item.h"
#include "app/objects/sl-thread-queue.h"

G_BEGIN_DECLS

typedef enum
{
  SL_LORA_READING,
  SL_LORA_MISSING,    /* no file of this name and hash is here */
  SL_LORA_UNREADABLE, /* it is no LoRA, or damaged */
  SL_LORA_UNFIT,      /* it changes no weight of the model, or is of other shapes */
  SL_LORA_FITS,       /* also where the model is not known yet */
} SlLoraState;

#define SL_TYPE_LORA (sl_lora_get_type ())

G_DECLARE_FINAL_TYPE (SlLora, sl_lora, SL, LORA, GObject)

/* A file with the strength 1. */
SlLora *sl_lora_new (const char *path);
/* Reads it again, for this model; NULL: none is known. */
void sl_lora_read (SlLora *self, SlThreadQueue *files, SlModelItem *model);

/* Without folder and ending. */
const char *sl_lora_get_name (SlLora *self);
SlLoraState sl_lora_get_state (SlLora *self);
/* A sentence of the engine where it is missing, unreadable or does not fit; else NULL. */
const char *sl_lora_get_problem (SlLora *self);
/* These are NULL or 0 where they are not known: where the file is, a picture beside it, "LoRA, DoRA", "Stable Diffusion
 * XL", the model that it was made over, its title, ranks. */
const char *sl_lora_get_path (SlLora *self);
const char *sl_lora_get_picture (SlLora *self);
const char *sl_lora_get_kinds (SlLora *self);
const char *sl_lora_get_base (SlLora *self);
const char *sl_lora_get_made_over (SlLora *self);
const char *sl_lora_get_title (SlLora *self);
void sl_lora_get_ranks (SlLora *self, int *min, int *max);
/* The words that it was trained to obey, then those that it saw most; never NULL. */
const char *const *sl_lora_get_words (SlLora *self);
/* How many modules it has, and how many of them change a weight of the model. */
int sl_lora_get_modules (SlLora *self);
int sl_lora_get_matched (SlLora *self);

/* How strong the recipe has it, 1 as it was trained: in the UNet, and in what encodes texts. */
double sl_lora_get_strength (SlLora *self);
double sl_lora_get_text_strength (SlLora *self);
/* The part of the steps in which the UNet's counts, 0 to 1. */
void sl_lora_get_range (SlLora *self, double *from, double *to);
/* "0:1,0.5:0.3": by what the UNet's is multiplied at which part of the steps; "": it follows no curve. */
const char *sl_lora_get_curve (SlLora *self);

G_END_DECLS
