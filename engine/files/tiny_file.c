/* tiny_file.c - see tiny_file.h.
 *
 * Three layouts are about: the author's own (github.com/madebyollin/taesd: an nn.Sequential for each
 * half, a file for each, or both behind a prefix), diffusers' ("decoder.layers."), and
 * the latter behind a program's prefix.
 *
 * Easy to get wrong: in the author's the clamp is number 0 of the decoder, in diffusers' it is not
 * among the layers, so that all numbers are one less; activations and upsamplings count. A file has
 * no configuration: sizes tell it, and how often blocks follow each other.
 */
#include "engine/files/tiny_file.h"
#include "engine/files/utf8.h"
#include "engine/files/weights_views.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_ROOM  512
#define MAX_LEVELS 8
#define MAX_BLOCKS 16 /* of a level */

/* What comes before a layer's number, and what is taken off that. */
typedef struct Layout {
    const char *prefix;
    int less;
} Layout;

static const Layout layouts[] = {
    {"decoder.layers.", 0},
    {"tae.decoder.layers.", 0},
    {"vae.decoder.layers.", 0},
    {"taesd_decoder.", 1},
    {"decoder.", 1},
    {"", 1},
};

static bool has(const SlWeightSource *file, const char *prefix, const char *name)
{
    char full[NAME_ROOM];
    snprintf(full, sizeof full, "%s%s", prefix, name);
    return sl_weights_find(file, full) != NULL;
}

/* A convolution, and three more in the blocks behind it; the clamp and a VAE of full size have no
 * such names. */
static const Layout *layout_of(const SlWeightSource *file)
{
    for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++) {
        const Layout *l = &layouts[i];
        if (has(file, l->prefix, l->less ? "1.weight" : "0.weight") &&
            has(file, l->prefix, l->less ? "3.conv.0.weight" : "2.conv.0.weight"))
            return l;
    }
    return NULL;
}

/* Its second layer is a block already. */
static bool is_encoder(const SlWeightSource *file)
{
    static const char *const prefixes[] = {"", "encoder.", "taesd_encoder.", "encoder.layers."};
    for (int i = 0; i < 4; i++)
        if (has(file, prefixes[i], "0.weight") && has(file, prefixes[i], "1.conv.0.weight"))
            return true;
    return false;
}

bool sl_tiny_is(const SlWeightSource *file)
{
    return layout_of(file) || is_encoder(file);
}

bool sl_tiny_has_decoder(const SlWeightSource *file)
{
    return layout_of(file) != NULL;
}

/* "3.conv.0.weight" behind the prefix as "decoder.layers.2.conv.0.weight". False where no number
 * begins it, or one that the layout does not have. */
static bool rename_layer(const Layout *layout, const char *name, char out[NAME_ROOM])
{
    char *end;
    if (*name < '0' || *name > '9')
        return false;
    long number = strtol(name, &end, 10);
    return *end == '.' && number >= layout->less && number < 1000 &&
           snprintf(out, NAME_ROOM, "decoder.layers.%ld%s", number - layout->less, end) < NAME_ROOM;
}

SlWeightSource *sl_tiny_weights(SlWeightSource *file, SlError *err)
{
    const Layout *layout = layout_of(file);
    SlShown path = sl_show_path(sl_weights_file(file, 0));
    if (!layout) {
        sl_fail(err, SL_UNSUPPORTED, "%s: there is no decoder of a tiny VAE (TAESD) in this file",
                path.text);
        return NULL;
    }
    size_t prefix = strlen(layout->prefix);
    char name[NAME_ROOM];
    SlWeightSet *set = sl_weight_set_new(file, err);
    bool ok = set != NULL;
    for (size_t i = 0; ok && i < sl_weights_count(file); i++) {
        const SlTensorInfo *info = sl_weights_info(file, i);
        if (!strncmp(info->name, layout->prefix, prefix) &&
            rename_layer(layout, info->name + prefix, name))
            ok = sl_weight_set_add(set, sl_view_renamed(sl_view_of(file, info, err), name, err),
                                   err);
    }
    if (ok)
        return sl_weight_set_finish(set, err);
    sl_weight_set_free(set);
    return NULL;
}

/* ---- its configuration ---- */

static const SlTensorInfo *layer(const SlWeightSource *w, int number, const char *name)
{
    char full[64];
    snprintf(full, sizeof full, "decoder.layers.%d.%s", number, name);
    return sl_weights_find(w, full);
}

static SlJson *fail(const SlWeightSource *w, SlError *err, const char *what)
{
    sl_fail(err, SL_UNSUPPORTED, "%s: this tiny VAE cannot be run: %s",
            sl_show_path(sl_weights_file(w, 0)).text, what);
    return NULL;
}

static bool is_conv3(const SlTensorInfo *t)
{
    return t && t->rank == 4 && t->size[2] == 3 && t->size[3] == 3 && t->size[0] > 0 &&
           t->size[0] <= 4096 && t->size[1] > 0 && t->size[1] <= 4096;
}

SlJson *sl_tiny_config(const SlWeightSource *w, SlError *err)
{
    const SlTensorInfo *first = layer(w, 0, "weight"), *last = NULL;
    int blocks[MAX_LEVELS] = {0}, levels = 0, at = 2;
    if (!is_conv3(first))
        return fail(w, err, sl_words("its first layer is not a 3x3 convolution"));
    while (levels < MAX_LEVELS) {
        int *count = &blocks[levels++];
        while (layer(w, at, "conv.0.weight") && *count <= MAX_BLOCKS) {
            if (layer(w, at, "pool.0.weight"))
                return fail(w, err, sl_words("its blocks pool, as those of taef2 do"));
            ++*count, at++;
        }
        last = layer(w, at, "weight");
        if (last || !layer(w, at + 1, "weight"))
            break;
        at += 2; /* the upsampling has no weights */
    }
    if (!is_conv3(last))
        return fail(w, err, sl_words("there is no convolution behind its last block"));
    char text[700], sizes[100] = "", counts[100] = "";
    for (int i = 0; i < levels; i++) {
        size_t s = strlen(sizes), c = strlen(counts);
        snprintf(sizes + s, sizeof sizes - s, "%s%lld", i ? ", " : "", (long long)first->size[0]);
        snprintf(counts + c, sizeof counts - c, "%s%d", i ? ", " : "", blocks[i]);
    }
    snprintf(text, sizeof text,
             "{\"_class_name\": \"AutoencoderTiny\", \"latent_channels\": %lld, \"out_channels\": "
             "%lld, \"decoder_block_out_channels\": [%s], \"num_decoder_blocks\": [%s], "
             "\"force_upcast\": false}",
             (long long)first->size[1], (long long)last->size[0], sizes, counts);
    return sl_json_parse(sl_weights_file(w, 0), text, strlen(text), err);
}

double sl_tiny_scale(const SlWeightSource *file)
{
    const SlTensorInfo *info = sl_weights_find(file, "vae_scale");
    float value = 0;
    bool one = info && info->storage && info->bytes <= 8;
    for (int i = 0; one && i < info->rank; i++)
        one = info->size[i] == 1;
    return one && sl_weights_read_f32(file, info, &value, NULL) ? value : 0;
}
