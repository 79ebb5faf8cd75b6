/* files.h - everything that the other rooms see of engine/files: reading JSON, weights and
 * whatever else a person points at, and binding weights to a device. */
#ifndef SL_ENGINE_FILES_H
#define SL_ENGINE_FILES_H

#include "engine/files/checkpoint.h"
#include "engine/files/file_kind.h"
#include "engine/files/json.h"
#include "engine/files/name_table.h"
#include "engine/files/read_ahead.h"
#include "engine/files/safetensors.h"
#include "engine/files/sha256.h"
#include "engine/files/tiny_file.h"
#include "engine/files/torch_file.h"
#include "engine/files/utf8.h"
#include "engine/files/weights.h"
#include "engine/files/weights_kind.h"
#include "engine/files/weights_views.h"

#endif
