/* test_sha256.c - the vectors of FIPS 180-4 and of every length around a block, files, and
 * stopping.
 */
#include "tests/engine/files/util.h"

#include "engine/engine.h"

static void test_vectors(void)
{
    static const struct {
        const char *text, *hex;
    } vectors[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    char hex[65];
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        sl_sha256(vectors[i].text, strlen(vectors[i].text), hex);
        sl_test(!strcmp(hex, vectors[i].hex), "vector \"%.10s\"", vectors[i].text);
    }
    char *million = malloc(1000000);
    memset(million, 'a', 1000000);
    sl_sha256(million, 1000000, hex);
    sl_test(!strcmp(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
            "a million a");
    free(million);
}

/* The SHA-256 of the 200 concatenated digests of 0, 1, ... 199 bytes 0, 1, 2, ...; from Python's
 * hashlib. */
static void test_lengths(void)
{
    char all[200 * 64 + 1], hex[65];
    unsigned char bytes[200];
    for (int i = 0; i < 200; i++) {
        bytes[i] = (unsigned char)i;
        sl_sha256(bytes, (size_t)i, hex);
        memcpy(all + 64 * i, hex, 64);
    }
    sl_sha256(all, sizeof all - 1, hex);
    sl_test(!strcmp(hex, "7a38a844c9e159de39f0862ee2e28569a8250831150a3fbf0a59c001129b2fb2"),
            "lengths 0 to 199");
}

static void test_files(void)
{
    const char *path = test_file("data.bin");
    char want[65], hex[65] = "";
    SlError err = {0};
    size_t n = (3u << 20) + 17;
    unsigned char *data = malloc(n);
    for (size_t i = 0; i < n; i++)
        data[i] = (unsigned char)(i * 2654435761u >> 24);
    test_write(path, data, n);
    sl_sha256(data, n, want);
    sl_test(sl_sha256_file(path, hex, NULL, &err) && !strcmp(hex, want), "a file of 3 MiB");
    int cancel = 1;
    bool ok = sl_sha256_file(path, hex, &cancel, &err);
    test_refused("stopping", !ok, &err, SL_CANCELLED, (const char *const[]){"data.bin", NULL});
    cancel = 0;
    sl_test(sl_sha256_file(path, hex, &cancel, &err) && !strcmp(hex, want), "not stopping");
    ok = sl_sha256_file(test_file("nowhere"), hex, NULL, &err);
    test_refused("no such file", !ok, &err, SL_IO, (const char *const[]){"nowhere", NULL});
    free(data);
}

int main(void)
{
    test_vectors();
    test_lengths();
    test_files();
    return sl_test_done();
}
