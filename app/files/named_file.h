/* named_file.h - files that a recipe names without their folder, with the beginning of a hash: where they are looked
 * for, and what they are called. Private to app/files; lora_path.h and embedding_path.h say of which kinds.
 *
 * So one is found again wherever it lies, under whatever name, and another file of that name is not taken for it.
 * Looked for it is, in this order: among the files that were named by their path in this process, and in the kind's
 * folders (with those in them) in and beside the folder of models that is looked in first, and those of
 * model_path.h. All functions are for any thread.
 */
#ifndef SL_APP_NAMED_FILE_H
#define SL_APP_NAMED_FILE_H

#include "engine/engine.h"

struct SlRemembered; /* named_file.c's */

typedef struct SlNamedKind {
    const char *what;           /* "LoRA", for messages */
    SlWanted wanted;            /* the same */
    const char *folders;        /* "loras and lora", for messages */
    const char *const *endings; /* ".safetensors", ...; ended by NULL */
    const char *const *inner;   /* folders in one of models, "../" beside it; ended by NULL */
    /* Whether a hash of 8 to 64 digits is the file's; false with *err where that could not be found out. */
    bool (*has_hash)(const char *path, const char *hash, SlError *err);
    struct SlRemembered *paths,
        *first; /* named by their path; the folder that is looked in first */
} SlNamedKind;

/* From now on; NULL and "": none. */
void sl_named_look_in(SlNamedKind *kind, const char *folder);
/* A file is found by its name from now on, wherever it lies. False without memory. */
bool sl_named_remember(SlNamedKind *kind, const char *path);
/* A copy of a text that lives as long as the program; NULL without memory. */
const char *sl_named_keep(const char *text);
/* The file's name without folder and ending; its length. */
const char *sl_named_stem(const SlNamedKind *kind, const char *path, size_t *length);
/* Its path, malloc'ed. hash "": whichever has the name; else the file that has the hash, whatever its name. NULL and
 * *err, with where was looked. */
char *sl_named_find(SlNamedKind *kind, const char *name, const char *hash, SlError *err);
/* Each file in the folders, first those that are remembered where `remembered`; name: its path in its folder, without
 * the ending. False and *err without memory. */
typedef struct SlNamedVisit {
    bool remembered;
    void (*each)(void *arg, const char *name, const char *path);
    void *arg;
} SlNamedVisit;
bool sl_named_each(SlNamedKind *kind, const SlNamedVisit *visit, SlError *err);
/* The name of a found file and the beginning of its SHA-256 in place of what was said of it. */
typedef struct SlNamedUse {
    char *name; /* has room for size bytes */
    size_t size;
    char *hash; /* for 11 */
} SlNamedUse;
bool sl_named_settle(SlNamedKind *kind, const SlNamedUse *use, SlError *err);

#endif
