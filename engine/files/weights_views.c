/* weights_views.c - see weights_views.h. A view is a source of one tensor over one or two others.
 *
 * Easy to get wrong: a reader asks for any range of bytes, so every view computes an element from
 * its place alone, not from where the range began; shapes are a file's, so that every product of
 * sizes may wrap.
 */
#include "engine/files/weights_views.h"

#include "engine/files/name_table.h"
#include "engine/files/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_AXES 8

typedef bool (*ReadView)(const SlWeightView *v, uint64_t first, uint64_t bytes, void *out,
                         SlError *err);

/* A tensor of a source that a view reads. */
typedef struct Under {
    SlWeightSource *source; /* held */
    const SlTensorInfo *info;
} Under;

struct SlWeightView {
    SlWeightSource base;
    SlTensorInfo info;
    char *name; /* its own, where it was renamed */
    Under over, second;
    ReadView read;
    uint64_t first; /* rows: bytes before the first */
    float scale;    /* sum */
};

/* ---- a view as a source ---- */

static size_t view_count(const SlWeightSource *s)
{
    return 1;
}

static const SlTensorInfo *view_info(const SlWeightSource *s, size_t i)
{
    return &((const SlWeightView *)s)->info;
}

static const SlTensorInfo *view_find(const SlWeightSource *s, const char *name)
{
    const SlWeightView *v = (const SlWeightView *)s;
    return strcmp(v->info.name, name) ? NULL : &v->info;
}

static bool view_read(const SlWeightSource *s, size_t i, uint64_t first, uint64_t bytes, void *out,
                      SlError *err)
{
    const SlWeightView *v = (const SlWeightView *)s;
    return v->read(v, first, bytes, out, err);
}

static const char *view_metadata(const SlWeightSource *s, const char *key)
{
    return sl_weights_metadata(((const SlWeightView *)s)->over.source, key);
}

static int view_files(const SlWeightSource *s)
{
    return sl_weights_files(((const SlWeightView *)s)->over.source);
}

static const char *view_file(const SlWeightSource *s, int i)
{
    return sl_weights_file(((const SlWeightView *)s)->over.source, i);
}

static const char *view_file_of(const SlWeightSource *s, size_t i)
{
    const SlWeightView *v = (const SlWeightView *)s;
    return sl_weights_file_of(v->over.source, v->over.info);
}

static void view_close(SlWeightSource *s)
{
    SlWeightView *v = (SlWeightView *)s;
    sl_weights_close(v->over.source);
    sl_weights_close(v->second.source);
    free(v->name);
    free(v);
}

static const SlWeightSourceOps view_ops = {
    .count = view_count,
    .info = view_info,
    .find = view_find,
    .read = view_read,
    .metadata = view_metadata,
    .files = view_files,
    .file = view_file,
    .file_of = view_file_of,
    .close = view_close,
};

/* ---- making them ---- */

/* Takes the references over. NULL and *err without memory. */
static SlWeightView *new_view(Under over, Under second, ReadView read, SlError *err)
{
    SlWeightView *v = calloc(1, sizeof *v);
    if (!v) {
        sl_fail(err, SL_MEMORY, "out of memory for a view of the tensor \"%s\"",
                sl_show_name(over.info->name).text);
        sl_weights_close(over.source);
        sl_weights_close(second.source);
        return NULL;
    }
    sl_source_init(&v->base, &view_ops);
    v->info = *over.info;
    v->info.index = 0;
    v->over = over;
    v->second = second;
    v->read = read;
    return v;
}

static Under under(SlWeightView *v)
{
    return (Under){&v->base, &v->info};
}

static void free_view(SlWeightView *v)
{
    if (v)
        sl_weights_close(&v->base);
}

/* The view is given up with a sentence about its tensor. */
__attribute__((format(printf, 4, 5))) static SlWeightView *refuse(SlWeightView *v, SlCode code,
                                                                  SlError *err, const char *format,
                                                                  ...)
{
    char found[600];
    va_list args;
    va_start(args, format);
    vsnprintf(found, sizeof found, format, args);
    va_end(args);
    sl_fail(err, code, "%s: tensor \"%s\" %s",
            sl_show_path(sl_weights_file_of(&v->base, &v->info)).text,
            sl_show_name(v->info.stored_name).text, found);
    free_view(v);
    return NULL;
}

/* What every view of numbers needs. */
static bool holds_numbers(const SlWeightView *v)
{
    return v->info.storage != NULL;
}

static SlWeightView *refuse_type(SlWeightView *v, SlError *err)
{
    return refuse(v, SL_UNSUPPORTED, err, sl_words("has the dtype %s; expected %s"),
                  v->info.dtype_name, sl_storage_names());
}

/* What a view computes in a plain type. */
static void set_storage(SlTensorInfo *info, const SlStorage *storage, uint64_t elements)
{
    info->storage = storage;
    info->dtype = storage->dtype;
    info->known = true;
    snprintf(info->dtype_name, sizeof info->dtype_name, "%s", storage->name);
    info->bytes = elements * storage->bytes;
}

/* ---- as it is, renamed, reshaped, rows ---- */

static bool read_shifted(const SlWeightView *v, uint64_t first, uint64_t bytes, void *out,
                         SlError *err)
{
    const SlWeightSource *s = v->over.source;
    return s->ops->read(s, v->over.info->index, v->first + first, bytes, out, err);
}

SlWeightView *sl_view_of(SlWeightSource *source, const SlTensorInfo *info, SlError *err)
{
    return new_view((Under){sl_weights_hold(source), info}, (Under){0}, read_shifted, err);
}

SlWeightView *sl_view_renamed(SlWeightView *v, const char *name, SlError *err)
{
    char *copy = v ? strdup(name) : NULL;
    if (!v)
        return NULL;
    if (!copy)
        return refuse(v, SL_MEMORY, err, sl_words("cannot be renamed: out of memory"));
    free(v->name);
    v->name = copy;
    v->info.name = copy;
    return v;
}

SlWeightView *sl_view_reshaped(SlWeightView *v, int rank, const int64_t *size, SlError *err)
{
    uint64_t elements = 1;
    bool fits = rank >= 0 && rank <= MAX_AXES;
    if (!v)
        return NULL;
    for (int i = 0; fits && i < rank; i++)
        fits = size[i] >= 0 && !__builtin_mul_overflow(elements, (uint64_t)size[i], &elements);
    if (!fits || elements != sl_tensor_info_elements(&v->info))
        return refuse(
            v, SL_FORMAT, err,
            sl_words("has %llu elements, which do not fit the %d axes that it should have"),
            (unsigned long long)sl_tensor_info_elements(&v->info), rank);
    v->info.rank = rank;
    memcpy(v->info.size, size, (size_t)rank * sizeof *size);
    return v;
}

SlWeightView *sl_view_rows(SlWeightView *v, int64_t first, int64_t count, SlError *err)
{
    if (!v)
        return NULL;
    if (!holds_numbers(v))
        return refuse_type(v, err);
    int64_t all = v->info.rank ? v->info.size[0] : 0;
    if (first < 0 || count < 1 || count > all || first > all - count) {
        int64_t last; /* for the sentence; the numbers can be anything */
        if (__builtin_add_overflow(first, count, &last) || __builtin_sub_overflow(last, 1, &last))
            last = INT64_MAX;
        return refuse(v, SL_FORMAT, err, sl_words("has %lld rows; expected rows %lld to %lld"),
                      (long long)all, (long long)first, (long long)last);
    }
    const SlStorage *s = v->info.storage;
    uint64_t row = sl_tensor_info_elements(&v->info) / (uint64_t)all;
    uint64_t before = row * (uint64_t)first, elements = row * (uint64_t)count;
    if (before % s->elements || elements % s->elements)
        return refuse(
            v, SL_UNSUPPORTED, err,
            sl_words("is stored in blocks of %u elements (%s), and its rows do not end with one"),
            s->elements, s->name);
    SlWeightView *rows = new_view(under(v), (Under){0}, read_shifted, err);
    if (rows) {
        rows->first = before / s->elements * s->bytes;
        rows->info.size[0] = count;
        rows->info.bytes = elements / s->elements * s->bytes;
    }
    return rows;
}

/* ---- transposed ---- */

static bool no_memory(const SlWeightView *v, SlError *err)
{
    return sl_fail(err, SL_MEMORY, "%s: out of memory for the tensor \"%s\"",
                   sl_show_path(sl_weights_file_of(&v->base, &v->info)).text,
                   sl_show_name(v->info.name).text);
}

/* A strip of columns of the stored [N, K], from column `column` on, is what rows of the view are
 * made of. */
typedef struct Strip {
    uint64_t column, columns; /* wanted */
    uint64_t rows;            /* of the stored matrix, read at a time */
    char *held;               /* rows - 1 whole rows and the last one's columns */
} Strip;

/* Rows row .. row + rows - 1 of the strip to their places among the view's elements first .. end
 * - 1. */
static void turn(const SlWeightView *v, const Strip *strip, uint64_t row, uint64_t rows,
                 uint64_t first, uint64_t end, char *out)
{
    uint64_t n = (uint64_t)v->info.size[1], k = (uint64_t)v->info.size[0];
    size_t size = v->info.storage->bytes;
    for (uint64_t r = 0; r < rows; r++)
        for (uint64_t c = 0; c < strip->columns; c++) {
            uint64_t to = (strip->column + c) * n + row + r;
            if (to >= first && to < end)
                memcpy(out + (to - first) * size, strip->held + (r * k + c) * size, size);
        }
}

static bool read_transposed(const SlWeightView *v, uint64_t first, uint64_t bytes, void *out,
                            SlError *err)
{
    enum { AT_ONCE = 1 << 15 };
    uint64_t n = (uint64_t)v->info.size[1], k = (uint64_t)v->info.size[0];
    size_t size = v->info.storage->bytes;
    if (bytes == 0)
        return true;
    first /= size;
    uint64_t end = first + bytes / size;
    Strip strip = {.column = first / n, .columns = (end - 1) / n + 1 - first / n, .rows = 1};
    if (strip.columns * 2 >= k && k < AT_ONCE) /* the columns between cost less than another read */
        strip.rows = AT_ONCE / k < n ? AT_ONCE / k : n;
    strip.held = malloc((size_t)(((strip.rows - 1) * k + strip.columns) * size));
    bool ok = strip.held || no_memory(v, err);
    for (uint64_t row = 0; ok && row < n; row += strip.rows) {
        uint64_t rows = n - row < strip.rows ? n - row : strip.rows;
        ok = sl_source_read(v->over.source, v->over.info, row * k + strip.column,
                            (rows - 1) * k + strip.columns, v->info.dtype, strip.held, err);
        if (ok)
            turn(v, &strip, row, rows, first, end, out);
    }
    free(strip.held);
    return ok;
}

SlWeightView *sl_view_transposed(SlWeightView *v, SlError *err)
{
    if (!v)
        return NULL;
    if (!holds_numbers(v))
        return refuse_type(v, err);
    if (v->info.rank != 2)
        return refuse(v, SL_FORMAT, err,
                      sl_words("has %d axes; expected 2: only a matrix can be transposed"),
                      v->info.rank);
    SlWeightView *turned = new_view(under(v), (Under){0}, read_transposed, err);
    if (turned) {
        turned->info.size[0] = v->info.size[1];
        turned->info.size[1] = v->info.size[0];
        turned->info.scattered = true;
        if (!v->info.storage->plain)
            set_storage(&turned->info, sl_storage_of(SL_F32), sl_tensor_info_elements(&v->info));
    }
    return turned;
}

/* ---- converted ---- */

static bool read_converted(const SlWeightView *v, uint64_t first, uint64_t bytes, void *out,
                           SlError *err)
{
    size_t size = v->info.storage->bytes;
    return sl_source_read(v->over.source, v->over.info, first / size, bytes / size, v->info.dtype,
                          out, err);
}

SlWeightView *sl_view_converted(SlWeightView *v, SlDtype dtype, SlError *err)
{
    const SlStorage *to = sl_storage_of(dtype);
    uint64_t elements = v ? sl_tensor_info_elements(&v->info) : 0, bytes;
    if (!v)
        return NULL;
    if (!holds_numbers(v) || !to)
        return refuse_type(v, err);
    if (__builtin_mul_overflow(elements, (uint64_t)to->bytes, &bytes))
        return refuse(v, SL_FORMAT, err, sl_words("is too large to be converted"));
    SlWeightView *converted = new_view(under(v), (Under){0}, read_converted, err);
    if (converted)
        set_storage(&converted->info, to, elements);
    return converted;
}

/* ---- products and sums ---- */

/* The axes behind the first as one. */
static uint64_t columns(const SlTensorInfo *info)
{
    return info->size[0] ? sl_tensor_info_elements(info) / (uint64_t)info->size[0] : 0;
}

/* Elements first .. first + count - 1 as f32, malloc'ed. */
static float *values_of(const SlWeightView *v, const Under *of, uint64_t first, uint64_t count,
                        SlError *err)
{
    float *values =
        count <= SIZE_MAX / sizeof *values ? malloc((size_t)count * sizeof *values) : NULL;
    if (!values) {
        no_memory(v, err);
        return NULL;
    }
    if (sl_source_read(of->source, of->info, first, count, SL_F32, values, err))
        return values;
    free(values);
    return NULL;
}

static bool read_product(const SlWeightView *v, uint64_t first, uint64_t bytes, void *out,
                         SlError *err)
{
    uint64_t k = (uint64_t)v->info.size[1], r = (uint64_t)v->second.info->size[0];
    uint64_t end = first / sizeof(float) + bytes / sizeof(float);
    float *to = out;
    first /= sizeof(float);
    if (bytes == 0)
        return true;
    uint64_t row = first / k, rows = (end - 1) / k + 1 - row;
    float *up = values_of(v, &v->over, row * r, rows * r, err);
    float *down = up ? values_of(v, &v->second, 0, r * k, err) : NULL;
    memset(out, 0, (size_t)bytes);
    for (uint64_t i = row; down && i < row + rows; i++) {
        uint64_t from = i * k > first ? 0 : first - i * k,
                 to_column = end - i * k < k ? end - i * k : k;
        float *line = to + (i * k + from - first);
        for (uint64_t j = 0; j < r; j++) {
            float factor = up[(i - row) * r + j];
            for (uint64_t c = from; c < to_column; c++)
                line[c - from] += factor * down[j * k + c];
        }
    }
    free(up);
    free(down);
    return down != NULL;
}

static SlWeightView *refuse_two(SlWeightView *a, SlWeightView *b, SlCode code, SlError *err,
                                const char *what)
{
    if (a && b)
        sl_fail(err, code, "%s: the tensors \"%s\" and \"%s\" %s",
                sl_show_path(sl_weights_file_of(&a->base, &a->info)).text,
                sl_show_name(a->info.stored_name).text, sl_show_name(b->info.stored_name).text,
                what);
    free_view(a);
    free_view(b);
    return NULL;
}

SlWeightView *sl_view_product(SlWeightView *up, SlWeightView *down, SlError *err)
{
    uint64_t elements, bytes;
    if (!up || !down)
        return refuse_two(up, down, SL_OK, NULL, "");
    if (!holds_numbers(up) || !holds_numbers(down))
        return refuse_two(up, down, SL_UNSUPPORTED, err,
                          sl_words("are not both stored as numbers"));
    if (up->info.rank < 2 || down->info.rank < 2 || down->info.size[0] < 1 ||
        columns(&up->info) != (uint64_t)down->info.size[0] || columns(&down->info) == 0)
        return refuse_two(up, down, SL_FORMAT, err,
                          sl_words("are not the two factors of a product"));
    if (__builtin_mul_overflow((uint64_t)up->info.size[0], columns(&down->info), &elements) ||
        __builtin_mul_overflow(elements, (uint64_t)sizeof(float), &bytes))
        return refuse_two(up, down, SL_FORMAT, err,
                          sl_words("have a product that is larger than any file"));
    SlWeightView *product = new_view(under(up), under(down), read_product, err);
    if (product) {
        product->info.rank = 2;
        product->info.size[1] = (int64_t)columns(&down->info);
        product->info.scattered = true;
        set_storage(&product->info, sl_storage_of(SL_F32), elements);
    }
    return product;
}

static bool read_sum(const SlWeightView *v, uint64_t first, uint64_t bytes, void *out, SlError *err)
{
    uint64_t count = bytes / sizeof(float);
    float *sum = out;
    first /= sizeof(float);
    if (!sl_source_read(v->over.source, v->over.info, first, count, SL_F32, sum, err))
        return false;
    float *delta = values_of(v, &v->second, first, count, err);
    for (uint64_t i = 0; delta && i < count; i++)
        sum[i] += v->scale * delta[i];
    free(delta);
    return delta != NULL;
}

SlWeightView *sl_view_sum(SlWeightView *base, SlWeightView *delta, float scale, SlError *err)
{
    uint64_t bytes;
    if (!base || !delta)
        return refuse_two(base, delta, SL_OK, NULL, "");
    if (!holds_numbers(base) || !holds_numbers(delta))
        return refuse_two(base, delta, SL_UNSUPPORTED, err,
                          sl_words("are not both stored as numbers"));
    bool same = base->info.rank == delta->info.rank;
    for (int i = 0; same && i < base->info.rank; i++)
        same = base->info.size[i] == delta->info.size[i];
    uint64_t elements = sl_tensor_info_elements(&base->info);
    if (!same || __builtin_mul_overflow(elements, (uint64_t)sizeof(float), &bytes))
        return refuse_two(base, delta, SL_FORMAT, err,
                          sl_words("have different shapes and cannot be added"));
    SlWeightView *sum = new_view(under(base), under(delta), read_sum, err);
    if (sum) {
        sum->scale = scale;
        sum->info.scattered = base->info.scattered || delta->info.scattered;
        set_storage(&sum->info, sl_storage_of(SL_F32), elements);
    }
    return sum;
}

static bool read_scaled(const SlWeightView *v, uint64_t first, uint64_t bytes, void *out,
                        SlError *err)
{
    uint64_t count = bytes / sizeof(float), scales = sl_tensor_info_elements(v->second.info);
    uint64_t row = sl_tensor_info_elements(&v->info) / scales; /* elements with one scale */
    float *values = out;
    first /= sizeof(float);
    if (count == 0)
        return true;
    if (!sl_source_read(v->over.source, v->over.info, first, count, SL_F32, values, err))
        return false;
    uint64_t from = first / row, rows = (first + count - 1) / row + 1 - from;
    float *scale = values_of(v, &v->second, from, rows, err);
    for (uint64_t i = 0; scale && i < count; i++)
        values[i] *= scale[(first + i) / row - from];
    free(scale);
    return scale != NULL;
}

SlWeightView *sl_view_scaled(SlWeightView *base, SlWeightView *scale, SlError *err)
{
    uint64_t bytes;
    if (!base || !scale)
        return refuse_two(base, scale, SL_OK, NULL, "");
    if (!holds_numbers(base) || !holds_numbers(scale))
        return refuse_two(base, scale, SL_UNSUPPORTED, err,
                          sl_words("are not both stored as numbers"));
    uint64_t elements = sl_tensor_info_elements(&base->info);
    uint64_t scales = sl_tensor_info_elements(&scale->info);
    bool whole = scales == 1;
    bool rows = scales > 0 && base->info.rank > 0 && (uint64_t)base->info.size[0] == scales;
    if ((!whole && !rows) || __builtin_mul_overflow(elements, (uint64_t)sizeof(float), &bytes))
        return refuse_two(
            base, scale, SL_FORMAT, err,
            sl_words("do not fit each other: expected one scale, or one for each row"));
    SlWeightView *scaled = new_view(under(base), under(scale), read_scaled, err);
    if (scaled)
        set_storage(&scaled->info, sl_storage_of(SL_F32), elements);
    return scaled;
}

/* ---- sets ---- */

struct SlWeightSet {
    SlWeightSource base;
    SlWeightSource **from;
    int from_count;
    SlTensorInfo *infos; /* of the views, with their places here */
    SlWeightView **views;
    size_t count, room;
    SlNameTable *names;
};

static size_t set_count(const SlWeightSource *s)
{
    return ((const SlWeightSet *)s)->count;
}

static const SlTensorInfo *set_info(const SlWeightSource *s, size_t i)
{
    return &((const SlWeightSet *)s)->infos[i];
}

static const SlTensorInfo *set_find(const SlWeightSource *s, const char *name)
{
    const SlWeightSet *set = (const SlWeightSet *)s;
    size_t i;
    return sl_name_table_find(set->names, name, &i) ? &set->infos[i] : NULL;
}

static bool set_read(const SlWeightSource *s, size_t i, uint64_t first, uint64_t bytes, void *out,
                     SlError *err)
{
    const SlWeightView *v = ((const SlWeightSet *)s)->views[i];
    return v->read(v, first, bytes, out, err);
}

static const char *set_metadata(const SlWeightSource *s, const char *key)
{
    return sl_weights_metadata(((const SlWeightSet *)s)->from[0], key);
}

static int set_files(const SlWeightSource *s)
{
    const SlWeightSet *set = (const SlWeightSet *)s;
    int files = 0;
    for (int i = 0; i < set->from_count; i++)
        files += sl_weights_files(set->from[i]);
    return files;
}

static const char *set_file(const SlWeightSource *s, int i)
{
    const SlWeightSet *set = (const SlWeightSet *)s;
    int from = 0;
    for (; i >= sl_weights_files(set->from[from]); from++)
        i -= sl_weights_files(set->from[from]);
    return sl_weights_file(set->from[from], i);
}

static const char *set_file_of(const SlWeightSource *s, size_t i)
{
    const SlWeightView *v = ((const SlWeightSet *)s)->views[i];
    return sl_weights_file_of(&v->base, &v->info);
}

static void set_close(SlWeightSource *s)
{
    sl_weight_set_free((SlWeightSet *)s);
}

static const SlWeightSourceOps set_ops = {
    .count = set_count,
    .info = set_info,
    .find = set_find,
    .read = set_read,
    .metadata = set_metadata,
    .files = set_files,
    .file = set_file,
    .file_of = set_file_of,
    .close = set_close,
};

SlWeightSet *sl_weight_set_new(SlWeightSource *from, SlError *err)
{
    SlWeightSet *set = calloc(1, sizeof *set);
    if (!set) {
        sl_fail(err, SL_MEMORY, "%s: out of memory", sl_show_path(sl_weights_file(from, 0)).text);
        return NULL;
    }
    sl_source_init(&set->base, &set_ops);
    if (sl_weight_set_also_from(set, from, err))
        return set;
    sl_weight_set_free(set);
    return NULL;
}

void sl_weight_set_free(SlWeightSet *set)
{
    if (!set)
        return;
    for (size_t i = 0; i < set->count; i++)
        free_view(set->views[i]);
    for (int i = 0; i < set->from_count; i++)
        sl_weights_close(set->from[i]);
    sl_name_table_free(set->names);
    free(set->infos);
    free(set->views);
    free(set->from);
    free(set);
}

bool sl_weight_set_also_from(SlWeightSet *set, SlWeightSource *from, SlError *err)
{
    size_t bytes = (size_t)(set->from_count + 1) * sizeof(SlWeightSource *);
    SlWeightSource **moved = realloc(set->from, bytes);
    if (!moved)
        return sl_fail(err, SL_MEMORY, "%s: out of memory",
                       sl_show_path(sl_weights_file(from, 0)).text);
    set->from = moved;
    set->from[set->from_count++] = sl_weights_hold(from);
    return true;
}

bool sl_weight_set_add(SlWeightSet *set, SlWeightView *v, SlError *err)
{
    if (!v)
        return false;
    if (set->count == set->room) {
        size_t room = set->room ? set->room * 2 : 256;
        SlWeightView **moved = realloc(set->views, room * sizeof(SlWeightView *));
        if (!moved) {
            no_memory(v, err);
            free_view(v);
            return false;
        }
        set->views = moved;
        set->room = room;
    }
    set->views[set->count++] = v;
    return true;
}

SlWeightSource *sl_weight_set_finish(SlWeightSet *set, SlError *err)
{
    const char *file = sl_weights_file(set->from[0], 0);
    bool ok = set->count > 0 ||
              sl_fail(err, SL_FORMAT, "%s: the file contains no tensors", sl_show_path(file).text);
    set->infos = calloc(set->count + 1, sizeof *set->infos);
    set->names = sl_name_table_new(set->count);
    if (ok && (!set->infos || !set->names))
        ok = sl_fail(err, SL_MEMORY, "%s: out of memory", sl_show_path(file).text);
    for (size_t i = 0; ok && i < set->count; i++) {
        set->infos[i] = set->views[i]->info;
        set->infos[i].index = i;
        if (!sl_name_table_add(set->names, set->infos[i].name, i))
            ok = sl_fail(err, SL_FORMAT, "%s: tensor \"%s\" is there twice",
                         sl_show_path(set_file_of(&set->base, i)).text,
                         sl_show_name(set->infos[i].name).text);
    }
    if (ok)
        return &set->base;
    sl_weight_set_free(set);
    return NULL;
}
