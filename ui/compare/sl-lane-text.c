/* sl-lane-text.c - see sl-lane-text.h. */
#include "ui/compare/sl-lane-text.h"

#include <glib/gi18n.h>

#include "ui/widgets/sl-duration.h"
#include "ui/widgets/sl-setting-row.h"

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

static char *
first_characters (const char *text)
{
  g_autofree char *start = NULL;

  if (g_utf8_strlen (text, -1) <= PROMPT_CHARACTERS)
    return g_strdup (text);
  start = g_utf8_substring (text, 0, PROMPT_CHARACTERS);
  return g_strconcat (start, "…", NULL);
}

/* A choice in words. Its first, the model's own, is worth words only where the scheduler has the choice. */
static char *
describe_choice (const SlControl *control, SlSettings *settings)
{
  guint choice = sl_setting_row_choice (control, settings);

  if (choice > 0)
    return g_strdup (_ (control->choice_labels[choice]));
  if (control->of_model && sl_control_exists (control, NULL, sl_settings_get_scheduler (settings)))
    return g_strdup (_ (control->of_model));
  return NULL;
}

/* What is as it always is is not worth words. */
static char *
describe_number (const SlControl *control, SlSettings *settings)
{
  g_autofree char *value = NULL;
  double number;

  if (sl_control_is_unset (control, settings, TRUE))
    return NULL;
  number = sl_setting_row_number (control, settings);
  if (g_str_equal (control->property, "steps"))
    return g_strdup_printf (ngettext ("%d step", "%d steps", (int)number), (int)number);
  value = g_strdup_printf ("%g", number);
  return sl_setting_phrase (control, value);
}

static char *
words_of (const SlControl *control, SlSettings *settings)
{
  g_autofree char *text = NULL;

  g_object_get (settings, control->property, &text, NULL);
  return g_str_equal (control->property, "lora") ? sl_loras_describe (text) : g_steal_pointer (&text);
}

static gboolean
has_own_sigmas (SlSettings *settings)
{
  g_autofree char *list = NULL;

  g_object_get (settings, "sigma-list", &list, NULL);
  return *list != '\0';
}

/* NULL: nothing worth saying. */
static char *
describe_setting (const SlControl *control, SlSettings *settings)
{
  g_autofree char *text = NULL, *start = NULL;

  switch (control->kind)
    {
    case SL_CONTROL_SCHEDULER:
      return g_strdup (scheduler_name (sl_settings_get_scheduler (settings)));
    case SL_CONTROL_CHOICE:
      /* A list says more than that there is no name. */
      if (g_str_equal (control->property, "sigmas") && has_own_sigmas (settings))
        return NULL;
      return describe_choice (control, settings);
    case SL_CONTROL_NUMBER:
      return describe_number (control, settings);
    case SL_CONTROL_SEED:
      text = g_strdup_printf ("%" G_GUINT64_FORMAT, sl_settings_get_seed (settings));
      return sl_setting_phrase (control, text);
    case SL_CONTROL_WORDS:
      text = words_of (control, settings);
      start = first_characters (text);
      return *text ? sl_setting_phrase (control, start) : NULL;
    case SL_CONTROL_SIDE:
      break;
    }
  return NULL;
}

char *
sl_lane_setting (const SlControl *control, SlSettings *settings)
{
  char *text = describe_setting (control, settings);
  g_auto (GValue) value = G_VALUE_INIT;

  if (text)
    return text;
  if (control->kind == SL_CONTROL_CHOICE)
    return g_strdup (_ (control->choice_labels[sl_setting_row_choice (control, settings)]));
  if (control->kind == SL_CONTROL_WORDS)
    /* Translators: of a setting of words that has none. */
    return g_strdup (_ ("none"));
  g_value_init (&value, G_TYPE_STRING);
  g_object_get_property (G_OBJECT (settings), control->property, &value);
  return sl_setting_phrase (control, g_value_get_string (&value));
}

/* The settings of its run; before it has one, those that the run would get. */
static SlSettings *
settings_of (SlCompareLane *lane, SlSettings *recipe)
{
  SlJob *job = sl_compare_lane_get_job (lane);

  return job ? g_object_ref (sl_job_get_settings (job)) : sl_compare_lane_resolve (lane, recipe);
}

char *
sl_lane_settings (SlCompareLane *lane, SlSettings *recipe)
{
  g_autoptr (SlSettings) settings = settings_of (lane, recipe);
  GString *text = g_string_new (NULL);

  for (int words = 0; words < 2; words++)
    for (guint i = 0; i < sl_control_count (); i++)
      {
        const SlControl *control = sl_control_nth (i);
        g_autofree char *part = NULL;

        if (control->own && (control->kind == SL_CONTROL_WORDS) == words)
          part = describe_setting (control, settings);
        if (part)
          add_part (text, "\n", "%s", part);
      }
  return g_string_free (text, FALSE);
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

static int
compare_seconds (gconstpointer a, gconstpointer b)
{
  const double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

static double
median_of (GArray *seconds)
{
  g_array_sort (seconds, compare_seconds);
  return seconds->len > 0 ? g_array_index (seconds, double, seconds->len / 2) : 0;
}

/* How many of the evaluations up to a frame took over a part of one before: "8 cached, 1.3 s spared", that is as many
 * whole ones less, or in brief "8 cached, −1.3 s". NULL: none did. */
static char *
cached_text (SlJob *job, SlFrameObject *frame, gboolean brief)
{
  g_autoptr (GArray) whole = g_array_new (FALSE, FALSE, sizeof (double));
  g_autoptr (GArray) cached = g_array_new (FALSE, FALSE, sizeof (double));
  g_autofree char *time = NULL;
  double spared;

  for (int i = 0; i <= sl_frame_object_get_index (frame); i++)
    {
      g_autoptr (SlFrameObject) each = g_list_model_get_item (sl_job_get_frames (job), i);
      double seconds = each ? sl_frame_object_get_seconds (each) : 0;

      if (each)
        g_array_append_val (sl_frame_object_is_cached (each) ? cached : whole, seconds);
    }
  spared = cached->len * (median_of (whole) - median_of (cached));
  if (cached->len == 0)
    return NULL;
  if (spared <= 0)
    return g_strdup_printf (_ ("%d cached"), (int)cached->len);
  time = sl_duration_text (spared);
  if (brief)
    /* Translators: of the evaluations; they took over a part of one before, and the lane took so much less time. */
    return g_strdup_printf (_ ("%d cached, −%s"), (int)cached->len, time);
  /* Translators: the same. */
  return g_strdup_printf (_ ("%d cached, %s spared"), (int)cached->len, time);
}

char *
sl_lane_figures (SlJob *job, SlFrameObject *frame)
{
  int evaluations = sl_frame_object_get_index (frame) + 1;
  g_autofree char *cached = cached_text (job, frame, TRUE);
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
  if (cached)
    add_part (text, " · ", "%s", cached);
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
  g_autofree char *cached = cached_text (job, frame, FALSE);
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
  if (cached)
    add_part (text, "\n", "%s", cached);
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
