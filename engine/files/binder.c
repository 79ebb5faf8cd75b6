/* binder.c - see weights.h: checks each weight that a model asks for and gives it to the device.
 *
 * Where the device lays a weight out while it reads it (sl_weight_reads), it gets a reader; elsewhere
 * a weight is read into memory that all of a part's have in common, and copied from there. The first
 * touch of memory is dear, so none is used twice where once will do.
 *
 * The binder lives as long as the model, and reads while the model is built only: it holds the
 * source until sl_binder_finish and has none afterwards, so that nothing can be read too late. Where
 * weights wait for the first product that wants them, it holds it until they are settled.
 *
 * Easy to get wrong: a model asks for all its weights before anyone looks at the result, so a
 * complaint is kept and the first one told at the end; after a failure of the device nothing more
 * is read.
 */
#include "engine/files/binder_kept.h"
#include "engine/files/binder_match.h"
#include "engine/files/binder_random.h"
#include "engine/files/utf8.h"
#include "engine/files/weights.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STACKED 8 /* weights of one product, at most */
/* Bytes that tensors are read into, where a file has any so large. */
#define SCRATCH ((uint64_t)64 << 20)

/* The tensors that a weight is made of, one below the other. */
typedef struct Stack {
    const SlTensorInfo *info[STACKED];
    int count;
} Stack;

/* What a weight that waits will be made of. */
typedef struct Waiting {
    SlBinder *b;
    SlWeightKind kind;
    Stack stack;
    SlTensor shape; /* with the host's dtype, without data */
} Waiting;

/* A weight, and the tensors that it was made of. */
typedef struct Bound {
    SlWeight *weight;
    Waiting *waiting; /* NULL: it does not wait */
    char *name[STACKED];
    int names;
} Bound;

struct SlBinder {
    SlBinderOptions options; /* weights: held; NULL once finished */
    SlDtype dtype;           /* computed in */
    bool random;             /* there never was a source */
    bool finished;
    Bound *bound;
    size_t count, room;
    size_t waiting; /* of them */
    bool *used;     /* by index of the tensor in weights */
    uint64_t parameters, bytes_done, bytes_total;
    SlError first; /* the first complaint */
    SlError left;  /* about the first tensor that nobody asked for */
    int complaints;
    void *scratch; /* host memory that a tensor is read into */
    size_t scratch_bytes, scratch_first;
    float *changing; /* the same for one that is changed before it is converted */
    size_t changing_bytes;
    SlKept kept;
    char warning[1000];
};

SlBinder *sl_binder_new(const SlBinderOptions *options)
{
    SlBinder *b = calloc(1, sizeof *b);
    size_t n = options->weights ? sl_weights_count(options->weights) : 0;
    if (!b)
        return NULL;
    b->options = *options;
    b->random = !options->weights;
    b->dtype = options->dev->dtype;
    if (options->own_dtype) {
        SlDtype before = sl_device_use_dtype(options->dev, options->dtype);
        b->dtype = sl_device_use_dtype(options->dev, before);
    }
    b->used = calloc(n + 1, sizeof *b->used);
    if (!b->used) {
        free(b);
        return NULL;
    }
    if (options->weights)
        sl_weights_hold(options->weights);
    for (size_t i = 0; i < n; i++) {
        const SlTensorInfo *info = sl_weights_info(options->weights, i);
        b->bytes_total += info->bytes;
        b->scratch_first = info->bytes > b->scratch_first ? info->bytes : b->scratch_first;
    }
    b->scratch_first = b->scratch_first < SCRATCH ? b->scratch_first : SCRATCH;
    return b;
}

/* Computes with what was made under the part's types. */
typedef struct Types {
    SlDtype dtype;
    bool q8;
} Types;

static Types use_types(const SlBinder *b)
{
    SlDevice *dev = b->options.dev;
    return (Types){sl_device_use_dtype(dev, b->dtype),
                   sl_device_use_q8(dev, b->options.own_dtype ? b->options.q8 : dev->q8)};
}

static void use_types_before(const SlBinder *b, Types before)
{
    sl_device_use_q8(b->options.dev, before.q8);
    sl_device_use_dtype(b->options.dev, before.dtype);
}

static void free_weight(const SlBinder *b, SlWeight *w)
{
    Types before = use_types(b);
    sl_weight_free(b->options.dev, w);
    use_types_before(b, before);
}

void sl_binder_free(SlBinder *b)
{
    if (!b)
        return;
    SlDevice *dev = b->options.dev;
    Types before = use_types(b);
    sl_kept_free(&b->kept, dev, b->count);
    for (size_t i = 0; i < b->count; i++) {
        sl_weight_free(dev, b->bound[i].weight);
        free(b->bound[i].waiting);
        for (int k = 0; k < b->bound[i].names; k++)
            free(b->bound[i].name[k]);
    }
    use_types_before(b, before);
    sl_weights_close(b->options.weights);
    free(b->bound);
    free(b->used);
    free(b->scratch);
    free(b->changing);
    free(b);
}

/* ---- complaints ---- */

__attribute__((format(printf, 3, 4))) static void complain(SlBinder *b, SlCode code,
                                                           const char *format, ...)
{
    va_list args;
    if (b->complaints++)
        return;
    b->first.code = code;
    va_start(args, format);
    vsnprintf(b->first.message, sizeof b->first.message, format, args);
    va_end(args);
}

/* The file for messages about a tensor that is in none. */
static SlShown any_file(const SlBinder *b)
{
    const SlWeightSource *w = b->options.weights;
    SlShown shown = sl_show_path(sl_weights_file(w, 0));
    if (sl_weights_files(w) > 1)
        snprintf(shown.text + strlen(shown.text), sizeof shown.text - strlen(shown.text),
                 sl_words(" and %d more"), sl_weights_files(w) - 1);
    return shown;
}

typedef struct ShapeText {
    char text[200];
} ShapeText;

static ShapeText shape_text(int rank, const int64_t *size)
{
    ShapeText s = {"["};
    size_t used = 1;
    for (int i = 0; i < rank; i++)
        used += (size_t)snprintf(s.text + used, sizeof s.text - used, "%s%lld", i ? ", " : "",
                                 (long long)size[i]);
    snprintf(s.text + used, sizeof s.text - used, "]");
    return s;
}

/* ---- finding ---- */

typedef struct Wanted {
    SlWeightKind kind;
    const char *name;
    int rank;
    const int64_t *size;
} Wanted;

/* The tensor for a weight, with its size and type checked; NULL with a complaint. */
static const SlTensorInfo *find_fitting(SlBinder *b, const Wanted *wanted)
{
    const SlTensorInfo *info = sl_find_stored(b->options.weights, wanted->name);
    if (!info) {
        complain(b, SL_FORMAT, sl_words("%s: tensor \"%s\" is missing; expected one of shape %s"),
                 any_file(b).text, wanted->name, shape_text(wanted->rank, wanted->size).text);
        return NULL;
    }
    SlShown file = sl_show_path(sl_weights_file_of(b->options.weights, info));
    b->used[info->index] = true;
    if (!sl_stored_fits(wanted->kind, wanted->rank, wanted->size, info)) {
        complain(
            b, SL_FORMAT,
            sl_words(
                "%s: tensor \"%s\" has shape %s, expected %s: the file belongs to another model "
                "or config.json is wrong"),
            file.text, sl_show_name(info->name).text, shape_text(info->rank, info->size).text,
            shape_text(wanted->rank, wanted->size).text);
        return NULL;
    }
    if (!info->storage) {
        complain(b, SL_UNSUPPORTED, "%s: tensor \"%s\" has the dtype %s; expected %s", file.text,
                 sl_show_name(info->name).text, info->dtype_name, sl_storage_names());
        return NULL;
    }
    return info;
}

bool sl_binder_has(const SlBinder *b, const char *name)
{
    return b->options.weights && sl_find_stored(b->options.weights, name);
}

/* ---- giving weights to the device ---- */

/* Its first size does for most of a file's tensors: what is not touched costs nothing, and memory of a
 * larger size would be touched anew. */
static void *scratch(SlBinder *b, uint64_t bytes)
{
    if (bytes > b->scratch_bytes) {
        uint64_t room = bytes < b->scratch_first ? b->scratch_first : bytes;
        free(b->scratch);
        b->scratch = room < SIZE_MAX ? malloc((size_t)room) : NULL;
        b->scratch_bytes = b->scratch ? (size_t)room : 0;
    }
    if (!b->scratch)
        complain(b, SL_MEMORY, "%s: out of memory for a tensor of %llu bytes", b->options.component,
                 (unsigned long long)bytes);
    return b->scratch;
}

static bool make_room(SlBinder *b)
{
    if (b->count < b->room)
        return true;
    size_t room = b->room ? b->room * 2 : 256;
    Bound *moved = realloc(b->bound, room * sizeof *moved);
    if (moved) {
        b->bound = moved;
        b->room = room;
    }
    return moved != NULL;
}

/* A weight's values: in the host's memory, or to be read. */
typedef struct Values {
    const SlTensor *host;
    const SlWeightReader *reader; /* NULL: host */
} Values;

static SlWeight *make_weight(SlBinder *b, SlWeightKind kind, const Values *values)
{
    Types before = use_types(b);
    SlWeight *w = values->reader ? sl_weight_read(b->options.dev, kind, values->reader)
                                 : sl_weight_new(b->options.dev, kind, values->host);
    use_types_before(b, before);
    return w;
}

static bool name_tensors(Bound *bound, const Stack *stack)
{
    for (int i = 0; stack && i < stack->count; i++) {
        bound->name[i] = strdup(stack->info[i]->name);
        if (!bound->name[i])
            return false;
        bound->names++;
    }
    return true;
}

/* weight becomes the binder's, and so does waiting (NULL: it does not wait). stack: what it is made of; NULL
 * where it is of no file. The weight; NULL where there is none, or where memory ran out. */
static SlWeight *take(SlBinder *b, SlWeight *weight, const Stack *stack, Waiting *waiting)
{
    Bound bound = {.weight = weight, .waiting = waiting};
    if (weight && make_room(b) && name_tensors(&bound, stack)) {
        SlTensor shape = sl_tensor_view(NULL, SL_F32, weight->rank, weight->size);
        b->bound[b->count++] = bound;
        b->waiting += waiting != NULL;
        b->parameters += (uint64_t)sl_tensor_elements(&shape);
        return weight;
    }
    if (weight) /* otherwise the device's status says why, or what was read */
        complain(b, SL_MEMORY, "%s: out of memory", b->options.component);
    for (int i = 0; i < bound.names; i++)
        free(bound.name[i]);
    free_weight(b, weight);
    free(waiting);
    return NULL;
}

static void report(SlBinder *b, uint64_t bytes)
{
    b->bytes_done += bytes;
    if (b->options.progress)
        b->options.progress(b->options.progress_arg, b->bytes_done, b->bytes_total);
}

/* Host memory for a tensor in f32 that is changed. */
static float *changing(SlBinder *b, uint64_t bytes, SlError *err)
{
    if (bytes > b->changing_bytes) {
        free(b->changing);
        b->changing = bytes < SIZE_MAX ? malloc((size_t)bytes) : NULL;
        b->changing_bytes = b->changing ? (size_t)bytes : 0;
    }
    if (!b->changing)
        sl_fail(err, SL_MEMORY, "%s: out of memory for a tensor of %llu bytes",
                b->options.component, (unsigned long long)bytes);
    return b->changing;
}

/* In f32, changed, and then in the host's type. */
static bool read_changed(SlBinder *b, const SlTensorInfo *info, const SlTensor *host, SlError *err)
{
    const SlWeightChange *change = &b->options.change;
    SlTensor values = sl_tensor_view(host->data, SL_F32, info->rank, info->size);
    size_t n = (size_t)sl_tensor_elements(&values);
    if (host->dtype != SL_F32)
        values.data = changing(b, n * sizeof(float), err);
    if (!values.data ||
        !sl_weights_read_on(b->options.dev, b->options.weights, info, &values, err) ||
        !change->apply(change->arg, b->options.dev, info->name, &values, err))
        return false;
    if (host->dtype != SL_F32)
        sl_convert(values.data, SL_F32, host->data, host->dtype, n);
    return true;
}

/* Reads into the host's tensor; a failure becomes the complaint. */
static bool read_into(SlBinder *b, const SlTensorInfo *info, const SlTensor *host)
{
    const SlWeightChange *change = &b->options.change;
    SlError err = {0};
    bool changes = change->touches && change->touches(change->arg, info->name);
    if (changes ? read_changed(b, info, host, &err)
                : sl_weights_read_on(b->options.dev, b->options.weights, info, host, &err))
        return true;
    complain(b, err.code, "%s", err.message);
    return false;
}

/* What the device will hold a weight in that a file stores in `stored`. */
static SlDtype held_dtype(const SlBinder *b, SlWeightKind kind, SlDtype stored)
{
    bool half = stored == SL_F16 || stored == SL_BF16;
    if (kind == SL_WEIGHT_VECTOR)
        return SL_F32;
    return sl_is_product(kind) && half && b->dtype == SL_F32 && b->options.dev->ops->keeps_half
               ? stored
               : b->dtype;
}

/* Of a tensor in a file: a quantised one's numbers are f32. */
static SlDtype stored_dtype(const SlTensorInfo *info)
{
    return info->storage->plain ? info->storage->dtype : SL_F32;
}

/* Two bytes only where all are stored in the same two, and none is changed. */
static SlDtype host_dtype(const SlBinder *b, SlWeightKind kind, const Stack *stack)
{
    const SlWeightChange *change = &b->options.change;
    SlDtype dtype = held_dtype(b, kind, stored_dtype(stack->info[0]));
    for (int i = 0; i < stack->count; i++)
        if (held_dtype(b, kind, stored_dtype(stack->info[i])) != dtype ||
            (change->touches && change->touches(change->arg, stack->info[i]->name)))
            return held_dtype(b, kind, SL_F32);
    return dtype;
}

/* Room for a weight on the host, in the dtype that the device will hold: converted while it is
 * read, in all threads, a weight is in no other memory than this and the device's. */
static bool make_host(SlBinder *b, SlDtype dtype, int rank, const int64_t *size, SlTensor *host)
{
    *host = sl_tensor_view(NULL, dtype, rank, size);
    host->data = scratch(b, (uint64_t)sl_tensor_elements(host) * sl_dtype_size(dtype));
    return host->data != NULL;
}

static SlWeight *bind_random(SlBinder *b, const Wanted *wanted)
{
    SlTensor host = sl_tensor_view(NULL, SL_F32, wanted->rank, wanted->size);
    size_t n = (size_t)sl_tensor_elements(&host);
    if (!strcmp(b->options.dev->name, "measure")) { /* it looks at size and type only */
        host.dtype = held_dtype(b, wanted->kind, b->options.stored);
    } else {
        host.data = scratch(b, n * sizeof(float));
        if (!host.data)
            return NULL;
        sl_fill_random(b->options.dev, wanted->kind, wanted->name, &host);
    }
    return take(b, make_weight(b, wanted->kind, &(Values){.host = &host}), NULL, NULL);
}

/* May something be bound? Not after the end; and a cancel from another thread counts from here
 * on, as in an operation. */
static bool go_on(SlBinder *b)
{
    SlDevice *dev = b->options.dev;
    if (b->finished) {
        complain(b, SL_ARGUMENT, sl_words("%s: a weight was asked for after the last one"),
                 b->options.component);
        return false;
    }
    if (__atomic_load_n(&dev->cancel, __ATOMIC_RELAXED))
        sl_device_fail(dev, SL_CANCELLED, "%s: loading was stopped", b->options.component);
    return sl_device_ok(dev);
}

/* ---- reading ---- */

/* One below the other into the host's tensor. */
static bool read_stack(SlBinder *b, const Stack *stack, const SlTensor *host)
{
    int64_t rows = host->size[0] / stack->count;
    for (int i = 0; i < stack->count; i++) {
        SlTensor part = stack->count > 1 ? sl_slice(host, 0, i * rows, rows) : *host;
        if (!read_into(b, stack->info[i], &part))
            return false;
    }
    return true;
}

/* What a device reads a weight with. */
typedef struct Reading {
    SlBinder *b;
    const Stack *stack;
    int64_t each; /* elements of each tensor */
    SlDtype dtype;
    pthread_mutex_t lock;
    int64_t failed; /* the first element of the first piece that could not be read; -1: none */
    SlError err;
} Reading;

static bool read_elements(const Reading *r, int64_t first, int64_t count, void *out, SlError *err)
{
    for (char *to = out; count > 0;) {
        int64_t at = first % r->each, n = r->each - at < count ? r->each - at : count;
        if (!sl_weights_read_part(r->b->options.weights, r->stack->info[first / r->each],
                                  (uint64_t)at, (uint64_t)n, r->dtype, to, err))
            return false;
        to += (size_t)n * sl_dtype_size(r->dtype);
        first += n;
        count -= n;
    }
    return true;
}

static bool read_piece(void *arg, int64_t first, int64_t count, void *out)
{
    Reading *r = arg;
    SlError err = {0};
    if (read_elements(r, first, count, out, &err))
        return true;
    pthread_mutex_lock(&r->lock);
    if (r->failed < 0 || first < r->failed) {
        r->failed = first;
        r->err = err;
    }
    pthread_mutex_unlock(&r->lock);
    return false;
}

static SlWeight *read_by_device(SlBinder *b, SlWeightKind kind, const Stack *stack,
                                const SlTensor *shape)
{
    Reading r = {.b = b, .stack = stack, .dtype = shape->dtype, .failed = -1};
    r.each = sl_tensor_elements(shape) / stack->count;
    const SlWeightReader reader = {*shape, read_piece, &r};
    pthread_mutex_init(&r.lock, NULL);
    SlWeight *w = make_weight(b, kind, &(Values){.reader = &reader});
    pthread_mutex_destroy(&r.lock);
    if (r.failed >= 0)
        complain(b, r.err.code, "%s", r.err.message);
    return w;
}

/* Not what is changed on its way, and what is dear to read in pieces. */
static bool device_reads(SlBinder *b, SlWeightKind kind, const Stack *stack, const SlTensor *shape)
{
    const SlWeightChange *change = &b->options.change;
    for (int i = 0; i < stack->count; i++)
        if (stack->info[i]->scattered ||
            (change->touches && change->touches(change->arg, stack->info[i]->name)))
            return false;
    Types before = use_types(b);
    bool reads = sl_weight_reads(b->options.dev, kind, shape);
    use_types_before(b, before);
    return reads;
}

/* shape: with the host's dtype. */
static SlWeight *read_weight(SlBinder *b, SlWeightKind kind, const Stack *stack,
                             const SlTensor *shape)
{
    SlTensor host;
    if (device_reads(b, kind, stack, shape))
        return read_by_device(b, kind, stack, shape);
    return make_host(b, shape->dtype, shape->rank, shape->size, &host) &&
                   read_stack(b, stack, &host)
               ? make_weight(b, kind, &(Values){.host = &host})
               : NULL;
}

/* A complaint has nobody to be told to by now but the device. */
static SlWeight *read_waiting(void *arg)
{
    const Waiting *waiting = arg;
    SlBinder *b = waiting->b;
    b->complaints = 0;
    b->first = (SlError){0};
    SlWeight *w = read_weight(b, waiting->kind, &waiting->stack, &waiting->shape);
    if (!w && b->complaints)
        sl_device_fail(b->options.dev, b->first.code, "%s", b->first.message);
    return w;
}

/* Does it wait for the product that wants it? Not what is changed by what is only lent, nor what is dear
 * to read twice. */
static bool can_wait(const SlBinder *b, SlWeightKind kind, const Stack *stack)
{
    for (int i = 0; i < stack->count; i++)
        if (stack->info[i]->scattered)
            return false;
    return b->options.later && !b->options.change.touches &&
           sl_weight_can_wait(b->options.dev, kind);
}

static SlWeight *bind_waiting(SlBinder *b, SlWeightKind kind, const Stack *stack,
                              const SlTensor *shape)
{
    Waiting *waiting = malloc(sizeof *waiting);
    if (!waiting) {
        complain(b, SL_MEMORY, "%s: out of memory", b->options.component);
        return NULL;
    }
    *waiting = (Waiting){b, kind, *stack, *shape};
    const SlWeightMaker maker = {read_waiting, waiting};
    Types before = use_types(b);
    SlWeight *w = sl_weight_later(b->options.dev, kind, shape, &maker);
    use_types_before(b, before);
    return take(b, w, stack, waiting);
}

/* What a weight is read in. A device that packs a product while it reads converts it, too, in one go. */
static SlTensor shape_to_read(SlBinder *b, const Wanted *wanted, const Stack *stack)
{
    SlDtype dtype = host_dtype(b, wanted->kind, stack), stored = stored_dtype(stack->info[0]);
    SlTensor shape = sl_tensor_view(NULL, stored, wanted->rank, wanted->size);
    bool alike = sl_is_product(wanted->kind);
    for (int i = 1; i < stack->count; i++)
        alike = alike && stored_dtype(stack->info[i]) == stored;
    if (!alike || !device_reads(b, wanted->kind, stack, &shape))
        shape.dtype = dtype;
    return shape;
}

/* The weight that tensors make which are there and fit. */
static SlWeight *bind_stack(SlBinder *b, const Wanted *wanted, const Stack *stack)
{
    bool unread = b->options.unread;
    SlTensor shape = sl_tensor_view(NULL, held_dtype(b, wanted->kind, b->options.stored),
                                    wanted->rank, wanted->size);
    if (!unread)
        shape = shape_to_read(b, wanted, stack);
    SlWeight *w = NULL;
    if (unread)
        w = take(b, make_weight(b, wanted->kind, &(Values){.host = &shape}), stack, NULL);
    else if (can_wait(b, wanted->kind, stack))
        w = bind_waiting(b, wanted->kind, stack, &shape);
    else
        w = take(b, read_weight(b, wanted->kind, stack, &shape), stack, NULL);
    for (int i = 0; w && i < stack->count; i++)
        report(b, stack->info[i]->bytes);
    return w;
}

static SlWeight *bind_wanted(SlBinder *b, const Wanted *wanted)
{
    if (!go_on(b))
        return NULL;
    if (b->random)
        return bind_random(b, wanted);
    const SlTensorInfo *info = find_fitting(b, wanted);
    return info ? bind_stack(b, wanted, &(Stack){{info}, 1}) : NULL;
}

SlWeight *sl_bind(SlBinder *b, SlWeightKind kind, const char *name, int rank, const int64_t *size)
{
    Wanted wanted = {kind, name, rank, size};
    return bind_wanted(b, &wanted);
}

SlWeight *sl_bind_optional(SlBinder *b, SlWeightKind kind, const char *name, int rank,
                           const int64_t *size)
{
    return sl_binder_has(b, name) ? sl_bind(b, kind, name, rank, size) : NULL;
}

/* ---- stacked weights ---- */

static bool find_stack(SlBinder *b, const char *const *names, const int64_t *each, Stack *stack)
{
    bool ok = true;
    for (int i = 0; i < stack->count; i++) {
        Wanted wanted = {SL_WEIGHT_LINEAR, names[i], 2, each};
        stack->info[i] = find_fitting(b, &wanted);
        ok = ok && stack->info[i];
    }
    return ok;
}

SlWeight *sl_bind_stacked(SlBinder *b, const char *const *names, int count, int64_t n_each,
                          int64_t k)
{
    const int64_t each[2] = {n_each, k}, whole[2] = {n_each * count, k};
    const Wanted wanted = {SL_WEIGHT_LINEAR, names[0], 2, whole};
    Stack stack = {.count = count};
    if (!go_on(b))
        return NULL;
    if (b->random)
        return bind_random(b, &wanted);
    if (count > STACKED) {
        complain(b, SL_ARGUMENT, sl_words("%s: %d weights cannot be stacked"), names[0], count);
        return NULL;
    }
    return find_stack(b, names, each, &stack) ? bind_stack(b, &wanted, &stack) : NULL;
}

/* ---- the end ---- */

void sl_binder_ignore(SlBinder *b, const char *name)
{
    const SlWeightSource *w = b->options.weights;
    const SlTensorInfo *info = w ? sl_weights_find(w, name) : NULL;
    if (info)
        b->used[info->index] = true;
}

void sl_binder_ignore_all(SlBinder *b, const char *prefix)
{
    const SlWeightSource *w = b->options.weights;
    for (size_t i = 0; w && i < sl_weights_count(w); i++)
        if (!strncmp(sl_weights_info(w, i)->name, prefix, strlen(prefix)))
            b->used[i] = true;
}

/* Left over tensors: the warning, and a sentence about the first of them. */
static void look_for_unused(SlBinder *b)
{
    const SlWeightSource *w = b->options.weights;
    const SlTensorInfo *first = NULL;
    char list[700] = "";
    int unused = 0;
    for (size_t i = 0; w && i < sl_weights_count(w); i++) {
        if (b->used[i])
            continue;
        first = first ? first : sl_weights_info(w, i);
        if (++unused <= 3)
            snprintf(list + strlen(list), sizeof list - strlen(list), "%s%.200s",
                     unused > 1 ? ", " : "", sl_show_name(sl_weights_info(w, i)->name).text);
    }
    if (!unused)
        return;
    snprintf(b->warning, sizeof b->warning, sl_words("%s: %d tensor%s not used: %s%s"),
             b->options.component, unused, unused == 1 ? " is" : "s are", list,
             unused > 3 ? ", ..." : "");
    sl_fail(&b->left, SL_FORMAT, "%s: tensor \"%s\" of shape %s is not part of this model; %s",
            sl_show_path(sl_weights_file_of(w, first)).text, sl_show_name(first->name).text,
            shape_text(first->rank, first->size).text, b->warning);
}

/* The source is given back, and with it the memory that was read into: the binder lives as long as
 * the model. */
static void let_go(SlBinder *b)
{
    free(b->scratch);
    free(b->changing);
    b->scratch = b->changing = NULL;
    b->scratch_bytes = b->changing_bytes = 0;
    sl_weights_close(b->options.weights);
    b->options.weights = NULL;
}

static bool tell(const SlBinder *b, SlError *err)
{
    if (!b->complaints)
        return true;
    if (b->complaints == 1)
        return sl_fail(err, b->first.code, "%s", b->first.message);
    return sl_fail(err, b->first.code, "%s (and %d more tensor%s not fit)", b->first.message,
                   b->complaints - 1, b->complaints == 2 ? " does" : "s do");
}

bool sl_binder_finish(SlBinder *b, bool strict, SlError *err)
{
    b->finished = true;
    if (!sl_device_check(b->options.dev, err)) {
        let_go(b);
        return false;
    }
    look_for_unused(b);
    if (strict && b->left.code != SL_OK)
        complain(b, b->left.code, "%s", b->left.message);
    if (b->waiting == 0 || b->complaints)
        let_go(b);
    return tell(b, err);
}

bool sl_binder_waits(const SlBinder *b)
{
    return b->waiting > 0;
}

bool sl_binder_settle(SlBinder *b, size_t most, SlError *err)
{
    size_t done = 0;
    for (size_t i = 0; b->waiting > 0 && (done == 0 || done < most) && i < b->count; i++) {
        if (!b->bound[i].waiting)
            continue;
        done += (size_t)b->bound[i].weight->waiting_bytes;
        if (!sl_weight_settle(b->options.dev, b->bound[i].weight))
            break;
        free(b->bound[i].waiting);
        b->bound[i].waiting = NULL;
        if (--b->waiting == 0)
            let_go(b);
    }
    return sl_device_check(b->options.dev, err);
}

/* ---- again, with another change ---- */

static bool is_stale(const Bound *bound, const SlBinderRefill *refill)
{
    for (int i = 0; i < bound->names; i++)
        if (refill->stale(refill->change.arg, bound->name[i]))
            return true;
    return false;
}

/* The tensors were there and fitted when the weight was bound; a file may be another by now. */
static bool find_again(SlBinder *b, const Bound *bound, Stack *stack, uint64_t elements)
{
    uint64_t found = 0;
    stack->count = bound->names;
    for (int i = 0; i < bound->names; i++) {
        stack->info[i] = sl_weights_find(b->options.weights, bound->name[i]);
        if (!stack->info[i] || !stack->info[i]->storage) {
            complain(b, SL_FORMAT, sl_words("%s: tensor \"%s\" is gone"), any_file(b).text,
                     sl_show_name(bound->name[i]).text);
            return false;
        }
        uint64_t n = 1;
        for (int k = 0; k < stack->info[i]->rank; k++)
            n *= (uint64_t)stack->info[i]->size[k];
        found += n;
    }
    if (found != elements)
        complain(b, SL_FORMAT, sl_words("%s: tensor \"%s\" has another shape than before"),
                 any_file(b).text, sl_show_name(bound->name[0]).text);
    return found == elements;
}

static bool read_again(SlBinder *b, const Bound *bound)
{
    SlWeight *w = bound->weight;
    Stack stack;
    SlTensor host = sl_tensor_view(NULL, SL_F32, w->rank, w->size);
    return find_again(b, bound, &stack, (uint64_t)sl_tensor_elements(&host)) &&
           make_host(b, host_dtype(b, w->kind, &stack), w->rank, w->size, &host) &&
           read_stack(b, &stack, &host) && sl_weight_fill(b->options.dev, w, &host);
}

bool sl_binder_refill(SlBinder *b, const SlBinderRefill *refill, SlError *err)
{
    SlDevice *dev = b->options.dev;
    const SlKeptChange change = {refill->before, refill->now, refill->keep, b->count};
    if (!sl_binder_settle(b, SIZE_MAX, err))
        return false;
    b->options.weights = sl_weights_hold(refill->weights);
    b->options.change = refill->change;
    b->options.progress = NULL;
    b->complaints = 0;
    b->first = (SlError){0};
    Types before = use_types(b);
    sl_kept_begin(&b->kept, dev, &change);
    for (size_t i = 0; i < b->count && b->complaints == 0 && sl_device_ok(dev); i++) {
        if (!is_stale(&b->bound[i], refill))
            continue;
        sl_kept_keep(&b->kept, dev, i, b->bound[i].weight);
        const SlWeight *kept = sl_kept_find(&b->kept, i);
        if (kept)
            sl_weight_copy(dev, b->bound[i].weight, kept);
        else
            read_again(b, &b->bound[i]);
    }
    use_types_before(b, before);
    let_go(b);
    return sl_device_check(dev, err) && tell(b, err);
}

size_t sl_binder_kept(const SlBinder *b)
{
    return b ? b->kept.bytes : 0;
}

void sl_binder_forget(SlBinder *b)
{
    Types before = use_types(b);
    sl_kept_free(&b->kept, b->options.dev, b->count);
    use_types_before(b, before);
}

const char *sl_binder_warning(const SlBinder *b)
{
    return b->warning[0] ? b->warning : NULL;
}

uint64_t sl_binder_parameters(const SlBinder *b)
{
    return b->parameters;
}

SlDtype sl_binder_dtype(const SlBinder *b)
{
    return b->dtype;
}
