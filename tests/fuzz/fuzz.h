/* fuzz.h - what the fuzz targets share: a file in memory that has a path, and one folder per
 * process.
 *
 * A target is LLVMFuzzerTestOneInput. With -Dfuzz=enabled (clang) it is linked with libFuzzer; in
 * the ordinary suite with replay.c, which feeds it the kept corpus.
 */
#ifndef SL_FUZZ_H
#define SL_FUZZ_H

#ifdef __GNUC__
#pragma GCC diagnostic ignored "-Wframe-larger-than=" /* tests run on large stacks */
#endif

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Puts the input into a file in memory and gives its path, the same for the whole process. */
const char *fuzz_file(const uint8_t *data, size_t size);
/* A new folder for this process, removed when it ends. */
const char *fuzz_folder(void);
/* Writes folder/name (name may contain one folder, which is made). */
void fuzz_put(const char *folder, const char *name, const void *data, size_t size);
/* tests/path in the source tree (SAFELIGHT_TESTS, else seen from the source's root), until the next
 * call. */
const char *fuzz_tests(const char *path);
/* Puts the file `name` of tests/from, or nothing where that has none, into folder. */
void fuzz_put_good(const char *folder, const char *from, const char *name);
/* Puts the checksums of a PNG's chunks right, as far as they lie inside. */
void fuzz_repair_png(uint8_t *data, size_t size);

#endif
