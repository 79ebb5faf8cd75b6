/* safetensors_private.h - what an open safetensors file is made of. */
#ifndef SL_ENGINE_SAFETENSORS_PRIVATE_H
#define SL_ENGINE_SAFETENSORS_PRIVATE_H

#include "engine/files/name_table.h"
#include "engine/files/safetensors.h"
#include "engine/files/utf8.h"

typedef struct SlSafetensorsEntry {
    SlTensorInfo info; /* first, so that an info leads to its entry */
    uint64_t begin;    /* of its data, behind the header */
} SlSafetensorsEntry;

typedef struct SlSafetensorsPair {
    const char *key, *value;
} SlSafetensorsPair;

struct SlSafetensors {
    char *path;
    SlShown shown; /* the path, fit for messages */
    int fd;        /* -1: parsed from memory */
    char *header;  /* names and metadata point into it */
    uint64_t header_bytes, data_bytes;
    SlSafetensorsEntry *entries;
    size_t count, room;
    SlSafetensorsPair *metadata;
    size_t metadata_count, metadata_room;
    bool has_metadata;
    SlNameTable *names;
};

/* Reads st->header for data_bytes of data and fills entries, metadata and names. False and *err
 * when anything is wrong. */
bool sl_safetensors_parse_header(SlSafetensors *st, SlError *err);

#endif
