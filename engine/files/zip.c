/* zip.c - see zip.h.
 *
 * The directory stands at the end (APPNOTE.TXT of PKWARE, 4.3). Easy to get wrong: torch writes archives
 * with 64-bit sizes, where the old fields may hold all ones; and the header before each file has names
 * and extras of its own lengths. Nothing compressed is taken, so no archive becomes larger than it is.
 */
#include "engine/files/zip.h"

#include "engine/files/file_kind.h"
#include "engine/files/utf8.h"

#include <stdlib.h>
#include <string.h>

#define MOST_ENTRIES   4096
#define MOST_DIRECTORY ((uint64_t)1 << 20)
#define END_BYTES      22 /* of the record at the end, without its comment */
#define MOST_COMMENT   0xffff

typedef struct Archive {
    int fd;
    const char *path;
    uint64_t size;
    SlError *err;
} Archive;

static bool bad(const Archive *a, const char *what)
{
    return sl_fail(a->err, SL_FORMAT, "%s: this zip archive %s", sl_show_path(a->path).text, what);
}

static uint64_t number(const unsigned char *p, int bytes)
{
    uint64_t n = 0;
    for (int i = bytes - 1; i >= 0; i--)
        n = n << 8 | p[i];
    return n;
}

static unsigned char *read_piece(const Archive *a, uint64_t at, uint64_t bytes)
{
    if (at > a->size || bytes > a->size - at) {
        bad(a, sl_words("is cut off: its directory lies outside it"));
        return NULL;
    }
    unsigned char *piece = malloc(bytes + 1);
    if (!piece)
        sl_fail(a->err, SL_MEMORY, "%s: out of memory", sl_show_path(a->path).text);
    if (piece && !sl_file_read(a->fd, a->path, piece, bytes, at, a->err)) {
        free(piece);
        return NULL;
    }
    return piece;
}

/* Where the directory is. */
typedef struct Directory {
    uint64_t at, bytes, count;
} Directory;

/* The 64-bit record that the 20 bytes before the end may point at. */
static bool find_wide(const Archive *a, uint64_t end, Directory *d)
{
    unsigned char *p = end >= 20 ? read_piece(a, end - 20, 20) : NULL, *record = NULL;
    bool ok = p && !memcmp(p, "PK\6\7", 4);
    if (ok)
        record = read_piece(a, number(p + 8, 8), 56);
    free(p);
    if (!record)
        return ok ? false
                  : bad(a, sl_words("has no directory of 64-bit sizes, and says that it has"));
    ok = !memcmp(record, "PK\6\6", 4);
    *d = (Directory){number(record + 48, 8), number(record + 40, 8), number(record + 32, 8)};
    free(record);
    return ok || bad(a, sl_words("has a damaged directory"));
}

static bool find_directory(const Archive *a, Directory *d)
{
    uint64_t bytes = END_BYTES + MOST_COMMENT < a->size ? END_BYTES + MOST_COMMENT : a->size;
    if (bytes < END_BYTES)
        return bad(a, sl_words("is cut off"));
    unsigned char *tail = read_piece(a, a->size - bytes, bytes);
    if (!tail)
        return false;
    uint64_t i = bytes - END_BYTES;
    while (i > 0 && (memcmp(tail + i, "PK\5\6", 4) || number(tail + i + 20, 2) > bytes - i))
        i--;
    const unsigned char *p = tail + i;
    bool found = !memcmp(p, "PK\5\6", 4);
    *d = (Directory){number(p + 16, 4), number(p + 12, 4), number(p + 10, 2)};
    bool wide = d->at == 0xffffffff || d->bytes == 0xffffffff || d->count == 0xffff;
    free(tail);
    if (!found)
        return bad(a,
                   sl_words("has no directory at its end: the file is cut off; download it again"));
    if (wide && !find_wide(a, a->size - bytes + i, d))
        return false;
    if (d->count > MOST_ENTRIES || d->bytes > MOST_DIRECTORY)
        return bad(a, sl_words("has too many files in it"));
    return true;
}

/* Sizes of an entry that are in its extra field, in this order, where the old ones are all ones. */
static bool take_wide(const Archive *a, const unsigned char *extra, size_t length,
                      uint64_t *const field[3])
{
    for (size_t i = 0; i + 4 <= length;) {
        size_t bytes = number(extra + i + 2, 2), used = 0;
        if (bytes > length - i - 4)
            break;
        for (int k = 0; number(extra + i, 2) == 1 && k < 3; k++)
            if (*field[k] == 0xffffffff && used + 8 <= bytes) {
                *field[k] = number(extra + i + 4 + used, 8);
                used += 8;
            }
        i += 4 + bytes;
    }
    for (int k = 0; k < 3; k++)
        if (*field[k] == 0xffffffff)
            return bad(a, sl_words("has a file whose size is not said"));
    return true;
}

/* The file behind the header at `at`. */
static bool find_bytes(const Archive *a, uint64_t at, SlZipEntry *e)
{
    unsigned char *p = read_piece(a, at, 30);
    if (!p)
        return false;
    bool ok = !memcmp(p, "PK\3\4", 4) || bad(a, sl_words("has a damaged header before a file"));
    e->at = at + 30 + number(p + 26, 2) + number(p + 28, 2);
    free(p);
    if (ok && (e->at > a->size || e->bytes > a->size - e->at))
        ok = bad(a, sl_words("is cut off: a file in it ends behind its end; download it again"));
    return ok;
}

/* An entry of the directory; its bytes, 0 and *err on failure. */
static uint64_t read_entry(const Archive *a, const unsigned char *p, uint64_t left, SlZipEntry *e)
{
    if (left < 46 || memcmp(p, "PK\1\2", 4) != 0)
        return bad(a, sl_words("has a damaged directory"));
    size_t name = number(p + 28, 2), extra = number(p + 30, 2), comment = number(p + 32, 2);
    uint64_t packed = number(p + 20, 4), header = number(p + 42, 4);
    e->bytes = number(p + 24, 4);
    if (left < 46 + name + extra + comment)
        return bad(a, sl_words("has a damaged directory"));
    uint64_t *const field[] = {&e->bytes, &packed, &header};
    if (!take_wide(a, p + 46 + name, extra, field))
        return 0;
    if (number(p + 10, 2) != 0 || packed != e->bytes)
        return bad(a, sl_words("has compressed files in it; expected one as torch.save makes it"));
    if (number(p + 8, 2) & 1)
        return bad(a, sl_words("has encrypted files in it"));
    e->name = strndup((const char *)p + 46, name);
    if (!e->name)
        return sl_fail(a->err, SL_MEMORY, "%s: out of memory", sl_show_path(a->path).text);
    return find_bytes(a, header, e) ? 46 + name + extra + comment : 0;
}

bool sl_zip_read(int fd, const char *path, uint64_t size, SlZip *zip, SlError *err)
{
    const Archive a = {fd, path, size, err};
    Directory d = {0};
    *zip = (SlZip){0};
    if (!find_directory(&a, &d))
        return false;
    unsigned char *directory = read_piece(&a, d.at, d.bytes);
    zip->entry = directory ? calloc(d.count + 1, sizeof *zip->entry) : NULL;
    bool ok = zip->entry != NULL;
    if (directory && !ok)
        sl_fail(err, SL_MEMORY, "%s: out of memory", sl_show_path(path).text);
    for (uint64_t at = 0, bytes; ok && zip->count < d.count; at += bytes) {
        bytes = read_entry(&a, directory + at, d.bytes - at, &zip->entry[zip->count++]);
        ok = bytes > 0;
    }
    free(directory);
    return ok;
}

void sl_zip_free(SlZip *zip)
{
    for (size_t i = 0; i < zip->count; i++)
        free(zip->entry[i].name);
    free(zip->entry);
    *zip = (SlZip){0};
}

const SlZipEntry *sl_zip_find(const SlZip *zip, const char *name)
{
    for (size_t i = 0; i < zip->count; i++)
        if (!strcmp(zip->entry[i].name, name))
            return &zip->entry[i];
    return NULL;
}
