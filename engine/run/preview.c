/* preview.c - the instant preview: a linear map from latent channels to RGB.
 *
 * The matrix comes from the model's preview.json, or is the known one of the SD 1.x / 2.x VAE, or
 * is fitted against the model's own VAE once at load time (as InvokeAI's
 * scripts/generate_vae_linear_approximation.py does offline): decode smooth random latents, average
 * the picture down to latent size, least squares. Input is the latent as the UNet sees it, scaled;
 * output -1..1.
 */
#include "engine/run/run.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIT_SIZE 12 /* latent pixels per side */

static bool read_row(const cJSON *row, float out[3])
{
    if (!cJSON_IsArray(row) || cJSON_GetArraySize(row) != 3)
        return false;
    for (int c = 0; c < 3; c++) {
        const cJSON *v = cJSON_GetArrayItem(row, c);
        if (!cJSON_IsNumber(v) || !isfinite(v->valuedouble) || fabs(v->valuedouble) > 1e6)
            return false;
        out[c] = (float)v->valuedouble;
    }
    return true;
}

static bool read_matrix(SlModel *model, const char *path, SlError *err)
{
    SlPreviewMatrix *m = &model->preview;
    SlJson *json = sl_json_open(path, err);
    if (!json)
        return false;
    cJSON *rows = cJSON_GetObjectItemCaseSensitive(sl_json_root(json), "latent_rgb_factors");
    cJSON *bias = cJSON_GetObjectItemCaseSensitive(sl_json_root(json), "latent_rgb_bias");
    bool ok = cJSON_IsArray(rows) && cJSON_GetArraySize(rows) == model->info.channels;
    for (int k = 0; ok && k < model->info.channels; k++)
        ok = read_row(cJSON_GetArrayItem(rows, k), m->factors[k]);
    if (ok && bias)
        ok = read_row(bias, m->bias);
    sl_json_close(json);
    m->known = ok;
    return ok || sl_fail(err, SL_FORMAT,
                         "%s: expected latent_rgb_factors with %d rows of 3 numbers and "
                         "latent_rgb_bias with 3",
                         path, model->info.channels);
}

/* The VAE of SD 1.x and 2.x; factors published with stable-diffusion.cpp and ComfyUI differ by
 * taste, these are the least-squares ones. */
static bool known_matrix(SlModel *model, const SlVaeConfig *vae)
{
    static const float factors[4][3] = {{0.337366f, 0.216344f, 0.257386f},
                                        {0.165636f, 0.386828f, 0.046994f},
                                        {-0.267803f, 0.237036f, 0.223517f},
                                        {-0.178022f, -0.200862f, -0.678514f}};
    static const float bias[3] = {-0.017478f, -0.055834f, -0.105825f};
    bool sd1 = vae->blocks == 4 && vae->latent_channels == 4 && vae->channels[0] == 128 &&
               vae->channels[3] == 512 && fabsf(vae->scaling_factor - 0.18215f) < 1e-6f;
    if (!sd1)
        return false;
    memcpy(model->preview.factors, factors, sizeof factors);
    memcpy(model->preview.bias, bias, sizeof bias);
    model->preview.known = true;
    return true;
}

/* Blocks of 3 x 3 equal latents: a linear map can only follow what is smooth. */
static void smooth_noise(float *latents, int channels)
{
    SlNoise noise;
    sl_noise_init(&noise, SL_NOISE_CPU, 0, 0);
    for (int k = 0; k < channels; k++) {
        float block[(FIT_SIZE / 3) * (FIT_SIZE / 3)];
        sl_noise_normal(&noise, block, sizeof block / sizeof block[0]);
        for (int i = 0; i < FIT_SIZE * FIT_SIZE; i++) {
            int y = i / FIT_SIZE / 3, x = i % FIT_SIZE / 3;
            latents[k * FIT_SIZE * FIT_SIZE + i] = block[y * (FIT_SIZE / 3) + x];
        }
    }
}

/* Solves the symmetric system a x = b for three right sides by Gaussian elimination; n is small. */
static bool solve(double *a, double (*b)[3], int n)
{
    for (int i = 0; i < n; i++) {
        if (fabs(a[i * n + i]) < 1e-12)
            return false;
        for (int j = 0; j < n; j++) {
            if (j == i)
                continue;
            double f = a[j * n + i] / a[i * n + i];
            for (int k = i; k < n; k++)
                a[j * n + k] -= f * a[i * n + k];
            for (int c = 0; c < 3; c++)
                b[j][c] -= f * b[i][c];
        }
    }
    for (int i = 0; i < n; i++)
        for (int c = 0; c < 3; c++)
            b[i][c] /= a[i * n + i];
    return true;
}

/* Mean colour in -1..1 of the pixels under latent pixel (y, x). */
static void mean_colour(const float *image, int f, int y, int x, double out[3])
{
    int side = FIT_SIZE * f;
    for (int c = 0; c < 3; c++) {
        double sum = 0;
        for (int dy = 0; dy < f; dy++)
            for (int dx = 0; dx < f; dx++)
                sum += image[(size_t)c * side * side + (size_t)(y * f + dy) * side + x * f + dx];
        out[c] = sum / (f * f) * 2 - 1;
    }
}

/* Sets the model's preview, which stays unknown where the pictures do not tell one. False: no memory. */
static bool least_squares(SlModel *model, const float *latents, const float *image, SlError *err)
{
    int n = model->info.channels + 1, pixels = FIT_SIZE * FIT_SIZE;
    double *a = calloc((size_t)n * n, sizeof *a);
    double(*b)[3] = calloc((size_t)n, sizeof *b);
    double *row = calloc((size_t)n, sizeof *row);
    bool ok = a && b && row;
    for (int i = 0; ok && i < pixels; i++) {
        double colour[3];
        mean_colour(image, model->info.factor, i / FIT_SIZE, i % FIT_SIZE, colour);
        for (int k = 0; k < n; k++)
            row[k] = k < n - 1 ? latents[k * pixels + i] : 1;
        for (int j = 0; j < n; j++) {
            for (int k = 0; k < n; k++)
                a[j * n + k] += row[j] * row[k];
            for (int c = 0; c < 3; c++)
                b[j][c] += row[j] * colour[c];
        }
    }
    for (int j = 0; ok && j < n; j++)
        a[j * n + j] += 1e-3; /* a little ridge: many channels, few pixels */
    model->preview.known = ok && solve(a, b, n);
    for (int c = 0; model->preview.known && c < 3; c++) {
        for (int k = 0; k < n - 1; k++)
            model->preview.factors[k][c] = (float)b[k][c];
        model->preview.bias[c] = (float)b[n - 1][c];
    }
    free(a);
    free(b);
    free(row);
    if (!ok)
        sl_fail(err, SL_MEMORY, "no memory to fit the preview");
    return ok;
}

static bool fit_matrix(SlModel *model, SlError *err)
{
    int side = FIT_SIZE * model->info.factor;
    float *latents = malloc((size_t)model->info.channels * FIT_SIZE * FIT_SIZE * sizeof *latents);
    float *image = malloc((size_t)side * side * 3 * sizeof *image);
    bool ok = latents && image;
    if (ok) {
        smooth_noise(latents, model->info.channels);
        SlError problem = {0};
        ok = sl_decode(model, latents, FIT_SIZE, FIT_SIZE, image, NULL, &problem);
        ok = ok && least_squares(model, latents, image, &problem);
        /* no finite picture: a run's own latents may have one, and if not, it says so */
        ok = ok || problem.code == SL_FORMAT;
        if (!ok)
            sl_fail(err, problem.code, "%s", problem.message);
    } else {
        sl_fail(err, SL_MEMORY, "no memory to fit the preview");
    }
    free(latents);
    free(image);
    return ok;
}

bool sl_model_find_preview(SlModel *model, SlError *err)
{
    char path[4400];
    SlVaeConfig vae;
    if (sl_model_part_for(model, SL_USE_DECODE) < 0)
        return true;
    snprintf(path, sizeof path, "%s/preview.json", model->info.path);
    if (!model->info.single_file && access(path, F_OK) == 0)
        return read_matrix(model, path, err);
    return sl_read_vae(&vae, &model->info, err) &&
           (known_matrix(model, &vae) ||
            (sl_model_need(model, SL_USE_DECODE, err) && fit_matrix(model, err)));
}

static uint8_t to_byte(float v)
{
    v = v / 2 + 0.5f;
    v = v < 0 ? 0 : v > 1 ? 1 : v;
    return (uint8_t)lrintf(v * 255);
}

void sl_preview(const SlModel *model, const float *sample, int height, int width, uint8_t *rgb)
{
    const SlPreviewMatrix *m = &model->preview;
    size_t n = (size_t)height * width;
    int channels = model->info.channels;
    for (size_t i = 0; i < n; i++)
        for (int c = 0; c < 3; c++) {
            float v;
            if (m->known) {
                v = m->bias[c];
                for (int k = 0; k < channels; k++)
                    v += sample[k * n + i] * m->factors[k][c];
            } else {
                /* pixel space, or a VAE that could not be fitted: the channels as they are */
                v = sample[(c < channels ? c : channels - 1) * n + i];
            }
            rgb[i * 3 + c] = to_byte(v);
        }
}
