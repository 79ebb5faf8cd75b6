/* flat.h - settings that are members of one JSON object, as most programs write them. */
#ifndef SL_APP_FLAT_H
#define SL_APP_FLAT_H

#include "app/recipe/foreign/importer.h"
#include "app/recipe/foreign/loose_json.h"

/* What a program calls a setting. A NULL key ends a list. */
typedef struct SlFlatKey {
    const char *key;
    SlSetting setting;
    int first; /* what it counts from */
} SlFlatKey;

/* Takes every member of the list that is there. */
void sl_flat_take(SlImporter *im, const cJSON *object, const SlFlatKey *keys);
/* A member's text, NULL when it is none. */
const char *sl_flat_text(const cJSON *object, const char *key);
/* Names the members that say something and are neither in keys (may be NULL) nor in known, which
 * ends with NULL: "vae" is a name, "cfg_rescale=0" one that says nothing where it is 0, "lora_*"
 * any that begins so. */
void sl_flat_note_rest(SlImporter *im, const cJSON *object, const SlFlatKey *keys,
                       const char *const *known);

#endif
