/* png.c - pictures through libpng (see png.h).
 *
 * Easy to get wrong: libpng leaves by longjmp, so whatever must be freed after an error lives in a
 * struct that is reached through a pointer set before setjmp, never in a local changed after it.
 */
#include "app/image/png.h"
#include "app/files/files.h"
#include "app/image/png_text_private.h"
#include "engine/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_CHUNKS      64
#define MAX_CHUNK_BYTES ((png_alloc_size_t)1 << 20)

typedef struct Problem {
    char message[200]; /* libpng's words */
} Problem;

_Noreturn static void on_error(png_structp png, png_const_charp message)
{
    Problem *problem = png_get_error_ptr(png);
    snprintf(problem->message, sizeof problem->message, "%s", message);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message; /* damage that matters comes as an error */
}

/* ---- writing ---- */

typedef struct Writer {
    Problem problem;
    png_structp png;
    png_infop info;
    SlAtomicFile *file; /* or */
    SlText *text;
    const uint8_t *rgb;
    int width, height, count;
    png_text *texts;
} Writer;

static void write_bytes(png_structp png, png_bytep data, size_t bytes)
{
    Writer *w = png_get_io_ptr(png);
    if (w->text)
        sl_text_append(w->text, (const char *)data, bytes);
    else
        sl_atomic_write(w->file, data, bytes);
}

static void flush_bytes(png_structp png)
{
    (void)png; /* sl_atomic_commit does */
}

static png_text *convert_texts(const SlPngText *texts, int count)
{
    png_text *out = calloc(count > 0 ? (size_t)count : 1, sizeof *out);
    for (int i = 0; out && i < count; i++) {
        bool plain = !texts[i].international && sl_is_ascii(texts[i].text);
        out[i].compression = plain ? PNG_TEXT_COMPRESSION_NONE : PNG_ITXT_COMPRESSION_NONE;
        out[i].key = (char *)(uintptr_t)texts[i].keyword;
        out[i].text = (char *)(uintptr_t)texts[i].text;
        out[i].lang = (char *)(uintptr_t) "";
        out[i].lang_key = (char *)(uintptr_t) "";
    }
    return out;
}

static bool encode(Writer *w)
{
    if (setjmp(png_jmpbuf(w->png)))
        return false;
    png_set_write_fn(w->png, w, write_bytes, flush_bytes);
    png_set_compression_level(w->png, 6);
    png_set_filter(w->png, 0, PNG_ALL_FILTERS);
    png_set_text_compression_level(w->png, 6);
    png_set_IHDR(w->png, w->info, (png_uint_32)w->width, (png_uint_32)w->height, 8,
                 PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    if (w->count > 0)
        png_set_text(w->png, w->info, w->texts, w->count);
    png_write_info(w->png, w->info);
    for (int y = 0; y < w->height; y++)
        png_write_row(w->png, w->rgb + (size_t)y * (size_t)w->width * 3);
    png_write_end(w->png, NULL);
    return true;
}

/* All texts are found again. */
static bool read_back(void *arg, const char *written, SlError *err)
{
    const Writer *w = arg;
    SlPictureTexts texts;
    bool ok = sl_png_texts_read(written, &texts, err);
    for (int i = 0; ok && i < w->count; i++) {
        const char *found = sl_picture_texts_find(&texts, w->texts[i].key);
        ok = (found && strcmp(found, w->texts[i].text) == 0) ||
             sl_fail(err, SL_FORMAT, "its text \"%s\" is %s", w->texts[i].key,
                     found ? sl_words("another one")
                           : sl_words("not there, or longer than what is read"));
    }
    sl_picture_texts_free(&texts);
    return ok;
}

static bool check_sides(const char *name, int width, int height, SlError *err)
{
    if (width < 1 || height < 1 || width > SL_PNG_MAX_SIDE || height > SL_PNG_MAX_SIDE)
        return sl_fail(err, SL_ARGUMENT, "%s: a picture of %d x %d; a side is 1 to %d pixels", name,
                       width, height, SL_PNG_MAX_SIDE);
    return true;
}

/* To where the writer says. */
static bool write_picture(Writer *w, const char *name, SlError *err)
{
    w->png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &w->problem, on_error, on_warning);
    w->info = w->png ? png_create_info_struct(w->png) : NULL;
    bool ok = w->info || sl_fail(err, SL_MEMORY, "%s: memory ran out", name);
    errno = 0; /* libpng has other words for memory that ran out */
    if (ok && !encode(w))
        ok = errno == ENOMEM
                 ? sl_fail(err, SL_MEMORY, "%s: memory ran out", name)
                 : sl_fail(err, SL_IO, "%s: cannot be written: %s", name, w->problem.message);
    png_destroy_write_struct(&w->png, &w->info);
    return ok;
}

/* To the writer's file; NULL: *err says why there is none. */
static bool write_file(Writer *w, const char *path, const SlPngText *texts, SlError *err)
{
    if (!w->file)
        return false;
    w->texts = convert_texts(texts, w->count);
    bool ok = w->texts || sl_fail(err, SL_MEMORY, "%s: memory ran out", path);
    ok = ok && write_picture(w, path, err);
    if (ok)
        ok = sl_atomic_commit_checked(w->file, read_back, w, err);
    else
        sl_atomic_abandon(w->file);
    free(w->texts);
    return ok;
}

bool sl_png_write(const char *path, const uint8_t *rgb, int width, int height,
                  const SlPngText *texts, int count, SlError *err)
{
    Writer w = {.rgb = rgb, .width = width, .height = height, .count = count};
    if (check_sides(path, width, height, err))
        w.file = sl_atomic_open(path, err);
    return write_file(&w, path, texts, err);
}

bool sl_png_write_new(const char *path, const uint8_t *rgb, int width, int height,
                      const SlPngText *texts, int count, SlError *err)
{
    Writer w = {.rgb = rgb, .width = width, .height = height, .count = count};
    if (check_sides(path, width, height, err))
        w.file = sl_atomic_open_new(path, err);
    return write_file(&w, path, texts, err);
}

bool sl_png_encode(SlText *out, const uint8_t *rgb, int width, int height, SlError *err)
{
    Writer w = {.text = out, .rgb = rgb, .width = width, .height = height};
    return check_sides("a picture", width, height, err) && write_picture(&w, "a picture", err) &&
           (!out->failed || sl_fail(err, SL_MEMORY, "memory ran out for a picture"));
}

/* ---- reading ---- */

typedef struct Reader {
    Problem problem;
    SlError failed; /* of the file, or of who takes the rows */
    png_structp png;
    png_infop info;
    const SlPictureFile *file;
    const SlPngRows *to;
    uint64_t position;
    uint8_t *rgb; /* a row, or all of an interlaced picture */
    png_bytepp rows;
} Reader;

/* libpng's way out, with a sentence of ours. */
_Noreturn static void leave(Reader *r)
{
    png_error(r->png, "see the sentence");
}

static void read_bytes(png_structp png, png_bytep out, size_t bytes)
{
    Reader *r = png_get_io_ptr(png);
    if (bytes > r->file->bytes - r->position)
        png_error(png, sl_words("the file ends too early"));
    if (!sl_picture_file_read(r->file, r->position, out, bytes, &r->failed))
        leave(r);
    r->position += bytes;
}

static void set_transforms(Reader *r)
{
    png_color_16 white = {.red = 0xFFFF, .green = 0xFFFF, .blue = 0xFFFF, .gray = 0xFFFF};
    png_set_expand(r->png);
    png_set_gray_to_rgb(r->png);
    png_set_background(r->png, &white, PNG_BACKGROUND_GAMMA_SCREEN, 0, 1.0);
    png_set_strip_alpha(r->png);
    png_set_scale_16(r->png);
    png_set_interlace_handling(r->png);
    png_read_update_info(r->png, r->info);
}

static void make_room(Reader *r, size_t bytes)
{
    r->rgb = malloc(bytes);
    if (r->rgb)
        return;
    sl_fail(&r->failed, SL_MEMORY, "%s: memory ran out", r->file->name);
    leave(r);
}

/* Each pass goes over the whole picture. */
static void read_interlaced(Reader *r, size_t row, png_uint_32 height)
{
    if (row * height > SL_PNG_MAX_INTERLACED) {
        sl_fail(&r->failed, SL_UNSUPPORTED,
                "%s: an interlaced PNG, which cannot be read row by row; at most %zu MiB of pixels "
                "are read of one, and it has %zu",
                r->file->name, SL_PNG_MAX_INTERLACED >> 20, row * height >> 20);
        leave(r);
    }
    r->rows = malloc(sizeof *r->rows * height);
    if (!r->rows)
        sl_fail(&r->failed, SL_MEMORY, "%s: memory ran out", r->file->name);
    if (!r->rows)
        leave(r);
    make_room(r, row * height);
    for (png_uint_32 y = 0; y < height; y++)
        r->rows[y] = r->rgb + y * row;
    png_read_image(r->png, r->rows);
    for (png_uint_32 y = 0; y < height; y++)
        r->to->row(r->to->arg, r->rows[y]);
}

static void read_rows(Reader *r, size_t row, png_uint_32 height)
{
    make_room(r, row);
    for (png_uint_32 y = 0; y < height; y++) {
        png_read_row(r->png, r->rgb, NULL);
        r->to->row(r->to->arg, r->rgb);
    }
}

static bool decode(Reader *r)
{
    if (setjmp(png_jmpbuf(r->png)))
        return false;
    png_set_user_limits(r->png, SL_PNG_MAX_SIDE, SL_PNG_MAX_SIDE);
    png_set_chunk_cache_max(r->png, MAX_CHUNKS);
    png_set_chunk_malloc_max(r->png, MAX_CHUNK_BYTES);
    png_set_keep_unknown_chunks(r->png, PNG_HANDLE_CHUNK_NEVER, NULL, 0);
    png_set_read_fn(r->png, r, read_bytes);
    png_read_info(r->png, r->info);
    set_transforms(r);
    png_uint_32 width = png_get_image_width(r->png, r->info);
    png_uint_32 height = png_get_image_height(r->png, r->info);
    size_t row = (size_t)width * 3;
    if (png_get_rowbytes(r->png, r->info) != row)
        png_error(r->png, sl_words("its pixels cannot be turned into RGB"));
    /* deflate compresses to 1/1032 at best: a header whose size would need more than that is a
     * decompression bomb. */
    if (row * height / 1100 > r->file->bytes)
        png_error(r->png, sl_words("it is too short for its size"));
    if (!r->to->begin(r->to->arg, (int)width, (int)height, &r->failed))
        leave(r);
    if (png_get_interlace_type(r->png, r->info) == PNG_INTERLACE_NONE)
        read_rows(r, row, height);
    else
        read_interlaced(r, row, height);
    png_read_end(r->png, NULL);
    return true;
}

static bool decode_file(const SlPictureFile *file, const SlPngRows *to, SlError *err)
{
    Reader r = {.file = file, .to = to};
    uint8_t head[8];
    if (file->bytes >= 8 && !sl_picture_file_read(file, 0, head, 8, err))
        return false;
    if (file->bytes < 8 || png_sig_cmp(head, 0, 8) != 0)
        return sl_fail(err, SL_FORMAT, "%s: not a PNG picture", file->name);
    if (!sl_png_complete(file, err))
        return false;
    r.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &r.problem, on_error, on_warning);
    r.info = r.png ? png_create_info_struct(r.png) : NULL;
    bool ok = false;
    errno = 0;
    if (!r.info)
        sl_fail(err, SL_MEMORY, "%s: memory ran out", file->name);
    else if (!(ok = decode(&r)) && r.failed.code != SL_OK)
        sl_fail(err, r.failed.code, "%s", r.failed.message);
    else if (!ok && errno == ENOMEM)
        sl_fail(err, SL_MEMORY, "%s: memory ran out", file->name);
    else if (!ok)
        sl_fail(err, SL_FORMAT, "%s: the PNG is damaged: %s", file->name, r.problem.message);
    png_destroy_read_struct(&r.png, &r.info, NULL);
    free(r.rows);
    free(r.rgb);
    return ok;
}

bool sl_png_read_rows(const char *path, const SlPngRows *rows, SlError *err)
{
    SlPictureFile file;
    if (!sl_picture_file_open(&file, path, err))
        return false;
    bool ok = decode_file(&file, rows, err);
    sl_picture_file_close(&file);
    return ok;
}

/* ---- a whole picture ---- */

typedef struct Whole {
    const char *name;
    uint8_t *rgb, *at;
    int width, height;
} Whole;

static bool begin_whole(void *arg, int width, int height, SlError *err)
{
    Whole *w = arg;
    w->width = width;
    w->height = height;
    w->rgb = w->at = malloc((size_t)width * (size_t)height * 3);
    return w->rgb || sl_fail(err, SL_MEMORY, "%s: memory ran out for a picture of %d x %d", w->name,
                             width, height);
}

static void add_row(void *arg, const uint8_t *rgb)
{
    Whole *w = arg;
    memcpy(w->at, rgb, (size_t)w->width * 3);
    w->at += (size_t)w->width * 3;
}

static uint8_t *end_whole(Whole *w, bool ok, int *width, int *height)
{
    if (!ok) {
        free(w->rgb);
        return NULL;
    }
    *width = w->width;
    *height = w->height;
    return w->rgb;
}

uint8_t *sl_png_decode(const char *name, const uint8_t *data, size_t bytes, int *width, int *height,
                       SlError *err)
{
    Whole w = {.name = name};
    const SlPictureFile file = sl_picture_file_of(name, data, bytes);
    const SlPngRows rows = {begin_whole, add_row, &w};
    return end_whole(&w, decode_file(&file, &rows, err), width, height);
}

uint8_t *sl_png_read(const char *path, int *width, int *height, SlError *err)
{
    Whole w = {.name = path};
    const SlPngRows rows = {begin_whole, add_row, &w};
    return end_whole(&w, sl_png_read_rows(path, &rows, err), width, height);
}

/* ---- its hash ---- */

typedef struct Hash {
    SlSha256 sha;
    size_t row;
} Hash;

static bool begin_hash(void *arg, int width, int height, SlError *err)
{
    Hash *h = arg;
    h->row = (size_t)width * 3;
    sl_sha256_begin(&h->sha);
    return true;
}

static void hash_row(void *arg, const uint8_t *rgb)
{
    Hash *h = arg;
    sl_sha256_add(&h->sha, rgb, h->row);
}

bool sl_png_hash(const char *path, char hex[65], SlError *err)
{
    Hash h;
    const SlPngRows rows = {begin_hash, hash_row, &h};
    if (!sl_png_read_rows(path, &rows, err))
        return false;
    sl_sha256_end(&h.sha, hex);
    return true;
}

/* ---- small ---- */

typedef struct Small {
    const char *name;
    int max_side, width, height, small_width, small_height;
    int y, small_y; /* rows so far */
    uint8_t *rgb;
    uint32_t *sum; /* [small_width, 3]: of the rows of the next one */
} Small;

/* Where the i-th of n parts of a length begins. */
static int part(int64_t i, int length, int n)
{
    return (int)(i * length / n);
}

static bool begin_small(void *arg, int width, int height, SlError *err)
{
    Small *s = arg;
    int longest = width > height ? width : height;
    int most = longest > s->max_side ? s->max_side : longest;
    s->width = width;
    s->height = height;
    s->small_width = part(width, most, longest) > 0 ? part(width, most, longest) : 1;
    s->small_height = part(height, most, longest) > 0 ? part(height, most, longest) : 1;
    s->rgb = malloc((size_t)s->small_width * (size_t)s->small_height * 3);
    s->sum = calloc((size_t)s->small_width * 3, sizeof *s->sum);
    return (s->rgb && s->sum) || sl_fail(err, SL_MEMORY, "%s: memory ran out", s->name);
}

static void end_small_row(Small *s)
{
    int rows = part(s->small_y + 1, s->height, s->small_height) -
               part(s->small_y, s->height, s->small_height);
    uint8_t *to = s->rgb + (size_t)s->small_y * (size_t)s->small_width * 3;
    for (int x = 0; x < s->small_width; x++) {
        uint32_t n =
            (uint32_t)(part(x + 1, s->width, s->small_width) - part(x, s->width, s->small_width)) *
            (uint32_t)rows;
        for (int c = 0; c < 3; c++)
            to[3 * x + c] = (uint8_t)((s->sum[3 * x + c] + n / 2) / n);
    }
    memset(s->sum, 0, (size_t)s->small_width * 3 * sizeof *s->sum);
    s->small_y++;
}

/* A pixel of the small picture is the mean of the rectangle that it covers. */
static void add_small_row(void *arg, const uint8_t *rgb)
{
    Small *s = arg;
    for (int x = 0; x < s->small_width; x++)
        for (int k = part(x, s->width, s->small_width); k < part(x + 1, s->width, s->small_width);
             k++)
            for (int c = 0; c < 3; c++)
                s->sum[3 * x + c] += rgb[3 * k + c];
    if (++s->y == part(s->small_y + 1, s->height, s->small_height))
        end_small_row(s);
}

uint8_t *sl_png_read_small(const char *path, int max_side, int *width, int *height, SlError *err)
{
    Small s = {.name = path, .max_side = max_side};
    const SlPngRows rows = {begin_small, add_small_row, &s};
    bool ok = sl_png_read_rows(path, &rows, err);
    free(s.sum);
    if (!ok) {
        free(s.rgb);
        return NULL;
    }
    *width = s.small_width;
    *height = s.small_height;
    return s.rgb;
}
