/* safetensors.h - one safetensors file: its header, validated completely, and reads of its tensors.
 *
 * Format: 8 bytes little-endian length N, N bytes of JSON, then the tensors' bytes without holes.
 * Mirrors the reference (safetensors/src/tensor.rs), but refuses two things that it lets pass:
 * duplicate names and unknown members of an entry.
 */
#ifndef SL_ENGINE_SAFETENSORS_H
#define SL_ENGINE_SAFETENSORS_H

#include "engine/files/weights.h"

#define SL_SAFETENSORS_MAX_HEADER 100000000u

typedef struct SlSafetensors SlSafetensors;

/* NULL and *err when the file cannot be read or anything in its header is wrong. */
SlSafetensors *sl_safetensors_open(const char *path, SlError *err);
/* The header alone, from memory; name is used in messages. Reads from the result fail. */
SlSafetensors *sl_safetensors_parse(const char *name, const void *header, size_t header_bytes,
                                    uint64_t data_bytes, SlError *err);
void sl_safetensors_close(SlSafetensors *st); /* NULL is fine */

const char *sl_safetensors_path(const SlSafetensors *st);
size_t sl_safetensors_count(const SlSafetensors *st);
/* In the order of their data. */
const SlTensorInfo *sl_safetensors_info(const SlSafetensors *st, size_t i);
/* NULL when there is none. Takes constant time. */
const SlTensorInfo *sl_safetensors_find(const SlSafetensors *st, const char *name);
/* A value of __metadata__, NULL when there is none. */
const char *sl_safetensors_metadata(const SlSafetensors *st, const char *key);
/* Reads `bytes` bytes of a tensor of this file, from byte `first` of it on. */
bool sl_safetensors_read(const SlSafetensors *st, const SlTensorInfo *info, uint64_t first,
                         uint64_t bytes, void *out, SlError *err);

#endif
