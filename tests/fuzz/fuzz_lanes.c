/* fuzz_lanes.c - the input is a comparison (.safelight): the JSON of its header up to the first 0
 * byte, then the bytes of its tensors. Whatever is accepted can be looked at from end to end, and
 * written it is a file that opens again.
 */
#include "tests/fuzz/fuzz.h"

#include "app/record/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The file of an input: the header's length before it. malloc'ed, *size bytes. */
static uint8_t *assemble(const uint8_t *data, size_t *size)
{
    const uint8_t *end = *size ? memchr(data, 0, *size) : NULL;
    size_t header = end ? (size_t)(end - data) : *size, rest = end ? *size - header - 1 : 0;
    uint8_t *file = malloc(8 + header + rest);
    if (!file)
        abort();
    for (int i = 0; i < 8; i++)
        file[i] = (uint8_t)((uint64_t)header >> (8 * i));
    if (header)
        memcpy(file + 8, data, header);
    if (rest)
        memcpy(file + 8 + header, end + 1, rest);
    *size = 8 + header + rest;
    return file;
}

static void look_at_words(const SlTimeline *t)
{
    const SlWordRecord *r = sl_timeline_words(t);
    const char *prompt = sl_timeline_recipe(t)->prompt;
    SlError err = {0};
    float map[9];
    volatile double sum = 0;
    for (int row = 0; r && row < r->rows; row++) {
        if (r->row[row].begin < 0 || (size_t)r->row[row].end > strlen(prompt))
            abort();
        for (int i = 0; i < sl_timeline_count(t); i++) {
            bool told = sl_word_record_told(r, i, row);
            sum += sl_word_record_share(r, i, row, SL_ALL_LEVELS);
            if (told != sl_word_record_map(r, i, row, SL_ALL_LEVELS, 3, 3, map, &err))
                abort();
        }
    }
}

/* Reads every byte that a lane says it has. */
static void look_at(const SlTimeline *t)
{
    int channels, height, width;
    volatile float sum = 0;
    sl_timeline_size(t, &channels, &height, &width);
    if (channels < 1 || height < 1 || width < 1)
        abort();
    for (int i = 0; i < sl_timeline_count(t); i++) {
        const SlMoment *m = sl_timeline_moment(t, i);
        for (size_t k = 0; m->x_t && k < (size_t)channels * height * width; k++)
            sum += m->x_t[k] + (m->x_0 ? m->x_0[k] : 0);
    }
    look_at_words(t);
}

static void write_again(const SlLanesIn *in)
{
    char path[80];
    SlError err = {0};
    SlLanesIn back;
    const SlMetadata *identity[SL_LANES_MAX];
    for (int i = 0; i < sl_lanes_count(in->lanes); i++)
        identity[i] = &in->note[i].metadata;
    const SlLanesOut out = {.lanes = in->lanes, .identities = identity, .reference = in->reference};
    snprintf(path, sizeof path, "%s/again.safelight", fuzz_folder());
    if (sl_lanes_write(&out, path, &err)) {
        if (!sl_lanes_read(&back, path, &err))
            abort();
        sl_lanes_in_free(&back);
    } else if (err.code == SL_OK || !*err.message) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static SlLanesIn in; /* with its notes it is too large for a stack */
    SlError err = {0};
    uint8_t *file = assemble(data, &size);
    bool ok = sl_lanes_read(&in, fuzz_file(file, size), &err);
    free(file);
    if (ok ? sl_lanes_count(in.lanes) < 1 : err.code == SL_OK || !*err.message)
        abort();
    for (int i = 0; ok && i < sl_lanes_count(in.lanes); i++)
        look_at(sl_lanes_timeline(in.lanes, i));
    if (ok)
        write_again(&in);
    sl_lanes_in_free(&in);
    return 0;
}
