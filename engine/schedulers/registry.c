/* registry.c - which schedulers there are, and for which models. */
#include "engine/schedulers/internal.h"

#include <stdio.h>
#include <string.h>

static const SlSchedulerClass *const classes[] = {
    &sl_pndm_class,          &sl_ddim_class,
    &sl_euler_class,         &sl_euler_a_class,
    &sl_heun_class,          &sl_lms_class,
    &sl_dpmpp_2m_class,      &sl_dpmpp_2m_sde_class,
    &sl_unipc_class,         &sl_ddpm_class,
    &sl_dpmpp_2s_class,      &sl_dpmpp_sde_class,
    &sl_deis_class,          &sl_ipndm_class,
    &sl_dpm2_class,          &sl_dpm2_a_class,
    &sl_lcm_class,           &sl_tcd_class,
    &sl_flow_euler_class,    &sl_flow_heun_class,
    &sl_flow_lcm_class,      &sl_dpmpp_2m_sde_bt_class,
    &sl_dpmpp_3m_sde_class,  &sl_dpmpp_2s_a_class,
    &sl_res_multistep_class, &sl_er_sde_class,
    &sl_restart_class,       &sl_edm_euler_class,
    &sl_edm_dpmpp_class,     &sl_edm_dpmpp_sde_class,
};
#define CLASSES ((int)(sizeof classes / sizeof classes[0]))

int sl_scheduler_count(void)
{
    return CLASSES;
}

const SlSchedulerInfo *sl_scheduler_info(int i)
{
    return &classes[i]->info;
}

/* ---- groups ---- */

static const SlSchedulerGroupInfo groups[SL_SCHEDULER_GROUPS] = {
    [SL_GROUP_STEADY] = {"steady", SL_WORDS("Steady"),
                         SL_WORDS("More steps refine the same picture")},
    [SL_GROUP_TWICE] = {"twice", SL_WORDS("Steady, two evaluations a step"),
                        SL_WORDS("More exact steps, each for twice the time")},
    [SL_GROUP_LIVELY] = {"lively", SL_WORDS("Lively"),
                         SL_WORDS("Fresh noise in each step: rich texture, and another picture "
                                  "with another number of steps")},
    [SL_GROUP_FEW] = {"few-steps", SL_WORDS("For few steps"),
                      SL_WORDS("For models that were distilled to need few")},
    [SL_GROUP_FLOW] = {"flow", SL_WORDS("For flow"), SL_WORDS("For models that predict flow")},
    [SL_GROUP_EDM] = {"edm", SL_WORDS("For EDM"),
                      SL_WORDS("For models that are trained as EDM is")},
};

const SlSchedulerGroupInfo *sl_scheduler_group_info(SlSchedulerGroup group)
{
    return &groups[group];
}

SlSchedulerGroup sl_scheduler_group(const SlSchedulerInfo *info)
{
    return info->only_flow                  ? SL_GROUP_FLOW
           : info->only_edm                 ? SL_GROUP_EDM
           : info->few_steps                ? SL_GROUP_FEW
           : info->draws_noise              ? SL_GROUP_LIVELY
           : info->evaluations_per_step > 1 ? SL_GROUP_TWICE
                                            : SL_GROUP_STEADY;
}

const SlSchedulerInfo *sl_scheduler_grouped(int i)
{
    for (int group = 0; group < SL_SCHEDULER_GROUPS; group++)
        for (int k = 0; k < CLASSES; k++)
            if ((int)sl_scheduler_group(&classes[k]->info) == group && i-- == 0)
                return &classes[k]->info;
    return NULL;
}

const SlSchedulerClass *sl_scheduler_class(const char *id)
{
    for (int i = 0; i < CLASSES; i++)
        if (!strcmp(classes[i]->info.id, id))
            return classes[i];
    return NULL;
}

const SlSchedulerInfo *sl_scheduler_find(const char *id)
{
    const SlSchedulerClass *class = sl_scheduler_class(id);
    return class ? &class->info : NULL;
}

const SlSchedulerInfo *sl_scheduler_find_class(const char *class_name)
{
    for (int i = 0; i < CLASSES; i++)
        if (!strcmp(classes[i]->info.class_name, class_name))
            return &classes[i]->info;
    return NULL;
}

/* ---- what suits a model ---- */

bool sl_scheduler_suits(const SlSchedulerInfo *info, SlPrediction prediction)
{
    bool edm = sl_prediction_is_edm(prediction);
    if (edm || info->only_edm)
        return edm && info->only_edm;
    return prediction == SL_PREDICT_FLOW ? info->takes_flow : !info->only_flow;
}

bool sl_scheduler_takes_sigmas(const SlSchedulerInfo *info, SlSigmas sigmas)
{
    return sigmas == SL_SIGMAS_MODEL ||
           (info->takes_sigmas && !(info->only_edm && sigmas == SL_SIGMAS_BETA));
}

const SlSchedulerInfo *sl_scheduler_plain(SlPrediction prediction)
{
    static const char *const plain[] = {"ddim", "flow-euler", "edm-euler"};
    int i = 0;
    while (!sl_scheduler_suits(sl_scheduler_find(plain[i]), prediction))
        i++;
    return sl_scheduler_find(plain[i]);
}

/* What the models are that a scheduler is for, when it is not for this one. */
static const char *made_for(const SlSchedulerInfo *info, SlPrediction prediction)
{
    return info->only_flow                 ? sl_words("predict flow")
           : info->only_edm                ? sl_words("are trained as EDM is")
           : prediction == SL_PREDICT_FLOW ? sl_words("do not predict flow")
                                           : sl_words("are not trained as EDM is");
}

bool sl_scheduler_check(const SlSchedulerInfo *info, SlPrediction prediction, SlError *err)
{
    char suitable[256] = "";
    if (sl_scheduler_suits(info, prediction))
        return true;
    for (int i = 0; i < CLASSES; i++) {
        size_t used = strlen(suitable);
        if (sl_scheduler_suits(&classes[i]->info, prediction))
            snprintf(suitable + used, sizeof suitable - used, "%s%s", used ? ", " : "",
                     classes[i]->info.id);
    }
    return sl_fail(err, SL_ARGUMENT, "scheduler %s is for models that %s; expected one of %s",
                   info->id, made_for(info, prediction), suitable);
}

SlSchedulerInfo sl_scheduler_for(const SlSchedulerInfo *info, SlPrediction prediction)
{
    SlSchedulerInfo of = *info;
    if (prediction == SL_PREDICT_FLOW && !info->only_flow)
        of.takes_sigmas = of.takes_spacing = false;
    return of;
}
