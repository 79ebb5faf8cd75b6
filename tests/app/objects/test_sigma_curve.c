/* test_sigma_curve.c - noise levels while they are edited, without a display: they begin as a run has them, fall always,
 * and what is made of them is what the engine reads. */
#include "gobject.h"

#include <math.h>

static SlModelItem *model;

static SlSettings *settings_of(const char *scheduler, int steps)
{
    SlSettings *settings = sl_settings_new();

    g_object_set(settings, "scheduler", scheduler, "steps", steps, "width",
                 sl_model_item_get_width(model), "height", sl_model_item_get_height(model), NULL);
    return settings;
}

static SlSigmaCurve *curve_of(SlSettings *settings)
{
    g_autoptr(GError) error = NULL;
    SlSigmaCurve *curve = sl_sigma_curve_new(model, settings, &error);

    g_assert_no_error(error);
    return curve;
}

static void assert_falling(SlSigmaCurve *curve)
{
    for (guint i = 1; i < sl_sigma_curve_get_steps(curve); i++)
        g_assert_cmpfloat(sl_sigma_curve_get_sigma(curve, i), <,
                          sl_sigma_curve_get_sigma(curve, i - 1));
}

/* What is applied is laid out by the engine as the same levels, at the same timesteps. */
static void assert_same_again(SlSigmaCurve *curve, SlSettings *settings)
{
    g_autoptr(SlSigmaCurve) again = NULL;
    g_autoptr(GError) error = NULL;

    sl_sigma_curve_apply(curve, settings);
    g_assert_true(sl_model_item_check(model, settings, &error));
    g_assert_no_error(error);
    again = curve_of(settings);
    g_assert_cmpuint(sl_sigma_curve_get_steps(again), ==, sl_sigma_curve_get_steps(curve));
    g_assert_cmpint(sl_settings_get_steps(settings), ==, (int)sl_sigma_curve_get_steps(curve));
    for (guint i = 0; i < sl_sigma_curve_get_steps(curve); i++) {
        g_assert_true(sl_sigma_curve_get_sigma(again, i) == sl_sigma_curve_get_sigma(curve, i));
        g_assert_true(sl_sigma_curve_get_timestep(again, i) ==
                      sl_sigma_curve_get_timestep(curve, i));
    }
}

static void test_named(void)
{
    g_autoptr(SlSettings) settings = settings_of("euler", 8);
    g_autoptr(SlSigmaCurve) curve = curve_of(settings);
    g_autofree char *list = NULL;

    g_assert_cmpint(sl_sigma_curve_get_named(curve), ==, 0);
    g_assert_null(sl_sigma_curve_get_refusing(curve));
    for (guint named = 0; named < sl_control_find("sigmas")->n_choices; named++) {
        g_assert_true(sl_sigma_curve_set_named(curve, named));
        g_assert_cmpuint(sl_sigma_curve_get_steps(curve), ==, 8);
        assert_falling(curve);
        assert_same_again(curve, settings);
    }
    /* by its name, which is more than its numbers */
    g_object_get(settings, "sigma-list", &list, NULL);
    g_assert_cmpstr(list, ==, "");
    sl_sigma_curve_set_steps(curve, 13);
    g_assert_cmpint(sl_sigma_curve_get_named(curve), >=, 0);
    assert_same_again(curve, settings);
}

static void test_move(void)
{
    g_autoptr(SlSettings) settings = settings_of("dpmpp-2m", 6);
    g_autoptr(SlSigmaCurve) curve = curve_of(settings);
    double low, high, before = sl_sigma_curve_get_sigma(curve, 2);
    g_autofree char *list = NULL;

    sl_sigma_curve_get_range(curve, &low, &high);
    sl_sigma_curve_move(curve, 2, 1e9, FALSE);
    assert_falling(curve);
    g_assert_cmpfloat(sl_sigma_curve_get_sigma(curve, 2), >, before);
    sl_sigma_curve_move(curve, 2, 1e-9, FALSE);
    assert_falling(curve);
    sl_sigma_curve_move(curve, 0, 1e9, FALSE);
    g_assert_cmpfloat(sl_sigma_curve_get_sigma(curve, 0), ==, high);
    sl_sigma_curve_move(curve, 5, 1e-9, FALSE);
    g_assert_cmpfloat(sl_sigma_curve_get_sigma(curve, 5), ==, (float)low);
    sl_sigma_curve_move(curve, 2, 2.04567, FALSE);
    g_assert_cmpfloat(sl_sigma_curve_get_sigma(curve, 2), ==, 2.046f);
    sl_sigma_curve_move(curve, 2, NAN, FALSE);
    g_assert_cmpfloat(sl_sigma_curve_get_sigma(curve, 2), ==, 2.046f);
    assert_same_again(curve, settings);
    g_object_get(settings, "sigma-list", &list, NULL);
    g_assert_nonnull(strstr(list, ",2.046,"));
    g_assert_true(g_str_has_suffix(list, ",0"));
    g_assert_cmpint(sl_sigma_curve_get_named(curve), ==, -1);
}

static void test_steps(void)
{
    g_autoptr(SlSettings) settings = settings_of("heun", 5);
    g_autoptr(SlSigmaCurve) curve = curve_of(settings);
    double first = sl_sigma_curve_get_sigma(curve, 0), last = sl_sigma_curve_get_sigma(curve, 4);

    g_assert_true(sl_sigma_curve_add(curve, 1));
    g_assert_true(sl_sigma_curve_add(curve, 5));
    g_assert_cmpuint(sl_sigma_curve_get_steps(curve), ==, 7);
    assert_falling(curve);
    assert_same_again(curve, settings);
    sl_sigma_curve_set_steps(curve, 20);
    g_assert_cmpuint(sl_sigma_curve_get_steps(curve), ==, 20);
    g_assert_cmpfloat(sl_sigma_curve_get_sigma(curve, 0), ==, first);
    g_assert_cmpfloat(sl_sigma_curve_get_sigma(curve, 19), ==, last);
    assert_falling(curve);
    assert_same_again(curve, settings);
    while (sl_sigma_curve_remove(curve, 0))
        ;
    g_assert_cmpuint(sl_sigma_curve_get_steps(curve), ==, 1);
    assert_same_again(curve, settings);
    while (sl_sigma_curve_add(curve, 0)) /* until there is no room between two */
        ;
    assert_falling(curve);
    assert_same_again(curve, settings);
}

static void test_undo(void)
{
    g_autoptr(SlSettings) settings = settings_of("euler", 6);
    g_autoptr(SlSigmaCurve) curve = curve_of(settings);
    double before = sl_sigma_curve_get_sigma(curve, 3);

    g_assert_false(sl_sigma_curve_can_undo(curve));
    sl_sigma_curve_move(curve, 3, before * 1.1, FALSE);
    sl_sigma_curve_move(curve, 3, before * 1.2, TRUE);
    sl_sigma_curve_remove(curve, 0);
    sl_sigma_curve_undo(curve);
    g_assert_cmpuint(sl_sigma_curve_get_steps(curve), ==, 6);
    sl_sigma_curve_undo(curve);
    g_assert_cmpfloat(sl_sigma_curve_get_sigma(curve, 3), ==, before);
    g_assert_cmpint(sl_sigma_curve_get_named(curve), ==, 0);
    g_assert_false(sl_sigma_curve_can_undo(curve));
    sl_sigma_curve_redo(curve);
    g_assert_cmpfloat(sl_sigma_curve_get_sigma(curve, 3), >, before * 1.15);
    sl_sigma_curve_reset(curve);
    g_assert_cmpfloat(sl_sigma_curve_get_sigma(curve, 3), ==, before);
    g_assert_false(sl_sigma_curve_can_redo(curve));
    sl_sigma_curve_undo(curve);
    g_assert_cmpfloat(sl_sigma_curve_get_sigma(curve, 3), >, before * 1.15);
}

static void test_text(void)
{
    g_autoptr(SlSettings) settings = settings_of("euler", 6);
    g_autoptr(SlSigmaCurve) curve = curve_of(settings);
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;

    g_assert_true(sl_sigma_curve_take_text(curve, "14.6, 3.90,0.7,0", NULL));
    text = sl_sigma_curve_dup_text(curve);
    g_assert_cmpstr(text, ==, "14.6,3.9,0.7,0");
    assert_same_again(curve, settings);
    g_assert_false(sl_sigma_curve_take_text(curve, "1,2,0", &error));
    g_assert_nonnull(strstr(error->message, "falling"));
    g_assert_cmpuint(sl_sigma_curve_get_steps(curve), ==, 3);
}

static void test_refused(void)
{
    g_autoptr(SlSettings) settings = settings_of("ddim", 6);
    g_autoptr(SlSigmaCurve) curve = curve_of(settings);
    g_autoptr(SlSigmaCurve) none = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *takers = sl_sigma_curve_dup_takers(curve);

    g_assert_cmpstr(sl_sigma_curve_get_refusing(curve), ==, "DDIM");
    g_assert_nonnull(strstr(takers, "Euler"));
    g_assert_cmpuint(sl_sigma_curve_get_steps(curve), ==, 6);
    g_object_set(settings, "scheduler", "flow-euler", NULL);
    none = sl_sigma_curve_new(model, settings, &error);
    g_assert_null(none);
    g_assert_nonnull(strstr(error->message, "flow"));
}

int main(int argc, char **argv)
{
    g_autofree char *path = fixture_path("sd1");
    g_autoptr(GError) error = NULL;
    int status;

    g_test_init(&argc, &argv, NULL);
    model = sl_model_item_open(path, &error);
    g_assert_no_error(error);
    g_test_add_func("/sigma-curve/named", test_named);
    g_test_add_func("/sigma-curve/move", test_move);
    g_test_add_func("/sigma-curve/steps", test_steps);
    g_test_add_func("/sigma-curve/undo", test_undo);
    g_test_add_func("/sigma-curve/text", test_text);
    g_test_add_func("/sigma-curve/refused", test_refused);
    status = g_test_run();
    g_object_unref(model);
    return status;
}
