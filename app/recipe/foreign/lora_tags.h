/* lora_tags.h - LoRAs that a prompt of AUTOMATIC1111 names. */
#ifndef SL_APP_LORA_TAGS_H
#define SL_APP_LORA_TAGS_H

#include "app/recipe/foreign/importer.h"

/* Makes the recipe's LoRAs of the tags in its prompt whose files are here, found by name or by hash,
 * and cuts these tags out, as the program does itself; what is not here stays in the prompt, and is
 * noted. hashes: the field "Lora hashes", "name: hash, ..."; NULL: there is none. */
void sl_lora_tags_take(SlImporter *im, const char *hashes);

#endif
