/* test_not_finite.c - a NaN or an infinity on the way to a picture: the sentence names part and
 * step, the exit status is 1, and what was finished before is kept.
 *
 * Weights that are not finite are refused when they are read, so the models here have finite ones
 * that are too large. For a run that breaks in the middle, the noise of its third step is.
 */
#include "app/files/safetensors_writer.h"
#include "app/recipe/metadata.h"
#include "broken.h"
#include "program.h"

#include <cjson/cJSON.h>

static char *good;

#define SMALL  "--prompt", "x", "--steps", "6", "--width", "32", "--height", "32", "--quiet"
#define OUTPUT "--output", file("x.png")

static bool nothing_written(void)
{
    return access(file("x.png"), F_OK) != 0 && access(file("x.webp"), F_OK) != 0;
}

/* A model one of whose parts gives values that are not finite from the first step on. */
static void test_part(const char *weights, const char *tensor, float factor, const char *sentence)
{
    char *model = strdup(file("broken"));
    bool made = broken_model(good, model, weights, tensor, factor);
    sl_test(made, "a model whose %s is too large", tensor);
    expect(RUN("generate", "--model", model, SMALL, OUTPUT), 1, sentence, "generate names it");
    expect(RUN("generate", "--model", model, SMALL, "--animation", file("x.webp")), 1,
           strncmp(weights, "vae", 3) ? sentence
                                      : "the VAE's picture is not a finite number at step 1",
           "so does its animation");
    expect(RUN("compare", "--model", model, SMALL, "--schedulers", "euler,ddim", "--sheet",
               file("x.png")),
           1, sentence, "so does compare");
    sl_test(nothing_written(), "and nothing is written");
    char command[4200];
    snprintf(command, sizeof command, "rm -r '%s'", model);
    sl_test(system(command) == 0, "the model goes");
    free(model);
}

/* The noise in the file of --step-noise is too large at the third step. */
static void write_noise(void)
{
    float noise[6][4 * 8 * 8];
    const int64_t size[4] = {6, 4, 8, 8};
    SlError err = {0};
    SlNoise generator;
    sl_noise_init(&generator, SL_NOISE_CPU, 5, 0);
    sl_noise_normal(&generator, noise[0], 6 * 4 * 8 * 8);
    for (int i = 0; i < 4 * 8 * 8; i++)
        noise[2][i] = 3e38f;
    SlTensorWriter *w = sl_tensor_writer_new();
    sl_tensor_writer_add(w, "noise", 4, size, noise[0]);
    sl_test(sl_tensor_writer_save(w, file("noise.safetensors"), &err), "noise %s", err.message);
    sl_tensor_writer_free(w);
}

#define NOISE "--step-noise", file("noise.safetensors")

static void test_middle(void)
{
    SlMetadata m = {0};
    SlError err = {0};
    expect(RUN("generate", "--model", good, SMALL, NOISE, "--scheduler", "ddpm", OUTPUT), 1,
           "the UNet's output is not a finite number at step 4 of 6",
           "a run that breaks at step 4");
    bool ok = sl_metadata_read(file("x.png"), &m, &err);
    sl_test(ok && m.partial && m.step == 3 && m.steps == 6, "step 3 is kept, marked as partial %s",
            err.message);
    sl_metadata_free(&m);
    int width, height;
    uint8_t *kept = sl_png_read(file("x.png"), &width, &height, &err);
    expect(RUN("generate", "--model", good, SMALL, NOISE, "--scheduler", "ddpm", "--previews",
               file("steps")),
           1, "step 4 of 6", "the same with previews");
    uint8_t *third = sl_png_read(file("steps/0003.png"), &width, &height, &err);
    sl_test(kept && third && access(file("steps/0004.png"), F_OK) != 0, "three of them are there");
    free(kept);
    free(third);
    expect(RUN("generate", "--model", good, SMALL, NOISE, "--scheduler", "ddpm", "--animation",
               file("x.webp")),
           1, "step 4 of 6", "the same with an animation");
    sl_test(access(file("x.webp"), F_OK) == 0, "the steps before are in it");
}

/* One lane breaks, the other goes on; everything that compare writes has both. */
static void test_lane(void)
{
    Run run = RUN("compare", "--model", good, SMALL, NOISE, "--schedulers", "ddim,ddpm", "--sheet",
                  file("sheet.png"), "--save", file("x.safelight"), "--json");
    cJSON *json = cJSON_Parse(run.out);
    const cJSON *lanes = cJSON_GetObjectItem(json, "lanes");
    const cJSON *problem = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "problems"), 0);
    const cJSON *first = cJSON_GetArrayItem(lanes, 0), *second = cJSON_GetArrayItem(lanes, 1);
    const char *said = cJSON_GetStringValue(cJSON_GetObjectItem(problem, "message"));
    sl_test(run.status == 1 && said && strstr(said, "the UNet's output") &&
                strstr(said, "step 4 of 6") && strstr(run.err, "lane 2: the UNet's output"),
            "a lane that breaks is named: %s", run.err);
    sl_test(cJSON_IsFalse(cJSON_GetObjectItem(first, "partial")) &&
                cJSON_IsTrue(cJSON_GetObjectItem(second, "partial")) &&
                cJSON_GetNumberValue(cJSON_GetObjectItem(first, "evaluations")) == 6 &&
                cJSON_GetNumberValue(cJSON_GetObjectItem(second, "evaluations")) == 3,
            "the other lane goes on to its end");
    cJSON_Delete(json);
    done(&run);
    expect(RUN("compare", "--open", file("x.safelight"), "--model", good, "--sheet",
               file("again.png"), "--quiet"),
           0, "", "what was kept opens again");
    sl_test(same_bytes(file("sheet.png"), file("again.png")), "to the same sheet");
    expect(RUN("replay", file("again.png"), "--model", good, "--verify", "--quiet"), 1,
           "--step-noise", "which cannot be computed again from what it says");
}

int main(void)
{
    if (!program_begin())
        return 1;
    good = sl_test_path("goldens/model/sd1");
    test_part("text_encoder/model", "final_layer_norm.weight", 2e38f,
              "the text encoder's output is not a finite number at token 1");
    test_part("unet/diffusion_pytorch_model", "conv_out.weight", 3e38f,
              "the UNet's output is not a finite number at step 1 of 6");
    test_part("vae/diffusion_pytorch_model", "decoder.conv_norm_out.weight", 3e38f,
              "the VAE's picture is not a finite number at step 6 of 6");
    write_noise();
    test_middle();
    test_lane();
    free(good);
    return program_end();
}
