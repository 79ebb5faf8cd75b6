/* test_binder.c - every way in which a tensor may not fit what a model asks for, and what fits
 * although it is stored differently. Runs on the reference device, whose weights can be looked
 * at. */
#include "tests/engine/files/util.h"

#include <math.h>

#define T(name, dtype, shape, begin, end)                                                   \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":[" shape "],\"data_offsets\":[" #begin \
    "," #end "]}"

/* clang-format off */
static const char header[] =
    "{" T("lin.weight", "F32", "2,3", 0, 24)
    "," T("lin.bias", "F32", "2", 24, 32)
    "," T("conv.weight", "F32", "2,3,1,1", 32, 56)
    "," T("old.query.weight", "F32", "2,2", 56, 72)
    "," T("old.key.weight", "F32", "2,2", 72, 88)
    "," T("old.value.weight", "F32", "2,2", 88, 104)
    "," T("old.proj_attn.weight", "F32", "2,2", 104, 120)
    "," T("half", "F16", "2,2", 120, 128)
    "," T("ids", "I64", "1,2", 128, 144)
    "," T("nan", "F32", "1", 144, 148) "}";
/* clang-format on */

static SlDevice *dev;
static SlWeightSource *weights;

static bool open_weights(void)
{
    unsigned char data[148] = {0};
    const float values[30] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                              16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30};
    const uint16_t halves[] = {0x3c00, 0x4000, 0x4200, 0x4400};
    const char *path = test_file("unet.safetensors");
    SlError err = {0};
    memcpy(data, values, sizeof values);
    memcpy(data + 120, halves, 8);
    data[146] = 0xc0;
    data[147] = 0x7f;
    test_write_safetensors(path, header, strlen(header), data, sizeof data);
    weights = sl_weights_open_file(path, &err);
    dev = sl_device_open(&(SlDeviceOptions){.name = "ref", .dtype = SL_F32}, &err);
    if (!weights || !dev)
        printf("Bail out! %s\n", err.message);
    return weights && dev;
}

static SlBinder *new_binder(SlWeightSource *from)
{
    return sl_binder_new(&(SlBinderOptions){.dev = dev, .weights = from, .component = "unet"});
}

static bool holds(const SlWeight *w, float first, float last)
{
    const float *v = w ? w->value.data : NULL;
    return v && v[0] == first && v[sl_tensor_elements(&w->value) - 1] == last;
}

static SlWeight *bind2(SlBinder *b, const char *name, int64_t n, int64_t k)
{
    return sl_bind(b, SL_WEIGHT_LINEAR, name, 2, (const int64_t[]){n, k});
}

static void test_fits(void)
{
    SlError err = {0};
    SlBinder *b = new_binder(weights);
    sl_test(holds(bind2(b, "lin.weight", 2, 3), 1, 6), "a matrix");
    sl_test(holds(sl_bind(b, SL_WEIGHT_VECTOR, "lin.bias", 1, (const int64_t[]){2}), 7, 8),
            "a vector");
    sl_test(holds(bind2(b, "conv.weight", 2, 3), 9, 14), "a 1x1 convolution as a matrix");
    sl_test(holds(sl_bind(b, SL_WEIGHT_CONV, "lin.weight", 4, (const int64_t[]){2, 3, 1, 1}), 1, 6),
            "a matrix as a 1x1 convolution");
    sl_test(holds(bind2(b, "old.to_q.weight", 2, 2), 15, 18), "query for to_q");
    sl_test(holds(bind2(b, "old.to_k.weight", 2, 2), 19, 22), "key for to_k");
    sl_test(holds(bind2(b, "old.to_v.weight", 2, 2), 23, 26), "value for to_v");
    sl_test(holds(bind2(b, "old.to_out.0.weight", 2, 2), 27, 30), "proj_attn for to_out.0");
    sl_test(holds(bind2(b, "half", 2, 2), 1, 4), "F16");
    sl_test(sl_binder_has(b, "lin.bias") && !sl_binder_has(b, "lin.scale"), "has");
    sl_test(!sl_bind_optional(b, SL_WEIGHT_VECTOR, "no.bias", 1, (const int64_t[]){2}) &&
                sl_bind_optional(b, SL_WEIGHT_VECTOR, "lin.bias", 1, (const int64_t[]){2}),
            "optional");
    SlWeight *stacked =
        sl_bind_stacked(b, (const char *const[]){"old.to_q.weight", "half"}, 2, 2, 2);
    sl_test(holds(stacked, 15, 4) && stacked->size[0] == 4 && stacked->size[1] == 2,
            "stacked from two types");
    sl_test(sl_binder_finish(b, false, &err), "all found");
    sl_test(sl_binder_parameters(b) == 6 + 2 + 6 + 6 + 4 * 4 + 4 + 2 + 8, "parameters are counted");
    const char *warning = sl_binder_warning(b);
    sl_test(warning && !strcmp(warning, "unet: 2 tensors are not used: ids, nan"),
            "left over tensors are a warning");
    bool strict = sl_binder_finish(b, true, &err);
    test_refused(
        "left over tensors, strictly", !strict, &err, SL_FORMAT,
        (const char *const[]){"unet.safetensors", "\"ids\"", "not part of this model", NULL});
    sl_binder_free(b);
}

static void test_ignored(void)
{
    SlBinder *b = new_binder(weights);
    SlError err = {0};
    static const char *const names[] = {"lin.weight",
                                        "lin.bias",
                                        "conv.weight",
                                        "old.query.weight",
                                        "old.key.weight",
                                        "old.value.weight",
                                        "old.proj_attn.weight",
                                        "half",
                                        "ids",
                                        "nan"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        sl_binder_ignore(b, names[i]);
    sl_binder_ignore(b, "absent");
    sl_test(sl_binder_finish(b, true, &err) && !sl_binder_warning(b), "ignored tensors");
    sl_binder_free(b);
}

static void test_refusals(void)
{
    static const struct {
        const char *id, *name;
        SlWeightKind kind;
        int rank;
        int64_t size[4];
        SlCode code;
        const char *says[2];
    } bad[] = {
        {"missing", "lin.scale", SL_WEIGHT_VECTOR, 1, {2}, SL_FORMAT, {"is missing", "[2]"}},
        {"transposed",
         "lin.weight",
         SL_WEIGHT_LINEAR,
         2,
         {3, 2},
         SL_FORMAT,
         {"has shape [2, 3]", "expected [3, 2]"}},
        {"one row more",
         "lin.weight",
         SL_WEIGHT_LINEAR,
         2,
         {3, 3},
         SL_FORMAT,
         {"has shape [2, 3]", "expected [3, 3]"}},
        {"one column less",
         "lin.weight",
         SL_WEIGHT_LINEAR,
         2,
         {2, 2},
         SL_FORMAT,
         {"has shape [2, 3]", "expected [2, 2]"}},
        {"a vector for a matrix",
         "lin.bias",
         SL_WEIGHT_LINEAR,
         2,
         {2, 1},
         SL_FORMAT,
         {"has shape [2]", "expected [2, 1]"}},
        {"a matrix for a vector",
         "lin.weight",
         SL_WEIGHT_VECTOR,
         1,
         {6},
         SL_FORMAT,
         {"has shape [2, 3]", "expected [6]"}},
        {"a 1x1 for a 3x3 convolution",
         "conv.weight",
         SL_WEIGHT_CONV,
         4,
         {2, 3, 3, 3},
         SL_FORMAT,
         {"has shape [2, 3, 1, 1]", "expected [2, 3, 3, 3]"}},
        {"a matrix for a 3x3 convolution",
         "lin.weight",
         SL_WEIGHT_CONV,
         4,
         {2, 3, 3, 3},
         SL_FORMAT,
         {"has shape [2, 3]", "expected [2, 3, 3, 3]"}},
        {"a 1x1 convolution for a table",
         "conv.weight",
         SL_WEIGHT_TABLE,
         2,
         {2, 3},
         SL_FORMAT,
         {"has shape [2, 3, 1, 1]", "expected [2, 3]"}},
        {"I64", "ids", SL_WEIGHT_TABLE, 2, {1, 2}, SL_UNSUPPORTED, {"I64", "F32, F16, BF16"}},
        {"NaN", "nan", SL_WEIGHT_VECTOR, 1, {1}, SL_FORMAT, {"not a finite", "NaN"}},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        SlBinder *b = new_binder(weights);
        SlError err = {0};
        char name[40];
        SlWeight *w = sl_bind(b, bad[i].kind, bad[i].name, bad[i].rank, bad[i].size);
        bool ok = sl_binder_finish(b, false, &err);
        snprintf(name, sizeof name, "\"%s\"", bad[i].name);
        test_refused(
            bad[i].id, !w && !ok, &err, bad[i].code,
            (const char *const[]){"unet.safetensors", name, bad[i].says[0], bad[i].says[1], NULL});
        sl_binder_free(b);
    }
}

static void test_many_refusals(void)
{
    SlBinder *b = new_binder(weights);
    SlError err = {0};
    bind2(b, "a", 1, 1);
    bind2(b, "lin.weight", 9, 9);
    sl_bind_stacked(b, (const char *const[]){"x", "half", "y"}, 3, 2, 2);
    bool ok = sl_binder_finish(b, false, &err);
    test_refused("the first is told, the others counted", !ok, &err, SL_FORMAT,
                 (const char *const[]){"\"a\" is missing", "and 3 more tensors do not fit", NULL});
    sl_binder_free(b);
    b = new_binder(weights);
    sl_device_cancel(dev);
    sl_test(!bind2(b, "lin.weight", 2, 3), "nothing is read after a cancel");
    ok = sl_binder_finish(b, false, &err);
    sl_test(!ok && err.code == SL_CANCELLED, "a cancel is the result");
    sl_device_clear(dev);
    sl_binder_free(b);
}

static void test_random(void)
{
    SlError err = {0};
    SlBinder *b = new_binder(NULL), *c = new_binder(NULL);
    const SlWeight *x = bind2(b, "lin.weight", 300, 400), *y = bind2(c, "lin.weight", 300, 400);
    const SlWeight *z = bind2(c, "other.weight", 300, 400);
    double sum = 0, square = 0;
    for (int i = 0; x && i < 300 * 400; i++) {
        double v = ((const float *)x->value.data)[i];
        sum += v;
        square += v * v;
    }
    sl_test(x && y && z && !memcmp(x->value.data, y->value.data, 300 * 400 * 4) &&
                memcmp(x->value.data, z->value.data, 300 * 400 * 4),
            "random weights depend on the name only");
    sl_test(fabs(sum / 120000) < 1e-3 && fabs(square / 120000 * 400 - 1) < 0.02,
            "their variance is 1 / fan_in");
    sl_test(holds(sl_bind(b, SL_WEIGHT_VECTOR, "norm.weight", 1, (const int64_t[]){3}), 1, 1) &&
                holds(sl_bind(b, SL_WEIGHT_VECTOR, "norm.bias", 1, (const int64_t[]){3}), 0, 0),
            "norms are 1, biases 0");
    sl_test(sl_binder_finish(b, true, &err) && !sl_binder_has(b, "lin.weight"),
            "nothing is missing");
    sl_binder_free(b);
    sl_binder_free(c);
}

static void test_measure(void)
{
    SlError err = {0};
    SlDevice *ref = dev;
    dev = sl_device_open(&(SlDeviceOptions){.name = "measure", .dtype = SL_F16}, &err);
    SlBinder *b = dev ? new_binder(NULL) : NULL;
    SlWeight *w = b ? bind2(b, "huge.weight", 1 << 20, 1 << 20) : NULL;
    sl_test(w && sl_binder_finish(b, true, &err) && dev->work.weight_bytes == (size_t)2 << 40,
            "measuring a weight of 2 TiB needs no memory");
    sl_binder_free(b);
    sl_device_close(&dev);
    dev = ref;
}

typedef struct Seen {
    uint64_t last, total;
    int calls;
    bool rising;
} Seen;

static void on_progress(void *arg, uint64_t done, uint64_t total)
{
    Seen *seen = arg;
    seen->rising = (seen->calls == 0 || done > seen->last) && done <= total;
    seen->last = done;
    seen->total = total;
    seen->calls++;
}

static void test_progress(void)
{
    Seen seen = {0};
    SlBinder *b = sl_binder_new(&(SlBinderOptions){.dev = dev,
                                                   .weights = weights,
                                                   .component = "unet",
                                                   .progress = on_progress,
                                                   .progress_arg = &seen});
    bind2(b, "lin.weight", 2, 3);
    bind2(b, "half", 2, 2);
    sl_test(seen.calls == 2 && seen.rising && seen.last == 32 && seen.total == 148, "progress");
    sl_binder_free(b);
}

/* The binder lives as long as the model; whoever opened the weights is done with them sooner. */
static void test_outlives(void)
{
    SlError err = {0};
    SlWeightSource *own = sl_weights_open_file(test_file("unet.safetensors"), &err);
    SlBinder *b = new_binder(own);
    sl_weights_close(own);
    sl_test(holds(bind2(b, "lin.weight", 2, 3), 1, 6) && sl_binder_has(b, "lin.bias"),
            "weights that were closed are read as long as the binder needs them");
    sl_test(sl_binder_finish(b, false, &err) && sl_binder_warning(b), "it ends well %s",
            err.message);
    sl_test(!bind2(b, "half", 2, 2) && !sl_binder_has(b, "half") &&
                !sl_bind_optional(b, SL_WEIGHT_LINEAR, "half", 2, (const int64_t[]){2, 2}),
            "after its end it reads nothing");
    bool ok = sl_binder_finish(b, false, &err);
    test_refused("and says so", !ok, &err, SL_ARGUMENT,
                 (const char *const[]){"unet", "after the last one", NULL});
    sl_binder_free(b);
}

int main(void)
{
    if (!open_weights())
        return 1;
    test_fits();
    test_ignored();
    test_refusals();
    test_many_refusals();
    test_random();
    test_measure();
    test_progress();
    test_outlives();
    sl_weights_close(weights);
    sl_device_close(&dev);
    return sl_test_done();
}
