/* files.h - everything that the other rooms see of app/files: finding models, writing files whole
 * or not at all, growing text. */
#ifndef SL_APP_FILES_H
#define SL_APP_FILES_H

#include "app/files/atomic_file.h"
#include "app/files/auto_dtype.h"
#include "app/files/embedding_path.h"
#include "app/files/hash_cache.h"
#include "app/files/json_out.h"
#include "app/files/lora_path.h"
#include "app/files/model_path.h"
#include "app/files/model_same.h"
#include "app/files/read_file.h"
#include "app/files/safetensors_writer.h"
#include "app/files/text.h"

#endif
