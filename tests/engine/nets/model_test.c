/* model_test.c - see model_test.h. */
#include "tests/engine/nets/model_test.h"

#include <math.h>
#include <string.h>

static void give_up(const SlError *err)
{
    printf("Bail out! %s\n", err->message);
    exit(1);
}

SlWeightSource *golden_open(const char *pipeline)
{
    SlError err = {0};
    char *path = NULL, *root = sl_test_path("goldens/model");
    if (asprintf(&path, "%s/%s.safetensors", root, pipeline) < 0)
        abort();
    SlWeightSource *file = sl_weights_open_file(path, &err);
    if (!file)
        give_up(&err);
    free(path);
    free(root);
    return file;
}

static const SlTensorInfo *find(const SlWeightSource *file, const char *format, va_list args)
{
    char name[128];
    vsnprintf(name, sizeof name, format, args);
    return sl_weights_find(file, name);
}

bool golden_has(const SlWeightSource *file, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    bool has = find(file, format, args) != NULL;
    va_end(args);
    return has;
}

Golden golden_read(const SlWeightSource *file, const char *format, ...)
{
    Golden g = {.elements = 1};
    SlError err = {0};
    va_list args;
    va_start(args, format);
    const SlTensorInfo *info = find(file, format, args);
    va_end(args);
    if (!info || info->rank > SL_MAX_RANK) {
        sl_fail(&err, SL_FORMAT, "the golden has no \"%s\"", format);
        give_up(&err);
    }
    g.rank = info->rank;
    for (int i = 0; i < g.rank; i++)
        g.elements *= g.size[i] = info->size[i];
    g.values = malloc((size_t)g.elements * sizeof *g.values);
    if (!g.values || !sl_weights_read_f32(file, info, g.values, &err))
        give_up(&err);
    return g;
}

void golden_free(Golden *g)
{
    free(g->values);
    g->values = NULL;
}

SlTensor golden_upload(SlDevice *dev, const Golden *g)
{
    static const int to_nhwc[] = {0, 2, 3, 1};
    SlTensor host_order = sl_tensor_new(dev, SL_F32, g->rank, g->size);
    sl_upload(dev, g->values, &host_order);
    SlTensor view = g->rank == 4 ? sl_permute(&host_order, to_nhwc) : host_order;
    SlTensor out = sl_tensor_new(dev, dev->dtype, view.rank, view.size);
    sl_copy(dev, &view, &out);
    return out;
}

float *result_download(SlDevice *dev, const SlTensor *t)
{
    static const int to_nchw[] = {0, 3, 1, 2};
    size_t mark = sl_arena_mark(dev);
    SlTensor view = t->rank == 4 ? sl_permute(t, to_nchw) : *t;
    SlTensor plain = sl_tensor_new(dev, SL_F32, view.rank, view.size);
    sl_copy(dev, &view, &plain);
    float *host = calloc((size_t)sl_tensor_elements(&plain), sizeof *host);
    if (!host)
        abort();
    sl_download(dev, &plain, host);
    sl_arena_reset(dev, mark);
    return host;
}

Distance distance(const float *result, const Golden *golden)
{
    Distance d = {.finite = true};
    double error = 0, signal = 0;
    for (int64_t i = 0; i < golden->elements; i++) {
        double difference = (double)result[i] - golden->values[i];
        d.finite = d.finite && isfinite(result[i]);
        d.max_abs = fmax(d.max_abs, fabs(difference));
        error += difference * difference;
        signal += (double)golden->values[i] * golden->values[i];
    }
    d.nmse = error / signal;
    d.psnr = 10 * log10(4 / (error / (double)golden->elements + 1e-30));
    return d;
}

Part part_open(SlDevice *dev, const char *pipeline, const char *component)
{
    Part part = {0};
    SlError err = {0};
    char *folder = NULL, *config = NULL, *root = sl_test_path("goldens/model");
    if (asprintf(&folder, "%s/%s/%s", root, pipeline, component) < 0 ||
        asprintf(&config, "%s/config.json", folder) < 0)
        abort();
    bool text = strncmp(component, "text_encoder", 12) == 0;
    part.json = sl_json_open(config, &err);
    if (part.json)
        part.weights = sl_weights_open(folder, text ? "model" : "diffusion_pytorch_model", &err);
    if (!part.weights)
        give_up(&err);
    SlBinderOptions options = {.dev = dev, .weights = part.weights, .component = component};
    part.binder = sl_binder_new(&options);
    if (!part.binder)
        abort();
    free(folder);
    free(config);
    free(root);
    return part;
}

void part_close(Part *part)
{
    sl_binder_free(part->binder);
    sl_weights_close(part->weights);
    sl_json_close(part->json);
}

SlDevice *device_open(const char *name, const char *dtype)
{
    SlError err = {0};
    SlDeviceOptions options = {.name = name, .threads = 2};
    options.dtype = strcmp(dtype, "bf16") == 0  ? SL_BF16
                    : strcmp(dtype, "f16") == 0 ? SL_F16
                                                : SL_F32;
    SlDevice *dev = sl_device_open(&options, &err);
    if (!dev) {
        printf("1..0 # SKIP %s\n", err.message);
        exit(0);
    }
    return dev;
}
