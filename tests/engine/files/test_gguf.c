/* test_gguf.c - every way in which the header of a GGUF file can lie, or be cut off. */
#include "tests/engine/files/util.h"

#include <stdlib.h>

/* A file in the making, little endian. */
typedef struct File {
    unsigned char bytes[4096];
    size_t size;
} File;

static void put(File *f, const void *data, size_t bytes)
{
    memcpy(f->bytes + f->size, data, bytes);
    f->size += bytes;
}

static void put_u32(File *f, uint32_t n)
{
    put(f, &n, sizeof n);
}

static void put_u64(File *f, uint64_t n)
{
    put(f, &n, sizeof n);
}

static void put_text(File *f, const char *text)
{
    put_u64(f, strlen(text));
    put(f, text, strlen(text));
}

static File begin(uint64_t tensors, uint64_t keys)
{
    File f = {.size = 0};
    put(&f, "GGUF", 4);
    put_u32(&f, 3);
    put_u64(&f, tensors);
    put_u64(&f, keys);
    return f;
}

static void put_tensor(File *f, const char *name, int axes, const uint64_t *size, uint32_t type,
                       uint64_t offset)
{
    put_text(f, name);
    put_u32(f, (uint32_t)axes);
    for (int i = 0; i < axes; i++)
        put_u64(f, size[i]);
    put_u32(f, type);
    put_u64(f, offset);
}

static void put_data(File *f, size_t bytes)
{
    f->size = (f->size + 31) / 32 * 32 + bytes;
}

static const uint64_t two[] = {32, 2};

static const char *write_file(const File *f)
{
    const char *path = test_file("t.gguf");
    test_write(path, f->bytes, f->size);
    return path;
}

static void refused(const char *id, const File *f, const char *says)
{
    test_file_refused(id, write_file(f), SL_FORMAT, says);
}

/* F32 [2, 32] behind one key. */
static File good(void)
{
    File f = begin(1, 1);
    put_text(&f, "k");
    put_u32(&f, 4);
    put_u32(&f, 7);
    put_tensor(&f, "t", 2, two, 0, 0);
    put_data(&f, 256);
    return f;
}

static void test_good(void)
{
    File f = good();
    SlError err = {0};
    SlWeightSource *w = sl_weights_open_file(write_file(&f), &err);
    const SlTensorInfo *t = w ? sl_weights_find(w, "t") : NULL;
    sl_test(t && t->rank == 2 && t->size[0] == 2 && t->size[1] == 32 && t->bytes == 256,
            "sizes are turned round: [2, 32]");
    sl_weights_close(w);
    int wrong = 0;
    for (size_t size = 4; size < f.size; size++) {
        File cut = f;
        cut.size = size;
        err = (SlError){0};
        w = sl_weights_open_file(write_file(&cut), &err);
        if ((w || err.code != SL_FORMAT) && !wrong++)
            sl_test_note("cut at %zu: %s", size, w ? "accepted" : err.message);
        sl_weights_close(w);
    }
    sl_test(!wrong, "refused when it is cut off, at each of its bytes");
}

static void test_heads(void)
{
    File f = good();
    f.bytes[4] = 1;
    refused("version 1", &f, "version 1");
    f.bytes[4] = 0;
    f.bytes[7] = 3;
    refused("big-endian", &f, "big-endian");
    f = begin(0, 0);
    refused("no tensors", &f, "no tensors");
    f = begin(UINT64_MAX, 0);
    refused("more tensors than bytes", &f, "cut off");
    f = begin(1, UINT64_MAX);
    refused("more keys than bytes", &f, "cut off");
}

static void test_keys(void)
{
    File f = begin(1, 1);
    put_u64(&f, UINT64_MAX);
    refused("a key longer than the file", &f, "the name of a key");
    f = begin(1, 1);
    put_text(&f, "k");
    put_u32(&f, 13);
    refused("an unknown type of value", &f, "type 13");
    f = begin(1, 1);
    put_text(&f, "k");
    put_u32(&f, 8);
    put_u64(&f, UINT64_MAX - 3);
    refused("a text longer than the file", &f, "cut off");
    f = begin(1, 1);
    put_text(&f, "k");
    put_u32(&f, 9);
    put_u32(&f, 12);
    put_u64(&f, UINT64_MAX / 4);
    refused("an array whose bytes wrap", &f, "larger than any file");
    f = begin(1, 1);
    put_text(&f, "k");
    put_u32(&f, 9);
    for (int i = 0; i < 6; i++) {
        put_u32(&f, 9);
        put_u64(&f, 1);
    }
    refused("arrays within arrays", &f, "within each other");
    f = begin(1, 1);
    put_text(&f, "general.alignment");
    put_u32(&f, 4);
    put_u32(&f, 0);
    refused("alignment 0", &f, "general.alignment is 0");
    f = begin(1, 1);
    put_text(&f, "general.alignment");
    put_u32(&f, 4);
    put_u32(&f, 48);
    refused("alignment 48", &f, "power of two");
    f = begin(1, 1);
    put_text(&f, "comfy.gguf.orig_shape.t");
    put_u32(&f, 9);
    put_u32(&f, 5);
    put_u64(&f, 1);
    put_u32(&f, 65);
    put_tensor(&f, "t", 2, two, 0, 0);
    put_data(&f, 256);
    refused("an original shape that does not fit", &f, "original shape 65");
}

static void test_tensors(void)
{
    static const uint64_t wraps[] = {1ull << 40, 1ull << 40}, odd[] = {33};
    File f = begin(1, 0);
    put_tensor(&f, "t", 2, wraps, 0, 0);
    refused("sizes whose product wraps", &f, "larger than any file");
    f = begin(1, 0);
    put_text(&f, "t");
    put_u32(&f, 9);
    refused("nine axes", &f, "9 axes");
    f = begin(1, 0);
    put_tensor(&f, "t", 2, two, 99, 0);
    refused("an unknown type", &f, "type number 99");
    f = begin(1, 0);
    put_tensor(&f, "t", 1, odd, 8, 0);
    refused("rows that end inside a block", &f, "blocks of 32");
    f = begin(1, 0);
    put_tensor(&f, "t", 2, two, 0, 8);
    refused("data that is not aligned", &f, "not a multiple of 32");
    f = begin(1, 0);
    put_tensor(&f, "t", 2, two, 0, 1ull << 62);
    put_data(&f, 256);
    refused("data behind the end", &f, "cut off");
    f = begin(2, 0);
    put_tensor(&f, "a", 2, two, 0, 0);
    put_tensor(&f, "b", 2, two, 0, 128);
    put_data(&f, 512);
    refused("tensors over each other", &f, "lie over each other");
    f = begin(2, 0);
    put_tensor(&f, "a", 2, two, 0, 0);
    put_tensor(&f, "a", 2, two, 0, 256);
    put_data(&f, 512);
    refused("a name twice", &f, "twice");
    f = begin(1, 0);
    put_text(&f, "\xff");
    refused("a name that is no text", &f, "not a text");
    f = begin(1, 0);
    put_text(&f, "");
    refused("an empty name", &f, "0 bytes");
}

/* A type that is known by its size alone: the file opens, the tensor cannot be read. */
static void test_other_type(void)
{
    static const uint64_t size[] = {256};
    float out[256];
    SlError err = {0};
    File f = begin(1, 0);
    put_tensor(&f, "t", 1, size, 16, 0);
    put_data(&f, 66);
    SlWeightSource *w = sl_weights_open_file(write_file(&f), &err);
    bool read = w && sl_weights_read_f32(w, sl_weights_info(w, 0), out, &err);
    test_refused("IQ2_XXS is refused by name", w && !read, &err, SL_UNSUPPORTED,
                 (const char *const[]){"t.gguf", "IQ2_XXS", NULL});
    sl_weights_close(w);
}

int main(void)
{
    test_good();
    test_heads();
    test_keys();
    test_tensors();
    test_other_type();
    return sl_test_done();
}
