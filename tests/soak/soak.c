/* soak.c - makes thousands of pictures one after another in the window's worker, without a display,
 * and says what stays behind: memory, threads, open files. More than 8 MiB is a failure.
 *
 * Usage: soak [GENERATIONS]
 *
 * All schedulers take their turns, with and without guidance, in two sizes; every tenth picture is
 * a branch of the one before, every tenth run is stopped on the way, and the noisy view of a moment
 * is decoded as somebody does who looks through a run. What is kept between runs has its size after
 * a twentieth of them, but at least a hundred: growth is counted from there.
 */
#include "tests/app/objects/gobject.h"

#include <malloc.h>
#include <unistd.h>

#define LEAST 100
#define MIB   (1024.0 * 1024.0)
#define MOST  (8 * MIB)

typedef struct {
    double resident, allocated; /* bytes */
    int threads, files;
} Figures;

static int count_names(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    int count = 0;

    while (dir && g_dir_read_name(dir))
        count++;
    return count;
}

static Figures take_figures(void)
{
    g_autofree char *text = NULL;
    Figures now = {0};
    struct mallinfo2 info;

    malloc_trim(0); /* what is free is not held against the program */
    if (g_file_get_contents("/proc/self/statm", &text, NULL, NULL))
        now.resident = g_ascii_strtod(strchr(text, ' '), NULL) * (double)sysconf(_SC_PAGESIZE);
    info = mallinfo2();
    now.allocated = (double)(info.uordblks + info.hblkhd);
    now.threads = count_names("/proc/self/task");
    now.files = count_names("/proc/self/fd");
    return now;
}

static void print_figures(guint made, const Figures *figures)
{
    g_print("# %6u pictures: %.2f MiB resident, %.2f MiB allocated, %d threads, %d files\n", made,
            figures->resident / MIB, figures->allocated / MIB, figures->threads, figures->files);
}

static void wait_for(SlJob *job)
{
    while (!sl_job_is_over(job))
        g_main_context_iteration(NULL, TRUE);
}

static SlSettings *settings_of(SlModelItem *model, GListModel *schedulers, guint i)
{
    SlSettings *settings = sl_model_item_defaults(model);
    g_autofree char *prompt = g_strdup_printf("a red house by lake %u", i);
    g_autoptr(SlSchedulerItem) scheduler =
        g_list_model_get_item(schedulers, i % g_list_model_get_n_items(schedulers));

    g_object_set(settings, "prompt", prompt, "seed", (guint64)i, "steps", 1 + (int)(i % 3),
                 "scheduler", sl_scheduler_item_get_id(scheduler), "guidance", i % 4 ? 7.5 : 1.0,
                 "width", i % 2 ? 16 : 32, "height", 16, NULL);
    return settings;
}

static void look_at(SlWorker *worker, SlJob *job)
{
    SlFrameObject *frame = sl_job_get_last_frame(job);

    if (!frame || !sl_worker_decode(worker, job, frame, SL_VIEW_NOISY))
        return;
    while (!sl_frame_object_is_decoded(frame, SL_VIEW_NOISY))
        g_main_context_iteration(NULL, TRUE);
}

/* One picture; the run before it is given up. */
static SlJob *make_picture(SlWorker *worker, SlModelItem *model, GListModel *schedulers,
                           SlJob *before, guint i)
{
    g_autoptr(SlSettings) settings = settings_of(model, schedulers, i);
    gboolean branches = i % 10 == 3 && before && sl_job_get_state(before) == SL_JOB_DONE &&
                        count_frames(before) > 1;
    SlJob *job;

    if (branches)
        g_object_set(settings, "width", sl_settings_get_width(sl_job_get_settings(before)), NULL);
    job = branches ? sl_job_new_branch(before, 1, settings)
                   : sl_job_new(model, settings, SL_PREVIEWS_AUTOMATIC);
    sl_worker_start(worker, job);
    if (i % 10 == 7)
        sl_worker_stop(worker, job);
    wait_for(job);
    if (i % 10 != 7 && sl_job_get_state(job) != SL_JOB_DONE)
        g_error("picture %u was not made: %s", i, sl_job_get_message(job));
    if (i % 5 == 1)
        look_at(worker, job);
    g_clear_object(&before);
    return job;
}

int main(int argc, char **argv)
{
    guint wanted = argc > 1 ? (guint)g_ascii_strtoull(argv[1], NULL, 10) : 10000;
    g_autoptr(SlModelItem) model = open_fixture("sd1");
    g_autoptr(GListModel) schedulers = sl_scheduler_items_new();
    guint warm = MAX(wanted / 20, LEAST);
    SlWorker *worker = sl_worker_new();
    SlJob *job = NULL;
    Figures first = {0}, now = {0};
    gint64 began = g_get_monotonic_time();
    gboolean good;

    if (wanted <= LEAST)
        g_error("%u pictures are too few: the first %d are not counted", wanted, LEAST);
    sl_scheduler_items_offer(schedulers, model);
    sl_worker_set_device(worker, "cpu", "auto", 1);
    for (guint i = 0; i < wanted; i++) {
        if (i == warm) {
            first = take_figures();
            print_figures(i, &first);
        } else if (i % 1000 == 0 && i > 0) {
            now = take_figures();
            print_figures(i, &now);
        }
        job = make_picture(worker, model, schedulers, job, i);
    }
    now = take_figures();
    print_figures(wanted, &now);
    g_clear_object(&job);
    sl_worker_shutdown(worker);
    g_object_unref(worker);
    good = now.resident - first.resident <= MOST && now.allocated - first.allocated <= MOST &&
           now.threads == first.threads && now.files == first.files;
    g_print("%s 1 - %u pictures in %.0f s: %+.2f MiB resident, %+.2f MiB allocated since the first "
            "%d\n1..1\n",
            good ? "ok" : "not ok", wanted,
            (double)(g_get_monotonic_time() - began) / G_USEC_PER_SEC,
            (now.resident - first.resident) / MIB, (now.allocated - first.allocated) / MIB, warm);
    return good ? 0 : 1;
}
