/* test_cookbook.c - recipes with names in a file: kept, bounded, renamed; and files that cannot be read. */
#include "gobject.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <unistd.h>

typedef struct {
    SlThreadQueue *files;
    char *path;
    SlCookbook *cookbook;
    char *damaged, *unsaved;
    guint lost;
} Fixture;

static char *config;

static void keep_text(SlCookbook *cookbook, const char *text, char **kept)
{
    g_free(*kept);
    *kept = g_strdup(text);
}

static void keep_damage(SlCookbook *cookbook, const char *aside, guint lost, Fixture *fixture)
{
    g_free(fixture->damaged);
    fixture->damaged = g_strdup(aside);
    fixture->lost = lost;
}

static void open_cookbook(Fixture *fixture, guint most)
{
    g_clear_object(&fixture->cookbook);
    g_clear_pointer(&fixture->files, sl_thread_queue_close);
    fixture->files = sl_thread_queue_new("files");
    fixture->cookbook = sl_cookbook_new(fixture->files, "test.json", most);
    g_signal_connect(fixture->cookbook, "damaged", G_CALLBACK(keep_damage), fixture);
    g_signal_connect(fixture->cookbook, "unsaved", G_CALLBACK(keep_text), &fixture->unsaved);
}

static void set_up(Fixture *fixture, gconstpointer data)
{
    fixture->path = g_build_filename(config, "safelight", "test.json", NULL);
    open_cookbook(fixture, 3);
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
    g_clear_object(&fixture->cookbook);
    g_clear_pointer(&fixture->files, sl_thread_queue_close);
    g_unlink(fixture->path);
    g_free(fixture->path);
    g_free(fixture->damaged);
    g_free(fixture->unsaved);
}

static guint count(Fixture *fixture)
{
    return g_list_model_get_n_items(G_LIST_MODEL(fixture->cookbook));
}

static SlKeptRecipe *get(Fixture *fixture, guint position)
{
    g_autoptr(SlKeptRecipe) kept = g_list_model_get_item(G_LIST_MODEL(fixture->cookbook), position);

    return kept; /* borrowed */
}

static void add(Fixture *fixture, const char *name, const char *prompt)
{
    g_autoptr(SlSettings) settings = sl_settings_new();
    g_autoptr(SlKeptRecipe) kept = NULL;

    g_object_set(settings, "prompt", prompt, "steps", 17, "scheduler", "euler", "width", 64,
                 "height", 64, "seed", (guint64)5, NULL);
    kept = sl_kept_recipe_new(name, settings, "/models/one", *prompt != '\0');
    sl_cookbook_add(fixture->cookbook, kept);
}

/* They come back as they were, and what was added before the file was read stands in front. */
static void test_kept(Fixture *fixture, gconstpointer data)
{
    add(fixture, "first “ä”", "a cat");
    add(fixture, "second", "");
    open_cookbook(fixture, 3);
    add(fixture, "third", "");
    WAIT_UNTIL(count(fixture) == 3);
    g_assert_cmpstr(sl_kept_recipe_get_name(get(fixture, 0)), ==, "third");
    g_assert_cmpstr(sl_kept_recipe_get_name(get(fixture, 2)), ==, "first “ä”");
    g_assert_cmpstr(sl_kept_recipe_get_model(get(fixture, 2)), ==, "/models/one");
    g_assert_true(sl_kept_recipe_has_words(get(fixture, 2)));
    g_assert_false(sl_kept_recipe_has_words(get(fixture, 1)));
    g_assert_cmpint(sl_settings_get_steps(sl_kept_recipe_get_settings(get(fixture, 2))), ==, 17);
    open_cookbook(fixture, 3);
    WAIT_UNTIL(count(fixture) == 3);
    g_assert_cmpstr(sl_kept_recipe_get_name(get(fixture, 0)), ==, "third");
}

/* However fast they come, the file says the last of them when the program ends. */
static void test_many(Fixture *fixture, gconstpointer data)
{
    for (int i = 0; i < 300; i++) {
        g_autofree char *name = g_strdup_printf("number %d", i);

        add(fixture, name, "");
        if (i % 50 == 0)
            turn_main_loop();
    }
    open_cookbook(fixture, 3);
    WAIT_UNTIL(count(fixture) == 3);
    g_assert_cmpstr(sl_kept_recipe_get_name(get(fixture, 0)), ==, "number 299");
}

static void test_bounds_and_names(Fixture *fixture, gconstpointer data)
{
    add(fixture, "a", "");
    add(fixture, "b", "");
    add(fixture, "c", "");
    add(fixture, "a", "x"); /* in place of the one before */
    g_assert_cmpuint(count(fixture), ==, 3);
    g_assert_cmpuint(sl_cookbook_find(fixture->cookbook, "a"), ==, 0);
    add(fixture, "d", "");
    g_assert_cmpuint(count(fixture), ==, 3);
    g_assert_cmpuint(sl_cookbook_find(fixture->cookbook, "b"), ==, G_MAXUINT);
    sl_cookbook_rename(fixture->cookbook, 2, "e");
    g_assert_cmpuint(sl_cookbook_find(fixture->cookbook, "e"), ==, 2);
    sl_cookbook_rename(fixture->cookbook, 7, "nobody");
    sl_cookbook_remove(fixture->cookbook, 0);
    g_assert_cmpuint(count(fixture), ==, 2);
    sl_cookbook_remove(fixture->cookbook, 7);
    g_assert_cmpuint(count(fixture), ==, 2);
}

/* The seed stays a person's own, and the prompts where they were not kept. */
static void test_over(Fixture *fixture, gconstpointer data)
{
    g_autoptr(SlSettings) mine = sl_settings_new();
    g_autoptr(SlSettings) over = NULL;
    g_autoptr(SlSettings) with_words = NULL;

    g_object_set(mine, "prompt", "mine", "negative-prompt", "not", "seed", (guint64)9, NULL);
    add(fixture, "plain", "");
    add(fixture, "words", "theirs");
    over = sl_kept_recipe_over(get(fixture, 1), mine);
    g_assert_cmpint(sl_settings_get_steps(over), ==, 17);
    g_assert_cmpstr(sl_settings_get_prompt(over), ==, "mine");
    g_assert_cmpuint(sl_settings_get_seed(over), ==, 9);
    with_words = sl_kept_recipe_over(get(fixture, 0), mine);
    g_assert_cmpstr(sl_settings_get_prompt(with_words), ==, "theirs");
}

static void test_words(Fixture *fixture, gconstpointer data)
{
    g_autoptr(SlSettings) settings = sl_settings_new();

    g_object_set(settings, "prompt", "one", NULL);
    sl_cookbook_add_words(fixture->cookbook, settings);
    g_object_set(settings, "negative-prompt", "fog", NULL);
    sl_cookbook_add_words(fixture->cookbook, settings);
    g_object_set(settings, "negative-prompt", "", "steps", 3, NULL);
    sl_cookbook_add_words(fixture->cookbook, settings); /* the first one's words */
    g_assert_cmpuint(count(fixture), ==, 2);
    g_assert_cmpint(sl_settings_get_steps(sl_kept_recipe_get_settings(get(fixture, 0))), ==, 3);
}

/* Whatever is wrong with the file, it is kept aside and said once. */
static void test_damaged(Fixture *fixture, gconstpointer data)
{
    static const char *const texts[] = {
        "",
        "{",
        "[]",
        "{\"items\":7}",
    };

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *kept = NULL;

        g_clear_object(&fixture->cookbook);
        g_clear_pointer(&fixture->files, sl_thread_queue_close);
        g_clear_pointer(&fixture->damaged, g_free);
        g_assert_true(g_file_set_contents(fixture->path, texts[i], -1, NULL));
        open_cookbook(fixture, 3);
        WAIT_UNTIL(fixture->damaged);
        g_assert_cmpuint(fixture->lost, ==, 0);
        g_assert_cmpuint(count(fixture), ==, 0);
        g_assert_false(g_file_test(fixture->path, G_FILE_TEST_EXISTS));
        g_assert_true(g_file_get_contents(fixture->damaged, &kept, NULL, NULL));
        g_assert_cmpstr(kept, ==, texts[i]);
        add(fixture, "new", "");
        open_cookbook(fixture, 3);
        WAIT_UNTIL(count(fixture) == 1);
        g_unlink(fixture->damaged);
        g_unlink(fixture->path);
    }
}

static void *no_memory(size_t bytes)
{
    (void)bytes;
    errno = ENOMEM;
    return NULL;
}

/* A file for which there is no memory is not taken for a damaged one. */
static void test_no_memory(Fixture *fixture, gconstpointer data)
{
    cJSON_Hooks hooks = {no_memory, free};

    add(fixture, "kept", "a cat");
    open_cookbook(fixture, 3);
    WAIT_UNTIL(count(fixture) == 1);
    sl_thread_queue_wait(fixture->files);
    cJSON_InitHooks(&hooks);
    open_cookbook(fixture, 3);
    sl_thread_queue_wait(fixture->files);
    cJSON_InitHooks(NULL);
    g_assert_null(fixture->damaged);
    g_assert_cmpuint(count(fixture), ==, 0);
    open_cookbook(fixture, 3);
    WAIT_UNTIL(count(fixture) == 1);
}

/* What can be read is taken and stays in the file; the file as it was is kept aside, behind those of before. */
static void test_partly(Fixture *fixture, gconstpointer data)
{
    static const char *const bad[] = {
        "{\"name\":\"a\"}",
        "7",
        "{\"name\":\"a\",\"model\":\"\",\"words\":true,\"settings\":{\"steps\":-4}}",
        "{\"name\":\"a\",\"model\":\"\",\"words\":1,\"settings\":{}}",
    };
    static const char *const good = "{\"name\":\"%s\",\"model\":\"\",\"words\":true,"
                                    "\"settings\":{\"scheduler\":\"euler\",\"width\":64,"
                                    "\"height\":64}}";

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *first = g_strdup_printf(good, "first");
        g_autofree char *last = g_strdup_printf(good, "last");
        g_autofree char *text = g_strdup_printf("{\"items\":[%s,%s,%s]}", first, bad[i], last);
        g_autofree char *ending = g_strdup_printf(".damaged-%u", i + 1);
        g_autofree char *kept = NULL;

        g_clear_object(&fixture->cookbook);
        g_clear_pointer(&fixture->files, sl_thread_queue_close);
        g_clear_pointer(&fixture->damaged, g_free);
        g_assert_true(g_file_set_contents(fixture->path, text, -1, NULL));
        open_cookbook(fixture, 3);
        WAIT_UNTIL(fixture->damaged);
        g_assert_cmpuint(fixture->lost, ==, 1);
        g_assert_cmpuint(count(fixture), ==, 2);
        g_assert_cmpstr(sl_kept_recipe_get_name(get(fixture, 0)), ==, "first");
        g_assert_cmpstr(sl_kept_recipe_get_name(get(fixture, 1)), ==, "last");
        g_assert_true(g_str_has_suffix(fixture->damaged, i == 0 ? ".damaged" : ending));
        g_assert_true(g_file_get_contents(fixture->damaged, &kept, NULL, NULL));
        g_assert_cmpstr(kept, ==, text);
        /* the next time nothing is wrong any more */
        g_clear_pointer(&fixture->damaged, g_free);
        open_cookbook(fixture, 3);
        WAIT_UNTIL(count(fixture) == 2);
        g_assert_null(fixture->damaged);
    }
}

/* What others may have put there is not touched. */
static void test_link(Fixture *fixture, gconstpointer data)
{
    g_autofree char *elsewhere = g_build_filename(config, "elsewhere", NULL);
    g_autofree char *text = NULL;

    g_clear_object(&fixture->cookbook);
    g_clear_pointer(&fixture->files, sl_thread_queue_close);
    g_assert_true(g_file_set_contents(elsewhere, "precious", -1, NULL));
    g_assert_cmpint(symlink(elsewhere, fixture->path), ==, 0);
    open_cookbook(fixture, 3);
    add(fixture, "new", "");
    WAIT_UNTIL(fixture->unsaved);
    g_assert_true(g_file_get_contents(elsewhere, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "precious");
    g_unlink(elsewhere);
}

/* More than would be read again is not written over what is there. */
static void test_too_large(Fixture *fixture, gconstpointer data)
{
    g_autofree char *prompt = g_strnfill(17 << 20, 'x');

    add(fixture, "small", "a cat");
    open_cookbook(fixture, 3);
    WAIT_UNTIL(count(fixture) == 1);
    add(fixture, "large", prompt);
    WAIT_UNTIL(fixture->unsaved);
    g_assert_nonnull(strstr(fixture->unsaved, "expected at most"));
    g_clear_pointer(&fixture->damaged, g_free);
    open_cookbook(fixture, 3);
    WAIT_UNTIL(count(fixture) == 1);
    g_assert_cmpstr(sl_kept_recipe_get_name(get(fixture, 0)), ==, "small");
    g_assert_null(fixture->damaged);
}

int main(int argc, char **argv)
{
    int status;

    config = temporary_folder();
    g_setenv("XDG_CONFIG_HOME", config, TRUE);
    g_autofree char *own = g_build_filename(config, "safelight", NULL);
    g_mkdir(own, 0700);
    g_test_init(&argc, &argv, NULL);
#define ADD(name, func) g_test_add("/cookbook/" name, Fixture, NULL, set_up, func, tear_down)
    ADD("kept", test_kept);
    ADD("many", test_many);
    ADD("bounds-and-names", test_bounds_and_names);
    ADD("over", test_over);
    ADD("words", test_words);
    ADD("damaged", test_damaged);
    ADD("no-memory", test_no_memory);
    ADD("partly", test_partly);
    ADD("link", test_link);
    ADD("too-large", test_too_large);
    status = g_test_run();
    remove_folder(config);
    g_free(config);
    return status;
}
