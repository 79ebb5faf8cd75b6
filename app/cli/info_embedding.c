/* info_embedding.c - `safelight info` of a textual inversion: what its file holds, and the hash that
 * pictures name it by. */
#include "app/cli/info_embedding.h"

#include "app/cli/session.h"
#include "app/files/files.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void print_text(const char *title, const char *text)
{
    if (text && *text)
        sl_print("  %-13s %s\n", title, sl_show_name(text).text);
}

static void print_embedding(const SlEmbedding *e)
{
    SlText line = {0};
    sl_text_addf(&line, "%d vector%s of ", e->vectors, e->vectors == 1 ? "" : "s");
    if (e->width[0] && e->width[1])
        sl_text_addf(&line, "%d and %d numbers", e->width[0], e->width[1]);
    else
        sl_text_addf(&line, "%d numbers", e->width[0] ? e->width[0] : e->width[1]);
    if (e->word && *e->word)
        sl_text_addf(&line, ", word %s", sl_show_name(e->word).text);
    if (line.failed)
        sl_print_failed();
    else
        sl_print("  embedding     %s\n", line.data);
    sl_text_free(&line);
}

static void print_facts(const SlEmbeddingFile *file, const char *sha256)
{
    SlEmbeddingFacts facts;
    sl_embedding_facts(file, &facts);
    sl_print("%s\n", sl_show_path(sl_embedding_path(file)).text);
    sl_print("  kind          embedding (textual inversion), %s%s\n", facts.layout,
             facts.pickled ? ", a pickle, read without being run" : "");
    sl_print("  for           %s\n", facts.base ? facts.base : "not known");
    for (int i = 0; i < sl_embedding_count(file); i++)
        print_embedding(sl_embedding_get(file, i));
    print_text("trained as", facts.name);
    print_text("step", facts.step);
    print_text("made over", facts.checkpoint);
    sl_print("  SHA-256       %s\n", sha256);
}

static cJSON *facts_to_json(const SlEmbeddingFile *file, const char *sha256)
{
    SlEmbeddingFacts facts;
    SlJsonOut out = {0};
    cJSON *root = sl_out_object(&out, NULL, NULL);
    sl_embedding_facts(file, &facts);
    const struct {
        const char *key, *text;
    } texts[] = {{"kind", "embedding"},
                 {"path", sl_embedding_path(file)},
                 {"layout", facts.layout},
                 {"for", facts.base},
                 {"name", facts.name},
                 {"step", facts.step},
                 {"made_over", facts.checkpoint},
                 {"sha256", sha256}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].text)
            sl_out_text(&out, root, texts[i].key, texts[i].text);
    sl_out_bool(&out, root, "pickle", facts.pickled);
    cJSON *list = sl_out_array(&out, root, "embeddings");
    for (int i = 0; i < sl_embedding_count(file); i++) {
        const SlEmbedding *e = sl_embedding_get(file, i);
        cJSON *item = sl_out_object(&out, list, NULL);
        if (e->word)
            sl_out_text(&out, item, "word", e->word);
        sl_out_number(&out, item, "vectors", e->vectors);
        sl_out_number(&out, item, "width", e->width[0]);
        sl_out_number(&out, item, "width_2", e->width[1]);
    }
    return sl_out_end(&out, root);
}

/* No model finds room in a file of this size: what is wrong with one is said as of an embedding. */
#define SMALL (16 << 20)

bool sl_info_is_embedding(const char *path, SlError *err)
{
    struct stat st;
    bool small = stat(path, &st) == 0 && st.st_size < SMALL;
    return (small && sl_torch_file_is(path)) || sl_embedding_recognise(path, err);
}

int sl_info_embedding(const SlOptions *options, const char *path)
{
    SlError err = {0};
    char sha256[65];
    int status = SL_EXIT_OK;
    SlEmbeddingFile *file = sl_embedding_open(path, &err);
    if (!file || !sl_hash_file(path, sha256, NULL, &err)) {
        sl_embedding_close(file);
        return sl_fail_exit(&err);
    }
    if (options->json)
        status = sl_print_json(facts_to_json(file, sha256));
    else
        print_facts(file, sha256);
    sl_embedding_close(file);
    return status;
}
