#!/usr/bin/env python3
"""Makes log_linear_cases.json and log_linear_steps.safetensors: EulerDiscreteScheduler's interpolation_type "log_linear", as make.py does the other keys.

    OMP_NUM_THREADS=1 python make_log_linear.py        # with the versions in ../requirements.txt

Only this class knows the key. diffusers' sigmas are one more than elsewhere; where timesteps come from sigmas (timestep_type "continuous" with v_prediction), so are the evaluations.
karras, exponential and beta sigmas go between the ends of the log-linear ones. 25 steps and not 20: there a timestep lies at 2.7, and torch's square root under the sigma at 3 is not
the nearest on every processor.
"""
import itertools

import make

LOG_LINEAR = dict(make.SD, interpolation_type="log_linear")
CONTINUOUS = dict(LOG_LINEAR, timestep_type="continuous", prediction_type="v_prediction")


def cases():
    for kind, steps in itertools.product(make.SIGMAS.values(), (1, 2, 5, 25)):
        yield "euler", dict(CONTINUOUS, **kind), steps
        if kind:
            yield "euler", dict(LOG_LINEAR, timestep_spacing="leading", **kind), steps
    for keys in [{"timestep_type": "continuous"}, {"final_sigmas_type": "sigma_min"}, {"rescale_betas_zero_snr": True},
                 {"use_karras_sigmas": True, "sigma_min": 0.1, "sigma_max": 10.0}, {"num_train_timesteps": 500, "steps_offset": 0}]:
        yield "euler", dict(LOG_LINEAR, timestep_spacing="trailing", **keys), 20
        yield "euler", dict(CONTINUOUS, timestep_spacing="trailing", **keys), 20


make.make_set("log_linear_", 6, cases())
