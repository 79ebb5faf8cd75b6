/* test_previews.c - tiny VAEs as preview decoders: every layout against diffusers' picture, what is
 * refused, and that a run with previews beside it computes the same bytes.
 *
 * Usage: test_previews DEVICE DTYPE.
 */
#include "engine/engine.h"
#include "golden.h"
#include "tests/engine/files/util.h"

#include <string.h>
#include <unistd.h>

static const char *device, *dtype;

static SlModel *open_model(const char *name)
{
    SlError err = {0};
    char relative[80];
    snprintf(relative, sizeof relative, "goldens/model/%s", name);
    char *path = sl_test_path(relative);
    SlModel *model = sl_model_open(
        path, &(SlModelOptions){.device = device, .dtype = dtype, .threads = 1}, &err);
    if (!model)
        sl_test(false, "%s opens: %s", name, err.message);
    free(path);
    return model;
}

static bool use(SlModel *model, const char *relative, SlError *err)
{
    char *path = sl_test_path(relative);
    bool ok = sl_model_set_preview_decoder(model, path, err);
    free(path);
    return ok;
}

/* ---- the picture ---- */

static void expect_picture(SlModel *model, const Golden *golden, const char *relative)
{
    size_t n, values;
    SlError err = {0};
    float *latents = golden_read(golden, "latents", &values);
    float *image = golden_read(golden, "image", &n);
    uint8_t *rgb = calloc(n ? n : 1, 1);
    float *own = calloc(n ? n : 1, sizeof *own);
    bool ok = n && use(model, relative, &err) && sl_decode_preview(model, latents, 6, 5, rgb, &err);
    for (size_t i = 0; i < n; i++)
        own[i % 3 * (n / 3) + i / 3] = rgb[i] / 255.0f;
    double worst = ok ? golden_worst(own, image, n) : INFINITY;
    double psnr = ok ? golden_psnr(own, image, n) : 0;
    /* half a level of rounding, and the type's */
    double least = !strcmp(dtype, "bf16") ? 38 : 50;
    sl_test(ok && psnr >= least && (strcmp(dtype, "f32") || worst < 0.51 / 255),
            "%s: worst difference %.2f of 255, %.1f dB %s", relative, worst * 255, psnr,
            err.message);
    free(latents);
    free(image);
    free(rgb);
    free(own);
}

static void test_layouts(SlModel *model)
{
    Golden golden = golden_open("goldens/previews/previews.safetensors");
    expect_picture(model, &golden, "goldens/rules/parts/vae_tiny");
    expect_picture(model, &golden,
                   "goldens/rules/parts/vae_tiny/diffusion_pytorch_model.safetensors");
    expect_picture(model, &golden, "goldens/previews/taesd_decoder.safetensors");
    expect_picture(model, &golden, "goldens/previews/both.safetensors");
    golden_close(&golden);
}

/* ---- beside a run ---- */

/* The last sample's bytes after two steps; previews: begun at each evaluation and taken behind the next
 * one. */
static float *run(SlModel *model, bool previews, size_t *bytes)
{
    SlError err = {0};
    SlRecipe recipe;
    SlFrame frame;
    sl_recipe_defaults(&recipe, sl_model_info(model));
    recipe.prompt = "a horse";
    recipe.steps = 3;
    SlRun *run = sl_run_new(model, &recipe, NULL, &err);
    *bytes = run ? (size_t)sl_run_sample_elements(run) * sizeof(float) : 0;
    float *last = malloc(*bytes + 1), *x_0 = malloc(*bytes + 1);
    uint8_t *beside = NULL, *alone = NULL;
    int begun = 0, same = 0;
    while (run && !sl_run_done(run) && sl_run_next(run, &frame, &err)) {
        size_t size = (size_t)frame.height * (size_t)frame.width * 3;
        int factor = sl_model_info(model)->factor;
        size *= (size_t)(factor * factor);
        beside = beside ? beside : malloc(size);
        alone = alone ? alone : malloc(size);
        if (begun > 0 && sl_decode_take(model, beside))
            same += sl_decode_preview(model, x_0, frame.height, frame.width, alone, &err) &&
                    !memcmp(beside, alone, size);
        memcpy(x_0, frame.x_0, *bytes);
        if (previews && !frame.last &&
            sl_decode_preview_begin(model, x_0, frame.height, frame.width))
            begun++;
        else if (previews && !sl_decode_preview(model, x_0, frame.height, frame.width, alone, &err))
            sl_test(false, "a preview: %s", err.message);
    }
    if (previews && !strcmp(device, "cuda"))
        sl_test(begun >= 2 && same == begun,
                "on cuda %d previews were made beside the run, %d are as "
                "those made alone",
                begun, same);
    if (run)
        memcpy(last, sl_run_sample(run), *bytes);
    sl_test(run && sl_run_done(run), "a run %s previews %s", previews ? "with" : "without",
            err.message);
    sl_run_free(run);
    free(x_0);
    free(beside);
    free(alone);
    return last;
}

static void test_run(SlModel *model)
{
    size_t bytes, other;
    float *without = run(model, false, &bytes), *with = run(model, true, &other);
    sl_test(bytes > 0 && bytes == other && !memcmp(without, with, bytes),
            "previews change nothing of a run");
    free(without);
    free(with);
}

/* ---- what is refused ---- */

static void refused(SlModel *model, const char *relative, const char *word)
{
    SlError err = {0};
    bool ok = use(model, relative, &err);
    sl_test(!ok && strstr(err.message, word) && !sl_model_preview_decoder(model), "%s: %s",
            relative, ok ? "was taken" : err.message);
}

/* A file of the golden folder under another name. */
static void refused_as(SlModel *model, const char *relative, const char *name, const char *word)
{
    SlError err = {0};
    char link[400], *path = sl_test_path(relative);
    snprintf(link, sizeof link, "%s", test_file(name));
    remove(link);
    bool ok = symlink(path, link) == 0 && sl_model_set_preview_decoder(model, link, &err);
    sl_test(!ok && strstr(err.message, word), "%s: %s", name, ok ? "was taken" : err.message);
    remove(link);
    free(path);
}

/* A file of F32 zeros with these tensors. */
static void refused_file(SlModel *model, const char *name, const char *const *tensors,
                         const char *word)
{
    SlError err = {0};
    const char *path = test_file(name);
    char header[4000] = "{", *end = header + 1;
    size_t bytes = 0;
    for (; *tensors; tensors++) {
        int size[4];
        char tensor[100];
        sscanf(*tensors, "%99s %d %d %d %d", tensor, &size[0], &size[1], &size[2], &size[3]);
        size_t more = sizeof(float) * (size_t)(size[0] * size[1] * size[2] * size[3]);
        end += sprintf(end,
                       "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[%d,%d,%d,%d],\"data_offsets\":[%zu,"
                       "%zu]}",
                       bytes ? "," : "", tensor, size[0], size[1], size[2], size[3], bytes,
                       bytes + more);
        bytes += more;
    }
    strcpy(end, "}");
    test_write_safetensors(path, header, strlen(header), NULL, bytes);
    bool ok = sl_model_set_preview_decoder(model, path, &err);
    sl_test(!ok && strstr(err.message, word) && strstr(err.message, name), "%s: %s", name,
            ok ? "was taken" : err.message);
}

static void test_hostile_files(SlModel *model)
{
    refused_file(model, "encoder.safetensors",
                 (const char *const[]){"0.weight 4 3 3 3", "1.conv.0.weight 4 4 3 3", NULL},
                 "the encoder of a tiny VAE");
    refused_file(model, "no-end.safetensors",
                 (const char *const[]){"1.weight 4 4 3 3", "3.conv.0.weight 4 4 3 3", NULL},
                 "no convolution behind its last block");
    refused_file(model, "linear.safetensors",
                 (const char *const[]){"1.weight 4 4 1 1", "3.conv.0.weight 4 4 3 3", NULL},
                 "not a 3x3 convolution");
    refused_file(model, "pool.safetensors",
                 (const char *const[]){"1.weight 4 4 3 3", "3.conv.0.weight 4 4 3 3",
                                       "3.pool.0.weight 4 4 1 1", NULL},
                 "its blocks pool");
    refused_file(model, "missing.safetensors",
                 (const char *const[]){"1.weight 4 4 3 3", "3.conv.0.weight 4 4 3 3",
                                       "5.weight 4 4 3 3", "7.weight 4 4 3 3", "8.weight 3 4 3 3",
                                       NULL},
                 "missing");
}

static void test_refusals(SlModel *model)
{
    test_hostile_files(model);

    const char *file = "goldens/previews/taesd_decoder.safetensors";
    refused(model, "goldens/previews/five.safetensors", "latents of 5");
    refused(model, "goldens/previews/none.safetensors", "none.safetensors");
    refused(model, "goldens/model/sd1", "full size");
    refused(model, "goldens/model/sd1/vae/diffusion_pytorch_model.safetensors",
            "expected a tiny VAE");
    refused(model, "goldens/model/sd1/unet", "UNet2DConditionModel");
    refused_as(model, file, "taesdxl_decoder.safetensors", "expected taesd");
    sl_test(!strcmp(sl_preview_decoder_name(sl_model_info(model)), "taesd"), "sd1 wants taesd");
    SlModel *xl = open_model("sdxl"), *pixels = open_model("ddpm");
    if (xl) {
        sl_test(!strcmp(sl_preview_decoder_name(sl_model_info(xl)), "taesdxl"),
                "sdxl wants taesdxl");
        refused_as(xl, file, "taesd_decoder.safetensors", "Stable Diffusion 1 and 2");
        refused(xl, "goldens/previews/both.safetensors", "expected taesdxl");
        sl_model_close(&xl);
    }
    if (pixels) {
        sl_test(!sl_preview_decoder_name(sl_model_info(pixels)), "pixels want none");
        refused(pixels, file, "are pixels");
        sl_model_close(&pixels);
    }
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 1;
    device = argv[1];
    dtype = argv[2];
    SlModel *model = open_model("sd1");
    if (model) {
        test_layouts(model);
        test_run(model);
        if (!strcmp(device, "cpu"))
            test_refusals(model);
        sl_model_close(&model);
    }
    return sl_test_done();
}
