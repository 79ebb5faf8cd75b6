#!/usr/bin/env python3
"""Makes end_cases.json and end_steps.safetensors: between which ends sigmas are laid out, as make.py does the others.

    OMP_NUM_THREADS=1 python make_ends.py        # with the versions in ../requirements.txt

A configuration's sigma_min and sigma_max, which some classes take for some kinds of sigmas only; and betas so large that with zero terminal SNR the last sigma is
smaller than those before it, so that more than one timestep has a sigma's place.
"""
import itertools

import make

ENDS = [{"sigma_max": 20.0}, {"sigma_min": 0.1}, {"sigma_min": 0.05, "sigma_max": 10.0}]
LARGE = {"beta_start": 0.0001, "beta_end": 0.05, "rescale_betas_zero_snr": True}


def cases():
    for name, kind, ends in itertools.product(["lms", "euler", "heun", "dpmpp-2m", "unipc"], list(make.SIGMAS)[1:], ENDS):
        yield name, dict(make.SD, **make.SIGMAS[kind], **ends), 6
    for name, kind in itertools.product(["euler", "dpmpp-2m", "unipc"], [*list(make.SIGMAS.values())[1:], {"use_lu_lambdas": True}]):
        yield name, dict(make.SD, **LARGE, timestep_spacing="linspace", **kind), 5


make.make_set("end_", 8, cases())
