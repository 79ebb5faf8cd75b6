/* brownian.c - a Brownian path that can be asked for any of its increments (see noise.h).
 *
 * Mirrors BrownianTree of torchsde 0.2.6 (_brownian/brownian_interval.py with halfway_tree) and
 * SeedSequence of numpy, from which it takes a seed for each node: the same numbers to the last bit
 * where torch draws on the CPU. The interval is halved again and again, at whole millionths, until
 * both ends of what is asked for are edges; the increment of a node's left half is drawn around its
 * share of the node's own, and the right half is what is left.
 *
 * Easy to get wrong: increments and their factors are f32, one operation at a time; an answer is
 * the sum of the nodes it is made of, from the left; times are rounded to six decimals, halves to
 * even, but the first increment's deviation is that of the ends as they are.
 */
#include "engine/noise/noise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- numpy's SeedSequence ---- */

#define POOL 24 /* words; torchsde's pool_size */

static uint32_t hash_mix(uint32_t value, uint32_t *constant)
{
    value ^= *constant;
    *constant *= 0x931e8875u;
    value *= *constant;
    return value ^ value >> 16;
}

static uint32_t mix(uint32_t x, uint32_t y)
{
    uint32_t mixed = 0xca01f9ddu * x - 0x4973f715u * y;
    return mixed ^ mixed >> 16;
}

/* As many words as the number has, at least one. */
static int add_words(uint32_t *words, int count, uint64_t number)
{
    do
        words[count++] = (uint32_t)number;
    while ((number >>= 32) > 0);
    return count;
}

/* The first word of SeedSequence(entropy, spawn_key=(key, depth), pool_size=24).generate_state();
 * depth -1: of one without a spawn key. */
static uint32_t seed_of(uint64_t entropy, uint64_t key, int depth)
{
    uint32_t words[POOL + 4] = {0}, pool[POOL], constant = 0x43b0d7e5u;
    int count = add_words(words, 0, entropy);
    if (depth >= 0) {
        count = add_words(words, POOL, key);
        count = add_words(words, count, (uint64_t)depth);
    }
    for (int i = 0; i < POOL; i++)
        pool[i] = hash_mix(words[i], &constant);
    for (int from = 0; from < POOL; from++)
        for (int to = 0; to < POOL; to++)
            if (from != to)
                pool[to] = mix(pool[to], hash_mix(pool[from], &constant));
    for (int from = POOL; from < count; from++)
        for (int to = 0; to < POOL; to++)
            pool[to] = mix(pool[to], hash_mix(words[from], &constant));
    uint32_t word = (pool[0] ^ 0x8b51f9ddu) * (0x8b51f9ddu * 0x58f38dedu);
    return word ^ word >> 16;
}

/* ---- the tree ---- */

/* Python's round(x, 6): the nearest of the exact values, halves to even. */
static double rounded(double x)
{
    double millionths = x * 1e6, whole = rint(millionths), rest = fma(x, 1e6, -millionths);
    double over = (millionths - whole) + rest;
    if (over > 0.5)
        whole++;
    else if (over < -0.5)
        whole--;
    else if (fabs(over) == 0.5 && fmod(whole, 2) != 0)
        whole += over > 0 ? 1 : -1;
    return whole / 1e6;
}

typedef struct Node {
    double start, end;
    uint64_t key; /* 0 at the top, then twice the parent's and one more on the right */
    int depth;
} Node;

/* What is asked for. */
typedef struct Query {
    const SlBrownian *path;
    double from, to;
    int64_t n;
    float *sum;
    bool begun; /* sum has something */
    bool ok;    /* memory sufficed */
} Query;

static void draw(const Query *q, uint32_t seed, float *out)
{
    SlNoise noise;
    sl_noise_init(&noise, q->path->kind, seed, q->path->cuda_threads);
    sl_noise_normal(&noise, out, q->n);
}

static void add(Query *q, const float *increment)
{
    for (int64_t i = 0; i < q->n; i++)
        q->sum[i] = q->begun ? q->sum[i] + increment[i] : increment[i];
    q->begun = true;
}

/* The increment of the node's left half. */
static void draw_left(const Query *q, const Node *node, double middle, const float *whole,
                      float *left)
{
    double reciprocal = 1 / (node->end - node->start), before = middle - node->start;
    double after = node->end - middle;
    float share = (float)before, over = (float)reciprocal;
    float deviation = (float)sqrt(before * after * reciprocal);
    draw(q, seed_of(q->path->seed, node->key, node->depth), left);
    for (int64_t i = 0; i < q->n; i++)
        left[i] = share * whole[i] * over + deviation * left[i];
}

/* Adds what the node has of the increment that is asked for. It goes down one half at a time, so it
 * calls itself only where both halves have a part. */
static void descend(Query *q, Node node, float *whole)
{
    float *left = malloc((size_t)q->n * sizeof *left);
    q->ok = q->ok && left;
    while (q->ok && !(q->from <= node.start && node.end <= q->to)) {
        double middle = rounded(0.5 * (node.end + node.start));
        Node low = {node.start, middle, 2 * node.key, node.depth + 1};
        Node high = {middle, node.end, 2 * node.key + 1, node.depth + 1};
        if (middle <= node.start || middle >= node.end)
            break; /* a millionth has no middle, and what is asked for has no edge within it */
        draw_left(q, &node, middle, whole, left);
        if (q->from < middle && q->to > middle) {
            for (int64_t i = 0; i < q->n; i++)
                whole[i] -= left[i];
            descend(q, low, left);
            node = high;
        } else if (q->from < middle) {
            memcpy(whole, left, (size_t)q->n * sizeof *left);
            node = low;
        } else {
            for (int64_t i = 0; i < q->n; i++)
                whole[i] -= left[i];
            node = high;
        }
    }
    if (q->ok)
        add(q, whole);
    free(left);
}

bool sl_brownian_noise(const SlBrownian *path, double sigma, double next, float *out, int64_t n)
{
    Node top = {.start = rounded(path->low), .end = rounded(path->high)};
    Query q = {.path = path,
               .from = rounded(fmin(fmax(next, top.start), top.end)),
               .to = rounded(fmin(fmax(sigma, top.start), top.end)),
               .n = n,
               .sum = out,
               .ok = true};
    float *whole = malloc((size_t)n * sizeof *whole);
    float deviation = (float)sqrt(path->high - path->low);
    float distance = sqrtf(fabsf((float)next - (float)sigma));
    memset(out, 0, (size_t)n * sizeof *out);
    if (whole && q.from < q.to) {
        draw(&q, seed_of(path->seed, 0, -1), whole);
        for (int64_t i = 0; i < n; i++)
            whole[i] *= deviation;
        descend(&q, top, whole);
    }
    for (int64_t i = 0; whole && i < n; i++)
        out[i] = -out[i] / distance;
    free(whole);
    return whole && q.ok;
}
