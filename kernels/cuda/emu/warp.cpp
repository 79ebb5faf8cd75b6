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
static float cvt_h(uint16_t v)
{
    return emu_h2f(v);
}

static float cvt_b(uint16_t v)
{
    return emu_b2f(v);
}

/* ni x nj products in one meeting of the warp: d[i * nj + j] += a[i] * b[j] */
struct TileArg {
    float (*d)[4];
    const uint32_t (*a)[4];
    const uint32_t (*b)[2];
    int ni, nj;
};

template <float (*CVT)(uint16_t)> static void tile_combine(void **p, unsigned)
{
    const TileArg *t0 = (const TileArg *)p[0];
    int ni = t0->ni, nj = t0->nj;
    alignas(64) float A[16][16], C[16][8];
    float BB[32][16][8];
    for (int j = 0; j < nj; j++)
        for (int l = 0; l < 32; l++) {
            const uint32_t *b = ((const TileArg *)p[l])->b[j];
            int g = l >> 2, t = (l & 3) * 2;
            for (int r = 0; r < 2; r++) {
                BB[j][t + r * 8][g] = CVT((uint16_t)b[r]);
                BB[j][t + r * 8 + 1][g] = CVT((uint16_t)(b[r] >> 16));
            }
        }
    for (int i = 0; i < ni; i++) {
        for (int l = 0; l < 32; l++) {
            const uint32_t *a = ((const TileArg *)p[l])->a[i];
            int g = l >> 2, t = (l & 3) * 2;
            for (int r = 0; r < 4; r++) {
                int row = g + (r & 1) * 8, col = t + (r >> 1) * 8;
                A[row][col] = CVT((uint16_t)a[r]);
                A[row][col + 1] = CVT((uint16_t)(a[r] >> 16));
            }
        }
        for (int j = 0; j < nj; j++) {
            for (int l = 0; l < 32; l++) {
                const float *c = ((const TileArg *)p[l])->d[i * nj + j];
                int g = l >> 2, t = (l & 3) * 2;
                C[g][t] = c[0];
                C[g][t + 1] = c[1];
                C[g + 8][t] = c[2];
                C[g + 8][t + 1] = c[3];
            }
            v8 bk[16];
            for (int k = 0; k < 16; k++)
                __builtin_memcpy(&bk[k], BB[j][k], 32);
            for (int m = 0; m < 16; m++) {
                v8 acc = *(v8 *)C[m];
                for (int k = 0; k < 16; k++)
                    acc += A[m][k] * bk[k];
                *(v8 *)C[m] = acc;
            }
            for (int l = 0; l < 32; l++) {
                float *d = ((const TileArg *)p[l])->d[i * nj + j];
                int g = l >> 2, t = (l & 3) * 2;
                d[0] = C[g][t];
                d[1] = C[g][t + 1];
                d[2] = C[g + 8][t];
                d[3] = C[g + 8][t + 1];
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
                    bf16 ? tile_combine<cvt_b> : tile_combine<cvt_h>);
}

struct LdmArg {
    uint32_t *r;
    const char *row;
    int num;
    bool trans;
};

static void ldm_combine(void **p, unsigned)
{
    const LdmArg *a0 = (const LdmArg *)p[0];
    for (int mi = 0; mi < a0->num; mi++) {
        uint16_t M[8][8];
        for (int i = 0; i < 8; i++)
            __builtin_memcpy(M[i], ((const LdmArg *)p[mi * 8 + i])->row, 16);
        for (int l = 0; l < 32; l++) {
            const LdmArg *a = (const LdmArg *)p[l];
            int g = l >> 2, t = (l & 3) * 2;
            a->r[mi] = a0->trans ? (uint32_t)M[t][g] | (uint32_t)M[t + 1][g] << 16
                                 : (uint32_t)M[g][t] | (uint32_t)M[g][t + 1] << 16;
        }
    }
}

void ldmatrix(uint32_t *r, const void *row, int num, bool trans, const char *file, int line)
{
    Lane *me = me_lane();
    if (me->lane < num * 8) {
        uintptr_t a = (uintptr_t)row;
        if (!in_shared(a))
            report("not-shared", nullptr, "ldmatrix at %s:%d: the address is not in shared memory",
                   file, line);
        if (a & 15)
            report("misaligned", nullptr, "ldmatrix at %s:%d: row address is not 16 byte aligned",
                   file, line);
#if EMU_CHECK
        const void *pc = __builtin_return_address(0);
        if (in_shared(a))
            shared_access(wk, me, a, 16, false, pc);
#elif EMU_ASAN
        volatile char c0 = *(const volatile char *)row, c1 = ((const volatile char *)row)[15];
        (void)c0;
        (void)c1;
#endif
    }
    LdmArg a = {r, (const char *)row, num, trans};
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
