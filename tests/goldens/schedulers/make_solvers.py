#!/usr/bin/env python3
"""Makes solver_cases.json and solver_steps.safetensors: DEIS and the singlestep DPM-Solver, as make.py does the others.

    python make_solvers.py        # with the versions in ../requirements.txt

The weights of DEIS are differences of large terms, which the class takes in f32; here it is given its sigmas in double. A step of the singlestep solver goes back to the sample that its group of steps started from, so a checkpoint comes with the evaluations of its group before it.
"""
import itertools

import diffusers

import make

make.CLASSES = {"deis": diffusers.DEISMultistepScheduler, "dpmpp-2s": diffusers.DPMSolverSinglestepScheduler}


def cases():
    sd = dict(make.SD, clip_sample=False)
    for name, prediction, sigmas, steps in itertools.product(make.CLASSES, ["epsilon", "v_prediction", "sample"], make.SIGMAS, [1, 2, 5, 20, 50]):
        for spacing in make.SPACINGS if name == "deis" else ["leading"]:
            yield name, dict(sd, prediction_type=prediction, timestep_spacing=spacing, **make.SIGMAS[sigmas]), steps
    variations = [{"beta_schedule": "linear"}, {"beta_schedule": "squaredcos_cap_v2"}, {"beta_schedule": "squaredcos_cap_v2", "use_karras_sigmas": True},
                  {"num_train_timesteps": 500, "steps_offset": 0}, {"trained_betas": [0.001 + 0.00001 * i for i in range(1000)]},
                  {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}, {"use_lu_lambdas": True},
                  {"thresholding": True, "dynamic_thresholding_ratio": 0.7, "sample_max_value": 3.0}, {"lower_order_final": False},
                  {"lower_order_final": True}, {"final_sigmas_type": "sigma_min"}, {"final_sigmas_type": "sigma_min", "use_karras_sigmas": True}]
    variations += [{"solver_order": order, "lower_order_final": lower} for order in (1, 3) for lower in (True, False)]
    for name, keys, steps in itertools.product(make.CLASSES, variations, (1, 5, 6, 20)):
        yield name, dict(sd, **keys), steps
    for algorithm, order, solver, lower, steps in itertools.product(["dpmsolver++", "dpmsolver", "sde-dpmsolver++"], [1, 2, 3], ["midpoint", "heun"],
                                                                    [True, False], (5, 6, 20)):
        for final in ("zero", "sigma_min"):
            yield "dpmpp-2s", dict(sd, algorithm_type=algorithm, solver_order=order, solver_type=solver, lower_order_final=lower,
                                   final_sigmas_type=final), steps
    for lambdas in (-5.1, -3.0):
        yield "dpmpp-2s", dict(sd, lambda_min_clipped=lambdas), 20
    # folders' own configurations of other classes
    for name in make.CLASSES:
        yield name, dict(make.SD, _class_name="PNDMScheduler", set_alpha_to_one=False, skip_prk_steps=True, clip_sample=False), 25
        yield name, dict(make.SD, _class_name="UniPCMultistepScheduler", solver_type="bh2", final_sigmas_type="zero"), 25
    yield "dpmpp-2s", dict(make.SD, _class_name="DEISMultistepScheduler", algorithm_type="deis", solver_type="logrho"), 25
    yield "deis", dict(make.SD, _class_name="DPMSolverMultistepScheduler", algorithm_type="dpmsolver++", solver_type="heun"), 25


make.make_set("solver_", 1, cases(), lambda name: 2 if name == "deis" else 1)
