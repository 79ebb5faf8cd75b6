/* test_model_same.c - a single checkpoint that has another name now is the one of a picture or a comparison,
 * by its hash as that is recorded there; one with its name and other weights is not.
 */
#include "app/files/files.h"
#include "app/recipe/recipe.h"
#include "tests/engine/files/util.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static SlModelInfo info; /* large */
static SlMetadata picture;

#define TENSOR(name, shape, from, to) \
    "\"" name "\":{\"dtype\":\"F16\",\"shape\":[" shape "],\"data_offsets\":[" #from "," #to "]}"
/* What tells that a file is of Stable Diffusion 1.x: names, and hardly a size. */
static const char header[] =
    "{" TENSOR("model.diffusion_model.input_blocks.0.0.weight", "1,4,1,1", 0, 8) "," TENSOR(
        "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight", "1,768", 8,
        1544) "," TENSOR("first_stage_model.decoder.conv_in.bias", "1", 1544,
                         1546) "," TENSOR("cond_stage_model.transformer.text_model.a", "1", 1546,
                                          1548) "}";

/* All weights are this one. */
static void write_model(const char *name, int weight)
{
    char path[300];
    unsigned char data[1548];
    memset(data, weight, sizeof data);
    snprintf(path, sizeof path, "models/%s", name);
    test_write_safetensors(test_file(path), header, strlen(header), data, sizeof data);
}

static void move(const char *from, const char *to)
{
    char old[300], new[300];
    snprintf(old, sizeof old, "models/%s", from);
    snprintf(new, sizeof new, "models/%s", to);
    if (rename(test_file(old), test_file(new)))
        sl_test(false, "%s becomes %s", from, to);
}

static void remove_model(const char *name)
{
    char path[300];
    snprintf(path, sizeof path, "models/%s", name);
    remove(test_file(path));
}

/* What a picture of the model records, read back from a PNG as it was written. */
static bool record(const char *name)
{
    static const uint8_t rgb[12];
    char path[300];
    SlError err = {0};
    SlRecipe recipe = {0};
    SlMetadata m = {.recipe = &recipe, .step = 1, .steps = 1, .device = "cpu", .dtype = "f32"};
    snprintf(path, sizeof path, "models/%s", name);
    bool ok = sl_model_inspect(test_file(path), &info, &err) && sl_hash_model(&info, NULL, &err);
    if (ok) {
        sl_recipe_defaults(&recipe, &info);
        sl_metadata_set_model(&m, &info);
        memset(m.noise_sha256, 'a', 64);
        memset(m.latents_sha256, 'b', 64);
        memset(m.pixels_sha256, 'c', 64);
        ok = sl_metadata_write(test_file("picture.png"), rgb, 2, 2, &m, &err);
    }
    ok = ok && sl_metadata_read(test_file("picture.png"), &picture, &err);
    return sl_test(ok && picture.files == 1 && strlen(picture.file[0].sha256) == 64,
                   "a picture of %s: %s", name, err.message);
}

static void find(const char *first, const char *expected, const char *what)
{
    const SlModelWanted wanted = {
        .name = picture.model, .files = picture.file, .count = picture.files, .first = first};
    SlError err = {0};
    bool found = sl_model_find_same(&wanted, &info, &err);
    if (expected)
        sl_test(found && !strcmp(info.name, expected), "%s: %s %s", what, found ? info.name : "",
                err.message);
    else
        sl_test(!found && strstr(err.message, picture.model), "%s: %s", what, err.message);
}

static void test_renamed(const char *name)
{
    write_model(name, 1);
    if (!record(name))
        return;
    write_model("another.safetensors", 2);
    find(NULL, name, "under its name");
    move(name, "now.safetensors");
    find(NULL, "now.safetensors", "renamed");
    move("now.safetensors", "vae=now.safetensors");
    find(NULL, "vae=now.safetensors", "renamed to what looks like a part");
    write_model(name, 3);
    find(NULL, "vae=now.safetensors", "renamed, and its name is another's now");
    mkdir(test_file("chosen"), 0700);
    move("vae=now.safetensors", "../chosen/moved.safetensors");
    find(NULL, NULL, "elsewhere");
    find(test_file("chosen"), "moved.safetensors", "in the chosen folder");
    remove(test_file("chosen/moved.safetensors"));
    remove_model(name);
    find(test_file("chosen"), NULL, "gone");
    rmdir(test_file("chosen"));
    remove_model("another.safetensors");
    sl_metadata_free(&picture);
}

/* Where a folder could not be looked into, no model is said to be missing from it. */
static void test_unread(void)
{
    char folders[600];
    SlError err = {0};
    write_model("gone.safetensors", 4);
    if (!record("gone.safetensors") || symlink("loop", test_file("loop")))
        return;
    remove_model("gone.safetensors");
    snprintf(folders, sizeof folders, "%s", test_file("models"));
    snprintf(folders + strlen(folders), sizeof folders - strlen(folders), ":%s", test_file("loop"));
    setenv("SAFELIGHT_MODELS", folders, 1);
    const SlModelWanted wanted = {
        .name = picture.model, .files = picture.file, .count = picture.files};
    sl_test(!sl_model_find_same(&wanted, &info, &err) &&
                strstr(err.message, "loop could not be read: Too many levels"),
            "a folder that cannot be read: %s", err.message);
}

int main(void)
{
    setenv("SAFELIGHT_MODELS", test_file("models"), 1);
    setenv("XDG_DATA_HOME", test_file("data"), 1);
    setenv("XDG_CACHE_HOME", test_file("cache"), 1);
    mkdir(test_file("models"), 0700);
    test_renamed("photo.safetensors");
    test_renamed("mix=2.safetensors");
    test_unread();
    return sl_test_done();
}
