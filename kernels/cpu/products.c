/* products.c - linear and convolution without oneDNN: dot products over channels, four outputs at a
 * time. For machines that have nothing but a compiler.
 */
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/vec.h"

#if !SL_HAVE_ONEDNN

typedef struct Job {
    const SlTensor *x;
    const SlWeight *w, *bias;
    SlConv conv;
    int64_t n, h, wide, out_h, out_w;
    SlTensor *out;
} Job;

/* acc[j] += dot of a row of x with the rows of four outputs, `step` elements apart */
SL_INLINE void dot4(const SlTensor *x, int64_t xi, const SlTensor *w, const int64_t wi[4],
                    int64_t n, SlVec acc[4])
{
    int64_t c = 0;
    for (; c + SL_LANES <= n; c += SL_LANES) {
        SlVec a = sl_vec_load(x->data, x->dtype, xi + c);
        for (int j = 0; j < 4; j++)
            acc[j] += a * sl_vec_load(w->data, w->dtype, wi[j] + c);
    }
    if (c < n) {
        SlVec a = sl_vec_load_part(x->data, x->dtype, xi + c, n - c);
        for (int j = 0; j < 4; j++)
            acc[j] += a * sl_vec_load_part(w->data, w->dtype, wi[j] + c, n - c);
    }
}

SL_INLINE void put(SlTensor *out, int64_t i, float v)
{
    if (out->dtype == SL_F32)
        ((float *)out->data)[i] = v;
    else
        ((uint16_t *)out->data)[i] = sl_f32_to_bf16(v);
}

static void rows(void *arg, int64_t first, int64_t last)
{
    const Job *j = arg;
    int64_t kh = j->w->rank == 4 ? j->w->size[2] : 1, kw = j->w->rank == 4 ? j->w->size[3] : 1;
    int64_t channels = j->w->size[1], outputs = j->w->size[0];
    for (int64_t p = first; p < last; p++) {
        int64_t n = p / (j->out_h * j->out_w);
        int64_t y = p / j->out_w % j->out_h * j->conv.stride - j->conv.pad_top;
        int64_t z = p % j->out_w * j->conv.stride - j->conv.pad_left;
        for (int64_t o = 0; o < outputs; o += 4) {
            SlVec acc[4] = {sl_vec_set(0), sl_vec_set(0), sl_vec_set(0), sl_vec_set(0)};
            for (int64_t tap = 0; tap < kh * kw; tap++) {
                int64_t iy = y + tap / kw, ix = z + tap % kw, wi[4];
                if (iy < 0 || iy >= j->h || ix < 0 || ix >= j->wide)
                    continue;
                for (int k = 0; k < 4; k++) {
                    int64_t row = o + k < outputs ? o + k : outputs - 1;
                    wi[k] = (row * kh * kw + tap) * channels;
                }
                dot4(j->x, ((n * j->h + iy) * j->wide + ix) * channels, &j->w->value, wi, channels,
                     acc);
            }
            for (int k = 0; k < 4 && o + k < outputs; k++)
                put(j->out, p * outputs + o + k,
                    sl_vec_sum(acc[k]) +
                        (j->bias ? ((const float *)j->bias->value.data)[o + k] : 0));
        }
    }
}

static void cpu_linear(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlWeight *bias,
                       SlTensor *out)
{
    int64_t n = sl_tensor_elements(x) / w->size[1];
    Job job = {x, w, bias, {1, 0, 0, 0, 0}, 1, 1, n, 1, n, out};
    sl_parallel_for(dev, n, 8, rows, &job);
}

static void cpu_conv2d(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlWeight *bias,
                       const SlConv *conv, SlTensor *out)
{
    Job job = {x,          w,          bias,         *conv,        x->size[0],
               x->size[1], x->size[2], out->size[1], out->size[2], out};
    sl_parallel_for(dev, out->size[0] * out->size[1] * out->size[2], 8, rows, &job);
}

void SL_FOR_ISA(sl_cpu_product_slots)(SlOps *ops)
{
    ops->linear = cpu_linear;
    ops->conv2d = cpu_conv2d;
}

#endif
