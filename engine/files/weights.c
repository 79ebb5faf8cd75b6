/* weights.c - see weights.h and weights_source.h: what every source of weights has in common, and
 * reading from one.
 *
 * Easy to get wrong: a value that is not finite spreads through the whole picture, so every tensor
 * is looked at while it is read, where it leaves the source (a view may make an infinity of finite
 * numbers); tensors are converted in pieces, so that loading needs no second copy of the model.
 */
#include "engine/files/weights_source.h"

#include "engine/files/utf8.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Elements of a piece that one thread reads at a time; a multiple of every block. */
#define READ_PIECE ((size_t)1 << 18)
/* Bytes of a file that wait for their conversion: in the first cache. */
#define HELD ((size_t)32 << 10)

/* ---- the table ---- */

void sl_source_init(SlWeightSource *s, const SlWeightSourceOps *ops)
{
    s->ops = ops;
    s->references = 1;
}

SlWeightSource *sl_weights_hold(SlWeightSource *w)
{
    __atomic_add_fetch(&w->references, 1, __ATOMIC_RELAXED);
    return w;
}

void sl_weights_close(SlWeightSource *w)
{
    if (w && __atomic_sub_fetch(&w->references, 1, __ATOMIC_ACQ_REL) == 0)
        w->ops->close(w);
}

size_t sl_weights_count(const SlWeightSource *w)
{
    return w->ops->count(w);
}

const SlTensorInfo *sl_weights_info(const SlWeightSource *w, size_t i)
{
    return w->ops->info(w, i);
}

const SlTensorInfo *sl_weights_find(const SlWeightSource *w, const char *name)
{
    return w->ops->find(w, name);
}

const char *sl_weights_metadata(const SlWeightSource *w, const char *key)
{
    return w->ops->metadata(w, key);
}

int sl_weights_files(const SlWeightSource *w)
{
    return w->ops->files(w);
}

const char *sl_weights_file(const SlWeightSource *w, int i)
{
    return w->ops->file(w, i);
}

const char *sl_weights_file_of(const SlWeightSource *w, const SlTensorInfo *info)
{
    return w->ops->file_of(w, info->index);
}

uint64_t sl_tensor_info_elements(const SlTensorInfo *info)
{
    uint64_t n = 1; /* cannot wrap: elements times their size was checked */
    for (int i = 0; i < info->rank; i++)
        n *= (uint64_t)info->size[i];
    return n;
}

/* ---- a range, converted ---- */

typedef struct Range {
    const SlWeightSource *source;
    const SlTensorInfo *info;
    SlDtype dtype; /* wanted */
    bool look;     /* for values that are not finite */
    void *held;    /* for blocks that wait for their conversion; NULL: they need none */
    size_t held_bytes;
} Range;

static bool refuse_not_finite(const Range *r, SlError *err)
{
    return sl_fail(err, SL_FORMAT,
                   "%s: tensor \"%s\" contains a value that is not a finite number (NaN or "
                   "infinity): the file is damaged or was saved from a broken model",
                   sl_show_path(sl_weights_file_of(r->source, r->info)).text,
                   sl_show_name(r->info->stored_name).text);
}

/* count elements from block `block` on, as they are stored. */
static bool read_blocks(const Range *r, uint64_t block, uint64_t count, void *out, SlError *err)
{
    const SlStorage *s = r->info->storage;
    if (!r->source->ops->read(r->source, r->info->index, block * s->bytes,
                              count / s->elements * s->bytes, out, err))
        return false;
    return !r->look || s->finite(out, (size_t)count) || refuse_not_finite(r, err);
}

/* Some elements of one block, or of the block that a range begins or ends in. */
static bool read_in_block(const Range *r, uint64_t first, uint64_t count, char *out, SlError *err)
{
    const SlStorage *s = r->info->storage;
    enum { MOST = 1024 };
    float values[MOST];
    char block[4 * MOST];
    if (s->elements > MOST || s->bytes > sizeof block)
        return sl_fail(err, SL_UNSUPPORTED, "%s: blocks of %u elements are too large", s->name,
                       s->elements);
    if (!read_blocks(r, first / s->elements, s->elements, block, err))
        return false;
    s->decode(block, values, s->elements);
    sl_convert(values + first % s->elements, SL_F32, out, r->dtype, (size_t)count);
    return true;
}

/* first and count are multiples of a block's elements. */
static bool read_whole_blocks(const Range *r, uint64_t first, uint64_t count, char *out,
                              SlError *err)
{
    const SlStorage *s = r->info->storage;
    char *held = r->held;
    uint64_t most = r->held_bytes / s->bytes * s->elements;
    if (s->plain && s->dtype == r->dtype)
        return read_blocks(r, first, count, out, err);
    while (count > 0) {
        uint64_t n = count < most ? count : most;
        if (!read_blocks(r, first / s->elements, n, held, err))
            return false;
        sl_storage_convert(s, held, r->dtype, out, (size_t)n);
        out += n * sl_dtype_size(r->dtype);
        first += n;
        count -= n;
    }
    return true;
}

static bool read_range(const Range *r, uint64_t first, uint64_t count, char *out, SlError *err)
{
    uint64_t block = r->info->storage->elements, size = sl_dtype_size(r->dtype);
    uint64_t into = first % block, head = into ? block - into : 0;
    head = head < count ? head : count;
    if (head && !read_in_block(r, first, head, out, err))
        return false;
    uint64_t whole = (count - head) / block * block, tail = count - head - whole;
    if (!read_whole_blocks(r, first + head, whole, out + head * size, err))
        return false;
    return !tail || read_in_block(r, first + head + whole, tail, out + (head + whole) * size, err);
}

/* Memory for what waits for its conversion: whole pieces of a tensor that is dear to read in small
 * ones. */
static bool hold_piece(Range *r, SlError *err)
{
    const SlStorage *s = r->info->storage;
    if (s->plain && s->dtype == r->dtype)
        return true;
    r->held_bytes = r->info->scattered ? READ_PIECE / s->elements * s->bytes : HELD;
    r->held = malloc(r->held_bytes);
    return r->held || sl_fail(err, SL_MEMORY, "%s: out of memory for the tensor \"%s\"",
                              sl_show_path(sl_weights_file_of(r->source, r->info)).text,
                              sl_show_name(r->info->name).text);
}

bool sl_source_read(const SlWeightSource *s, const SlTensorInfo *info, uint64_t first,
                    uint64_t count, SlDtype dtype, void *out, SlError *err)
{
    Range r = {.source = s, .info = info, .dtype = dtype};
    bool ok = hold_piece(&r, err) && read_range(&r, first, count, out, err);
    free(r.held);
    return ok;
}

/* ---- whole tensors ---- */

bool sl_weights_read(const SlWeightSource *w, const SlTensorInfo *info, void *out, SlError *err)
{
    const Range r = {.source = w, .info = info};
    if (!w->ops->read(w, info->index, 0, info->bytes, out, err))
        return false;
    return !info->storage || info->storage->finite(out, (size_t)sl_tensor_info_elements(info)) ||
           refuse_not_finite(&r, err);
}

/* Reading a tensor, looked at and converted piece by piece, by one thread or by all. */
typedef struct Reading {
    Range range;
    uint64_t elements;
    char *out;
    pthread_mutex_t lock;
    int64_t failed; /* the first piece that could not be read; -1: none */
    SlError err;
} Reading;

static void read_pieces(void *arg, int64_t first, int64_t last)
{
    Reading *r = arg;
    Range range = r->range; /* with this thread's memory */
    SlError no_memory = {0};
    bool ready = hold_piece(&range, &no_memory);
    for (int64_t i = first; i < last; i++) {
        SlError err = no_memory;
        uint64_t at = (uint64_t)i * READ_PIECE, left = r->elements - at;
        if (ready && read_range(&range, at, left < READ_PIECE ? left : READ_PIECE,
                                r->out + at * sl_dtype_size(range.dtype), &err))
            continue;
        pthread_mutex_lock(&r->lock);
        if (r->failed < 0 || i < r->failed) {
            r->failed = i;
            r->err = err;
        }
        pthread_mutex_unlock(&r->lock);
    }
    free(range.held);
}

bool sl_weights_read_on(SlDevice *dev, const SlWeightSource *w, const SlTensorInfo *info,
                        const SlTensor *out, SlError *err)
{
    Reading r = {.range = {.source = w, .info = info, .dtype = out->dtype, .look = true},
                 .elements = sl_tensor_info_elements(info),
                 .out = out->data,
                 .failed = -1};
    pthread_mutex_init(&r.lock, NULL);
    sl_parallel_for(dev, (int64_t)((r.elements + READ_PIECE - 1) / READ_PIECE), 1, read_pieces, &r);
    pthread_mutex_destroy(&r.lock);
    if (r.failed >= 0)
        return sl_fail(err, r.err.code, "%s", r.err.message);
    return sl_device_check(dev, err); /* stopped: a part is not read */
}

bool sl_weights_read_part(const SlWeightSource *w, const SlTensorInfo *info, uint64_t first,
                          uint64_t count, SlDtype dtype, void *out, SlError *err)
{
    Range r = {.source = w, .info = info, .dtype = dtype, .look = true};
    bool ok = hold_piece(&r, err) && read_range(&r, first, count, out, err);
    free(r.held);
    return ok;
}

bool sl_weights_read_f32(const SlWeightSource *w, const SlTensorInfo *info, float *out,
                         SlError *err)
{
    Range r = {.source = w, .info = info, .dtype = SL_F32, .look = true};
    if (!info->storage)
        return sl_fail(err, SL_UNSUPPORTED, "%s: tensor \"%s\" has the dtype %s; expected %s",
                       sl_show_path(sl_weights_file_of(w, info)).text,
                       sl_show_name(info->name).text, info->dtype_name, sl_storage_names());
    bool ok =
        hold_piece(&r, err) && read_range(&r, 0, sl_tensor_info_elements(info), (char *)out, err);
    free(r.held);
    return ok;
}
