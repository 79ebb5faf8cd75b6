/* replay.c - feeds a fuzz target every file of a corpus folder, then prefixes and some changed
 * bytes of each: of each byte where the corpus is small, of fewer where it has hundreds of files.
 * What must hold is checked by the target; a crash fails the test.
 *
 * Usage: fuzz_NAME-replay FOLDER [PLACES]
 *
 * PLACES: how many places of all files together are cut at and changed, for targets that are slow.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/test.h"

#include <dirent.h>
#include <string.h>

/* From an exact-size heap block, so that reading one byte too many is seen. */
static void feed(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy)
        abort();
    memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void feed_changed(uint8_t *data, size_t size, size_t places)
{
    static const uint8_t bytes[] = {0, '"', '{', '9', 0x80, 0xff};
    size_t step = size / places + 1;
    for (size_t n = 0; n < size; n += step)
        feed(data, n);
    for (size_t i = 0; i < size; i += step) {
        uint8_t was = data[i];
        data[i] = bytes[i % sizeof bytes];
        feed(data, size);
        data[i] = was;
    }
}

static int count_files(const char *folder)
{
    int files = 0;
    DIR *dir = opendir(folder);
    for (struct dirent *d; dir && (d = readdir(dir));)
        files += d->d_name[0] != '.';
    if (dir)
        closedir(dir);
    return files;
}

int main(int argc, char **argv)
{
    static uint8_t data[1 << 16];
    char path[4096];
    int files = 0;
    DIR *dir = argc >= 2 ? opendir(argv[1]) : NULL;
    if (!dir)
        return 2;
    int all = count_files(argv[1]), wanted = argc > 2 ? atoi(argv[2]) : 12000;
    int each = all > 0 ? wanted / all : 0;
    size_t places = each > 400 ? 400 : each < 1 ? 1 : (size_t)each;
    for (struct dirent *d; (d = readdir(dir));) {
        if (d->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", argv[1], d->d_name);
        FILE *f = fopen(path, "rb");
        size_t size = f ? fread(data, 1, sizeof data, f) : 0;
        if (f)
            fclose(f);
        feed(data, size);
        feed_changed(data, size, places);
        files++;
    }
    closedir(dir);
    sl_test(files > 0, "%d inputs, their prefixes and changes", files);
    return sl_test_done();
}
