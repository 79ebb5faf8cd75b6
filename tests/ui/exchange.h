/* exchange.h - files that the window writes and the program reads, for tests of lanes. $SAFELIGHT_PROGRAM is
 * the program. */
#pragma once

#include "lanes.h"

#include <sys/wait.h>

static char *path_of(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

/* Runs the program; its exit status. */
G_GNUC_UNUSED static int run(const char *first, ...)
{
    g_autoptr(GPtrArray) arguments = g_ptr_array_new();
    g_autofree char *said = NULL;
    g_autofree char *complained = NULL;
    g_autoptr(GError) error = NULL;
    int status;
    va_list list;

    g_ptr_array_add(arguments, (char *)g_getenv("SAFELIGHT_PROGRAM"));
    va_start(list, first);
    for (const char *each = first; each; each = va_arg(list, const char *))
        g_ptr_array_add(arguments, (char *)each);
    va_end(list);
    g_ptr_array_add(arguments, NULL);
    g_assert_true(g_spawn_sync(NULL, (char **)arguments->pdata, NULL, G_SPAWN_DEFAULT, NULL, NULL,
                               &said, &complained, &status, &error));
    g_assert_no_error(error);
    g_test_message("%s%s", said, complained);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define VERIFIES(path) g_assert_cmpint(run("replay", path, "--verify", NULL), ==, 0)

G_GNUC_UNUSED static void branch_at(guint lane, double evaluations, SlOwn own, SlSettings *values)
{
    g_autoptr(GError) error = NULL;

    sl_comparison_set_position(comparison, evaluations);
    g_assert_true(sl_comparison_branch(comparison, lane, own, values, &error));
    WAIT_UNTIL(is_over());
}
