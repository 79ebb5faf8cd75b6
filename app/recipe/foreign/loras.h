/* loras.h - LoRAs that a file names one by one. Those whose files are here become the recipe's; of the
 * others is said that they are not. */
#ifndef SL_APP_LORAS_H
#define SL_APP_LORAS_H

#include "app/recipe/foreign/importer.h"
#include "app/recipe/foreign/loose_json.h"

#define SL_NOT_IN_LORA_NAMES ";:" /* characters that separate LoRAs in a recipe */

typedef struct SlLoraList {
    SlImporter *im;
    SlAdapterUses uses; /* in the order in which they are applied */
} SlLoraList;

/* Free with sl_loras_take. */
SlLoraList sl_loras_begin(SlImporter *im);
/* Whether it is here: under its hash or, where the program wrote none, under its name. Without memory
 * that is not known, and nothing is taken. */
bool sl_lora_is_here(SlImporter *im, const SlAdapterUse *use);
/* Whether its strengths are ones that a recipe can have; what is said of it otherwise. */
bool sl_lora_fits(SlImporter *im, const SlAdapterUse *use);
/* One more. name: of the file, in any folder of that machine and with any ending; hash: NULL: none is known.
 * "", "None" and both strengths 0 are none; one without a name is noted. */
void sl_loras_add(SlLoraList *list, const char *name, const char *hash, double unet, double text);
/* Several, from a list of names and one of strengths, which count for the UNet and the texts: JSON's, or texts with
 * commas. A strength that is missing is 1. */
void sl_loras_add_lists(SlLoraList *list, const cJSON *names, const cJSON *strengths);
/* The recipe's text of them; false: there are none, and the recipe keeps what it had. */
bool sl_loras_take(SlLoraList *list);

#endif
