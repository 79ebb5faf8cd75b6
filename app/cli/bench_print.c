/* bench_print.c - see bench_print.h. The tables of a profile are sorted by time; the floor of an
 * operation is what its work would take at the ceiling, by arithmetic or by memory, whichever is
 * more. */
#include "app/cli/bench_print.h"
#include "app/cli/session.h"

#include "app/files/files.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define MOST_SHAPES 24 /* lines of the table by shape */

static double peak_megabytes(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss * 1024 / 1e6;
}

static double gflops(double flops, double seconds)
{
    return seconds > 0 ? flops / seconds / 1e9 : 0;
}

/* ---- profiles ---- */

static int by_time(const void *a, const void *b)
{
    double x = ((const SlProfileRow *)a)->seconds, y = ((const SlProfileRow *)b)->seconds;
    return (x < y) - (x > y);
}

static double floor_of(const SlProfileRow *row, const SlCeiling *c)
{
    double arithmetic = c->flops > 0 ? row->flops / c->flops : 0;
    double memory = c->bytes > 0 ? row->bytes / c->bytes : 0;
    return arithmetic > memory ? arithmetic : memory;
}

/* The rows of one operation summed; gives their number. The floor is the shapes' sum. */
static size_t sum_kinds(const SlBenchProfile *p, const SlCeiling *c, SlProfileRow *kinds,
                        double *floors)
{
    size_t count = 0;
    for (size_t i = 0; i < p->count; i++) {
        size_t k = 0;
        while (k < count && strcmp(kinds[k].op, p->rows[i].op) != 0)
            k++;
        if (k == count) {
            kinds[count] = (SlProfileRow){.op = p->rows[i].op};
            floors[count++] = 0;
        }
        kinds[k].calls += p->rows[i].calls;
        kinds[k].seconds += p->rows[i].seconds;
        kinds[k].flops += p->rows[i].flops;
        kinds[k].bytes += p->rows[i].bytes;
        floors[k] += floor_of(&p->rows[i], c);
    }
    return count;
}

static void print_row(const SlProfileRow *row, const SlBenchProfile *p, double floor)
{
    double runs = p->runs, s = row->seconds;
    printf("  %-18s %-32s %6.0f %10.2f %6.1f %9.1f %7.1f %10.2f %6.1f\n", row->op, row->shape,
           (double)row->calls / runs, s / runs * 1e3, s / p->seconds * 100, row->flops / s / 1e9,
           row->bytes / s / 1e9, floor / runs * 1e3, floor > 0 ? s / floor : 0);
}

static void print_head(const char *what)
{
    printf("  %-18s %-32s %6s %10s %6s %9s %7s %10s %6s\n", what, "", "calls", "ms", "%", "GFLOP/s",
           "GB/s", "floor ms", "times");
}

static void print_kinds(const SlBenchProfile *p, const SlCeiling *c)
{
    SlProfileRow *kinds = calloc(p->count, sizeof *kinds);
    double *floors = calloc(p->count, sizeof *floors), sum = 0;
    size_t count = kinds && floors ? sum_kinds(p, c, kinds, floors) : 0;
    for (size_t done = 0; done < count; done++) {
        size_t most = 0;
        for (size_t i = 1; i < count; i++)
            if (kinds[i].seconds > kinds[most].seconds)
                most = i;
        print_row(&kinds[most], p, floors[most]);
        sum += kinds[most].seconds;
        kinds[most].seconds = -1;
    }
    printf("  %-18s %-32s %6s %10.2f %6.1f\n", "outside operations", "", "",
           (p->seconds - sum) / p->runs * 1e3, (p->seconds - sum) / p->seconds * 100);
    free(kinds);
    free(floors);
}

static void print_profile(const char *stage, const SlBenchProfile *p, const SlCeiling *c)
{
    if (!p->rows)
        return;
    printf("\n%s: %.2f ms, mean of %d; ceiling %.0f GFLOP/s, %.1f GB/s\n", stage,
           p->seconds / p->runs * 1e3, p->runs, c->flops / 1e9, c->bytes / 1e9);
    print_head("operation");
    print_kinds(p, c);
    print_head("by shape");
    qsort(p->rows, p->count, sizeof *p->rows, by_time);
    for (size_t i = 0; i < p->count && i < MOST_SHAPES; i++)
        print_row(&p->rows[i], p, floor_of(&p->rows[i], c));
    if (p->count > MOST_SHAPES)
        printf("  and %zu more\n", p->count - MOST_SHAPES);
}

static void add_profile(SlJsonOut *out, cJSON *root, const char *name, const SlBenchProfile *p)
{
    cJSON *stage = sl_out_object(out, root, name);
    cJSON *rows = sl_out_array(out, stage, "operations");
    sl_out_number(out, stage, "runs", p->runs);
    sl_out_number(out, stage, "seconds", p->seconds);
    if (p->count)
        qsort(p->rows, p->count, sizeof *p->rows, by_time);
    for (size_t i = 0; i < p->count; i++) {
        cJSON *row = sl_out_object(out, rows, NULL);
        sl_out_text(out, row, "operation", p->rows[i].op);
        sl_out_text(out, row, "shape", p->rows[i].shape);
        sl_out_number(out, row, "calls", (double)p->rows[i].calls);
        sl_out_number(out, row, "seconds", p->rows[i].seconds);
        sl_out_number(out, row, "gflop", p->rows[i].flops / 1e9);
        sl_out_number(out, row, "bytes", p->rows[i].bytes);
    }
}

/* ---- the whole ---- */

static const char *caching_word(int i)
{
    return sl_setting(SL_SETTING_CACHING)->choices[SL_CACHING_DEEP + i];
}

void sl_bench_print(const SlBench *b, bool profile)
{
    printf("%s\n%s\n", b->what, b->device);
    printf("  types      %s%s%s%s\n", b->dtypes, *b->why ? " (" : "", b->why, *b->why ? ")" : "");
    printf("  step       %10.2f ms  (median of %d, fastest %.2f; %.3g GFLOP, %.1f GFLOP/s)\n",
           b->step_median * 1e3, b->steps, b->step_fastest * 1e3, b->step_flops / 1e9,
           gflops(b->step_flops, b->step_median));
    printf("  text       %10.2f ms  (%.1f GFLOP/s)\n", b->text * 1e3,
           gflops(b->text_flops, b->text));
    if (b->load > 0)
        printf("  load       %10.2f ms\n", b->load * 1e3);
    if (b->preview > 0)
        printf("  preview    %10.2f ms\n", b->preview * 1e3);
    if (b->first_preview > 0)
        printf("  first      %10.2f ms  (from the start of a run to its first preview)\n",
               b->first_preview * 1e3);
    if (b->step_decoding > 0)
        printf("  step       %10.2f ms  (while a picture is decoded beside it)\n",
               b->step_decoding * 1e3);
    if (b->step_maps > 0)
        printf("  step       %10.2f ms  (with maps of the words, %+.1f %%)\n", b->step_maps * 1e3,
               b->step_maps_share * 100);
    for (int i = 0; i < 2; i++)
        if (b->step_cached[i] > 0)
            printf("  step       %10.2f ms  (cached, %s, %+.1f %%)\n", b->step_cached[i] * 1e3,
                   caching_word(i), b->step_cached_share[i] * 100);
    printf("  decode     %10.2f ms  (%.1f GFLOP/s)\n", b->decode * 1e3,
           gflops(b->decode_flops, b->decode));
    printf("  memory     %10.1f MB  (weights %.1f MB; process peak %.1f MB)\n",
           (double)b->device_bytes / 1e6, (double)b->weight_bytes / 1e6, peak_megabytes());
    if (!profile)
        return;
    print_profile("one step", &b->step_profile, &b->ceiling);
    print_profile("decode", &b->decode_profile, &b->ceiling);
    print_profile("text and keys", &b->text_profile, &b->ceiling);
}

static void add_cached(SlJsonOut *out, cJSON *root, const SlBench *b)
{
    if (b->step_cached[0] <= 0)
        return;
    cJSON *list = sl_out_array(out, root, "cached");
    for (int i = 0; i < 2; i++) {
        cJSON *item = sl_out_object(out, list, NULL);
        sl_out_text(out, item, "caching", caching_word(i));
        sl_out_number(out, item, "step_ms", b->step_cached[i] * 1e3);
        sl_out_number(out, item, "step_share", b->step_cached_share[i]);
    }
}

cJSON *sl_bench_to_json(const SlBench *b)
{
    SlJsonOut out = {0};
    cJSON *root = sl_out_object(&out, NULL, NULL);
    sl_out_text(&out, root, "what", b->what);
    sl_out_text(&out, root, "device", b->device);
    sl_out_text(&out, root, "dtype", b->dtypes);
    if (*b->why)
        sl_out_text(&out, root, "dtype_why", b->why);
    sl_out_number(&out, root, "steps", b->steps);
    sl_out_number(&out, root, "step_ms", b->step_median * 1e3);
    sl_out_number(&out, root, "step_ms_fastest", b->step_fastest * 1e3);
    sl_out_number(&out, root, "step_gflop", b->step_flops / 1e9);
    sl_out_number(&out, root, "step_gflops", gflops(b->step_flops, b->step_median));
    sl_out_number(&out, root, "text_ms", b->text * 1e3);
    if (b->load > 0)
        sl_out_number(&out, root, "load_ms", b->load * 1e3);
    if (b->preview > 0)
        sl_out_number(&out, root, "preview_ms", b->preview * 1e3);
    if (b->first_preview > 0)
        sl_out_number(&out, root, "first_preview_ms", b->first_preview * 1e3);
    if (b->step_decoding > 0)
        sl_out_number(&out, root, "step_decoding_ms", b->step_decoding * 1e3);
    if (b->step_maps > 0) {
        sl_out_number(&out, root, "step_maps_ms", b->step_maps * 1e3);
        sl_out_number(&out, root, "step_maps_share", b->step_maps_share);
    }
    add_cached(&out, root, b);
    if (b->held_bytes > 0)
        sl_out_number(&out, root, "held_bytes", (double)b->held_bytes);
    sl_out_number(&out, root, "decode_ms", b->decode * 1e3);
    sl_out_number(&out, root, "decode_gflops", gflops(b->decode_flops, b->decode));
    sl_out_number(&out, root, "device_bytes", (double)b->device_bytes);
    sl_out_number(&out, root, "weight_bytes", (double)b->weight_bytes);
    sl_out_number(&out, root, "process_peak_bytes", peak_megabytes() * 1e6);
    if (b->step_profile.rows) {
        cJSON *profile = sl_out_object(&out, root, "profile");
        sl_out_number(&out, profile, "ceiling_gflops", b->ceiling.flops / 1e9);
        sl_out_number(&out, profile, "ceiling_gbs", b->ceiling.bytes / 1e9);
        add_profile(&out, profile, "step", &b->step_profile);
        add_profile(&out, profile, "decode", &b->decode_profile);
        add_profile(&out, profile, "text", &b->text_profile);
    }
    return sl_out_end(&out, root);
}
