/* png.c - pictures through libpng (see png.h).
 *
 * Easy to get wrong: libpng leaves by longjmp, so whatever must be freed after an error lives in a
 * struct that is reached through a pointer set before setjmp, never in a local changed after it.
 */
#include "app/image/png.h"
#include "app/files/files.h"
#include "app/image/png_text.h"
#include "engine/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FILE_BYTES  ((size_t)1 << 30)
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
    SlAtomicFile *file;
    const uint8_t *rgb;
    int width, height, count;
    png_text *texts;
} Writer;

static void write_bytes(png_structp png, png_bytep data, size_t bytes)
{
    sl_atomic_write(png_get_io_ptr(png), data, bytes);
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
    png_set_write_fn(w->png, w->file, write_bytes, flush_bytes);
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
    SlPngTexts texts;
    bool ok = sl_png_texts_read(written, &texts, err);
    for (int i = 0; ok && i < w->count; i++) {
        const char *found = sl_png_texts_find(&texts, w->texts[i].key);
        ok = (found && strcmp(found, w->texts[i].text) == 0) ||
             sl_fail(err, SL_FORMAT, "its text \"%s\" is %s", w->texts[i].key,
                     found ? "another one" : "not there, or longer than what is read");
    }
    sl_png_texts_free(&texts);
    return ok;
}

bool sl_png_write(const char *path, const uint8_t *rgb, int width, int height,
                  const SlPngText *texts, int count, SlError *err)
{
    if (width < 1 || height < 1 || width > SL_PNG_MAX_SIDE || height > SL_PNG_MAX_SIDE)
        return sl_fail(err, SL_ARGUMENT, "%s: a picture of %d x %d; a side is 1 to %d pixels", path,
                       width, height, SL_PNG_MAX_SIDE);
    Writer w = {.rgb = rgb, .width = width, .height = height, .count = count};
    w.file = sl_atomic_open(path, err);
    if (!w.file)
        return false;
    w.texts = convert_texts(texts, count);
    w.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &w.problem, on_error, on_warning);
    w.info = w.png ? png_create_info_struct(w.png) : NULL;
    bool ok = w.texts && w.info;
    if (!ok)
        sl_fail(err, SL_MEMORY, "%s: memory ran out", path);
    else if (!(ok = encode(&w)))
        sl_fail(err, SL_IO, "%s: cannot be written: %s", path, w.problem.message);
    png_destroy_write_struct(&w.png, &w.info);
    if (ok)
        ok = sl_atomic_commit_checked(w.file, read_back, &w, err);
    else
        sl_atomic_abandon(w.file);
    free(w.texts);
    return ok;
}

/* ---- reading ---- */

typedef struct Reader {
    Problem problem;
    png_structp png;
    png_infop info;
    const uint8_t *data;
    size_t bytes, position;
    uint8_t *rgb;
    png_bytepp rows;
    png_uint_32 width, height;
} Reader;

static void read_bytes(png_structp png, png_bytep out, size_t bytes)
{
    Reader *r = png_get_io_ptr(png);
    if (bytes > r->bytes - r->position)
        png_error(png, "the file ends too early");
    memcpy(out, r->data + r->position, bytes);
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
    r->width = png_get_image_width(r->png, r->info);
    r->height = png_get_image_height(r->png, r->info);
    size_t row = (size_t)r->width * 3;
    if (png_get_rowbytes(r->png, r->info) != row)
        png_error(r->png, "its pixels cannot be turned into RGB");
    /* deflate compresses to 1/1032 at best: a header whose size would need more than that is a
     * decompression bomb. */
    if (row * r->height / 1100 > r->bytes)
        png_error(r->png, "it is too short for its size");
    r->rgb = malloc(row * r->height);
    r->rows = malloc(sizeof *r->rows * r->height);
    if (!r->rgb || !r->rows)
        png_error(r->png, "memory ran out");
    for (png_uint_32 y = 0; y < r->height; y++)
        r->rows[y] = r->rgb + y * row;
    png_read_image(r->png, r->rows);
    png_read_end(r->png, NULL);
    return true;
}

uint8_t *sl_png_decode(const char *name, const uint8_t *data, size_t bytes, int *width, int *height,
                       SlError *err)
{
    Reader r = {.data = data, .bytes = bytes};
    if (bytes < 8 || png_sig_cmp(data, 0, 8) != 0) {
        sl_fail(err, SL_FORMAT, "%s: not a PNG picture", name);
        return NULL;
    }
    /* libpng takes memory for a chunk's claimed length before it reads it, whatever its limits
     * say. */
    if (!sl_png_complete(data, bytes)) {
        sl_fail(err, SL_FORMAT, "%s: the PNG is damaged: the file ends too early", name);
        return NULL;
    }
    r.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &r.problem, on_error, on_warning);
    r.info = r.png ? png_create_info_struct(r.png) : NULL;
    bool ok = false;
    if (!r.info)
        sl_fail(err, SL_MEMORY, "%s: memory ran out", name);
    else if (!(ok = decode(&r)))
        sl_fail(err, SL_FORMAT, "%s: the PNG is damaged: %s", name, r.problem.message);
    png_destroy_read_struct(&r.png, &r.info, NULL);
    free(r.rows);
    if (!ok) {
        free(r.rgb);
        return NULL;
    }
    *width = (int)r.width;
    *height = (int)r.height;
    return r.rgb;
}

uint8_t *sl_png_read(const char *path, int *width, int *height, SlError *err)
{
    size_t bytes;
    uint8_t *data = sl_read_file(path, MAX_FILE_BYTES, &bytes, err);
    uint8_t *rgb = data ? sl_png_decode(path, data, bytes, width, height, err) : NULL;
    free(data);
    return rgb;
}

bool sl_png_hash(const char *path, char hex[65], SlError *err)
{
    int width, height;
    uint8_t *rgb = sl_png_read(path, &width, &height, err);
    if (rgb)
        sl_sha256(rgb, (size_t)width * (size_t)height * 3, hex);
    free(rgb);
    return rgb != NULL;
}
