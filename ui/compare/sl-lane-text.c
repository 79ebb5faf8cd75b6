/* sl-lane-text.c - see sl-lane-text.h. */
#include "ui/compare/sl-lane-text.h"

#include <glib/gi18n.h>

#define PROMPT_CHARACTERS 24

static const char *
scheduler_name (const char *id)
{
  static GListModel *schedulers; /* the same for the whole life of the program */
  g_autoptr (SlSchedulerItem) item = NULL;

  if (schedulers == NULL)
    schedulers = sl_scheduler_items_new ();
  item = g_list_model_get_item (schedulers, sl_scheduler_items_find (schedulers, id));
  return sl_scheduler_item_get_name (item);
}

static const char *
sigmas_name (guint sigmas)
{
  static const char *const names[]
      = { N_ ("the model’s sigmas"), N_ ("Karras"), N_ ("Exponential"), N_ ("Beta") };

  return _ (names[MIN (sigmas, G_N_ELEMENTS (names) - 1)]);
}

static const char *
spacing_name (guint spacing)
{
  static const char *const names[]
      = { N_ ("the model’s spacing"), N_ ("Linspace"), N_ ("Leading"), N_ ("Trailing") };

  return _ (names[MIN (spacing, G_N_ELEMENTS (names) - 1)]);
}

static const char *
variance_name (guint variance)
{
  static const char *const names[]
      = { N_ ("the model’s variance"), N_ ("Fixed small"), N_ ("Fixed small, log"), N_ ("Fixed large") };

  return _ (names[MIN (variance, G_N_ELEMENTS (names) - 1)]);
}

static void add_part (GString *text, const char *separator, const char *format, ...) G_GNUC_PRINTF (3, 4);

static void
add_part (GString *text, const char *separator, const char *format, ...)
{
  va_list arguments;

  if (text->len > 0)
    g_string_append (text, separator);
  va_start (arguments, format);
  g_string_append_vprintf (text, format, arguments);
  va_end (arguments);
}

static void
add_prompt (GString *text, const char *separator, const char *prompt)
{
  g_autofree char *start = g_utf8_substring (prompt, 0, MIN (g_utf8_strlen (prompt, -1), PROMPT_CHARACTERS));

  add_part (text, separator, g_utf8_strlen (prompt, -1) > PROMPT_CHARACTERS ? _ ("“%s…”") : _ ("“%s”"),
            start);
}

/* Those of the settings that `own` names, in words. */
static char *
describe (SlSettings *settings, SlOwn own, const char *separator)
{
  GString *text = g_string_new (NULL);
  g_autofree char *negative = NULL;
  g_autofree char *seed = g_strdup_printf ("%" G_GUINT64_FORMAT, sl_settings_get_seed (settings));
  guint sigmas, spacing, variance;
  double guidance, eta;

  g_object_get (settings, "sigmas", &sigmas, "spacing", &spacing, "variance", &variance, "guidance",
                &guidance, "eta", &eta, "negative-prompt", &negative, NULL);
  if (own & SL_OWN_SCHEDULER)
    add_part (text, separator, "%s", scheduler_name (sl_settings_get_scheduler (settings)));
  if (own & SL_OWN_SIGMAS)
    add_part (text, separator, "%s", sigmas_name (sigmas));
  if (own & SL_OWN_SPACING)
    add_part (text, separator, "%s", spacing_name (spacing));
  /* Few schedulers have variance types: the default is left out. */
  if (own & SL_OWN_VARIANCE && variance > 0)
    add_part (text, separator, "%s", variance_name (variance));
  if (own & SL_OWN_STEPS)
    add_part (text, separator, ngettext ("%d step", "%d steps", sl_settings_get_steps (settings)),
              sl_settings_get_steps (settings));
  if (own & SL_OWN_GUIDANCE)
    add_part (text, separator, _ ("guidance %g"), guidance);
  if (own & SL_OWN_ETA && eta >= 0)
    add_part (text, separator, _ ("eta %g"), eta);
  if (own & SL_OWN_SEED)
    add_part (text, separator, _ ("seed %s"), seed);
  if (own & SL_OWN_PROMPT && *sl_settings_get_prompt (settings))
    add_prompt (text, separator, sl_settings_get_prompt (settings));
  if (own & SL_OWN_NEGATIVE_PROMPT && *negative)
    add_part (text, separator, _ ("without “%s”"), negative);
  return g_string_free (text, FALSE);
}

/* The settings of its run; before it has one, those that the run would get. */
static SlSettings *
settings_of (SlCompareLane *lane, SlSettings *recipe)
{
  SlJob *job = sl_compare_lane_get_job (lane);

  return job ? g_object_ref (sl_job_get_settings (job)) : sl_compare_lane_resolve (lane, recipe);
}

/* "↳ step 5 · guidance 4" */
static char *
branch_title (SlJob *job, const char *changes)
{
  g_autoptr (SlFrameObject) last
      = g_list_model_get_item (sl_job_get_frames (job), sl_job_get_branch_point (job) - 1);
  /* Translators: where a branch leaves its run. */
  g_autofree char *from = g_strdup_printf (_ ("↳ step %d"), sl_frame_object_get_step (last) + 1);

  return *changes ? g_strconcat (from, " · ", changes, NULL) : g_steal_pointer (&from);
}

char *
sl_lane_title (SlCompareLane *lane, SlSettings *recipe)
{
  g_autoptr (SlSettings) settings = settings_of (lane, recipe);
  SlJob *job = sl_compare_lane_get_job (lane);
  g_autofree char *title = describe (settings, sl_compare_lane_get_own (lane), " · ");

  if (job && sl_job_get_parent (job))
    return branch_title (job, title);
  return *title ? g_steal_pointer (&title) : describe (settings, SL_OWN_SCHEDULER, " · ");
}

char *
sl_lane_settings (SlCompareLane *lane, SlSettings *recipe)
{
  g_autoptr (SlSettings) settings = settings_of (lane, recipe);

  return describe (settings, SL_OWN_ALL, "\n");
}

char *
sl_duration_text (double seconds)
{
  if (seconds >= 90)
    return g_strdup_printf (_ ("%d min %d s"), (int)seconds / 60, (int)seconds % 60);
  if (seconds >= 9.95)
    return g_strdup_printf (_ ("%.0f s"), seconds);
  if (seconds >= 0.9995)
    return g_strdup_printf (_ ("%.1f s"), seconds);
  return g_strdup_printf (seconds < 0.00995 ? _ ("%.1f ms") : _ ("%.0f ms"), seconds * 1000);
}

/* What the evaluations up to a frame took, together. */
static double
seconds_until (SlJob *job, SlFrameObject *frame)
{
  double seconds = 0;

  for (int i = 0; i <= sl_frame_object_get_index (frame); i++)
    {
      g_autoptr (SlFrameObject) each = g_list_model_get_item (sl_job_get_frames (job), i);

      seconds += each ? sl_frame_object_get_seconds (each) : 0;
    }
  return seconds;
}

char *
sl_lane_figures (SlJob *job, SlFrameObject *frame)
{
  int evaluations = sl_frame_object_get_index (frame) + 1;
  double seconds = seconds_until (job, frame);
  g_autofree char *time = sl_duration_text (seconds);
  g_autofree char *each = sl_duration_text (seconds / evaluations);
  GString *text = g_string_new (NULL);

  add_part (text, " · ", _ ("Step %d of %d"), sl_frame_object_get_step (frame) + 1,
            sl_frame_object_get_steps (frame));
  /* Translators: the noise level that the model was asked at. */
  add_part (text, " · ", _ ("σ %.3g"), sl_frame_object_get_sigma (frame));
  /* Translators: evaluations of the model, each of which took so long, and all of them. */
  add_part (text, "\n", _ ("%d × %s = %s"), evaluations, each, time);
  return g_string_free (text, FALSE);
}

char *
sl_lane_difference (const SlPixelDifference *difference)
{
  if (difference->largest == 0)
    return g_strdup (_ ("No difference at all"));
  return g_strdup_printf (_ ("Differs by %.1f on average,\nby %d of 255 at most"), difference->mean,
                          difference->largest);
}

char *
sl_lane_figures_in_full (SlJob *job, SlFrameObject *frame)
{
  int evaluations = sl_frame_object_get_index (frame) + 1;
  double seconds = seconds_until (job, frame);
  g_autofree char *time = sl_duration_text (seconds);
  g_autofree char *each = sl_duration_text (seconds / evaluations);
  GString *text = g_string_new (NULL);

  add_part (text, "\n", _ ("Step %d of %d"), sl_frame_object_get_step (frame) + 1,
            sl_frame_object_get_steps (frame));
  add_part (text, "\n", _ ("Timestep %.4g, noise level σ %.3g"), sl_frame_object_get_timestep (frame),
            sl_frame_object_get_sigma (frame));
  add_part (text, "\n", _ ("%d of %d evaluations of the model"), evaluations, sl_job_get_evaluations (job));
  add_part (text, "\n", _ ("%s, %s per evaluation"), time, each);
  if (sl_job_is_fast (job))
    add_part (text, "\n", "%s",
              _ ("Fast: computed as one batch with other lanes; alone, the last bits may differ"));
  return g_string_free (text, FALSE);
}

const char *
sl_lane_message (SlJob *job)
{
  if (job == NULL)
    return _ ("Press Develop to start");
  if (sl_job_get_last_frame (job))
    return NULL;
  switch (sl_job_get_state (job))
    {
    case SL_JOB_FAILED:
      return sl_job_get_message (job);
    case SL_JOB_STOPPED:
      return _ ("Stopped before the first step");
    case SL_JOB_LOADING:
      return _ ("Getting ready");
    default:
      return _ ("Waiting");
    }
}
