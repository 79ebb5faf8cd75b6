/* util.c - see util.h. */
#include "tests/engine/files/util.h"

#include "engine/files/utf8.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static void remove_folder(void)
{
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *test_folder(void)
{
    if (!*folder) {
        bool shm = access("/dev/shm", W_OK) == 0; /* in memory: thousands of files are written */
        snprintf(folder, sizeof folder, "%s/safelight-test-XXXXXX", shm ? "/dev/shm" : "/tmp");
        if (!mkdtemp(folder))
            abort();
        atexit(remove_folder);
    }
    return folder;
}

const char *test_file(const char *name)
{
    static char ring[8][600];
    static unsigned next;
    char *path = ring[next++ % 8];
    snprintf(path, sizeof ring[0], "%s/%s", test_folder(), name);
    return path;
}

void test_write(const char *path, const void *data, size_t bytes)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, bytes, f) != bytes || fclose(f)) {
        printf("Bail out! cannot write %s\n", path);
        exit(1);
    }
}

void test_write_text(const char *path, const char *text)
{
    test_write(path, text, strlen(text));
}

void test_write_safetensors(const char *path, const char *header, size_t header_bytes,
                            const void *data, size_t data_bytes)
{
    size_t bytes = 8 + header_bytes + data_bytes;
    unsigned char *file = calloc(1, bytes);
    if (!file)
        abort();
    for (int i = 0; i < 8; i++)
        file[i] = (unsigned char)((uint64_t)header_bytes >> (8 * i));
    memcpy(file + 8, header, header_bytes);
    if (data)
        memcpy(file + 8 + header_bytes, data, data_bytes);
    test_write(path, file, bytes);
    free(file);
}

unsigned char *test_read(const char *path, size_t *bytes)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        printf("Bail out! cannot read %s\n", path);
        exit(1);
    }
    fseek(f, 0, SEEK_END);
    *bytes = (size_t)ftell(f);
    rewind(f);
    unsigned char *data = malloc(*bytes + 1);
    if (!data || fread(data, 1, *bytes, f) != *bytes)
        abort();
    fclose(f);
    return data;
}

const char *test_judge(bool failed, const SlError *err, SlCode code, const char *const *says)
{
    static char why[1400];
    size_t n = strlen(err->message);
    if (!failed)
        return "it was accepted";
    snprintf(why, sizeof why, "code %d instead of %d: %s", err->code, code, err->message);
    if (err->code != code)
        return why;
    for (; *says; says++) {
        snprintf(why, sizeof why, "does not say \"%s\": %s", *says, err->message);
        if (!strstr(err->message, *says))
            return why;
    }
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)err->message[i] < 0x20 || err->message[i] == 0x7f)
            return "a control character in the message";
    if (n < 10 || !sl_utf8_valid(err->message, n))
        return "the message is no text";
    return NULL;
}
