/* engine-lines.h - what the engine says about its schedulers, for translation: the engine itself knows
 * no gettext. Nothing includes this file; xgettext reads it, and a test compares it with the engine.
 */
N_ ("Stable Diffusion's own default: fourth order, good from 20 steps")
N_ ("the plain first-order road: even, predictable, the usual reference")
N_ ("simple and robust, good from 20 steps")
N_ ("lively: fresh noise at every step, so more steps give another picture")
N_ ("second order, two evaluations a step: half as many steps for the same cost")
N_ ("linear multistep of order 4: smooth, the tutorial's second picture")
N_ ("PNDM without its warm-up: fourth order, good from 30 steps")
N_ ("second order for the price of one evaluation: good from 15 steps")
N_ ("DPM++ 2M with fresh noise: more texture, wants 25 steps or more")
N_ ("DPM++ 2M's single-step sister: pairs of steps from one sample")
N_ ("rich texture from fresh noise, good from 15 steps")
N_ ("exponential integrator: clean pictures from 10 steps")
N_ ("predictor and corrector: clean pictures from 10 steps")
N_ ("the original: fresh noise at every step, at its best with hundreds of steps")
