/* model_path.c - see model_path.h. */
#include "app/files/model_path.h"
#include "app/files/text.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FOLDERS 32
#define MAX_MODELS  1000
#define PATH_ROOM   4600

/* ---- folders ---- */

typedef struct List {
    char **item;
    int count, max;
    bool failed;
    SlError *unread; /* the first folder that is there and could not be read; may be NULL */
} List;

/* Takes ownership of item. */
static void push(List *list, char *item)
{
    if (!item)
        list->failed = true;
    else if (list->count < list->max)
        list->item[list->count++] = item;
    else
        free(item);
}

__attribute__((format(printf, 2, 3))) static void pushf(List *list, const char *format, ...)
{
    char *item = NULL;
    va_list args;
    va_start(args, format);
    if (vasprintf(&item, format, args) < 0)
        item = NULL;
    va_end(args);
    push(list, item);
}

static void push_variable(List *list, const char *value)
{
    while (value && *value) {
        size_t n = strcspn(value, ":");
        if (n > 0)
            push(list, sl_copy_bytes(value, n));
        value += n + (value[n] == ':');
    }
}

static void push_home(List *list)
{
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    if (data && *data == '/')
        pushf(list, "%s/safelight/models", data);
    else if (home && *home)
        pushf(list, "%s/.local/share/safelight/models", home);
}

/* The folders that belong to the program: installed anywhere, or run from its build folder. */
static void push_program(List *list)
{
    char program[4096];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    program[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(program, '/');
    if (slash) {
        *slash = '\0';
        pushf(list, "%s/../share/safelight/models", program);
    }
    pushf(list, "%s", SL_MODELS_DIR);
    size_t build = strlen(SL_BUILD_ROOT);
    if (strncmp(program, SL_BUILD_ROOT, build) == 0 && (!program[build] || program[build] == '/'))
        pushf(list, "%s/data/models", SL_SOURCE_ROOT);
}

char **sl_model_folders(void)
{
    char **folders = calloc(MAX_FOLDERS + 1, sizeof *folders);
    List list = {.item = folders, .max = MAX_FOLDERS, .failed = !folders};
    if (folders) {
        push_variable(&list, getenv("SAFELIGHT_MODELS"));
        push_home(&list);
        push_program(&list);
    }
    if (list.failed) {
        sl_strings_free(folders);
        return NULL;
    }
    return folders;
}

void sl_strings_free(char **strings)
{
    for (char **s = strings; s && *s; s++)
        free(*s);
    free(strings);
}

/* ---- names ---- */

static bool exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

char **sl_folders_named(const char *name, const char *first)
{
    char **models = sl_model_folders(), **folders = calloc(2 * MAX_FOLDERS + 4, sizeof *folders);
    List list = {.item = folders, .max = 2 * MAX_FOLDERS + 3, .failed = !models || !folders};
    for (int i = first && *first ? -1 : 0; !list.failed && (i < 0 || models[i]); i++)
        for (int beside = 0; beside < 2; beside++) {
            char *path = NULL;
            if (asprintf(&path, "%s/%s%s", i < 0 ? first : models[i], beside ? "../" : "", name) <
                0)
                path = NULL;
            if (path && !exists(path)) {
                free(path);
                continue;
            }
            push(&list, path);
        }
    if (!list.failed && list.count == 0 && ((first && *first) || models[0]))
        pushf(&list, "%s/%s", first && *first ? first : models[0], name);
    sl_strings_free(models);
    if (list.failed) {
        sl_strings_free(folders);
        return NULL;
    }
    return folders;
}

static const char *const file_endings[] = {".safetensors", ".gguf"};

bool sl_model_file_name(const char *path)
{
    size_t n = strlen(path);
    for (int i = 0; i < 2; i++) {
        size_t m = strlen(file_endings[i]);
        if (n > m && strcmp(path + n - m, file_endings[i]) == 0)
            return true;
    }
    return false;
}

/* folder/name, also with the ending of a model's file, whichever is there; malloc'ed or NULL. *failed without memory. */
static char *in_folder(const char *folder, const char *name, bool *failed)
{
    const char *const endings[] = {"", file_endings[0], file_endings[1]};
    for (int i = 0; i < 3; i++) {
        char *path;
        if (asprintf(&path, "%s/%s%s", folder, name, endings[i]) < 0) {
            *failed = true;
            return NULL;
        }
        if (exists(path))
            return path;
        free(path);
    }
    return NULL;
}

static void say_where(const char *what, const char *name, char **folders, SlError *err)
{
    SlText text = {0};
    for (int i = 0; folders[i]; i++)
        sl_text_addf(&text, "%s%s", i ? ", " : "", folders[i]);
    sl_fail(err, SL_IO, "there is no %s \"%s\"; looked in %.700s", what, name,
            text.data ? text.data : sl_words("no folder"));
    sl_text_free(&text);
}

char *sl_model_find(const char *name, SlError *err)
{
    if (name && (strchr(name, '/') || exists(name))) {
        char *copy = strdup(name);
        if (!copy)
            sl_fail(err, SL_MEMORY, "memory ran out");
        return copy;
    }
    if (name && !*name) {
        sl_fail(err, SL_ARGUMENT, "the name of the model is empty; expected a path or a name");
        return NULL;
    }
    if (!name)
        name = SL_DEFAULT_MODEL;
    char **folders = sl_model_folders(), *found = NULL;
    bool failed = !folders;
    for (int i = 0; !failed && folders[i] && !found; i++)
        found = in_folder(folders[i], name, &failed);
    if (failed)
        sl_fail(err, SL_MEMORY, "memory ran out");
    else if (!found)
        say_where("model", name, folders, err);
    sl_strings_free(folders);
    return found;
}

char *sl_part_find(const char *part, const char *name, SlError *err)
{
    char inner[PATH_ROOM];
    if (strchr(name, '/') || exists(name)) {
        char *copy = strdup(name);
        if (!copy)
            sl_fail(err, SL_MEMORY, "memory ran out");
        return copy;
    }
    char **folders = sl_model_folders(), *found = NULL;
    bool failed = !folders;
    for (int i = 0; !failed && folders[i] && !found; i++) {
        found = in_folder(folders[i], name, &failed);
        if (!found && !failed &&
            snprintf(inner, sizeof inner, "%s/%s", folders[i], part) < (int)sizeof inner)
            found = in_folder(inner, name, &failed);
    }
    if (failed)
        sl_fail(err, SL_MEMORY, "memory ran out");
    else if (!found)
        say_where(part, name, folders, err);
    sl_strings_free(folders);
    return found;
}

/* In this folder, or in one called vae_approx in it or beside it, as ComfyUI has them. */
static char *tiny_vae_in(const char *folder, const char *name, bool *failed)
{
    static const char *const inner[] = {"", "/vae_approx", "/../vae_approx"};
    static const char *const endings[] = {"_decoder", ""};
    char place[PATH_ROOM], file[64], *found = NULL;
    for (int i = 0; i < 3 && !found; i++) {
        bool room = snprintf(place, sizeof place, "%s%s", folder, inner[i]) < (int)sizeof place;
        for (int k = 0; k < 2 && room && !found && !*failed; k++) {
            snprintf(file, sizeof file, "%s%s", name, endings[k]);
            found = in_folder(place, file, failed);
        }
    }
    return found;
}

char *sl_preview_decoder_find(const SlModelInfo *info, const char *first, SlError *err)
{
    const char *name = sl_preview_decoder_name(info);
    if (!name)
        return NULL;
    char **folders = sl_model_folders();
    bool failed = !folders;
    char *found = first && *first ? tiny_vae_in(first, name, &failed) : NULL;
    for (int i = 0; !failed && folders[i] && !found; i++)
        found = tiny_vae_in(folders[i], name, &failed);
    sl_strings_free(folders);
    if (failed)
        sl_fail(err, SL_MEMORY, "memory ran out");
    return found;
}

/* ---- parts ---- */

/* Where parts lie that are files of their own, ComfyUI's folders among them, and words that their
 * names have in a folder with other things. */
typedef struct PartPlace {
    const char *part;
    const char *inner[4], *words[4];
} PartPlace;

static const PartPlace part_places[] = {
    {"vae", {"vae"}, {"vae"}},
    {"unet", {"unet", "diffusion_models"}, {"unet"}},
    {"text_encoder", {"text_encoder", "text_encoders", "clip"}, {"text_encoder", "clip"}},
    {"text_encoder_2", {"text_encoder_2", "text_encoders", "clip"}, {"text_encoder_2", "clip_g"}},
    {"vae_approx", {"vae_approx"}, {"taesd", "taef"}},
};

static bool has_word(const List *list, const char *name, const char *const *words)
{
    for (int i = 0; !words || (i < 4 && words[i]); i++)
        if (!words || strcasestr(name, words[i]))
            return true;
    return false;
}

/* A model's file, or a folder with a config.json. */
static bool may_be_part(const char *path)
{
    char config[PATH_ROOM + 16];
    snprintf(config, sizeof config, "%.*s/config.json", PATH_ROOM, path);
    return sl_model_file_name(path) || exists(config);
}

/* Which entries of a folder are listed: by the name, then by what is there. */
typedef struct Choice {
    bool (*name)(const List *list, const char *name, const char *const *words);
    bool (*path)(const char *path);
    const char *const *words;
} Choice;

static void note_folder(List *list, const char *folder, int error)
{
    if (list->unread && list->unread->code == SL_OK && error != ENOENT && error != ENOTDIR)
        sl_fail(list->unread, SL_IO, "The folder %s could not be read: %s",
                sl_show_path(folder).text, strerror(error));
}

/* In the order of their names, but for hidden ones. */
static void push_chosen(List *list, const char *folder, const Choice *choice)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    if (count < 0)
        note_folder(list, folder, errno);
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        char *path = NULL;
        if (name[0] != '.' && choice->name(list, name, choice->words) &&
            asprintf(&path, "%s/%s", folder, name) >= 0) {
            if (choice->path(path))
                push(list, path);
            else
                free(path);
        }
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
}

/* words NULL: any name. Files before their words decide: a folder must lie in a part's own. */
static void push_parts_in(List *list, const char *folder, const char *const *words)
{
    push_chosen(list, folder, &(Choice){has_word, words ? sl_model_file_name : may_be_part, words});
}

static void push_parts_of(List *list, const char *folder, const PartPlace *place)
{
    char inner[PATH_ROOM];
    SlError *unread = list->unread;
    push_parts_in(list, folder, place->words);
    for (int i = 0; i < 4 && place->inner[i]; i++)
        for (int up = 0; up < 2; up++) {
            list->unread = up ? NULL : unread; /* what lies beside may be no folder of models */
            if (snprintf(inner, sizeof inner, "%s/%s%s", folder, up ? "../" : "", place->inner[i]) <
                (int)sizeof inner)
                push_parts_in(list, inner, NULL);
        }
    list->unread = unread;
}

char **sl_parts_list(const char *part, const char *first, SlError *unread)
{
    char **paths = calloc(MAX_MODELS + 1, sizeof *paths), **folders = sl_model_folders();
    List list = {.item = paths, .max = paths ? MAX_MODELS : 0, .unread = unread};
    for (size_t k = 0; k < sizeof part_places / sizeof part_places[0]; k++) {
        if (strcmp(part_places[k].part, part))
            continue;
        if (first && *first)
            push_parts_of(&list, first, &part_places[k]);
        for (int i = 0; folders && folders[i]; i++)
            push_parts_of(&list, folders[i], &part_places[k]);
    }
    sl_strings_free(folders);
    return paths;
}

/* ---- all of them ---- */

static bool looks_like_model(const char *path)
{
    char *index;
    if (sl_model_file_name(path))
        return true;
    if (asprintf(&index, "%s/model_index.json", path) < 0)
        return false;
    bool yes = exists(index);
    free(index);
    return yes;
}

/* Not that of a model that is listed: the first folder's counts. */
static bool is_new(const List *list, const char *name, const char *const *words)
{
    for (int i = 0; i < list->count; i++)
        if (strcmp(strrchr(list->item[i], '/') + 1, name) == 0)
            return false;
    return true;
}

char **sl_models_list(const char *first, SlError *unread)
{
    char **paths = calloc(MAX_MODELS + 1, sizeof *paths), **folders = sl_model_folders();
    List list = {.item = paths, .max = paths ? MAX_MODELS : 0, .unread = unread};
    const Choice models = {.name = is_new, .path = looks_like_model};
    if (first && *first)
        push_chosen(&list, first, &models);
    for (int i = 0; folders && folders[i]; i++)
        push_chosen(&list, folders[i], &models);
    sl_strings_free(folders);
    return paths;
}
