/* test_starter.c - the models that come with the program, from the prompt to the PNG, against
 * diffusers on the same folders.
 *
 * Runs $SAFELIGHT_PROGRAM by name of the model (and once by no name at all), as a newcomer does:
 * the search path, the tokenizer, torch's noise, the scheduler, the decoder and the file are all in
 * it. The pictures are made by goldens/starter/make.py; the limit is a PSNR of 50 dB
 * (docs/design.md, "Tolerances") (8-bit rounding alone would allow 58).
 */
#include "app/image/png.h"
#include "engine/files/json.h"
#include "test.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/safelight starter.XXXXXX";

/* ---- running it ---- */

static int run(const char *const *words)
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        if (!freopen("/dev/null", "w", stdout)) /* the path it prints is no TAP */
            _exit(99);
        execv(words[0], (char **)(uintptr_t)words);
        _exit(98);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

static const char *text_of(const cJSON *test, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(test, key);
    return cJSON_IsString(v) ? v->valuestring : NULL;
}

/* The number as text, in the shortest form that reads back the same. */
static char *typed(const cJSON *test, const char *key)
{
    return cJSON_PrintUnformatted(cJSON_GetObjectItemCaseSensitive(test, key));
}

static int generate(const cJSON *test, const char *picture)
{
    const char *words[32] = {getenv("SAFELIGHT_PROGRAM"), "generate", "--quiet", "--output",
                             picture};
    int n = 5;
    char *steps = typed(test, "steps"), *seed = typed(test, "seed"), *guidance = NULL;
    const char *const fixed[] = {"--steps", steps,         "--seed",
                                 seed,      "--scheduler", text_of(test, "scheduler")};
    memcpy(words + n, fixed, sizeof fixed);
    n += 6;
    if (strcmp(text_of(test, "model"), "starter")) {
        words[n++] = "--model";
        words[n++] = text_of(test, "model");
    }
    if (text_of(test, "prompt")) {
        guidance = typed(test, "guidance");
        const char *const prompted[] = {"--prompt",   text_of(test, "prompt"),
                                        "--negative", text_of(test, "negative"),
                                        "--guidance", guidance};
        memcpy(words + n, prompted, sizeof prompted);
    }
    int status = run(words);
    free(steps);
    free(seed);
    free(guidance);
    return status;
}

/* ---- comparing ---- */

static double psnr_of(const uint8_t *a, const uint8_t *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum == 0 ? 200 : 10 * log10(255.0 * 255.0 * (double)n / sum);
}

static void compare(const char *name, const char *made, const char *golden)
{
    int w = 0, h = 0, expected_w = 0, expected_h = 0;
    SlError err = {0};
    uint8_t *picture = sl_png_read(made, &w, &h, &err);
    uint8_t *expected = sl_png_read(golden, &expected_w, &expected_h, &err);
    bool same = sl_test(picture && expected && w == expected_w && h == expected_h, "%s: %d x %d %s",
                        name, w, h, err.message);
    double psnr = same ? psnr_of(picture, expected, (size_t)w * h * 3) : 0;
    sl_test(psnr >= 50, "%s: PSNR against diffusers %.1f dB", name, psnr);
    free(picture);
    free(expected);
}

static void one_case(const cJSON *test)
{
    const char *name = text_of(test, "name");
    char made[256], relative[256];
    snprintf(made, sizeof made, "%s/%s.png", folder, name);
    snprintf(relative, sizeof relative, "goldens/starter/%s.png", name);
    char *golden = sl_test_path(relative);
    int status = generate(test, made);
    if (sl_test(status == 0, "%s: generated (%d)", name, status))
        compare(name, made, golden);
    unlink(made);
    free(golden);
}

int main(void)
{
    SlError err = {0};
    char *path = sl_test_path("goldens/starter/cases.json");
    SlJson *cases = sl_json_open(path, &err);
    if (sl_test(cases && mkdtemp(folder), "the cases can be read %s", err.message)) {
        const cJSON *test;
        cJSON_ArrayForEach(test, cJSON_GetObjectItemCaseSensitive(sl_json_root(cases), "cases"))
            one_case(test);
    }
    rmdir(folder);
    sl_json_close(cases);
    free(path);
    return sl_test_done();
}
