/* inspect.c - what a model folder or file is, without loading its weights.
 *
 * Mirrors the part of diffusers pipelines/pipeline_utils.py (from_pretrained) that reads
 * model_index.json. Every weight file's header is validated here, so that a damaged download is
 * named before anyone waits for a load. Easy to get wrong: the folder a person picks is often one
 * too deep (unet/) or has the checkpoint lying in it; both get a sentence that says where to go.
 */
#include "engine/files/files.h"
#include "engine/pipelines/distilled.h"
#include "engine/pipelines/pipelines.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_ROOM 4600

/* ---- names ---- */

static bool set_names(SlModelInfo *info, const char *path, SlError *err)
{
    if (snprintf(info->path, sizeof info->path, "%s", path) >= (int)sizeof info->path)
        return sl_fail(err, SL_IO, "%s: the path is longer than %zu bytes", sl_show_path(path).text,
                       sizeof info->path - 1);
    size_t n = strlen(info->path);
    while (n > 1 && info->path[n - 1] == '/')
        info->path[--n] = 0;
    const char *slash = strrchr(info->path, '/');
    const char *last = slash && slash[1] ? slash + 1 : info->path;
    char *real = !strcmp(last, ".") || !strcmp(last, "..") ? realpath(info->path, NULL) : NULL;
    if (real && strrchr(real, '/')[1])
        last = strrchr(real, '/') + 1;
    snprintf(info->name, sizeof info->name, "%.255s", last);
    free(real);
    return true;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

/* ---- weights ---- */

/* What a file is called in the info: relative to the model's folder, or "vae=" and the name of the
 * part's folder, if it has one, with the name in it. */
static bool name_file(SlModelFile *file, const SlModelInfo *info, const SlOtherPart *other,
                      const char *path)
{
    int n;
    if (other) {
        size_t skip = strlen(other->path);
        n = snprintf(file->name, sizeof file->name, "%s=%s%s", other->part, last_part(other->path),
                     other->folder ? path + skip : "");
    } else {
        n = snprintf(file->name, sizeof file->name, "%s",
                     info->single_file ? info->name : path + strlen(info->path) + 1);
    }
    return n < (int)sizeof file->name;
}

static bool add_files(SlModelInfo *info, const SlOtherPart *other, const SlWeightSource *w,
                      SlError *err)
{
    for (int i = 0; i < sl_weights_files(w); i++) {
        struct stat st;
        const char *path = sl_weights_file(w, i);
        if (info->files == SL_MODEL_MAX_FILES)
            return sl_fail(err, SL_UNSUPPORTED, "%s: more than %d weight files",
                           sl_show_path(info->path).text, SL_MODEL_MAX_FILES);
        if (stat(path, &st))
            return sl_fail(err, SL_IO, "%s: %s", sl_show_path(path).text, strerror(errno));
        SlModelFile *file = &info->file[info->files++];
        if (!name_file(file, info, other, path))
            return sl_fail(err, SL_IO, "%s: the name of the weight file is too long",
                           sl_show_path(path).text);
        file->bytes = (uint64_t)st.st_size;
        file->sha256[0] = 0;
    }
    return true;
}

static void count_tensors(SlModelPart *part, const SlWeightSource *w)
{
    part->tensors = sl_weights_count(w);
    for (size_t i = 0; i < part->tensors; i++) {
        const SlTensorInfo *t = sl_weights_info(w, i);
        uint64_t elements = 1; /* cannot wrap: elements times their size was checked */
        for (int d = 0; d < t->rank; d++)
            elements *= (uint64_t)t->size[d];
        part->parameters += elements;
        part->bytes += t->bytes;
        if (strstr(t->name, "position_ids"))
            continue; /* counts from 0, in whatever type the file's maker had */
        if (!part->dtype[0])
            snprintf(part->dtype, sizeof part->dtype, "%.7s", t->dtype_name);
        else if (strncmp(part->dtype, t->dtype_name, sizeof part->dtype - 1))
            snprintf(part->dtype, sizeof part->dtype, "mixed");
    }
}

/* What a configuration is of, as diffusers ("_class_name") or transformers ("architectures") write it;
 * NULL: it does not say. */
static const char *class_of(const SlJson *json)
{
    const cJSON *root = sl_json_root(json);
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "_class_name"));
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "architectures");
    return name ? name : cJSON_GetStringValue(cJSON_GetArrayItem(list, 0));
}

static bool is_class(const SlPartClass *kind, const char *name)
{
    for (int i = 0; kind->classes[i]; i++)
        if (!strcmp(kind->classes[i], name))
            return true;
    /* these have all that a CLIPTextModel has */
    return !strcmp(kind->classes[0], "CLIPTextModel") &&
           (!strcmp(name, "CLIPTextModelWithProjection") || !strcmp(name, "CLIPModel"));
}

/* A part from elsewhere is of a class that the family has, where its config names one. */
static bool check_class(const SlModelInfo *info, const SlPartClass *kind, SlError *err)
{
    SlJson *json = sl_model_config(info, kind->name, err);
    if (!json)
        return false;
    const char *name = class_of(json);
    bool ok = !name || is_class(kind, name);
    if (!ok)
        sl_fail(err, SL_UNSUPPORTED,
                "%s: the class is \"%s\"; expected %s, which this model has as its %s",
                sl_json_name(json), sl_show_name(name).text, kind->classes[0], kind->name);
    sl_json_close(json);
    return ok;
}

/* The part from elsewhere that a file of the list, "vae=NAME", is of; NULL: the model's own. */
static const SlOtherPart *other_of_file(const SlModelInfo *info, const char *name)
{
    for (int i = 0; i < info->others; i++) {
        size_t n = strlen(info->other[i].part);
        if (!strncmp(info->other[i].part, name, n) && name[n] == '=')
            return &info->other[i];
    }
    return NULL;
}

/* Whether a single checkpoint is in the list of files already. */
static bool has_own_file(const SlModelInfo *info)
{
    for (int i = 0; i < info->files; i++)
        if (!other_of_file(info, info->file[i].name))
            return true;
    return false;
}

/* What a file with a denoiser says of its noise, over the configuration that is not its own. Of a
 * UNet from elsewhere that says nothing, the model's own marks stay. */
static bool read_marks(SlModelInfo *info, const SlWeightSource *file, SlError *err)
{
    SlCheckpointMarks marks;
    SlEdmMarks edm;
    bool xl_base = (info->pipeline->has & SL_HAS_SIZES) && !info->pipeline->refines;
    if (!sl_checkpoint_marks(file, &marks, err) || !sl_checkpoint_edm(file, xl_base, &edm, err))
        return false;
    if (!marks.prediction && !marks.zero_snr && !edm.kind)
        return true;
    info->edm = edm;
    info->zero_snr_marked = marks.zero_snr;
    info->prediction_marked = marks.prediction != NULL;
    info->prediction_from[0] = 0;
    if (marks.prediction) {
        bool epsilon = !strcmp(marks.prediction, "epsilon");
        info->prediction = edm.kind ? (epsilon ? SL_PREDICT_EDM_EPSILON : SL_PREDICT_EDM_V)
                                    : (epsilon ? SL_PREDICT_EPSILON : SL_PREDICT_V);
        snprintf(info->prediction_from, sizeof info->prediction_from, "%s", marks.from);
    } else if (edm.kind) {
        snprintf(info->prediction_from, sizeof info->prediction_from, "%s",
                 edm.latents_std[0] > 0 ? sl_words("the tensors edm_mean and edm_std")
                                        : sl_words("the tensor edm_vpred.sigma_max"));
    }
    return true;
}

/* The same of a UNet from elsewhere. */
static bool read_other_marks(SlModelInfo *info, SlError *err)
{
    const SlOtherPart *other = sl_model_other(info, "unet");
    if (!other || other->folder)
        return true;
    SlWeightSource *file = sl_weights_open_file(other->path, err);
    bool ok = file && read_marks(info, file, err);
    sl_weights_close(file);
    return ok;
}

/* What a denoiser's weights say of how it is run. */
static void note_denoiser(SlModelInfo *info, const SlWeightSource *w)
{
    const SlTensorInfo *told = sl_weights_find(w, "time_embedding.cond_proj.weight");
    const char *architecture = sl_weights_metadata(w, "modelspec.architecture");
    if (told && told->rank == 2 && told->size[1] <= INT_MAX)
        info->guidance_size = (int)told->size[1];
    if (architecture)
        snprintf(info->architecture, sizeof info->architecture, "%.79s",
                 sl_show_name(architecture).text);
}

/* One part with weights. class_name is what its config or the index calls it. */
static bool add_part(SlModelInfo *info, const SlPartClass *kind, const char *class_name,
                     SlError *err)
{
    const SlOtherPart *other = sl_model_other(info, kind->name);
    if (other && !check_class(info, kind, err))
        return false;
    SlWeightSource *w = sl_model_weights(info, kind, err);
    if (!w)
        return false;
    SlModelPart *part = &info->part[info->parts++];
    *part = (SlModelPart){0};
    snprintf(part->name, sizeof part->name, "%s", kind->name);
    snprintf(part->class_name, sizeof part->class_name, "%s", class_name);
    count_tensors(part, w);
    if (kind->use & SL_USE_DENOISE)
        note_denoiser(info, w);
    bool known = info->single_file && !other && has_own_file(info);
    bool ok = known || add_files(info, other, w, err);
    sl_weights_close(w);
    return ok;
}

/* ---- parts that are not there ---- */

static bool is_there(const char *folder, const char *name)
{
    char path[PATH_ROOM + 64];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return stat(path, &st) == 0;
}

/* Of parts that a model has not and nobody gave, each with how it can be given. */
typedef struct Missing {
    char text[600];
    int count;
} Missing;

static void add_missing(Missing *m, const char *part, const char *where)
{
    char option[40];
    size_t used = strlen(m->text);
    snprintf(option, sizeof option, "%.39s", part);
    for (char *c = option; *c; c++)
        if (*c == '_')
            *c = '-';
    snprintf(m->text + used, sizeof m->text - used, sl_words("%s%s (\"%s\"; --%s gives one)"),
             m->count++ ? sl_words(" and no ") : "", part, where, option);
}

/* ---- configurations ---- */

static bool read_scheduler(SlModelInfo *info, SlError *err)
{
    SlSchedulerChoice choice = {.eta = -1};
    SlJson *json = sl_model_scheduler_config(info, true, err);
    if (!json)
        return false;
    SlScheduler *scheduler = sl_scheduler_new(info->scheduler, json, &choice, err);
    if (scheduler) {
        info->prediction = sl_scheduler_prediction(scheduler);
        if (!info->prediction_from[0])
            snprintf(info->prediction_from, sizeof info->prediction_from, "%s",
                     info->single_file                      ? sl_words("as models of its kind do")
                     : sl_json_has(json, "prediction_type") ? "scheduler_config.json"
                                                            : sl_words("its scheduler's default"));
    }
    sl_scheduler_free(scheduler);
    sl_json_close(json);
    return scheduler != NULL;
}

static bool read_configs(SlModelInfo *info, SlError *err)
{
    return sl_find_distilled(info, err) && read_scheduler(info, err) &&
           sl_pipeline_class_of(info)->inspect(info, err);
}

/* The scheduler of a file, and of a folder whose UNet is a file of a model that was trained as EDM is. */
static bool built_in_scheduler(SlModelInfo *info, SlError *err)
{
    SlJson *json = sl_model_config(info, "scheduler", err);
    const char *class_name = json ? sl_json_string(json, "_class_name", "", err) : "";
    const SlSchedulerInfo *scheduler = sl_scheduler_find_class(class_name);
    if (scheduler)
        snprintf(info->scheduler, sizeof info->scheduler, "%s", scheduler->id);
    sl_json_close(json);
    return scheduler || sl_fail(err, SL_UNSUPPORTED, "%s: its scheduler is not known here",
                                sl_show_path(info->path).text);
}

/* ---- folders ---- */

/* A folder without model_index.json: is it one part, or does a checkpoint lie in it? */
static bool refuse_folder(const char *path, SlError *err)
{
    SlShown shown = sl_show_path(path), checkpoint = {""};
    char config[PATH_ROOM];
    bool part;
    struct stat st;
    snprintf(config, sizeof config, "%s/config.json", path);
    part = stat(config, &st) == 0;
    DIR *dir = opendir(path);
    if (!dir)
        return sl_fail(err, SL_IO, "%s: the folder cannot be read: %s", shown.text,
                       strerror(errno));
    const struct dirent *d;
    for (errno = 0; (d = readdir(dir)); errno = 0) {
        size_t n = strlen(d->d_name);
        if (n > 12 && !strcmp(d->d_name + n - 12, ".safetensors"))
            checkpoint = sl_show_name(d->d_name);
    }
    int error = errno;
    closedir(dir);
    if (part)
        return sl_fail(err, SL_FORMAT,
                       "%s: this folder is one part of a model (it has a config.json); open the "
                       "folder above it, which holds model_index.json, or give this one to a model "
                       "as --unet, --vae or --text-encoder",
                       shown.text);
    if (error)
        return sl_fail(err, SL_IO, "%s: the folder cannot be read: %s", shown.text,
                       strerror(error));
    if (*checkpoint.text)
        return sl_fail(err, SL_FORMAT,
                       "%s: there is no model_index.json in this folder; to open the checkpoint in "
                       "it, choose the file %s",
                       shown.text, checkpoint.text);
    return sl_fail(err, SL_FORMAT,
                   "%s: there is no model_index.json in this folder; expected a model in "
                   "diffusers' layout",
                   shown.text);
}

/* The class of a component: the second of ["library", "Class"], one of classes. NULL and *err. */
static const char *component_class(const SlJson *index, const char *name,
                                   const char *const *classes, SlError *err)
{
    const cJSON *entry = cJSON_GetObjectItemCaseSensitive(sl_json_root(index), name);
    const cJSON *value = cJSON_GetArrayItem(entry, 1);
    char list[200] = "";
    if (!cJSON_IsArray(entry) || !cJSON_IsString(value)) {
        sl_fail(err, SL_FORMAT,
                "%s: the component \"%s\" is %s; expected [\"library\", \"ClassName\"]",
                sl_json_name(index), name,
                !entry                                       ? sl_words("missing")
                : cJSON_IsNull(entry) || cJSON_IsNull(value) ? "null"
                                                             : sl_words("not a list of two names"));
        return NULL;
    }
    for (int i = 0; classes && classes[i]; i++) {
        if (!strcmp(value->valuestring, classes[i]))
            return classes[i];
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? sl_words(" or ") : "",
                 classes[i]);
    }
    if (!classes)
        return value->valuestring;
    sl_fail(err, SL_UNSUPPORTED, "%s: the component \"%s\" is a \"%s\"; supported: %s",
            sl_json_name(index), name, sl_show_name(value->valuestring).text, list);
    return NULL;
}

/* Whether the index has the component, and not as null. */
static bool names_component(const SlJson *index, const char *name)
{
    const cJSON *entry = cJSON_GetObjectItemCaseSensitive(sl_json_root(index), name);
    return entry && !cJSON_IsNull(entry) && !cJSON_IsNull(cJSON_GetArrayItem(entry, 0));
}

static bool find_scheduler(SlModelInfo *info, const SlJson *index, SlError *err)
{
    const char *class_name = component_class(index, "scheduler", NULL, err);
    const char *made = sl_pipeline_class_of(info)->scheduler;
    if (!class_name)
        return false;
    if (info->edm.kind)
        return built_in_scheduler(info, err);
    if (made) {
        snprintf(info->scheduler, sizeof info->scheduler, "%s", made);
        return true;
    }
    const SlSchedulerInfo *scheduler = sl_scheduler_find_class(class_name);
    if (!scheduler) {
        snprintf(info->unknown_scheduler, sizeof info->unknown_scheduler, "%.60s",
                 sl_show_name(class_name).text);
        sl_model_note(info,
                      sl_words("the scheduler is a %s, which is not known here: choose another"),
                      info->unknown_scheduler);
    }
    snprintf(info->scheduler, sizeof info->scheduler, "%s",
             scheduler ? scheduler->id : sl_pipeline_class_of(info)->info.bench_scheduler);
    return true;
}

/* Every part that the index names has its folder or is from elsewhere. */
static bool check_folders(const SlModelInfo *info, const SlJson *index, SlError *err)
{
    const SlPartClass *const *parts = sl_pipeline_class_of(info)->parts;
    Missing missing = {""};
    for (int i = 0; parts[i]; i++) {
        char where[60];
        snprintf(where, sizeof where, "%.50s/", parts[i]->name);
        if (names_component(index, parts[i]->name) && !sl_model_other(info, parts[i]->name) &&
            !is_there(info->path, where))
            add_missing(&missing, parts[i]->name, where);
    }
    return !missing.count || sl_fail(err, SL_FORMAT, "%s: the folder has no %s",
                                     sl_show_path(info->path).text, missing.text);
}

static bool add_folder_part(SlModelInfo *info, const SlJson *index, const SlPartClass *part,
                            SlError *err)
{
    if (part->optional && !names_component(index, part->name))
        return true;
    const char *class_name = component_class(index, part->name, part->classes, err);
    return class_name && add_part(info, part, class_name, err);
}

#define MAX_NAMES 64 /* of pipeline classes */

/* The families' class names, and whose each is. */
static int list_classes(const char *names[MAX_NAMES + 1], const SlPipelineClass *of[MAX_NAMES])
{
    int count = 0;
    const SlPipelineClass *kind;
    for (int i = 0; (kind = sl_pipeline_class_at(i)); i++)
        for (int k = 0; kind->class_names[k] && count < MAX_NAMES; k++) {
            of[count] = kind;
            names[count++] = kind->class_names[k];
        }
    names[count] = NULL;
    return count;
}

/* Pipelines that are known and cannot be run, and why. */
static bool refuse_class(const SlJson *index, const SlError *unknown, SlError *err)
{
    static const struct {
        const char *name, *why;
    } known[] = {
        {"InpaintPipeline",
         SL_WORDS("an inpainting model is told what of a picture to keep, and pictures "
                  "cannot be given to it yet")},
        {"InstructPix2PixPipeline", SL_WORDS("an instruct-pix2pix model changes a picture, and "
                                             "pictures cannot be given to it yet")},
    };
    SlError ignored = {0};
    const char *name = sl_json_string(index, "_class_name", "", &ignored);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strstr(name, known[i].name))
            return sl_fail(err, SL_UNSUPPORTED, "%s: \"_class_name\" is \"%s\": %s",
                           sl_json_name(index), sl_show_name(name).text, sl_words(known[i].why));
    return sl_fail(err, SL_UNSUPPORTED, "%s", unknown->message);
}

static bool find_class(SlModelInfo *info, const SlJson *index, SlError *err)
{
    const char *names[MAX_NAMES + 1];
    const SlPipelineClass *of[MAX_NAMES];
    char list[400] = "";
    SlError own = {0};
    int count = list_classes(names, of);
    int chosen = sl_json_choice(index, "_class_name", names, count, &own);
    if (own.code != SL_OK)
        return refuse_class(index, &own, err);
    if (chosen < count) {
        info->pipeline = &of[chosen]->info;
        return true;
    }
    for (int i = 0; i < count; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? sl_words(" or ") : "",
                 names[i]);
    return sl_fail(err, SL_FORMAT, "%s: \"_class_name\" is missing; expected %s",
                   sl_json_name(index), list);
}

static bool inspect_index(SlModelInfo *info, const SlJson *index, SlError *err)
{
    if (!find_class(info, index, err) || !read_other_marks(info, err) ||
        !find_scheduler(info, index, err))
        return false;
    const SlPipelineClass *kind = sl_pipeline_class_of(info);
    if (!check_folders(info, index, err))
        return false;
    for (int i = 0; kind->parts[i]; i++)
        if (!add_folder_part(info, index, kind->parts[i], err))
            return false;
    const char *tokenizer = kind->tokenizer ? kind->tokenizer : "tokenizer";
    if (kind->tokenizers && !component_class(index, tokenizer, kind->tokenizers, err))
        return false;
    return !kind->two_texts || component_class(index, "tokenizer_2", kind->tokenizers, err);
}

static bool inspect_folder(SlModelInfo *info, SlError *err)
{
    char path[PATH_ROOM];
    struct stat st;
    snprintf(path, sizeof path, "%s/model_index.json", info->path);
    if (lstat(path, &st))
        return refuse_folder(info->path, err);
    SlJson *index = sl_json_open(path, err);
    bool ok = index && inspect_index(info, index, err);
    if (ok) {
        SlError own = {0};
        info->force_zeros = sl_json_bool(index, "force_zeros_for_empty_prompt", true, &own);
        bool scored = sl_json_bool(index, "requires_aesthetics_score", false, &own);
        ok = own.code == SL_OK || sl_fail(err, own.code, "%s", own.message);
        if (ok && info->pipeline->refines && !scored)
            ok = sl_fail(err, SL_UNSUPPORTED,
                         "%s: \"requires_aesthetics_score\" is not true; of the models of %s only "
                         "refiners can be run, which are told a score",
                         sl_json_name(index), info->pipeline->class_name);
    }
    sl_json_close(index);
    return ok && read_configs(info, err);
}

/* ---- single files ---- */

/* What the checkpoint has not is from elsewhere. */
static bool check_complete(const SlModelInfo *info, const SlWeightSource *file, SlError *err)
{
    const SlPartClass *const *parts = sl_pipeline_class_of(info)->parts;
    Missing missing = {""};
    for (int i = 0; parts[i]; i++) {
        const char *lacks = sl_checkpoint_lacks(file, parts[i]->name);
        if (lacks && !sl_model_other(info, parts[i]->name))
            add_missing(&missing, parts[i]->name, lacks);
    }
    return !missing.count ||
           sl_fail(err, SL_UNSUPPORTED,
                   "%s: the file has no %s; or its UNet can be given to a whole model with --unet",
                   sl_show_path(info->path).text, missing.text);
}

/* The family whose checkpoint it is. What the first that has checkpoints says of another file is
 * what is said. */
static bool recognise_file(SlModelInfo *info, SlError *err)
{
    SlError first = {0};
    SlWeightSource *file = sl_weights_open_file(info->path, err);
    if (!file)
        return false;
    const SlPipelineClass *kind;
    for (int i = 0; !info->pipeline && (kind = sl_pipeline_class_at(i)); i++)
        if (kind->recognise && kind->recognise(file, info->arch, first.code ? NULL : &first))
            info->pipeline = &kind->info;
    bool ok = info->pipeline && check_complete(info, file, err) && read_marks(info, file, err);
    sl_weights_close(file);
    /* as model_index.json of stable-diffusion-xl-base-1.0 says, and of its refiner */
    info->force_zeros = info->pipeline && !info->pipeline->refines;
    if (!info->pipeline && err)
        *err = first;
    return ok;
}

static bool inspect_file(SlModelInfo *info, SlError *err)
{
    info->single_file = true;
    if (!recognise_file(info, err) || !read_other_marks(info, err) ||
        !built_in_scheduler(info, err))
        return false;
    const SlPartClass *const *parts = sl_pipeline_class_of(info)->parts;
    for (int i = 0; parts[i]; i++)
        if (!add_part(info, parts[i], parts[i]->classes[0], err))
            return false;
    return read_configs(info, err);
}

/* ---- parts from elsewhere ---- */

/* A file; the folder of the part; or the folder of a model that has the part. */
static bool add_other(SlModelInfo *info, const SlPartFrom *from, SlError *err)
{
    struct stat st;
    if (info->others == SL_MODEL_MAX_OTHERS)
        return sl_fail(err, SL_ARGUMENT, "more than %d parts are taken from elsewhere",
                       SL_MODEL_MAX_OTHERS);
    SlOtherPart *other = &info->other[info->others];
    snprintf(other->part, sizeof other->part, "%s", from->part);
    size_t n = strlen(from->path);
    while (n > 1 && from->path[n - 1] == '/')
        n--;
    bool model = stat(from->path, &st) == 0 && S_ISDIR(st.st_mode);
    bool whole = !strcmp(from->part, SL_REFINER);
    other->folder = model;
    model = model && !whole && is_there(from->path, "model_index.json");
    if (snprintf(other->path, sizeof other->path, "%.*s%s%s", (int)n, from->path, model ? "/" : "",
                 model ? from->part : "") >= (int)sizeof other->path)
        return sl_fail(err, SL_IO, "%s: the path is too long", sl_show_path(from->path).text);
    info->others++;
    if (!other->folder && !sl_file_check(from->path, sl_wanted_part(from->part), err))
        return false;
    return !other->folder || whole || is_there(other->path, "config.json") ||
           sl_fail(err, SL_FORMAT,
                   "%s: there is no config.json in this folder; expected the folder of a %s, or a "
                   "file with its weights",
                   sl_show_path(other->path).text, from->part);
}

/* Into the list of files as "refiner=NAME", with what is behind its own folder's name. */
static bool add_refiner_files(SlModelInfo *info, const SlOtherPart *other,
                              const SlModelInfo *refiner, SlError *err)
{
    for (int i = 0; i < refiner->files; i++) {
        SlModelFile *file = &info->file[info->files];
        if (info->files == SL_MODEL_MAX_FILES)
            return sl_fail(err, SL_UNSUPPORTED, "%s: more than %d weight files with its refiner's",
                           sl_show_path(info->path).text, SL_MODEL_MAX_FILES);
        if (snprintf(file->name, sizeof file->name, "%s=%s%s%s", other->part,
                     last_part(other->path), other->folder ? "/" : "",
                     other->folder ? refiner->file[i].name : "") >= (int)sizeof file->name)
            return sl_fail(err, SL_IO, "%s: the name of the weight file is too long",
                           sl_show_path(other->path).text);
        file->bytes = refiner->file[i].bytes;
        file->sha256[0] = 0;
        info->files++;
    }
    return true;
}

static bool is_edm(const SlModelInfo *info)
{
    return sl_prediction_is_edm(info->prediction);
}

static bool check_refiner(const SlModelInfo *info, const SlModelInfo *refiner, SlError *err)
{
    const char *path = refiner->path;
    if (!refiner->pipeline->refines || info->pipeline->refines)
        return sl_fail(err, SL_UNSUPPORTED,
                       "%s: a %s cannot go on with what a %s began; expected a refiner of Stable "
                       "Diffusion XL (StableDiffusionXLImg2ImgPipeline) and its base model",
                       sl_show_path(path).text, refiner->pipeline->class_name,
                       info->pipeline->class_name);
    if (is_edm(info) || is_edm(refiner))
        return sl_fail(err, SL_UNSUPPORTED,
                       "%s: of %s and its refiner %s was trained as EDM is and has no timesteps; "
                       "expected two models that count noise alike",
                       sl_show_path(path).text, info->name,
                       !is_edm(refiner) ? sl_words("the former")
                       : is_edm(info)   ? sl_words("each")
                                        : sl_words("the latter"));
    if (!(info->pipeline->has & SL_HAS_SIZES))
        return sl_fail(
            err, SL_UNSUPPORTED,
            "%s: this refiner goes on with Stable Diffusion XL's latents, and %s is a %s",
            sl_show_path(path).text, info->name, info->pipeline->class_name);
    return (refiner->channels == info->channels && refiner->factor == info->factor) ||
           sl_fail(err, SL_UNSUPPORTED,
                   "%s: the refiner's samples have %d channels at 1/%d of the size, the model's "
                   "%d at 1/%d; expected equal ones",
                   sl_show_path(path).text, refiner->channels, refiner->factor, info->channels,
                   info->factor);
}

/* The model that goes on with this one's pictures: its files and what it can be told become this
 * one's. */
static bool add_refiner(SlModelInfo *info, SlError *err)
{
    const SlOtherPart *other = sl_model_other(info, SL_REFINER);
    if (!other)
        return true;
    SlModelInfo *refiner = malloc(sizeof *refiner);
    if (!refiner)
        return sl_fail(err, SL_MEMORY, "out of memory for the refiner");
    bool ok = sl_model_inspect(other->path, refiner, err) && check_refiner(info, refiner, err) &&
              add_refiner_files(info, other, refiner, err);
    if (ok) {
        SlModelPart *part = &info->part[info->parts++];
        *part = refiner->part[0]; /* its UNet, the largest by far */
        snprintf(part->name, sizeof part->name, "%s", SL_REFINER);
        info->also_has |= SL_HAS_REFINER | SL_HAS_AESTHETICS;
        if (refiner->branches < info->branches)
            info->branches = refiner->branches;
        if (refiner->size_multiple > info->size_multiple)
            info->size_multiple = refiner->size_multiple;
    }
    free(refiner);
    return ok;
}

/* Every part from elsewhere took the place of one. */
static bool check_others(const SlModelInfo *info, SlError *err)
{
    for (int i = 0; i < info->others; i++) {
        bool used = false;
        for (int k = 0; k < info->parts; k++)
            used = used || !strcmp(info->part[k].name, info->other[i].part);
        if (!used)
            return sl_fail(err, SL_ARGUMENT, "%s: this model has no %s that %s could replace",
                           sl_show_path(info->path).text, info->other[i].part,
                           sl_show_path(info->other[i].path).text);
    }
    return true;
}

bool sl_model_file_path(const SlModelInfo *info, int i, char *out, size_t size)
{
    const char *name = info->file[i].name;
    const SlOtherPart *other = other_of_file(info, name);
    if (other) {
        size_t skip = strlen(other->part) + 1 + strlen(last_part(other->path));
        return snprintf(out, size, "%s%s", other->path, other->folder ? name + skip : "") <
               (int)size;
    }
    if (info->single_file)
        return snprintf(out, size, "%s", info->path) < (int)size;
    return snprintf(out, size, "%s/%s", info->path, name) < (int)size;
}

/* ---- the whole ---- */

static bool inspect_any(SlModelInfo *info, SlError *err)
{
    struct stat st;
    if (stat(info->path, &st) == 0 && S_ISDIR(st.st_mode))
        return inspect_folder(info, err);
    return inspect_file(info, err); /* opening it says what is wrong with it */
}

bool sl_model_inspect(const char *path, SlModelInfo *info, SlError *err)
{
    return sl_model_inspect_with(path, NULL, info, err);
}

bool sl_model_inspect_with(const char *path, const SlPartFrom *from, SlModelInfo *info,
                           SlError *err)
{
    *info = (SlModelInfo){0};
    if (!*path)
        return sl_fail(err, SL_ARGUMENT, "no model was given: the path is empty");
    if (!set_names(info, path, err))
        return false;
    for (; from && from->part; from++)
        if (!add_other(info, from, err))
            return false;
    return inspect_any(info, err) && add_refiner(info, err) && check_others(info, err);
}

bool sl_model_hash(SlModelInfo *info, SlHashFile hash, const int *cancel, SlError *err)
{
    char path[PATH_ROOM];
    for (int i = 0; i < info->files; i++) {
        SlModelFile *file = &info->file[i];
        if (!sl_model_file_path(info, i, path, sizeof path))
            return sl_fail(err, SL_IO, "%s: the path is too long", sl_show_path(path).text);
        if (!(hash ? hash : sl_sha256_file)(path, file->sha256, cancel, err))
            return false;
    }
    return true;
}
