/* test_auto_dtype.c - what "auto" is, decided from given times of machines that are not this one; what
 * is kept of them, and when they are timed again. */
#include "app/files/files.h"
#include "test.h"

#include <math.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/safelight-types-XXXXXX", cache[200];

/* A machine: how much faster bf16 is at each of its shapes, and how often it was asked. */
typedef struct Machine {
    SlProcessor processor;
    double faster[SL_TIMED_SHAPES];
    bool fails;
    double lies;                  /* in place of the first time, where it is not 0 */
    double slowed, apart, waited; /* bf16 by another program (0: not), and what shows it */
    int looked, timed, threads;
} Machine;

static void look(void *arg, SlProcessor *processor)
{
    Machine *m = arg;
    m->looked++;
    *processor = m->processor;
}

static bool time_it(void *arg, int threads, const int *cancel, SlShapeTimes *times, SlError *err)
{
    Machine *m = arg;
    m->timed++;
    m->threads = threads;
    for (int i = 0; i < SL_TIMED_SHAPES; i++) {
        times->f32[i] = 0.001;
        times->bf16[i] = 0.001 / m->faster[i];
    }
    for (int i = 0; i < SL_TIMED_SHAPES && m->slowed > 0; i++)
        times->bf16[i] *= m->slowed;
    times->apart = m->apart;
    times->waited = m->waited;
    if (m->lies != 0)
        times->bf16[0] = m->lies;
    if (cancel && *cancel)
        return sl_fail(err, SL_CANCELLED, "stopped");
    return !m->fails || sl_fail(err, SL_MEMORY, "no memory for the device cpu");
}

static void clear(void)
{
    unlink(cache);
}

/* A processor that multiplies bf16 itself, all shapes of a stage equally faster. */
static Machine machine(double text, double step, double decode)
{
    Machine m = {.processor = {.name = "A Processor",
                               .instructions = "AVX-512 with BF16",
                               .library = "oneDNN 3.7.2",
                               .bf16 = true,
                               .threads = 2}};
    for (int i = 0; i < SL_TIMED_SHAPES; i++) {
        SlTimedStage stage = sl_timed_shape(i)->stage;
        m.faster[i] = stage == SL_TIMED_TEXT ? text : stage == SL_TIMED_STEP ? step : decode;
    }
    return m;
}

static SlAutoDtype ask(Machine *m, const SlAutoAsk *how)
{
    const SlAutoMachine seam = {look, time_it, m};
    SlAutoDtype is;
    SlError err = {0};
    if (!sl_auto_dtype_of(&seam, how, &is, &err))
        sl_test(false, "refused: %s", err.message);
    return is;
}

static const SlAutoAsk usual = {.device = "cpu", .measure = true};

/* ---- the rule ---- */

static void decides(const char *what, Machine m, const char *dtype, const char *line)
{
    clear();
    SlAutoDtype is = ask(&m, &usual);
    sl_test(is.applies && is.measured && !strcmp(is.dtype, dtype) && strstr(is.line, line),
            "%s: %s", what, is.line);
}

/* The i-th shape of a stage is so much faster; the others as they were. */
static Machine but(Machine m, SlTimedStage stage, int i, double faster)
{
    for (int k = 0; k < SL_TIMED_SHAPES; k++)
        if (sl_timed_shape(k)->stage == stage && i-- == 0)
            m.faster[k] = faster;
    return m;
}

static int last_of(SlTimedStage stage)
{
    int count = -1;
    for (int k = 0; k < SL_TIMED_SHAPES; k++)
        count += sl_timed_shape(k)->stage == stage;
    return count;
}

static void test_rule(void)
{
    const SlTimedStage step = SL_TIMED_STEP, decode = SL_TIMED_DECODE;
    decides("three times as fast in all", machine(3, 3, 3), "bf16", "3.0 times");
    decides("decoding as fast as in f32", machine(1.9, 1.7, 0.99), "bf16,decode=f32", "1.7 times");
    decides("texts as fast", machine(1, 1.7, 2), "bf16,text=f32", "auto: bf16,text=f32");
    decides("steps alone", machine(1.1, 1.3, 1.1), "bf16,text=f32,decode=f32", "1.3 times");
    decides("steps by a fifth", machine(3, 1.201, 3), "bf16", "1.2 times");
    decides("steps by less", machine(3, 1.19, 3), "f32", "only 1.19 times");
    decides("slower in all", machine(0.3, 0.3, 0.3), "f32", "slower");
    decides("steps, but a shape that takes much of them is slower",
            but(machine(5, 5, 5), step, 1, 0.8), "f32", "3x3 to 32x32");
    decides("by no more than noise", but(machine(5, 5, 5), step, 1, 0.95), "bf16", "times");
    decides("decoding, but for one of its convolutions", but(machine(3, 3, 3), decode, 0, 0.8),
            "bf16,decode=f32", "auto: bf16");
}

/* What takes next to nothing has no say. */
static void test_share(void)
{
    Machine m = but(machine(3, 3, 3), SL_TIMED_DECODE, 2, 0.5);
    clear();
    SlAutoDtype is = ask(&m, &usual);
    double all = 0;
    for (int i = 0; i < SL_TIMED_SHAPES; i++)
        all += sl_timed_shape(i)->stage == SL_TIMED_DECODE ? sl_timed_shape(i)->often : 0;
    sl_test(!strcmp(is.dtype, "bf16") && sl_timed_shape(7)->often < 0.1 * all,
            "a shape that takes %g of %g is slower: %s", sl_timed_shape(7)->often, all, is.line);
    sl_test(last_of(SL_TIMED_STEP) == 3 && last_of(SL_TIMED_DECODE) == 3 &&
                last_of(SL_TIMED_TEXT) == 0,
            "the stages have the shapes that these tests mean");
}

/* ---- when it is asked ---- */

static void test_without(void)
{
    clear();
    Machine m = machine(3, 3, 3);
    m.processor.bf16 = false;
    SlAutoDtype is = ask(&m, &usual);
    sl_test(is.applies && !strcmp(is.dtype, "f32") && !m.timed && !is.measured &&
                strstr(is.line, "does not multiply bf16"),
            "without products of bf16 nothing is timed: %s", is.line);
    static const SlAutoAsk others[] = {{"cpu", "f32", 0, true}, {"cpu", "bf16", 0, true},
                                       {"cpu", "q8", 0, true},  {"ref", "auto", 0, true},
                                       {"cuda", NULL, 0, true}, {"cpu", "bf16,vae=f32", 0, true}};
    Machine fast = machine(3, 3, 3);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        is = ask(&fast, &others[i]);
        sl_test(!is.applies && !strcmp(is.dtype, "f32") && !fast.looked && !*is.line,
                "%s on %s asks nothing of the machine",
                others[i].dtype ? others[i].dtype : "nothing said", others[i].device);
    }
    is = ask(&fast, &(SlAutoAsk){"check", "auto,vae=f32", 0, true});
    sl_test(is.applies && !strcmp(is.dtype, "bf16"), "\"auto,vae=f32\" is automatic, too");
}

static void test_fails(void)
{
    Machine m = machine(3, 3, 3);
    clear();
    m.fails = true;
    SlAutoDtype is = ask(&m, &usual);
    sl_test(!strcmp(is.dtype, "f32") && strstr(is.line, "no memory for the device") &&
                access(cache, F_OK) != 0,
            "what cannot be measured is f32, and nothing is kept: %s", is.line);
    static const double lies[] = {-1, NAN, INFINITY, 1e9};
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        m = machine(3, 3, 3);
        m.lies = lies[i];
        is = ask(&m, &usual);
        sl_test(!strcmp(is.dtype, "f32") && access(cache, F_OK) != 0,
                "a time of %g is not believed", lies[i]);
    }
}

static void test_cancelled(void)
{
    Machine m = machine(3, 3, 3);
    const SlAutoMachine seam = {look, time_it, &m};
    const int cancel = 1;
    SlAutoDtype is;
    SlError err = {0};
    clear();
    bool ok = sl_auto_dtype_of(
        &seam, &(SlAutoAsk){.device = "cpu", .measure = true, .cancel = &cancel}, &is, &err);
    sl_test(!ok && err.code == SL_CANCELLED && access(cache, F_OK) != 0,
            "stopped while it is timed: nothing is decided or kept");
}

/* ---- what is kept ---- */

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        abort();
}

static char *read_text(const char *path)
{
    char *text = calloc(1, 1 << 16);
    FILE *file = fopen(path, "r");
    if (!file || !text || !fread(text, 1, (1 << 16) - 1, file))
        abort();
    fclose(file);
    return text;
}

static void test_kept(void)
{
    const SlAutoAsk peek = {.device = "cpu"};
    Machine m = machine(2, 2, 2), other = machine(2, 2, 2);
    clear();
    SlAutoDtype is = ask(&m, &peek);
    sl_test(!m.timed && !strcmp(is.dtype, "f32") && strstr(is.line, "until"),
            "who only looks times nothing: %s", is.line);
    ask(&m, &usual);
    is = ask(&m, &usual);
    SlAutoDtype looked = ask(&m, &peek);
    sl_test(m.timed == 1 && m.threads == 2 && !is.measured && !strcmp(is.dtype, "bf16") &&
                !strcmp(looked.dtype, "bf16"),
            "it is timed once, with all threads: %s", looked.line);
    static const char *const changes[] = {"another processor", "other instructions",
                                          "another oneDNN", "more threads"};
    for (int i = 0; i < 4; i++) {
        other = machine(2, 2, 2);
        snprintf(other.processor.name, sizeof other.processor.name, "%s",
                 i == 0 ? "B" : "A Processor");
        if (i == 1)
            snprintf(other.processor.instructions, sizeof other.processor.instructions, "AMX");
        if (i == 2)
            snprintf(other.processor.library, sizeof other.processor.library, "oneDNN 3.8.0");
        ask(&other, &(SlAutoAsk){.device = "cpu", .threads = i == 3 ? 7 : 0, .measure = true});
        sl_test(other.timed == 1 && other.threads == (i == 3 ? 7 : 2), "%s: timed again",
                changes[i]);
    }
    ask(&m, &usual);
    sl_test(m.timed == 1, "and what was known of the first is still known");
}

/* Ten machines: the file does not grow for ever. */
static void test_many(void)
{
    clear();
    for (int i = 0; i < 10; i++) {
        Machine m = machine(2, 2, 2);
        snprintf(m.processor.name, sizeof m.processor.name, "Processor %d", i);
        ask(&m, &usual);
    }
    char *text = read_text(cache);
    sl_test(!strstr(text, "Processor 1 ") && strstr(text, "Processor 2 ") &&
                strstr(text, "Processor 9 "),
            "of ten machines the last eight are kept");
    free(text);
}

static void test_damaged(void)
{
    static const char *const bad[] = {"",
                                      "{",
                                      "[]",
                                      "{\"version\": 3, \"machines\": []}",
                                      "{\"version\": 2, \"machines\": 7}",
                                      "{\"version\": 2, \"machines\": [1, {}, {\"machine\": 3}]}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        Machine m = machine(2, 2, 2);
        clear();
        write_text(cache, bad[i]);
        ask(&m, &usual);
        ask(&m, &usual);
        sl_test(m.timed == 1, "damaged (\"%s\"): timed again, once", bad[i]);
    }
    static const char *const numbers[] = {"-0.001", "\"x\"", "1e999", "null", "0"};
    Machine m = machine(2, 2, 2);
    clear();
    ask(&m, &usual);
    char *good = read_text(cache), *first = strstr(good, "\"f32\":[");
    for (size_t i = 0; first && i < sizeof numbers / sizeof numbers[0]; i++) {
        char text[1 << 14];
        char *value = strchr(first, '[') + 1, *end = strpbrk(value, ",]");
        snprintf(text, sizeof text, "%.*s%s%s", (int)(value - good), good, numbers[i], end);
        clear();
        write_text(cache, text);
        m = machine(2, 2, 2);
        ask(&m, &usual);
        sl_test(m.timed == 1, "a time of %s: timed again", numbers[i]);
    }
    sl_test(first != NULL, "the file has the times");
    free(good);
}

/* Where nothing can be written the process remembers. */
static void test_no_place(void)
{
    Machine m = machine(2, 2, 2);
    snprintf(m.processor.name, sizeof m.processor.name, "No Place");
    setenv("XDG_CACHE_HOME", "/dev/null", 1);
    ask(&m, &usual);
    SlAutoDtype is = ask(&m, &usual);
    sl_test(m.timed == 1 && !strcmp(is.dtype, "bf16"),
            "without a cache it is timed once a process");
    setenv("XDG_CACHE_HOME", folder, 1);
}

/* ---- other programs that compute meanwhile ---- */

/* bf16 is twice as fast, but another program made it half as fast. */
static Machine disturbed(const char *name)
{
    Machine m = machine(2, 2, 2);
    snprintf(m.processor.name, sizeof m.processor.name, "%s", name);
    m.slowed = 4;
    m.waited = 0.4;
    return m;
}

static void calm(Machine *m)
{
    m->slowed = m->apart = m->waited = 0;
}

/* As another process: this one remembers for one machine alone, which is then another. */
static void start_anew(void)
{
    Machine other = disturbed("Another Processor");
    char *text = read_text(cache);
    ask(&other, &usual);
    write_text(cache, text);
    free(text);
}

static void test_disturbed(void)
{
    static const SlAutoAsk peek = {.device = "cpu"};
    Machine m = disturbed("Busy");
    clear();
    SlAutoDtype is = ask(&m, &usual);
    sl_test(is.measured && is.disturbed && !strcmp(is.dtype, "f32") &&
                strstr(is.line, "again at the next start"),
            "disturbed: %s", is.line);
    calm(&m);
    is = ask(&m, &usual);
    sl_test(m.timed == 1 && is.disturbed && !is.measured && !strcmp(is.dtype, "f32"),
            "in this process it stays what it was");
    start_anew();
    is = ask(&m, &peek);
    sl_test(m.timed == 1 && is.disturbed && !strcmp(is.dtype, "f32"),
            "who only looks at the next start is told so");
    is = ask(&m, &usual);
    sl_test(m.timed == 2 && is.measured && !is.disturbed && !strcmp(is.dtype, "bf16") &&
                !strstr(is.line, "again"),
            "who computes then measures again: %s", is.line);
    start_anew();
    is = ask(&m, &usual);
    sl_test(m.timed == 2 && !is.disturbed && !strcmp(is.dtype, "bf16"),
            "and what was measured at rest stays");
}

static void test_what_disturbs(void)
{
    static const struct {
        double apart, waited;
        bool is;
    } cases[] = {{0, 0, false},   {0.09, 0, false},    {0, 0.14, false}, {0.11, 0, true},
                 {0, 0.16, true}, {INFINITY, 0, true}, {0, 1, true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Machine m = machine(2, 2, 2);
        snprintf(m.processor.name, sizeof m.processor.name, "Case %zu", i);
        m.apart = cases[i].apart;
        m.waited = cases[i].waited;
        clear();
        SlAutoDtype is = ask(&m, &usual);
        sl_test(is.disturbed == cases[i].is && !strcmp(is.dtype, "bf16"),
                "best times %g apart, %g of the time without a processor: %sdisturbed",
                cases[i].apart, cases[i].waited, cases[i].is ? "" : "not ");
    }
}

/* A machine that is never at rest is as it is: the best times of five starts count. */
static void test_never_at_rest(void)
{
    Machine m = disturbed("Never At Rest");
    SlAutoDtype is = {0};
    clear();
    for (int start = 1; start <= 7; start++) {
        m.slowed = start == 3 ? 1 : 4;
        is = ask(&m, &usual);
        sl_test(m.timed == (start < 5 ? start : 5) && is.disturbed == (start < 5) &&
                    !strcmp(is.dtype, start < 3 ? "f32" : "bf16"),
                "start %d: %s", start, is.line);
        start_anew();
    }
    is = ask(&m, &(SlAutoAsk){.device = "cpu", .again = true});
    sl_test(m.timed == 6 && is.measured && is.disturbed && !strcmp(is.dtype, "f32"),
            "asked for, it is measured all the same, from the beginning: %s", is.line);
}

static void test_again(void)
{
    static const SlAutoAsk again = {.device = "cpu", .measure = true, .again = true};
    Machine m = machine(1, 1, 1), one = machine(2, 2, 2);
    clear();
    ask(&m, &usual);
    ask(&one, &(SlAutoAsk){.device = "cpu", .threads = 1, .measure = true});
    for (int i = 0; i < SL_TIMED_SHAPES; i++)
        m.faster[i] = 2;
    SlAutoDtype is = ask(&m, &usual);
    sl_test(m.timed == 1 && !strcmp(is.dtype, "f32"), "measured as f32, and that stays");
    is = ask(&m, &again);
    sl_test(m.timed == 2 && is.measured && !strcmp(is.dtype, "bf16"), "until it is asked for: %s",
            is.line);
    is = ask(&m, &usual);
    sl_test(m.timed == 2 && !strcmp(is.dtype, "bf16"), "which then stays");
    ask(&one, &(SlAutoAsk){.device = "cpu", .threads = 1, .measure = true});
    sl_test(one.timed == 2, "and all else that was kept is forgotten, as for one thread");
}

static void test_counted(void)
{
    static const char *const bad[] = {"-1", "0", "6", "\"2\"", "null"};
    Machine m = disturbed("Counted");
    clear();
    ask(&m, &usual);
    char *good = read_text(cache), *count = strstr(good, "\"disturbed\":1");
    sl_test(count != NULL, "the file counts how often it was disturbed");
    for (size_t i = 0; count && i < sizeof bad / sizeof bad[0]; i++) {
        char text[1 << 14];
        snprintf(text, sizeof text, "%.*s\"disturbed\":%s%s", (int)(count - good), good, bad[i],
                 count + strlen("\"disturbed\":1"));
        start_anew();
        write_text(cache, text);
        m = disturbed("Counted");
        calm(&m);
        SlAutoDtype is = ask(&m, &usual);
        sl_test(m.timed == 1 && !is.disturbed && !strcmp(is.dtype, "bf16"),
                "counted as %s: nothing of it is believed", bad[i]);
    }
    free(good);
}

/* ---- the environment ---- */

static void test_said(void)
{
    Machine m = machine(3, 3, 3);
    setenv("SAFELIGHT_AUTO_DTYPE", "bf16,decode=f32", 1);
    SlAutoDtype is = ask(&m, &usual);
    sl_test(!m.looked && !strcmp(is.dtype, "bf16,decode=f32") &&
                strstr(is.line, "SAFELIGHT_AUTO_DTYPE says so"),
            "the environment says it: %s", is.line);
    static const char *const bad[] = {"auto", "q8", "q8/bf16", "f64", "bf16,", "bf16,vae"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const SlAutoMachine seam = {look, time_it, &m};
        SlError err = {0};
        setenv("SAFELIGHT_AUTO_DTYPE", bad[i], 1);
        bool taken = sl_auto_dtype_of(&seam, &usual, &is, &err);
        sl_test(!taken && strstr(err.message, "SAFELIGHT_AUTO_DTYPE is"), "\"%s\": %s", bad[i],
                err.message);
    }
    unsetenv("SAFELIGHT_AUTO_DTYPE");
}

#ifndef __SANITIZE_ADDRESS__ /* takes a minute; it sees the first few below */
/* The real shapes, timed here, whatever this machine is. */
static void test_times(void)
{
    SlShapeTimes t = {0};
    SlError err = {0};
    const int cancel = 1;
    bool ok = sl_time_shapes(1, NULL, &t, &err);
    for (int i = 0; ok && i < SL_TIMED_SHAPES; i++)
        ok = sl_test(t.f32[i] > 0 && t.bf16[i] > 0 && sl_timed_shape(i)->often > 0,
                     "%s: f32 %.2f ms, bf16 %.2f ms", sl_timed_shape(i)->name, t.f32[i] * 1e3,
                     t.bf16[i] * 1e3);
    sl_test(ok && t.apart >= 0 && t.waited >= 0,
            "the two best times are at most %.1f%% apart, and %.1f%% of the time a thread had no "
            "processor",
            t.apart * 100, t.waited * 100);
    sl_test(ok, "all shapes can be timed %s", err.message);
    ok = sl_time_shapes(1, &cancel, &t, &err);
    sl_test(!ok && err.code == SL_CANCELLED, "and stopped");
}
#endif

static void *stop_soon(void *cancel)
{
    sleep(1);
    __atomic_store_n((int *)cancel, 1, __ATOMIC_RELAXED);
    return NULL;
}

/* A stop in between leaves nothing behind. */
static void test_stopped_times(void)
{
    SlShapeTimes t = {0};
    SlError err = {0};
    pthread_t thread;
    int cancel = 0;
    bool begun = pthread_create(&thread, NULL, stop_soon, &cancel) == 0;
    bool ok = begun && sl_time_shapes(1, &cancel, &t, &err);
    sl_test(ok || err.code == SL_CANCELLED, "shapes are timed until it is stopped: %s",
            err.message);
    if (begun)
        pthread_join(thread, NULL);
}

static void test_here(void)
{
    SlProcessor processor;
    SlError err = {0};
    sl_processor_look(&processor);
    sl_test(processor.threads > 0 && *processor.instructions, "%s, %s, %s, %d threads%s",
            processor.name, processor.instructions, processor.library, processor.threads,
            processor.bf16 ? ", multiplies bf16" : "");
    SlAutoDtype is;
    bool ok = sl_auto_dtype(&usual, &is, &err);
    sl_test(ok && is.applies && *is.line && (processor.bf16 || !strcmp(is.dtype, "f32")), "%s",
            is.line);
}

int main(void)
{
    if (!mkdtemp(folder))
        return 1;
    setenv("XDG_CACHE_HOME", folder, 1);
    unsetenv("SAFELIGHT_AUTO_DTYPE");
    snprintf(cache, sizeof cache, "%s/safelight", folder);
    mkdir(cache, 0700);
    snprintf(cache, sizeof cache, "%s/safelight/types", folder);
    test_rule();
    test_share();
    test_without();
    test_fails();
    test_cancelled();
    test_kept();
    test_many();
    test_damaged();
    test_no_place();
    test_disturbed();
    test_what_disturbs();
    test_never_at_rest();
    test_again();
    test_counted();
    test_said();
#ifndef __SANITIZE_ADDRESS__
    test_times();
#endif
    test_stopped_times();
    test_here();
    clear();
    cache[strlen(cache) - strlen("/types")] = 0;
    rmdir(cache);
    rmdir(folder);
    return sl_test_done();
}
