/* test_parts.c - parts from elsewhere: --vae, --unet and --text-encoder, in every layout that such
 * files come in, give the pixels of the model's own; pictures name them and are replayed.
 *
 * Usage: test_parts SD1 GGUF UNET-GGUF XL-GGUF XL-UNET-GGUF XL (the fixtures sd1 and sdxl as single checkpoints and
 * as GGUF files, whole and the UNet alone, made by Meson).
 */
#include "app/files/safetensors_writer.h"
#include "app/recipe/metadata.h"
#include "engine/files/weights.h"
#include "program.h"
#include "tests/engine/run/scheduler_model.h"

#include <stdlib.h>
#include <sys/stat.h>

static char *model;
static const char *checkpoint;

#define SD "generate", "--model", model, "--prompt", "x", "--steps", "2", "--quiet"

/* ---- files ---- */

/* How tensors are written: f16 as they are stored, since products of weights that are f32 in the file may
 * be another library's, with other last bits; with the attention's names of early VAEs; all in f32. */
typedef enum How { AS_STORED, EARLY_NAMES, IN_F32 } How;

/* from's tensors whose names begin with a prefix, under another one. */
static bool add_part(SlTensorWriter *to, const char *from, const char *prefix, const char *other,
                     How how)
{
    SlError err = {0};
    SlWeightSource *w = strstr(from, ".safetensors")
                            ? sl_weights_open_file(from, &err)
                            : sl_weights_open(from, "diffusion_pytorch_model", &err);
    for (size_t i = 0; w && i < sl_weights_count(w); i++) {
        const SlTensorInfo *t = sl_weights_info(w, i);
        char renamed[300];
        if (strncmp(t->name, prefix, strlen(prefix)) || !t->storage || t->rank > 4)
            continue;
        snprintf(renamed, sizeof renamed, "%s%s", other, t->name + strlen(prefix));
        char *q = how == EARLY_NAMES ? strstr(renamed, ".to_q.") : NULL;
        if (q)
            memmove(q + 7, q + 6, strlen(q + 6) + 1), memcpy(q, ".query.", 7);
        float *values = malloc((size_t)t->bytes * 2 + 4);
        bool half = how != IN_F32 && !strcmp(t->dtype_name, "F16");
        if (half ? sl_weights_read(w, t, values, &err) : sl_weights_read_f32(w, t, values, &err))
            sl_tensor_writer_add_typed(to, renamed, half ? SL_F16 : SL_F32, t->rank, t->size,
                                       values);
        free(values);
    }
    sl_weights_close(w);
    return w != NULL;
}

static const char *part(const char *from, const char *prefix, const char *other, How how,
                        const char *name)
{
    SlError err = {0};
    const char *path = file(name);
    SlTensorWriter *to = sl_tensor_writer_new();
    if (!add_part(to, from, prefix, other, how) || !sl_tensor_writer_save(to, path, &err))
        sl_test(false, "%s is written: %s", name, err.message);
    sl_tensor_writer_free(to);
    return path;
}

/* The UNet of a checkpoint, with the marks of CosXL. */
static const char *cosxl_unet(const char *from, const char *name)
{
    SlError err = {0};
    const char *path = file(name);
    SlTensorWriter *to = sl_tensor_writer_new();
    sl_tensor_writer_add(to, "edm_vpred.sigma_max", 1, (const int64_t[]){1}, (const float[]){120});
    sl_tensor_writer_add(to, "edm_vpred.sigma_min", 1, (const int64_t[]){1},
                         (const float[]){0.002f});
    if (!add_part(to, from, "model.diffusion_model.", "", AS_STORED) ||
        !sl_tensor_writer_save(to, path, &err))
        sl_test(false, "%s is written: %s", name, err.message);
    sl_tensor_writer_free(to);
    return path;
}

/* ---- pictures ---- */

static bool same_pixels(const char *a, const char *b)
{
    int width, height;
    SlError err;
    uint8_t *x = sl_png_read(a, &width, &height, &err), *y = sl_png_read(b, &width, &height, &err);
    bool same = x && y && !memcmp(x, y, (size_t)width * (size_t)height * 3);
    free(x);
    free(y);
    return same;
}

static void same(const char *option, const char *path, const char *what)
{
    remove(file("x.png"));
    expect(RUN(SD, option, path, "--output", file("x.png")), 0, "", what);
    sl_test(same_pixels(file("own.png"), file("x.png")), "... the same pixels");
}

static void test_layouts(void)
{
    char path[4096];
    expect(RUN(SD, "--output", file("own.png")), 0, "", "the model's own parts");
    same("--vae", part(checkpoint, "first_stage_model.", "", AS_STORED, "v1.safetensors"),
         "a VAE with original names, without prefix");
    same("--vae", part(checkpoint, "first_stage_model.", "vae.", AS_STORED, "v2.safetensors"),
         "a VAE with another prefix");
    snprintf(path, sizeof path, "%s/vae/diffusion_pytorch_model.safetensors", model);
    same("--vae", part(path, "", "", EARLY_NAMES, "v3.safetensors"), "a VAE with early names");
    snprintf(path, sizeof path, "%s/vae", model);
    same("--vae", path, "the folder of a VAE");
    same("--vae", model, "the folder of a model");
    same("--vae", checkpoint, "a whole checkpoint");
    same("--text-encoder",
         part(checkpoint, "cond_stage_model.transformer.", "", AS_STORED, "t1.safetensors"),
         "a text encoder");
    same("--text-encoder",
         part(checkpoint, "cond_stage_model.transformer.text_model.", "", AS_STORED,
              "t2.safetensors"),
         "a text encoder with early names");
    same("--unet", part(checkpoint, "model.diffusion_model.", "", AS_STORED, "u1.safetensors"),
         "a UNet");
}

/* A whole picture of a fixture with its parts from GGUF files: all of one file in
 * stable-diffusion.cpp's layout, and the UNet of one in ComfyUI-GGUF's. */
static void test_gguf(const char *fixture, const char *whole, const char *unet)
{
    char relative[100];
    snprintf(relative, sizeof relative, "goldens/model/%s", fixture);
    char *path = sl_test_path(relative);
#define OF "generate", "--model", path, "--prompt", "a red house", "--steps", "2", "--quiet"
    expect(RUN(OF, "--output", file("g0.png")), 0, "", fixture);
    expect(RUN(OF, "--unet", whole, "--vae", whole, "--text-encoder", whole, "--output",
               file("g1.png")),
           0, "", "... its parts from a GGUF file as stable-diffusion.cpp writes it");
    sl_test(same_pixels(file("g0.png"), file("g1.png")), "... the same pixels");
    expect(RUN(OF, "--unet", unet, "--output", file("g2.png")), 0, "",
           "... its UNet from one as ComfyUI-GGUF writes it");
    sl_test(same_pixels(file("g0.png"), file("g2.png")), "... the same pixels");
    snprintf(relative, sizeof relative, "goldens/adapters/%s_kohya_lora.safetensors", fixture);
    char *lora = sl_test_path(relative);
    expect(RUN(OF, "--lora", lora, "--output", file("g3.png")), 0, "", "... with a LoRA");
    expect(RUN(OF, "--unet", whole, "--vae", whole, "--text-encoder", whole, "--lora", lora,
               "--output", file("g4.png")),
           0, "", "... and with it over the GGUF file");
    sl_test(same_pixels(file("g3.png"), file("g4.png")), "... the same pixels");
    sl_test(!same_pixels(file("g0.png"), file("g3.png")), "... which are others than without");
#undef OF
    free(lora);
    free(path);
}

/* A LoRA of one matrix of the fixture sharded, whose weights are stored in f16. */
static const char *lora_of_halves(void)
{
    static const char name[] =
        "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q";
    static float down[2 * 16], up[16 * 2];
    char tensor[200];
    SlError err = {0};
    SlTensorWriter *to = sl_tensor_writer_new();
    for (int i = 0; i < 32; i++) {
        down[i] = (float)(i % 7 - 3) / 8;
        up[i] = (float)(i % 5 - 2) / 4;
    }
    snprintf(tensor, sizeof tensor, "%s.lora_down.weight", name);
    sl_tensor_writer_add(to, tensor, 2, (const int64_t[]){2, 16}, down);
    snprintf(tensor, sizeof tensor, "%s.lora_up.weight", name);
    sl_tensor_writer_add(to, tensor, 2, (const int64_t[]){16, 2}, up);
    if (!sl_tensor_writer_save(to, file("halves.safetensors"), &err))
        sl_test(false, "a LoRA is written: %s", err.message);
    sl_tensor_writer_free(to);
    return file("halves.safetensors");
}

/* The fixture's UNet with its values rounded to a type, stored in another one. */
static const char *rounded_unet(const char *unet, SlDtype to_type, SlDtype stored, const char *name)
{
    SlError err = {0};
    const char *path = file(name);
    SlWeightSource *w = sl_weights_open(unet, "diffusion_pytorch_model", &err);
    SlTensorWriter *to = sl_tensor_writer_new();
    for (size_t i = 0; w && i < sl_weights_count(w); i++) {
        const SlTensorInfo *t = sl_weights_info(w, i);
        size_t n = 1;
        for (int k = 0; k < t->rank; k++)
            n *= (size_t)t->size[k];
        float *values = malloc(n * sizeof *values), *out = malloc(n * sizeof *out);
        if (sl_weights_read_f32(w, t, values, &err)) {
            sl_convert(values, SL_F32, out, to_type, n);
            sl_convert(out, to_type, values, SL_F32, n);
            sl_convert(values, SL_F32, out, stored, n);
            sl_tensor_writer_add_typed(to, t->name, stored, t->rank, t->size, out);
        }
        free(values);
        free(out);
    }
    if (!w || !sl_tensor_writer_save(to, path, &err))
        sl_test(false, "%s is written: %s", name, err.message);
    sl_weights_close(w);
    sl_tensor_writer_free(to);
    return path;
}

/* And over a file of bf16 what it gives over the same values in f32. */
static void test_bf16(void)
{
    char *path = sl_test_path("goldens/model/sharded"), unet[4200];
    char lora[300], bf16[300], f32[300];
    snprintf(unet, sizeof unet, "%s/unet", path);
    snprintf(lora, sizeof lora, "%s", lora_of_halves());
    snprintf(bf16, sizeof bf16, "%s", rounded_unet(unet, SL_BF16, SL_BF16, "b_bf16.safetensors"));
    snprintf(f32, sizeof f32, "%s", rounded_unet(unet, SL_BF16, SL_F32, "b_f32.safetensors"));
#define OF "generate", "--model", path, "--prompt", "a red house", "--steps", "2", "--quiet"
    expect(RUN(OF, "--unet", bf16, "--output", file("b0.png")), 0, "", "weights in bf16");
    expect(RUN(OF, "--unet", bf16, "--lora", lora, "--output", file("b1.png")), 0, "",
           "... with a LoRA");
    expect(RUN(OF, "--unet", f32, "--lora", lora, "--output", file("b2.png")), 0, "",
           "... over the same weights in f32");
    sl_test(same_pixels(file("b1.png"), file("b2.png")), "... the same pixels");
    sl_test(!same_pixels(file("b0.png"), file("b1.png")), "... which are others than without");
#undef OF
    free(path);
}

/* Over weights of two bytes a LoRA gives what it gives over the same values in f32. */
static void test_halves(void)
{
    char *path = sl_test_path("goldens/model/sharded"), halves[4200];
    char lora[300], unet[300]; /* what file() gives is not kept for long */
    snprintf(lora, sizeof lora, "%s", lora_of_halves());
    snprintf(halves, sizeof halves, "%s/unet", path);
    snprintf(unet, sizeof unet, "%s", part(halves, "", "", IN_F32, "f32.safetensors"));
#define OF "generate", "--model", path, "--prompt", "a red house", "--steps", "2", "--quiet"
    expect(RUN(OF, "--output", file("h0.png")), 0, "", "weights in f16");
    expect(RUN(OF, "--lora", lora, "--output", file("h1.png")), 0, "", "... with a LoRA");
    expect(RUN(OF, "--unet", unet, "--lora", lora, "--output", file("h2.png")), 0, "",
           "... over the same weights in f32");
    sl_test(same_pixels(file("h1.png"), file("h2.png")), "... the same pixels");
    sl_test(!same_pixels(file("h0.png"), file("h1.png")), "... which are others than without");
#undef OF
    free(path);
}

static void test_refused(void)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/unet", model);
    expect(RUN(SD, "--vae", path, "--output", file("n.png")), 1, "UNet2DConditionModel",
           "a UNet for a VAE");
    expect(RUN(SD, "--vae", file("u1.safetensors"), "--output", file("n.png")), 1, "expected a VAE",
           "a file without a VAE");
    expect(RUN(SD, "--vae", "no-such-vae", "--output", file("n.png")), 1, "no-such-vae",
           "a name that is not there");
    expect(RUN(SD, "--vae", folder, "--output", file("n.png")), 1, "no config.json",
           "a folder without a part");
    expect(RUN("generate", "--model", file("u1.safetensors"), "--prompt", "x", "--output",
               file("n.png")),
           1, "--unet", "a UNet alone: the sentence says how it is used");
    char *ddpm = sl_test_path("goldens/model/ddpm");
    expect(RUN("generate", "--model", ddpm, "--vae", file("v1.safetensors"), "--output",
               file("n.png")),
           2, "has no vae", "a model without this part");
    free(ddpm);
    sl_test(access(file("n.png"), F_OK) != 0, "nothing was written by any of these");
}

static void test_replay(void)
{
    char command[9000];
    SlMetadata m;
    SlError err = {0};
    expect(RUN(SD, "--vae", file("v3.safetensors"), "--output", file("r.png")), 0, "", "a picture");
    bool ok = sl_metadata_read(file("r.png"), &m, &err);
    bool named = false;
    for (int i = 0; ok && i < m.files; i++)
        named = named ||
                (!strcmp(m.file[i].name, "vae=v3.safetensors") && strlen(m.file[i].sha256) == 64);
    sl_test(named, "it names its VAE, with the hash");
    if (ok)
        sl_metadata_free(&m);
    snprintf(command, sizeof command, "mkdir -p '%s/vae' && cp -r '%s' '%s' && mv '%s' '%s/vae'",
             file("models"), model, file("models"), file("v3.safetensors"), file("models"));
    sl_test(system(command) == 0, "model and VAE on the search path");
    setenv("SAFELIGHT_MODELS", file("models"), 1);
    expect(RUN("replay", file("r.png"), "--verify", "--quiet"), 0, "", "replay finds both");
    snprintf(command, sizeof command, "cd '%s/vae' && mv v3.safetensors other.safetensors",
             file("models"));
    sl_test(system(command) == 0, "the VAE is renamed");
    expect(RUN("replay", file("r.png"), "--verify", "--quiet"), 0, "",
           "replay finds it by its hash");
    snprintf(command, sizeof command, "%s/vae/other.safetensors", file("models"));
    remove(command);
    expect(RUN("replay", file("r.png"), "--verify", "--quiet"), 1, "no vae \"v3.safetensors\"",
           "replay without the VAE");
    expect(RUN("replay", file("r.png"), "--verify", "--quiet", "--model", model, "--vae",
               file("v1.safetensors")),
           3, "", "replay with a VAE of another file says that it is another");
}

/* ---- previews ---- */

/* A preview's width; 0: there is none. */
static int width_of(const char *path)
{
    int width = 0, height;
    SlError err;
    free(sl_png_read(path, &width, &height, &err));
    return width;
}

static void shown(int width, const char *name, const char *what)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", file("p"), name);
    sl_test(width_of(path) == width, "%s: %d pixels wide", what, width_of(path));
    remove(path);
}

static void test_previews(void)
{
    char command[9000], *tiny = sl_test_path("goldens/previews/taesd_decoder.safetensors");
    char *five = sl_test_path("goldens/previews/five.safetensors");
    char *previews = strdup(file("p")), *x = strdup(file("x.png"));
    int own = width_of(file("own.png"));
    remove(x);
    expect(RUN(SD, "--previews", previews, "--preview-decoder", tiny, "--output", x), 0, "",
           "previews by a tiny VAE");
    sl_test(same_pixels(file("own.png"), x), "... the picture has the same pixels");
    char *first = strdup(file("first.png"));
    snprintf(command, sizeof command, "cp '%s/0001.png' '%s'", previews, first);
    sl_test(system(command) == 0, "... the first is kept");
    shown(own, "0001.png", "the first");
    shown(own, "0002.png", "the second");
    expect(RUN(SD, "--preview-decoder", tiny, "--output", x), 2, "--previews",
           "without --previews");
    expect(RUN(SD, "--previews", previews, "--preview-decoder", five, "--output", x), 1,
           "latents of 5", "a tiny VAE of another model");
    snprintf(command, sizeof command, "mkdir -p '%s/vae_approx' && cp '%s' '%s/vae_approx'",
             file("models"), tiny, file("models"));
    sl_test(system(command) == 0, "a tiny VAE on the search path");
    setenv("SAFELIGHT_MODELS", file("models"), 1);
    expect(RUN("compare", "--model", model, "--prompt", "x", "--steps", "1", "--schedulers",
               "euler,ddim", "--quiet", "--previews", previews, "--output", file("s.png"),
               "--preview-decoder", "taesd_decoder"),
           0, "", "a comparison with it by its name");
    shown(own, "1-0001.png", "lane 1");
    shown(own, "2-0001.png", "lane 2");
    expect(RUN("replay", x, "--verify", "--model", model, "--quiet", "--previews", previews,
               "--preview-decoder", "none"),
           0, "", "replay with the previews that there are without a tiny VAE");
    snprintf(command, sizeof command, "%s/0001.png", previews);
    sl_test(width_of(command) > 0 && !same_pixels(command, first), "... they are others");
    expect(RUN("branch", x, "--model", model, "--step", "1", "--guidance", "2", "--quiet",
               "--previews", previews, "--preview-decoder", tiny, "--output", file("b.png")),
           0, "", "a branch with previews");
    shown(own, "0002.png", "its second evaluation");
    expect(RUN(SD, "--vae", tiny, "--output", file("t.png")), 0, "", "a tiny VAE for the VAE");
    sl_test(!same_pixels(file("own.png"), file("t.png")), "... makes another picture");
    unsetenv("SAFELIGHT_MODELS");
    free(tiny);
    free(five);
    free(previews);
    free(x);
    free(first);
}

/* A refiner, whose files a picture names, too. */
static void test_refiner(void)
{
    char *base = sl_test_path("goldens/model/sdxl"),
         *path = sl_test_path("goldens/model/sdxl_refiner");
    char command[9000];
    SlMetadata m;
    SlError err = {0};
    Run info = RUN("info", base, "--refiner", path);
    sl_test(info.status == 0 && strstr(info.out, "refiner") &&
                strstr(info.out, "file          refiner=sdxl_refiner/unet/"),
            "info of a model with a refiner: %s", info.err);
    done(&info);
    expect(RUN("generate", "--model", base, "--refiner", path, "--prompt", "x", "--steps", "4",
               "--refine-from", "0.5", "--aesthetic-score", "7", "--quiet", "--output",
               file("f.png")),
           0, "", "a refined picture");
    bool named = false, ok = sl_metadata_read(file("f.png"), &m, &err);
    for (int i = 0; ok && i < m.files; i++)
        named = named || (!strncmp(m.file[i].name, "refiner=sdxl_refiner/unet/", 26) &&
                          strlen(m.file[i].sha256) == 64);
    sl_test(named && m.recipe->refine_from == 0.5 && m.recipe->aesthetic_score == 7,
            "names its refiner, and from where on it went on");
    if (ok)
        sl_metadata_free(&m);
    snprintf(command, sizeof command, "mkdir -p '%s' && cp -r '%s' '%s' '%s'", file("refined"),
             base, path, file("refined"));
    sl_test(system(command) == 0, "model and refiner on the search path");
    setenv("SAFELIGHT_MODELS", file("refined"), 1);
    expect(RUN("replay", file("f.png"), "--verify", "--quiet"), 0, "", "replay finds both");
    expect(RUN("branch", file("f.png"), "--step", "3", "--prompt", "y", "--quiet", "--output",
               file("fb.png")),
           0, "", "a branch of the refiner's steps");
    expect(RUN("replay", file("fb.png"), "--verify", "--quiet"), 0, "", "is replayed, too");
    sl_test(!same_pixels(file("f.png"), file("fb.png")), "it is another picture");
    expect(RUN("generate", "--model", path, "--prompt", "x", "--steps", "1", "--quiet", "--output",
               file("fa.png")),
           0, "", "a refiner by itself begins from noise");
    free(base);
    free(path);
}

/* Both text encoders of Stable Diffusion XL from elsewhere, and what does not fit. */
static void test_two_texts(const char *xl)
{
    char first[4200], second[4200], link[9000], mixed[300];
    char *base = sl_test_path("goldens/model/sdxl");
    char *pruned = sl_test_path("goldens/model/sdxl_pruned");
    char *turbo = sl_test_path("goldens/model/sdxl_turbo");
#define OF(m) "generate", "--model", m, "--prompt", "a red house", "--steps", "1", "--quiet"
    expect(RUN(OF(base), "--output", file("own.png")), 0, "", "SDXL with its own parts");
    expect(RUN(OF(base), "--text-encoder", xl, "--text-encoder-2", xl, "--output", file("x.png")),
           0, "", "... both text encoders of a checkpoint");
    sl_test(same_pixels(file("own.png"), file("x.png")), "... the same pixels");
    expect(RUN(OF(base), "--text-encoder-2",
               part(xl, "conditioner.embedders.1.model.", "", AS_STORED, "clip_g.safetensors"),
               "--output", file("x.png")),
           0, "", "... the second in OpenCLIP's names, without prefix");
    sl_test(same_pixels(file("own.png"), file("x.png")), "... the same pixels");

    /* a folder in which the second is another's */
    snprintf(mixed, sizeof mixed, "%s", file("mixed"));
    snprintf(link, sizeof link,
             "mkdir '%s' && ln -s '%s'/* '%s' && rm '%s/text_encoder_2' && "
             "ln -s '%s/text_encoder_2' '%s'",
             mixed, pruned, mixed, mixed, turbo, mixed);
    sl_test(system(link) == 0, "a folder with another's second text encoder");
    snprintf(second, sizeof second, "%s/text_encoder_2", turbo);
    expect(RUN(OF(pruned), "--output", file("own.png")), 0, "", "a model with its own");
    expect(RUN(OF(mixed), "--output", file("mixed.png")), 0, "", "... in the folder");
    expect(RUN(OF(pruned), "--text-encoder-2", second, "--output", file("x.png")), 0, "",
           "... with --text-encoder-2");
    sl_test(same_pixels(file("mixed.png"), file("x.png")) &&
                !same_pixels(file("own.png"), file("x.png")),
            "... the pixels of the folder, and not its own");

    snprintf(first, sizeof first, "%s/text_encoder_2", base);
    expect(RUN(OF(base), "--text-encoder", first, "--output", file("n.png")), 1,
           "cross_attention_dim", "the second for the first");
    snprintf(first, sizeof first, "%s/text_encoder", turbo);
    expect(RUN(OF(turbo), "--text-encoder-2", first, "--output", file("n.png")), 1, "Projection",
           "the first for the second");
    expect(RUN(SD, "--text-encoder-2", second, "--output", file("n.png")), 2,
           "has no text_encoder_2", "a model with one text encoder");
#undef OF
    free(base);
    free(pruned);
    free(turbo);
}

/* A UNet's file that says that it is CosXL brings the scheduler; with a refiner it is refused. */
static void test_cosxl(const char *xl)
{
    char unet[300], folder_of[300];
    char *base = sl_test_path("goldens/model/sdxl");
    char *refiner = sl_test_path("goldens/model/sdxl_refiner");
    snprintf(unet, sizeof unet, "%s", cosxl_unet(xl, "cosxl.safetensors"));
    snprintf(folder_of, sizeof folder_of, "%s", file("cosxl"));
    sl_test(mkdir(folder_of, 0700) == 0 &&
                scheduler_model_named(folder_of, "sdxl", COSXL_SCHEDULER),
            "a folder with CosXL's scheduler");
#define OF(m) "generate", "--model", m, "--prompt", "a red house", "--steps", "3", "--quiet"
    expect(RUN(OF(base), "--output", file("own.png")), 0, "", "the model's own UNet");
    expect(RUN(OF(folder_of), "--output", file("c.png")), 0, "", "in the folder");
    expect(RUN(OF(base), "--unet", unet, "--output", file("x.png")), 0, "",
           "CosXL's UNet from a file");
    sl_test(same_pixels(file("c.png"), file("x.png")) &&
                !same_pixels(file("own.png"), file("x.png")),
            "... the pixels of the folder, and not the model's own");
    Run info = RUN("info", base, "--unet", unet);
    sl_test(strstr(info.out, "edm-euler") && strstr(info.out, "edm_vpred.sigma_max"),
            "info says its scheduler, and why");
    done(&info);
    expect(RUN(OF(base), "--unet", unet, "--refiner", refiner, "--output", file("n.png")), 1,
           "was trained as EDM is and has no timesteps", "with a refiner");
    expect(RUN(OF(folder_of), "--refiner", refiner, "--output", file("n.png")), 1,
           "was trained as EDM is and has no timesteps", "the folder with a refiner");
    expect(RUN(OF(base), "--unet", unet, "--scheduler", "euler", "--output", file("n.png")), 2,
           "edm-euler", "with a scheduler of others");
#undef OF
    scheduler_model_remove(folder_of);
    free(base);
    free(refiner);
}

int main(int argc, char **argv)
{
    if (argc < 7 || !program_begin())
        return 1;
    checkpoint = argv[1];
    model = sl_test_path("goldens/model/sd1");
    test_layouts();
    test_gguf("sd1", argv[2], argv[3]);
    test_gguf("sdxl", argv[4], argv[5]);
    test_halves();
    test_bf16();
    test_refused();
    test_previews();
    test_replay();
    test_refiner();
    test_two_texts(argv[6]);
    test_cosxl(argv[6]);
    free(model);
    return program_end();
}
