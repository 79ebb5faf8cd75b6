/* model_same.c - see model_same.h.
 *
 * Easy to get wrong: hashing a model of gigabytes takes seconds, so names and sizes are compared
 * first; and what a person gave a name to may have another one now.
 */
#include "app/files/model_same.h"
#include "app/files/hash_cache.h"
#include "app/files/model_path.h"
#include "app/files/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_ROOM 4600

/* Behind "vae=NAME", or the whole name of a single file: what a person may have renamed. part: "vae=", of a
 * part from elsewhere; "": the model's own. */
static const char *behind_given(const char *name, const char *part, bool single)
{
    const char *slash = strchr(name + strlen(part), '/');
    if (*part)
        return slash ? slash : name + strlen(name);
    return single ? name + strlen(name) : name;
}

/* The name of a file whose hash is known may differ where a person gives it: the hash says that it
 * is the same. */
static bool same_name(const SlModelInfo *info, const SlModelFile *is, const SlModelFile *was)
{
    char part[sizeof info->other[0].part + 1] = "";
    for (int i = 0; i < info->others && !*part; i++) {
        snprintf(part, sizeof part, "%s=", info->other[i].part);
        if (strncmp(is->name, part, strlen(part)))
            *part = 0;
    }
    if (!was->sha256[0])
        return !strcmp(is->name, was->name);
    return !strncmp(was->name, part, strlen(part)) &&
           !strcmp(behind_given(is->name, part, info->single_file),
                   behind_given(was->name, part, info->single_file));
}

static bool same_sizes(const SlModelInfo *info, const SlModelFile *files, int count)
{
    if (info->files != count)
        return false;
    for (int i = 0; i < count; i++)
        if (info->file[i].bytes != files[i].bytes || !same_name(info, &info->file[i], &files[i]))
            return false;
    return true;
}

static bool same_hashes(const SlModelInfo *info, const SlModelFile *files, int count)
{
    for (int i = 0; i < count; i++)
        if (files[i].sha256[0] && strcmp(info->file[i].sha256, files[i].sha256) != 0)
            return false;
    return true;
}

/* Hashes are only taken where names and sizes agree already: a large model takes seconds. */
bool sl_model_is_same(SlModelInfo *info, const SlModelFile *files, int count, const int *cancel)
{
    return same_sizes(info, files, count) && sl_hash_model(info, cancel, NULL) &&
           same_hashes(info, files, count);
}

static bool has_other(const SlFoundParts *others, const char *part)
{
    for (int i = 0; i < others->count; i++)
        if (!strcmp(others->part[i], part))
            return true;
    return false;
}

/* The file of a part from elsewhere, "vae=NAME" or "vae=NAME/FILE", at a path that stands for NAME:
 * is it there with this size and, where that is known, this hash? */
static bool is_file(const char *path, const SlModelFile *file, const int *cancel)
{
    char full[PATH_ROOM], hex[65];
    struct stat st;
    const char *inner = strchr(strchr(file->name, '='), '/');
    return snprintf(full, sizeof full, "%s%s", path, inner ? inner : "") < (int)sizeof full &&
           stat(full, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size == file->bytes &&
           (!file->sha256[0] ||
            (sl_hash_file(full, hex, cancel, NULL) && !strcmp(hex, file->sha256)));
}

/* Where the part is under another name: by its hash among the files that may be one, and among
 * models. NULL: nowhere. */
static char *find_renamed(const char *part, const SlModelFile *file, const char *first,
                          const int *cancel)
{
    char **lists[] = {sl_parts_list(part, first, NULL), sl_models_list(first, NULL)}, *found = NULL;
    for (int k = 0; k < 2; k++) {
        for (int i = 0; lists[k] && lists[k][i] && !found && file->sha256[0]; i++)
            if (is_file(lists[k][i], file, cancel))
                found = strdup(lists[k][i]);
        sl_strings_free(lists[k]);
    }
    return found;
}

static bool add_other(const SlModelWanted *wanted, const SlModelFile *file, const char *equals,
                      SlFoundParts *others, SlError *err)
{
    const int *cancel = wanted->cancel;
    int i = others->count;
    SlError problem = {0};
    char *part = sl_copy_bytes(file->name, (size_t)(equals - file->name));
    char *value = sl_copy_bytes(equals + 1, strcspn(equals + 1, "/"));
    if (part && value && has_other(others, part)) {
        free(part);
        free(value);
        return true;
    }
    bool room = part && value && i < SL_MODEL_MAX_OTHERS;
    char *path = room ? sl_part_find(part, value, &problem) : NULL;
    char *renamed = room && (!path || !is_file(path, file, cancel))
                        ? find_renamed(part, file, wanted->first, cancel)
                        : NULL;
    if (renamed) {
        free(path);
        path = renamed;
    }
    if (!room)
        sl_fail(err, SL_MEMORY, "memory ran out for the model's parts");
    else if (!path)
        sl_fail(err, problem.code, "%s", problem.message);
    free(value);
    if (!path) {
        free(part);
        return false;
    }
    others->part[i] = part;
    others->path[i] = path;
    others->from[i] = (SlPartFrom){part, path};
    others->count++;
    return true;
}

void sl_found_parts_free(SlFoundParts *parts)
{
    for (int i = 0; i < parts->count; i++) {
        free(parts->part[i]);
        free(parts->path[i]);
    }
    *parts = (SlFoundParts){.count = 0};
}

/* Of a model that is a folder every own file is in the folder of a part, "unet/NAME"; of a single
 * file the only own name is the model's. */
static bool find_others(const SlModelWanted *wanted, SlFoundParts *others, SlError *err)
{
    for (int i = 0; i < wanted->count; i++) {
        const char *name = wanted->files[i].name, *equals = strchr(name, '=');
        if (equals && strcmp(name, wanted->name) && !memchr(name, '/', (size_t)(equals - name)) &&
            !add_other(wanted, &wanted->files[i], equals, others, err))
            return false;
    }
    return true;
}

bool sl_parts_find_same(const SlModelWanted *wanted, SlFoundParts *parts, SlError *err)
{
    *parts = (SlFoundParts){.count = 0};
    bool found = find_others(wanted, parts, err);
    if (!found)
        sl_found_parts_free(parts);
    return found;
}

static bool is_same(const char *path, const SlModelWanted *wanted, const SlFoundParts *others,
                    SlModelInfo *info)
{
    return sl_model_inspect_with(path, others->from, info, NULL) &&
           sl_model_is_same(info, wanted->files, wanted->count, wanted->cancel);
}

static bool find_same(const SlModelWanted *wanted, const SlFoundParts *others, SlModelInfo *info,
                      SlError *err)
{
    char *path = sl_model_find(wanted->name, NULL);
    bool found = path && is_same(path, wanted, others, info);
    bool named = path != NULL;
    free(path);
    if (found)
        return true;
    SlError unread = {0};
    char **paths = sl_models_list(wanted->first, &unread);
    for (int i = 0; paths && paths[i] && !found; i++)
        found = is_same(paths[i], wanted, others, info);
    sl_strings_free(paths);
    if (!found && !named && unread.code != SL_OK)
        sl_fail(
            err, SL_IO,
            "the model \"%.200s\" was not found, but not all folders could be looked into: %.600s",
            wanted->name, unread.message);
    else if (!found)
        sl_fail(
            err, SL_IO,
            named ? SL_WORDS("the model \"%s\" here has other weights than the one of this picture")
                  : SL_WORDS("there is no model \"%s\" on the search path"),
            wanted->name);
    return found;
}

bool sl_model_find_same(const SlModelWanted *wanted, SlModelInfo *info, SlError *err)
{
    SlFoundParts others = {.count = 0};
    bool found = find_others(wanted, &others, err) && find_same(wanted, &others, info, err);
    sl_found_parts_free(&others);
    return found;
}
