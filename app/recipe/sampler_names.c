/* sampler_names.c - the tables (see sampler_names.h). */
#include "app/recipe/sampler_names.h"
#include "app/files/files.h"

#include <stdio.h>
#include <string.h>

typedef struct Name {
    const char *id;
    const char *label; /* AUTOMATIC1111; the first row of an id is the one that is written */
    const char *other[4];
    bool near;
} Name;

static const Name names[] = {
    {"ddim", "DDIM", {"ddim", "ddim_trailing"}},
    {"ddpm", "DDPM", {"ddpm"}},
    {"pndm", "PLMS", {"pndm", "plms"}},
    {"lms", "LMS", {"lms", "lmsd", "LMS Discrete"}},
    {"euler", "Euler", {"euler"}},
    {"euler-a", "Euler a", {"euler_ancestral", "euler_a"}},
    {"heun", "Heun", {"heun"}},
    {"dpm2", "DPM2", {"dpm_2", "kdpm_2", "dpm2", "kdpm2"}},
    {"dpm2-a", "DPM2 a", {"dpm_2_ancestral", "kdpm_2_a", "dpm_2_a", "kdpm2 a"}},
    {"dpmpp-2m", "DPM++ 2M", {"dpmpp_2m", "dpm++2m", "dpmpp_2"}},
    /* diffusers' comes second: other programs have the noise of a Brownian tree under this name */
    {"dpmpp-2m-sde-bt", "DPM++ 2M SDE", {"dpmpp_2m_sde", "dpm++2m_sde", "dpmpp_2m_sde_gpu"}},
    {"dpmpp-2m-sde", "DPM++ 2M SDE", {NULL}},
    {"dpmpp-3m-sde", "DPM++ 3M SDE", {"dpmpp_3m_sde", "dpm++3m_sde", "dpmpp_3m_sde_gpu"}},
    {"dpmpp-2s", "DPM++ 2S", {"dpmpp_2s"}},
    {"dpmpp-2s-a", "DPM++ 2S a", {"dpmpp_2s_ancestral", "dpm++2s_a", "dpmpp_2s_a", "dpmpp_2_a"}},
    {"dpmpp-sde", "DPM++ SDE", {"dpmpp_sde", "dpmpp_sde_gpu"}},
    {"unipc", "UniPC", {"uni_pc_bh2", "unipc"}},
    {"unipc", "UniPC", {"uni_pc"}, true},
    {"deis", "DEIS", {"deis"}},
    {"ipndm", "IPNDM", {"ipndm"}},
    {"res-multistep", "Res Multistep", {"res_multistep"}},
    {"er-sde", "ER SDE", {"er_sde"}},
    {"restart", "Restart", {"restart"}},
    {"lcm", "LCM", {"lcm"}},
    {"tcd", "TCD", {"tcd"}},
    {"flow-euler", "Flow Euler", {"flow_match_euler", "flowmatch_euler"}},
    {"flow-heun", "Flow Heun", {"flow_match_heun", "flowmatch_heun"}},
    {"flow-lcm", "Flow LCM", {"flow_match_lcm", "flowmatch_lcm"}},
    {"edm-euler", "EDM Euler", {"edm_euler"}},
    {"edm-dpmpp", "EDM DPM++ 2M", {"edm_dpmpp_2m", "edm_dpm_solver_multistep"}},
    {"edm-dpmpp-sde", "EDM DPM++ 2M SDE", {"edm_dpmpp_2m_sde"}},
};
#define NAMES (sizeof names / sizeof names[0])

typedef struct Schedule {
    const char *name;
    SlSigmas sigmas;
    SlSpacing spacing;
} Schedule;

/* The first row of a value is the label that is written. "sgm_uniform" is near trailing. */
static const Schedule schedules[] = {
    {"Karras", SL_SIGMAS_KARRAS, SL_SPACING_MODEL},
    {"Exponential", SL_SIGMAS_EXPONENTIAL, SL_SPACING_MODEL},
    {"Beta", SL_SIGMAS_BETA, SL_SPACING_MODEL},
    {"Uniform", SL_SIGMAS_MODEL, SL_SPACING_LINSPACE},
    {"Normal", SL_SIGMAS_MODEL, SL_SPACING_LINSPACE},
    {"Discrete", SL_SIGMAS_MODEL, SL_SPACING_LINSPACE},
    {"DDIM", SL_SIGMAS_MODEL, SL_SPACING_LEADING},
    {"DDIM Uniform", SL_SIGMAS_MODEL, SL_SPACING_LEADING},
    {"Simple", SL_SIGMAS_MODEL, SL_SPACING_TRAILING},
    {"SGM Uniform", SL_SIGMAS_MODEL, SL_SPACING_TRAILING},
    {"Normal", SL_SIGMAS_NORMAL, SL_SPACING_MODEL},
    {"Simple", SL_SIGMAS_SIMPLE, SL_SPACING_MODEL},
    {"SGM Uniform", SL_SIGMAS_SGM_UNIFORM, SL_SPACING_MODEL},
    {"KL Optimal", SL_SIGMAS_KL_OPTIMAL, SL_SPACING_MODEL},
    {"Linear Quadratic", SL_SIGMAS_LINEAR_QUADRATIC, SL_SPACING_MODEL},
    {"Align Your Steps", SL_SIGMAS_AYS, SL_SPACING_MODEL},
    {"Align Your Steps SDXL", SL_SIGMAS_AYS_SDXL, SL_SPACING_MODEL},
    {"K", SL_SIGMAS_KARRAS, SL_SPACING_MODEL}, /* InvokeAI's suffix */
    {"Model", SL_SIGMAS_MODEL, SL_SPACING_MODEL},
};
#define SCHEDULES (sizeof schedules / sizeof schedules[0])

const char *sl_sampler_label(const char *id)
{
    for (size_t i = 0; i < NAMES; i++)
        if (strcmp(names[i].id, id) == 0)
            return names[i].label;
    return id;
}

const char *sl_schedule_label(SlSigmas sigmas, SlSpacing spacing)
{
    if (sigmas == SL_SIGMAS_MODEL && spacing == SL_SPACING_MODEL)
        return NULL;
    for (size_t i = 0; i < SCHEDULES; i++)
        if (schedules[i].sigmas == sigmas &&
            (sigmas != SL_SIGMAS_MODEL || schedules[i].spacing == spacing))
            return schedules[i].name;
    return NULL;
}

/* ---- reading ---- */

/* Equal but for case and for '_' or ' ' between words, over length bytes of a. */
static bool same_words(const char *a, size_t length, const char *b)
{
    for (size_t i = 0; i < length; i++, b++) {
        char x = a[i] == '_' ? ' ' : a[i], y = *b == '_' ? ' ' : *b;
        if (!y || sl_lower(x) != sl_lower(y))
            return false;
    }
    return *b == '\0';
}

static const Name *find_name(const char *text, size_t length)
{
    for (size_t i = 0; i < NAMES; i++) {
        if (same_words(text, length, names[i].label))
            return &names[i];
        for (int k = 0; k < 4; k++)
            if (names[i].other[k] && same_words(text, length, names[i].other[k]))
                return &names[i];
    }
    return NULL;
}

static const Schedule *find_schedule(const char *text)
{
    for (size_t i = 0; i < SCHEDULES; i++)
        if (same_words(text, strlen(text), schedules[i].name))
            return &schedules[i];
    return NULL;
}

/* AUTOMATIC1111's "Automatic" means another schedule for each sampler. */
static SlSigmas automatic_sigmas(const char *id)
{
    static const char *const karras[] = {"dpmpp-2m",   "dpmpp-sde", "dpmpp-2s",
                                         "dpmpp-2s-a", "dpm2",      "dpm2-a"};
    for (size_t i = 0; i < sizeof karras / sizeof karras[0]; i++)
        if (strcmp(id, karras[i]) == 0)
            return SL_SIGMAS_KARRAS;
    static const char *const exponential[] = {"dpmpp-2m-sde-bt", "dpmpp-3m-sde"};
    for (size_t i = 0; i < sizeof exponential / sizeof exponential[0]; i++)
        if (strcmp(id, exponential[i]) == 0)
            return SL_SIGMAS_EXPONENTIAL;
    return SL_SIGMAS_MODEL;
}

static void apply_schedule(const char *name, SlSamplerChoice *choice)
{
    const Schedule *schedule = find_schedule(name);
    if (schedule) {
        choice->sigmas = schedule->sigmas;
        choice->spacing = schedule->spacing;
    } else if (sl_same_letters(name, "Automatic")) {
        choice->sigmas = automatic_sigmas(choice->id);
    } else {
        choice->schedule_known = false;
    }
}

/* The longest name that a prefix of whole words matches; *rest is what follows it. */
static const Name *find_prefix(const char *sampler, const char **rest)
{
    for (size_t length = strlen(sampler); length > 0; length--) {
        char next = sampler[length];
        if (next && next != ' ' && next != '_')
            continue;
        const Name *name = find_name(sampler, length);
        if (name) {
            *rest = sampler + length + (next != '\0');
            return name;
        }
    }
    return NULL;
}

bool sl_sampler_parse(const char *sampler, const char *schedule, SlSamplerChoice *choice)
{
    const char *rest = "";
    *choice = (SlSamplerChoice){.schedule_known = true};
    if (strlen(sampler) >= 100)
        return false;
    if (strncmp(sampler, "k_", 2) == 0) /* "k_lms": k-diffusion's, in older programs */
        sampler += 2;
    const Name *name = find_prefix(sampler, &rest);
    if (!name)
        return false;
    /* What follows a sampler's name must be a schedule, else it is another sampler ("Euler CFG++").
     */
    if (*rest && !find_schedule(rest))
        return false;
    choice->id = name->id;
    choice->near = name->near;
    if (*rest)
        apply_schedule(rest, choice);
    else if (schedule && *schedule)
        apply_schedule(schedule, choice);
    return true;
}
