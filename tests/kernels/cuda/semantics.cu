/* semantics.cu - does the machine do what gpu.h promises? The layouts are written down here a
 * second time, from the PTX text, apart from the emulation and from the kernels.
 *
 * On the emulation it tests the emulation. On a GPU it is the first thing to run: where it fails,
 * the emulation is a wrong model and nothing that it says about the kernels counts.
 */
#include "kernels/cuda/elements.h"
#include "test.h"

#include <string.h>
#include <vector>

/* Row-major a 16 x 16, b 16 x 8, c and d 16 x 8. */
template <class T> __global__ void product(const T *a, const T *b, const float *c, float *d)
{
    const int lane = threadIdx.x, group = lane >> 2, column = lane % 4 * 2;
    uint32_t fa[1][4], fb[1][2];
    float sum[1][1][4];
    for (int i = 0; i < 4; i++) {
        const T *p = a + (group + i % 2 * 8) * 16 + column + i / 2 * 8;
        fa[0][i] = gpu_pack(gpu_f(p[0]), gpu_f(p[1]), T());
        sum[0][0][i] = c[(group + i / 2 * 8) * 8 + column + i % 2];
    }
    for (int i = 0; i < 2; i++) {
        const T *p = b + (column + i * 8) * 8 + group;
        fb[0][i] = gpu_pack(gpu_f(p[0]), gpu_f(p[8]), T());
    }
    mma_tile(sum, fa, fb, T());
    for (int i = 0; i < 4; i++)
        d[(group + i / 2 * 8) * 8 + column + i % 2] = sum[0][0][i];
}

/* Four 8 x 8 matrices, then the same transposed: out [2][4][32]. */
__global__ void matrices(const uint16_t *in, uint32_t *out)
{
    GPU_SHARED(uint16_t, s, [4 * 64]);
    for (int i = threadIdx.x; i < 256; i += 32)
        s[i] = in[i];
    __syncthreads();
    uint32_t r[4];
    ldmatrix_x4<1>(r, s + threadIdx.x * 8, 0);
    for (int i = 0; i < 4; i++)
        out[i * 32 + threadIdx.x] = r[i];
    ldmatrix_x4_trans<1>(r, s + threadIdx.x * 8, 0);
    for (int i = 0; i < 4; i++)
        out[128 + i * 32 + threadIdx.x] = r[i];
}

/* Odd threads fetch zeros. */
__global__ void copies(const uint32_t *in, uint32_t *out)
{
    GPU_SHARED(uint32_t, s, [32 * 4]);
    cp_async16(s + threadIdx.x * 4, in + threadIdx.x * 4, threadIdx.x % 2 == 0);
    cp_async_commit();
    cp_async_wait<0>();
    __syncthreads();
    for (int i = threadIdx.x; i < 128; i += 32)
        out[i] = s[i];
}

__global__ void exchanges(int *out)
{
    const int l = threadIdx.x;
    out[l] = __shfl_xor_sync(0xffffffffu, l, 9);
    out[32 + l] = __shfl_xor_sync(0xffffffffu, l, 16);
}

__global__ void conversions(const float *in, __half *h, __nv_bfloat16 *b, int n)
{
    GPU_FLAT_LOOP (i, n) {
        h[i] = gpu_from<__half>(in[i]);
        b[i] = gpu_from<__nv_bfloat16>(in[i]);
    }
}

__global__ void limits(float *out)
{
    out[0] = exp2f(-INFINITY);
    out[1] = fmaxf(NAN, 1.0f);
    out[2] = fminf(1.0f, NAN);
    out[3] = 1.0f / (1.0f + expf(200.0f));
    out[4] = fmaxf(-INFINITY, -INFINITY);
    out[5] = gpu_silu(-104.0f);
}

/* ---- */

static std::vector<void *> taken;

template <class T> static T *on_device(const std::vector<T> &v)
{
    void *p = NULL;
    if (cudaMalloc(&p, v.size() * sizeof(T)) != cudaSuccess ||
        cudaMemcpy(p, v.data(), v.size() * sizeof(T), cudaMemcpyHostToDevice) != cudaSuccess) {
        printf("Bail out! no memory on the device\n");
        exit(1);
    }
    taken.push_back(p);
    return (T *)p;
}

template <class T> static std::vector<T> fetch(const T *p, size_t n)
{
    std::vector<T> v(n);
    cudaError_t e = cudaDeviceSynchronize();
    if (e == cudaSuccess)
        e = cudaMemcpy(v.data(), p, n * sizeof(T), cudaMemcpyDeviceToHost);
    if (e != cudaSuccess)
        sl_test(false, "%s", cudaGetErrorName(e));
    return v;
}

static GpuGrid one_warp()
{
    return {dim3(1), dim3(32), 0, 0};
}

static std::vector<uint16_t> typed(const std::vector<float> &f, SlDtype dtype)
{
    std::vector<uint16_t> v(f.size());
    sl_convert(f.data(), SL_F32, v.data(), dtype, f.size());
    return v;
}

/* Sixteenths: their sums of products are exact in any order. */
template <class T> static void test_product(SlDtype dtype)
{
    std::vector<float> a(256), b(128), c(128), want(128);
    for (int i = 0; i < 256; i++)
        a[i] = (float)(i * 37 % 64 - 32) / 16;
    for (int i = 0; i < 128; i++) {
        b[i] = (float)(i * 29 % 64 - 32) / 16;
        c[i] = (float)i;
    }
    for (int i = 0; i < 128; i++) {
        want[i] = c[i];
        for (int k = 0; k < 16; k++)
            want[i] += a[i / 8 * 16 + k] * b[k * 8 + i % 8];
    }
    float *d = on_device(std::vector<float>(128));
    gpu_launch(product<T>, one_warp(), (const T *)on_device(typed(a, dtype)),
               (const T *)on_device(typed(b, dtype)), (const float *)on_device(c), d);
    sl_test(fetch(d, 128) == want, "mma.m16n8k16 %s", sl_dtype_name(dtype));
}

static void test_matrices()
{
    std::vector<uint16_t> in(256);
    for (int i = 0; i < 256; i++)
        in[i] = (uint16_t)i;
    uint32_t *out = on_device(std::vector<uint32_t>(256));
    gpu_launch(matrices, one_warp(), (const uint16_t *)on_device(in), out);
    std::vector<uint32_t> got = fetch(out, 256);
    bool plain = true, transposed = true;
    for (uint32_t i = 0; i < 128; i++) {
        uint32_t base = i / 32 * 64, row = i % 32 / 4, column = i % 4 * 2;
        uint32_t at = base + row * 8 + column, t = base + column * 8 + row;
        plain = plain && got[i] == (at | (at + 1) << 16);
        transposed = transposed && got[128 + i] == (t | (t + 8) << 16);
    }
    sl_test(plain, "ldmatrix.x4");
    sl_test(transposed, "ldmatrix.x4.trans");
}

static void test_copies()
{
    std::vector<uint32_t> in(128), want(128);
    for (uint32_t i = 0; i < 128; i++) {
        in[i] = i + 1;
        want[i] = i / 4 % 2 ? 0 : i + 1;
    }
    uint32_t *out = on_device(std::vector<uint32_t>(128, 7));
    gpu_launch(copies, one_warp(), (const uint32_t *)on_device(in), out);
    sl_test(fetch(out, 128) == want, "cp.async, with zeros where nothing is valid");
}

static void test_exchanges()
{
    int *out = on_device(std::vector<int>(64));
    gpu_launch(exchanges, one_warp(), out);
    std::vector<int> got = fetch(out, 64), want(64);
    for (int l = 0; l < 32; l++) {
        want[l] = l ^ 9;
        want[32 + l] = l ^ 16;
    }
    sl_test(got == want, "__shfl_xor_sync");
}

/* Every value of both types, and what lies half way and three quarters to the next. */
static void test_conversions()
{
    std::vector<float> in;
    for (unsigned i = 0; i < 65536; i++) {
        const float h = sl_f16_to_f32((uint16_t)i), b = sl_bf16_to_f32((uint16_t)i);
        if (h == h)
            in.insert(in.end(), {h, h * 1.00048828125f, h * 1.0007f});
        if (b == b)
            in.insert(in.end(), {b, b * 1.00390625f});
    }
    const int n = (int)in.size();
    uint16_t *h = on_device(std::vector<uint16_t>(n)), *b = on_device(std::vector<uint16_t>(n));
    gpu_launch(conversions, gpu_flat(n, 0), (const float *)on_device(in), (__half *)h,
               (__nv_bfloat16 *)b, n);
    sl_test(fetch(h, n) == typed(in, SL_F16), "f16 of %d numbers", n);
    sl_test(fetch(b, n) == typed(in, SL_BF16), "bf16 of %d numbers", n);
}

static void test_limits()
{
    float *out = on_device(std::vector<float>(6));
    gpu_launch(limits, {dim3(1), dim3(1), 0, 0}, out);
    std::vector<float> got = fetch(out, 6);
    sl_test(got[0] == 0 && got[3] == 0 && got[4] == -INFINITY, "exp2f and expf at infinity");
    sl_test(got[1] == 1 && got[2] == 1, "fmaxf and fminf pass NaN over");
    sl_test(got[5] <= 0 && got[5] > -1e-30f, "silu where exp overflows");
}

int main()
{
    test_product<__half>(SL_F16);
    test_product<__nv_bfloat16>(SL_BF16);
    test_matrices();
    test_copies();
    test_exchanges();
    test_conversions();
    test_limits();
    for (void *p : taken)
        cudaFree(p);
    return sl_test_done();
}
