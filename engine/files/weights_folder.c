/* weights_folder.c - opening weights: one file of whatever format, or those in a component's folder:
 * one file, shards with an index, variants.
 *
 * Mirrors the search of diffusers models/model_loading_utils.py. Easy to get wrong: shard names
 * come from the index, so they may point anywhere; only bare names are followed. The index says
 * which files there are and no more: what they hold is read from them, so that a tensor which it
 * does not list, or lists elsewhere, is one like any other.
 */
#include "engine/files/weights_source.h"

#include "engine/files/gguf.h"
#include "engine/files/json.h"
#include "engine/files/utf8.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_ROOM 4600

static bool is_there(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0; /* a dangling link is there: opening it says why it fails */
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && !strcmp(text + n - m, end);
}

/* ---- shards ---- */

static bool check_shard_name(const char *index, const char *tensor, const cJSON *value,
                             SlError *err)
{
    const char *name = cJSON_IsString(value) ? value->valuestring : NULL;
    if (name && *name && *name != '.' && !strchr(name, '/') && !strchr(name, '\\') &&
        strlen(name) < 256 && ends_with(name, ".safetensors"))
        return true;
    return sl_fail(err, SL_FORMAT,
                   "%s: tensor \"%s\" should be in \"%s\"; expected the bare name of a "
                   ".safetensors file in the same folder",
                   index, sl_show_name(tensor).text,
                   name ? sl_show_name(name).text : sl_words("(not a text)"));
}

/* The files that an index names, each once. */
typedef struct Shards {
    char *paths[SL_SOURCE_MAX_FILES];
    int count;
} Shards;

static bool add_shard(Shards *shards, const char *folder, const char *name, SlError *err)
{
    char path[PATH_ROOM];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    for (int i = 0; i < shards->count; i++)
        if (!strcmp(shards->paths[i], path))
            return true;
    if (shards->count == SL_SOURCE_MAX_FILES)
        return sl_fail(err, SL_UNSUPPORTED, "%s: more than %d files in one set of weights",
                       sl_show_path(path).text, SL_SOURCE_MAX_FILES);
    char *copy = strdup(path);
    if (!copy)
        return sl_fail(err, SL_MEMORY, "%s: out of memory", sl_show_path(path).text);
    shards->paths[shards->count++] = copy;
    return true;
}

static bool list_shards(Shards *shards, const char *folder, const SlJson *index, const cJSON *map,
                        SlError *err)
{
    const char *last = "";
    for (const cJSON *c = map->child; c; c = c->next) {
        if (!check_shard_name(sl_json_name(index), c->string, c, err))
            return false;
        if (strcmp(last, c->valuestring) && !add_shard(shards, folder, c->valuestring, err))
            return false;
        last = c->valuestring;
    }
    return true;
}

static SlWeightSource *open_shards(const char *folder, const SlJson *index, const cJSON *map,
                                   SlError *err)
{
    SlWeightSource *w = NULL;
    Shards *shards = calloc(1, sizeof *shards);
    if (!shards)
        sl_fail(err, SL_MEMORY, "%s: out of memory", sl_json_name(index));
    else if (list_shards(shards, folder, index, map, err))
        w = sl_source_safetensors((const char *const *)shards->paths, shards->count, err);
    for (int i = 0; shards && i < shards->count; i++)
        free(shards->paths[i]);
    free(shards);
    return w;
}

static SlWeightSource *open_map(const char *folder, const SlJson *index, SlError *err)
{
    const cJSON *map = cJSON_GetObjectItemCaseSensitive(sl_json_root(index), "weight_map");
    if (!cJSON_IsObject(map) || !map->child) {
        sl_fail(err, SL_FORMAT,
                "%s: \"weight_map\" is %s; expected an object that gives each tensor's file",
                sl_json_name(index), map ? sl_words("not a filled object") : sl_words("missing"));
        return NULL;
    }
    SlWeightSource *w = open_shards(folder, index, map, err);
    return w ? sl_source_dequantized(w, err) : NULL;
}

static SlWeightSource *open_index(const char *folder, const char *path, SlError *err)
{
    SlJson *index = sl_json_open(path, err);
    SlWeightSource *w = index ? open_map(folder, index, err) : NULL;
    sl_json_close(index);
    return w;
}

/* ---- the search ---- */

/* What the folder has instead of weights: the sentence when nothing was found. */
static void refuse_folder(const char *folder, const char *base, SlError *err)
{
    static const char *const pickles[] = {".bin", ".pt", ".pth", ".ckpt", ".pkl"};
    SlShown shown = sl_show_path(folder), pickle = {""}, other = {""};
    DIR *dir = opendir(folder);
    const struct dirent *d = NULL;
    int error = dir ? 0 : errno;
    while (dir) {
        errno = 0;
        d = readdir(dir);
        error = errno;
        if (!d)
            break;
        for (size_t i = 0; i < sizeof pickles / sizeof pickles[0]; i++)
            if (ends_with(d->d_name, pickles[i]))
                pickle = sl_show_name(d->d_name);
        if (ends_with(d->d_name, ".safetensors") || ends_with(d->d_name, ".msgpack") ||
            ends_with(d->d_name, ".onnx") || ends_with(d->d_name, ".h5"))
            other = sl_show_name(d->d_name);
    }
    if (dir)
        closedir(dir);
    if (error == ENOENT || error == ENOTDIR)
        sl_fail(err, SL_IO, "%s: there is no such folder", shown.text);
    else if (error)
        sl_fail(err, SL_IO, "%s: the folder cannot be read: %s", shown.text, strerror(error));
    else if (*pickle.text)
        sl_fail(err, SL_UNSUPPORTED,
                "%s: the weights are only there as a pickle (%s), a Python program that could do "
                "anything when it is opened; look for %s.safetensors of the same model",
                shown.text, pickle.text, base);
    else
        sl_fail(err, SL_IO, "%s: there is no %s.safetensors%s%s", shown.text, base,
                *other.text ? sl_words("; found only ") : sl_words(", nor its index"), other.text);
}

SlWeightSource *sl_weights_open_file(const char *path, SlError *err)
{
    if (sl_gguf_is(path))
        return sl_source_gguf(path, err);
    return sl_source_dequantized(sl_source_safetensors(&path, 1, err), err);
}

SlWeightSource *sl_weights_open(const char *folder, const char *base, SlError *err)
{
    static const struct {
        const char *ending;
        bool index;
    } endings[] = {
        {".safetensors", false},
        {".safetensors.index.json", true},
        {".fp16.safetensors", false},
        {".safetensors.index.fp16.json", true},
        {".fp16.safetensors.index.json", true},
        {".bf16.safetensors", false},
        {".safetensors.index.bf16.json", true},
    };
    char path[PATH_ROOM];
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        int n = snprintf(path, sizeof path, "%s/%s%s", folder, base, endings[i].ending);
        if (n >= (int)sizeof path) {
            sl_fail(err, SL_IO, "%s: the path is too long", sl_show_path(folder).text);
            return NULL;
        }
        if (is_there(path))
            return endings[i].index ? open_index(folder, path, err)
                                    : sl_weights_open_file(path, err);
    }
    refuse_folder(folder, base, err);
    return NULL;
}
