/* vae_strips.c - decoding with little device memory: strips of rows, exact.
 *
 * Decoding tiles of the latent one by one leaves seams, since every group norm would see its tile
 * only. Here each layer is done for all strips before the next, and the statistics of the norms are
 * those of the whole picture: between the layers a picture lies in the host's memory (a Sheet), and
 * a strip goes to the device with the rows around it that its convolution reads. Rows of a picture
 * are contiguous in channels-last memory, so a strip is one copy each way.
 *
 * Easy to get wrong: only the first and the last strip are padded; a norm whose statistics are
 * known is a factor and a term for each channel, which on any device is a linear layer with a
 * diagonal matrix.
 */
#include "engine/nets/vae_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Levels that are computed in strips: what comes before them is small. */
#define STRIP_LEVELS 2

typedef struct Strips {
    SlDevice *dev;
    const SlVae *vae;
    int64_t rows; /* of a strip */
} Strips;

/* [height, width, channels] in the device's dtype on the host. */
typedef struct Sheet {
    void *data;
    int64_t height, width, channels;
} Sheet;

/* ---- between host and device ---- */

static size_t row_bytes(const Strips *s, const Sheet *sheet)
{
    return (size_t)(sheet->width * sheet->channels) * sl_dtype_size(s->dev->dtype);
}

static Sheet sheet_new(const Strips *s, int64_t height, int64_t width, int64_t channels)
{
    Sheet sheet = {NULL, height, width, channels};
    sheet.data = malloc((size_t)height * row_bytes(s, &sheet));
    if (!sheet.data)
        sl_device_fail(s->dev, SL_MEMORY, "no memory to decode a picture of %lld x %lld",
                       (long long)width, (long long)height);
    return sheet;
}

/* Rows first .. last - 1 on the device. */
static SlTensor rows_up(const Strips *s, const Sheet *sheet, int64_t first, int64_t last)
{
    SlTensor t = sl_tensor_new4(s->dev, 1, last - first, sheet->width, sheet->channels);
    if (sheet->data)
        sl_upload(s->dev, (const char *)sheet->data + (size_t)first * row_bytes(s, sheet), &t);
    return t;
}

static void rows_down(const Strips *s, const SlTensor *t, Sheet *sheet, int64_t first)
{
    if (sheet->data)
        sl_download(s->dev, t, (char *)sheet->data + (size_t)first * row_bytes(s, sheet));
}

/* A strip's rows, and those that a 3x3 convolution reads. */
typedef struct Strip {
    int64_t first, last, from, to;
    SlConv conv; /* padded where the picture ends */
} Strip;

static Strip strip_at(const Strips *s, int64_t first, int64_t height)
{
    Strip strip = {.first = first, .last = first + s->rows, .conv = {1, 0, 1, 0, 1}};
    if (strip.last > height)
        strip.last = height;
    strip.from = first > 0 ? first - 1 : 0;
    strip.to = strip.last < height ? strip.last + 1 : height;
    strip.conv.pad_top = first == 0;
    strip.conv.pad_bottom = strip.last == height;
    return strip;
}

/* ---- group norms of the whole picture ---- */

/* act(factor x + term) for each channel */
typedef struct Affine {
    SlWeight *factors, *terms; /* [C, C] diagonal, [C] */
    SlActivation act;
} Affine;

/* Sums of every channel and of its squares. */
static bool sum_channels(const Strips *s, const Sheet *sheet, double *sum, double *squares)
{
    int64_t n = sheet->width * sheet->channels;
    float *row = malloc((size_t)n * sizeof *row);
    if (!row || !sheet->data) {
        free(row);
        return false;
    }
    for (int64_t y = 0; y < sheet->height; y++) {
        sl_convert((const char *)sheet->data + (size_t)y * row_bytes(s, sheet), s->dev->dtype, row,
                   SL_F32, (size_t)n);
        for (int64_t i = 0; i < n; i++) {
            int64_t c = i % sheet->channels;
            sum[c] += row[i];
            squares[c] += (double)row[i] * row[i];
        }
    }
    free(row);
    return true;
}

/* What the norm does to 1 and -1 in every channel, whose mean is 0 and whose variance is 1, tells
 * its scale and shift wherever the device keeps them. out: [2, C] */
static void probe(const Strips *s, const SlLayer *layer, const SlGroupNorm *norm, int64_t channels,
                  float *out)
{
    SlDevice *dev = s->dev;
    SlGroupNorm plain = {norm->groups, norm->eps, SL_ACT_NONE};
    size_t mark = sl_arena_mark(dev);
    const int64_t size[] = {1, 2, channels};
    SlTensor host = sl_tensor_new(dev, SL_F32, 3, size),
             x = sl_tensor_new(dev, dev->dtype, 3, size);
    SlTensor y = sl_tensor_like(dev, &x);
    for (int64_t c = 0; c < channels; c++) {
        out[c] = 1;
        out[channels + c] = -1;
    }
    sl_upload(dev, out, &host);
    sl_copy(dev, &host, &x);
    sl_group_norm(dev, &x, layer->weight, layer->bias, &plain, &y);
    sl_copy(dev, &y, &host);
    sl_download(dev, &host, out);
    sl_arena_reset(dev, mark);
}

/* sums become each group's mean and 1 / standard deviation, in place of sum and squares */
static void statistics(const Sheet *sheet, const SlGroupNorm *norm, double *sum, double *squares)
{
    int64_t each = sheet->channels / norm->groups;
    double n = (double)(sheet->height * sheet->width * each);
    for (int g = 0; g < norm->groups; g++) {
        double total = 0, total_squares = 0;
        for (int64_t c = g * each; c < (g + 1) * each; c++) {
            total += sum[c];
            total_squares += squares[c];
        }
        double mean = total / n, variance = total_squares / n - mean * mean;
        for (int64_t c = g * each; c < (g + 1) * each; c++) {
            sum[c] = mean;
            squares[c] = 1 / sqrt(fmax(variance, 0) + norm->eps);
        }
    }
}

static Affine make_affine(const Strips *s, const float *probed, const double *mean,
                          const double *inverse, int64_t channels, const SlGroupNorm *norm)
{
    Affine a = {.act = norm->act};
    float *matrix = calloc((size_t)channels * (size_t)channels, sizeof *matrix);
    float *terms = calloc((size_t)channels, sizeof *terms);
    for (int64_t c = 0; matrix && terms && c < channels; c++) {
        double scale = 0.5 * (probed[c] - probed[channels + c]) * sqrt(1 + norm->eps);
        double shift = 0.5 * (probed[c] + probed[channels + c]);
        matrix[c * channels + c] = (float)(scale * inverse[c]);
        terms[c] = (float)(shift - mean[c] * scale * inverse[c]);
    }
    if (matrix && terms) {
        SlTensor m = sl_tensor_view(matrix, SL_F32, 2, (const int64_t[]){channels, channels});
        SlTensor t = sl_tensor_view(terms, SL_F32, 1, &channels);
        a.factors = sl_weight_new(s->dev, SL_WEIGHT_LINEAR, &m);
        a.terms = sl_weight_new(s->dev, SL_WEIGHT_VECTOR, &t);
    } else {
        sl_device_fail(s->dev, SL_MEMORY, "no memory to decode a picture");
    }
    free(matrix);
    free(terms);
    return a;
}

static Affine affine_of(const Strips *s, const SlLayer *layer, const SlGroupNorm *norm,
                        const Sheet *sheet)
{
    size_t n = (size_t)sheet->channels;
    double *sums = calloc(2 * n, sizeof *sums);
    float *probed = calloc(2 * n, sizeof *probed);
    Affine a = {0};
    if (sums && probed && sum_channels(s, sheet, sums, sums + n)) {
        statistics(sheet, norm, sums, sums + n);
        probe(s, layer, norm, sheet->channels, probed);
        a = make_affine(s, probed, sums, sums + n, sheet->channels, norm);
    } else {
        sl_device_fail(s->dev, SL_MEMORY, "no memory to decode a picture");
    }
    free(sums);
    free(probed);
    return a;
}

static void affine_free(const Strips *s, Affine *a)
{
    sl_weight_free(s->dev, a->factors);
    sl_weight_free(s->dev, a->terms);
}

/* Normed rows of a strip with those around it. */
static SlTensor normed_rows(const Strips *s, const Affine *a, const Sheet *sheet,
                            const Strip *strip)
{
    SlTensor x = rows_up(s, sheet, strip->from, strip->to);
    SlTensor normed = sl_tensor_like(s->dev, &x);
    SlEpilogue e = {.bias = a->terms, .act = a->act};
    sl_linear(s->dev, &x, a->factors, &e, &normed);
    return normed;
}

static SlTensor convolved(const Strips *s, const SlLayer *layer, const SlTensor *x,
                          const Strip *strip, SlEpilogue e)
{
    SlTensor out =
        sl_tensor_new4(s->dev, 1, strip->last - strip->first, x->size[2], layer->weight->size[0]);
    e.bias = layer->bias;
    sl_conv2d(s->dev, x, layer->weight, &strip->conv, &e, &out);
    return out;
}

/* ---- layers ---- */

/* conv(norm(x)) (+ shortcut(residual)) */
static Sheet half_resnet(const Strips *s, const SlResnet *r, const Sheet *x, const Sheet *residual)
{
    const SlLayer *norm = residual ? &r->norm2 : &r->norm1;
    const SlLayer *conv = residual ? &r->conv2 : &r->conv1;
    Sheet out = sheet_new(s, x->height, x->width, r->options.out_channels);
    Affine a = affine_of(s, norm, &r->options.norm, x);
    for (int64_t y = 0; y < x->height && sl_device_ok(s->dev); y += s->rows) {
        size_t mark = sl_arena_mark(s->dev);
        Strip strip = strip_at(s, y, x->height);
        SlTensor normed = normed_rows(s, &a, x, &strip), added;
        SlEpilogue e = {0};
        if (residual) {
            SlTensor plain = rows_up(s, residual, strip.first, strip.last);
            added = plain;
            if (r->conv_shortcut.weight) {
                added = sl_tensor_new4(s->dev, 1, plain.size[1], plain.size[2], out.channels);
                sl_layer_linear(s->dev, &r->conv_shortcut, &plain, NULL, &added);
            }
            e.residual = &added;
        }
        SlTensor result = convolved(s, conv, &normed, &strip, e);
        rows_down(s, &result, &out, y);
        sl_arena_reset(s->dev, mark);
    }
    affine_free(s, &a);
    return out;
}

/* x is freed. */
static Sheet resnet(const Strips *s, const SlResnet *r, Sheet x)
{
    s->dev->scope = r->path.text;
    Sheet hidden = half_resnet(s, r, &x, NULL);
    Sheet out = half_resnet(s, r, &hidden, &x);
    free(hidden.data);
    free(x.data);
    return out;
}

/* x is freed. */
static Sheet upsample(const Strips *s, const SlVaeLevel *level, Sheet x)
{
    SlDevice *dev = s->dev;
    dev->scope = level->resampler_path.text;
    Sheet out = sheet_new(s, 2 * x.height, 2 * x.width, x.channels);
    for (int64_t y = 0; y < x.height && sl_device_ok(dev); y += s->rows) {
        size_t mark = sl_arena_mark(dev);
        Strip strip = strip_at(s, y, x.height);
        SlTensor small = rows_up(s, &x, strip.from, strip.to);
        SlTensor large = sl_tensor_new4(dev, 1, 2 * small.size[1], 2 * small.size[2], x.channels);
        sl_upsample(dev, &small, &large);
        /* of the doubled rows around the strip, the convolution reads the nearer ones */
        int64_t skip = strip.from<strip.first, drop = strip.to> strip.last;
        SlTensor read = sl_slice(&large, 1, skip, large.size[1] - skip - drop);
        Strip doubled = {2 * strip.first, 2 * strip.last, 0, 0, strip.conv};
        SlTensor result = convolved(s, &level->resampler, &read, &doubled, (SlEpilogue){0});
        rows_down(s, &result, &out, 2 * y);
        sl_arena_reset(dev, mark);
    }
    free(x.data);
    return out;
}

static void head(const Strips *s, const Sheet *x, SlTensor *image)
{
    const SlVaeHalf *h = &s->vae->decoder;
    SlGroupNorm norm = {s->vae->config.norm_groups, 1e-6f, SL_ACT_SILU};
    s->dev->scope = "decoder.conv_out";
    Affine a = affine_of(s, &h->conv_norm_out, &norm, x);
    for (int64_t y = 0; y < x->height && sl_device_ok(s->dev); y += s->rows) {
        size_t mark = sl_arena_mark(s->dev);
        Strip strip = strip_at(s, y, x->height);
        SlTensor normed = normed_rows(s, &a, x, &strip);
        SlTensor result = convolved(s, &h->conv_out, &normed, &strip, (SlEpilogue){0});
        SlTensor place = sl_slice(image, 1, strip.first, strip.last - strip.first);
        sl_copy(s->dev, &result, &place);
        sl_arena_reset(s->dev, mark);
    }
    affine_free(s, &a);
}

/* ---- the whole ---- */

/* Sheets of one level: what a resnet reads, what is between its halves, what it makes. */
static size_t level_bytes(const SlVaeConfig *c, int level, size_t pixels)
{
    size_t out = (size_t)c->channels[c->blocks - 1 - level];
    size_t in = level > 0 ? (size_t)c->channels[c->blocks - level] : out;
    return pixels * (in + 2 * out);
}

size_t sl_vae_strips_bytes(const SlVaeConfig *config, SlDtype dtype, int64_t height, int64_t width)
{
    const SlVaeConfig *c = config;
    size_t most = 0;
    if (c->kind == SL_VAE_TINY)
        return 0;
    for (int i = c->blocks > STRIP_LEVELS ? c->blocks - STRIP_LEVELS : 0; i < c->blocks; i++) {
        size_t bytes = level_bytes(c, i, (size_t)height * (size_t)width << 2 * i);
        most = bytes > most ? bytes : most;
    }
    return most * sl_dtype_size(dtype);
}

static Sheet start(const Strips *s, const SlTensor *z, int levels)
{
    SlDevice *dev = s->dev;
    size_t mark = sl_arena_mark(dev);
    SlTensor x = sl_vae_decoder_start(dev, s->vae, z, levels);
    Sheet sheet = sheet_new(s, x.size[1], x.size[2], x.size[3]);
    rows_down(s, &x, &sheet, 0);
    sl_arena_reset(dev, mark);
    return sheet;
}

bool sl_vae_decode_strips(SlDevice *dev, const SlVae *vae, const SlTensor *z, int64_t rows,
                          SlTensor *image, SlError *err)
{
    const SlVaeHalf *h = &vae->decoder;
    int blocks = vae->config.blocks, first = blocks > STRIP_LEVELS ? blocks - STRIP_LEVELS : 0;
    if (!sl_vae_check_decode(vae, z, image, err))
        return false;
    if (z->size[0] != 1 || rows < 1)
        return sl_fail(err, SL_ARGUMENT, "Only one picture at a time is decoded in strips");
    if (vae->tiny) /* it has no norms and takes a fraction of the memory: whole */
        return sl_vae_decode(dev, vae, z, image, err);
    Strips s = {dev, vae, rows};
    size_t mark = sl_arena_mark(dev);
    SlDtype before = sl_device_use_dtype(dev, vae->dtype);
    SlTensor input = sl_in_dtype(dev, z);
    Sheet x = start(&s, &input, first);
    for (int i = first; i < blocks && sl_device_ok(dev); i++) {
        for (int k = 0; k < h->layers && sl_device_ok(dev); k++)
            x = resnet(&s, &h->levels[i].resnets[k], x);
        if (i < blocks - 1 && sl_device_ok(dev))
            x = upsample(&s, &h->levels[i], x);
    }
    if (sl_device_ok(dev))
        head(&s, &x, image);
    free(x.data);
    sl_arena_reset(dev, mark);
    sl_device_use_dtype(dev, before);
    dev->scope = NULL;
    return sl_device_check(dev, err);
}
