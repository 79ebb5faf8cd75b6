/* weights_folder.c - finding the weights in a component's folder: one file, shards with an index,
 * variants.
 *
 * Mirrors the search of diffusers models/model_loading_utils.py. Easy to get wrong: shard names
 * come from the index, so they may point anywhere; only bare names are followed.
 */
#include "engine/files/weights_private.h"

#include "engine/files/json.h"
#include "engine/files/utf8.h"

#include <cjson/cJSON.h>
#include <dirent.h>
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
                   name ? sl_show_name(name).text : "(not a text)");
}

static int find_file(const SlWeights *w, const char *path)
{
    int i = 0;
    while (i < w->file_count && strcmp(sl_weights_file(w, i), path))
        i++;
    return i < w->file_count ? i : -1;
}

/* Opens each shard that the map names, once. */
static bool open_shards(SlWeights *w, const char *folder, const SlJson *index, const cJSON *map,
                        SlError *err)
{
    char path[PATH_ROOM];
    const char *last = "";
    for (const cJSON *c = map->child; c; c = c->next) {
        if (!check_shard_name(sl_json_name(index), c->string, c, err))
            return false;
        if (!strcmp(last, c->valuestring))
            continue;
        last = c->valuestring;
        snprintf(path, sizeof path, "%s/%s", folder, last);
        if (find_file(w, path) < 0 && sl_weights_add_file(w, path, err) < 0)
            return false;
    }
    return true;
}

/* Each tensor of the map is in the shard that it names, and the shards have no others. listed has a
 * place for each tensor. */
static bool check_map(const SlWeights *w, const char *folder, const SlJson *index, const cJSON *map,
                      bool *listed, SlError *err)
{
    char path[PATH_ROOM];
    for (const cJSON *c = map->child; c; c = c->next) {
        const SlTensorInfo *info = sl_weights_find(w, c->string);
        snprintf(path, sizeof path, "%s/%s", folder, c->valuestring);
        if (!info || strcmp(sl_weights_file_of(w, info), path))
            return sl_fail(err, SL_FORMAT, "%s: tensor \"%s\" should be in \"%s\", which lacks it",
                           sl_json_name(index), sl_show_name(c->string).text,
                           sl_show_name(c->valuestring).text);
        listed[sl_weights_index(w, info)] = true;
    }
    for (size_t i = 0; i < w->count; i++)
        if (!listed[i])
            return sl_fail(err, SL_FORMAT,
                           "%s: its weight_map does not list tensor \"%s\", which is in \"%s\"",
                           sl_json_name(index), sl_show_name(w->entries[i].info.name).text,
                           sl_show_path(sl_weights_file_of(w, &w->entries[i].info)).text);
    return true;
}

static bool fill_from_index(SlWeights *w, const char *folder, const SlJson *index, SlError *err)
{
    const cJSON *map = cJSON_GetObjectItemCaseSensitive(sl_json_root(index), "weight_map");
    if (!cJSON_IsObject(map) || !map->child)
        return sl_fail(err, SL_FORMAT,
                       "%s: \"weight_map\" is %s; expected an object that gives each tensor's file",
                       sl_json_name(index), map ? "not a filled object" : "missing");
    if (!open_shards(w, folder, index, map, err))
        return false;
    for (int i = 0; i < w->file_count; i++)
        if (!sl_weights_add_all(w, i, err))
            return false;
    if (!sl_weights_finish(w, err))
        return false;
    bool *listed = calloc(w->count, sizeof *listed);
    bool ok = listed ? check_map(w, folder, index, map, listed, err)
                     : sl_fail(err, SL_MEMORY, "%s: out of memory", sl_json_name(index));
    free(listed);
    return ok;
}

static SlWeights *open_index(const char *folder, const char *path, SlError *err)
{
    SlJson *index = sl_json_open(path, err);
    SlWeights *w = index ? sl_weights_new(path, err) : NULL;
    bool ok = w && fill_from_index(w, folder, index, err);
    sl_json_close(index);
    if (ok)
        return w;
    sl_weights_close(w);
    return NULL;
}

/* ---- the search ---- */

/* What the folder has instead of weights: the sentence when nothing was found. */
static void refuse_folder(const char *folder, const char *base, SlError *err)
{
    static const char *const pickles[] = {".bin", ".pt", ".pth", ".ckpt", ".pkl"};
    SlShown shown = sl_show_path(folder), pickle = {""}, other = {""};
    DIR *dir = opendir(folder);
    struct dirent *d;
    if (!dir) {
        sl_fail(err, SL_IO, "%s: there is no such folder, or it cannot be read", shown.text);
        return;
    }
    while ((d = readdir(dir))) {
        for (size_t i = 0; i < sizeof pickles / sizeof pickles[0]; i++)
            if (ends_with(d->d_name, pickles[i]))
                pickle = sl_show_name(d->d_name);
        if (ends_with(d->d_name, ".safetensors") || ends_with(d->d_name, ".msgpack") ||
            ends_with(d->d_name, ".onnx") || ends_with(d->d_name, ".h5"))
            other = sl_show_name(d->d_name);
    }
    closedir(dir);
    if (*pickle.text)
        sl_fail(err, SL_UNSUPPORTED,
                "%s: the weights are only there as a pickle (%s), a Python program that could do "
                "anything when it is opened; look for %s.safetensors of the same model",
                shown.text, pickle.text, base);
    else
        sl_fail(err, SL_IO, "%s: there is no %s.safetensors%s%s", shown.text, base,
                *other.text ? "; found only " : ", nor its index", other.text);
}

SlWeights *sl_weights_open(const char *folder, const char *base, SlError *err)
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
