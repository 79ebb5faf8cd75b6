/* test_gallery_tree.c - the tree that branched pictures form, in every state that a folder of files can be
 * in. The files are real pictures with real metadata, made without computing anything.
 */
#include "gobject.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/recipe/metadata.h"
#include "app/recipe/recipe_text.h"
#include "tests/readdir.h"

typedef struct {
    SlThreadQueue *files;
    char *folder;
    SlGallery *gallery;
} Fixture;

static void set_up(Fixture *fixture, gconstpointer data)
{
    fixture->files = sl_thread_queue_new("files");
    fixture->folder = temporary_folder();
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
    g_clear_object(&fixture->gallery);
    g_clear_pointer(&fixture->files, sl_thread_queue_close);
    remove_folder(fixture->folder);
    g_free(fixture->folder);
}

/* A run: its guidance tells it from others, and where it left its parent. */
typedef struct Node {
    double guidance;
    const struct Node *parent;
    int step;
} Node;

static SlRecipe recipe_of(const Node *node)
{
    SlRecipe recipe = {0};

    for (int i = 0; i < SL_N_SETTINGS; i++)
        sl_setting_unset(sl_setting((SlSetting)i), &recipe);
    recipe.prompt = "a red house";
    recipe.scheduler = "euler";
    recipe.steps = 20;
    recipe.guidance = node->guidance;
    recipe.width = recipe.height = 64;
    return recipe;
}

static SlOrigin *origin_of(const Node *node)
{
    if (!node->parent)
        return NULL;
    SlRecipe parent = recipe_of(node->parent);
    SlOrigin *above = origin_of(node->parent);
    SlOrigin *origin = sl_origin_new(&parent, above, node->step);
    sl_origin_free(above);
    return origin;
}

/* moment: the step saved of a run that went on, 0 for its end. The file is as many seconds old. */
static void write_picture(Fixture *fixture, const char *name, const Node *node, int moment, int age,
                          const char *model)
{
    g_autofree char *path = g_strdup_printf("%s/%s.png", fixture->folder, name);
    const guint8 rgb[4 * 4 * 3] = {0};
    SlRecipe recipe = recipe_of(node);
    SlMetadata metadata = {.version = SL_METADATA_VERSION,
                           .pipeline = sl_pipeline_find("stable-diffusion"),
                           .steps = 20,
                           .step = moment ? moment : 20,
                           .partial = moment > 0};
    SlError err = {0};
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1700000000 - age}};

    metadata.recipe = sl_recipe_copy(&recipe);
    metadata.origin = origin_of(node);
    g_strlcpy(metadata.model, model, sizeof metadata.model);
    g_strlcpy(metadata.program, "safelight 0.1.0", sizeof metadata.program);
    g_strlcpy(metadata.device, "cpu", sizeof metadata.device);
    g_strlcpy(metadata.dtype, "f32", sizeof metadata.dtype);
    for (int i = 0; i < 64; i++)
        metadata.noise_sha256[i] = metadata.latents_sha256[i] = metadata.pixels_sha256[i] = '0';
    sl_metadata_write(path, rgb, 4, 4, &metadata, &err);
    g_assert_cmpstr(err.message, ==, "");
    sl_metadata_free(&metadata);
    g_assert_cmpint(utimensat(AT_FDCWD, path, times, 0), ==, 0);
}

static void loaded(SlGallery *gallery, gboolean *done)
{
    *done = TRUE;
}

static void open_gallery(Fixture *fixture)
{
    gboolean done = FALSE;

    g_clear_object(&fixture->gallery);
    fixture->gallery = sl_gallery_new(fixture->files);
    g_signal_connect(fixture->gallery, "loaded", G_CALLBACK(loaded), &done);
    sl_gallery_open(fixture->gallery, fixture->folder);
    WAIT_UNTIL(done);
    g_signal_handlers_disconnect_by_data(fixture->gallery, &done);
}

static SlPicture *find(Fixture *fixture, const char *name)
{
    g_autofree char *path = g_strdup_printf("%s/%s.png", fixture->folder, name);
    guint position = sl_gallery_find(fixture->gallery, path);
    g_autoptr(SlPicture) picture = NULL;

    g_assert_cmpuint(position, !=, G_MAXUINT);
    picture = g_list_model_get_item(G_LIST_MODEL(fixture->gallery), position);
    return picture; /* borrowed */
}

static char *name_of(SlPicture *picture)
{
    char *name = picture ? g_path_get_basename(sl_picture_get_path(picture)) : g_strdup("-.png");

    name[strlen(name) - 4] = '\0';
    return name;
}

/* "name depth parent" of each, in order: "a 0 -, b 1 a". */
static char *outline(Fixture *fixture)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < g_list_model_get_n_items(G_LIST_MODEL(fixture->gallery)); i++) {
        g_autoptr(SlPicture) picture = g_list_model_get_item(G_LIST_MODEL(fixture->gallery), i);
        g_autofree char *name = name_of(picture);
        g_autofree char *parent = name_of(sl_picture_get_parent(picture));

        g_string_append_printf(text, "%s%s %u %s", i ? ", " : "", name,
                               sl_picture_get_place(picture)->depth, parent);
    }
    return g_string_free(text, FALSE);
}

#define OUTLINE(expected)                             \
    G_STMT_START                                      \
    {                                                 \
        g_autofree char *outline_ = outline(fixture); \
        g_assert_cmpstr(outline_, ==, expected);      \
    }                                                 \
    G_STMT_END

static const Node root = {7.5, NULL, 0}, early = {5, &root, 4}, late = {9, &root, 12},
                  deep = {3, &late, 15}, other = {1, NULL, 0};

/* All of one family but what is asked for otherwise, oldest first. */
static void write_family(Fixture *fixture)
{
    write_picture(fixture, "root", &root, 0, 900, "m");
    write_picture(fixture, "late", &late, 0, 800, "m");
    write_picture(fixture, "early", &early, 0, 700, "m");
    write_picture(fixture, "other", &other, 0, 600, "m");
    write_picture(fixture, "deep", &deep, 0, 500, "m");
}

/* A family stands together, where its newest is, branches in the order of their steps. */
static void test_order(Fixture *fixture, gconstpointer data)
{
    SlPicture *picture;

    write_family(fixture);
    write_picture(fixture, "newest", &(Node){2, NULL, 0}, 0, 10, "m");
    for (int round = 0; round < 2; round++) { /* the second time out of the index */
        open_gallery(fixture);
        OUTLINE("newest 0 -, root 0 -, early 1 root, late 1 root, deep 2 late, other 0 -");
        picture = find(fixture, "deep");
        g_assert_true(sl_picture_is_branch(picture));
        g_assert_cmpint(sl_picture_get_branch_step(picture), ==, 15);
        g_assert_cmpstr(sl_picture_get_changes(picture), ==, "guidance: 9, 3");
        g_assert_cmpuint(sl_picture_get_place(picture)->members, ==, 4);
        g_assert_true(sl_picture_get_place(picture)->family ==
                      sl_picture_get_place(find(fixture, "root"))->family);
        g_assert_false(sl_picture_is_branch(find(fixture, "root")));
        g_assert_true(sl_picture_get_place(find(fixture, "other"))->family == 0);
        g_assert_cmpuint(sl_picture_get_place(find(fixture, "other"))->members, ==, 1);
    }
}

/* The lines between neighbours: what goes out of one comes into the next, and every branch hangs on
 * the line of its parent's depth. */
static void test_lines(Fixture *fixture, gconstpointer data)
{
    const struct {
        const char *name;
        guint before, after;
    } expected[] = {
        {"root", 0, 1}, {"early", 1, 1}, {"late", 1, 2}, {"deep", 2, 0}, {"other", 0, 0}};

    write_family(fixture);
    open_gallery(fixture);
    for (guint i = 0; i < G_N_ELEMENTS(expected); i++) {
        const SlPicturePlace *place = sl_picture_get_place(find(fixture, expected[i].name));

        g_assert_cmpuint(place->before, ==, expected[i].before);
        g_assert_cmpuint(place->after, ==, expected[i].after);
        g_assert_false(place->orphan);
    }
}

/* Moments of a run stand with its end, on its line; a second copy beside it. */
static void test_moments(Fixture *fixture, gconstpointer data)
{
    write_picture(fixture, "step-3", &root, 3, 950, "m");
    write_picture(fixture, "step-9", &root, 9, 940, "m");
    write_picture(fixture, "again", &root, 0, 50, "m");
    write_family(fixture);
    open_gallery(fixture);
    OUTLINE("root 0 -, again 0 -, step-3 0 -, step-9 0 -, early 1 root, late 1 root, deep 2 late, "
            "other 0 -");
    g_assert_cmpint(sl_picture_get_moment(find(fixture, "step-9")), ==, 9);
    g_assert_cmpint(sl_picture_get_moment(find(fixture, "again")), ==, 0);
    g_assert_cmpuint(sl_picture_get_place(find(fixture, "step-3"))->before, ==, 1);
}

/* The same recipe made twice is no family and no branch; in a family the second is beside its lines. */
static void test_repeated(Fixture *fixture, gconstpointer data)
{
    const SlPicturePlace *first, *second;

    write_picture(fixture, "root", &root, 0, 900, "m");
    write_picture(fixture, "again", &root, 0, 50, "m");
    open_gallery(fixture);
    first = sl_picture_get_place(find(fixture, "root"));
    second = sl_picture_get_place(find(fixture, "again"));
    OUTLINE("root 0 -, again 0 -");
    g_assert_cmpuint(first->family, ==, 0);
    g_assert_cmpuint(second->family, ==, 0);
    g_assert_cmpuint(second->members, ==, 1);
    g_assert_cmpuint(first->after | second->before, ==, 0);
    g_assert_false(first->again);
    g_assert_true(second->again);

    write_picture(fixture, "late", &late, 0, 700, "m");
    open_gallery(fixture);
    OUTLINE("root 0 -, again 0 -, late 1 root");
    second = sl_picture_get_place(find(fixture, "again"));
    g_assert_cmpuint(second->family, !=, 0);
    g_assert_cmpuint(second->members, ==, 3);
    g_assert_true(second->again);
}

/* The same recipe with another model is another run. */
static void test_models(Fixture *fixture, gconstpointer data)
{
    write_picture(fixture, "one", &root, 0, 900, "one");
    write_picture(fixture, "two", &root, 0, 800, "two");
    write_picture(fixture, "branch", &late, 0, 700, "one");
    open_gallery(fixture);
    OUTLINE("one 0 -, branch 1 one, two 0 -");
}

/* Without its parent a branch stays with its siblings; it belongs to a grandparent that is there. */
static void test_parent_deleted(Fixture *fixture, gconstpointer data)
{
    g_autoptr(SlPicture) gone = NULL;
    g_autoptr(SlPicture) middle = NULL;

    write_family(fixture);
    open_gallery(fixture);
    middle = g_object_ref(find(fixture, "late"));
    sl_gallery_remove(fixture->gallery, middle);
    OUTLINE("root 0 -, early 1 root, deep 1 root, other 0 -");
    g_assert_false(sl_picture_get_place(find(fixture, "deep"))->orphan);
    g_assert_cmpuint(sl_picture_get_place(middle)->members, ==, 1);
    gone = g_object_ref(find(fixture, "root"));
    sl_gallery_remove(fixture->gallery, gone);
    OUTLINE("early 1 -, deep 1 -, other 0 -");
    g_assert_true(sl_picture_get_place(find(fixture, "early"))->orphan);
    g_assert_true(sl_picture_get_place(find(fixture, "early"))->family != 0);
    g_assert_true(sl_picture_get_place(find(fixture, "early"))->family ==
                  sl_picture_get_place(find(fixture, "deep"))->family);
    sl_gallery_undo_removal(fixture->gallery, gone);
    sl_gallery_undo_removal(fixture->gallery, middle);
    OUTLINE("root 0 -, early 1 root, late 1 root, deep 2 late, other 0 -");
}

static void test_only_a_branch(Fixture *fixture, gconstpointer data)
{
    write_picture(fixture, "deep", &deep, 0, 500, "m");
    open_gallery(fixture);
    OUTLINE("deep 1 -");
    g_assert_true(sl_picture_get_place(find(fixture, "deep"))->orphan);
    g_assert_true(sl_picture_get_place(find(fixture, "deep"))->family == 0);
}

/* A picture that is written finds its family, which comes to the front with it. */
static void test_added(Fixture *fixture, gconstpointer data)
{
    g_autofree char *path = g_strdup_printf("%s/deep.png", fixture->folder);

    write_picture(fixture, "root", &root, 0, 900, "m");
    write_picture(fixture, "late", &late, 0, 800, "m");
    write_picture(fixture, "other", &other, 0, 600, "m");
    open_gallery(fixture);
    OUTLINE("other 0 -, root 0 -, late 1 root");
    write_picture(fixture, "deep", &deep, 0, 500, "m");
    sl_gallery_add(fixture->gallery, path, "a red house");
    WAIT_UNTIL(sl_picture_get_parent(find(fixture, "deep")));
    OUTLINE("root 0 -, late 1 root, deep 2 late, other 0 -");
    open_gallery(fixture);
    OUTLINE("root 0 -, late 1 root, deep 2 late, other 0 -");
}

/* ---- favourites and searching ---- */

static void keep_text(SlGallery *gallery, const char *text, char **kept)
{
    g_free(*kept);
    *kept = g_strdup(text);
}

static void settle_files(Fixture *fixture)
{
    g_clear_pointer(&fixture->files, sl_thread_queue_close);
    fixture->files = sl_thread_queue_new("files");
}

/* They are in a file beside the pictures, also with names that are no text. */
static void test_favourites(Fixture *fixture, gconstpointer data)
{
    static const char odd[] = "caf\xe9 100%";
    g_autofree char *path = g_strdup_printf("%s/favourites.json", fixture->folder);
    g_autofree char *text = NULL;

    write_picture(fixture, "root", &root, 0, 900, "m");
    write_picture(fixture, odd, &other, 0, 800, "m");
    write_picture(fixture, "late", &late, 0, 700, "m");
    open_gallery(fixture);
    g_assert_false(sl_picture_is_favourite(find(fixture, "root")));
    sl_gallery_set_favourite(fixture->gallery, find(fixture, "root"), TRUE);
    sl_gallery_set_favourite(fixture->gallery, find(fixture, odd), TRUE);
    sl_gallery_set_favourite(fixture->gallery, find(fixture, "late"), TRUE);
    sl_gallery_set_favourite(fixture->gallery, find(fixture, "late"), FALSE);
    settle_files(fixture);
    open_gallery(fixture);
    g_assert_true(sl_picture_is_favourite(find(fixture, "root")));
    g_assert_true(sl_picture_is_favourite(find(fixture, odd)));
    g_assert_false(sl_picture_is_favourite(find(fixture, "late")));
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==,
                    "{\"version\":1,\"favourites\":[\"caf%E9 100%25.png\",\"root.png\"]}");
    /* What is deleted is none any more. */
    g_autoptr(SlPicture) gone = g_object_ref(find(fixture, "root"));
    sl_gallery_remove(fixture->gallery, gone);
    sl_gallery_commit_removal(fixture->gallery, gone);
    settle_files(fixture);
    g_free(text);
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_null(strstr(text, "root"));
}

static void keep_damage(SlGallery *gallery, const char *aside, guint lost, char **kept)
{
    g_free(*kept);
    *kept = g_strdup_printf("%u %s", lost, aside);
}

/* What others put into the folder, and take out of it, is seen; what is being deleted here does not come back. */
static void test_look_again(Fixture *fixture, gconstpointer data)
{
    g_autofree char *late_path = g_strdup_printf("%s/late.png", fixture->folder);
    g_autofree char *added_path = g_strdup_printf("%s/added.png", fixture->folder);
    g_autofree char *elsewhere = g_strdup_printf("%s/elsewhere/other.png", fixture->folder);
    g_autoptr(SlPicture) removed = NULL;
    SlPicture *kept;

    write_picture(fixture, "root", &root, 0, 900, "m");
    write_picture(fixture, "late", &late, 0, 800, "m");
    open_gallery(fixture);
    kept = find(fixture, "root");
    sl_gallery_add(fixture->gallery, elsewhere, "another folder's");
    write_picture(fixture, "added", &late, 0, 700, "m");
    g_assert_cmpint(g_unlink(late_path), ==, 0);
    sl_gallery_look_again(fixture->gallery);
    sl_thread_queue_wait(fixture->files);
    g_assert_cmpuint(g_list_model_get_n_items(G_LIST_MODEL(fixture->gallery)), ==, 3);
    g_assert_true(find(fixture, "root") == kept);
    g_assert_cmpuint(sl_gallery_find(fixture->gallery, late_path), ==, G_MAXUINT);
    g_assert_cmpuint(sl_gallery_find(fixture->gallery, elsewhere), !=, G_MAXUINT);
    /* while its removal can be undone, and when it is on its way to the trash */
    removed = g_object_ref(find(fixture, "added"));
    sl_gallery_remove(fixture->gallery, removed);
    sl_gallery_look_again(fixture->gallery);
    sl_thread_queue_wait(fixture->files);
    g_assert_cmpuint(sl_gallery_find(fixture->gallery, added_path), ==, G_MAXUINT);
    sl_gallery_look_again(fixture->gallery);
    sl_gallery_commit_removal(fixture->gallery, removed);
    sl_thread_queue_wait(fixture->files);
    sl_thread_queue_wait(fixture->files);
    g_assert_cmpuint(sl_gallery_find(fixture->gallery, added_path), ==, G_MAXUINT);
    /* found before its writer says that it is there */
    write_picture(fixture, "late", &late, 0, 600, "m");
    sl_gallery_look_again(fixture->gallery);
    sl_thread_queue_wait(fixture->files);
    sl_gallery_add(fixture->gallery, late_path, "late");
    sl_thread_queue_wait(fixture->files);
    g_assert_cmpuint(g_list_model_get_n_items(G_LIST_MODEL(fixture->gallery)), ==, 3);
    /* a folder that cannot be read for a while takes nothing away */
    {
        g_autofree char *away = g_strconcat(fixture->folder, ".away", NULL);

        g_assert_cmpint(g_rename(fixture->folder, away), ==, 0);
        sl_gallery_look_again(fixture->gallery);
        sl_thread_queue_wait(fixture->files);
        g_assert_cmpint(g_rename(away, fixture->folder), ==, 0);
    }
    g_assert_cmpuint(g_list_model_get_n_items(G_LIST_MODEL(fixture->gallery)), ==, 3);
}

static void count_unread(SlGallery *gallery, const char *reason, guint *told)
{
    g_assert_nonnull(strstr(reason, ": Input/output error"));
    ++*told;
}

/* What the folder still has is neither taken off the list nor forgotten where reading it fails; that is said once. */
static void test_unread(Fixture *fixture, gconstpointer data)
{
    guint told = 0;
    gboolean done = FALSE;

    write_picture(fixture, "root", &root, 0, 900, "m");
    write_picture(fixture, "late", &late, 0, 800, "m");
    open_gallery(fixture);
    g_signal_connect(fixture->gallery, "unread", G_CALLBACK(count_unread), &told);
    for (int entries = 0; entries < 4; entries++) {
        readdir_error = EIO;
        readdir_entries = entries;
        sl_gallery_look_again(fixture->gallery);
        sl_thread_queue_wait(fixture->files);
        readdir_error = 0;
        g_assert_cmpuint(g_list_model_get_n_items(G_LIST_MODEL(fixture->gallery)), ==, 2);
    }
    g_assert_cmpuint(told, ==, 1);
    /* and where it fails when it is opened, those that the index knows are there */
    g_clear_object(&fixture->gallery);
    fixture->gallery = sl_gallery_new(fixture->files);
    g_signal_connect(fixture->gallery, "loaded", G_CALLBACK(loaded), &done);
    g_signal_connect(fixture->gallery, "unread", G_CALLBACK(count_unread), &told);
    readdir_error = EIO;
    readdir_entries = 0;
    sl_gallery_open(fixture->gallery, fixture->folder);
    WAIT_UNTIL(done);
    readdir_error = 0;
    g_assert_cmpuint(told, ==, 2);
    g_assert_cmpuint(g_list_model_get_n_items(G_LIST_MODEL(fixture->gallery)), ==, 2);
    sl_gallery_look_again(fixture->gallery);
    sl_thread_queue_wait(fixture->files);
    g_assert_cmpuint(g_list_model_get_n_items(G_LIST_MODEL(fixture->gallery)), ==, 2);
    g_assert_cmpuint(told, ==, 2);
}

/* Names that can be read stay, the file as it was is kept aside; and those of pictures that are gone go with the next
 * change. */
static void test_partly_favourites(Fixture *fixture, gconstpointer data)
{
    g_autofree char *path = g_strdup_printf("%s/favourites.json", fixture->folder);
    g_autofree char *aside = NULL;
    g_autofree char *text = NULL;
    gboolean done = FALSE;

    write_picture(fixture, "root", &root, 0, 900, "m");
    write_picture(fixture, "late", &late, 0, 800, "m");
    g_assert_true(
        g_file_set_contents(path, "{\"favourites\":[\"root.png\",7,\"gone.png\"]}", -1, NULL));
    fixture->gallery = sl_gallery_new(fixture->files);
    g_signal_connect(fixture->gallery, "favourites-damaged", G_CALLBACK(keep_damage), &aside);
    g_signal_connect(fixture->gallery, "loaded", G_CALLBACK(loaded), &done);
    sl_gallery_open(fixture->gallery, fixture->folder);
    WAIT_UNTIL(done);
    g_assert_nonnull(aside);
    g_assert_true(g_str_has_prefix(aside, "1 "));
    g_assert_true(g_file_test(aside + 2, G_FILE_TEST_EXISTS));
    g_assert_true(sl_picture_is_favourite(find(fixture, "root")));
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_nonnull(strstr(text, "root.png"));
    g_assert_nonnull(strstr(text, "gone.png"));
    sl_gallery_set_favourite(fixture->gallery, find(fixture, "late"), TRUE);
    settle_files(fixture);
    g_free(text);
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_nonnull(strstr(text, "root.png"));
    g_assert_nonnull(strstr(text, "late.png"));
    g_assert_null(strstr(text, "gone.png"));
}

/* A damaged file is kept aside, and said; one that is not ours to write is left, and the change undone. */
static void test_bad_favourites(Fixture *fixture, gconstpointer data)
{
    g_autofree char *path = g_strdup_printf("%s/favourites.json", fixture->folder);
    g_autofree char *elsewhere = g_strdup_printf("%s/elsewhere", fixture->folder);
    g_autofree char *aside = NULL;
    g_autofree char *reason = NULL;
    g_autofree char *text = NULL;
    gboolean done = FALSE;

    write_picture(fixture, "root", &root, 0, 900, "m");
    g_assert_true(g_file_set_contents(path, "{\"favourites\":7}", -1, NULL));
    fixture->gallery = sl_gallery_new(fixture->files);
    g_signal_connect(fixture->gallery, "favourites-damaged", G_CALLBACK(keep_damage), &aside);
    g_signal_connect(fixture->gallery, "favourites-unsaved", G_CALLBACK(keep_text), &reason);
    g_signal_connect(fixture->gallery, "loaded", G_CALLBACK(loaded), &done);
    sl_gallery_open(fixture->gallery, fixture->folder);
    WAIT_UNTIL(done);
    g_assert_nonnull(aside);
    g_assert_true(g_str_has_suffix(aside, "/favourites.json.damaged"));
    g_assert_true(g_str_has_prefix(aside, "0 "));
    g_assert_true(g_file_test(aside + 2, G_FILE_TEST_EXISTS));
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    g_assert_false(sl_picture_is_favourite(find(fixture, "root")));
    g_assert_true(g_file_set_contents(elsewhere, "precious", -1, NULL));
    g_assert_cmpint(symlink(elsewhere, path), ==, 0);
    sl_gallery_set_favourite(fixture->gallery, find(fixture, "root"), TRUE);
    WAIT_UNTIL(reason);
    g_assert_false(sl_picture_is_favourite(find(fixture, "root")));
    g_assert_true(g_file_get_contents(elsewhere, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "precious");
}

static gboolean finds(SlPicture *picture, const char *text)
{
    g_auto(GStrv) words = sl_search_words(text);

    return sl_picture_matches(picture, (const char *const *)words);
}

static void test_search(Fixture *fixture, gconstpointer data)
{
    SlPicture *picture, *step;

    write_picture(fixture, "root", &root, 0, 900, "Great Model");
    write_picture(fixture, "late", &late, 0, 800, "Great Model");
    write_picture(fixture, "step", &other, 3, 700, "another");
    for (int round = 0; round < 2; round++) { /* the second time out of the index */
        open_gallery(fixture);
        picture = find(fixture, "root");
        step = find(fixture, "step");
        g_assert_true(finds(picture, ""));
        g_assert_true(finds(picture, "  HOUSE  red "));
        g_assert_true(finds(picture, "euler great"));
        g_assert_true(finds(picture, "2023-11"));
        g_assert_false(finds(picture, "house blue"));
        g_assert_false(finds(step, "great"));
    }
    g_assert_true(sl_picture_is_of_kind(find(fixture, "late"), SL_PICTURES_BRANCHES));
    g_assert_false(sl_picture_is_of_kind(picture, SL_PICTURES_BRANCHES));
    g_assert_true(sl_picture_is_of_kind(step, SL_PICTURES_STEPS));
    g_assert_false(sl_picture_is_of_kind(step, SL_PICTURES_FAVOURITES));
    g_assert_cmpint(sl_picture_compare(picture, step, SL_PICTURES_OLDEST), <, 0);
    g_assert_cmpint(sl_picture_compare(step, picture, SL_PICTURES_BY_MODEL), <, 0);
}

/* ---- the index ---- */

/* Whatever the file, its name, or what a crash left: the database is made again. */
static void damage_index(const char *bytes, gssize length)
{
    g_autofree char *path = index_path();

    g_assert_true(g_file_set_contents(path, bytes, length, NULL));
}

static void change_index(const char *sql)
{
    g_autofree char *path = index_path();
    sqlite3 *db = NULL;

    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
    sqlite3_close(db);
}

static int count_rows(const char *condition)
{
    g_autofree char *path = index_path();
    g_autofree char *sql = g_strconcat("SELECT count(*) FROM picture WHERE ", condition, NULL);
    sqlite3 *db = NULL;
    sqlite3_stmt *rows = NULL;
    int count = -1;

    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db, sql, -1, &rows, NULL) == SQLITE_OK &&
        sqlite3_step(rows) == SQLITE_ROW)
        count = sqlite3_column_int(rows, 0);
    sqlite3_finalize(rows);
    sqlite3_close(db);
    return count;
}

/* What it knows is not read again, until the file is another one. */
static void test_index(Fixture *fixture, gconstpointer data)
{
    g_autofree char *foreign = g_strdup_printf("%s/foreign.png", fixture->folder);
    g_autofree char *late_path = g_strdup_printf("%s/late.png", fixture->folder);
    g_autofree char *link = g_strdup_printf("%s/nowhere.png", fixture->folder);

    write_picture(fixture, "root", &root, 0, 900, "m");
    write_picture(fixture, "late", &late, 0, 800, "m");
    g_assert_true(g_file_set_contents(foreign, "no picture", -1, NULL));
    g_assert_cmpint(symlink("/nowhere", link), ==, 0);
    open_gallery(fixture);
    OUTLINE("root 0 -, late 1 root");
    g_assert_cmpint(count_rows("prompt IS NULL"), ==, 1); /* the one that is not ours */
    change_index("UPDATE picture SET prompt = 'from the index' WHERE prompt IS NOT NULL");
    open_gallery(fixture);
    OUTLINE("root 0 -, late 1 root");
    g_assert_cmpstr(sl_picture_get_prompt(find(fixture, "root")), ==, "from the index");
    write_picture(fixture, "root", &other, 0, 700, "m");
    open_gallery(fixture);
    g_assert_cmpstr(sl_picture_get_prompt(find(fixture, "root")), ==, "a red house");
    g_assert_cmpstr(sl_picture_get_prompt(find(fixture, "late")), ==, "from the index");
    g_assert_null(sl_picture_get_parent(find(fixture, "late")));
    g_unlink(late_path);
    g_unlink(link);
    open_gallery(fixture);
    g_assert_cmpint(count_rows("prompt = 'from the index'"), ==, 0);
}

/* A folder that is gone is forgotten when another one is looked at. */
static void test_folders(Fixture *fixture, gconstpointer data)
{
    g_autofree char *folder = fixture->folder;

    write_picture(fixture, "root", &root, 0, 900, "m");
    open_gallery(fixture);
    g_assert_cmpint(count_rows("prompt IS NOT NULL"), >=, 1);
    remove_folder(folder);
    fixture->folder = temporary_folder();
    write_picture(fixture, "other", &other, 0, 900, "m");
    open_gallery(fixture);
    g_assert_cmpint(count_rows("file = CAST('root.png' AS BLOB)"), ==, 0);
    g_assert_cmpint(count_rows("file = CAST('other.png' AS BLOB)"), ==, 1);
}

/* Two pictures that are each other's parents, one that is its own, and members of other kinds. */
static void test_forged_index(Fixture *fixture, gconstpointer data)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    g_autofree char *id_a = g_strnfill(64, 'a');
    g_autofree char *id_b = g_strnfill(64, 'b');
    g_autofree char *id_c = g_strnfill(64, 'c');
    g_autoptr(GString) sql = g_string_new(NULL);

    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        write_picture(fixture, names[i], &other, 0, 100 + (int)i, "m");
    open_gallery(fixture);
#define UPDATE                      \
    "UPDATE picture SET lineage = " \
    "'{\"model\":\"m\",\"scheduler\":\"euler\",\"changed\":\"\",\"moment\":0,"
#define OF "}' WHERE file = CAST('%s.png' AS BLOB);"
    g_string_append_printf(sql, UPDATE "\"runs\":[\"%s\",\"%s\"],\"steps\":[3]" OF, id_a, id_b,
                           "a");
    g_string_append_printf(sql, UPDATE "\"runs\":[\"%s\",\"%s\"],\"steps\":[4]" OF, id_b, id_a,
                           "b");
    g_string_append_printf(sql, UPDATE "\"runs\":[\"%s\",\"%s\"],\"steps\":[5]" OF, id_c, id_c,
                           "c");
    g_string_append_printf(sql, UPDATE "\"runs\":[7,{}],\"steps\":\"x\"" OF, "d");
    change_index(sql->str);
    open_gallery(fixture);
    g_assert_cmpuint(g_list_model_get_n_items(G_LIST_MODEL(fixture->gallery)), ==, 4);
    /* One of the two is the other's parent, and not the other way round. */
    g_assert_true((sl_picture_get_parent(find(fixture, "a")) == NULL) !=
                  (sl_picture_get_parent(find(fixture, "b")) == NULL));
    g_assert_null(sl_picture_get_parent(find(fixture, "c")));
    g_assert_false(
        sl_picture_is_branch(find(fixture, "d"))); /* asked again: it is not what the row says */
}

static gboolean index_is_whole(void)
{
    return count_rows("prompt = 'a red house'") == 2;
}

/* The pictures hold everything: whatever is wrong with the database, they are all there. */
static void test_damaged_index(Fixture *fixture, gconstpointer data)
{
    g_autofree char *path = index_path();
    g_autofree char *aside = g_strconcat(path, ".damaged", NULL);
    g_autofree char *precious = g_strdup_printf("%s/precious", fixture->folder);
    g_autofree char *text = NULL;
    g_autofree char *whole = NULL;
    gsize length;

    write_picture(fixture, "root", &root, 0, 900, "m");
    write_picture(fixture, "late", &late, 0, 800, "m");
    open_gallery(fixture);
    g_assert_true(index_is_whole());
    g_assert_true(g_file_get_contents(path, &whole, &length, NULL));

    damage_index("this is not a database, however long it may be............................", -1);
    open_gallery(fixture);
    OUTLINE("root 0 -, late 1 root");
    g_assert_true(index_is_whole());
    g_assert_true(g_file_test(aside, G_FILE_TEST_EXISTS));
    damage_index(whole, (gssize)length / 2);
    open_gallery(fixture);
    OUTLINE("root 0 -, late 1 root");
    open_gallery(fixture);
    g_assert_true(index_is_whole());
    memset(whole + length - 600, 0xff, 600);
    memset(whole + 4096 + 8, 0xff, 40);
    damage_index(whole, (gssize)length);
    open_gallery(fixture);
    OUTLINE("root 0 -, late 1 root");
    open_gallery(fixture);
    g_assert_true(index_is_whole());
    damage_index("", 0);
    open_gallery(fixture);
    OUTLINE("root 0 -, late 1 root");
    g_assert_true(index_is_whole());

    change_index("DROP TABLE picture");
    open_gallery(fixture);
    OUTLINE("root 0 -, late 1 root");
    open_gallery(fixture);
    g_assert_true(index_is_whole());

    /* of a later program: not touched */
    change_index("PRAGMA user_version = 99");
    open_gallery(fixture);
    OUTLINE("root 0 -, late 1 root");
    change_index("PRAGMA user_version = 1");

    /* what is no file is not waited for, and a link not followed */
    g_unlink(path);
    g_assert_cmpint(mkfifo(path, 0600), ==, 0);
    open_gallery(fixture);
    OUTLINE("root 0 -, late 1 root");
    g_unlink(path);
    g_assert_true(g_file_set_contents(precious, "precious", -1, NULL));
    g_assert_cmpint(symlink(precious, path), ==, 0);
    open_gallery(fixture);
    OUTLINE("root 0 -, late 1 root");
    g_assert_true(g_file_get_contents(precious, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "precious");
    g_unlink(path);
    g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
    open_gallery(fixture);
    OUTLINE("root 0 -, late 1 root");
    g_rmdir(path);
    g_unlink(aside);
}

/* Rows that nobody of ours wrote: their pictures are read, and nothing else happens. */
static void test_hostile_rows(Fixture *fixture, gconstpointer data)
{
#define BYTES(count, what) "replace(hex(zeroblob(" #count ")), '00', '" what "')"
    static const char *const changes[] = {
        "mtime = 'soon', bytes = x'00ff'",
        "mtime = -1, bytes = -9223372036854775808",
        "mtime = 1e300",
        "prompt = x'ff00fe'",
        "prompt = x'fffe'",
        "lineage = NULL",
        "lineage = 5",
        "lineage = x'7b00'",
        "lineage = '{\"model\":5,\"changed\":{}}'",
        "lineage = '{\"model\":\"m\",\"changed\":\"\",\"runs\":[{}],\"steps\":-1,\"moment\":1e99}'",
        "lineage = " BYTES(100000, "["),
        "lineage = '[' || " BYTES(8000000, "0,") " || '0]'",
    };
    write_picture(fixture, "root", &root, 0, 900, "m");
    write_picture(fixture, "late", &late, 0, 800, "m");
    for (size_t i = 0; i < G_N_ELEMENTS(changes); i++) {
        g_autofree char *sql = g_strconcat("UPDATE picture SET ", changes[i],
                                           " WHERE file = CAST('root.png' AS BLOB)", NULL);
        open_gallery(fixture);
        change_index(sql);
        open_gallery(fixture);
        OUTLINE("root 0 -, late 1 root");
        g_assert_cmpstr(sl_picture_get_prompt(find(fixture, "root")), ==, "a red house");
    }

    /* One that is too large to be looked at does not hide those behind it for ever. */
    change_index("INSERT INTO picture SELECT folder, x'00', 0, 0, " BYTES(
        9000000, "xx") ", '{}' FROM picture LIMIT 1");
    open_gallery(fixture);
    OUTLINE("root 0 -, late 1 root");
    open_gallery(fixture);
    g_assert_cmpint(count_rows("length(prompt) > 1000"), ==, 0);
    g_assert_cmpint(count_rows("prompt IS NOT NULL"), ==, 2);
}

/* Another window writes: this one waits, and at worst reads the pictures. */
static void test_locked_index(Fixture *fixture, gconstpointer data)
{
    g_autofree char *path = NULL;
    sqlite3 *db = NULL;

    write_picture(fixture, "root", &root, 0, 900, "m");
    open_gallery(fixture);
    path = index_path();
    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL), ==, SQLITE_OK);
    open_gallery(fixture);
    OUTLINE("root 0 -");
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_close(db);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add("/gallery/" name, Fixture, NULL, set_up, function, tear_down)
    ADD("look-again", test_look_again);
    ADD("unread", test_unread);
    ADD("order", test_order);
    ADD("lines", test_lines);
    ADD("moments", test_moments);
    ADD("repeated", test_repeated);
    ADD("models", test_models);
    ADD("parent-deleted", test_parent_deleted);
    ADD("only-a-branch", test_only_a_branch);
    ADD("added", test_added);
    ADD("favourites", test_favourites);
    ADD("bad-favourites", test_bad_favourites);
    ADD("partly-favourites", test_partly_favourites);
    ADD("search", test_search);
    ADD("index", test_index);
    ADD("folders", test_folders);
    ADD("forged-index", test_forged_index);
    ADD("damaged-index", test_damaged_index);
    ADD("hostile-rows", test_hostile_rows);
    ADD("locked-index", test_locked_index);
    return run_with_data_home();
}
