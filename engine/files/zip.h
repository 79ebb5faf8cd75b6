/* zip.h - where the files in a zip archive lie, of archives that are not compressed, as torch.save makes
 * them. */
#ifndef SL_ENGINE_ZIP_H
#define SL_ENGINE_ZIP_H

#include "kernels/kernels.h"

typedef struct SlZipEntry {
    char *name;
    uint64_t at, bytes; /* in the archive */
} SlZipEntry;

typedef struct SlZip {
    SlZipEntry *entry;
    size_t count;
} SlZip;

/* Reads the directory at the archive's end and checks that every file lies in it as it is. False and *err;
 * sl_zip_free in any case. */
bool sl_zip_read(int fd, const char *path, uint64_t size, SlZip *zip, SlError *err);
void sl_zip_free(SlZip *zip);
/* NULL where there is none. */
const SlZipEntry *sl_zip_find(const SlZip *zip, const char *name);

#endif
