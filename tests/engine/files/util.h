/* util.h - a folder for generated files, safetensors written by hand, and what a refusal must say.
 */
#ifndef SL_TEST_FILES_UTIL_H
#define SL_TEST_FILES_UTIL_H

#include "engine/files/weights.h"
#include "tests/test.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A new empty folder; removed with everything in it when the program ends. */
const char *test_folder(void);
/* folder/name, in a ring of eight buffers. */
const char *test_file(const char *name);
void test_write(const char *path, const void *data, size_t bytes);
void test_write_text(const char *path, const char *text);
/* Length, header, data_bytes bytes of data (zeros where data is NULL). */
void test_write_safetensors(const char *path, const char *header, size_t header_bytes,
                            const void *data, size_t data_bytes);
/* The whole file, malloc'ed. */
unsigned char *test_read(const char *path, size_t *bytes);

/* What is wrong with the refusal of a bad input, NULL when nothing is: the operation failed with
 * this code and a sentence that has all of the given parts (NULL-terminated) and is what every
 * sentence must be: one line of valid UTF-8 without control characters. */
const char *test_judge(bool failed, const SlError *err, SlCode code, const char *const *says);

/* One line of TAP about it. */
__attribute__((unused)) static void test_refused(const char *id, bool failed, const SlError *err,
                                                 SlCode code, const char *const *says)
{
    const char *wrong = test_judge(failed, err, code, says);
    if (!sl_test(!wrong, "%s", id))
        sl_test_note("%s", wrong);
}

/* sl_weights_open_file on a file that must be refused; the sentence must have its name, too. */
__attribute__((unused)) static void test_file_refused(const char *id, const char *path, SlCode code,
                                                      const char *says)
{
    SlError err = {0};
    const char *slash = strrchr(path, '/');
    SlWeightSource *w = sl_weights_open_file(path, &err);
    test_refused(id, !w, &err, code, (const char *const[]){says, slash ? slash + 1 : path, NULL});
    sl_weights_close(w);
}

#endif
