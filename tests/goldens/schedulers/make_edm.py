#!/usr/bin/env python3
"""Makes edm_cases.json and edm_steps.safetensors: the schedulers of models trained as EDM is, as make.py does the others.

    OMP_NUM_THREADS=1 python make_edm.py        # with the versions in ../requirements.txt

One step of the exponential sigmas is left out: diffusers begins it at the lowest sigma, with the noise of the highest.
"""
import itertools

import diffusers

import make

make.CLASSES = {"edm-euler": diffusers.EDMEulerScheduler, "edm-dpmpp": diffusers.EDMDPMSolverMultistepScheduler,
                "edm-dpmpp-sde": diffusers.EDMDPMSolverMultistepScheduler}
COSXL = {"sigma_min": 0.002, "sigma_max": 120.0, "sigma_data": 1.0, "prediction_type": "v_prediction", "sigma_schedule": "exponential"}


def named(name, keys):
    return dict(keys, _class_name=make.CLASSES[name].__name__, **({"algorithm_type": "sde-dpmsolver++"} if name.endswith("sde") else {}))


def cases():
    for name, prediction, schedule, steps in itertools.product(make.CLASSES, ["epsilon", "v_prediction"], ["karras", "exponential"], (1, 2, 5, 20, 50)):
        if steps > 1 or schedule == "karras":
            yield name, named(name, {"prediction_type": prediction, "sigma_schedule": schedule}), steps
    variations = [COSXL, {}, {"sigma_min": 0.03, "sigma_max": 14.6}, {"sigma_data": 2.0}, {"rho": 3.0}, {"final_sigmas_type": "sigma_min"}]
    for name, keys, steps in itertools.product(make.CLASSES, variations, (4, 20)):
        yield name, named(name, keys), steps
    solver = [{"solver_type": "heun"}, {"solver_order": 1}, {"solver_order": 3}, {"lower_order_final": False}, {"euler_at_final": True},
              {"algorithm_type": "deis", "solver_type": "logrho", "final_sigmas_type": "sigma_min"}, {"thresholding": True, "dynamic_thresholding_ratio": 0.7, "sample_max_value": 3.0}]
    for keys, steps in itertools.product(solver, (5, 20)):
        yield "edm-dpmpp", named("edm-dpmpp", keys), steps
    for steps in (5, 20):
        yield "edm-dpmpp-sde", named("edm-dpmpp-sde", {"solver_type": "heun"}), steps
        # a folder of one class, run with the other
        yield "edm-euler", named("edm-dpmpp", {"solver_order": 3}), steps
        yield "edm-dpmpp", named("edm-euler", COSXL), steps


make.make_set("edm_", 7, cases())
