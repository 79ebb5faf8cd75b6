/* auto_dtype.c - see auto_dtype.h.
 *
 * The file is JSON: {"version": 2, "machines": [{"machine": TEXT, "f32": [seconds], "bf16": [seconds],
 * "disturbed": N}]}, the newest first. Times are kept and not what was made of them, so that the rule stands
 * here alone. "disturbed" says that they are the best of N measurings, each of which another program disturbed.
 */
#include "app/files/auto_dtype.h"
#include "app/files/atomic_file.h"
#include "app/files/cache_path.h"
#include "app/files/json_out.h"
#include "app/files/read_file.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FASTER  1.2  /* times, at least */
#define SLOWER  1.1  /* times: what is above is no noise */
#define SHARE   0.1  /* of a stage: what takes less does not decide */
#define LONGEST 100  /* seconds of a shape that are believed */
#define WAITED  0.15 /* of the time a thread had no processor; at rest it is 0.1 at most */
#define ENOUGH  5    /* disturbed measurings: it is never at rest, and the best of them counts */

#define CACHE         "types"
#define VERSION       2
#define MOST_MACHINES 8
#define MOST_BYTES    ((size_t)64 << 10)
#define MOST_VALUES   1000
#define MACHINE_ROOM  400

typedef SlShapeTimes Times;

/* ---- the rule ---- */

static double sum(const double *seconds, SlTimedStage stage)
{
    double all = 0;
    for (int i = 0; i < SL_TIMED_SHAPES; i++)
        if (sl_timed_shape(i)->stage == stage)
            all += sl_timed_shape(i)->often * seconds[i];
    return all;
}

/* A shape that takes much of a stage and is slower in bf16; NULL: there is none. */
static const SlTimedShape *slower(const Times *t, SlTimedStage stage)
{
    double all = sum(t->f32, stage);
    for (int i = 0; i < SL_TIMED_SHAPES; i++) {
        const SlTimedShape *shape = sl_timed_shape(i);
        if (shape->stage == stage && shape->often * t->f32[i] >= SHARE * all &&
            t->bf16[i] > SLOWER * t->f32[i])
            return shape;
    }
    return NULL;
}

static bool wins(const Times *t, SlTimedStage stage)
{
    return sum(t->f32, stage) >= FASTER * sum(t->bf16, stage) && !slower(t, stage);
}

/* "1.7, texts 1.9, decoding 1.0": how much faster bf16 is. */
static void say_faster(SlAutoDtype *is)
{
    const double *f = is->faster;
    const SlTimedStage step = SL_TIMED_STEP, text = SL_TIMED_TEXT, decode = SL_TIMED_DECODE;
    snprintf(is->line, sizeof is->line,
             sl_words("auto: %s, because bf16 makes a step %.1f times as fast as f32 here (texts "
                      "%.1f, decoding %.1f)"),
             is->dtype, f[step], f[text], f[decode]);
}

static void decide(const Times *t, SlAutoDtype *is)
{
    const SlTimedShape *loses = slower(t, SL_TIMED_STEP);
    bool bf16 = wins(t, SL_TIMED_STEP);
    for (int i = 0; i < SL_TIMED_STAGES; i++)
        is->faster[i] = sum(t->f32, (SlTimedStage)i) / sum(t->bf16, (SlTimedStage)i);
    if (bf16)
        snprintf(is->dtype, sizeof is->dtype, "bf16%s%s", wins(t, SL_TIMED_TEXT) ? "" : ",text=f32",
                 wins(t, SL_TIMED_DECODE) ? "" : ",decode=f32");
    if (bf16)
        say_faster(is);
    else if (!loses)
        snprintf(is->line, sizeof is->line,
                 sl_words("auto: f32, because bf16 would make a step only %.2f times as fast here"),
                 is->faster[SL_TIMED_STEP]);
    else
        snprintf(is->line, sizeof is->line,
                 sl_words("auto: f32, because bf16 is slower here in an operation that takes much "
                          "of a step (%s)"),
                 loses->name);
}

/* ---- what is kept ---- */

/* What a line is for; this build is its file. */
static void name_machine(const SlProcessor *p, int threads, char out[MACHINE_ROOM])
{
    struct stat st = {0};
    if (stat("/proc/self/exe", &st) != 0)
        st = (struct stat){0};
    snprintf(out, MACHINE_ROOM, "%s | %s | %s | %d threads | safelight %s %jd %jd.%09ld", p->name,
             p->instructions, p->library, threads, SL_VERSION, (intmax_t)st.st_size,
             (intmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}

static bool believed(double seconds)
{
    return isfinite(seconds) && seconds > 0 && seconds < LONGEST;
}

static bool all_believed(const Times *t)
{
    bool ok = true;
    for (int i = 0; i < SL_TIMED_SHAPES; i++)
        ok = ok && believed(t->f32[i]) && believed(t->bf16[i]);
    return ok;
}

/* What is known of a machine. */
typedef struct Known {
    Times times;
    int disturbed; /* 0: measured at rest */
} Known;

static bool is_disturbed(const Times *t)
{
    return t->apart > SL_TIMED_APART || t->waited > WAITED;
}

static bool read_row(const cJSON *entry, const char *key, double row[SL_TIMED_SHAPES])
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(entry, key), *item;
    int n = 0;
    if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) != SL_TIMED_SHAPES)
        return false;
    cJSON_ArrayForEach(item, list)
    {
        if (!cJSON_IsNumber(item))
            return false;
        row[n++] = item->valuedouble;
    }
    return true;
}

/* The cache, or NULL. */
static SlJson *read_cache(void)
{
    char path[4096];
    size_t bytes = 0;
    SlError ignored = {0};
    uint8_t *data = sl_cache_path(CACHE, path, sizeof path, false)
                        ? sl_read_own_file(path, MOST_BYTES, &bytes, NULL)
                        : NULL;
    SlJson *json =
        data ? sl_json_parse_bounded(path, (char *)data, bytes, MOST_VALUES, &ignored) : NULL;
    free(data);
    if (json && sl_json_int(json, "version", 0, 0, VERSION, &ignored) == VERSION)
        return json;
    sl_json_close(json);
    return NULL;
}

static bool take_entry(const cJSON *entry, Known *known)
{
    const cJSON *disturbed = cJSON_GetObjectItemCaseSensitive(entry, "disturbed");
    Known read = {0};
    if (!read_row(entry, "f32", read.times.f32) || !read_row(entry, "bf16", read.times.bf16) ||
        !all_believed(&read.times))
        return false;
    if (disturbed && !(cJSON_IsNumber(disturbed) && disturbed->valuedouble >= 1 &&
                       disturbed->valuedouble <= ENOUGH))
        return false;
    read.disturbed = disturbed ? disturbed->valueint : 0;
    *known = read;
    return true;
}

/* The entry of a machine, or NULL. */
static const cJSON *find_entry(const SlJson *json, const char *machine)
{
    const cJSON *entry;
    cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(sl_json_root(json), "machines"))
    {
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "machine"));
        if (name && !strcmp(name, machine))
            return entry;
    }
    return NULL;
}

/* What this process measured and could not write, or was disturbed in: for it that is enough. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    char machine[MACHINE_ROOM];
    Known known;
} kept;

/* *here: this process measured it. */
static bool recall(const char *machine, Known *known, bool *here)
{
    SlJson *json = read_cache();
    const cJSON *entry = json ? find_entry(json, machine) : NULL;
    bool found = entry && take_entry(entry, known);
    sl_json_close(json);
    pthread_mutex_lock(&lock);
    *here = !(found && !known->disturbed) && *machine && !strcmp(kept.machine, machine);
    if (*here)
        *known = kept.known;
    pthread_mutex_unlock(&lock);
    return found || *here;
}

static void add_entry(SlJsonOut *out, cJSON *list, const char *machine, const Known *known)
{
    cJSON *entry = sl_out_object(out, list, NULL);
    sl_out_text(out, entry, "machine", machine);
    sl_out_row(out, entry, "f32", known->times.f32, SL_TIMED_SHAPES);
    sl_out_row(out, entry, "bf16", known->times.bf16, SL_TIMED_SHAPES);
    if (known->disturbed)
        sl_out_number(out, entry, "disturbed", known->disturbed);
}

/* The new entry, and of those that were there (before; NULL: none) the good ones of other machines. */
static char *make_cache(const SlJson *before, const char *machine, const Known *known)
{
    SlJsonOut out = {0};
    cJSON *root = sl_out_object(&out, NULL, NULL);
    sl_out_number(&out, root, "version", VERSION);
    cJSON *list = sl_out_array(&out, root, "machines");
    const cJSON *entry,
        *there = before ? cJSON_GetObjectItemCaseSensitive(sl_json_root(before), "machines") : NULL;
    int count = 1;
    add_entry(&out, list, machine, known);
    cJSON_ArrayForEach(entry, there)
    {
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "machine"));
        Known other;
        if (name && strcmp(name, machine) != 0 && count < MOST_MACHINES &&
            take_entry(entry, &other)) {
            add_entry(&out, list, name, &other);
            count++;
        }
    }
    return sl_out_end_text(&out, root);
}

static void keep_here(const char *machine, const Known *known)
{
    pthread_mutex_lock(&lock);
    snprintf(kept.machine, sizeof kept.machine, "%s", machine);
    kept.known = *known;
    pthread_mutex_unlock(&lock);
}

/* alone: what is known otherwise is forgotten. */
static void remember(const char *machine, const Known *known, bool alone)
{
    char path[4096];
    SlError ignored = {0};
    SlJson *before = alone ? NULL : read_cache();
    char *text = make_cache(before, machine, known);
    bool written = text && sl_cache_path(CACHE, path, sizeof path, true) &&
                   sl_write_file(path, text, strlen(text), &ignored);
    sl_json_close(before);
    free(text);
    if (!written || known->disturbed)
        keep_here(machine, known);
}

/* ---- this machine ---- */

static void look_here(void *arg, SlProcessor *processor)
{
    (void)arg;
    sl_processor_look(processor);
}

static bool time_here(void *arg, int threads, const int *cancel, Times *times, SlError *err)
{
    (void)arg;
    return sl_time_shapes(threads, cancel, times, err);
}

static bool is_auto(const char *dtype)
{
    return !dtype || (!strncmp(dtype, "auto", 4) && (!dtype[4] || dtype[4] == ','));
}

/* What the environment says. False and *err where that is no type. */
static bool take_said(const char *said, SlAutoDtype *is, SlError *err)
{
    SlError problem = {0};
    if (!strncmp(said, "q8", 2) || is_auto(said) || strlen(said) >= sizeof is->dtype ||
        !sl_dtype_check(said, &problem))
        return sl_fail(err, SL_ARGUMENT,
                       "SAFELIGHT_AUTO_DTYPE is \"%.200s\"; expected f32, bf16, or something like "
                       "bf16,decode=f32",
                       said);
    snprintf(is->dtype, sizeof is->dtype, "%s", said);
    snprintf(is->line, sizeof is->line, sl_words("auto: %s, because %s says so"), said,
             "SAFELIGHT_AUTO_DTYPE");
    return true;
}

/* What a machine is asked with. */
typedef struct Asked {
    const SlAutoMachine *machine;
    const SlAutoAsk *ask;
    int threads;
    const char *name; /* what is kept is for */
} Asked;

/* The better ones of both. */
static void take_better(Times *t, const Times *before)
{
    for (int i = 0; i < SL_TIMED_SHAPES; i++) {
        t->f32[i] = fmin(t->f32[i], before->f32[i]);
        t->bf16[i] = fmin(t->bf16[i], before->bf16[i]);
    }
}

/* What a measuring makes of what was known before (NULL: nothing). */
static Known learn(const Times *t, const Known *before)
{
    Known known = {.times = *t};
    if (!is_disturbed(t))
        return known;
    known.disturbed = 1 + (before ? before->disturbed : 0);
    if (before)
        take_better(&known.times, &before->times);
    return known;
}

static void say_known(const Known *known, SlAutoDtype *is)
{
    decide(&known->times, is);
    is->disturbed = known->disturbed > 0 && known->disturbed < ENOUGH;
    size_t length = strlen(is->line);
    if (is->disturbed)
        snprintf(is->line + length, sizeof is->line - length, "%s",
                 sl_words("; other programs computed while this was measured, so it is measured "
                          "again at the next start"));
}

static bool measure(const Asked *asked, const Known *before, SlAutoDtype *is, SlError *err)
{
    Times t = {0};
    SlError problem = {0};
    bool ok =
        asked->machine->time(asked->machine->arg, asked->threads, asked->ask->cancel, &t, &problem);
    if (problem.code == SL_CANCELLED)
        return sl_fail(err, SL_CANCELLED, "%s", problem.message);
    if (ok && all_believed(&t)) {
        Known known = learn(&t, before);
        is->measured = true;
        remember(asked->name, &known, asked->ask->again);
        say_known(&known, is);
    } else {
        snprintf(is->line, sizeof is->line,
                 sl_words("auto: f32, because it could not be measured which type is "
                          "faster%s%.300s"),
                 ok ? "" : ": ", ok ? "" : problem.message);
    }
    return true;
}

/* On a processor that multiplies bf16. */
static bool find_out(const Asked *asked, SlAutoDtype *is, SlError *err)
{
    Known known;
    bool here = false, again = asked->ask->again;
    bool found = !again && recall(asked->name, &known, &here);
    bool settled = found && (here || !known.disturbed || known.disturbed >= ENOUGH);
    if (!settled && (asked->ask->measure || again))
        return measure(asked, found ? &known : NULL, is, err);
    if (found)
        say_known(&known, is);
    else
        snprintf(is->line, sizeof is->line,
                 sl_words("auto: f32, until it is measured which type is faster"));
    return true;
}

bool sl_auto_dtype_of(const SlAutoMachine *machine, const SlAutoAsk *ask, SlAutoDtype *is,
                      SlError *err)
{
    const char *said = getenv("SAFELIGHT_AUTO_DTYPE");
    SlProcessor processor;
    char name[MACHINE_ROOM];
    *is = (SlAutoDtype){.dtype = "f32"};
    if (!is_auto(ask->dtype) || !sl_device_is_cpu(ask->device))
        return true;
    is->applies = true;
    if (said && *said)
        return take_said(said, is, err);
    machine->look(machine->arg, &processor);
    int threads = ask->threads > 0 ? ask->threads : processor.threads;
    name_machine(&processor, threads, name);
    if (processor.bf16)
        return find_out(&(Asked){machine, ask, threads, name}, is, err);
    snprintf(is->line, sizeof is->line,
             sl_words("auto: f32, because this processor does not multiply bf16 itself"));
    return true;
}

bool sl_auto_dtype(const SlAutoAsk *ask, SlAutoDtype *is, SlError *err)
{
    static const SlAutoMachine here = {look_here, time_here, NULL};
    return sl_auto_dtype_of(&here, ask, is, err);
}
