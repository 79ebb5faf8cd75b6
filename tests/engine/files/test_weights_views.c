/* test_weights_views.c - views over stored tensors, against the same done plainly on the values:
 * every storage type, sizes that are no multiples of anything, every way of reading, chains, a
 * quantised type as a source that is no safetensors file, and shapes that must be refused. */
#include "tests/engine/files/util.h"

#include "engine/files/weights_views.h"

static SlDevice *dev;

/* ---- a file of matrices ---- */

enum { N = 37, K = 53, R = 5 };

static const struct {
    const char *name;
    SlDtype dtype;
} types[] = {{"F32", SL_F32}, {"F16", SL_F16}, {"BF16", SL_BF16}};

/* Small whole numbers, which every type holds and whose sums are exact in any order. */
static float value(int seed, int i)
{
    return (float)((i * 7 + seed * 13) % 17 - 8);
}

/* "m" [rows, columns], "up" [N, R], "down" [R, K] in one type. */
static SlWeightSource *matrices(int type, int rows, int columns)
{
    const int count[3] = {rows * columns, N * R, R * K};
    const int size[3][2] = {{rows, columns}, {N, R}, {R, K}};
    static const char *const names[] = {"m", "up", "down"};
    char header[600] = "{";
    size_t bytes = 0, each = sl_dtype_size(types[type].dtype);
    char *data = malloc((size_t)(count[0] + count[1] + count[2]) * each);
    float *values = malloc((size_t)(count[0] + N * R + R * K) * sizeof *values);
    SlError err = {0};
    for (int t = 0; t < 3; t++) {
        size_t length = strlen(header), end = bytes + (size_t)count[t] * each;
        for (int i = 0; i < count[t]; i++)
            values[i] = value(t, i);
        sl_convert(values, SL_F32, data + bytes, types[type].dtype, (size_t)count[t]);
        snprintf(header + length, sizeof header - length,
                 "%s\"%s\":{\"dtype\":\"%s\",\"shape\":[%d,%d],\"data_offsets\":[%zu,%zu]}",
                 t ? "," : "", names[t], types[type].name, size[t][0], size[t][1], bytes, end);
        bytes = end;
    }
    strcat(header, "}");
    const char *path = test_file("matrices.safetensors");
    test_write_safetensors(path, header, strlen(header), data, bytes);
    free(values);
    free(data);
    SlWeightSource *file = sl_weights_open_file(path, &err);
    if (!file)
        sl_test_note("%s", err.message);
    return file;
}

static SlWeightView *of(SlWeightSource *file, const char *name)
{
    return sl_view_of(file, sl_weights_find(file, name), NULL);
}

/* The view as a source of its own. */
static SlWeightSource *alone(SlWeightSource *file, SlWeightView *v, SlError *err)
{
    SlWeightSource *shown = NULL;
    SlWeightSet *set = sl_weight_set_new(file, err);
    if (set && sl_weight_set_add(set, v, err))
        shown = sl_weight_set_finish(set, err);
    else
        sl_weight_set_free(set);
    return shown;
}

/* Do all ways of reading give these values: whole as it is stored, as f32, by all threads in each
 * type, and in ranges that begin and end anywhere? */
static bool gives(const SlWeightSource *shown, const float *want, int64_t rows, int64_t columns)
{
    const SlTensorInfo *info = sl_weights_info(shown, 0);
    size_t n = (size_t)(rows * columns);
    int64_t size[2] = {rows, columns};
    float *back = calloc(n + 1, sizeof *back);
    void *read = calloc(n + 1, sizeof(float));
    SlError err = {0};
    bool ok = info->rank == 2 && info->size[0] == rows && info->size[1] == columns &&
              sl_tensor_info_elements(info) == n;
    ok = ok && sl_weights_read_f32(shown, info, back, &err) && !memcmp(back, want, n * 4);
    if (ok && info->storage->plain) {
        ok = info->bytes == n * sl_dtype_size(info->dtype) &&
             sl_weights_read(shown, info, read, &err);
        sl_convert(read, info->dtype, back, SL_F32, n);
        ok = ok && !memcmp(back, want, n * 4);
    }
    for (size_t t = 0; ok && t < 3; t++) {
        SlTensor out = sl_tensor_view(read, types[t].dtype, 2, size);
        ok = sl_weights_read_on(dev, shown, info, &out, &err);
        sl_convert(read, types[t].dtype, back, SL_F32, n);
        ok = ok && !memcmp(back, want, n * 4);
    }
    for (size_t first = 0; ok && first < n; first += n / 23 + 1)
        for (size_t count = 1; ok && first + count <= n; count += n / 11 + 1)
            ok = sl_source_read(shown, info, first, count, SL_F32, back, &err) &&
                 !memcmp(back, want + first, count * sizeof *want);
    if (!ok)
        sl_test_note("%s [%lld, %lld] %s", info->dtype_name, (long long)info->size[0],
                     (long long)info->size[1], err.message);
    free(read);
    free(back);
    return ok;
}

/* ---- each view, in each type ---- */

static void test_rows(void)
{
    int right = 0;
    for (int t = 0; t < 3; t++) {
        float want[11 * K];
        SlWeightSource *file = matrices(t, N, K);
        SlWeightSource *shown = alone(file, sl_view_rows(of(file, "m"), 19, 11, NULL), NULL);
        for (int i = 0; i < 11 * K; i++)
            want[i] = value(0, 19 * K + i);
        right += gives(shown, want, 11, K) && sl_weights_info(shown, 0)->dtype == types[t].dtype;
        sl_weights_close(shown);
        sl_weights_close(file);
    }
    sl_test(right == 3, "rows 19 to 29 of 37 in F32, F16 and BF16 (%d of 3)", right);
}

static void test_transposed(void)
{
    static const int sizes[][2] = {{N, K}, {1, 7}, {7, 1}, {1, 1}, {611, 1283}};
    int right = 0;
    for (int t = 0; t < 3; t++)
        for (int s = 0; s < 5; s++) {
            int n = sizes[s][0], k = sizes[s][1];
            float *want = malloc((size_t)(n * k) * sizeof *want);
            SlWeightSource *file = matrices(t, n, k);
            SlWeightSource *shown = alone(file, sl_view_transposed(of(file, "m"), NULL), NULL);
            for (int i = 0; i < n; i++)
                for (int j = 0; j < k; j++)
                    want[j * n + i] = value(0, i * k + j);
            right += gives(shown, want, k, n) && sl_weights_info(shown, 0)->dtype == types[t].dtype;
            sl_weights_close(shown);
            sl_weights_close(file);
            free(want);
        }
    sl_test(right == 15, "transposed matrices of five sizes in three types (%d of 15)", right);
}

static void test_converted(void)
{
    int right = 0;
    float want[N * K];
    for (int i = 0; i < N * K; i++)
        want[i] = value(0, i);
    for (int t = 0; t < 3; t++)
        for (int to = 0; to < 3; to++) {
            SlWeightSource *file = matrices(t, N, K);
            SlWeightSource *shown =
                alone(file, sl_view_converted(of(file, "m"), types[to].dtype, NULL), NULL);
            const SlTensorInfo *info = sl_weights_info(shown, 0);
            right += gives(shown, want, N, K) && !strcmp(info->dtype_name, types[to].name);
            sl_weights_close(shown);
            sl_weights_close(file);
        }
    sl_test(right == 9, "each type shown as each (%d of 9)", right);
}

/* base + scale * up down, in double. */
static void plain_sum(float scale, float *want)
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < K; j++) {
            double delta = 0;
            for (int r = 0; r < R; r++)
                delta += (double)value(1, i * R + r) * value(2, r * K + j);
            want[i * K + j] = (float)(value(0, i * K + j) + scale * delta);
        }
}

static bool sum_is_right(int type)
{
    float want[N * K], *got = calloc(N * K, sizeof *got);
    SlWeightSource *file = matrices(type, N, K);
    SlWeightView *delta = sl_view_product(of(file, "up"), of(file, "down"), NULL);
    SlWeightSource *shown = alone(file, sl_view_sum(of(file, "m"), delta, 0.375f, NULL), NULL);
    const SlTensorInfo *info = sl_weights_info(shown, 0);
    SlError err = {0};
    int64_t size[2] = {N, K};
    SlTensor out = sl_tensor_view(got, SL_F32, 2, size);
    plain_sum(0.375f, want);
    bool ok = !strcmp(info->name, "m") && info->dtype == SL_F32 && info->bytes == sizeof want &&
              sl_weights_read_on(dev, shown, info, &out, &err) && !memcmp(got, want, sizeof want);
    for (int first = 0; ok && first + 60 <= N * K;
         first += 97) /* any range is computed as the whole is */
        ok = sl_source_read(shown, info, (uint64_t)first, 60, SL_F32, got, &err) &&
             !memcmp(got, want + first, 60 * sizeof *want);
    sl_weights_close(shown);
    sl_weights_close(file);
    free(got);
    return ok;
}

static void test_sum(void)
{
    int right = 0;
    for (int t = 0; t < 3; t++)
        right += sum_is_right(t);
    sl_test(right == 3, "a weight with a low-rank change added, in f32 from three types (%d of 3)",
            right);
}

/* A sum whose values are not whole numbers: as f32 adds them in order. */
static void test_sum_rounds_once(void)
{
    static const char header[] =
        "{\"m\":{\"dtype\":\"BF16\",\"shape\":[1,3],\"data_offsets\":[0,6]},"
        "\"d\":{\"dtype\":\"F16\",\"shape\":[1,3],\"data_offsets\":[6,12]}}";
    static const uint16_t data[] = {0x3f80, 0x4049, 0xbdcd, 0x2e66, 0x3555, 0x0001};
    float m[3], d[3], want[3], got[3];
    uint16_t half[3], want_half[3];
    const char *path = test_file("sum.safetensors");
    SlError err = {0};
    test_write_safetensors(path, header, strlen(header), data, sizeof data);
    SlWeightSource *file = sl_weights_open_file(path, &err);
    SlWeightView *v = sl_view_sum(of(file, "m"), of(file, "d"), 0.7f, &err);
    SlWeightSource *shown = alone(file, sl_view_converted(v, SL_F16, &err), &err);
    sl_convert(data, SL_BF16, m, SL_F32, 3);
    sl_convert(data + 3, SL_F16, d, SL_F32, 3);
    for (int i = 0; i < 3; i++) {
        float product = 0.7f * d[i];
        want[i] = m[i] + product;
    }
    sl_convert(want, SL_F32, want_half, SL_F16, 3);
    bool ok = shown && sl_weights_read(shown, sl_weights_info(shown, 0), half, &err);
    sl_convert(half, SL_F16, got, SL_F32, 3);
    sl_test(ok && !memcmp(half, want_half, sizeof half),
            "a sum is made in f32 and rounded once, to the type it is shown in %s", err.message);
    sl_weights_close(shown);
    sl_weights_close(file);
}

/* ---- chains, sets and lives ---- */

static void test_chain(void)
{
    float want[K * 20];
    SlError err = {0};
    SlWeightSource *file = matrices(1, N, K);
    SlWeightView *v = sl_view_rows(of(file, "m"), 3, 20, &err);
    v = sl_view_reshaped(v, 4, (const int64_t[]){20, K, 1, 1}, &err);
    v = sl_view_reshaped(v, 2, (const int64_t[]){20, K}, &err);
    v = sl_view_transposed(v, &err);
    v = sl_view_rows(v, 1, K - 2, &err);
    v = sl_view_converted(v, SL_BF16, &err);
    SlWeightSource *shown = alone(file, sl_view_renamed(v, "part of m", &err), &err);
    sl_weights_close(file); /* the views hold it */
    for (int j = 1; j < K - 1; j++)
        for (int i = 0; i < 20; i++)
            want[(j - 1) * 20 + i] = value(0, (i + 3) * K + j);
    sl_test(shown && gives(shown, want, K - 2, 20), "rows of a transposed part, renamed %s",
            err.message);
    const SlTensorInfo *info = shown ? sl_weights_find(shown, "part of m") : NULL;
    sl_test(info && !strcmp(info->stored_name, "m") && !sl_weights_find(shown, "m") &&
                strstr(sl_weights_file_of(shown, info), "matrices") && sl_weights_files(shown) == 1,
            "under its new name alone, and it knows what the file calls it");
    SlWeightSource *again = sl_weights_hold(shown);
    sl_weights_close(shown);
    sl_test(gives(again, want, K - 2, 20), "a reference keeps the file open");
    sl_weights_close(again);
}

static void test_sets(void)
{
    SlError err = {0};
    SlWeightSource *file = matrices(0, N, K), *other = matrices(2, 2, 2);
    SlWeightSet *set = sl_weight_set_new(file, &err);
    bool ok = sl_weight_set_also_from(set, other, &err) &&
              sl_weight_set_add(set, of(file, "m"), &err) &&
              sl_weight_set_add(set, sl_view_renamed(of(other, "m"), "n", &err), &err);
    SlWeightSource *shown = ok ? sl_weight_set_finish(set, &err) : NULL;
    float four[4];
    ok = shown && sl_weights_count(shown) == 2 && sl_weights_files(shown) == 2 &&
         sl_weights_info(shown, 1)->index == 1 &&
         sl_weights_read_f32(shown, sl_weights_find(shown, "n"), four, &err) &&
         four[3] == value(0, 3);
    sl_test(ok, "tensors of two files in one set %s", err.message);
    sl_weights_close(shown);

    set = sl_weight_set_new(file, &err);
    ok = sl_weight_set_add(set, of(file, "m"), &err) &&
         sl_weight_set_add(set, sl_view_renamed(of(file, "up"), "m", &err), &err);
    shown = sl_weight_set_finish(set, &err);
    test_refused("two views of one name", ok && !shown, &err, SL_FORMAT,
                 (const char *const[]){"matrices.safetensors", "\"m\" is there twice", NULL});
    shown = sl_weight_set_finish(sl_weight_set_new(file, &err), &err);
    test_refused("a set of nothing", !shown, &err, SL_FORMAT,
                 (const char *const[]){"matrices.safetensors", "no tensors", NULL});
    sl_weights_close(other);
    sl_weights_close(file);
}

/* ---- refusals ---- */

static void refused(const char *id, SlWeightSource *file, SlWeightView *v, SlError *err,
                    SlCode code, const char *says)
{
    bool failed = !v;
    SlWeightSource *shown = alone(file, v, NULL);
    test_refused(id, failed && !shown, err, code,
                 (const char *const[]){"matrices.safetensors", "\"m\"", says, NULL});
    sl_weights_close(shown);
    *err = (SlError){0};
}

static void test_refusals(void)
{
    SlError err = {0};
    SlWeightSource *f = matrices(0, N, K);
    refused("more rows than there are", f, sl_view_rows(of(f, "m"), 30, 8, &err), &err, SL_FORMAT,
            "has 37 rows; expected rows 30 to 37");
    refused("rows before the first", f, sl_view_rows(of(f, "m"), -1, 2, &err), &err, SL_FORMAT,
            "has 37 rows");
    refused("rows whose end wraps", f, sl_view_rows(of(f, "m"), INT64_MAX, INT64_MAX, &err), &err,
            SL_FORMAT, "has 37 rows");
    refused("no rows", f, sl_view_rows(of(f, "m"), 0, 0, &err), &err, SL_FORMAT, "has 37 rows");
    refused("another number of elements", f,
            sl_view_reshaped(of(f, "m"), 2, (const int64_t[]){N, K + 1}, &err), &err, SL_FORMAT,
            "1961 elements");
    refused("sizes whose product wraps", f,
            sl_view_reshaped(of(f, "m"), 3, (const int64_t[]){INT64_MAX, 4, N}, &err), &err,
            SL_FORMAT, "1961 elements");
    refused("more axes than there can be", f,
            sl_view_reshaped(of(f, "m"), 9, (const int64_t[]){N, K, 1, 1, 1, 1, 1, 1, 1}, &err),
            &err, SL_FORMAT, "the 9 axes");
    SlWeightView *cube = sl_view_reshaped(of(f, "m"), 3, (const int64_t[]){N, K, 1}, &err);
    refused("three axes transposed", f, sl_view_transposed(cube, &err), &err, SL_FORMAT,
            "only a matrix");
    refused("as integers", f, sl_view_converted(of(f, "m"), SL_I32, &err), &err, SL_UNSUPPORTED,
            "expected F32, F16, BF16");
    refused("factors that do not fit", f, sl_view_product(of(f, "m"), of(f, "down"), &err), &err,
            SL_FORMAT, "not the two factors");
    refused("a sum of two shapes", f, sl_view_sum(of(f, "m"), of(f, "up"), 1, &err), &err,
            SL_FORMAT, "different shapes");
    sl_weights_close(f);
}

static void test_not_finite(void)
{
    static const char header[] =
        "{\"m\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]}}";
    static const float large[] = {1, 3e38f};
    static const uint32_t nan[] = {0x3f800000, 0x7fc00000};
    static const char *const ids[] = {"NaN in a transposed part", "a sum that overflows f32",
                                      "a conversion that overflows F16"};
    const char *path = test_file("matrices.safetensors");
    float out[2];
    for (int i = 0; i < 3; i++) {
        SlError err = {0};
        test_write_safetensors(path, header, strlen(header), i ? (const void *)large : nan, 8);
        SlWeightSource *file = sl_weights_open_file(path, &err);
        SlWeightView *v = i == 0   ? sl_view_transposed(of(file, "m"), &err)
                          : i == 1 ? sl_view_sum(of(file, "m"), of(file, "m"), 1, &err)
                                   : sl_view_converted(of(file, "m"), SL_F16, &err);
        SlWeightSource *shown = alone(file, sl_view_renamed(v, "other", &err), &err);
        test_refused(ids[i], !sl_weights_read_f32(shown, sl_weights_info(shown, 0), out, &err),
                     &err, SL_FORMAT,
                     (const char *const[]){"matrices.safetensors", "\"m\"", "not a finite", NULL});
        sl_weights_close(shown);
        sl_weights_close(file);
    }
}

/* ---- a quantised type, and a source that is no safetensors file ---- */

/* GGUF's Q8_0: an F16 scale and 32 signed bytes. */
static void decode_q8_0(const void *blocks, float *out, size_t count)
{
    const unsigned char *b = blocks;
    for (size_t i = 0; i < count; i++) {
        float scale;
        sl_convert(b + i / 32 * 34, SL_F16, &scale, SL_F32, 1);
        out[i] = scale * (float)(signed char)b[i / 32 * 34 + 2 + i % 32];
    }
}

static bool finite_q8_0(const void *blocks, size_t count)
{
    const unsigned char *b = blocks;
    for (size_t i = 0; i < count / 32; i++)
        if ((b[i * 34 + 1] & 0x7c) == 0x7c)
            return false;
    return true;
}

static const SlStorage q8_0 = {"Q8_0", 32, 34, false, SL_F32, decode_q8_0, finite_q8_0};

enum { Q_ROWS = 6, Q_COLUMNS = 96, Q_ELEMENTS = Q_ROWS * Q_COLUMNS };

typedef struct Quantised {
    SlWeightSource base;
    SlTensorInfo info;
    unsigned char blocks[Q_ELEMENTS / 32 * 34];
    bool *closed;
} Quantised;

static size_t q_count(const SlWeightSource *s)
{
    return 1;
}

static const SlTensorInfo *q_info(const SlWeightSource *s, size_t i)
{
    return &((const Quantised *)s)->info;
}

static const SlTensorInfo *q_find(const SlWeightSource *s, const char *name)
{
    return strcmp(name, "q") ? NULL : q_info(s, 0);
}

static bool q_read(const SlWeightSource *s, size_t i, uint64_t first, uint64_t bytes, void *out,
                   SlError *err)
{
    if (first % 34 || bytes % 34)
        return sl_fail(err, SL_ARGUMENT, "asked for less than a block");
    memcpy(out, ((const Quantised *)s)->blocks + first, bytes);
    return true;
}

static const char *q_metadata(const SlWeightSource *s, const char *key)
{
    return strcmp(key, "general.architecture") ? NULL : "sd1";
}

static int q_files(const SlWeightSource *s)
{
    return 1;
}

static const char *q_file(const SlWeightSource *s, int i)
{
    return "matrices.gguf";
}

static const char *q_file_of(const SlWeightSource *s, size_t i)
{
    return q_file(s, 0);
}

static void q_close(SlWeightSource *s)
{
    *((Quantised *)s)->closed = true;
}

static const SlWeightSourceOps q_ops = {q_count, q_info, q_find,    q_read, q_metadata,
                                        q_files, q_file, q_file_of, q_close};

static void make_quantised(Quantised *q, float *values)
{
    for (int i = 0; i < Q_ELEMENTS / 32; i++) {
        const float scale = (float)(1 << i % 5) / 8;
        sl_convert(&scale, SL_F32, q->blocks + i * 34, SL_F16, 1);
        for (int j = 0; j < 32; j++) {
            signed char number = (signed char)value(i, j);
            q->blocks[i * 34 + 2 + j] = (unsigned char)number;
            values[i * 32 + j] = scale * (float)number;
        }
    }
    sl_source_init(&q->base, &q_ops);
    q->info = (SlTensorInfo){.name = "q",
                             .stored_name = "q",
                             .storage = &q8_0,
                             .dtype_name = "Q8_0",
                             .rank = 2,
                             .size = {Q_ROWS, Q_COLUMNS},
                             .bytes = sizeof q->blocks};
}

static void test_quantised(void)
{
    static Quantised q;
    float values[Q_ELEMENTS], turned[Q_ELEMENTS];
    bool closed = false;
    SlError err = {0};
    q.closed = &closed;
    make_quantised(&q, values);
    for (int i = 0; i < Q_ROWS; i++)
        for (int j = 0; j < Q_COLUMNS; j++)
            turned[j * Q_ROWS + i] = values[i * Q_COLUMNS + j];
    SlWeightSource *s = &q.base;
    sl_test(gives(s, values, Q_ROWS, Q_COLUMNS), "a quantised tensor in ranges of any kind");
    SlWeightSource *rows = alone(s, sl_view_rows(of(s, "q"), 2, 3, &err), &err);
    sl_test(rows && gives(rows, values + 2 * Q_COLUMNS, 3, Q_COLUMNS) &&
                sl_weights_info(rows, 0)->storage == &q8_0,
            "rows of it stay quantised %s", err.message);
    SlWeightSource *t = alone(s, sl_view_transposed(of(s, "q"), &err), &err);
    sl_test(t && gives(t, turned, Q_COLUMNS, Q_ROWS) && sl_weights_info(t, 0)->dtype == SL_F32,
            "transposed it is F32 %s", err.message);
    SlWeightView *v = sl_view_reshaped(of(s, "q"), 2, (const int64_t[]){Q_ELEMENTS / 16, 16}, &err);
    v = sl_view_rows(v, 1, 2, &err);
    test_refused("rows that cut a block", !v, &err, SL_UNSUPPORTED,
                 (const char *const[]){"matrices.gguf", "\"q\"", "blocks of 32", NULL});
    SlBinder *b = sl_binder_new(&(SlBinderOptions){.dev = dev, .weights = s, .component = "unet"});
    SlWeight *w = sl_bind(b, SL_WEIGHT_TABLE, "q", 2, (const int64_t[]){Q_ROWS, Q_COLUMNS});
    sl_test(w && sl_binder_finish(b, true, &err), "a quantised weight is bound %s", err.message);
    sl_binder_free(b);
    q.blocks[34 * 7 + 1] = 0x7c;
    SlTensor out = sl_tensor_view(turned, SL_F32, 2, (const int64_t[]){Q_ROWS, Q_COLUMNS});
    bool read = sl_weights_read_on(dev, s, &q.info, &out, &err);
    test_refused("a scale that is infinite", !read, &err, SL_FORMAT,
                 (const char *const[]){"matrices.gguf", "\"q\"", "not a finite", NULL});
    sl_weights_close(t);
    sl_weights_close(rows);
    sl_test(!closed, "the views' references are not the last");
    sl_weights_close(s);
    sl_test(closed, "the source is closed with its last reference");
}

int main(void)
{
    SlError err = {0};
    dev = sl_device_open(&(SlDeviceOptions){.name = "ref", .dtype = SL_F32, .threads = 2}, &err);
    test_rows();
    test_transposed();
    test_converted();
    test_sum();
    test_sum_rounds_once();
    test_chain();
    test_sets();
    test_refusals();
    test_not_finite();
    test_quantised();
    sl_device_close(&dev);
    return sl_test_done();
}
