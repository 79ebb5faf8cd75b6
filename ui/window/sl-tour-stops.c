/* sl-tour-stops.c - see sl-tour-stops.h. In the order of Hugging Face's tutorial: first a model that makes pictures
 * without words (DDPM), then Stable Diffusion. Both are the models that come with the program.
 */
#include "ui/window/sl-tour-stops.h"

#include <glib/gi18n.h>

#define DDPM .model = "starter-ddpm", .scheduler = "ddpm", .steps = 50
#define WORDS .model = "starter", .scheduler = "dpmpp-2m", .steps = 16

static const SlTourStop stops[] = {
  { DDPM, .title = N_ ("It begins with noise"),
    .text
    = N_ ("The first sample is nothing but random numbers, which the seed decides. Go on step by step with "
          "Alt+Right and see a picture come up in it."),
    .place = SL_TOUR_RUN, .noisy = TRUE, .at = 0 },
  { DDPM, .title = N_ ("The model finds the noise"),
    .text
    = N_ ("At each step the model looks at the noisy sample and says which part of it is noise, and no more "
          "than that. Under the lane you see the sample, the noise that was found, and the picture that is "
          "left without it."),
    .place = SL_TOUR_LANES, .inside = TRUE, .at = 0.6 },
  { DDPM, .title = N_ ("A step takes away a part of it"),
    .text
    = N_ ("The scheduler takes only a part of that noise away, and then the model is asked again. Press N to "
          "see in turn the picture that is expected and the sample that goes to the next step."),
    .place = SL_TOUR_RUN, .at = 0.6 },
  { DDPM, .title = N_ ("Another scheduler, another way"),
    .text = N_ (
        "Both lanes begin with the same noise and ask the same model; only the rule of the step is another. "
        "Move the handle under them and see where they part."),
    .place = SL_TOUR_LANES, .preset = "", .lanes = { "ddpm", "ddim" }, .at = 1 },
  { WORDS, .title = N_ ("Now with words"),
    .text
    = N_ ("Stable Diffusion works the same way, but its model is also told your prompt at each step. Write a "
          "prompt of your own into the panel and press Develop: the tour goes on with it."),
    .place = SL_TOUR_RUN, .at = 1 },
  { WORDS, .title = N_ ("How strongly the words count"),
    .text = N_ (
        "Guidance enlarges what the words change: here it is 1, 4, 7.5 and 12. With little the picture cares "
        "less about the prompt, with much its colours become harsh."),
    .place = SL_TOUR_LANES, .preset = "guidance", .at = 1 },
  { WORDS, .title = N_ ("Change it on the way"),
    .text = N_ ("The second lane left the first after a few steps and went on without guidance: what a "
                "picture shows is decided early. "
                "Go to any step and choose “Branch From This Step” in the lane’s menu to change something "
                "from there on."),
    .place = SL_TOUR_LANES, .preset = "lane", .branch_guidance = 1, .at = 0.12 },
  { WORDS, .title = N_ ("From latents to pixels"),
    .text = N_ (
        "All of this is done on a small picture of latents, which the film strip shows roughly and quickly. "
        "Rest on a step: the decoder makes its pixels, and the picture above becomes clear."),
    .place = SL_TOUR_RUN, .at = 1 },
};

guint
sl_tour_stop_count (void)
{
  return G_N_ELEMENTS (stops);
}

const SlTourStop *
sl_tour_stop_nth (guint i)
{
  g_return_val_if_fail (i < G_N_ELEMENTS (stops), NULL);

  return &stops[i];
}
