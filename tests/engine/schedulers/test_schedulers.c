/* test_schedulers.c - every scheduler against diffusers, one step at a time
 * (tests/goldens/schedulers/make.py), and what schedulers refuse.
 *
 * The limit is that of docs/design.md: 1e-6 for one step, of the largest value that the step reads
 * or writes (samples and history are kept in f32, so where a step takes a sample of 4096 sigma to
 * one of order 1, the last bit of the former is all that can be asked). History comes from running
 * all steps; at a checkpoint the sample is diffusers' own. A case with a "bound" is one whose
 * coefficients diffusers itself computes less exactly than that, by as much.
 */
#include "engine/schedulers/schedulers.h"
#include "tests/engine/run/golden.h"
#include "tests/test.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

#define SIZE  8
#define LIMIT 1e-6
/* Two last bits of f32: torch's square roots, under every sigma, are not always the nearest. */
#define TIMESTEP_LIMIT 2.5e-7

typedef struct Fixture {
    float *data, *outputs, *noise, *start;
    size_t at, n;
} Fixture;

/* How far a case is off, and where. */
typedef struct Score {
    double worst;
    double read; /* the largest value that this step reads */
    char what[64];
} Score;

static void score(Score *s, const float *got, const float *expected, int n, const char *what,
                  int evaluation)
{
    double top = fmax(s->read, golden_top(expected, (size_t)n));
    double error = golden_worst(got, expected, (size_t)n);
    double relative = error / fmax(top, 1e-30);
    if (error == 0 || relative <= s->worst)
        return;
    s->worst = relative;
    snprintf(s->what, sizeof s->what, "%s at evaluation %d", what, evaluation);
}

static const float *take(Fixture *f, size_t n)
{
    const float *p = f->data + f->at;
    f->at += n;
    return p;
}

static int number(const cJSON *json, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(json, key);
    return cJSON_IsNumber(v) ? v->valueint : 0;
}

static bool is_checkpoint(const cJSON *test, int evaluation)
{
    const cJSON *v;
    cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(
                              test, "checkpoints")) if (v->valueint == evaluation) return true;
    return false;
}

static void compare_schedule(const SlScheduler *s, const cJSON *test, Fixture *f, Score *out)
{
    int n = number(test, "evaluations"), sigmas = number(test, "sigmas"), count = 0;
    const float *t = take(f, (size_t)n);
    for (int i = 0; i < n; i++) {
        float got = (float)sl_scheduler_timestep(s, i);
        score(out, &got, t + i, 1, "timestep", i);
        if (fabsf(got - t[i]) > TIMESTEP_LIMIT * fmaxf(fabsf(t[i]), 1) && isfinite(out->worst)) {
            out->worst = INFINITY;
            snprintf(out->what, sizeof out->what, "timestep %.9g, expected %.9g", got, t[i]);
        }
    }
    const float *expected = take(f, (size_t)sigmas);
    const double *own = sl_scheduler_sigmas(s, &count);
    if (sigmas > 0 && count != sigmas)
        count = 0; /* too many is as wrong as too few */
    for (int i = 0; i < sigmas; i++) {
        float got = i < count ? (float)own[i] : NAN;
        score(out, &got, expected + i, 1, "sigma", i);
    }
    float init = (float)sl_scheduler_init_noise_sigma(s);
    score(out, &init, take(f, 1), 1, "init_noise_sigma", 0);
}

static void run_steps(SlScheduler *s, const cJSON *test, Fixture *f, Score *out, SlError *err)
{
    float sample[SIZE], x0[SIZE], init = (float)sl_scheduler_init_noise_sigma(s);
    bool has_x0 = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(test, "x0"));
    SlNoiseSource noise = {.given = f->noise, .given_count = 104};
    double before = 0; /* heun and pndm go back to the sample of the evaluation before */
    for (int i = 0; i < SIZE; i++)
        sample[i] = f->start[i] * init;
    for (int i = 0; i < number(test, "evaluations"); i++) {
        bool compared = is_checkpoint(test, i);
        if (compared)
            memcpy(sample, take(f, SIZE), sizeof sample);
        double top = golden_top(sample, SIZE);
        out->read = fmax(top, before);
        before = top;
        if (!sl_scheduler_step(s, f->outputs + i * SIZE, sample, x0, &noise, err)) {
            out->worst = INFINITY;
            return;
        }
        if (!compared)
            continue;
        score(out, sample, take(f, SIZE), SIZE, "sample", i);
        if (has_x0)
            score(out, x0, take(f, SIZE), SIZE, "x_0", i);
    }
}

static size_t case_length(const cJSON *test)
{
    bool has_x0 = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(test, "x0"));
    int checkpoints = cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(test, "checkpoints"));
    return (size_t)number(test, "evaluations") + (size_t)number(test, "sigmas") + 1 +
           (size_t)checkpoints * SIZE * (has_x0 ? 3 : 2);
}

static bool set_steps(SlScheduler *s, int steps, SlError *err)
{
    const SlSchedulerRun run = {.steps = steps, .size = SIZE, .height = 2, .width = 2};
    return sl_scheduler_set_timesteps(s, &run, err);
}

/* What a case's pipeline adds for models that predict flow. */
static bool set_case_steps(SlScheduler *s, const cJSON *test, SlError *err)
{
    const cJSON *of = cJSON_GetObjectItemCaseSensitive(test, "config");
    const cJSON *run = cJSON_GetObjectItemCaseSensitive(of, "_run");
    const cJSON *mu = cJSON_GetObjectItemCaseSensitive(run, "mu");
    const SlSchedulerRun asked = {.steps = number(test, "steps"),
                                  .size = SIZE,
                                  .height = number(run, "height"),
                                  .width = number(run, "width"),
                                  .patch = number(run, "patch"),
                                  .even_sigmas =
                                      cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(run, "even")),
                                  .mu = mu ? &mu->valuedouble : NULL};
    return sl_scheduler_set_timesteps(s, &asked, err);
}

static SlScheduler *make(const cJSON *test, const char *config, SlError *err)
{
    const char *id = cJSON_GetObjectItemCaseSensitive(test, "id")->valuestring;
    const cJSON *eta = cJSON_GetObjectItemCaseSensitive(test, "eta");
    SlSchedulerChoice choice = {.eta = cJSON_IsNumber(eta) ? eta->valuedouble : -1};
    SlJson *json = sl_json_parse("config", config, strlen(config), err);
    SlScheduler *s = json ? sl_scheduler_new(id, json, &choice, err) : NULL;
    sl_json_close(json);
    if (s && !set_case_steps(s, test, err)) {
        sl_scheduler_free(s);
        return NULL;
    }
    return s;
}

static void run_case(const cJSON *test, Fixture *f)
{
    SlError err = {0};
    Score worst = {0};
    size_t end = f->at + case_length(test);
    char *config = cJSON_PrintUnformatted(cJSON_GetObjectItemCaseSensitive(test, "config"));
    SlScheduler *s = config && end <= f->n ? make(test, config, &err) : NULL;
    if (s && sl_scheduler_evaluations(s) == number(test, "evaluations")) {
        compare_schedule(s, test, f, &worst);
        run_steps(s, test, f, &worst, &err);
    } else {
        worst.worst = INFINITY;
    }
    const cJSON *bound = cJSON_GetObjectItemCaseSensitive(test, "bound");
    bool ok = worst.worst <= (cJSON_IsNumber(bound) ? bound->valuedouble : LIMIT);
    sl_test(ok, "%s, %d steps: %.2g %s%s%s",
            cJSON_GetObjectItemCaseSensitive(test, "id")->valuestring, number(test, "steps"),
            worst.worst, ok ? "" : worst.what, ok ? "" : " ", err.message);
    if (!ok)
        sl_test_note("%.300s", config);
    f->at = end;
    sl_scheduler_free(s);
    free(config);
}

/* The set's cases and steps; the arrays that go in are the first set's. */
static void test_against_diffusers(const char *cases_path, const char *steps_path)
{
    SlError err = {0};
    size_t n;
    Golden golden = golden_open(steps_path);
    char *path = sl_test_path(cases_path);
    SlJson *cases = sl_json_open(path, &err);
    Fixture f = {.outputs = golden_read(&golden, "outputs", &n),
                 .noise = golden_read(&golden, "noise", &n),
                 .start = golden_read(&golden, "start", &n)};
    f.data = golden_read(&golden, "data", &f.n);
    if (sl_test(cases && f.data && f.outputs && f.noise && f.start, "goldens can be read %s",
                err.message)) {
        const cJSON *test;
        cJSON_ArrayForEach(test, cJSON_GetObjectItemCaseSensitive(sl_json_root(cases), "cases"))
            run_case(test, &f);
    }
    free(f.data);
    free(f.outputs);
    free(f.noise);
    free(f.start);
    sl_json_close(cases);
    free(path);
    golden_close(&golden);
}

/* ---- what is refused ---- */

static void refused(const char *id, const char *config, int steps, const char *expected)
{
    SlError err = {0};
    SlJson *json = sl_json_parse("scheduler_config.json", config, strlen(config), &err);
    SlScheduler *s = json ? sl_scheduler_new(id, json, NULL, &err) : NULL;
    bool made = s && set_steps(s, steps, &err);
    sl_test(!made && strstr(err.message, expected), "%s, %s: %s", id, config, err.message);
    sl_scheduler_free(s);
    sl_json_close(json);
}

#define FLOW(more) "{\"use_flow_sigmas\": true, \"prediction_type\": \"flow_prediction\"" more "}"

static void test_refusals(void)
{
    refused("ddim", "{\"num_train_timesteps\": 0}", 5, "num_train_timesteps");
    refused("ddim", "{\"num_train_timesteps\": 1e12}", 5, "num_train_timesteps");
    refused("ddim", "{\"beta_schedule\": \"quadratic\"}", 5, "beta_schedule");
    refused("ddim", "{\"beta_start\": \"a\"}", 5, "beta_start");
    refused("ddim", "{\"beta_end\": 7}", 5, "beta_end");
    refused("ddim", "{\"dynamic_thresholding_ratio\": 2}", 5, "dynamic_thresholding_ratio");
    refused("euler", "{\"use_karras_sigmas\": true, \"use_beta_sigmas\": true}", 5,
            "use_karras_sigmas");
    refused("euler-a", "{\"prediction_type\": \"sample\"}", 5, "prediction_type");
    refused("pndm", "{\"prediction_type\": \"sample\"}", 5, "prediction_type");
    refused("ddpm", "{\"variance_type\": \"learned_range\"}", 5, "variance_type");
    refused("ddpm", "{\"trained_betas\": [0.1, 0.2]}", 5, "has 2 numbers; expected 1000");
    refused("ddpm", "{\"trained_betas\": [0.1, \"a\"]}", 5, "has \"a\" as element 1");
    refused("ddpm", "{\"trained_betas\": 7}", 5, "\"trained_betas\" is 7");
    refused("ddpm", "{\"num_train_timesteps\": 2, \"trained_betas\": [0.1, 0.2, 0.3]}", 2,
            "has 3 elements; at most 2");
    refused("unipc", "{\"solver_p\": {}}", 5, "solver_p");
    refused("dpmpp-2s", "{\"algorithm_type\": \"sde-dpmsolver\"}", 5, "algorithm_type");
    refused("deis", "{\"algorithm_type\": \"sde-dpmsolver++\"}", 5, "algorithm_type");
    refused("dpmpp-2s", "{\"algorithm_type\": \"dpmsolver\"}", 5, "final_sigmas_type");
    refused("dpmpp-sde", "{\"prediction_type\": \"sample\"}", 5, "prediction_type");
    refused("dpm2", "{\"prediction_type\": \"sample\"}", 5, "prediction_type");
    refused("dpm2-a", "{\"prediction_type\": \"sample\"}", 5, "prediction_type");
    refused("dpmpp-2m", "{\"timestep_spacing\": \"leading\"}", 1000, "at most 999");
    refused("unipc", "{\"timestep_spacing\": \"leading\"}", 1000, "at most 999");
    refused("lcm", "{}", 51, "original_inference_steps");
    refused("tcd", "{\"original_inference_steps\": 100, \"num_train_timesteps\": 60}", 5,
            "original_inference_steps");
    refused("ipndm", "{\"_class_name\": \"IPNDMScheduler\"}", 5, "IPNDMScheduler");
    refused("unipc", "{\"solver_order\": 9}", 5, "solver_order");
    refused("pndm", "{}", 2, "skip_prk_steps");
    refused("unipc", "{\"use_flow_sigmas\": true}", 5, "use_flow_sigmas");
    refused("flow-euler", "{\"prediction_type\": \"flow_prediction\"}", 5, "use_flow_sigmas");
    refused("flow-lcm", "{\"scale_factors\": [0.5, 1]}", 5, "scale_factors");
    refused("flow-euler", "{\"time_shift_type\": \"cubic\"}", 5, "time_shift_type");
    refused("flow-euler", "{\"shift\": 0}", 5, "shift");
    refused("flow-euler", "{\"shift_terminal\": 0.1}", 1, "shift_terminal");
    refused("flow-euler", "{\"use_dynamic_shifting\": true, \"max_image_seq_len\": 256}", 5,
            "max_image_seq_len");
    refused("flow-euler",
            "{\"use_dynamic_shifting\": true, \"time_shift_type\": \"linear\", \"base_shift\": -9}",
            5, "time_shift_type");
    refused("flow-euler", "{\"use_karras_sigmas\": true, \"use_beta_sigmas\": true}", 5,
            "use_karras_sigmas");
    refused("dpmpp-2m", FLOW(", \"use_karras_sigmas\": true"), 5, "use_karras_sigmas");
    refused("unipc", FLOW(", \"invert_sigmas\": true"), 5, "invert_sigmas");
    refused("deis", FLOW(", \"shift_terminal\": 0.1"), 5, "shift_terminal");
    refused("dpmpp-2s",
            FLOW(", \"algorithm_type\": \"dpmsolver\", \"final_sigmas_type\": \"sigma_min\""), 5,
            "algorithm_type");
    refused("unipc", FLOW(", \"predict_x0\": false"), 5, "predict_x0");
    refused("edm-euler", "{\"_class_name\": \"EDMEulerScheduler\", \"sigma_schedule\": \"beta\"}",
            5, "sigma_schedule");
    refused("edm-euler", "{\"sigma_min\": 0}", 5, "sigma_min is 0");
    refused("edm-dpmpp", "{\"sigma_min\": 3, \"sigma_max\": 2}", 5, "sigma_max is 2");
    refused("edm-dpmpp", "{\"sigma_data\": 0}", 5, "sigma_data");
    refused("edm-euler", "{\"rho\": 0}", 5, "rho");
    refused("edm-euler", "{\"prediction_type\": \"sample\"}", 5, "prediction_type");
    refused("edm-dpmpp", "{\"algorithm_type\": \"dpmsolver\"}", 5, "algorithm_type");
    refused("edm-euler", "{\"_class_name\": \"DDIMScheduler\"}", 5, "are trained as EDM is");
    refused("euler", "{\"_class_name\": \"EDMEulerScheduler\"}", 5, "are not trained as EDM is");
    refused("ddim", "{\"steps_offset\": 1}", 1000, "timestep 1000");
    refused("ddim", "{}", 0, "steps is 0");
    refused("ddim", "{}", 1001, "steps is 1001");
    refused("nonesuch", "{}", 5, "nonesuch");
}

/* ---- choices over the model's configuration ---- */

/* One step of a scheduler from ones, with a prediction and a noise that differ; false on
 * failure. */
static bool one_step(const char *id, const char *config, const SlSchedulerChoice *choice,
                     float sample[SIZE], SlError *err)
{
    float output[SIZE], x0[SIZE], given[SIZE];
    SlNoiseSource noise = {.given = given, .given_count = SIZE};
    SlJson *json = sl_json_parse("scheduler_config.json", config, strlen(config), err);
    SlScheduler *s = json ? sl_scheduler_new(id, json, choice, err) : NULL;
    bool ok = s && set_steps(s, 10, err);
    for (int i = 0; i < SIZE; i++) {
        sample[i] = 1;
        output[i] = (float)i / SIZE;
        given[i] = 1 - output[i];
    }
    ok = ok && sl_scheduler_step(s, output, sample, x0, &noise, err);
    sl_scheduler_free(s);
    sl_json_close(json);
    return ok;
}

/* A chosen variance is what the configuration would say, for which there are goldens. */
static void test_variance(void)
{
    static const char *const names[] = {"fixed_small", "fixed_small_log", "fixed_large"};
    float of_model[SIZE], chosen[SIZE], configured[SIZE];
    SlError err = {0};
    for (int i = 0; i < 3; i++) {
        char config[64];
        SlSchedulerChoice choice = {.variance = (SlVariance)(SL_VARIANCE_SMALL + i), .eta = -1};
        snprintf(config, sizeof config, "{\"variance_type\": \"%s\"}", names[i]);
        bool ok = one_step("ddpm", config, NULL, configured, &err) &&
                  one_step("ddpm", "{\"variance_type\": \"fixed_small\"}", &choice, chosen, &err);
        sl_test(ok && !memcmp(chosen, configured, sizeof chosen), "%s as configured %s", names[i],
                err.message);
        if (i == 0)
            memcpy(of_model, chosen, sizeof chosen);
    }
    sl_test(memcmp(chosen, of_model, sizeof chosen) != 0, "and large is another step than small");
    const SlSchedulerChoice choice = {.variance = SL_VARIANCE_LARGE, .eta = -1};
    sl_test(!one_step("euler", "{}", &choice, chosen, &err) && strstr(err.message, "variance"),
            "only ddpm has the choice: %s", err.message);
}

/* ---- the tutorial, and saved states ---- */

static void test_tutorial(void)
{
    SlError err = {0};
    SlScheduler *s = sl_scheduler_new("ddpm", NULL, NULL, &err);
    bool ok = s && set_steps(s, 50, &err);
    for (int i = 0; ok && i < 50; i++)
        ok = sl_scheduler_timestep(s, i) == 980 - 20 * i;
    sl_test(ok, "set_timesteps(50) gives 980, 960, ... 0");
    sl_scheduler_free(s);
}

/* Numbers of steps where timesteps lie halfway between whole numbers (make_trailing.py). */
static void test_trailing(void)
{
    static const char config[] =
        "{\"beta_start\": 0.00085, \"beta_end\": 0.012, \"beta_schedule\": \"scaled_linear\", "
        "\"timestep_spacing\": \"trailing\"}";
    SlError problem = {0};
    char *path = sl_test_path("goldens/schedulers/trailing.json");
    SlJson *golden = sl_json_open(path, &problem);
    const cJSON *root = golden ? sl_json_root(golden) : NULL, *id, *list;
    const cJSON *lists = cJSON_GetObjectItemCaseSensitive(root, "timesteps");
    sl_test(cJSON_GetArraySize(lists) > 0, "lists of trailing timesteps %s", problem.message);
    cJSON_ArrayForEach(id, cJSON_GetObjectItemCaseSensitive(root, "ids"))
    {
        cJSON_ArrayForEach(list, lists)
        {
            SlError err = {0};
            int steps = cJSON_GetArraySize(list), i = 0;
            SlJson *json = sl_json_parse("config", config, strlen(config), &err);
            SlScheduler *s = json ? sl_scheduler_new(id->valuestring, json, NULL, &err) : NULL;
            bool ok = s && set_steps(s, steps, &err);
            sl_json_close(json);
            while (ok && i < steps &&
                   sl_scheduler_timestep(s, i) == cJSON_GetArrayItem(list, i)->valueint)
                i++;
            sl_test(i == steps, "%s: %d trailing timesteps, %d of them diffusers'", id->valuestring,
                    steps, i);
            sl_scheduler_free(s);
        }
    }
    sl_json_close(golden);
    free(path);
}

static void test_damaged_states(void)
{
    for (int i = 0; i < sl_scheduler_count(); i++) {
        const char *id = sl_scheduler_info(i)->id;
        float out[SIZE] = {1, 2, 3}, sample[SIZE] = {3, 2, 1};
        SlNoise generator;
        SlNoiseSource noise = {.generator = &generator};
        SlError err = {0};
        size_t bytes = 0;
        sl_noise_init(&generator, SL_NOISE_CPU, 1, 0);
        static const char config[] = "{\"skip_prk_steps\": true}";
        SlJson *json = sl_json_parse("config", config, strlen(config), &err);
        SlScheduler *s = sl_scheduler_new(id, json, NULL, &err);
        bool ok =
            s && set_steps(s, 6, &err) && sl_scheduler_step(s, out, sample, NULL, &noise, &err);
        unsigned char *state = ok ? sl_scheduler_save(s, &bytes) : NULL;
        ok = state && sl_scheduler_restore(s, state, bytes, &err);
        ok = ok && !sl_scheduler_restore(s, state, bytes - 1, NULL) &&
             !sl_scheduler_restore(s, state, 3, NULL);
        for (size_t at = 0; ok && at < 56 && at < bytes; at++) {
            state[at] ^= 0x80;
            (void)sl_scheduler_restore(s, state, bytes, NULL); /* must not crash */
            ok = at >= 24 || !sl_scheduler_restore(s, state, bytes, NULL);
            state[at] ^= 0x80;
        }
        sl_test(ok, "%s: damaged states are refused %s", id, err.message);
        free(state);
        sl_scheduler_free(s);
        sl_json_close(json);
    }
}

/* ---- going on from a saved state ---- */

static SlScheduler *made(const char *id, SlError *err)
{
    static const char config[] = "{\"skip_prk_steps\": false, \"solver_order\": 3}";
    const SlSchedulerChoice choice = {.eta = 0.5};
    SlJson *json = sl_json_parse("config", config, strlen(config), err);
    SlScheduler *s = json ? sl_scheduler_new(id, json, &choice, err) : NULL;
    sl_json_close(json);
    if (s && !set_steps(s, 6, err)) {
        sl_scheduler_free(s);
        return NULL;
    }
    return s;
}

static bool run_to(SlScheduler *s, int end, float *sample, SlNoiseSource *noise, SlError *err)
{
    bool ok = true;
    while (ok && sl_scheduler_position(s) < end) {
        float out[SIZE];
        for (int i = 0; i < SIZE; i++)
            out[i] = sinf((float)(sl_scheduler_position(s) * SIZE + i));
        ok = sl_scheduler_step(s, out, sample, NULL, noise, err);
    }
    return ok;
}

/* Runs to evaluation `at`, moves to a fresh scheduler, runs to the end. */
static bool run_broken_at(const char *id, int at, float *sample, SlError *err)
{
    static const float given[32 * SIZE] = {0.5f, -1, 2, 0.25f, [SIZE] = 1.5f, [3 * SIZE] = -0.75f};
    SlNoiseSource noise = {.given = given, .given_count = 32};
    SlScheduler *first = made(id, err), *second = made(id, err);
    size_t bytes = 0;
    for (int i = 0; i < SIZE; i++)
        sample[i] = cosf((float)i);
    bool ok = first && second && run_to(first, at, sample, &noise, err);
    void *state = ok ? sl_scheduler_save(first, &bytes) : NULL;
    ok = state && sl_scheduler_restore(second, state, bytes, err) &&
         run_to(second, sl_scheduler_evaluations(second), sample, &noise, err);
    free(state);
    sl_scheduler_free(first);
    sl_scheduler_free(second);
    return ok;
}

static void test_saved_states(void)
{
    for (int i = 0; i < sl_scheduler_count(); i++) {
        const char *id = sl_scheduler_info(i)->id;
        float whole[SIZE], broken[SIZE];
        SlError err = {0};
        SlScheduler *s = made(id, &err);
        int n = s ? sl_scheduler_evaluations(s) : 0;
        bool ok = n > 0 && run_broken_at(id, 0, whole, &err);
        for (int at = 1; ok && at <= n; at++)
            ok = run_broken_at(id, at, broken, &err) && !memcmp(whole, broken, sizeof whole);
        sl_test(ok, "%s: the same bytes from each of %d saved states %s", id, n, err.message);
        sl_scheduler_free(s);
    }
}

/* A model trained down to a signal of 0: some classes know the key, the others leave it, as in
 * diffusers, and none may divide by that 0. */
static void test_zero_snr(void)
{
    static const char config[] = "{\"rescale_betas_zero_snr\": true, \"prediction_type\": "
                                 "\"v_prediction\", \"timestep_spacing\": \"trailing\"}";
    for (int i = 0; i < sl_scheduler_count(); i++) {
        const char *id = sl_scheduler_info(i)->id;
        if (sl_scheduler_info(i)->only_flow)
            continue;
        float sample[SIZE] = {0};
        SlError err = {0};
        SlNoise generator;
        SlNoiseSource noise = {.generator = &generator};
        sl_noise_init(&generator, SL_NOISE_CPU, 1, 0);
        SlJson *json = sl_json_parse("config", config, strlen(config), &err);
        SlScheduler *s = json ? sl_scheduler_new(id, json, NULL, &err) : NULL;
        bool ok = s && set_steps(s, 6, &err);
        for (int k = 0; ok && k < SIZE; k++)
            sample[k] = (float)(sl_scheduler_init_noise_sigma(s) * cos(k));
        ok = ok && run_to(s, sl_scheduler_evaluations(s), sample, &noise, &err);
        sl_test(ok, "%s: a schedule that ends at no signal %s", id, err.message);
        sl_scheduler_free(s);
        sl_json_close(json);
    }
}

/* DPM++ SDE's second evaluation: the level is the middle of log sigma, and the model sees the
 * sample scaled for it; with noise that is the same in both halves, the whole step's is sqrt(a) +
 * sqrt(b) times it, a and b being what each half has of the step's sigma. */
static void test_middle(void)
{
    static const float none[SIZE] = {0}, noise_rows[2 * SIZE] = {1, [SIZE] = 1};
    const SlSchedulerChoice choice = {.spacing = SL_SPACING_TRAILING, .eta = -1};
    SlError err = {0};
    float sample[SIZE] = {0}, input[SIZE];
    SlNoiseSource noise = {.given = noise_rows, .given_count = 2};
    SlScheduler *s = sl_scheduler_new("dpmpp-sde", NULL, &choice, &err);
    bool ok = s && set_steps(s, 4, &err);
    if (sl_test(ok, "dpmpp-sde is made %s", err.message)) {
        double from = sl_scheduler_sigma(s, 0), middle = sl_scheduler_sigma(s, 1),
               to = sl_scheduler_sigma(s, 2);
        sl_test(fabs(middle * middle / (from * to) - 1) < 1e-6, "the middle is that of log sigma");
        ok = sl_scheduler_step(s, none, sample, NULL, &noise, &err);
        float up = (float)(middle * sqrt(1 - middle * middle / (from * from)));
        sl_test(ok && fabsf(sample[0] / up - 1) < 1e-5f && sample[1] == 0,
                "the first half's noise reaches the sample %s", err.message);
        sl_scheduler_input(s, sample, input);
        sl_test(fabs(input[0] * sqrt(middle * middle + 1) / sample[0] - 1) < 1e-6,
                "the model sees it scaled for the middle");
        sample[0] = 0; /* epsilon 0: x_0 is the sample, and only noise is left of the step */
        ok = sl_scheduler_step(s, none, sample, NULL, &noise, &err);
        double a = (from - middle) / (from - to), whole = to * sqrt(1 - to * to / (from * from));
        sl_test(ok && fabs(sample[0] / (whole * (sqrt(a) + sqrt(1 - a))) - 1) < 1e-5,
                "the whole step's noise is that of both halves %s", err.message);
    }
    sl_scheduler_free(s);
}

/* ---- noise levels ---- */

/* A scheduler at an evaluation, without history. */
static SlScheduler *standing(const char *id, const char *config, int steps, int evaluation,
                             SlError *err)
{
    const SlSchedulerChoice choice = {.eta = -1};
    SlJson *json = sl_json_parse("config", config, strlen(config), err);
    SlScheduler *s = json ? sl_scheduler_new(id, json, &choice, err) : NULL;
    sl_json_close(json);
    if (s && !(set_steps(s, steps, err) && sl_scheduler_enter(s, evaluation, err))) {
        sl_scheduler_free(s);
        return NULL;
    }
    return s;
}

static void mix(SlNoiseLevel level, const float *x0, const float *noise, float *sample)
{
    for (int i = 0; i < SIZE; i++)
        sample[i] = (float)(level.alpha * x0[i] + level.sigma * noise[i]);
}

/* A sample made of x_0 and noise at one scheduler's level is made of both at the other's. */
static void crosses(const char *from_id, const char *to_id, const char *config)
{
    SlError err = {0};
    float x0[SIZE], noise[SIZE], sample[SIZE] = {0}, expected[SIZE] = {0};
    SlScheduler *from = standing(from_id, config, 10, 4, &err);
    double reached = from ? sl_scheduler_sigma(from, 4) : 0;
    SlScheduler *to = standing(to_id, config, 7, 0, &err);
    int entry = to ? sl_scheduler_entry(to, reached) : -1;
    bool ok = from && to && entry > 0 && sl_scheduler_enter(to, entry, &err);
    for (int i = 0; i < SIZE; i++) {
        x0[i] = (float)cos(i);
        noise[i] = (float)sin(3 * i + 1);
    }
    double apart = INFINITY;
    if (ok) {
        SlNoiseLevel there = sl_scheduler_level(to, entry);
        mix(sl_scheduler_level(from, 4), x0, noise, sample);
        mix(there, x0, noise, expected);
        sl_scheduler_cross(to, from, sample, x0, sample);
        apart = golden_worst(sample, expected, SIZE) / (there.alpha + there.sigma);
        ok = sl_scheduler_sigma(to, entry) < reached;
    }
    sl_test(ok && apart < 1e-6, "from %s to %s x_0 and noise stay: %.2g %s", from_id, to_id, apart,
            err.message);
    sl_scheduler_free(from);
    sl_scheduler_free(to);
}

static const char flow_config[] = "{\"_class_name\": \"FlowMatchEulerDiscreteScheduler\", "
                                  "\"shift\": 3.0}";
static const char mochi_config[] = "{\"_class_name\": \"FlowMatchEulerDiscreteScheduler\", "
                                   "\"invert_sigmas\": true}";

static const char edm_config[] = "{\"_class_name\": \"EDMDPMSolverMultistepScheduler\"}";
static const char cosxl_config[] =
    "{\"_class_name\": \"EDMEulerScheduler\", \"sigma_max\": 120.0, \"sigma_data\": 1.0, "
    "\"prediction_type\": \"v_prediction\", \"sigma_schedule\": \"exponential\"}";

static void test_crossing(void)
{
    static const char *const others[] = {"euler", "ddim", "dpmpp-2m", "heun", "lcm"};
    static const char *const flow[] = {"flow-euler", "unipc", "dpmpp-2m", "flow-heun", "deis"};
    for (int i = 0; i < 5; i++) {
        crosses(others[i], others[(i + 1) % 5], "{\"beta_schedule\": \"scaled_linear\"}");
        crosses(flow[i], flow[(i + 1) % 5], flow_config);
    }
    crosses("flow-euler", "flow-lcm", mochi_config);
    crosses("edm-euler", "edm-dpmpp", edm_config);
    crosses("edm-dpmpp", "edm-euler", cosxl_config);
}

/* As branches did before schedulers gave their levels as pairs: recorded ones depend on these
 * bytes. */
static void cross_as_ever(const SlScheduler *to, const SlScheduler *from, const float *x0,
                          float *sample)
{
    double here = sl_scheduler_sigma(from, sl_scheduler_position(from));
    double there = sl_scheduler_sigma(to, sl_scheduler_position(to));
    double alpha_here = 1 / sqrt(1 + here * here), alpha_there = 1 / sqrt(1 + there * there);
    float ones[SIZE] = {1, 1, 1, 1, 1, 1, 1, 1}, now[SIZE];
    sl_scheduler_input(to, ones, ones);
    sl_scheduler_input(from, sample, now);
    for (int i = 0; i < SIZE; i++) {
        double value = now[i];
        if (there != here) {
            double noise = (value / alpha_here - x0[i]) / here;
            value = alpha_there * (x0[i] + there * noise);
        }
        sample[i] = (float)(value / ones[0]);
    }
}

/* Three evaluations of each, euler -> ddim -> dpmpp-2m -> euler. */
static void test_crossing_bytes(void)
{
    static const char *const ids[] = {"euler", "ddim", "dpmpp-2m", "euler"};
    float sample[SIZE], old[SIZE], x0[SIZE], out[SIZE];
    SlError err = {0};
    SlScheduler *s = standing(ids[0], "{}", 20, 0, &err);
    bool ok = s != NULL, same = true;
    for (int i = 0; ok && i < SIZE; i++)
        sample[i] = (float)(sl_scheduler_init_noise_sigma(s) * cos(i));
    for (int next = 1; ok && next <= 4; next++) {
        for (int k = 0; ok && k < 3; k++) {
            for (int i = 0; i < SIZE; i++)
                out[i] = sinf((float)(next * 100 + k * SIZE + i));
            ok = sl_scheduler_step(s, out, sample, x0, NULL, &err);
        }
        if (next == 4)
            break;
        SlScheduler *to = ok ? standing(ids[next], "{}", 20 + 3 * next, 0, &err) : NULL;
        ok = to &&
             sl_scheduler_enter(
                 to, sl_scheduler_entry(to, sl_scheduler_sigma(s, sl_scheduler_position(s))), &err);
        if (ok) {
            memcpy(old, sample, sizeof old);
            cross_as_ever(to, s, x0, old);
            sl_scheduler_cross(to, s, sample, x0, sample);
            same = same && !memcmp(old, sample, sizeof old);
        }
        sl_scheduler_free(s);
        s = to;
    }
    sl_test(ok && same, "euler, ddim, dpmpp-2m, euler: branches have the bytes they had %s",
            err.message);
    sl_scheduler_free(s);
}

/* What the model says of flow, as noise: from x_0 and noise, noise - x_0 comes back as noise. */
static void test_flow_noise(void)
{
    static const char *const configs[] = {flow_config, mochi_config};
    for (int k = 0; k < 2; k++) {
        SlError err = {0};
        float x0[SIZE], noise[SIZE], sample[SIZE], said[SIZE], found[SIZE], found_x0[SIZE];
        SlScheduler *s = standing("flow-euler", configs[k], 10, 3, &err);
        if (!sl_test(s != NULL, "flow-euler is made %s", err.message))
            continue;
        for (int i = 0; i < SIZE; i++) {
            x0[i] = (float)cos(i);
            noise[i] = (float)sin(3 * i + 1);
            said[i] = k ? x0[i] - noise[i] : noise[i] - x0[i];
        }
        mix(sl_scheduler_level(s, 3), x0, noise, sample);
        sl_scheduler_noise_of(s, 3, said, sample, found);
        bool ok = sl_scheduler_step(s, said, sample, found_x0, NULL, &err);
        sl_test(ok && golden_worst(found, noise, SIZE) < 1e-6 &&
                    golden_worst(found_x0, x0, SIZE) < 1e-6,
                "what is said of flow is read as noise and x_0 %s", err.message);
        mix(sl_scheduler_level(s, 4), x0, noise, found);
        sl_test(golden_worst(found, sample, SIZE) < 1e-6, "and leads along the line between them");
        sl_scheduler_free(s);
    }
}

/* What a model trained as EDM is says of x_0 and noise: v of x_0 / sigma_data, or its opposite. */
static void test_edm_noise(void)
{
    static const struct {
        const char *config;
        double data, sign;
    } kinds[] = {{edm_config, 0.5, -1}, {cosxl_config, 1, 1}};
    for (int k = 0; k < 2; k++) {
        SlError err = {0};
        float x0[SIZE], noise[SIZE], sample[SIZE], said[SIZE], seen[SIZE];
        float found[SIZE], found_x0[SIZE];
        SlScheduler *s = standing("edm-dpmpp", kinds[k].config, 10, 6, &err);
        if (!sl_test(s != NULL, "edm-dpmpp is made %s", err.message))
            continue;
        double sigma = sl_scheduler_sigma(s, 6), data = kinds[k].data, whole = hypot(sigma, data);
        for (int i = 0; i < SIZE; i++) {
            x0[i] = (float)cos(i);
            noise[i] = (float)sin(3 * i + 1);
            said[i] = (float)(kinds[k].sign * (data * noise[i] - sigma * x0[i] / data) / whole);
        }
        mix(sl_scheduler_level(s, 6), x0, noise, sample);
        sl_scheduler_input_at(s, 6, sample, seen);
        sl_scheduler_noise_of(s, 6, said, seen, found);
        bool ok = sl_scheduler_step(s, said, sample, found_x0, NULL, &err);
        sl_test(ok && golden_worst(found, noise, SIZE) < 1e-5 &&
                    golden_worst(found_x0, x0, SIZE) < 1e-5,
                "what is said as EDM's models say it is read as noise and x_0 %s", err.message);
        sl_scheduler_free(s);
    }
}

/* A person's choices over such a model's configuration; and one exponential step, which is the
 * noisiest. */
static void test_edm_choices(void)
{
    static const struct {
        SlSchedulerChoice choice;
        double last; /* of two sigmas; NAN: refused */
        SlPrediction prediction;
        const char *said;
    } cases[] = {
        {{.eta = -1}, 0.002, SL_PREDICT_EDM_V, ""},
        {{.eta = -1, .sigmas = SL_SIGMAS_KARRAS}, 0.002, SL_PREDICT_EDM_V, ""},
        {{.eta = -1, .prediction = SL_PREDICTION_EPSILON}, 0.002, SL_PREDICT_EDM_EPSILON, ""},
        {{.eta = -1, .prediction = SL_PREDICTION_SAMPLE}, NAN, 0, "only epsilon and v"},
        {{.eta = -1, .sigmas = SL_SIGMAS_BETA}, NAN, 0, "karras or exponential"},
        {{.eta = -1, .zero_snr = SL_ZERO_SNR_YES}, NAN, 0, "zero terminal SNR"},
        {{.eta = -1, .spacing = SL_SPACING_TRAILING}, NAN, 0, "spacing"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        SlError err = {0};
        SlJson *json = sl_json_parse("config", cosxl_config, strlen(cosxl_config), &err);
        SlScheduler *s = json ? sl_scheduler_new("edm-euler", json, &cases[i].choice, &err) : NULL;
        bool made = s && set_steps(s, 2, &err);
        bool right = made ? sl_scheduler_prediction(s) == cases[i].prediction &&
                                fabs(sl_scheduler_sigma(s, 0) - 120) < 1e-4 &&
                                fabs(sl_scheduler_sigma(s, 1) - cases[i].last) < 1e-8
                          : isnan(cases[i].last) && strstr(err.message, cases[i].said);
        sl_test(right, "choice %zu of such a model: %s", i, err.message);
        sl_scheduler_free(s);
        sl_json_close(json);
    }
    SlError err = {0};
    SlScheduler *s = standing("edm-euler", cosxl_config, 1, 0, &err);
    sl_test(s && fabs(sl_scheduler_sigma(s, 0) - 120) < 1e-4,
            "a single step begins with all the noise %s", err.message);
    sl_scheduler_free(s);
}

/* ---- what suits a model ---- */

static void test_suiting(void)
{
    static const struct {
        const char *text;
        SlPrediction prediction;
    } configs[] = {
        {"{\"_class_name\": \"DDIMScheduler\", \"prediction_type\": \"epsilon\"}",
         SL_PREDICT_EPSILON},
        {"{\"_class_name\": \"PNDMScheduler\"}", SL_PREDICT_EPSILON},
        {flow_config, SL_PREDICT_FLOW},
        {"{\"_class_name\": \"UniPCMultistepScheduler\", \"prediction_type\": "
         "\"flow_prediction\", \"use_flow_sigmas\": true}",
         SL_PREDICT_FLOW},
        {edm_config, SL_PREDICT_EDM_EPSILON},
        {cosxl_config, SL_PREDICT_EDM_V},
    };
    for (int i = 0; i < sl_scheduler_count(); i++) {
        const SlSchedulerInfo *info = sl_scheduler_info(i);
        bool ok = true;
        for (size_t k = 0; k < sizeof configs / sizeof configs[0]; k++) {
            SlError err = {0};
            SlPrediction prediction = configs[k].prediction;
            SlJson *json = sl_json_parse("config", configs[k].text, strlen(configs[k].text), &err);
            SlScheduler *s = sl_scheduler_new(info->id, json, NULL, &err);
            bool suits = sl_scheduler_suits(info, prediction);
            ok = ok && suits == (s != NULL) && (!s || sl_scheduler_prediction(s) == prediction) &&
                 (s || (strstr(err.message, info->id) && strstr(err.message, "expected one of")));
            sl_scheduler_free(s);
            sl_json_close(json);
        }
        sl_test(ok, "%s is made for the models that it suits, and for no others", info->id);
    }
}

/* The keys that diffusers' Heun does not have lay out its sigmas as Euler's; and the shift of a
 * model made for one class counts in the others. */
static void test_shared_keys(void)
{
    static const char *const configs[] = {
        "{\"_class_name\": \"FlowMatchEulerDiscreteScheduler\", \"use_dynamic_shifting\": true, "
        "\"shift_terminal\": 0.1, \"use_karras_sigmas\": true}",
        "{\"_class_name\": \"DPMSolverMultistepScheduler\", \"prediction_type\": "
        "\"flow_prediction\", \"use_flow_sigmas\": true, \"flow_shift\": 3.0, \"shift\": 1.0}",
        flow_config};
    double first[2] = {0};
    for (int k = 0; k < 3; k++) {
        SlError err = {0};
        SlScheduler *euler = standing("flow-euler", configs[k], 6, 0, &err);
        SlScheduler *heun = standing("flow-heun", configs[k], 6, 0, &err);
        bool ok = euler && heun;
        for (int i = 0; ok && i < 6; i++)
            ok = sl_scheduler_sigma(euler, i) == sl_scheduler_sigma(heun, i ? 2 * i - 1 : 0);
        sl_test(ok, "flow-heun goes through flow-euler's sigmas %s", err.message);
        if (ok && k > 0)
            first[k - 1] = sl_scheduler_sigma(euler, 3);
        sl_scheduler_free(euler);
        sl_scheduler_free(heun);
    }
    sl_test(first[0] > 0 && first[0] == first[1], "flow_shift 3 shifts as shift 3 does");
}

static void test_infinite_output(void)
{
    SlError err = {0};
    float out[SIZE] = {NAN}, sample[SIZE] = {0};
    SlScheduler *s = sl_scheduler_new("euler", NULL, NULL, &err);
    bool ok = s && set_steps(s, 5, &err) && !sl_scheduler_step(s, out, sample, NULL, NULL, &err) &&
              sl_scheduler_position(s) == 0;
    sl_test(ok && strstr(err.message, "evaluation 1 of 5"), "NaN is named with its step: %s",
            err.message);
    sl_scheduler_free(s);
}

/* One evaluation more than steps is the last step's second, which no run begins with. */
static void test_extra_evaluation(void)
{
    static const char config[] = "{\"interpolation_type\": \"log_linear\", \"timestep_type\": "
                                 "\"continuous\", \"prediction_type\": \"v_prediction\"}";
    SlError err = {0};
    SlScheduler *s = standing("euler", config, 6, 5, &err);
    bool ok = s && sl_scheduler_evaluations(s) == 7, ends = false;
    for (int i = 0; ok && i < 7; i++)
        ok = sl_scheduler_step_of(s, i, &ends) == (i < 6 ? i : 5) && ends == (i != 5);
    ok = ok && !sl_scheduler_enter(s, 6, NULL);
    sl_test(ok, "euler: the seventh evaluation of six steps ends the sixth %s", err.message);
    sl_scheduler_free(s);
}

/* DPMSolverMultistepScheduler.set_timesteps(8) of diffusers 0.36.0 with these keys. */
static void test_cosine_lu(void)
{
    static const double expected[] = {999, 998, 996, 979, 838, 269, 26, 0};
    static const char text[] = "{\"beta_start\": 0.00085, \"beta_end\": 0.012, \"beta_schedule\": "
                               "\"squaredcos_cap_v2\", \"use_lu_lambdas\": true}";
    const SlSchedulerChoice choice = {.eta = -1};
    const SlSchedulerRun run = {.steps = 8, .size = 1, .height = 1, .width = 1};
    SlError err = {0};
    SlJson *json = sl_json_parse("lu", text, strlen(text), &err);
    SlScheduler *sched = json ? sl_scheduler_new("dpmpp-2m", json, &choice, &err) : NULL;
    bool ok = sched && sl_scheduler_set_timesteps(sched, &run, &err);
    for (int k = 0; ok && k < 8; k++)
        ok = sl_scheduler_timestep(sched, k) == expected[k];
    sl_test(ok, "cosine betas with lu lambdas begin at 999 %s", err.message);
    sl_scheduler_free(sched);
    sl_json_close(json);
}

/* Whole runs with the noise of a seed, as the k-diffusion package makes them with torchsde's. */
static void test_brownian_runs(void)
{
    static const char *const ids[] = {"dpmpp-2m-sde-bt", "dpmpp-3m-sde"};
    static const char text[] = "{\"beta_start\": 0.00085, \"beta_end\": 0.012, \"beta_schedule\": "
                               "\"scaled_linear\"}";
    const SlSchedulerChoice choice = {.own_sigmas = "14.6,6.1,2.2,0.7,0.17,0.03,0", .eta = -1};
    size_t n;
    Golden golden = golden_open("goldens/schedulers/k_steps.safetensors");
    float *tree = golden_read(&golden, "tree", &n), *start = golden_read(&golden, "start", &n);
    float *outputs = golden_read(&golden, "outputs", &n);
    for (int k = 0; k < 2 && tree && start && outputs; k++) {
        SlError err = {0};
        SlNoise generator;
        SlNoiseSource noise = {.generator = &generator};
        float sample[SIZE];
        sl_noise_init(&generator, SL_NOISE_CPU, 77, 0);
        SlJson *json = sl_json_parse("config", text, strlen(text), &err);
        SlScheduler *s = json ? sl_scheduler_new(ids[k], json, &choice, &err) : NULL;
        bool ok = s && set_steps(s, 6, &err);
        for (int i = 0; ok && i < SIZE; i++)
            sample[i] = start[i] * (float)sl_scheduler_init_noise_sigma(s);
        for (int i = 0; ok && i < 6; i++)
            ok = sl_scheduler_step(s, outputs + i * SIZE, sample, NULL, &noise, &err);
        /* of the largest value on the way: the start */
        double worst = golden_worst(sample, tree + k * SIZE, SIZE) / golden_top(start, SIZE) / 14.6;
        sl_test(ok && worst < LIMIT, "%s, a whole run with torchsde's noise: %.2g %s", ids[k],
                worst, err.message);
        sl_scheduler_free(s);
        sl_json_close(json);
    }
    free(tree);
    free(start);
    free(outputs);
    golden_close(&golden);
}

/* Schedules that are not diffusers', and given ones as diffusers' Euler lays them out
 * (make_presets.py). */
static void test_preset(const cJSON *lists, SlSigmas kind, const SlJson *json)
{
    const SlSchedulerChoice choice = {.sigmas = kind, .eta = -1};
    const cJSON *list;
    cJSON_ArrayForEach(list, lists)
    {
        static const char *const ids[] = {"euler", "dpmpp-2m", "dpmpp-2s-a"};
        int n = cJSON_GetArraySize(list), count;
        for (int k = 0; k < 3; k++) {
            SlError err = {0};
            SlScheduler *s = sl_scheduler_new(ids[k], json, &choice, &err);
            bool ok = s && set_steps(s, n, &err);
            const double *sigmas = ok ? sl_scheduler_sigmas(s, &count) : NULL;
            double worst = ok && sigmas[count - 1] == 0 ? 0 : INFINITY;
            for (int i = 0; ok && i < n; i++) { /* k = 2: all but the first twice */
                double want = cJSON_GetArrayItem(list, i)->valuedouble;
                worst = fmax(worst, fabs(sigmas[k < 2 ? i : i ? 2 * i - 1 : 0] - want) / want);
            }
            sl_test(worst < 1e-6, "%s, %s in %d steps: %.2g %s", ids[k], lists->string, n, worst,
                    err.message);
            sl_scheduler_free(s);
        }
    }
}

/* The fewest digits that are read as the same numbers, and no exponent. */
static void test_text(void)
{
    static const double sigmas[] = {157.40769958496094, 14.600000381469727, (float)(1 / 3.0),
                                    1e-4f};
    double again[SL_SIGMAS_MAX];
    SlError err = {0};
    int count = 0;
    char *text = sl_sigmas_text(sigmas, 4);
    sl_test(text && !strcmp(text, "157.4077,14.6,0.33333334,0.0001,0"), "as text: %s",
            text ? text : "");
    bool same = text && sl_sigmas_parse(text, again, &count, &err) && count == 5 && again[4] == 0;
    for (int i = 0; same && i < 4; i++)
        same = (float)again[i] == (float)sigmas[i];
    sl_test(same, "and back %s", err.message);
    free(text);
}

static void test_own(const cJSON *own, const SlJson *json)
{
    const SlSchedulerChoice choice = {.own_sigmas = "14.6, 6.1,2.25,0.7,0.125,0", .eta = -1};
    const cJSON *sigmas = cJSON_GetObjectItemCaseSensitive(own, "sigmas");
    const cJSON *times = cJSON_GetObjectItemCaseSensitive(own, "timesteps");
    SlError err = {0};
    int count = 0;
    SlScheduler *s = sl_scheduler_new("euler", json, &choice, &err);
    bool ok = s && set_steps(s, 5, &err) && cJSON_GetArraySize(sigmas) == 6;
    const double *got = ok ? sl_scheduler_sigmas(s, &count) : NULL;
    for (int i = 0; ok && i < 6; i++)
        ok = got[i] == cJSON_GetArrayItem(sigmas, i)->valuedouble;
    for (int i = 0; ok && i < 5; i++) {
        double want = cJSON_GetArrayItem(times, i)->valuedouble;
        ok = fabs(sl_scheduler_timestep(s, i) - want) <= 1e-6 * want;
    }
    sl_test(ok && count == 6, "a list of sigmas is taken to the last bit %s", err.message);
    sl_test(s && !set_steps(s, 6, &err) && strstr(err.message, "expected 5"), "its steps: %s",
            err.message);
    sl_scheduler_free(s);
    static const char *const wrong[] = {"",      "1",       "1,2,0", "3,2,1", "3,3,0",
                                        "3,,0",  "3,-1,0",  "a,0",   "3,0,",  "3,1e-3,0",
                                        "nan,0", "3,2,0 0", "0"};
    for (size_t i = 1; i < sizeof wrong / sizeof wrong[0]; i++)
        sl_test(!sl_sigmas_parse(wrong[i], NULL, &count, &err), "\"%s\": %s", wrong[i],
                err.message);
    static const char *const ids[] = {"ddim", "euler-a", "restart"};
    for (int i = 0; i < 3; i++)
        sl_test(!sl_scheduler_new(ids[i], json, &choice, &err) &&
                    strstr(err.message, "no choice of sigmas"),
                "%s", err.message);
}

static void test_presets(void)
{
    static const char config[] = "{\"beta_start\": 0.00085, \"beta_end\": 0.012, "
                                 "\"beta_schedule\": \"scaled_linear\"}";
    static const char *const names[] = {"normal",           "simple", "sgm_uniform", "kl_optimal",
                                        "linear_quadratic", "ays",    "ays_sdxl"};
    SlError err = {0};
    char *path = sl_test_path("goldens/schedulers/presets.json");
    SlJson *golden = sl_json_open(path, &err);
    SlJson *json = sl_json_parse("config", config, strlen(config), &err);
    const cJSON *root = golden ? sl_json_root(golden) : NULL;
    const cJSON *presets = cJSON_GetObjectItemCaseSensitive(root, "presets");
    sl_test(presets && json, "presets can be read %s", err.message);
    for (int i = 0; i < 7; i++)
        test_preset(cJSON_GetObjectItemCaseSensitive(presets, names[i]),
                    (SlSigmas)(SL_SIGMAS_NORMAL + i), json);
    test_text();
    test_own(cJSON_GetObjectItemCaseSensitive(root, "own"), json);
    sl_json_close(json);
    sl_json_close(golden);
    free(path);
}

/* The lines for people stand alone, under a name. */
static void test_lines(void)
{
    for (int i = 0; i < sl_scheduler_count(); i++) {
        const SlSchedulerInfo *s = sl_scheduler_info(i);
        sl_test(s->good_for[0] < 'a' || s->good_for[0] > 'z', "%s: %s", s->id, s->good_for);
    }
    for (int i = 0; i < SL_SCHEDULER_GROUPS; i++) {
        const SlSchedulerGroupInfo *g = sl_scheduler_group_info((SlSchedulerGroup)i);
        sl_test(g->good_for[0] < 'a' || g->good_for[0] > 'z', "%s: %s", g->name, g->good_for);
    }
}

int main(void)
{
    test_lines();
    test_against_diffusers("goldens/schedulers/cases.json", "goldens/schedulers/steps.safetensors");
    test_against_diffusers("goldens/schedulers/solver_cases.json",
                           "goldens/schedulers/solver_steps.safetensors");
    test_against_diffusers("goldens/schedulers/level_cases.json",
                           "goldens/schedulers/level_steps.safetensors");
    test_against_diffusers("goldens/schedulers/dpm2_cases.json",
                           "goldens/schedulers/dpm2_steps.safetensors");
    test_against_diffusers("goldens/schedulers/lcm_cases.json",
                           "goldens/schedulers/lcm_steps.safetensors");
    test_against_diffusers("goldens/schedulers/flow_cases.json",
                           "goldens/schedulers/flow_steps.safetensors");
    test_against_diffusers("goldens/schedulers/log_linear_cases.json",
                           "goldens/schedulers/log_linear_steps.safetensors");
    test_against_diffusers("goldens/schedulers/end_cases.json",
                           "goldens/schedulers/end_steps.safetensors");
    test_against_diffusers("goldens/schedulers/k_cases.json",
                           "goldens/schedulers/k_steps.safetensors");
    test_against_diffusers("goldens/schedulers/edm_cases.json",
                           "goldens/schedulers/edm_steps.safetensors");
    test_brownian_runs();
    test_presets();
    test_extra_evaluation();
    test_refusals();
    test_variance();
    test_tutorial();
    test_trailing();
    test_damaged_states();
    test_saved_states();
    test_zero_snr();
    test_middle();
    test_crossing();
    test_crossing_bytes();
    test_flow_noise();
    test_edm_noise();
    test_edm_choices();
    test_suiting();
    test_shared_keys();
    test_infinite_output();
    test_cosine_lu();
    return sl_test_done();
}
