/* test_verify.c - `replay --verify` on every kind of file that the command line writes: as it is,
 * and with a pixel, a setting, a hash or a sample changed.
 */
#include "app/files/safetensors_writer.h"
#include "app/image/animation.h"
#include "app/image/png_text.h"
#include "app/image/webp.h"
#include "app/recipe/metadata.h"
#include "engine/files/safetensors.h"
#include "program.h"

#include <signal.h>
#include <time.h>
#include <webp/demux.h>

static char *model;

#define SMALL \
    "--model", model, "--prompt", "a red house", "--width", "32", "--height", "32", "--quiet"
#define FOUR SMALL, "--steps", "4"

static Run verify(const char *path)
{
    return RUN("replay", path, "--model", model, "--verify", "--quiet");
}

/* ---- the files ---- */

static const char *const kinds[] = {
    "plain.png",       "noisy.png",   "heun.png",       "branch.png", "deep.png",      "sheet.png",
    "fast.png",        "fast.webp",   "fast.safelight", "lanes.webp", "film.webp",     "long.webp",
    "lanes.safelight", "stopped.png", "stopped.webp",   "cut.png",    "cut.safelight",
};
#define KINDS (sizeof kinds / sizeof kinds[0])

static void write_whole(void)
{
    expect(RUN("generate", FOUR, "--output", file("plain.png")), 0, "", "a picture");
    expect(RUN("generate", FOUR, "--scheduler", "dpmpp-2m-sde", "--output", file("noisy.png")), 0,
           "", "of a scheduler that draws noise");
    expect(RUN("generate", FOUR, "--scheduler", "heun", "--output", file("heun.png"), "--animation",
               file("film.webp")),
           0, "", "of one with two evaluations a step, with its film");
    expect(RUN("generate", SMALL, "--steps", "130", "--scheduler", "ddim", "--animation",
               file("long.webp")),
           0, "", "the film of a long run");
    expect(RUN("branch", file("noisy.png"), "--model", model, "--step", "2", "--scheduler", "euler",
               "--steps", "6", "--quiet", "--output", file("branch.png")),
           0, "", "a branch");
    expect(RUN("branch", file("branch.png"), "--model", model, "--step", "4", "--guidance", "3",
               "--quiet", "--output", file("deep.png")),
           0, "", "a branch of it");
    expect(RUN("compare", FOUR, "--schedulers", "euler,heun,dpmpp-2m-sde", "--lane",
               "seed=3,prompt=a lake,steps=6", "--sheet", file("sheet.png"), "--animation",
               file("lanes.webp"), "--align", "sigma", "--save", file("lanes.safelight")),
           0, "", "a comparison as sheet, animation and file");
    expect(RUN("compare", "--fast", FOUR, "--schedulers", "euler,heun,dpmpp-2m-sde", "--sheet",
               file("fast.png"), "--animation", file("fast.webp"), "--save",
               file("fast.safelight")),
           0, "", "the same with lanes as one batch");
}

static void pause_ms(int ms)
{
    const struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

/* Stops a run of 1000 steps with Ctrl-C once it has come somewhere, waiting longer until it has. */
static void write_stopped(const char *const *words, const char *wanted, const char *what)
{
    bool there = false;
    for (int ms = 200; !there && ms < 60000; ms *= 2) {
        pid_t pid = start(words);
        pause_ms(ms);
        kill(pid, SIGINT);
        Run run = finish(pid);
        there = run.status == 130 && access(wanted, F_OK) == 0;
        done(&run);
    }
    sl_test(there, "%s is stopped", what);
}

static void write_partial(void)
{
    char *png = strdup(file("stopped.png")), *webp = strdup(file("stopped.webp")),
         *sheet = strdup(file("cut.png")), *saved = strdup(file("cut.safelight"));
    const char *const one[] = {"generate",    SMALL, "--steps",  "1000", "--scheduler", "heun",
                               "--animation", webp,  "--output", png,    NULL};
    const char *const lanes[] = {"compare",      SMALL,          "--steps", "1000",
                                 "--schedulers", "euler-a,heun", "--sheet", sheet,
                                 "--save",       saved,          NULL};
    write_stopped(one, webp, "a run");
    write_stopped(lanes, sheet, "a comparison");
    free(png);
    free(webp);
    free(sheet);
    free(saved);
}

/* ---- changing them ---- */

/* A copy in which the first `from` is replaced by `to`, of the same length; from NULL: an
 * unchanged copy. NULL when `from` is not in it. */
static char *edited(const char *text, const char *from, const char *to)
{
    char *copy = text ? strdup(text) : NULL, *at = copy && from ? strstr(copy, from) : copy;
    if (at && from)
        memcpy(at, to, strlen(to));
    if (at)
        return copy;
    free(copy);
    return NULL;
}

/* Changes the first digit of the hash behind a key. */
static char *with_other_hash(const char *text, const char *key)
{
    char *copy = text ? strdup(text) : NULL, *at = copy ? strstr(copy, key) : NULL;
    if (at) {
        at += strlen(key);
        *at = *at == '0' ? '1' : '0';
        return copy;
    }
    free(copy);
    return NULL;
}

typedef struct Change {
    const char *what;
    const char *from, *to; /* in the text; to NULL: the hash behind it */
    bool pixel;
    int status;
} Change;

static char *change_text(const char *text, const Change *c)
{
    return c->to || !c->from ? edited(text, c->from, c->to) : with_other_hash(text, c->from);
}

static bool change_png(const char *from, const char *to, const Change *c)
{
    SlPictureTexts texts;
    SlError err = {0};
    int width, height;
    uint8_t *rgb = sl_png_read(from, &width, &height, &err);
    bool ok = sl_png_texts_read(from, &texts, &err) && rgb;
    char *text = ok ? change_text(sl_picture_texts_find(&texts, SL_METADATA_KEYWORD), c) : NULL;
    const SlPngText with = {SL_METADATA_KEYWORD, text, true};
    if (c->pixel && rgb)
        rgb[(size_t)width * (size_t)height] ^= 1;
    ok = text && sl_png_write(to, rgb, width, height, &with, 1, &err);
    sl_picture_texts_free(&texts);
    free(text);
    free(rgb);
    return ok;
}

static bool copy_frames(const WebPData *file, bool pixel, SlAnimation **animation, SlError *err)
{
    WebPAnimDecoder *decoder = WebPAnimDecoderNew(file, NULL);
    WebPAnimInfo info = {0};
    uint8_t *rgba, *rgb = NULL;
    int ms = 0, count = 0;
    if (decoder && WebPAnimDecoderGetInfo(decoder, &info)) {
        rgb = malloc((size_t)info.canvas_width * info.canvas_height * 3);
        *animation =
            sl_animation_new("a.webp", (int)info.canvas_width, (int)info.canvas_height, err);
    }
    while (rgb && *animation && WebPAnimDecoderGetNext(decoder, &rgba, &ms)) {
        for (size_t i = 0; i < (size_t)info.canvas_width * info.canvas_height; i++)
            memcpy(rgb + 3 * i, rgba + 4 * i, 3);
        if (pixel && ++count)
            rgb[42] ^= 1;
        sl_animation_add(*animation, rgb, SL_ANIMATION_MS);
    }
    free(rgb);
    WebPAnimDecoderDelete(decoder);
    return pixel ? count > 0 : *animation != NULL;
}

static bool change_webp(const char *from, const char *to, const Change *c)
{
    SlError err = {0};
    size_t bytes = 0;
    uint8_t *data = sl_read_file(from, 1 << 26, &bytes, &err);
    char *text = sl_webp_text(from, &err), *changed = change_text(text, c);
    const WebPData whole = {data, bytes};
    SlAnimation *animation = NULL;
    bool ok = data && changed && copy_frames(&whole, c->pixel, &animation, &err) &&
              sl_animation_save(animation, to, changed, &err);
    sl_animation_free(animation);
    free(text);
    free(changed);
    free(data);
    return ok;
}

/* pixel: a value of the last lane's samples. */
static bool change_lanes(const char *from, const char *to, const Change *c, const char *tensor)
{
    SlError err = {0};
    SlSafetensors *file = sl_safetensors_open(from, &err);
    SlTensorWriter *w = sl_tensor_writer_new();
    char *text = file ? change_text(sl_safetensors_metadata(file, "safelight"), c) : NULL;
    bool ok = text != NULL;
    if (ok)
        sl_tensor_writer_set_metadata(w, "safelight", text);
    for (size_t i = 0; ok && i < sl_safetensors_count(file); i++) {
        const SlTensorInfo *info = sl_safetensors_info(file, i);
        uint8_t *data = malloc(info->bytes);
        ok = data && sl_safetensors_read(file, info, 0, info->bytes, data, &err);
        if (ok && c->pixel && strcmp(info->name, tensor) == 0)
            data[info->bytes / 2] ^= 1;
        if (ok)
            sl_tensor_writer_add_typed(w, info->name, info->dtype, info->rank, info->size, data);
        free(data);
    }
    ok = ok && sl_tensor_writer_save(w, to, &err);
    sl_tensor_writer_free(w);
    sl_safetensors_close(file);
    free(text);
    return ok;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* ---- the table ---- */

static const Change changes[] = {
    {"nothing", NULL, NULL, false, 0},
    {"a pixel", NULL, NULL, true, 3},
    {"the seed", "\"seed\":0", "\"seed\":7", false, 3},
    {"the number of steps", "\"steps\":4", "\"steps\":5", false, 3},
    {"the hash of the noise", "\"sha256\":{\"noise\":\"", NULL, false, 3},
    {"the hash of the latents", "\"latents\":\"", NULL, false, 3},
    {"the hash of the pixels", "\"pixels\":\"", NULL, false, 3},
    {"the hash of a weight file", "\"bytes\":145926,\"sha256\":\"", NULL, false, 3},
};

/* In a .safelight file the metadata of a lane is JSON text within JSON: its quotation marks are
 * escaped. */
static const Change lane_changes[] = {
    {"nothing", NULL, NULL, false, 0},
    {"a sample", NULL, NULL, true, 1},
    {"a sample, and no hash of it", "\"sha256\":\"", "\"sha257\":\"", true, 3},
    {"the hash of the samples", "\"sha256\":\"", NULL, false, 1},
    {"the hash of the previews", "\"previews_sha256\":\"", NULL, false, 1},
    {"the prompt", "\\\"recipe\\\":{\\\"prompt\\\":\\\"a red",
     "\\\"recipe\\\":{\\\"prompt\\\":\\\"a bed", false, 1},
    {"the hash of the noise", "\\\"sha256\\\":{\\\"noise\\\":\\\"", NULL, false, 3},
    {"the hash of the latents", "\\\"latents\\\":\\\"", NULL, false, 1},
    {"the hash of a weight file", "\\\"sha256\\\":\\\"", NULL, false, 3},
};

static void test_change(const char *kind, const Change *c, const char *tensor)
{
    const char *dot = strrchr(kind, '.');
    char name[64];
    snprintf(name, sizeof name, "changed%s", dot);
    char *from = strdup(file(kind)), *to = strdup(file(name));
    bool made = ends_with(kind, ".png")    ? change_png(from, to, c)
                : ends_with(kind, ".webp") ? change_webp(from, to, c)
                                           : change_lanes(from, to, c, tensor);
    if (sl_test(made, "%s: %s is changed", kind, c->what)) {
        Run run = verify(to);
        bool parent = c->status == 3 && strstr(run.err, "branched from is another one");
        bool ok = parent ? run.status == 1
                         : run.status == c->status && (run.status != 1 || strstr(run.err, to));
        if (!sl_test(ok, "%s: %s: status %d", kind, c->what, c->status))
            sl_test_note("it was %d: %.400s %.400s", run.status, run.err, run.out);
        done(&run);
    }
    free(from);
    free(to);
}

/* How many changes are tried: the first three for long runs, and for kinds that are like another
 * one. With a sanitizer all for one kind of each file type, and a pixel for the others: it has seen
 * the code after them, and each try is a program. *first: the one to begin with. */
static size_t changes_of(const char *kind, size_t all, size_t *first)
{
#ifdef __SANITIZE_ADDRESS__
    bool whole = !strcmp(kind, "plain.png") || !strcmp(kind, "film.webp") ||
                 !strcmp(kind, "lanes.safelight");
    *first = whole ? 0 : 1;
    return whole ? all : 2;
#else
    bool brief = !strncmp(kind, "long", 4) || !strncmp(kind, "fast", 4) ||
                 !strncmp(kind, "stopped", 7) || !strncmp(kind, "cut", 3);
    *first = 0;
    return brief ? 3 : all;
#endif
}

static void test_kind(const char *kind)
{
    bool lanes = ends_with(kind, ".safelight");
    size_t all = lanes ? sizeof lane_changes / sizeof *changes : sizeof changes / sizeof *changes;
    size_t first, end = changes_of(kind, all, &first);
    char *path = strdup(file(kind));
    expect(verify(path), 0, "", kind);
    free(path);
    for (size_t i = first; i < end; i++)
        test_change(kind, lanes ? &lane_changes[i] : &changes[i], "lane.0.x_t");
}

/* What else there is to change in a comparison's file. */
static void test_rest(void)
{
    static const Change noisy = {"a noisy preview", NULL, NULL, true, 1},
                        figure = {"a lane's parent", "\"parent\":-1", "\"parent\":77", false, 1};
    test_change("lanes.safelight", &noisy, "lane.1.noisy_preview");
    test_change("lanes.safelight", &noisy, "lane.2.preview");
    test_change("lanes.safelight", &noisy, "lane.3.x_0");
    test_change("lanes.safelight", &figure, "");
}

int main(void)
{
    if (!program_begin())
        return 1;
    model = sl_test_path("goldens/model/sd1");
    write_whole();
    write_partial();
    for (size_t i = 0; i < KINDS; i++)
        test_kind(kinds[i]);
    test_rest();
    free(model);
    return program_end();
}
