/* test_memory.c - a device whose memory is limited: pictures in strips, the text encoder that goes
 * and comes back, and the sentence when nothing helps.
 */
#include "engine/pipelines/pipelines.h"
#include "engine/run/run.h"
#include "engine/run/step.h"
#include "tests/engine/run/golden.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* A device's table with a limit laid over its memory. */
static SlOps limited;
static const SlOps *real;
static size_t used, limit;

/* What was allocated under the limit: devices do not say how large it was when they free it. */
static struct {
    void *p;
    size_t bytes;
} held[8192];
static int held_count;

static void *limited_alloc(SlDevice *dev, size_t bytes)
{
    bool room = used + bytes <= limit && held_count < (int)(sizeof held / sizeof held[0]);
    void *p = room ? real->alloc(dev, bytes) : NULL;
    if (p) {
        held[held_count].p = p;
        held[held_count++].bytes = bytes;
        used += bytes;
    }
    return p;
}

static void limited_free(SlDevice *dev, void *p, size_t bytes)
{
    int i = 0;
    while (i < held_count && held[i].p != p)
        i++;
    if (p && i < held_count) {
        used -= held[i].bytes;
        held[i] = held[--held_count];
    } else if (p) {
        limit += bytes; /* it was there before the limit */
    }
    real->free(dev, p, bytes);
}

static size_t limited_memory(SlDevice *dev)
{
    (void)dev;
    return limit > used ? limit - used : 0;
}

/* From now on; what is held already does not count. */
static void limit_memory(SlDevice *dev, size_t bytes)
{
    real = dev->ops;
    limited = *dev->ops;
    limited.alloc = limited_alloc;
    limited.free = limited_free;
    limited.memory = limited_memory;
    used = 0;
    held_count = 0;
    limit = bytes;
    dev->ops = &limited;
}

static SlModel *open_folder(const char *device, const char *name, const char *refiner)
{
    SlError err = {0};
    char *folder = sl_test_path(name), *other = sl_test_path(refiner ? refiner : "");
    const SlPartFrom from[] = {{refiner ? "refiner" : NULL, other}, {NULL, NULL}};
    SlModel *model = sl_model_open(folder, &(SlModelOptions){.device = device, .from = from}, &err);
    if (!model)
        sl_test_note("%s", err.message);
    free(folder);
    free(other);
    return model;
}

static SlModel *open_model(const char *device)
{
    return open_folder(device, "goldens/model/sd1", NULL);
}

/* ---- pictures ---- */

static void fill(float *sample, int n)
{
    SlNoise noise;
    sl_noise_init(&noise, SL_NOISE_CPU, 7, 0);
    sl_noise_normal(&noise, sample, n);
}

static void test_strips(void)
{
    SlModel *model = open_model("cpu");
    SlDevice *dev = sl_model_device(model);
    const SlModelInfo *info = sl_model_info(model);
    int side = 448 / info->factor, n = info->channels * side * side;
    size_t pixels = (size_t)448 * 448 * 3, few = pixels / 64;
    float *sample = calloc((size_t)n, sizeof *sample), *small = calloc(few, sizeof *small);
    float *whole = calloc(pixels, sizeof *whole), *strips = calloc(pixels, sizeof *strips);
    SlError err = {0};
    fill(sample, n);
    bool ok = sl_decode(model, sample, side / 8, side / 8, small, NULL, &err) &&
              sl_decode(model, sample, side, side, whole, NULL, &err);
    size_t need = sl_arena_capacity(dev);
    sl_arena_release(dev);
    limit_memory(dev, (size_t)40 << 20);
    sl_test(ok && need > limit, "the whole picture takes more (%s) than the limit",
            sl_bytes_text(need).text);
    ok = sl_decode(model, sample, side, side, strips, NULL, &err);
    double psnr = golden_psnr(strips, whole, pixels);
    sl_test(ok && psnr >= 40, "within the limit it is decoded in strips: PSNR %.1f dB %s", psnr,
            err.message);
    sl_arena_release(dev);
    limit = (size_t)20 << 20;
    ok = sl_decode(model, sample, side, side, strips, NULL, &err);
    sl_test(!ok && err.code == SL_MEMORY && strstr(err.message, "smaller picture"),
            "where not even strips fit, it says so: %s", err.message);
    limit = SIZE_MAX;
    ok = sl_decode(model, sample, side / 8, side / 8, strips, NULL, &err);
    sl_test(ok && golden_worst(strips, small, few) == 0, "and the device goes on after it");
    free(sample);
    free(small);
    free(whole);
    free(strips);
    sl_model_close(&model);
}

/* ---- runs ---- */

static bool one_step(SlModel *model, const SlRecipe *recipe, float *first, SlError *err)
{
    SlRun *run = sl_run_new(model, recipe, NULL, err);
    bool ok = run && sl_run_next(run, NULL, err);
    if (ok)
        *first = sl_run_sample(run)[0];
    sl_run_free(run);
    return ok;
}

/* "... needs 97 MiB of the GPU's memory ..., and 65.2 MiB are free": the two sizes, and not a
 * thousand times as much. */
static bool says_sizes(const char *message, size_t need, size_t have)
{
    const char *at = strstr(message, "needs "), *and = strstr(message, ", and ");
    char unit[2][4] = {"", ""};
    double size[2] = {0, 0};
    if (!at || !and || sscanf(at, "needs %lf %3s of", &size[0], unit[0]) != 2 ||
        sscanf(and, ", and %lf %3s are free", &size[1], unit[1]) != 2)
        return false;
    for (int i = 0; i < 2; i++) {
        double bytes = size[i] * (strcmp(unit[i], "GiB") ? 1 << 20 : 1 << 30);
        double expected = (double)(i ? have : need);
        if ((strcmp(unit[i], "GiB") && strcmp(unit[i], "MiB")) || bytes < expected * 0.9 ||
            bytes > expected * 1.1)
            return false;
    }
    return true;
}

static void test_run(void)
{
    SlModel *model = open_model("ref");
    SlDevice *dev = sl_model_device(model);
    SlRecipe recipe;
    SlCost cost;
    SlError err = {0};
    float plain = 0, roomy = 0, again = 0;
    sl_recipe_defaults(&recipe, sl_model_info(model));
    recipe.prompt = "a horse";
    bool ok = one_step(model, &recipe, &plain, &err) &&
              sl_model_cost(sl_model_info(model), &recipe, "f32", &cost, &err);
    sl_test(ok && sl_model_net(model, "text_encoder"), "a run on a device with enough memory %s",
            err.message);
    sl_step_free(model->step);
    model->step = NULL;
    sl_arena_release(dev);

    /* Less and less, until a step fits without the text encoder only. */
    size_t least = cost.step_bytes + ((size_t)96 << 20);
    limit_memory(dev, least + ((size_t)2 << 20));
    ok = one_step(model, &recipe, &roomy, &err);
    while (ok && sl_model_net(model, "text_encoder") && limit > least) {
        limit -= 60000;
        ok = one_step(model, &recipe, &roomy, &err);
    }
    sl_test(ok && !sl_model_net(model, "text_encoder") && roomy == plain,
            "the text encoder makes room for a step %s", err.message);
    limit = SIZE_MAX / 2;
    ok = one_step(model, &recipe, &again, &err);
    sl_test(ok && sl_model_net(model, "text_encoder") && again == plain,
            "and comes back for the next prompt %s", err.message);

    sl_arena_release(dev);
    limit = least - ((size_t)32 << 20);
    ok = one_step(model, &recipe, &again, &err);
    sl_test(!ok && err.code == SL_MEMORY && says_sizes(err.message, least, limit),
            "a step that cannot fit is refused before it: %s", err.message);
    limit = SIZE_MAX / 2;
    ok = one_step(model, &recipe, &again, &err);
    sl_test(ok && again == plain, "and the device goes on after it");
    dev->ops = real;
    sl_model_close(&model);
}

/* ---- the host's memory ---- */

static void test_host(void)
{
    SlModel *model = open_model("cpu");
    SlRecipe recipe;
    SlError err = {0};
    struct rlimit was, limited_now;
    sl_recipe_defaults(&recipe, sl_model_info(model));
    recipe.width = recipe.height = 16384;
    getrlimit(RLIMIT_AS, &was);
    limited_now = was;
#ifdef __SANITIZE_ADDRESS__ /* which has terabytes: without a limit of ours */
    recipe.width = recipe.height = 16384 - 16384 % sl_model_info(model)->size_multiple;
#else
    limited_now.rlim_cur = (rlim_t)4 << 30;
#endif
    setrlimit(RLIMIT_AS, &limited_now);
    SlRun *run = sl_run_new(model, &recipe, NULL, &err);
    setrlimit(RLIMIT_AS, &was);
    sl_test(!run && err.code == SL_MEMORY && strstr(err.message, "16384 x 16384 needs") &&
                strstr(err.message, "may use"),
            "what the process may not use is known before the run: %s", err.message);
    sl_run_free(run);
    recipe.width = recipe.height = 16;
    run = sl_run_new(model, &recipe, NULL, &err);
    sl_test(run != NULL, "and a small picture is made");
    sl_run_free(run);

    bool cheap = false;
    SlModelInfo *gone = malloc(sizeof *gone);
    if (!gone)
        abort();
    *gone = *sl_model_info(model);
    snprintf(gone->path, sizeof gone->path, "/nowhere");
    err = (SlError){0};
    sl_test(!sl_model_decode_is_cheap(gone, &cheap, &err) && err.code != SL_OK && *err.message,
            "what decoding costs is found, or it is said why not: %s", err.message);
    free(gone);
    sl_model_close(&model);
}

static void free_all(SlModel *model)
{
    sl_step_free(model->step);
    model->step = NULL;
    sl_model_free_parts(model);
    sl_arena_release(model->dev);
}

/* All parts anew, as opening the model loads them. How many there is room for: they are there, or wait for
 * the first evaluation; -1: it failed. */
static int load_again(SlModel *model, SlError *err)
{
    int loaded = 0;
    free_all(model);
    model->parts = 0;
    if (!sl_model_load_parts(model, &(SlModelOptions){.device = "ref"}, err))
        return -1;
    for (int i = 0; i < model->parts; i++)
        loaded += model->part[i].net != NULL || model->part[i].waits;
    return loaded;
}

static bool is_loaded(const SlModel *model, SlPartUse use)
{
    int part = sl_model_part_for(model, use);
    return part >= 0 && model->part[part].net;
}

/* Of a picture whose decoding works in most of the arena's one block. */
static bool one_step_of(SlModel *model, SlError *err)
{
    SlRecipe recipe;
    sl_recipe_defaults(&recipe, sl_model_info(model));
    recipe.width = recipe.height = 224;
    recipe.steps = 1;
    SlRun *run = sl_run_new(model, &recipe, NULL, err);
    bool ok = run && sl_run_next(run, NULL, err);
    sl_run_free(run);
    return ok;
}

#ifndef __SANITIZE_ADDRESS__
/* Leaves so many bytes for the process; in *was what it was allowed before. False where no limit is kept
 * (qemu-user). */
static bool limit_data(size_t left, struct rlimit *was)
{
    struct rlimit now, kept;
    size_t pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    sl_test(f && fscanf(f, "%*u %*u %*u %*u %*u %zu", &pages) == 1, "what it has is known");
    if (f)
        fclose(f);
    getrlimit(RLIMIT_DATA, was);
    now = *was;
    now.rlim_cur = (rlim_t)(pages * (size_t)sysconf(_SC_PAGESIZE) + left);
    setrlimit(RLIMIT_DATA, &now);
    getrlimit(RLIMIT_DATA, &kept);
    return kept.rlim_cur == now.rlim_cur;
}

/* A run, and then opening the model, with little memory left to the process. */
static void test_limited(SlModel *model)
{
    SlError err = {0};
    struct rlimit was;
    if (!limit_data((size_t)6 << 20, &was)) {
        sl_test_note("RLIMIT_DATA is not kept here");
        return;
    }
    bool ok = one_step_of(model, &err);
    setrlimit(RLIMIT_DATA, &was);
    sl_test(ok && !is_loaded(model, SL_USE_ENCODE), "a run finds out by itself %s", err.message);
    free_all(model);
    malloc_trim(0);
    limit_data((size_t)16 << 20, &was);
    int loaded = load_again(model, &err);
    setrlimit(RLIMIT_DATA, &was);
    sl_test(loaded > 0 && loaded < 3 && !is_loaded(model, SL_USE_DECODE),
            "of parts that do not all fit some wait: %d loaded %s", loaded, err.message);
    sl_test(one_step_of(model, &err), "and the model makes pictures %s", err.message);
}
#endif

/* What only encodes texts goes when its work is done and the host's memory is short: less than the model's
 * weights take, 20 MB, would be left. */
static void test_spare(void)
{
    SlModel *model = open_folder("cpu", "../data/models/starter", NULL);
    SlError err = {0};
    bool ok = one_step_of(model, &err);
    sl_test(ok && is_loaded(model, SL_USE_ENCODE), "with memory to spare the text encoder stays %s",
            err.message);
    ok = sl_model_spare_host(model, SIZE_MAX, &err) && is_loaded(model, SL_USE_ENCODE);
    ok = ok && sl_model_spare_host(model, 0, &err) && !is_loaded(model, SL_USE_ENCODE) &&
         is_loaded(model, SL_USE_DENOISE) && is_loaded(model, SL_USE_DECODE);
    sl_test(ok, "where little is left it goes, and nothing else does %s", err.message);
    ok = one_step_of(model, &err) && is_loaded(model, SL_USE_ENCODE);
    sl_test(ok, "and it is read again for the next texts %s", err.message);
#ifndef __SANITIZE_ADDRESS__ /* which has terabytes */
    test_limited(model);
#endif
    sl_model_close(&model);
}

/* ---- parts that do not all fit ---- */

static bool picture(SlModel *model, uint8_t *rgb, SlError *err)
{
    SlRecipe recipe;
    sl_recipe_defaults(&recipe, sl_model_info(model));
    recipe.prompt = "a horse";
    recipe.scheduler = "euler";
    recipe.steps = 2;
    recipe.width = recipe.height = 16;
    SlRun *run = sl_run_new(model, &recipe, NULL, err);
    bool ok = run != NULL;
    while (ok && !sl_run_done(run))
        ok = sl_run_next(run, NULL, err);
    int side = 16 / sl_model_info(model)->factor;
    ok = ok && sl_decode(model, sl_run_sample(run), side, side, NULL, rgb, err);
    sl_run_free(run);
    return ok;
}

static size_t weights_of(SlModel *model, size_t *largest)
{
    size_t sum = 0;
    *largest = 0;
    for (int i = 0; i < model->parts; i++) {
        SlPart *part = &model->part[i];
        sl_part_measure(model, part, NULL);
        sum += part->weight_bytes;
        *largest = part->weight_bytes > *largest ? part->weight_bytes : *largest;
    }
    return sum;
}

static void test_parts(const char *device)
{
    enum { BYTES = 16 * 16 * 3 };
    static uint8_t want[BYTES], got[BYTES];
    SlModel *model = open_model(device);
    SlDevice *dev = sl_model_device(model);
    SlError err = {0};
    size_t largest, all = weights_of(model, &largest);
    bool ok = picture(model, want, &err);
    sl_test(ok, "%s: a picture with enough memory %s", device, err.message);
    sl_step_free(model->step);
    model->step = NULL;
    sl_model_free_parts(model);
    sl_arena_release(dev);
    limit_memory(dev, SIZE_MAX / 2);

    /* Less and less memory, down to where the largest part has none. */
    int made = 0, fewest = model->parts, later = 0;
    bool same = true;
    unsigned before = model->part[0].loads;
    for (size_t room = all * 2; ok && room > largest / 2; room -= all / 8) {
        limit = ((size_t)96 << 20) + room;
        err = (SlError){0};
        int loaded = load_again(model, &err);
        if (loaded < 0 || !picture(model, got, &err))
            break;
        same = same && !memcmp(want, got, BYTES);
        if (!picture(model, got, &err))
            break;
        same = same && !memcmp(want, got, BYTES);
        made++;
        fewest = loaded < fewest ? loaded : fewest;
        later += loaded < model->parts;
    }
    sl_test(made > 0 && same, "%s: twice %d pictures in less and less memory have the same bytes",
            device, made);
    sl_test(later > 0 && fewest < 3, "%s: parts that do not fit wait when the model is loaded",
            device);
    sl_test(model->part[0].loads - before > (unsigned)made + 1,
            "%s: the UNet made room for a picture and was loaded again (%u times for %d pictures)",
            device, model->part[0].loads - before, made);
    sl_test(err.code == SL_MEMORY &&
                (strstr(err.message, "are free") || strstr(err.message, "no memory")),
            "%s: and at last there is a sentence: %s", device, err.message);
    limit = SIZE_MAX / 2;
    err = (SlError){0};
    ok = load_again(model, &err) == model->parts && picture(model, got, &err);
    sl_test(ok && !memcmp(want, got, BYTES), "%s: with enough memory all is as before %s", device,
            err.message);
    sl_model_free_parts(model);
    sl_step_free(model->step);
    model->step = NULL;
    sl_arena_release(dev);
    dev->ops = real;
    sl_model_close(&model);
}

/* The refiner's step is refused before the run, at exactly the byte that it lacks. */
static void test_refiner_refused(SlModel *model)
{
    size_t need = 0, most = 0;
    SlError err = {0};
    SlRecipe recipe;
    sl_recipe_defaults(&recipe, sl_model_info(model));
    recipe.scheduler = "euler";
    recipe.width = recipe.height = 16;
    limit = (size_t)1 << 40;
    bool ok = sl_model_check_refiner(model->refiner, &recipe, &err) &&
              sl_model_could_clear_for(model->refiner, SL_USE_DENOISE, &need, &most, &err);
    limit -= ok ? most - need : 0;
    ok = ok && sl_model_check_refiner(model->refiner, &recipe, &err);
    sl_test(ok, "a refiner's step that just fits is not refused %s", err.message);
    limit--;
    ok = ok && !sl_model_check_refiner(model->refiner, &recipe, &err);
    sl_test(ok && strstr(err.message, "with its refiner a picture of 16 x 16 needs"),
            "with a byte less it is: %s", err.message);
}

/* A model and its refiner that are not there beside each other. */
static void test_refiner(void)
{
    enum { BYTES = 16 * 16 * 3 };
    static uint8_t want[BYTES], got[BYTES];
    SlModel *model = open_folder("ref", "goldens/model/sdxl", "goldens/model/sdxl_refiner");
    SlDevice *dev = sl_model_device(model);
    SlError err = {0};
    size_t largest, all = weights_of(model, &largest) + weights_of(model->refiner, &largest);
    bool ok = picture(model, want, &err) && model->part[0].net && model->refiner->part[0].net;
    sl_test(ok, "with enough memory both are there %s", err.message);
    sl_model_free_parts(model->refiner);
    sl_step_free(model->refiner->step);
    model->refiner->step = NULL;
    limit_memory(dev, SIZE_MAX / 2);
    bool same = true;
    int apart = 0;
    for (size_t room = 2 * all; ok && room > all / 4; room -= all / 8) {
        limit = ((size_t)96 << 20) + room;
        err = (SlError){0};
        sl_model_free_parts(model->refiner);
        if (load_again(model, &err) < 0 || !picture(model, got, &err))
            break;
        same = same && !memcmp(want, got, BYTES);
        apart += !model->part[0].net || !model->refiner->part[0].net;
    }
    sl_test(apart > 0 && same,
            "with less one makes room for the other, %d times, to the same bytes %s", apart,
            err.message);
    test_refiner_refused(model);
    limit = SIZE_MAX / 2;
    dev->ops = real;
    sl_model_close(&model);
}

/* The weights file with one more tensor, which nothing uses. */
static bool add_tensor(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint64_t length = 0;
    bool ok = file && fread(&length, 8, 1, file) == 1 && length < 1 << 20;
    char *header = ok ? calloc(1, length + 1) : NULL;
    uint8_t *data = malloc(1 << 24);
    ok = ok && header && data && fread(header, length, 1, file) == 1 && strrchr(header, '}');
    size_t bytes = ok ? fread(data, 1, 1 << 24, file) : 0;
    if (file)
        fclose(file);
    file = ok && (*strrchr(header, '}') = 0, bytes < 1 << 24) ? fopen(path, "wb") : NULL;
    if (file) {
        char spare[100];
        length = strlen(header) + (size_t)snprintf(spare, sizeof spare,
                                                   ",\"spare\":{\"dtype\":\"U8\",\"shape\":[1],"
                                                   "\"data_offsets\":[%zu,%zu]}}",
                                                   bytes, bytes + 1);
        ok = fwrite(&length, 8, 1, file) == 1 && fputs(header, file) >= 0 &&
             fputs(spare, file) >= 0 && fwrite(data, 1, bytes, file) == bytes &&
             fputc(0, file) == 0;
        ok = fclose(file) == 0 && ok;
    }
    free(header);
    free(data);
    return ok && file;
}

/* A part that was dropped and is loaded again says nothing a second time. */
static void test_warnings(void)
{
    static const char warning[] = "vae: 1 tensor is not used: spare";
    char folder[] = "/tmp/safelight-memory-XXXXXX", text[9000];
    char *from = sl_test_path("goldens/model/sd1");
    SlError err = {0};
    SlModel *model = NULL;
    bool made = mkdtemp(folder);
    snprintf(text, sizeof text, "cp -r '%s' '%s/model'", from, folder);
    made = made && system(text) == 0;
    snprintf(text, sizeof text, "%s/model/vae/diffusion_pytorch_model.safetensors", folder);
    made = made && add_tensor(text);
    snprintf(text, sizeof text, "%s/model", folder);
    if (made)
        model = sl_model_open(text, &(SlModelOptions){.device = "cpu"}, &err);
    sl_test(model && sl_model_warning(model) && !strcmp(sl_model_warning(model), warning),
            "a tensor that is not used is said %s", err.message);
    int vae = model ? sl_model_part_for(model, SL_USE_DECODE) : -1;
    for (int i = 0; vae >= 0 && i < 2; i++) {
        sl_model_drop_part(model, vae);
        bool ok = sl_model_need_part(model, vae, &err);
        sl_test(ok && !strcmp(sl_model_warning(model), warning),
                "and not once more when the part is loaded again %s", err.message);
    }
    sl_model_close(&model);
    snprintf(text, sizeof text, "rm -r '%s'", folder);
    sl_test(system(text) == 0, "the model goes");
    free(from);
}

/* ---- what waits for the first evaluation ---- */

static SlRun *run_of_three(SlModel *model, SlError *err)
{
    SlRecipe recipe;
    sl_recipe_defaults(&recipe, sl_model_info(model));
    recipe.prompt = "a horse";
    recipe.scheduler = "euler";
    recipe.steps = 3;
    recipe.width = recipe.height = 16;
    return sl_run_new(model, &recipe, NULL, err);
}

/* The values of the second half of a file are no numbers. */
static bool damage(const char *path)
{
    FILE *f = fopen(path, "r+b");
    bool ok = f && fseek(f, 0, SEEK_END) == 0;
    long size = ok ? ftell(f) : 0;
    ok = ok && fseek(f, size / 2, SEEK_SET) == 0;
    for (long i = size / 2; ok && i < size; i++)
        ok = fputc(0xff, f) != EOF;
    return f && fclose(f) == 0 && ok;
}

/* The model as one is whose decoder is too dear for previews: this one's is small. */
static SlModel *open_waiting(const char *folder, SlError *err)
{
    const SlModelOptions options = {.device = "cpu"};
    SlModel *model = sl_model_open(folder, &options, err);
    if (model) {
        free_all(model);
        model->parts = 0;
        model->cheap_decode = false;
        if (!sl_model_load_parts(model, &options, err))
            sl_model_close(&model);
    }
    return model;
}

static void test_waiting(const char *folder)
{
    SlError err = {0};
    SlModel *model = open_waiting(folder, &err);
    sl_test(model && sl_model_waiting_bytes(model) > 0, "what decodes waits %s", err.message);
    SlRun *run = model ? run_of_three(model, &err) : NULL;
    sl_test(run && sl_run_next(run, NULL, &err) && !is_loaded(model, SL_USE_DECODE),
            "the first evaluation does not need it %s", err.message);
    sl_test(run && sl_run_next(run, NULL, &err) && is_loaded(model, SL_USE_DECODE) &&
                sl_model_waiting_bytes(model) == 0,
            "it is there behind the second %s", err.message);
    sl_run_free(run);
    sl_model_close(&model);
}

/* The sentence comes behind the first step, not behind the last one. */
static void test_waiting_damaged(const char *folder, const char *file)
{
    SlError err = {0};
    SlModel *model = open_waiting(folder, &err);
    bool damaged = damage(file);
    SlRun *run = model ? run_of_three(model, &err) : NULL;
    sl_test(damaged && run && sl_run_next(run, NULL, &err),
            "what is wrong with its values does not matter yet %s", err.message);
    bool failed = run && !sl_run_next(run, NULL, &err);
    sl_test(failed && err.code == SL_FORMAT && strstr(err.message, "vae/diffusion_pytorch_model") &&
                strstr(err.message, "is not a finite number"),
            "and is said behind the first evaluation: %s", err.message);
    bool cut = truncate(file, 5000) == 0;
    failed = model && !sl_model_look_at_part(model, sl_model_part_for(model, SL_USE_DECODE), &err);
    sl_test(cut && failed && strstr(err.message, "vae/diffusion_pytorch_model"),
            "a file that is cut off is refused before anything is read: %s", err.message);
    sl_run_free(run);
    sl_model_close(&model);
}

/* A cancel while it is loaded ends the evaluation; it is loaded by who needs it next. */
static void test_waiting_cancelled(const char *folder)
{
    SlError err = {0};
    SlModel *model = open_waiting(folder, &err);
    SlRun *run = model ? run_of_three(model, &err) : NULL;
    bool ok = run && sl_run_next(run, NULL, &err);
    sl_model_cancel(model);
    sl_test(ok && !sl_run_next(run, NULL, &err) && err.code == SL_CANCELLED &&
                !is_loaded(model, SL_USE_DECODE),
            "a cancel stops its loading: %s", err.message);
    uint8_t rgb[16 * 16 * 3];
    int side = 16 / sl_model_info(model)->factor;
    ok = sl_run_next(run, NULL, &err) && !is_loaded(model, SL_USE_DECODE) &&
         sl_decode(model, sl_run_sample(run), side, side, NULL, rgb, &err);
    sl_test(ok && is_loaded(model, SL_USE_DECODE), "the run goes on, and its picture is decoded %s",
            err.message);
    sl_run_free(run);
    sl_model_close(&model);
}

static void test_order(void)
{
    char folder[] = "/tmp/safelight-memory-XXXXXX", model[200], file[300], text[9000];
    char *from = sl_test_path("goldens/model/sd1");
    bool made = mkdtemp(folder);
    snprintf(text, sizeof text, "cp -r '%s' '%s/model'", from, folder);
    snprintf(model, sizeof model, "%s/model", folder);
    snprintf(file, sizeof file, "%s/vae/diffusion_pytorch_model.safetensors", model);
    sl_test(made && system(text) == 0, "a model");
    test_waiting(model);
    test_waiting_cancelled(model);
    test_waiting_damaged(model, file);
    snprintf(text, sizeof text, "rm -r '%s'", folder);
    sl_test(system(text) == 0, "it goes");
    free(from);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        test_parts(argv[1]);
        return sl_test_done();
    }
    test_strips();
    test_host();
    test_spare();
    test_run();
    test_refiner();
    test_warnings();
    test_order();
    test_parts("ref");
    return sl_test_done();
}
