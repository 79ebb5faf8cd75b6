/* file_kind.h - opening files that a person points at, and recognising them by content.
 *
 * A file's name says nothing: downloads end as HTML pages, git leaves pointers, pickles are renamed
 * to .safetensors. Whatever is refused is refused with what it is and what to do.
 */
#ifndef SL_ENGINE_FILE_KIND_H
#define SL_ENGINE_FILE_KIND_H

#include "kernels/kernels.h"

typedef enum SlFileKind {
    SL_FILE_UNKNOWN,
    SL_FILE_EMPTY,
    SL_FILE_ZIP_PICKLE, /* torch.save: a zip with data.pkl */
    SL_FILE_ZIP,
    SL_FILE_PICKLE,
    SL_FILE_GZIP,
    SL_FILE_XZ,
    SL_FILE_SEVEN_ZIP,
    SL_FILE_ZSTD,
    SL_FILE_RAR,
    SL_FILE_TAR,
    SL_FILE_GGUF,
    SL_FILE_GGML,
    SL_FILE_HDF5,
    SL_FILE_NUMPY,
    SL_FILE_HTML,
    SL_FILE_LFS,
    SL_FILE_PNG,
    SL_FILE_JPEG,
    SL_FILE_WEBP,
    SL_FILE_PDF,
    SL_FILE_ELF,
    SL_FILE_JSON,
    SL_FILE_TEXT,
    SL_FILE_ZEROS, /* a download that reserved its space and stopped */
} SlFileKind;

#define SL_FILE_HEAD 512 /* bytes that recognition wants */

/* What the first bytes of a file are. Safetensors files are SL_FILE_UNKNOWN here. */
SlFileKind sl_file_kind(const void *head, size_t length);
/* "a PNG picture", "a gzip archive"; NULL for SL_FILE_UNKNOWN. */
const char *sl_file_kind_what(SlFileKind kind);

/* What a person was to give. */
typedef enum SlWanted {
    SL_WANT_MODEL,
    SL_WANT_UNET,
    SL_WANT_VAE,
    SL_WANT_TEXT_ENCODER,
    SL_WANT_TEXT_ENCODER_2,
    SL_WANT_TINY_VAE,
    SL_WANT_LORA,
    SL_WANT_EMBEDDING,
    SL_WANT_LATENTS, /* to begin with */
    SL_WANT_NOISE,   /* of the steps */
    SL_WANT_COMPARISON,
} SlWanted;

/* "a VAE: its file, its folder, or a whole model", to follow "expected ". */
const char *sl_wanted_words(SlWanted wanted);
/* Of the part with this name; SL_WANT_MODEL for all others. */
SlWanted sl_wanted_part(const char *part);

/* False, with a sentence that says what it is and what was expected ("FILE: this is a PNG picture;
 * expected a LoRA, ..."), where the kind is known; else true and nothing is said. */
bool sl_file_unless_known(const char *path, SlFileKind kind, SlWanted wanted, SlError *err);
/* The same of a file that is looked at now, and of a folder. What cannot be opened is left to whoever
 * does. */
bool sl_file_check(const char *path, SlWanted wanted, SlError *err);

/* Opens a regular file for reading without ever waiting (FIFOs, devices) and gives its size. -1 and
 * *err with a sentence for folders, devices, missing permissions, ... */
int sl_file_open(const char *path, uint64_t *size, SlError *err);
/* Reads exactly size bytes at offset: false and *err when the system fails or the file has become
 * shorter. */
bool sl_file_read(int fd, const char *path, void *out, uint64_t size, uint64_t offset,
                  SlError *err);

#endif
