/* fuzz_template.c - a template of prompts, up to the first 0; what follows is the wildcard file "w". Read, counted,
 * drawn from, and all made where they are few. */
#include "tests/fuzz/fuzz.h"

#include "app/recipe/recipe.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/safelight-fuzz-template.XXXXXX", file[64];

static void clean(void)
{
    unlink(file);
    rmdir(folder);
}

static void write_wildcard(const uint8_t *data, size_t size)
{
    if (!*file) {
        if (!mkdtemp(folder))
            abort();
        snprintf(file, sizeof file, "%s/w.txt", folder);
        atexit(clean);
    }
    FILE *f = fopen(file, "wb");
    if (f) {
        fwrite(data, 1, size, f);
        fclose(f);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const folders[] = {folder, NULL};
    SlError err = {0};
    const uint8_t *end = size ? memchr(data, 0, size) : NULL;
    size_t length = end ? (size_t)(end - data) : size;
    char *text = strndup((const char *)data, length);
    write_wildcard(data + (end ? length + 1 : size), end ? size - length - 1 : 0);
    SlTemplate *t = text ? sl_template_read(text, folders, &err) : NULL;
    SlTemplate *none = sl_template_read("", NULL, &err);
    if (text && !t && (err.code == SL_OK || !*err.message))
        abort();
    if (t && none) {
        int count;
        char *drawn = sl_template_draw(t, 7, 1, &err);
        if (isnan(sl_template_count(t)) || sl_template_count(t) < 1)
            abort();
        SlTemplatePair *pairs = sl_template_all(t, none, &count, &err);
        if (pairs && count < 1)
            abort();
        sl_template_pairs_free(pairs, count);
        free(drawn);
    }
    sl_template_free(none);
    sl_template_free(t);
    free(text);
    return 0;
}
