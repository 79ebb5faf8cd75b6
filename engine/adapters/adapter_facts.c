/* adapter_facts.c - what an adapter's file says of itself, and what other programs know it by.
 *
 * kohya's trainer writes what it did as texts ("ss_network_dim"), newer ones as "modelspec.*".
 * Which family a file is for is not always among them: the width of the texts that its
 * cross-attention reads (768, 1024, 2048) says it as well. Easy to get wrong: there are four hashes
 * in use, of the file, of what is behind its header, what the file states, and 64 KiB in its
 * middle.
 */
#include "engine/adapters/adapter_private.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *said(const SlAdapter *a, const char *key)
{
    const char *text = sl_weights_metadata(a->file, key);
    return text && *text && strcmp(text, "None") != 0 ? text : NULL;
}

/* ---- the family ---- */

static const char *base_of_width(int64_t width)
{
    return width == 768    ? "Stable Diffusion 1.x"
           : width == 1024 ? "Stable Diffusion 2.x"
           : width == 2048 ? "Stable Diffusion XL"
                           : NULL;
}

/* How wide the texts are that a module's weight reads; 0: it cannot be told. */
static int64_t text_width(const SlAdapterModule *m)
{
    bool cross = strstr(m->key, "attn2_to_k") || strstr(m->key, "attn2.to_k") ||
                 strstr(m->key, "attn2.processor.to_k");
    return !cross                      ? 0
           : m->kind == SL_MODULE_LORA ? sl_adapter_columns(m->tensor[SL_ROLE_DOWN])
           : m->kind == SL_MODULE_LOHA ? sl_adapter_columns(m->tensor[SL_ROLE_HADA_W1_B])
           : m->kind == SL_MODULE_DIFF ? sl_adapter_columns(m->tensor[SL_ROLE_DIFF])
                                       : 0;
}

const char *sl_adapter_base(const SlAdapter *a)
{
    const char *base = NULL, *version = said(a, "ss_base_model_version");
    const char *architecture = said(a, "modelspec.architecture");
    for (size_t i = 0; !base && i < a->count; i++)
        base = base_of_width(text_width(&a->module[i]));
    if (!base && version)
        base = !strncmp(version, "sdxl", 4)    ? "Stable Diffusion XL"
               : !strncmp(version, "sd_v2", 5) ? "Stable Diffusion 2.x"
               : !strncmp(version, "sd_v1", 5) ? "Stable Diffusion 1.x"
                                               : NULL;
    if (!base && architecture)
        base = !strncmp(architecture, "stable-diffusion-xl", 19)   ? "Stable Diffusion XL"
               : !strncmp(architecture, "stable-diffusion-v2", 19) ? "Stable Diffusion 2.x"
               : !strncmp(architecture, "stable-diffusion-v1", 19) ? "Stable Diffusion 1.x"
                                                                   : NULL;
    return base;
}

/* ---- counts ---- */

static void add_kind(SlAdapterFacts *f, const char *kind)
{
    size_t used = strlen(f->kinds);
    if (!strstr(f->kinds, kind))
        snprintf(f->kinds + used, sizeof f->kinds - used, "%s%s", used ? ", " : "", kind);
}

static void count_module(SlAdapterFacts *f, const SlAdapterModule *m)
{
    static const char *const names[] = {
        [SL_MODULE_LORA] = "LoRA", [SL_MODULE_LOHA] = "LoHa", [SL_MODULE_LOKR] = "LoKr"};
    char key[600];
    const char *rest;
    bool conv = m->kind == SL_MODULE_LORA &&
                (m->tensor[SL_ROLE_MID] ||
                 (m->tensor[SL_ROLE_DOWN]->rank == 4 && m->tensor[SL_ROLE_DOWN]->size[2] > 1));
    bool named =
        m->kind == SL_MODULE_LORA || m->kind == SL_MODULE_LOHA || m->kind == SL_MODULE_LOKR;
    add_kind(f, conv ? "LoCon" : named ? names[m->kind] : "differences");
    if (m->tensor[SL_ROLE_DORA] || m->tensor[SL_ROLE_MAGNITUDE])
        add_kind(f, "DoRA");
    snprintf(key, sizeof key, "%s", m->key);
    for (char *p = key; *p; p++)
        *p = *p == '.' ? '_' : *p;
    unsigned parts = sl_adapter_part_of(key, &rest);
    bool unet = parts & (1 << SL_ADAPTER_UNET) && strncmp(rest, "text_model", 10) != 0;
    f->unet += unet;
    f->text += !unet;
    int rank = (int)sl_adapter_rank(m);
    if (rank > 0) {
        f->rank_min = f->rank_min == 0 || rank < f->rank_min ? rank : f->rank_min;
        f->rank_max = rank > f->rank_max ? rank : f->rank_max;
    }
    f->alpha_min = fmin(f->alpha_min, m->alpha); /* NAN says nothing */
    f->alpha_max = fmax(f->alpha_max, m->alpha);
}

void sl_adapter_facts(const SlAdapter *a, SlAdapterFacts *f)
{
    *f = (SlAdapterFacts){.alpha_min = NAN, .alpha_max = NAN};
    for (size_t i = 0; i < a->count; i++)
        count_module(f, &a->module[i]);
    for (size_t i = 0; i < sl_weights_count(a->file); i++) {
        const SlTensorInfo *info = sl_weights_info(a->file, i);
        f->parameters += info->rank > 0 ? (uint64_t)(info->size[0] * sl_adapter_columns(info)) : 1;
    }
    f->modules = (int)a->count;
    f->embeddings = a->embeddings;
    f->base = sl_adapter_base(a);
    f->title = said(a, "modelspec.title");
    f->output_name = said(a, "ss_output_name");
    f->trigger = said(a, "modelspec.trigger_phrase");
    f->usage_hint = said(a, "modelspec.usage_hint");
    f->base_model = said(a, "ss_sd_model_name");
    f->network = said(a, "ss_network_module");
    f->clip_skip = said(a, "ss_clip_skip");
    f->tags = said(a, "ss_tag_frequency");
}

/* ---- words ---- */

#define MOST_TAGS 4096

typedef struct Word {
    const char *text;
    double count;
} Word;

static int by_count(const void *a, const void *b)
{
    const Word *x = a, *y = b;
    return x->count != y->count ? (x->count < y->count) - (x->count > y->count)
                                : strcmp(x->text, y->text);
}

void sl_adapter_words(const SlAdapter *a, int most, char *out, size_t size)
{
    const char *text = said(a, "ss_tag_frequency");
    SlError ignored = {0};
    SlJson *json =
        text ? sl_json_parse_bounded(a->path, text, strlen(text), 1 << 18, &ignored) : NULL;
    Word *words = json ? calloc(MOST_TAGS, sizeof *words) : NULL;
    int count = 0;
    const cJSON *folder, *tag;
    *out = 0;
    const cJSON *root = words ? sl_json_root(json) : NULL;
    cJSON_ArrayForEach(folder, root)
    {
        cJSON_ArrayForEach(tag, folder)
        {
            if (count < MOST_TAGS && cJSON_IsNumber(tag) && tag->string && *tag->string)
                words[count++] = (Word){tag->string, tag->valuedouble};
        }
    }
    if (count > 0)
        qsort(words, (size_t)count, sizeof *words, by_count);
    for (int i = 0; i < count && i < most; i++) {
        size_t used = strlen(out);
        SlShown word = sl_show_name(words[i].text);
        if (used + strlen(word.text) + 3 < size)
            snprintf(out + used, size - used, "%s%s", used ? ", " : "", word.text);
    }
    free(words);
    sl_json_close(json);
}

/* ---- hashes ---- */

#define OLD_AT   ((uint64_t)0x100000)
#define OLD_SIZE ((uint64_t)0x10000)

/* Bytes from `from` up to `to` of a file. */
typedef struct Span {
    int fd;
    const char *path;
    const int *cancel;
    uint64_t from, to;
} Span;

static bool add_span(const Span *s, SlSha256 *one, SlSha256 *two, SlError *err)
{
    enum { PIECE = 1 << 20 };
    uint8_t *piece = malloc(PIECE);
    bool ok = piece || sl_fail(err, SL_MEMORY, "%s: out of memory", sl_show_path(s->path).text);
    for (uint64_t at = s->from; ok && at < s->to; at += PIECE) {
        uint64_t n = s->to - at < PIECE ? s->to - at : PIECE;
        if (s->cancel && __atomic_load_n(s->cancel, __ATOMIC_RELAXED))
            ok = sl_fail(err, SL_CANCELLED, "%s: stopped", sl_show_path(s->path).text);
        ok = ok && sl_file_read(s->fd, s->path, piece, n, at, err);
        if (ok) {
            sl_sha256_add(one, piece, n);
            if (two)
                sl_sha256_add(two, piece, n);
        }
    }
    free(piece);
    return ok;
}

static bool hash_old(const Span *all, char old[9], SlError *err)
{
    const Span middle = {all->fd, all->path, all->cancel, OLD_AT, OLD_AT + OLD_SIZE};
    SlSha256 sha;
    char hex[65];
    old[0] = 0;
    if (all->to < middle.to)
        return true;
    sl_sha256_begin(&sha);
    if (!add_span(&middle, &sha, NULL, err))
        return false;
    sl_sha256_end(&sha, hex);
    snprintf(old, 9, "%.8s", hex);
    return true;
}

/* The length of a safetensors header is its first 8 bytes, little endian; 0 of other files. */
static bool find_header(const Span *all, uint64_t *header, SlError *err)
{
    uint8_t b[8];
    uint64_t length = 0;
    *header = 0;
    if (all->to < 8)
        return true;
    if (!sl_file_read(all->fd, all->path, b, 8, 0, err))
        return false;
    for (int i = 7; i >= 0; i--)
        length = length << 8 | b[i];
    *header = length <= all->to - 8 ? 8 + length : 0;
    return true;
}

static bool hash_spans(const Span *all, SlAdapterHashes *h, SlError *err)
{
    SlSha256 whole, tensors;
    uint64_t header;
    if (!find_header(all, &header, err))
        return false;
    const Span head = {all->fd, all->path, all->cancel, 0, header};
    const Span rest = {all->fd, all->path, all->cancel, header, all->to};
    sl_sha256_begin(&whole);
    sl_sha256_begin(&tensors);
    if (!add_span(&head, &whole, NULL, err) || !add_span(&rest, &whole, &tensors, err))
        return false;
    sl_sha256_end(&whole, h->sha256);
    sl_sha256_end(&tensors, h->tensors);
    return hash_old(all, h->old, err);
}

/* What the file states, where it is a hash. False and *err only without memory: another file that
 * cannot be opened states nothing. */
static bool find_stated(const char *path, char stated[65], SlError *err)
{
    SlError own = {0};
    SlWeightSource *file = sl_weights_open_file(path, &own);
    const char *text = file ? sl_weights_metadata(file, "sshs_model_hash") : NULL;
    if (text && strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64)
        snprintf(stated, 65, "%s", text);
    sl_weights_close(file);
    return own.code != SL_MEMORY || sl_fail(err, own.code, "%s", own.message);
}

bool sl_adapter_hash(const char *path, SlAdapterHashes *h, const int *cancel, SlError *err)
{
    Span all = {.path = path, .cancel = cancel};
    *h = (SlAdapterHashes){.old = ""};
    all.fd = sl_file_open(path, &all.to, err);
    if (all.fd < 0)
        return false;
    bool ok = hash_spans(&all, h, err);
    close(all.fd);
    return ok && find_stated(path, h->stated, err);
}

bool sl_adapter_has_hash(const SlAdapterHashes *h, const char *hash)
{
    size_t n = strlen(hash);
    return n >= 8 && n <= 64 &&
           (!strncmp(h->sha256, hash, n) || !strncmp(h->tensors, hash, n) ||
            !strncmp(h->stated, hash, n) || !strcmp(h->old, hash));
}
