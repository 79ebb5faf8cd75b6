/* comfyui.h - private to the readers: the walk over ComfyUI's graph, which its drawing (`workflow`)
 * is turned into as well. */
#ifndef SL_APP_COMFYUI_H
#define SL_APP_COMFYUI_H

#include "app/recipe/foreign/graph.h"
#include "app/recipe/foreign/importer.h"

/* False when there is no sampler in it. */
bool sl_comfyui_take(SlImporter *im, SlGraph *graph);

#endif
