/* test_embedding_path.c - where embeddings are looked for: by name, in folders, by hash; their list. */
#include "app/files/files.h"
#include "tests/engine/files/util.h"
#include "tests/readdir.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void expect_found(const char *name, const char *hash, const char *end)
{
    SlError err = {0};
    char *path = sl_embedding_find(name, hash, &err);
    size_t n = path ? strlen(path) : 0, m = strlen(end);
    sl_test(n > m && !strcmp(path + n - m, end), "\"%s\" %s is %s: %s %s", name, hash, end,
            path ? path : "nothing", err.message);
    free(path);
}

static void refuse(const char *name, const char *hash, const char *says)
{
    SlError err = {0};
    char *path = sl_embedding_find(name, hash, &err);
    test_refused(name, !path, &err, SL_IO, (const char *const[]){name, says, NULL});
    free(path);
}

static void expect_list(const char *expected)
{
    char **names = sl_embeddings_list(), all[200] = "";
    for (char **n = names; n && *n; n++)
        strcat(strcat(all, *n), " ");
    sl_test(!strcmp(all, expected), "the list: %s", all);
    sl_strings_free(names);
}

int main(void)
{
    char hash[2][65];
    SlError err = {0};
    setenv("SAFELIGHT_MODELS", test_file("models"), 1);
    setenv("XDG_DATA_HOME", test_file("data"), 1);
    mkdir(test_file("models"), 0700);
    mkdir(test_file("models/embeddings"), 0700);
    mkdir(test_file("models/embeddings/styles"), 0700);
    mkdir(test_file("models/textual_inversion"), 0700);
    mkdir(test_file("own"), 0700);
    mkdir(test_file("own/embeddings"), 0700);
    test_write_text(test_file("models/embeddings/cat.pt"), "1");
    test_write_text(test_file("models/embeddings/styles/oil.v2.safetensors"), "2");
    test_write_text(test_file("models/embeddings/notes.txt"), "3");
    test_write_text(test_file("models/textual_inversion/cat.bin"), "4");
    test_write_text(test_file("own/embeddings/dog.pt"), "5");
    sl_sha256_file(test_file("models/textual_inversion/cat.bin"), hash[0], NULL, &err);
    sl_sha256_file(test_file("models/embeddings/styles/oil.v2.safetensors"), hash[1], NULL, &err);
    hash[0][10] = hash[1][12] = 0;
    expect_found("cat", "", "/embeddings/cat.pt");
    expect_found("oil.v2", "", "/styles/oil.v2.safetensors");
    expect_found("styles/oil.v2", "", "/styles/oil.v2.safetensors");
    expect_found("cat", hash[0], "/textual_inversion/cat.bin");
    expect_found("renamed", hash[1], "/styles/oil.v2.safetensors");
    expect_found(test_file("models/embeddings/cat.pt"), "", "/embeddings/cat.pt");
    refuse("notes", "", "looked in the folders embeddings and textual_inversion");
    refuse("cat", "0123456789", "with the hash 0123456789");
    refuse("/nothing/here.pt", "", "no such file");
    refuse("dog", "", "no embedding");
    readdir_error = EIO;
    refuse("oil.v2", "", "was not found, but not all folders");
    refuse("oil.v2", "", "models/embeddings: Input/output error");
    readdir_error = 0;
    expect_list("cat oil.v2 ");
    sl_embeddings_look_in(test_file("own"));
    expect_found("dog", "", "/own/embeddings/dog.pt");
    expect_list("cat dog oil.v2 ");
    sl_embeddings_look_in(NULL);
    expect_list("cat oil.v2 ");
    char text[500], expected[500];
    snprintf(text, sizeof text, "%s:<dog>; cat#%s", test_file("own/embeddings/dog.pt"), hash[0]);
    const char *settled = sl_embedding_text(text, &err);
    sl_sha256_file(test_file("own/embeddings/dog.pt"), hash[1], NULL, &err);
    snprintf(expected, sizeof expected, "dog#%.10s:<dog>; cat#%s", hash[1], hash[0]);
    sl_test(settled && !strcmp(settled, expected), "as a recipe has them: %s", settled);
    expect_found("dog", "", "/own/embeddings/dog.pt"); /* was named by its path */
    return sl_test_done();
}
