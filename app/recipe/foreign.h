/* foreign.h - readers of other programs' settings; each puts what it finds into an importer.
 *
 * Their JSON is theirs: bare NaN (Python's json) counts as null, and whole numbers too long for a
 * double keep their digits. False and *err only when the text is not what its place promises.
 */
#ifndef SL_APP_FOREIGN_H
#define SL_APP_FOREIGN_H

#include "app/recipe/importer.h"

/* The common `parameters` text (see infotext.h). False when it has a prompt at most. */
bool sl_foreign_parameters(SlImporter *im, const char *text, SlError *err);
/* `parameters` holding SwarmUI's JSON. */
bool sl_foreign_swarmui(SlImporter *im, const char *json, SlError *err);
/* `invokeai_metadata` */
bool sl_foreign_invokeai(SlImporter *im, const char *json, SlError *err);
/* `prompt`: ComfyUI's graph of nodes */
bool sl_foreign_comfyui(SlImporter *im, const char *json, SlError *err);

#endif
