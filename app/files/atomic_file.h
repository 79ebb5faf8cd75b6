/* atomic_file.h - writing a file so that it is either the old one or the complete new one.
 *
 * The bytes go to a temporary file in the same folder (.safelight-*.part); every write, flush,
 * fsync and close is checked; then it is renamed and the folder is synced. What a process that was
 * killed left behind is removed by the next one that writes into the folder. Easy to get wrong:
 * fclose after a failed fflush returns 0, and a second fsync after a failed one "succeeds", so a
 * failure is remembered and never retried.
 */
#ifndef SL_APP_ATOMIC_FILE_H
#define SL_APP_ATOMIC_FILE_H

#include "kernels/kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct SlAtomicFile SlAtomicFile;

/* Refuses a path that is a folder or a device. A symbolic link is followed: the file that it names
 * is replaced, or made where it is not there yet, and the link stays. An existing file's
 * permissions are kept. NULL and *err on failure. */
SlAtomicFile *sl_atomic_open(const char *path, SlError *err);
/* The same for a file that replaces nothing: whatever is at path, a link too, makes this or the
 * commit fail, also where another process puts it there meanwhile. */
SlAtomicFile *sl_atomic_open_new(const char *path, SlError *err);
/* Buffered. After the first failure writes do nothing and sl_atomic_commit reports it. */
void sl_atomic_write(SlAtomicFile *file, const void *data, size_t bytes);
/* Frees the file object in any case. False and *err, naming the path and the system's reason, when
 * anything failed; the old file is then untouched. */
bool sl_atomic_commit(SlAtomicFile *file, SlError *err);
/* The same for a file that is read back before it takes the old one's place: check is given where
 * it lies until then, and may say no with *err. */
typedef bool (*SlAtomicCheck)(void *arg, const char *written, SlError *err);
bool sl_atomic_commit_checked(SlAtomicFile *file, SlAtomicCheck check, void *arg, SlError *err);
/* Removes the temporary file; NULL is fine. */
void sl_atomic_abandon(SlAtomicFile *file);

/* Whether a file could be written there now, found out before hours of work: true, or *err. */
bool sl_atomic_check(const char *path, SlError *err);

/* Whether two paths, links followed, are one place to write to, whether there is a file or not. */
bool sl_same_place(const char *a, const char *b);

/* Makes the folder where it is not there; the one above it has to be. NULL, or why there is none. */
const char *sl_make_folder(const char *path);

/* Whether there is anything at path, be it a link to nothing. */
bool sl_is_taken(const char *path);

/* All of it in one call. */
bool sl_write_file(const char *path, const void *data, size_t bytes, SlError *err);
bool sl_write_new_file(const char *path, const void *data, size_t bytes, SlError *err);

#ifdef __cplusplus
}
#endif

#endif
