/* fuzz_checkpoint.c - the input is a list of tensors, a line each: a name as the original
 * latent-diffusion layout has it, then its sizes. A file with these tensors is shown under
 * diffusers' names; every tensor shown must be there and readable.
 */
#include "tests/fuzz/fuzz.h"

#include "app/files/files.h"
#include "engine/files/checkpoint.h"
#include "engine/files/tiny_file.h"
#include "engine/files/weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_TENSORS 1000
#define MOST_VALUES  65536

/* Appends a line's tensor to the header; gives where its data ends, or `from` for a bad line. */
static size_t add_tensor(SlText *header, char *line, size_t from)
{
    size_t values = 1, name = strcspn(line, " ");
    char *sizes = line + name;
    SlText shape = {0};
    int rank = 0;
    for (char *next; rank < 4 && *sizes; sizes = next, rank++) {
        unsigned long n = strtoul(sizes, &next, 10);
        if (next == sizes || (values *= n) > MOST_VALUES || n > MOST_VALUES)
            break;
        sl_text_addf(&shape, "%s%lu", rank ? "," : "", n);
    }
    line[name] = '\0';
    bool plain = name > 0 && !strpbrk(line, "\"\\") && values <= MOST_VALUES;
    for (size_t i = 0; i < name; i++)
        plain = plain && line[i] >= ' ' && (unsigned char)line[i] < 127;
    if (plain)
        sl_text_addf(
            header, "%s\"%s\":{\"dtype\":\"F16\",\"shape\":[%s],\"data_offsets\":[%zu,%zu]}",
            header->length > 1 ? "," : "", line, rank ? shape.data : "", from, from + values * 2);
    sl_text_free(&shape);
    return plain ? from + values * 2 : from;
}

/* The path of a file with the input's tensors, all zero. */
static const char *make_file(char *lines)
{
    SlText header = {0};
    size_t end = 0;
    char *rest = NULL;
    int count = 0;
    sl_text_addf(&header, "{");
    for (char *line = strtok_r(lines, "\n", &rest); line && count < MOST_TENSORS; count++) {
        end = add_tensor(&header, line, end);
        line = strtok_r(NULL, "\n", &rest);
    }
    sl_text_addf(&header, "}");
    uint8_t *file = header.data ? calloc(1, 8 + header.length + end) : NULL;
    if (!file)
        abort();
    for (int i = 0; i < 8; i++)
        file[i] = (uint8_t)((uint64_t)header.length >> (8 * i));
    memcpy(file + 8, header.data, header.length);
    const char *path = fuzz_file(file, 8 + header.length + end);
    free(file);
    sl_text_free(&header);
    return path;
}

static void check_part(SlWeightSource *w, SlError *failed)
{
    SlError err = *failed;
    if (!w && (err.code == SL_OK || !*err.message))
        abort();
    for (size_t i = 0; w && i < sl_weights_count(w); i++) {
        const SlTensorInfo *info = sl_weights_info(w, i);
        float *values = malloc((size_t)info->bytes * 2 + 4);
        if (!values || sl_weights_find(w, info->name) != info ||
            !sl_weights_read_f32(w, info, values, &err))
            abort();
        free(values);
    }
    sl_weights_close(w);
}

/* The file as a tiny VAE, whose configuration is told from its sizes. */
static void check_tiny(SlWeightSource *file)
{
    SlError err = {0}, none = {0};
    SlWeightSource *w = sl_tiny_is(file) ? sl_tiny_weights(file, &err) : NULL;
    SlJson *config = w ? sl_tiny_config(w, &err) : NULL;
    if (sl_tiny_is(file) && !config && (err.code == SL_OK || !*err.message))
        abort();
    sl_tiny_scale(file);
    sl_json_close(config);
    if (w)
        check_part(w, &none);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SlError err = {0};
    char arch[16];
    char *lines = sl_copy_bytes((const char *)data, size);
    if (!lines)
        abort();
    const char *path = make_file(lines);
    free(lines);
    SlWeightSource *file = sl_weights_open_file(path, &err);
    if (file && !(sl_checkpoint_recognise(file, &err) && sl_checkpoint_arch(file, arch, &err)) &&
        (err.code == SL_OK || !*err.message))
        abort();
    if (file)
        check_tiny(file);
    sl_weights_close(file);
    static const char *const parts[] = {"unet", "vae", "text_encoder"};
    for (int i = 0; i < 3; i++) {
        SlError whole = {0}, alone = {0};
        SlWeightSource *w = sl_weights_open_checkpoint(path, parts[i], &whole);
        check_part(w, &whole);
        w = sl_weights_open_part(path, parts[i], &alone);
        check_part(w, &alone);
    }
    return 0;
}
