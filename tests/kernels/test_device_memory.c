/* test_device_memory.c - what all devices promise of memory: addresses that repeat, and a sentence
 * when it runs out.
 *
 * Memory that runs out is played by a copy of the device's table whose alloc fails from some call
 * on.
 */
#include "kernels/devices.h"
#include "kernels/kernels.h"
#include "run.h"
#include "test.h"

#include <string.h>

/* ---- the arena ---- */

static void test_arena(const char *name)
{
    SlDevice *dev = run_device(name, SL_F32, 1);
    static const int64_t sizes[] = {10, 1000, 9000000, 64, 20000000, 7, 300000, 1};
    void *first[8];
    bool same = true, aligned = true, apart = true;
    size_t start = sl_arena_mark(dev);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 8; i++) {
            SlTensor t = sl_tensor_new1(dev, sizes[i]);
            same = same && (round == 0 || t.data == first[i]);
            aligned = aligned && t.data && (uintptr_t)t.data % 64 == 0;
            first[i] = t.data;
        }
        sl_arena_reset(dev, start);
    }
    for (int i = 0; i < 8; i++)
        for (int k = 0; k < 8; k++)
            if (i != k && (char *)first[k] >= (char *)first[i] &&
                (char *)first[k] < (char *)first[i] + 4 * sizes[i])
                apart = false;
    sl_test(same && aligned && apart, "%s: the arena repeats its addresses, aligned and apart",
            name);
    SlTensor a = sl_tensor_new1(dev, 100);
    size_t mark = sl_arena_mark(dev);
    SlTensor b = sl_tensor_new1(dev, 100);
    sl_arena_reset(dev, mark);
    SlTensor c = sl_tensor_new1(dev, 50);
    sl_test(a.data != b.data && b.data == c.data, "%s: a mark inside a block", name);
    sl_arena_release(dev);
    SlTensor d = sl_tensor_new1(dev, 50);
    sl_test(d.data && dev->work.arena_peak >= 4 * 29301082, "%s: usable after release, peak %zu",
            name, dev->work.arena_peak);
    sl_device_close(&dev);
}

/* Empty small blocks make room for a large one: what is held is the larger of two sequences, not
 * their sum. */
static void test_arena_turns(void)
{
    SlDevice *dev = run_device("cpu", SL_F32, 1);
    size_t start = sl_arena_mark(dev), peak = 0;
    SlTensor last = {0};
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 10; i++)
            last = sl_tensor_new1(dev, 6 << 20);
        sl_arena_reset(dev, start);
        peak = round == 0 ? dev->work.arena_peak : peak;
        last = sl_tensor_new1(dev, 40 << 20);
        sl_arena_reset(dev, start);
    }
    sl_test(last.data && peak >= 240 << 20 && dev->work.arena_peak <= peak + (32 << 20),
            "cpu: two sequences in turn hold %zu MiB, the first alone %zu",
            dev->work.arena_peak >> 20, peak >> 20);
    sl_device_close(&dev);
}

/* ---- memory that runs out ---- */

static void test_absurd(const char *name)
{
    SlDevice *dev = run_device(name, SL_F32, 1);
    const int64_t big = (int64_t)1 << 46; /* beyond any address space */
    SlError err = {0};
    SlTensor t = sl_tensor_new4(dev, big, big, big, big);
    sl_test(!t.data && !sl_device_check(dev, &err) && err.code == SL_MEMORY,
            "%s: an impossible tensor is SL_MEMORY: %s", name, err.message);
    sl_device_clear(dev);
    t = sl_tensor_new2(dev, -1, 4);
    sl_test(!t.data && dev->status == SL_MEMORY, "%s: so is one of negative size", name);
    sl_device_clear(dev);
    t = sl_buffer_new(dev, SL_F32, 1, &big);
    sl_test(!t.data && dev->status == SL_MEMORY, "%s: and a buffer of that size", name);
    sl_device_clear(dev);
    t = sl_tensor_new2(dev, 2, 2);
    float ones[4] = {1, 1, 1, 1}, got[4];
    sl_upload(dev, ones, &t);
    sl_add(dev, &t, &t, 1, &t);
    sl_download(dev, &t, got);
    sl_test(sl_device_ok(dev) && got[3] == 2, "%s: it works afterwards", name);
    sl_device_close(&dev);
}

static int allocations_left;
static void *(*real_alloc)(SlDevice *dev, size_t bytes);

static void *failing_alloc(SlDevice *dev, size_t bytes)
{
    return allocations_left-- > 0 ? real_alloc(dev, bytes) : NULL;
}

/* Everything that allocates: weights, their layouts, temporaries, scratch. */
static void small_model(Run *r)
{
    SlTensor x = run_input(r, 4, SIZES(1, 6, 6, 16), 1);
    SlWeight *w = run_weight(r, SL_WEIGHT_CONV, 4, SIZES(16, 16, 3, 3), 0.1f);
    SlWeight *up = run_weight(r, SL_WEIGHT_LINEAR, 2, SIZES(64, 16), 0.1f);
    SlEpilogue e = {.residual = &x, .act = SL_ACT_SILU};
    SlConv conv = {1, 1, 1, 1, 1};
    SlTensor y = sl_tensor_new4(r->dev, 1, 6, 6, 16), z = sl_tensor_new4(r->dev, 1, 12, 12, 16);
    run_output(r, r->dev->dtype, 3, SIZES(1, 36, 16), 0);
    SlAttention attn = {2, 0.3f, false};
    SlTensor tokens = sl_tensor_new3(r->dev, 1, 36, 32), q = sl_slice(&tokens, 2, 0, 16);
    SlTensor flat = sl_reshape(&x, 3, SIZES(1, 36, 16));
    if (!w || !up)
        return;
    sl_conv2d(r->dev, &x, w, &conv, &e, &y);
    sl_upsample_conv2d(r->dev, &x, w, NULL, &z);
    sl_linear_geglu(r->dev, &flat, up, NULL, &tokens);
    sl_group_norm(r->dev, &tokens, NULL, NULL, &(SlGroupNorm){4, 1e-5f, SL_ACT_SILU}, &tokens);
    sl_attention(r->dev, &q, &q, &q, &attn, &r->out);
}

/* least: allocations there are at the very least; weights may share some. */
static void test_failing_memory(const char *name, int least)
{
    SlDevice *dev = run_device(name, SL_F32, 2);
    const SlOps *real = dev->ops;
    SlOps failing = *real;
    real_alloc = real->alloc;
    failing.alloc = failing_alloc;
    int refused = 0, steps = 0;
    bool sane = true, finished = false;
    for (; steps < 100 && !finished; steps++) {
        allocations_left = steps;
        dev->ops = &failing;
        Run r = {.dev = dev, .seed = 7, .repeat = 1};
        size_t mark = sl_arena_mark(dev);
        small_model(&r);
        finished = dev->status == SL_OK;
        refused += dev->status == SL_MEMORY;
        sane = sane && (finished || (dev->status == SL_MEMORY && dev->message[0]));
        dev->ops = real;
        sl_device_clear(dev);
        run_free(&r);
        sl_arena_reset(dev, mark);
        sl_arena_release(dev);
    }
    sl_test(sane && finished && refused >= least && refused == steps - 1,
            "%s: each of %d allocations may fail, and it says SL_MEMORY", name, refused);
    sl_test(dev->work.buffer_bytes == 0 && dev->work.weight_bytes == 0,
            "%s: nothing is left behind (%zu, %zu)", name, dev->work.buffer_bytes,
            dev->work.weight_bytes);
    sl_device_close(&dev);
}

/* A refusal names the size that the device would have held, in the unit that it says. */
static void test_sizes(void)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } sizes[] = {{0, "0.0 MiB"},
                 {1536 << 10, "1.5 MiB"},
                 {100 << 20, "100.0 MiB"},
                 {(uint64_t)3 << 29, "1.5 GiB"},
                 {(uint64_t)10 << 30, "10.0 GiB"}};
    bool right = true;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        right = right && !strcmp(sl_bytes_text(sizes[i].bytes).text, sizes[i].text);
    sl_test(right, "sizes are told in MiB and GiB");
    SlDevice *dev = run_device("ref", SL_F16, 1);
    const SlOps *real = dev->ops;
    SlOps failing = *real;
    static uint16_t values[1024 * 1024];
    SlTensor host = sl_tensor_view(values, SL_F16, 2, SIZES(1024, 1024));
    failing.alloc = failing_alloc;
    allocations_left = 0;
    dev->ops = &failing;
    SlWeight *w = sl_weight_new(dev, SL_WEIGHT_LINEAR, &host);
    sl_test(!w && strstr(dev->message, " 2.0 MiB"), "a weight of a million halves: %s",
            dev->message);
    dev->ops = real;
    sl_device_close(&dev);
}

int main(void)
{
    test_sizes();
    test_arena("cpu");
    test_arena("measure");
    test_arena_turns();
    test_absurd("cpu");
    test_absurd("check");
    test_failing_memory("ref", 5);
    test_failing_memory("cpu", 3);
    return sl_test_done();
}
