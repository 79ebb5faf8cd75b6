/* session.c - see session.h. */
#include "app/cli/session.h"
#include "app/cli/interrupt.h"
#include "app/files/files.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- saying things ---- */

int sl_fail_exit(const SlError *err)
{
    if (err->code == SL_CANCELLED) {
        sl_say("interrupted");
        return SL_EXIT_INTERRUPTED;
    }
    sl_say("%s", err->message);
    return err->code == SL_ARGUMENT ? SL_EXIT_USAGE
           : err->code == SL_DEVICE ? SL_EXIT_DEVICE
                                    : SL_EXIT_FAILED;
}

int sl_session_fail(SlSession *session, const SlError *err)
{
    sl_progress_end(&session->progress);
    return sl_fail_exit(err);
}

int sl_session_unhashed(SlSession *session)
{
    const SlError *e = &session->hash_error;
    if (e->code == SL_OK)
        return SL_EXIT_OK;
    SlError said = {0};
    sl_fail(&said, e->code, "kept without a hash of its model: %s", e->message);
    return sl_session_fail(session, &said);
}

int sl_session_stopped(SlSession *session, const SlMetadata *m, const SlError *problem)
{
    bool stopped = problem->code == SL_CANCELLED;
    if (problem->code == SL_OK || (stopped && !m->partial))
        return sl_session_unhashed(session);
    if (!stopped)
        sl_session_fail(session, problem);
    if (m->partial)
        sl_session_note(session, "%s: this is step %d of %d", stopped ? "interrupted" : "kept",
                        m->step, m->steps);
    return stopped ? SL_EXIT_INTERRUPTED : SL_EXIT_FAILED;
}

void sl_session_note(const SlSession *session, const char *format, ...)
{
    va_list args;
    if (session->options->quiet)
        return;
    va_start(args, format);
    sl_say_list(true, format, args);
    va_end(args);
}

/* Only the CPU has no f16; check takes the type of the device that it checks. */
void sl_note_dtype(const SlOptions *options, SlDtype computes)
{
    const char *said = options->dtype ? options->dtype : "";
    said += strncmp(said, "q8/", 3) ? 0 : 3;
    if (!options->quiet && !strncmp(said, "f16", strcspn(said, ",")) && *said && computes == SL_F32)
        sl_say("the CPU does not compute in f16; it computes in f32");
}

bool sl_options_auto_dtype(const SlOptions *o, SlAutoDtype *is, SlError *err)
{
    const SlAutoAsk ask = {.device = o->device,
                           .dtype = o->dtype,
                           .threads = o->threads > 0 ? (int)o->threads : 0,
                           .measure = true,
                           .again = o->measure_types,
                           .cancel = sl_interrupt_flag()};
    if (!sl_auto_dtype(&ask, is, err))
        return false;
    if (is->measured && !o->quiet && !o->measure_types) /* there it is the result */
        sl_say("%s; %s", is->line,
               is->disturbed ? "`safelight info --measure-types` does so now"
                             : "measured once, --dtype f32 is f32 everywhere");
    return true;
}

int sl_print_json(cJSON *root)
{
    char *text = root ? cJSON_Print(root) : NULL;
    if (text)
        puts(text);
    else
        sl_say("memory ran out for the result as JSON");
    cJSON_free(text);
    cJSON_Delete(root);
    return text ? SL_EXIT_OK : SL_EXIT_FAILED;
}

/* ---- the model ---- */

static void show_loading(void *arg, double fraction, const char *what)
{
    sl_progress_loading(arg, fraction, what);
}

static void *hash_files(void *arg)
{
    SlSession *session = arg;
    sl_hash_model(session->identity, &session->stop_hashing, &session->hash_error);
    return NULL;
}

static bool open_model(SlSession *session, const char *path, const SlPartFrom *from, SlError *err)
{
    const SlOptions *o = session->options;
    SlAutoDtype automatic;
    if (!sl_options_auto_dtype(o, &automatic, err))
        return false;
    const SlModelOptions options = {
        .device = o->device,
        .dtype = o->dtype,
        .auto_dtype = automatic.dtype,
        .from = from,
        .find_adapter = sl_lora_find,
        .find_embedding = sl_embedding_find,
        .list_embeddings = o->command == SL_COMMAND_REPLAY ? NULL : sl_embeddings_each,
        .threads = o->threads > 0 ? (int)o->threads : 0,
        .early = o->command != SL_COMMAND_BENCH, /* which times loading by itself */
        .progress = show_loading,
        .progress_arg = &session->progress,
        .cancel = sl_interrupt_flag(),
    };
    double start = sl_clock();
    sl_progress_begin(&session->progress, o->quiet);
    session->model = sl_model_open(path, &options, err);
    sl_progress_end(&session->progress);
    session->load_seconds = sl_clock() - start;
    return session->model != NULL;
}

_Static_assert(SL_MODEL_MAX_OTHERS == 5, "as many options");

bool sl_given_parts_find(SlGivenParts *parts, const SlOptions *o, SlError *err)
{
    const struct {
        const char *part, *name;
    } given[] = {{"unet", o->unet},
                 {"vae", o->vae},
                 {"text_encoder", o->text_encoder},
                 {"text_encoder_2", o->text_encoder_2},
                 {"refiner", o->refiner}};
    *parts = (SlGivenParts){.count = 0};
    for (int i = 0; i < SL_MODEL_MAX_OTHERS; i++) {
        char *path = given[i].name ? sl_part_find(given[i].part, given[i].name, err) : NULL;
        if (given[i].name && !path) {
            sl_given_parts_free(parts);
            return false;
        }
        if (path) {
            parts->from[parts->count] = (SlPartFrom){given[i].part, path};
            parts->path[parts->count++] = path;
        }
    }
    return true;
}

void sl_given_parts_free(SlGivenParts *parts)
{
    for (int i = 0; i < parts->count; i++)
        free(parts->path[i]);
    *parts = (SlGivenParts){.count = 0};
}

static bool is_given(const SlGivenParts *given, const char *part)
{
    for (int i = 0; i < given->count; i++)
        if (!strcmp(given->from[i].part, part))
            return true;
    return false;
}

/* With the parts that the options name, and those of info (NULL: none) that they do not. */
static bool open_with_parts(SlSession *session, const char *path, const SlModelInfo *info,
                            SlError *err)
{
    SlGivenParts given;
    if (!sl_given_parts_find(&given, session->options, err))
        return false;
    int count = given.count;
    for (int i = 0; info && i < info->others; i++)
        if (!is_given(&given, info->other[i].part) && count < SL_MODEL_MAX_OTHERS)
            given.from[count++] = (SlPartFrom){info->other[i].part, info->other[i].path};
    bool ok = open_model(session, path, given.from, err);
    sl_given_parts_free(&given);
    return ok;
}

static bool open_session(SlSession *session, const SlOptions *options, const SlModelInfo *info,
                         const char *path, SlError *err)
{
    memset(session, 0, sizeof *session);
    session->options = options;
    char *found = path ? strdup(path) : sl_model_find(options->model, err);
    if (path && !found)
        sl_fail(err, SL_MEMORY, "memory ran out");
    bool ok = found && open_with_parts(session, found, info, err);
    free(found);
    if (!ok)
        return false;
    sl_note_dtype(options, sl_model_device(session->model)->dtype);
    sl_interrupt_watch(session->model);
    session->identity = malloc(sizeof *session->identity);
    if (!session->identity)
        return sl_fail(err, SL_MEMORY, "memory ran out");
    *session->identity = *sl_model_info(session->model);
    return true;
}

bool sl_session_open(SlSession *session, const SlOptions *options, const char *path, SlError *err)
{
    return open_session(session, options, NULL, path, err);
}

/* Where a picture's model is not found, it can be said. */
static bool say_model(const SlError *problem, SlError *err)
{
    if (problem->code != SL_IO)
        return sl_fail(err, problem->code, "%s", problem->message);
    return sl_fail(err, SL_IO, "%s; --model PATH says which one to take", problem->message);
}

bool sl_session_open_maker(SlSession *session, const SlOptions *options, const SlMetadata *metadata,
                           SlError *err)
{
    const SlMetadata *m = metadata;
    if (options->model)
        return sl_session_open(session, options, NULL, err);
    SlModelInfo *info = malloc(sizeof *info);
    const SlModelWanted wanted = {
        .name = m->model, .files = m->file, .count = m->files, .cancel = sl_interrupt_flag()};
    SlError problem = {0};
    bool ok = (info || sl_fail(err, SL_MEMORY, "memory ran out")) &&
              (sl_model_find_same(&wanted, info, &problem) || say_model(&problem, err)) &&
              open_session(session, options, info, info->path, err);
    free(info);
    return ok;
}

bool sl_session_open_again(SlSession *session, SlOptions *options, const SlMetadata *metadata,
                           SlError *err)
{
    if (!sl_metadata_repeatable(metadata, options->argument, err))
        return false;
    if (!options->device)
        options->device = metadata->device;
    if (!options->dtype)
        options->dtype = metadata->dtype;
    return sl_session_open_maker(session, options, metadata, err);
}

bool sl_session_check_lanes(const SlSession *session, const SlLanes *lanes, const char *path,
                            SlError *err)
{
    SlError problem = {0};
    return sl_lanes_check(lanes, sl_model_info(session->model), &problem) ||
           sl_fail(err, problem.code, "%s: %s", path, problem.message);
}

void sl_session_hash_beside(SlSession *session)
{
    if (session->hashing == SL_HASHING_LATER &&
        pthread_create(&session->hasher, NULL, hash_files, session) == 0)
        session->hashing = SL_HASHING_BESIDE;
}

static void wait_for_hashes(SlSession *session)
{
    if (session->hashing != SL_HASHING_BESIDE)
        return;
    pthread_join(session->hasher, NULL);
    session->hashing = SL_HASHING_DONE;
}

const SlModelInfo *sl_session_identity_kept(SlSession *session)
{
    wait_for_hashes(session);
    if (session->hashing == SL_HASHING_LATER)
        hash_files(session);
    session->hashing = SL_HASHING_DONE;
    return session->identity;
}

const SlModelInfo *sl_session_identity(SlSession *session, SlError *err)
{
    const SlModelInfo *identity = sl_session_identity_kept(session);
    if (session->hash_error.code == SL_OK)
        return identity;
    *err = session->hash_error;
    return NULL;
}

void sl_session_close(SlSession *session)
{
    __atomic_store_n(&session->stop_hashing, 1, __ATOMIC_SEQ_CST);
    wait_for_hashes(session);
    sl_progress_end(&session->progress);
    sl_interrupt_watch(NULL);
    if (session->model)
        sl_model_close(&session->model);
    free(session->identity);
    session->identity = NULL;
}

void sl_session_wait(SlSession *session, bool branch)
{
    if (branch || sl_model_info(session->model)->prompt_tokens > 0)
        sl_progress_wait(&session->progress, session->options->quiet,
                         branch ? "earlier steps" : "reading the prompt");
}

/* ---- the recipe ---- */

void sl_options_change(const SlOptions *o, SlRecipe *r)
{
    sl_recipe_change(r, &o->values, o->given);
}

/* Says which of the settings that were given the model does not have; gives those that it has. */
static SlSettingSet settings_of_model(const SlSession *session, const SlModelInfo *info)
{
    SlSettingSet had = 0;
    SlText missing = {0};
    for (int i = 0; i < SL_N_SETTINGS; i++) {
        if (sl_setting_exists(sl_setting(i), info, NULL))
            had |= SL_SETTING_BIT(i);
        else if (sl_options_given(session->options, i))
            sl_text_addf(&missing, "%s%s", missing.length ? ", " : "", sl_setting(i)->name);
    }
    if (missing.length)
        sl_session_note(session,
                        "the model %s does not have these settings, which are not used: %s",
                        info->name, missing.data);
    sl_text_free(&missing);
    return had;
}

bool sl_session_recipe(const SlSession *session, SlRecipe *recipe, SlError *err)
{
    const SlOptions *o = session->options;
    const SlModelInfo *info = sl_model_info(session->model);
    sl_recipe_defaults(recipe, info);
    sl_recipe_change(recipe, &o->values, o->given & settings_of_model(session, info));
    if (sl_setting_exists(sl_setting(SL_SETTING_PROMPT), info, NULL) &&
        !sl_options_given(o, SL_SETTING_PROMPT) &&
        (o->command == SL_COMMAND_GENERATE || o->command == SL_COMMAND_COMPARE))
        return sl_fail(err, SL_ARGUMENT, "--prompt is missing: %s makes pictures of a text",
                       info->name);
    return sl_recipe_check(recipe, info, err);
}

/* ---- arrays from files ---- */

/* Reads tensor `name` whose last three sizes must be the sample's; *count is the first of four, 1
 * for three. malloc'ed. */
static float *read_array(const char *path, const char *name, const int64_t sample[3],
                         int64_t max_count, int64_t *count, SlError *err)
{
    const SlWanted wanted = strcmp(name, "noise") ? SL_WANT_LATENTS : SL_WANT_NOISE;
    SlWeightSource *file =
        sl_file_check(path, wanted, err) ? sl_weights_open_file(path, err) : NULL;
    if (!file)
        return NULL;
    float *data = NULL;
    const SlTensorInfo *t = sl_weights_find(file, name);
    bool fits = t && t->known && (t->rank == 3 || t->rank == 4);
    const int64_t *last = fits ? t->size + (t->rank - 3) : NULL;
    *count = fits && t->rank == 4 ? t->size[0] : 1;
    fits = fits && last[0] == sample[0] && last[1] == sample[1] && last[2] == sample[2] &&
           *count >= 1 && *count <= max_count;
    if (!t && sl_weights_unless_known(file, wanted, err))
        sl_fail(err, SL_FORMAT, "%s: has no tensor \"%s\"", path, name);
    else if (t && !fits)
        sl_fail(err, SL_FORMAT,
                "%s: the tensor \"%s\" does not have the sizes [%s, %lld, %lld, %lld] of this run",
                path, name, max_count == 1 ? "1" : "n", (long long)sample[0], (long long)sample[1],
                (long long)sample[2]);
    else if (t &&
             !(data = malloc((size_t)(*count * sample[0] * sample[1] * sample[2]) * sizeof *data)))
        sl_fail(err, SL_MEMORY, "%s: memory ran out", path);
    if (data && !sl_weights_read_f32(file, t, data, err)) {
        free(data);
        data = NULL;
    }
    sl_weights_close(file);
    return data;
}

bool sl_session_inputs(const SlSession *session, const SlRecipe *recipe, SlInputArrays *arrays,
                       SlError *err)
{
    const SlOptions *o = session->options;
    const SlModelInfo *info = sl_model_info(session->model);
    const int64_t sample[3] = {info->channels, recipe->height / info->factor,
                               recipe->width / info->factor};
    int64_t count = 0;
    memset(arrays, 0, sizeof *arrays);
    if (o->latents &&
        !(arrays->latents = read_array(o->latents, "latents", sample, 1, &count, err)))
        return false;
    if (o->step_noise &&
        !(arrays->step_noise = read_array(o->step_noise, "noise", sample, 100000, &count, err)))
        return false;
    arrays->inputs = (SlRunInputs){.latents = arrays->latents,
                                   .step_noise = arrays->step_noise,
                                   .step_noise_count = arrays->step_noise ? (int)count : 0};
    return true;
}

void sl_inputs_free(SlInputArrays *arrays)
{
    free(arrays->latents);
    free(arrays->step_noise);
    memset(arrays, 0, sizeof *arrays);
}
