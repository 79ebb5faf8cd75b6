/* test_gpu_fails.c - the window when the GPU dies in a run: it says so, keeps what there is, goes on with the
 * CPU, and can start again with everything restored. $CUDAEMU_FAIL is the launch at which the emulated GPU dies.
 */
#include "driver.h"

static void test_says_so(void)
{
    SlJob *job;

    g_assert_nonnull(strstr(sl_worker_get_device_line(workspace->worker), "auto: cuda"));
    g_object_set(workspace->recipe, "steps", 6, "prompt", "a red house", NULL);
    act("win.develop");
    job = sl_queue_get_current(workspace->queue);
    g_assert_nonnull(job);
    WAIT_UNTIL(sl_job_is_over(job));
    g_test_message("%u frames, then: %s", count_frames(job), sl_job_get_message(job));
    WAIT_UNTIL(find_dialog());
    g_assert_true(sl_job_has_lost_device(job));
    g_assert_cmpint(count_frames(job), >=, 1);
    g_assert_nonnull(strstr(sl_job_get_message(job), "GPU failed in"));
    screenshot("gpu-fails");
}

static void test_goes_on(void)
{
    SlJob *job;

    act("win.develop");
    job = sl_queue_get_current(workspace->queue);
    g_assert_nonnull(job);
    WAIT_UNTIL(sl_job_is_over(job));
    g_assert_cmpint(sl_job_get_state(job), ==, SL_JOB_DONE);
    g_assert_nonnull(
        strstr(sl_worker_get_device_line(workspace->worker), "cpu, because the GPU failed"));
}

static void test_starts_again(void)
{
    g_auto(GStrv) unfinished = NULL;

    g_object_add_weak_pointer(G_OBJECT(window), (gpointer *)&window);
    answer_alert("restart");
    WAIT_UNTIL(window == NULL || workspace->closed);
    g_assert_true(sl_application_restarts(application));
    unfinished = g_settings_get_strv(preferences, "unfinished");
    g_assert_cmpint(g_strv_length(unfinished), ==, 1);
    g_assert_nonnull(strstr(unfinished[0], "a red house"));
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    if (!start_application("sd1"))
        return 77;
    g_test_add_func("/gpu-fails/says-so", test_says_so);
    g_test_add_func("/gpu-fails/goes-on", test_goes_on);
    g_test_add_func("/gpu-fails/starts-again", test_starts_again);
    status = g_test_run();
    end_application();
    return status;
}
