/* adapter_merge.c - what a module adds to its weight, in f32 (see adapters.h).
 *
 * With W a weight [out, in] (the axes of a convolution's window behind in, as one), s the strength
 * and scale = alpha / r:
 *
 *   LoRA  dW = up down; with a core dW[o, i, :] = sum over m, n of mid[m, n, :] up[o, m] down[n, i]
 *   LoHa  dW = (w1_a w1_b) times (w2_a w2_b), element by element; with cores as above
 *   LoKr  dW = kron(w1, w2)
 *   full  dW = diff
 *   W + s scale dW, and as DoRA with V = W + scale dW: W + s (V dora / |V| - W), |V| over the axes
 *   that dora_scale does not have
 *
 * Mirrors peft tuners/lora/layer.py and dora.py, lycoris/functional. Easy to get wrong: a LoKr of
 * two whole factors has no scale; cores turn the factors "a" of LyCORIS ([r, out]); DoRA divides by
 * the norm of V and not of W (ComfyUI's bug), and strength 0 is W exactly.
 */
#include "engine/adapters/adapter_private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- do the shapes fit? ---- */

static bool misfit(const SlAdapter *a, const SlTensorInfo *info, SlError *err, const char *expected)
{
    char shape[160] = "";
    for (int i = 0; i < info->rank; i++)
        snprintf(shape + strlen(shape), sizeof shape - strlen(shape), "%s%lld", i ? ", " : "",
                 (long long)info->size[i]);
    const char *base = sl_adapter_base(a);
    return sl_fail(
        err, SL_FORMAT,
        "%s: tensor \"%s\" has shape [%s], which does not fit the model; expected %s%s%s",
        sl_show_path(a->path).text, sl_show_name(info->name).text, shape, expected,
        base ? sl_words(": this file is for ") : "", base ? base : "");
}

/* a b = c, without overflow */
static bool product_is(int64_t a, int64_t b, int64_t c)
{
    return b > 0 && a > 0 && c % b == 0 && c / b == a;
}

/* A matrix that a module makes of two tensors, or of three. */
typedef struct Factors {
    const SlTensorInfo *up, *core, *down; /* core: NULL where there is none */
    bool turned;                          /* up is [r, out] */
} Factors;

static int64_t up_rows(const Factors *f)
{
    return f->turned ? sl_adapter_columns(f->up) : f->up->size[0];
}

static int64_t up_rank(const Factors *f)
{
    return f->turned ? f->up->size[0] : sl_adapter_columns(f->up);
}

/* Sizes of what they make; rows 0 where they do not fit each other. */
typedef struct Size {
    int64_t rows, columns;
} Size;

static Size factors_size(const Factors *f, int64_t window)
{
    const SlTensorInfo *up = f->up, *core = f->core, *down = f->down;
    Size size = {0, 0};
    if (up->rank < 2 || down->rank < 2 || (core && core->rank < 3))
        return size;
    int64_t rank = core ? core->size[0] : down->size[0];
    bool fits = rank > 0 && up_rank(f) == rank;
    if (core)
        fits = fits && core->size[1] == down->size[0] &&
               product_is(core->size[1], window, sl_adapter_columns(core));
    if (!fits || __builtin_mul_overflow(sl_adapter_columns(down), core ? window : 1, &size.columns))
        return size;
    size.rows = up_rows(f);
    return size;
}

static Factors lora_factors(const SlAdapterModule *m)
{
    return (Factors){m->tensor[SL_ROLE_UP], m->tensor[SL_ROLE_MID], m->tensor[SL_ROLE_DOWN], false};
}

/* i: 0 or 1, the first or the second of a LoHa. */
static Factors loha_factors(const SlAdapterModule *m, int i)
{
    const SlTensorInfo *core = m->tensor[i ? SL_ROLE_HADA_T2 : SL_ROLE_HADA_T1];
    return (Factors){m->tensor[i ? SL_ROLE_HADA_W2_A : SL_ROLE_HADA_W1_A], core,
                     m->tensor[i ? SL_ROLE_HADA_W2_B : SL_ROLE_HADA_W1_B], core != NULL};
}

static Factors lokr_factors(const SlAdapterModule *m, int i)
{
    const SlTensorInfo *core = i ? m->tensor[SL_ROLE_LOKR_T2] : NULL;
    return (Factors){m->tensor[i ? SL_ROLE_LOKR_W2_A : SL_ROLE_LOKR_W1_A], core,
                     m->tensor[i ? SL_ROLE_LOKR_W2_B : SL_ROLE_LOKR_W1_B], core != NULL};
}

/* A factor of a LoKr that is there as it is; NULL: it is of two parts. */
static const SlTensorInfo *lokr_whole(const SlAdapterModule *m, int i)
{
    return m->tensor[i ? SL_ROLE_LOKR_W2 : SL_ROLE_LOKR_W1];
}

static Size lokr_size(const SlAdapterModule *m, int i, int64_t window)
{
    const SlTensorInfo *whole = lokr_whole(m, i);
    const Factors f = lokr_factors(m, i);
    if (!whole)
        return factors_size(&f, window);
    return whole->rank < 2 ? (Size){0, 0} : (Size){whole->size[0], sl_adapter_columns(whole)};
}

static bool factors_fit(const SlAdapter *a, const Factors *f, Size want, int64_t window,
                        SlError *err)
{
    char expected[300];
    Size size = factors_size(f, window);
    if (size.rows == want.rows && size.columns == want.columns)
        return true;
    bool down = size.rows > 0 && size.rows == want.rows;
    snprintf(expected, sizeof expected, sl_words("one of the factors of a weight of %lld x %lld"),
             (long long)want.rows, (long long)want.columns);
    return misfit(a, down ? f->down : f->up, err, expected);
}

static bool lokr_fits(const SlAdapter *a, const SlAdapterModule *m, Size want, int64_t window,
                      SlError *err)
{
    char expected[300];
    Size one = lokr_size(m, 0, 1), two = lokr_size(m, 1, window);
    if (product_is(one.rows, two.rows, want.rows) &&
        product_is(one.columns, two.columns, want.columns))
        return true;
    snprintf(expected, sizeof expected, sl_words("one of the factors of a weight of %lld x %lld"),
             (long long)want.rows, (long long)want.columns);
    return misfit(a, lokr_whole(m, 1) ? lokr_whole(m, 1) : lokr_factors(m, 1).up, err, expected);
}

static bool whole_fits(const SlAdapter *a, const SlTensorInfo *info, Size want, SlError *err)
{
    char expected[300];
    if (info->rank > 0 && info->size[0] == want.rows && sl_adapter_columns(info) == want.columns)
        return true;
    snprintf(expected, sizeof expected, sl_words("the shape of a weight of %lld x %lld"),
             (long long)want.rows, (long long)want.columns);
    return misfit(a, info, err, expected);
}

/* The axis that the norms are of. */
typedef enum DoraAxis { DORA_NONE, DORA_OUT, DORA_IN, DORA_WRONG } DoraAxis;

static DoraAxis dora_axis(const SlAdapterModule *m, Size size, int64_t window)
{
    const SlTensorInfo *each = m->tensor[SL_ROLE_MAGNITUDE], *dora = m->tensor[SL_ROLE_DORA];
    const SlTensorInfo *info = each ? each : dora;
    if (!info)
        return DORA_NONE;
    int64_t count = info->rank > 0 ? info->size[0] * sl_adapter_columns(info) : 0;
    bool out = each || info->rank == 1 || info->size[0] == count;
    if (out)
        return count == size.rows ? DORA_OUT : DORA_WRONG;
    return info->size[1] == count && product_is(count, window, size.columns) ? DORA_IN : DORA_WRONG;
}

bool sl_module_fits(const SlAdapter *a, const SlAdapterModule *m, int64_t rows, int64_t columns,
                    int64_t window, SlError *err)
{
    const Size want = {rows, columns};
    Factors one, two;
    bool ok = true;
    switch (m->kind) {
    case SL_MODULE_LORA:
        one = lora_factors(m);
        ok = factors_fit(a, &one, want, window, err);
        break;
    case SL_MODULE_LOHA:
        one = loha_factors(m, 0);
        two = loha_factors(m, 1);
        ok = factors_fit(a, &one, want, window, err) && factors_fit(a, &two, want, window, err);
        break;
    case SL_MODULE_LOKR:
        ok = lokr_fits(a, m, want, window, err);
        break;
    case SL_MODULE_DIFF:
        ok = whole_fits(a, m->tensor[SL_ROLE_DIFF], want, err);
        break;
    case SL_MODULE_SET:
        ok = whole_fits(a, m->tensor[SL_ROLE_SET], want, err);
        break;
    case SL_MODULE_NONE:
        break;
    }
    if (ok && dora_axis(m, want, window) == DORA_WRONG)
        ok = misfit(a, m->tensor[m->tensor[SL_ROLE_DORA] ? SL_ROLE_DORA : SL_ROLE_MAGNITUDE], err,
                    sl_words("a norm for each output or input of its weight"));
    return ok;
}

bool sl_module_fits_bias(const SlAdapter *a, const SlAdapterModule *m, int64_t rows, SlError *err)
{
    const SlTensorInfo *diff = m->tensor[SL_ROLE_DIFF_BIAS], *up = m->tensor[SL_ROLE_UP_BIAS];
    const Size want = {rows, 1};
    return (!diff || whole_fits(a, diff, want, err)) && (!up || whole_fits(a, up, want, err));
}

/* ---- reading ---- */

static float *room_for(const SlAdapter *a, int64_t n, SlError *err)
{
    float *values =
        (uint64_t)n < SIZE_MAX / sizeof *values ? malloc((size_t)n * sizeof *values + 1) : NULL;
    if (!values)
        sl_fail(err, SL_MEMORY, "%s: out of memory for a change of %lld numbers",
                sl_show_path(a->path).text, (long long)n);
    return values;
}

/* A tensor as f32, malloc'ed. */
static float *values_of(const SlAdapter *a, const SlTensorInfo *info, SlError *err)
{
    float *values = room_for(a, info->size[0] * sl_adapter_columns(info), err);
    if (values && sl_weights_read_f32(a->file, info, values, err))
        return values;
    free(values);
    return NULL;
}

/* A matrix as the product up [rows, rank] down [rank, columns]. */
typedef struct Product {
    float *up, *down;
    int64_t rank, columns;
} Product;

static void free_product(Product *p)
{
    free(p->up);
    free(p->down);
    *p = (Product){0};
}

/* up [r, rows] as [rows, r] */
static float *turn(const SlAdapter *a, float *up, int64_t rank, int64_t rows, SlError *err)
{
    float *turned = room_for(a, rank * rows, err);
    for (int64_t o = 0; turned && o < rows; o++)
        for (int64_t m = 0; m < rank; m++)
            turned[o * rank + m] = up[m * rows + o];
    free(up);
    return turned;
}

/* down[m, i, :] = sum over n of core[m, n, :] down[n, i] */
static float *put_core(const SlAdapter *a, const Factors *f, float *down, SlError *err)
{
    int64_t inputs = sl_adapter_columns(f->down), inner = f->core->size[1];
    int64_t window = sl_adapter_columns(f->core) / inner, rank = f->core->size[0];
    float *core = values_of(a, f->core, err);
    float *out = core ? room_for(a, rank * inputs * window, err) : NULL;
    if (out)
        memset(out, 0, (size_t)(rank * inputs * window) * sizeof *out);
    for (int64_t m = 0; out && m < rank; m++)
        for (int64_t n = 0; n < inner; n++)
            for (int64_t i = 0; i < inputs; i++)
                for (int64_t w = 0; w < window; w++)
                    out[(m * inputs + i) * window + w] +=
                        core[(m * inner + n) * window + w] * down[n * inputs + i];
    free(core);
    free(down);
    return out;
}

static bool read_product(const SlAdapter *a, const Factors *f, Product *p, SlError *err)
{
    p->rank = up_rank(f);
    p->columns = sl_adapter_columns(f->down);
    p->up = values_of(a, f->up, err);
    if (p->up && f->turned)
        p->up = turn(a, p->up, p->rank, up_rows(f), err);
    p->down = p->up ? values_of(a, f->down, err) : NULL;
    if (p->down && f->core) {
        p->columns *= sl_adapter_columns(f->core) / f->core->size[1];
        p->down = put_core(a, f, p->down, err);
    }
    return p->down != NULL;
}

/* Rows and columns whose sums stay in registers. Every sum is made in the order of the rank, so that how
 * they are grouped does not show. */
#define ROWS 4
#define WIDE 8
typedef float Four __attribute__((vector_size(16), aligned(4), may_alias));

static void product_tile(const Product *p, const float *up, int64_t column, float *out)
{
    Four sum[ROWS][2] = {{{0}}};
    for (int64_t r = 0; r < p->rank; r++) {
        const float *down = p->down + r * p->columns + column;
        const Four left = *(const Four *)down, right = *(const Four *)(down + 4);
        for (int row = 0; row < ROWS; row++) {
            float factor = up[row * p->rank + r];
            sum[row][0] += factor * left;
            sum[row][1] += factor * right;
        }
    }
    for (int row = 0; row < ROWS; row++)
        memcpy(out + row * p->columns + column, sum[row], sizeof sum[row]);
}

/* What is left over: less wide, or fewer rows. */
static void product_rest(const Product *p, const float *up, int64_t column, float *out)
{
    for (int64_t c = column; c < p->columns; c++) {
        float sum = 0;
        for (int64_t r = 0; r < p->rank; r++)
            sum += up[r] * p->down[r * p->columns + c];
        out[c] = sum;
    }
}

/* Rows of the matrix, at most ROWS. */
static void product_rows(const Product *p, int64_t first, int rows, float *out)
{
    const float *up = p->up + first * p->rank;
    int64_t column = 0;
    for (; rows == ROWS && column + WIDE <= p->columns; column += WIDE)
        product_tile(p, up, column, out);
    for (int row = 0; row < rows; row++)
        product_rest(p, up + row * p->rank, column, out + row * p->columns);
}

/* ---- the change of a weight ---- */

typedef struct Merge {
    const SlAdapterModule *module;
    Product one, two;
    float *first, *second; /* LoKr: the factors; full: the numbers */
    Size first_size, second_size;
    float scale;
    double strength;
    DoraAxis axis;
    float *dora;
    double *norm; /* DORA_IN: of each input, over all outputs */
    float *changed;
    int64_t window;
    float *values; /* the weight */
    Size size;
    bool no_memory; /* atomic */
} Merge;

/* A LoKr's factor, whole. */
static float *lokr_values(const SlAdapter *a, const SlAdapterModule *m, int i, Size size,
                          SlError *err)
{
    const Factors f = lokr_factors(m, i);
    Product p = {0};
    if (lokr_whole(m, i))
        return values_of(a, lokr_whole(m, i), err);
    float *values =
        read_product(a, &f, &p, err) ? room_for(a, size.rows * size.columns, err) : NULL;
    for (int64_t row = 0; values && row < size.rows; row += ROWS) {
        int rows = size.rows - row < ROWS ? (int)(size.rows - row) : ROWS;
        product_rows(&p, row, rows, values + row * size.columns);
    }
    free_product(&p);
    return values;
}

static bool read_module(const SlAdapter *a, Merge *j, SlError *err)
{
    const SlAdapterModule *m = j->module;
    const bool loha = m->kind == SL_MODULE_LOHA;
    Factors f;
    switch (m->kind) {
    case SL_MODULE_LORA:
    case SL_MODULE_LOHA:
        f = loha ? loha_factors(m, 0) : lora_factors(m);
        if (!read_product(a, &f, &j->one, err))
            return false;
        f = loha_factors(m, 1);
        return !loha || read_product(a, &f, &j->two, err);
    case SL_MODULE_LOKR:
        j->first_size = lokr_size(m, 0, 1);
        j->second_size = lokr_size(m, 1, j->window);
        j->first = lokr_values(a, m, 0, j->first_size, err);
        j->second = j->first ? lokr_values(a, m, 1, j->second_size, err) : NULL;
        if (lokr_whole(m, 0) && lokr_whole(m, 1))
            j->scale = 1;
        return j->second != NULL;
    case SL_MODULE_DIFF:
    case SL_MODULE_SET:
        j->scale = 1;
        j->first =
            values_of(a, m->tensor[m->kind == SL_MODULE_DIFF ? SL_ROLE_DIFF : SL_ROLE_SET], err);
        return j->first != NULL;
    case SL_MODULE_NONE:
        break;
    }
    return true;
}

static bool read_dora(const SlAdapter *a, Merge *j, SlError *err)
{
    const SlAdapterModule *m = j->module;
    const SlTensorInfo *info =
        m->tensor[m->tensor[SL_ROLE_MAGNITUDE] ? SL_ROLE_MAGNITUDE : SL_ROLE_DORA];
    j->axis = dora_axis(m, j->size, j->window);
    if (j->axis == DORA_NONE)
        return true;
    j->dora = values_of(a, info, err);
    if (!j->dora || j->axis == DORA_OUT)
        return j->dora != NULL;
    j->changed = room_for(a, j->size.rows * j->size.columns, err);
    j->norm = calloc((size_t)(j->size.columns / j->window) + 1, sizeof *j->norm);
    if (j->changed && !j->norm)
        sl_fail(err, SL_MEMORY, "%s: out of memory", sl_show_path(a->path).text);
    return j->changed && j->norm;
}

/* dW of a row, of those that are no products. */
static void change_row(const Merge *j, int64_t row, float *out)
{
    int64_t n = j->size.columns;
    const float *values = j->values + row * n;
    if (j->module->kind == SL_MODULE_LOKR) {
        int64_t each = j->second_size.columns;
        const float *first = j->first + row / j->second_size.rows * j->first_size.columns;
        const float *second = j->second + row % j->second_size.rows * each;
        for (int64_t c = 0; c < j->first_size.columns; c++)
            for (int64_t e = 0; e < each; e++)
                out[c * each + e] = first[c] * second[e];
    } else if (j->module->kind == SL_MODULE_DIFF) {
        memcpy(out, j->first + row * n, (size_t)n * sizeof *out);
    } else if (j->module->kind == SL_MODULE_SET) {
        for (int64_t i = 0; i < n; i++)
            out[i] = j->first[row * n + i] - values[i];
    } else {
        memset(out, 0, (size_t)n * sizeof *out);
    }
}

/* dW of rows, at most ROWS, without the scale; spare is as long. */
static void change_rows(const Merge *j, int64_t first, int rows, float *out, float *spare)
{
    int64_t n = j->size.columns;
    const SlModuleKind kind = j->module->kind;
    bool product = kind == SL_MODULE_LORA || kind == SL_MODULE_LOHA;
    if (product)
        product_rows(&j->one, first, rows, out);
    if (kind == SL_MODULE_LOHA) {
        product_rows(&j->two, first, rows, spare);
        for (int64_t i = 0; i < rows * n; i++)
            out[i] *= spare[i];
    }
    for (int row = 0; !product && row < rows; row++)
        change_row(j, first + row, out + row * n);
}

/* The row's values become W + s (V factor - W). */
static void blend(float *values, const float *v, double factor, double strength, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        values[i] += (float)(strength * (factor * v[i] - values[i]));
}

/* out: what changes of the row. */
static void merge_row(const Merge *j, int64_t row, float *out)
{
    int64_t n = j->size.columns;
    float *values = j->values + row * n, scale = (float)(j->strength * j->scale);
    if (j->axis == DORA_NONE) {
        for (int64_t i = 0; i < n; i++)
            values[i] += scale * out[i];
        return;
    }
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        out[i] = values[i] + j->scale * out[i];
        sum += (double)out[i] * out[i];
    }
    if (j->axis == DORA_OUT)
        blend(values, out, sum > 0 ? j->dora[row] / sqrt(sum) : 0, j->strength, n);
    else
        memcpy(j->changed + row * n, out, (size_t)n * sizeof *out);
}

static void merge_rows(void *arg, int64_t first, int64_t last)
{
    Merge *j = arg;
    int64_t n = j->size.columns;
    float *out = malloc(2 * ROWS * (size_t)n * sizeof *out);
    if (!out)
        __atomic_store_n(&j->no_memory, true, __ATOMIC_RELAXED);
    for (int64_t row = first; out && row < last; row += ROWS) {
        int rows = last - row < ROWS ? (int)(last - row) : ROWS;
        change_rows(j, row, rows, out, out + ROWS * n);
        for (int i = 0; i < rows; i++)
            merge_row(j, row + i, out + i * n);
    }
    free(out);
}

/* Norms over the outputs: known only when all rows are. */
static void finish_inputs(Merge *j)
{
    int64_t n = j->size.columns, inputs = n / j->window;
    for (int64_t row = 0; row < j->size.rows; row++)
        for (int64_t i = 0; i < n; i++)
            j->norm[i / j->window] += (double)j->changed[row * n + i] * j->changed[row * n + i];
    for (int64_t i = 0; i < inputs; i++)
        j->norm[i] = j->norm[i] > 0 ? j->dora[i] / sqrt(j->norm[i]) : 0;
    for (int64_t row = 0; row < j->size.rows; row++)
        for (int64_t i = 0; i < n; i++)
            blend(j->values + row * n + i, j->changed + row * n + i, j->norm[i / j->window],
                  j->strength, 1);
}

static bool merge_weight(const SlAdapter *a, Merge *j, SlDevice *dev, SlError *err)
{
    bool ok = read_module(a, j, err) && read_dora(a, j, err);
    if (ok) {
        int64_t grain = (((int64_t)1 << 16) / (j->size.columns + 1) / ROWS + 1) * ROWS;
        sl_parallel_for(dev, j->size.rows, grain, merge_rows, j);
        if (j->no_memory)
            ok = sl_fail(err, SL_MEMORY, "%s: out of memory for a row of a weight",
                         sl_show_path(a->path).text);
        ok = ok && sl_device_check(dev, err);
    }
    if (ok && j->axis == DORA_IN)
        finish_inputs(j);
    free_product(&j->one);
    free_product(&j->two);
    free(j->first);
    free(j->second);
    free(j->dora);
    free(j->norm);
    free(j->changed);
    return ok;
}

/* ---- the change of a bias ---- */

static bool add_bias(const SlAdapter *a, const SlTensorInfo *info, double factor,
                     const SlTensor *values, SlError *err)
{
    float *to = values->data, *diff = info ? values_of(a, info, err) : NULL;
    int64_t n = sl_tensor_elements(values);
    for (int64_t i = 0; diff && i < n; i++)
        to[i] += (float)factor * diff[i];
    free(diff);
    return !info || diff;
}

bool sl_module_apply(const SlAdapter *a, const SlAdapterModule *m, bool bias, SlDevice *dev,
                     const SlAdapterChange *change, SlError *err)
{
    const SlTensor *values = change->values;
    if (bias)
        return add_bias(a, m->tensor[SL_ROLE_DIFF_BIAS], change->strength, values, err) &&
               add_bias(a, m->tensor[SL_ROLE_UP_BIAS], change->strength * m->scale, values, err);
    Merge job = {.module = m,
                 .scale = m->scale,
                 .strength = change->strength,
                 .values = values->data,
                 .window = 1,
                 .size = {values->size[0], 1}};
    for (int i = 1; i < values->rank; i++) {
        job.size.columns *= values->size[i];
        job.window *= i > 1 ? values->size[i] : 1;
    }
    if (m->kind == SL_MODULE_NONE && !m->tensor[SL_ROLE_DORA] && !m->tensor[SL_ROLE_MAGNITUDE])
        return true;
    return merge_weight(a, &job, dev, err);
}
