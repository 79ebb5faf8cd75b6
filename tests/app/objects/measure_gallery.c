/* measure_gallery.c - a gallery of many pictures: how long opening, adding and searching take, and its memory.
 *
 *   ninja -C build tests/app/measure_gallery
 *   build/safelight generate --prompt x --steps 2 --width 64 --height 64 --output /tmp/base.png
 *   build/tests/app/measure_gallery /tmp/base.png 10000
 *
 * The pictures are the first one with other prompts and seeds, in a folder under $TMPDIR.
 */
#include "gobject.h"

#include <stdlib.h>
#include <unistd.h>

#include "app/recipe/recipe.h"

static const char *const words[] = {"a red house",  "by a lake",      "in the snow",  "at sunset",
                                    "a lighthouse", "two boats",      "oil painting", "in the fog",
                                    "35mm",         "highly detailed"};

static double since(gint64 start)
{
    return (double)(g_get_monotonic_time() - start) / 1000;
}

static double resident(void)
{
    g_autofree char *text = NULL;

    g_file_get_contents("/proc/self/statm", &text, NULL, NULL);
    return (double)g_ascii_strtoull(strchr(text, ' '), NULL, 10) * (double)sysconf(_SC_PAGESIZE) /
           (1 << 20);
}

static char *make_prompt(guint number)
{
    g_autoptr(GString) prompt = g_string_new("");

    for (guint i = 0; i < 12; i++)
        g_string_append_printf(prompt, "%s%s", i ? ", " : "",
                               words[(number * 7 + i * i * 3) % G_N_ELEMENTS(words)]);
    g_string_append_printf(prompt, ", number %u", number);
    return g_string_free(g_steal_pointer(&prompt), FALSE);
}

static char *write_picture(const char *folder, const SlMetadata *base, guint number)
{
    static guint8 rgb[64 * 64 * 3];
    g_autofree char *prompt = make_prompt(number);
    g_autofree char *path = g_strdup_printf("%s/%05u a picture.png", folder, number);
    SlRecipe recipe = *base->recipe;
    SlMetadata metadata = *base;
    SlError err = {0};

    recipe.prompt = prompt;
    recipe.seed = number;
    metadata.recipe = &recipe;
    if (!sl_metadata_write(path, rgb, 64, 64, &metadata, &err))
        g_error("%s", err.message);
    return g_steal_pointer(&path);
}

static void set_true(gpointer gallery, gboolean *done)
{
    *done = TRUE;
}

static SlGallery *open_gallery(SlThreadQueue *files, const char *folder, const char *what)
{
    SlGallery *gallery = sl_gallery_new(files);
    gboolean done = FALSE;
    gint64 start = g_get_monotonic_time();

    g_signal_connect(gallery, "loaded", G_CALLBACK(set_true), &done);
    sl_gallery_open(gallery, folder);
    WAIT_UNTIL(done);
    printf("%-44s %8.1f ms, %u pictures, %.1f MiB\n", what, since(start),
           g_list_model_get_n_items(G_LIST_MODEL(gallery)), resident());
    g_signal_handlers_disconnect_by_data(gallery, &done);
    return gallery;
}

static void add_one(SlGallery *gallery, const char *folder, const SlMetadata *base, guint number)
{
    g_autofree char *path = write_picture(folder, base, number);
    g_autofree char *prompt = make_prompt(number);
    gboolean done = FALSE;
    gint64 start = g_get_monotonic_time(), worked = time_on_core();
    double blocked;

    sl_gallery_add(gallery, path, prompt);
    blocked = (double)(time_on_core() - worked) / 1e6;
    g_signal_connect(gallery, "arranged", G_CALLBACK(set_true), &done);
    WAIT_UNTIL(done);
    printf("%-44s %8.1f ms (the call itself: %.1f ms of processor time)\n", "adding one",
           since(start), blocked);
    g_signal_handlers_disconnect_by_data(gallery, &done);
}

static void search(SlGallery *gallery, const char *text)
{
    gint64 start = g_get_monotonic_time();
    g_autofree char *wanted = g_utf8_casefold(text, -1);
    guint found = 0;

    for (guint i = 0; i < g_list_model_get_n_items(G_LIST_MODEL(gallery)); i++) {
        g_autoptr(SlPicture) picture = g_list_model_get_item(G_LIST_MODEL(gallery), i);
        g_autofree char *prompt = g_utf8_casefold(sl_picture_get_prompt(picture), -1);

        found += strstr(prompt, wanted) != NULL;
    }
    printf("%-44s %8.1f ms, %u found\n", "searching the prompts in memory", since(start), found);
}

int main(int argc, char **argv)
{
    guint count = argc > 2 ? (guint)atoi(argv[2]) : 10000;
    g_autofree char *folder = g_dir_make_tmp("safelight-gallery-XXXXXX", NULL);
    g_autofree char *data = g_dir_make_tmp("safelight-data-XXXXXX", NULL);
    SlThreadQueue *files;
    SlMetadata base = {0};
    SlError err = {0};
    SlGallery *gallery;

    if (argc < 2 || !sl_metadata_read(argv[1], &base, &err)) {
        fprintf(stderr, "measure_gallery PICTURE [COUNT]: %s\n", err.message);
        return 2;
    }
    g_setenv("XDG_DATA_HOME", data, TRUE);
    for (guint i = 0; i < count; i++)
        g_free(write_picture(folder, &base, i));
    files = sl_thread_queue_new("files");
    printf("%-44s %.1f MiB\n", "before", resident());
    g_object_unref(open_gallery(files, folder, "opening without an index"));
    g_object_unref(open_gallery(files, folder, "opening with it"));
    gallery = open_gallery(files, folder, "opening with it once more");
    for (guint i = 0; i < 3; i++)
        add_one(gallery, folder, &base, count + i);
    search(gallery, "number 9999");
    search(gallery, "lighthouse");
    g_object_unref(gallery);
    sl_thread_queue_close(files);
    sl_metadata_free(&base);
    printf("the pictures are in %s, the index in %s or there\n", folder, data);
    return 0;
}
