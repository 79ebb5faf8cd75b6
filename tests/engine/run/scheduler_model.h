/* scheduler_model.h - a small pipeline of tests/goldens/model with another scheduler, for tests. What
 * its UNet says may be nothing that such a scheduler is for, but it is taken as that.
 */
#ifndef SL_TESTS_SCHEDULER_MODEL_H
#define SL_TESTS_SCHEDULER_MODEL_H

#include "tests/test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FLOW_SCHEDULER                                                                        \
    "{\"_class_name\": \"FlowMatchEulerDiscreteScheduler\", \"use_dynamic_shifting\": true, " \
    "\"base_image_seq_len\": 16, \"shift\": 3.0}\n"
#define COSXL_SCHEDULER                                                                     \
    "{\"_class_name\": \"EDMEulerScheduler\", \"sigma_min\": 0.002, \"sigma_max\": 120.0, " \
    "\"sigma_data\": 1.0, \"prediction_type\": \"v_prediction\", "                          \
    "\"sigma_schedule\": \"exponential\"}\n"

/* The text in quotes that follows a word. */
static bool scheduler_model_quoted(const char *text, const char *word, const char **at, int *length)
{
    const char *start = strstr(text, word);
    start = start ? strchr(start + strlen(word), '"') : NULL;
    *at = start ? start + 1 : NULL;
    *length = start ? (int)strcspn(start + 1, "\"") : 0;
    return start != NULL;
}

static bool scheduler_model_write(const char *place, const char *name, const char *text)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/%s", place, name);
    FILE *f = fopen(path, "w");
    bool ok = f && fputs(text, f) >= 0;
    return f && fclose(f) == 0 && ok;
}

/* The pipeline's index, which names the class of its scheduler. */
static bool scheduler_model_index(const char *place, const char *from, const char *config)
{
    char path[4200], text[4000] = "", out[4200];
    const char *listed, *old, *class_name;
    int n, old_length, length;
    snprintf(path, sizeof path, "%s/model_index.json", from);
    FILE *f = fopen(path, "r");
    if (!f)
        return false;
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    if (!scheduler_model_quoted(text, "\"scheduler\"", &listed, &n) ||
        !scheduler_model_quoted(listed, "\",", &old, &old_length) ||
        !scheduler_model_quoted(config, "\"_class_name\":", &class_name, &length))
        return false;
    snprintf(out, sizeof out, "%.*s%.*s%s", (int)(old - text), text, length, class_name,
             old + old_length);
    return scheduler_model_write(place, "model_index.json", out);
}

/* Calls link, or remove, for each of its folders but the scheduler. */
static bool scheduler_model_parts(const char *place, const char *from)
{
    DIR *dir = opendir(from ? from : place);
    bool ok = dir != NULL;
    for (struct dirent *d; ok && (d = readdir(dir));) {
        char old[4200], new[4200];
        snprintf(old, sizeof old, "%s/%s", from ? from : "", d->d_name);
        snprintf(new, sizeof new, "%s/%s", place, d->d_name);
        if (strchr(d->d_name, '.') || !strcmp(d->d_name, "scheduler"))
            continue;
        ok = from ? symlink(old, new) == 0 : remove(new) == 0;
    }
    if (dir)
        closedir(dir);
    return ok;
}

/* Fills a place that is there, from a pipeline's folder, with the text of a scheduler_config.json. */
static inline bool scheduler_model(const char *place, const char *from, const char *config)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/scheduler", place);
    return mkdir(path, 0700) == 0 && scheduler_model_parts(place, from) &&
           scheduler_model_index(place, from, config) &&
           scheduler_model_write(place, "scheduler/scheduler_config.json", config);
}

/* The same from tests/goldens/model/NAME. */
static inline bool scheduler_model_named(const char *place, const char *name, const char *config)
{
    char relative[200];
    snprintf(relative, sizeof relative, "goldens/model/%s", name);
    char *from = sl_test_path(relative);
    bool ok = from && scheduler_model(place, from, config);
    free(from);
    return ok;
}

static inline void scheduler_model_remove(const char *place)
{
    static const char *const names[] = {"model_index.json", "scheduler/scheduler_config.json",
                                        "scheduler"};
    char path[4200];
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", place, names[i]);
        remove(path);
    }
    scheduler_model_parts(place, NULL);
    rmdir(place);
}

#endif
