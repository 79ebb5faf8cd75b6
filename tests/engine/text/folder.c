/* folder.c - see folder.h. */
#include "folder.h"

#include "tests/test.h"

#include <string.h>
#include <unistd.h>

static const char *const names[] = {
    "vocab.json",        "merges.txt",    "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", "tokenizer.json"};
enum { NAMES = sizeof names / sizeof *names, FIRST_SETTING = 2, WHOLE = NAMES - 1 };

_Noreturn static void stop(const char *what)
{
    perror(what);
    exit(1);
}

static char *join(const char *folder, const char *name)
{
    char *path;
    if (asprintf(&path, "%s/%s", folder, name) < 0)
        stop(name);
    return path;
}

char *read_file(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END))
        stop(path);
    long size = ftell(file);
    rewind(file);
    char *text = malloc((size_t)size + 1);
    if (!text || fread(text, 1, (size_t)size, file) != (size_t)size)
        stop(path);
    text[size] = 0;
    *length = (size_t)size;
    fclose(file);
    return text;
}

void write_file(const char *folder, const char *name, const char *text, size_t length)
{
    char *path = join(folder, name);
    if (text) {
        FILE *file = fopen(path, "wb");
        if (!file || fwrite(text, 1, length, file) != length || fclose(file))
            stop(path);
    } else {
        unlink(path);
    }
    free(path);
}

static void copy(const char *folder, const char *from, const char *name)
{
    size_t length;
    char *path = join(from, name);
    if (access(path, F_OK) == 0) {
        char *text = read_file(path, &length);
        write_file(folder, name, text, length);
        free(text);
    }
    free(path);
}

char *new_folder(void)
{
    char *folder = strdup("/tmp/safelight-text-XXXXXX");
    char *from = sl_test_path("goldens/text/tokenizer");
    if (!folder || !mkdtemp(folder))
        stop("a temporary folder");
    for (int i = 0; i < FIRST_SETTING; i++)
        copy(folder, from, names[i]);
    free(from);
    return folder;
}

void copy_settings(const char *folder, const char *kind)
{
    char relative[100];
    snprintf(relative, sizeof relative, "goldens/text/%s%s",
             strcmp(kind, "sd1") ? "settings/" : "tokenizer", strcmp(kind, "sd1") ? kind : "");
    char *from = sl_test_path(relative);
    for (int i = FIRST_SETTING; i < WHOLE; i++)
        copy(folder, from, names[i]);
    free(from);
}

/* The merges of merges.txt as a list in JSON; malloc'ed. */
static char *list_merges(const char *folder, bool pairs)
{
    size_t length;
    char *path = join(folder, "merges.txt"), *text = read_file(path, &length);
    char *list = malloc(8 * length + 16), *at = list, *rest = strchr(text, '\n');
    if (!list)
        stop("memory");
    *at++ = '[';
    for (char *c = rest; *c && c[1]; c++) {
        if (*c == '\n')
            at += sprintf(at, "%s%s",
                          c == rest ? ""
                          : pairs   ? "\"], "
                                    : "\", ",
                          pairs ? "[\"" : "\"");
        else if (*c == ' ' && pairs)
            at += sprintf(at, "\", \"");
        else if (*c == '"' || *c == '\\')
            at += sprintf(at, "\\%c", *c);
        else
            *at++ = *c;
    }
    sprintf(at, pairs ? "\"]]" : "\"]");
    free(text);
    free(path);
    return list;
}

/* The text with the first `from` replaced; malloc'ed. */
static char *replaced(char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    char *result = malloc(strlen(text) + strlen(to) + 1);
    if (!at || !result)
        stop(from);
    size_t before = (size_t)(at - text);
    memcpy(result, text, before);
    strcpy(result + before, to);
    strcat(result, at + strlen(from));
    free(text);
    return result;
}

char *whole_tokenizer(const char *folder, const char *kind, bool pairs)
{
    size_t length;
    char relative[100], *vocab_path = join(folder, "vocab.json");
    snprintf(relative, sizeof relative, "goldens/text/settings/5-%s/tokenizer.json", kind);
    char *path = sl_test_path(relative), *text = read_file(path, &length);
    char *vocab = read_file(vocab_path, &length), *merges = list_merges(folder, pairs);
    text = replaced(replaced(text, "\"vocab\": {}", "\"vocab\": @"), "@", vocab);
    text = replaced(replaced(text, "\"merges\": []", "\"merges\": @@@"), "@@@", merges);
    free(vocab);
    free(merges);
    free(vocab_path);
    free(path);
    return text;
}

void make_whole(const char *folder, const char *kind, bool pairs)
{
    char *text = whole_tokenizer(folder, kind, pairs), settings[20];
    write_file(folder, "tokenizer.json", text, strlen(text));
    snprintf(settings, sizeof settings, "5-%s", kind);
    for (int i = 0; i < WHOLE; i++)
        write_file(folder, names[i], NULL, 0);
    copy_settings(folder, settings);
    free(text);
}

void remove_folder(char *folder)
{
    for (int i = 0; i < NAMES; i++)
        write_file(folder, names[i], NULL, 0);
    rmdir(folder);
    free(folder);
}
