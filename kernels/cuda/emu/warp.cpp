/* warp.cpp - what a warp does as one: shuffles, votes, tensor cores, ldmatrix; and cp.async.
 *
 * Layouts of mma.m16n8k16 and ldmatrix follow the PTX text; no GPU has confirmed them here (that is
 * tests/kernels/cuda/semantics.cu's to do). Sums are rounded as the CPU does, not truncated as
 * tensor cores do.
 */
#include "worker.h"

#include "cuda_bf16.h"
#include "cuda_fp16.h"

#include <cstdlib>
#include <cstring>

namespace cuda_emu
{
uint64_t shfl_run(unsigned mask, uint64_t v, int mode, int arg, int width, const char *file,
                  int line)
{
    Lane *me = me_lane();
    int lane = me->lane, seg = lane & ~(width - 1), src = lane;
    if (mode == 0)
        src = seg | (arg & (width - 1));
    else if (mode == 1) {
        src = lane - arg;
        if (src < seg)
            src = lane;
    } else if (mode == 2) {
        src = lane + arg;
        if (src >= seg + width)
            src = lane;
    } else {
        src = lane ^ arg;
        if ((src & ~(width - 1)) > seg)
            src = lane;
    }
    ShflArg a = {v, 0, src, 0};
    warp_collective(file, line, K_SHFL, mask, &a, [](void **p, unsigned m) {
        for (unsigned r = m; r; r &= r - 1) {
            ShflArg *x = (ShflArg *)p[__builtin_ctz(r)];
            if (m >> x->src & 1)
                x->out = ((ShflArg *)p[x->src])->in;
            else {
                x->out = 0xffffffffffffffffull;
                x->oob = 1;
            }
        }
    });
    if (a.oob)
        report("shfl-inactive", nullptr, "%s:%d lane %d reads lane %d, which is not in the mask",
               file, line, lane, src);
    return a.out;
}

struct ExchangeArg {
    float v;
    Exchange all;
};

float exchange(float v, Exchange all, const char *file, int line)
{
    ExchangeArg a = {v, all};
    warp_collective(file, line, K_SHFL, 0xffffffffu, &a, [](void **p, unsigned m) {
        float lanes[32];
        memset(lanes, 0xff, sizeof lanes); // NaN: what lanes that are not there would give
        for (unsigned r = m; r; r &= r - 1)
            lanes[__builtin_ctz(r)] = ((ExchangeArg *)p[__builtin_ctz(r)])->v;
        ((ExchangeArg *)p[__builtin_ctz(m)])->all(lanes);
        for (unsigned r = m; r; r &= r - 1)
            ((ExchangeArg *)p[__builtin_ctz(r)])->v = lanes[__builtin_ctz(r)];
    });
    return a.v;
}

struct VoteArg {
    int pred;
    unsigned out;
};

unsigned vote_run(unsigned mask, int pred, const char *file, int line)
{
    VoteArg a = {pred, 0};
    warp_collective(file, line, K_VOTE, mask, &a, [](void **p, unsigned m) {
        unsigned b = 0;
        for (unsigned r = m; r; r &= r - 1) {
            int l = __builtin_ctz(r);
            if (((VoteArg *)p[l])->pred)
                b |= 1u << l;
        }
        for (unsigned r = m; r; r &= r - 1)
            ((VoteArg *)p[__builtin_ctz(r)])->out = b;
    });
    return a.out;
}

/* ---- tensor cores: the fragments of mma.m16n8k16 ---- */

typedef float v8 __attribute__((vector_size(32)));

static void widen_h(const uint16_t *from, float *to, int n)
{
    for (int i = 0; i < n; i++)
        to[i] = emu_h2f(from[i]);
}

static void widen_b(const uint16_t *from, float *to, int n)
{
    for (int i = 0; i < n; i++)
        to[i] = emu_b2f(from[i]);
}

/* ni x nj products in one meeting of the warp: d[i * nj + j] += a[i] * b[j] */
struct TileArg {
    float (*d)[4];
    const uint32_t (*a)[4];
    const uint32_t (*b)[2];
    int ni, nj;
};

/* 16 rows of a, or 16 x 8 of b, as they lie in the lanes' registers. */
static void gather_a(void **p, int i, uint16_t (&raw)[16][16])
{
    for (int l = 0; l < 32; l++) {
        const uint32_t *a = ((const TileArg *)p[l])->a[i];
        int g = l >> 2, t = (l & 3) * 2;
        __builtin_memcpy(&raw[g][t], &a[0], 4);
        __builtin_memcpy(&raw[g + 8][t], &a[1], 4);
        __builtin_memcpy(&raw[g][t + 8], &a[2], 4);
        __builtin_memcpy(&raw[g + 8][t + 8], &a[3], 4);
    }
}

static void gather_b(void **p, int nj, uint16_t (*raw)[16][8])
{
    for (int l = 0; l < 32; l++) {
        const uint32_t(*b)[2] = ((const TileArg *)p[l])->b;
        int g = l >> 2, t = (l & 3) * 2;
        for (int j = 0; j < nj; j++) {
            raw[j][t][g] = (uint16_t)b[j][0];
            raw[j][t + 1][g] = (uint16_t)(b[j][0] >> 16);
            raw[j][t + 8][g] = (uint16_t)b[j][1];
            raw[j][t + 9][g] = (uint16_t)(b[j][1] >> 16);
        }
    }
}

static bool all_zero(const void *p, size_t n)
{
    uint64_t any = 0, u;
    for (size_t i = 0; i < n; i += 8) {
        __builtin_memcpy(&u, (const char *)p + i, 8);
        any |= u;
    }
    return !any;
}

static bool all_finite(const float *f, int n)
{
    float odd = 0;
    for (int i = 0; i < n; i++)
        odd += f[i] * 0.0f; // NaN of infinity and of NaN
    return odd == 0;
}

/* Sums of rows of c with the products of a and b, k by k. */
static void multiply(float (&c)[16][8], const float (&a)[16][16], const float (&b)[16][8])
{
    v8 bk[16];
    __builtin_memcpy(bk, b, sizeof bk);
    for (int m = 0; m < 16; m++) {
        v8 sum = *(v8 *)c[m];
        for (int k = 0; k < 16; k++)
            sum += a[m][k] * bk[k];
        *(v8 *)c[m] = sum;
    }
}

template <void (*WIDEN)(const uint16_t *, float *, int)>
static void tile_combine(void **p, unsigned)
{
    const TileArg *t0 = (const TileArg *)p[0];
    int ni = t0->ni, nj = t0->nj;
    alignas(64) float A[16][16], B[32][16][8], C[16][8];
    alignas(64) uint16_t ra[16][16], rb[32][16][8];
    bool finite[32], zero[32];
    gather_b(p, nj, rb);
    for (int j = 0; j < nj; j++) {
        WIDEN(rb[j][0], B[j][0], 16 * 8);
        zero[j] = all_zero(rb[j], sizeof rb[j]);
        finite[j] = zero[j] || all_finite(B[j][0], 16 * 8);
    }
    for (int i = 0; i < ni; i++) {
        gather_a(p, i, ra);
        WIDEN(ra[0], A[0], 16 * 16);
        bool zero_a = all_zero(ra, sizeof ra), finite_a = zero_a || all_finite(A[0], 16 * 16);
        for (int j = 0; j < nj; j++) {
            for (int l = 0; l < 32; l++) {
                const float *c = ((const TileArg *)p[l])->d[i * nj + j];
                int g = l >> 2, t = (l & 3) * 2;
                __builtin_memcpy(&C[g][t], c, 8);
                __builtin_memcpy(&C[g + 8][t], c + 2, 8);
            }
            // What pads a tile: sums of zeros and products with zeros stay zeros.
            if (((zero_a && finite[j]) || (zero[j] && finite_a)) && all_zero(C, sizeof C))
                continue;
            multiply(C, A, B[j]);
            for (int l = 0; l < 32; l++) {
                float *d = ((const TileArg *)p[l])->d[i * nj + j];
                int g = l >> 2, t = (l & 3) * 2;
                __builtin_memcpy(d, &C[g][t], 8);
                __builtin_memcpy(d + 2, &C[g + 8][t], 8);
            }
        }
    }
}

void mma_tile(float (*d)[4], const uint32_t (*a)[4], int ni, const uint32_t (*b)[2], int nj,
              bool bf16, const char *file, int line)
{
    if (nj > 32) {
        report("emu-limit", nullptr, "mma_tile: more than 32 columns");
        abort();
    }
    TileArg t = {d, a, b, ni, nj};
    warp_collective(file, line, K_MMA, 0xffffffffu, &t,
                    bf16 ? tile_combine<widen_b> : tile_combine<widen_h>);
}

struct LdmArg {
    uint32_t *r;
    const char *row;
    int count;
    size_t step;
    bool trans;
};

static void ldm_combine(void **p, unsigned)
{
    const LdmArg *a0 = (const LdmArg *)p[0];
    for (int i = 0; i < a0->count; i++) {
        uint16_t M[4][8][8];
        for (int l = 0; l < 32; l++)
            __builtin_memcpy(M[l >> 3][l & 7], ((const LdmArg *)p[l])->row + i * a0->step, 16);
        for (int l = 0; l < 32; l++) {
            uint32_t *r = ((const LdmArg *)p[l])->r + 4 * i;
            int g = l >> 2, t = (l & 3) * 2;
            for (int m = 0; m < 4; m++)
                if (a0->trans)
                    r[m] = (uint32_t)M[m][t][g] | (uint32_t)M[m][t + 1][g] << 16;
                else
                    __builtin_memcpy(&r[m], &M[m][g][t], 4);
        }
    }
}

static void check_row(uintptr_t a, const char *file, int line, const void *pc)
{
    if (!in_shared(a))
        report("not-shared", nullptr, "ldmatrix at %s:%d: the address is not in shared memory",
               file, line);
    if (a & 15)
        report("misaligned", nullptr, "ldmatrix at %s:%d: row address is not 16 byte aligned", file,
               line);
#if EMU_CHECK
    if (in_shared(a))
        shared_access(wk, me_lane(), a, 16, false, pc);
#elif EMU_ASAN
    volatile char c0 = *(const volatile char *)a, c1 = ((const volatile char *)a)[15];
    (void)c0;
    (void)c1;
#endif
    (void)pc;
}

void ldmatrix(uint32_t *r, const void *row, int count, size_t step, bool trans, const char *file,
              int line)
{
    for (int i = 0; i < count; i++)
        check_row((uintptr_t)row + i * step, file, line, __builtin_return_address(0));
    LdmArg a = {r, (const char *)row, count, step, trans};
    warp_collective(file, line, K_LDMATRIX, 0xffffffffu, &a, ldm_combine);
}

/* ---- cp.async: the place becomes NaN at once, and the copy happens as late as is allowed ---- */

void cp_async(void *dst, const void *src, unsigned bytes, unsigned src_bytes, const char *file,
              int line)
{
    Lane *me = me_lane();
    if (me->n_copies == MAXCOPY) {
        report("emu-limit", nullptr, "more than %d cp.async in flight in one thread", MAXCOPY);
        abort();
    }
    if (!in_shared((uintptr_t)dst))
        report("not-shared", nullptr, "cp.async at %s:%d: destination is not in shared memory",
               file, line);
    if (((uintptr_t)dst | (uintptr_t)src) & (bytes - 1))
        report("misaligned", nullptr, "cp.async at %s:%d: addresses must be %u byte aligned", file,
               line, bytes);
    if (src_bytes && !in_device((uintptr_t)src))
        report("host-pointer", nullptr, "cp.async at %s:%d: source %p is not device memory", file,
               line, src);
#if EMU_CHECK
    const void *pc = __builtin_return_address(0);
    shared_access(wk, me, (uintptr_t)dst, bytes, true, pc);
    if (src_bytes)
        global_access(wk, me, (uintptr_t)src, src_bytes, false, pc);
    for (size_t c = ((uintptr_t)dst - (uintptr_t)wk->smem) / 2, i = 0; i < bytes / 2; i++)
        wk->shadow[c + i].flags |= C_PENDING;
#endif
    memset(dst, 0xff, bytes);
    wk->copies[me->linear][me->n_copies++] = {(char *)dst, (const char *)src, bytes, src_bytes,
                                              me->group};
}

void cp_async_commit()
{
    me_lane()->group++;
}

void cp_async_wait(int newest_left)
{
    Lane *me = me_lane();
    Copy *q = wk->copies[me->linear];
    int n = 0;
    while (n < me->n_copies && q[n].group < me->group - newest_left) {
        Copy &c = q[n++];
        memcpy(c.dst, c.src, c.src_bytes);
        memset(c.dst + c.src_bytes, 0, c.bytes - c.src_bytes);
#if EMU_CHECK
        for (size_t k = ((uintptr_t)c.dst - (uintptr_t)wk->smem) / 2, i = 0; i < c.bytes / 2; i++) {
            SCell &s = wk->shadow[k + i];
            s.flags = (s.flags & ~C_PENDING) | C_INIT;
            s.w = me->linear + 1;
            s.we = wk->epoch;
            s.wwe = wk->warps[me->warp].epoch;
        }
#endif
    }
    if (n) {
        me->n_copies -= n;
        memmove(q, q + n, me->n_copies * sizeof *q);
    }
}
} // namespace cuda_emu
