/* sl-darkroom-page.c - see sl-darkroom-page.h.
 *
 * The tray shows either a moment of a run, which the film strip points at (job and frame), or a finished picture
 * (picture). A finished picture hides the moment; leaving it brings the moment back.
 */
#include "ui/darkroom/sl-darkroom-page.h"

#include <glib/gi18n.h>
#include <math.h>

#include "ui/darkroom/sl-film-strip.h"
#include "ui/darkroom/sl-picture-bar.h"
#include "ui/darkroom/sl-player.h"
#include "ui/darkroom/sl-run-report.h"
#include "ui/darkroom/sl-tray.h"
#include "ui/darkroom/sl-trial-bar.h"
#include "ui/darkroom/sl-unfinished.h"
#include "ui/darkroom/sl-word-view.h"
#include "ui/exchange/sl-animation-page.h"
#include "ui/exchange/sl-moment-file.h"
#include "ui/exchange/sl-picture-content.h"
#include "ui/widgets/sl-duration.h"
#include "ui/widgets/sl-facts-view.h"
#include "ui/widgets/sl-focus.h"
#include "ui/widgets/sl-notice.h"
#include "ui/widgets/sl-path-dialog.h"
#include "ui/widgets/sl-picture-text.h"

#define TICK_MS 100 /* between two looks at the progress within a step */
#define REST_MS 120 /* a step that is looked at for so long is decoded */
#define MOVE_MS 20  /* a picture of an animation is shown for so long at least */
#define PAN 48      /* pixels for a press of an arrow key */

struct _SlDarkroomPage
{
  AdwBin parent_instance;
  SlTray *tray;
  SlFactsView *facts; /* of the finished picture */
  GtkStack *below;    /* "nothing", "strip" or "picture" */
  SlWordView *words;
  SlFilmStrip *strip;
  SlPlayer *player;
  SlPictureBar *picture_bar;
  GtkRevealer *trial_revealer;
  SlTrialBar *trial_bar;

  SlWorkspace *workspace;
  GActionMap *actions; /* the window's; not held */
  SlExportBar *export_bar;
  SlExportLook look; /* of the next animation */
  SlRunReport *report;
  SlJob *job;
  SlFrameObject *frame;
  SlFrameObject *played; /* that is being decoded while steps are played; NULL: none */
  SlPicture *picture;
  SlMovingPicture *moving; /* its file is an animation, which plays; NULL: it does not move, or was stopped */
  guint next_picture;      /* timeout that asks for the next one of it */
  SlView view;
  SlTrial *trial; /* other guidance for the frame; NULL where it is not tried */
  gboolean tried; /* the bar says other guidance than the run */
  guint rest;     /* timeout that decodes the step, or what is tried of it */
  guint ticking;  /* timeout that moves the progress bar */
};

static void page_init (SlPageInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (SlDarkroomPage,
                               sl_darkroom_page,
                               ADW_TYPE_BIN,
                               G_IMPLEMENT_INTERFACE (SL_TYPE_PAGE, page_init))

enum
{
  BRANCH_ASKED,
  CONTINUE_ASKED,
  PICTURE_CHANGED,
  PICTURE_LEFT,
  NEIGHBOUR_ASKED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* Others do not move. */
static gboolean
is_webp (SlPicture *picture)
{
  g_autofree char *lower = g_ascii_strdown (sl_picture_get_path (picture), -1);

  return g_str_has_suffix (lower, ".webp");
}

static gboolean
shows_moment (SlDarkroomPage *self)
{
  return self->frame && !self->picture;
}

/* ---- progress ---- */

static void
show_progress (SlDarkroomPage *self)
{
  SlWorker *worker = self->workspace->worker;
  SlJob *job = sl_queue_get_current (self->workspace->queue);
  int evaluations = job ? sl_job_get_evaluations (job) : 0;
  guint done;

  if (job == NULL || evaluations == 0)
    {
      sl_tray_set_progress (self->tray,
                            sl_worker_is_loading (worker) ? sl_worker_get_load_fraction (worker) : -1);
      return;
    }
  done = g_list_model_get_n_items (sl_job_get_frames (job));
  sl_tray_set_progress (
      self->tray,
      (done + (sl_job_get_state (job) == SL_JOB_PAUSED ? 0 : sl_worker_get_step_fraction (worker)))
          / evaluations);
}

static gboolean
tick (gpointer data)
{
  show_progress (data);
  return G_SOURCE_CONTINUE;
}

static void
show_terms (SlDarkroomPage *self)
{
  sl_terms_show (sl_tray_get_terms (self->tray), self->job, shows_moment (self) ? self->frame : NULL);
}

/* The run in the strip, as the player has to know it. */
static SlPlayerRun
find_run (SlDarkroomPage *self)
{
  SlQueue *queue = self->workspace->queue;

  if (self->job == NULL || self->job != sl_queue_get_current (queue))
    return SL_PLAYER_OVER;
  return sl_queue_is_paused (queue) ? SL_PLAYER_RESTS : SL_PLAYER_RUNS;
}

static void
update (SlDarkroomPage *self)
{
  static const char *const of_a_moment[]
      = { "keep-step", "noisy", "branch", "what-if", "save-animation", "save-animation-to" };
  SlWorkspace *workspace = self->workspace;
  gboolean works = sl_queue_get_current (workspace->queue) || sl_worker_is_loading (workspace->worker);

  if (workspace->closed)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (of_a_moment); i++)
    sl_page_enable_action (self->actions, of_a_moment[i], shows_moment (self));
  sl_page_enable_action (self->actions, "copy", self->picture || self->frame);
  sl_page_enable_action (self->actions, "play",
                         self->picture ? is_webp (self->picture)
                                       : shows_moment (self) || sl_film_strip_get_noise (self->strip));
  sl_page_enable_action (self->actions, "leave-picture", self->picture != NULL);
  sl_page_enable_action (self->actions, "pause",
                         sl_queue_get_current (workspace->queue) != NULL
                             || sl_queue_is_paused (workspace->queue));
  sl_player_set_run (self->player, find_run (self));
  show_terms (self);
  if (works && !self->ticking)
    self->ticking = g_timeout_add (TICK_MS, tick, self);
  else if (!works)
    g_clear_handle_id (&self->ticking, g_source_remove);
  show_progress (self);
  sl_page_state_changed (SL_PAGE (self));
}

/* ---- what a word did, over the picture ---- */

/* Nothing of a moment lies over a finished picture. */
static void
show_overlay (SlDarkroomPage *self)
{
  GdkTexture *overlay = shows_moment (self) ? sl_word_view_get_overlay (self->words) : NULL;

  sl_canvas_set_overlay (sl_tray_get_canvas (self->tray), overlay);
  if (self->workspace->closed)
    return;
  sl_page_enable_action (self->actions, "no-word",
                         shows_moment (self) && sl_word_view_get_touched (self->words) >= 0);
  sl_page_enable_action (self->actions, "save-word-map", overlay != NULL);
  sl_page_enable_action (self->actions, "save-word-map-to", overlay != NULL);
}

static void
show_words (SlDarkroomPage *self)
{
  sl_word_view_show (self->words, self->job, self->frame, self->view);
  show_overlay (self);
}

/* ---- a moment in the tray ---- */

/* The moment is shown for as long as the next one takes. */
static gboolean
goes_by (SlDarkroomPage *self)
{
  if (sl_player_is_playing (self->player))
    return TRUE;
  return !sl_job_is_over (self->job) && sl_job_get_state (self->job) != SL_JOB_PAUSED
         && sl_film_strip_is_following (self->strip);
}

static char *
make_caption (SlDarkroomPage *self)
{
  g_autoptr (GString) caption = g_string_new (NULL);
  g_autofree char *seed
      = g_strdup_printf ("%" G_GUINT64_FORMAT, sl_settings_get_seed (sl_job_get_settings (self->job)));
  double remaining = sl_job_get_remaining (self->job);
  g_autofree char *duration = sl_duration_text (sl_frame_object_get_seconds (self->frame));

  g_string_append_printf (caption, _ ("Step %d of %d"), sl_frame_object_get_step (self->frame) + 1,
                          sl_frame_object_get_steps (self->frame));
  if (sl_frame_object_is_refined (self->frame))
    g_string_append_printf (caption, "  ·  %s", _ ("by the refiner"));
  if (sl_frame_object_is_cached (self->frame))
    g_string_append_printf (caption, "  ·  %s", _ ("cached"));
  g_string_append (caption, "  ·  ");
  g_string_append_printf (caption, _ ("seed %s"), seed);
  g_string_append_printf (caption, "  ·  t %.4g  ·  σ %.3g  ·  ", sl_frame_object_get_timestep (self->frame),
                          sl_frame_object_get_sigma (self->frame));
  g_string_append (caption, duration);
  if (sl_job_get_state (self->job) == SL_JOB_PAUSED)
    g_string_append_printf (caption, "  ·  %s", _ ("paused"));
  else if (remaining >= 0 && sl_film_strip_is_following (self->strip))
    {
      /* Nobody waits for milliseconds: whole seconds, and never none. */
      g_autofree char *left = remaining < 90 ? g_strdup_printf (_ ("%.0f s"), MAX (ceil (remaining), 1))
                                             : sl_duration_text (remaining);

      g_string_append (caption, "  ·  ");
      g_string_append_printf (caption, _ ("%s left"), left);
    }
  else if (!sl_frame_object_is_last (self->frame) && sl_job_is_over (self->job))
    g_string_append_printf (caption, "  ·  %s",
                            self->view == SL_VIEW_NOISY ? _ ("the noisy sample") : _ ("prediction"));
  return g_string_free (g_steal_pointer (&caption), FALSE);
}

/* What is tried of the moment, or the moment itself; caption becomes its. */
static GBytes *
get_picture (SlDarkroomPage *self, int *width, int *height, char **caption)
{
  GBytes *rgb = self->trial && self->tried ? sl_trial_get_rgb (self->trial, width, height) : NULL;
  g_autofree char *words = NULL;

  if (rgb == NULL)
    {
      *caption = make_caption (self);
      return sl_frame_object_get_rgb (self->frame, self->view, width, height);
    }
  words = sl_trial_bar_describe (self->trial_bar);
  *caption = g_strdup_printf (_ ("Step %d of %d  ·  what if: %s"), sl_frame_object_get_step (self->frame) + 1,
                              sl_frame_object_get_steps (self->frame), words);
  return rgb;
}

static void
draw_moment (SlDarkroomPage *self)
{
  int width, height;
  g_autofree char *caption = NULL;
  GBytes *rgb = get_picture (self, &width, &height, &caption);
  g_autoptr (GdkTexture) texture = sl_texture_new_rgb (rgb, width, height);
  SlSettings *settings = sl_job_get_settings (self->job);

  sl_canvas_set_size (sl_tray_get_canvas (self->tray), sl_settings_get_width (settings),
                      sl_settings_get_height (settings));
  sl_tray_show (self->tray, texture, caption);
  sl_tray_set_caption (self->tray, caption);
  sl_tray_set_problem (self->tray, sl_frame_object_get_problem (self->frame, self->view));
  gtk_widget_queue_draw (GTK_WIDGET (self->strip)); /* its thumbnail is better now */
  show_terms (self);
  show_words (self);
}

static void
ask_trial (SlDarkroomPage *self, gboolean decoded)
{
  SlOwn own;
  g_autoptr (SlSettings) settings = sl_trial_bar_get_settings (self->trial_bar, &own);

  self->tried = own != 0;
  if (self->tried)
    sl_trial_ask (self->trial, settings, decoded);
}

static gboolean
rested (gpointer data)
{
  SlDarkroomPage *self = data;

  self->rest = 0;
  if (self->trial && self->tried)
    ask_trial (self, TRUE);
  else if (self->frame && self->job)
    sl_worker_decode (self->workspace->worker, self->job, self->frame, self->view);
  return G_SOURCE_REMOVE;
}

static void
played_decoded (SlDarkroomPage *self)
{
  if (self->played)
    g_signal_handlers_disconnect_by_func (self->played, played_decoded, self);
  g_clear_object (&self->played);
}

/* While steps are played one at a time is decoded: when they come again, they are the real pictures. */
static void
decode_played (SlDarkroomPage *self)
{
  if (self->played || !sl_worker_decode (self->workspace->worker, self->job, self->frame, self->view))
    return;
  self->played = g_object_ref (self->frame);
  g_signal_connect_object (self->played, "decoded", G_CALLBACK (played_decoded), self, G_CONNECT_SWAPPED);
}

/* The decoder takes long: it is for a step that somebody looks at, not for each one that goes by. */
static void
decode_at_rest (SlDarkroomPage *self)
{
  g_clear_handle_id (&self->rest, g_source_remove);
  if (sl_player_is_playing (self->player))
    decode_played (self);
  else if (!goes_by (self)
           && ((self->trial && self->tried) || !sl_frame_object_is_decoded (self->frame, self->view)))
    self->rest = g_timeout_add (REST_MS, rested, self);
}

/* ---- other guidance for it ---- */

static gboolean
wants_trial (SlDarkroomPage *self)
{
  return gtk_revealer_get_reveal_child (self->trial_revealer);
}

static void
trial_answered (SlDarkroomPage *self)
{
  if (!shows_moment (self) || self->trial == NULL)
    return;
  sl_trial_bar_set_problem (self->trial_bar, self->tried ? sl_trial_get_problem (self->trial) : NULL);
  draw_moment (self);
}

static void
forget_trial (SlDarkroomPage *self)
{
  if (self->trial)
    g_signal_handlers_disconnect_by_func (self->trial, trial_answered, self);
  g_clear_object (&self->trial);
  self->tried = FALSE;
}

/* Of the frame that is shown now. One that only goes by is not tried. */
static void
begin_trial (SlDarkroomPage *self)
{
  SlTrialPossible possible;

  forget_trial (self);
  if (!wants_trial (self) || goes_by (self))
    return;
  possible = sl_trial_is_possible (self->job, self->frame);
  sl_trial_bar_set_possible (self->trial_bar, possible);
  if (possible != SL_TRIAL_POSSIBLE)
    return;
  self->trial = sl_trial_new (self->workspace->worker, self->job, self->frame);
  g_signal_connect_object (self->trial, "answered", G_CALLBACK (trial_answered), self, G_CONNECT_SWAPPED);
  ask_trial (self, FALSE);
}

static void
trial_changed (SlDarkroomPage *self)
{
  if (self->trial == NULL)
    return;
  ask_trial (self, FALSE);
  if (!self->tried)
    trial_answered (self);
  decode_at_rest (self);
}

static void
trial_continued (SlDarkroomPage *self)
{
  SlOwn own;
  g_autoptr (SlSettings) settings = sl_trial_bar_get_settings (self->trial_bar, &own);

  if (shows_moment (self) && own)
    g_signal_emit (self, signals[CONTINUE_ASKED], 0, own, settings);
}

/* Escape closes the bar wherever the focus is, while the page is in front. */
static void
offer_leaving_what_if (SlDarkroomPage *self)
{
  sl_page_enable_action (self->actions, "leave-what-if",
                         wants_trial (self) && gtk_widget_get_mapped (GTK_WIDGET (self)));
}

static void
set_what_if (SlDarkroomPage *self, gboolean wanted)
{
  if (wants_trial (self) == wanted)
    return;
  sl_player_stop (self->player);
  g_simple_action_set_state (G_SIMPLE_ACTION (g_action_map_lookup_action (self->actions, "what-if")),
                             g_variant_new_boolean (wanted));
  if (!wanted)
    sl_focus_leave (GTK_WIDGET (self->trial_revealer));
  gtk_revealer_set_reveal_child (self->trial_revealer, wanted);
  offer_leaving_what_if (self);
  if (wanted)
    sl_trial_bar_begin (self->trial_bar, sl_job_get_settings (self->job));
  if (!shows_moment (self))
    {
      forget_trial (self);
      return;
    }
  begin_trial (self);
  if (wanted && self->trial == NULL && goes_by (self))
    sl_trial_bar_set_problem (self->trial_bar, _ ("the run goes on: choose one of its steps"));
  if (wanted)
    sl_trial_bar_tell (self->trial_bar);
  draw_moment (self);
}

static void
forget_moment (SlDarkroomPage *self)
{
  forget_trial (self);
  if (self->frame)
    g_signal_handlers_disconnect_by_func (self->frame, draw_moment, self);
  g_clear_object (&self->frame);
  sl_tray_set_problem (self->tray, NULL);
}

/* What the run begins with. It is no moment: what can be done with one cannot be done here. */
static void
show_noise (SlDarkroomPage *self)
{
  SlSettings *settings = sl_job_get_settings (self->job);
  g_autofree char *seed = g_strdup_printf ("%" G_GUINT64_FORMAT, sl_settings_get_seed (settings));
  g_autoptr (GString) caption = g_string_new (NULL);

  forget_moment (self);
  g_clear_handle_id (&self->rest, g_source_remove);
  g_string_append_printf (caption, _ ("Step %d of %d"), 0, sl_settings_get_steps (settings));
  g_string_append (caption, "  ·  ");
  g_string_append_printf (caption, _ ("seed %s"), seed);
  g_string_append_printf (caption, "  ·  t %.4g  ·  σ %.3g  ·  %s", sl_job_get_plan (self->job)[0].timestep,
                          sl_job_get_plan (self->job)[0].sigma,
                          _ ("x_T, random numbers that the seed decides"));
  sl_canvas_set_size (sl_tray_get_canvas (self->tray), sl_settings_get_width (settings),
                      sl_settings_get_height (settings));
  sl_tray_show (self->tray, sl_film_strip_get_noise (self->strip), caption->str);
  sl_tray_set_caption (self->tray, caption->str);
  show_words (self);
  update (self);
}

/* The one that the film strip is at. */
static void
show_moment (SlDarkroomPage *self)
{
  SlFrameObject *frame = sl_film_strip_get_frame (self->strip);

  if (self->picture)
    return;
  if (sl_film_strip_get_noise (self->strip))
    show_noise (self);
  if (frame == NULL)
    return;
  if (self->frame != frame)
    {
      gboolean had_none = self->frame == NULL;

      forget_moment (self);
      self->frame = g_object_ref (frame);
      if (had_none)
        update (self);                                    /* from the noise, of which nothing can be done */
      sl_frame_object_forget_problem (frame, self->view); /* it is tried again */
      g_signal_connect_object (frame, "decoded", G_CALLBACK (draw_moment), self, G_CONNECT_SWAPPED);
    }
  if (self->trial == NULL)
    begin_trial (self);
  draw_moment (self);
  decode_at_rest (self);
}

static void
set_view (SlDarkroomPage *self, SlView view)
{
  self->view = view;
  g_simple_action_set_state (G_SIMPLE_ACTION (g_action_map_lookup_action (self->actions, "noisy")),
                             g_variant_new_boolean (view == SL_VIEW_NOISY));
  sl_film_strip_set_view (self->strip, view);
  show_moment (self);
}

/* ---- a finished picture in the tray ---- */

static void
show_facts (SlDarkroomPage *self)
{
  gtk_widget_set_visible (GTK_WIDGET (self->facts),
                          self->picture
                              && g_settings_get_boolean (self->workspace->preferences, "facts-shown"));
}

static gboolean
ask_next_picture (gpointer data)
{
  SlDarkroomPage *self = data;

  self->next_picture = 0;
  if (self->moving && !self->workspace->closed)
    sl_moving_picture_next (self->moving, self->workspace->files);
  return G_SOURCE_REMOVE;
}

static void
picture_moved (SlDarkroomPage *self, GBytes *rgb, int width, int height, int ms, SlMovingPicture *moving)
{
  g_autoptr (GdkTexture) texture = NULL;

  if (moving != self->moving)
    return;
  texture = sl_texture_new_rgb (rgb, width, height);
  sl_canvas_set_texture (sl_tray_get_canvas (self->tray), texture);
  self->next_picture = g_timeout_add ((guint)MAX (ms, MOVE_MS), ask_next_picture, self);
}

static void
stop_moving (SlDarkroomPage *self)
{
  g_clear_handle_id (&self->next_picture, g_source_remove);
  if (self->moving)
    g_signal_handlers_disconnect_by_func (self->moving, picture_moved, self);
  g_clear_object (&self->moving);
}

/* Where the person wants nothing to move by itself, its last picture stays. */
static void
begin_moving (SlDarkroomPage *self)
{
  stop_moving (self);
  self->moving = sl_moving_picture_new (sl_picture_get_path (self->picture));
  g_signal_connect_object (self->moving, "picture", G_CALLBACK (picture_moved), self, G_CONNECT_SWAPPED);
  ask_next_picture (self);
}

static gboolean
may_move (SlDarkroomPage *self)
{
  gboolean animations = TRUE;

  g_object_get (gtk_widget_get_settings (GTK_WIDGET (self)), "gtk-enable-animations", &animations, NULL);
  return animations && is_webp (self->picture);
}

static void
set_picture (SlDarkroomPage *self, SlPicture *picture)
{
  if (!g_set_object (&self->picture, picture))
    return;
  stop_moving (self);
  show_overlay (self);
  show_terms (self);
  show_facts (self);
  g_signal_emit (self, signals[PICTURE_CHANGED], 0);
}

typedef struct
{
  SlDarkroomPage *page;
  SlPicture *picture;
  int width, height;
} Loading;

static void
loading_free (Loading *loading)
{
  g_object_unref (loading->picture);
  g_object_unref (loading->page);
  g_free (loading);
}

/* The gallery knows what its pictures are; a file from elsewhere says it itself, or has a name. */
static void
name_picture (SlDarkroomPage *self, const SlFacts *facts)
{
  const char *prompt = facts && facts->settings ? sl_settings_get_prompt (facts->settings) : "";
  g_autofree char *file = g_filename_display_basename (sl_picture_get_path (self->picture));

  if (*sl_picture_get_prompt (self->picture) == '\0')
    sl_picture_bar_set_name (self->picture_bar, *prompt ? prompt : file);
}

static void
facts_read (const SlFacts *facts, const GError *error, gpointer user_data)
{
  Loading *loading = user_data;
  SlDarkroomPage *self = loading->page;
  g_autofree char *story = sl_picture_story (loading->picture);
  const SlFactsOfPicture picture = { .path = sl_picture_get_path (loading->picture),
                                     .story = story,
                                     .width = loading->width,
                                     .height = loading->height };

  if (self->picture == loading->picture)
    {
      sl_facts_view_show (self->facts, &picture, facts);
      name_picture (self, facts);
    }
  loading_free (loading);
}

static void
picture_loaded (GBytes *rgb, int width, int height, const GError *error, gpointer user_data)
{
  Loading *loading = user_data;
  SlDarkroomPage *self = loading->page;

  if (self->picture == loading->picture)
    {
      g_autoptr (GdkTexture) texture = sl_texture_new_rgb (rgb, width, height);

      sl_canvas_set_size (sl_tray_get_canvas (self->tray), 0, 0);
      if (texture)
        {
          sl_tray_show (self->tray, texture, sl_picture_get_prompt (self->picture));
          gtk_widget_grab_focus (
              GTK_WIDGET (sl_tray_get_canvas (self->tray))); /* its keys lead to the next one */
          if (may_move (self) && !self->workspace->closed)
            begin_moving (self);
        }
      else
        sl_tray_show_error (self->tray, _ ("That did not work"), error->message);
    }
  loading->width = width;
  loading->height = height;
  if (self->picture == loading->picture && !self->workspace->closed)
    sl_facts_read (self->workspace->files, sl_picture_get_path (loading->picture), facts_read, loading);
  else
    loading_free (loading);
}

void
sl_darkroom_page_show_picture (SlDarkroomPage *self, SlPicture *picture)
{
  Loading *loading;

  if (self->workspace->closed)
    return;
  loading = g_new (Loading, 1);
  *loading = (Loading){ g_object_ref (self), g_object_ref (picture), 0, 0 };
  set_what_if (self, FALSE);
  sl_player_stop (self->player);
  set_picture (self, picture);
  sl_picture_bar_show (self->picture_bar, picture);
  gtk_stack_set_visible_child_name (self->below, "picture");
  sl_page_show (GTK_WIDGET (self));
  sl_tray_set_caption (self->tray, NULL);
  sl_reader_load_pixels (self->workspace->files, sl_picture_get_path (picture), 0, picture_loaded, loading);
  update (self);
}

static void
show_nothing (SlDarkroomPage *self)
{
  gtk_stack_set_visible_child_name (self->below, "nothing");
  sl_tray_show (self->tray, NULL, NULL);
}

void
sl_darkroom_page_leave_picture (SlDarkroomPage *self)
{
  set_picture (self, NULL);
  if (self->job && (self->frame || sl_film_strip_get_noise (self->strip)))
    {
      gtk_stack_set_visible_child_name (self->below, "strip");
      show_moment (self);
    }
  else
    show_nothing (self);
  update (self);
}

/* The picture's family may be another one now. */
static void
gallery_arranged (SlDarkroomPage *self)
{
  if (self->picture)
    sl_picture_bar_show (self->picture_bar, self->picture);
}

void
sl_darkroom_page_show_error (SlDarkroomPage *self, const char *title, const char *message)
{
  sl_tray_show_error (self->tray, title, message);
}

/* ---- a run ---- */

static void
job_frame (SlDarkroomPage *self, SlFrameObject *frame, SlJob *job)
{
  /* A run that is not shown any more may still bring a last frame. */
  if (job == self->job)
    sl_run_report_step (self->report, frame);
  if (job == self->job && sl_film_strip_get_frame (self->strip) == frame)
    {
      show_moment (self);
      if (sl_frame_object_get_index (frame) == 0)
        update (self);
    }
}

/* Also when a run rests, or goes on again. */
static void
job_state (SlDarkroomPage *self, GParamSpec *pspec, SlJob *job)
{
  update (self);
  if (job == self->job && !sl_job_is_over (job) && shows_moment (self))
    show_moment (self);
}

static void
show_job (SlDarkroomPage *self, SlJob *job)
{
  set_what_if (self, FALSE);
  sl_player_stop (self->player);
  set_picture (self, NULL);
  g_set_object (&self->job, job);
  forget_moment (self);
  sl_film_strip_set_job (self->strip, job);
  gtk_stack_set_visible_child_name (self->below, "strip");
  sl_page_show (GTK_WIDGET (self));
  sl_tray_set_caption (self->tray, NULL);
  sl_tray_show_waiting (self->tray);
  show_words (self);
}

static void
job_started (SlDarkroomPage *self, SlJob *job)
{
  /* First the strip's handlers are connected, then these: they show the moment that the strip is at. */
  show_job (self, job);
  g_signal_connect_object (job, "frame", G_CALLBACK (job_frame), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (job, "notify::state", G_CALLBACK (job_state), self, G_CONNECT_SWAPPED);
  update (self);
}

static void
job_stopped (SlDarkroomPage *self, SlJob *job)
{
  if (job == self->job && sl_job_get_last_frame (job) == NULL)
    show_nothing (self);
  sl_run_report_stopped (self->report, job);
}

static void
job_failed (SlDarkroomPage *self, SlJob *job)
{
  if (job == self->job && sl_job_get_last_frame (job) == NULL && !sl_job_has_lost_device (job))
    {
      sl_tray_show_error (self->tray, _ ("That did not work"), sl_job_get_message (job));
      gtk_stack_set_visible_child_name (self->below, "nothing");
    }
  else
    sl_run_report_failed (self->report, job);
}

static void
job_ended (SlDarkroomPage *self, SlJob *job)
{
  SlFrameObject *last = sl_job_get_last_frame (job);
  SlJobState state = sl_job_get_state (job);

  if (state == SL_JOB_DONE && last)
    sl_moment_file_keep (self->workspace, GTK_WIDGET (self), &(SlMomentOfRun){ job, last });
  if (self->workspace->closed)
    return;
  if (state == SL_JOB_DONE)
    sl_run_report_done (self->report, job);
  else if (state == SL_JOB_STOPPED)
    job_stopped (self, job);
  else
    job_failed (self, job);
  if (job == self->job && self->frame)
    show_moment (self);
  update (self);
}

/* FALSE and a sentence where the prompts are templates and one of them is wrong. */
static gboolean
add_jobs (SlWorkspace *workspace, GError **error)
{
  int count = (int)g_settings_get_double (workspace->preferences, "count");
  g_autoptr (GPtrArray) pictures = sl_workspace_expand (workspace, workspace->recipe, count, error);

  for (guint i = 0; pictures && i < pictures->len; i++)
    {
      g_autoptr (SlJob) job
          = sl_job_new (workspace->model, pictures->pdata[i], sl_workspace_get_previews (workspace));

      sl_queue_add (workspace->queue, job);
    }
  return pictures != NULL;
}

/* ---- as a page ---- */

static void
page_get_state (SlPage *page, SlPageState *state)
{
  SlDarkroomPage *self = SL_DARKROOM_PAGE (page);

  state->busy = sl_queue_get_current (self->workspace->queue) != NULL;
  state->can_save = self->picture || self->frame;
  state->develop_label = state->busy ? _ ("_Add to Queue") : _ ("_Develop");
}

static void
page_get_plan (SlPage *page, GPtrArray *plan, guint *count)
{
  SlWorkspace *workspace = SL_DARKROOM_PAGE (page)->workspace;

  g_ptr_array_add (plan, g_object_ref (workspace->recipe));
  *count = (guint)g_settings_get_double (workspace->preferences, "count");
}

static gboolean
page_develop (SlPage *page)
{
  SlDarkroomPage *self = SL_DARKROOM_PAGE (page);
  SlWorkspace *workspace = self->workspace;
  g_autoptr (GError) error = NULL;

  if (workspace->model == NULL || workspace->closed)
    return FALSE;
  if (!sl_model_item_check (workspace->model, workspace->recipe, &error))
    {
      sl_notice_alert (GTK_WIDGET (self), _ ("A setting does not fit"), error->message);
      return FALSE;
    }
  sl_workspace_use_seed (workspace);
  if (!add_jobs (workspace, &error))
    {
      sl_notice_alert (GTK_WIDGET (self), _ ("The prompt’s choices cannot be made"), error->message);
      return FALSE;
    }
  if (sl_queue_is_held (workspace->queue))
    sl_notice_toast (GTK_WIDGET (self), _ ("It waits until the pictures before it are saved"));
  update (self);
  return TRUE;
}

static void
page_stop (SlPage *page)
{
  sl_queue_stop (SL_DARKROOM_PAGE (page)->workspace->queue);
}

static void
page_step (SlPage *page, int by)
{
  SlDarkroomPage *self = SL_DARKROOM_PAGE (page);

  sl_player_stop (self->player);
  if (self->picture)
    g_signal_emit (self, signals[NEIGHBOUR_ASKED], 0, by);
  else
    sl_film_strip_pick (self->strip, sl_film_strip_get_position (self->strip) + by);
}

static void
page_zoom (SlPage *page, SlZoom zoom)
{
  sl_canvas_zoom (sl_tray_get_canvas (SL_DARKROOM_PAGE (page)->tray), zoom);
}

/* ---- into files ---- */

static void
file_copied (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GtkWidget) widget = user_data;
  g_autoptr (GError) error = NULL;

  g_file_copy_finish (G_FILE (source), result, &error);
  if (error)
    sl_notice_alert (widget, _ ("The picture could not be saved"), error->message);
  else
    sl_notice_toast (widget, _ ("Saved with its settings"));
}

static void
save_to (gpointer page, const char *path, const char *what)
{
  SlDarkroomPage *self = page;

  if (self->picture)
    {
      g_autoptr (GFile) from = g_file_new_for_path (sl_picture_get_path (self->picture));
      g_autoptr (GFile) to = g_file_new_for_path (path);

      g_file_copy_async (from, to, G_FILE_COPY_OVERWRITE, G_PRIORITY_DEFAULT, NULL, NULL, NULL, file_copied,
                         g_object_ref (self));
    }
  else if (self->frame)
    sl_moment_file_save (self->workspace, GTK_WIDGET (self), &(SlMomentOfRun){ self->job, self->frame },
                         path);
}

static void
page_save (SlPage *page)
{
  SlDarkroomPage *self = SL_DARKROOM_PAGE (page);
  g_autofree char *name = self->picture ? g_path_get_basename (sl_picture_get_path (self->picture))
                          : self->frame ? sl_job_dup_file_name (self->job, self->frame, ".png")
                                        : NULL;
  const SlPathDialog dialog = { .from = GTK_WIDGET (self),
                                .title = _ ("Save a Copy"),
                                .wants = SL_PATH_SAVE,
                                .name = name,
                                .filter_name = _ ("Pictures"),
                                .pattern = "*.png" };

  if (self->picture || self->frame)
    sl_path_dialog_show (&dialog, save_to, G_OBJECT (self), NULL);
}

/* For scripts and tests, instead of the dialog. */
static void
save_to_path (GSimpleAction *action, GVariant *parameter, gpointer self)
{
  save_to (self, g_variant_get_string (parameter, NULL), NULL);
}

static void
keep_step (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  SlDarkroomPage *self = user_data;

  if (!shows_moment (self))
    return;
  sl_moment_file_keep (self->workspace, GTK_WIDGET (self), &(SlMomentOfRun){ self->job, self->frame });
  sl_notice_toast (GTK_WIDGET (self), _ ("This step goes to the gallery"));
}

static SlExportTask *
start_film (gpointer page, const char *path, const SlExportCall *call)
{
  SlDarkroomPage *self = page;

  return sl_job_export_animation (self->job, path, &self->look, call);
}

static void
save_film_to (gpointer page, const char *path, const char *what)
{
  SlDarkroomPage *self = page;

  if (self->job)
    sl_export_bar_write (self->export_bar, start_film, self, path);
}

static void
film_chosen (gpointer page, const SlExportLook *look, const char *ending)
{
  SlDarkroomPage *self = page;
  g_autofree char *name = self->job ? sl_job_dup_file_name (self->job, NULL, ending) : NULL;
  const SlPathDialog dialog
      = { .from = GTK_WIDGET (self), .title = _ ("Save the Animation"), .wants = SL_PATH_SAVE, .name = name };

  self->look = *look;
  if (self->job)
    sl_path_dialog_show (&dialog, save_film_to, G_OBJECT (self), NULL);
}

static void
save_film (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  SlDarkroomPage *self = user_data;

  if (self->job && sl_export_bar_can_animate (self->export_bar))
    sl_animation_page_ask (GTK_WIDGET (self), self->workspace->preferences, FALSE, film_chosen,
                           G_OBJECT (self));
}

/* For scripts and tests, instead of the dialog. */
static void
save_film_to_path (GSimpleAction *action, GVariant *parameter, gpointer self)
{
  SL_DARKROOM_PAGE (self)->look = (SlExportLook){ 0 };
  save_film_to (self, g_variant_get_string (parameter, NULL), NULL);
}

/* ---- copied and dragged out ---- */

/* The file behind what the tray shows, or NULL for a step that was not saved. */
static const char *
shown_file (SlDarkroomPage *self)
{
  if (self->picture)
    return sl_picture_get_path (self->picture);
  return self->frame ? sl_moment_file_get_path (self->frame) : NULL;
}

static GdkContentProvider *
shown_content (SlDarkroomPage *self)
{
  GdkTexture *texture = sl_canvas_get_texture (sl_tray_get_canvas (self->tray));

  return texture && (self->picture || self->frame) ? sl_picture_content_new (texture, shown_file (self))
                                                   : NULL;
}

static void
copy (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  SlDarkroomPage *self = user_data;
  g_autoptr (GdkContentProvider) content = shown_content (self);

  if (content == NULL)
    return;
  gdk_clipboard_set_content (gtk_widget_get_clipboard (GTK_WIDGET (self)), content);
  sl_notice_toast (GTK_WIDGET (self), shown_file (self) ? _ ("Copied with its settings") : _ ("Copied"));
}

/* A picture that reaches beyond the tray is moved by a drag; only a whole one is dragged out. */
static GdkContentProvider *
drag_prepare (SlDarkroomPage *self)
{
  return sl_canvas_is_fitted (sl_tray_get_canvas (self->tray)) ? shown_content (self) : NULL;
}

static void
drag_begin (GtkDragSource *source, GdkDrag *drag, SlDarkroomPage *self)
{
  sl_picture_content_set_icon (source, sl_canvas_get_texture (sl_tray_get_canvas (self->tray)));
}

/* ---- other actions ---- */

static void
noisy (GSimpleAction *action, GVariant *state, gpointer self)
{
  set_view (self, g_variant_get_boolean (state) ? SL_VIEW_NOISY : SL_VIEW_PICTURE);
}

static void
pan (GSimpleAction *action, GVariant *parameter, gpointer self)
{
  int dx, dy;

  g_variant_get (parameter, "(ii)", &dx, &dy);
  sl_canvas_pan_by (sl_tray_get_canvas (SL_DARKROOM_PAGE (self)->tray), dx, dy);
}

static void
branch (GSimpleAction *action, GVariant *parameter, gpointer self)
{
  if (shows_moment (self))
    g_signal_emit (self, signals[BRANCH_ASKED], 0);
}

/* The run that is shown, once more with what its words do: to the same bytes. */
static void
make_again_with_words (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  SlDarkroomPage *self = user_data;
  SlJob *parent = self->job ? sl_job_get_parent (self->job) : NULL;
  g_autoptr (SlJob) job = NULL;

  if (self->job == NULL || self->workspace->closed)
    return;
  g_settings_set_boolean (self->workspace->preferences, "word-maps", TRUE);
  job = parent
            ? sl_job_new_branch (parent, sl_job_get_branch_point (self->job), sl_job_get_settings (self->job))
            : sl_job_new (sl_job_get_model (self->job), sl_job_get_settings (self->job),
                          sl_workspace_get_previews (self->workspace));
  if (job)
    sl_queue_add (self->workspace->queue, job);
  update (self);
}

static void
no_word (GSimpleAction *action, GVariant *parameter, gpointer self)
{
  sl_word_view_touch (SL_DARKROOM_PAGE (self)->words, -1);
}

static void
save_word_to (gpointer page, const char *path, const char *what)
{
  SlDarkroomPage *self = page;
  g_autoptr (GError) error = NULL;

  if (sl_word_view_get_overlay (self->words) == NULL)
    return;
  if (sl_word_view_save (self->words, path, &error))
    sl_notice_toast (GTK_WIDGET (self), _ ("The map is saved"));
  else
    sl_notice_alert (GTK_WIDGET (self), _ ("The map could not be saved"), error->message);
}

static void
save_word (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  SlDarkroomPage *self = user_data;
  g_autofree char *word = sl_word_view_dup_name (self->words);
  g_autofree char *name
      = g_strdup_printf ("%s.png", g_strdelimit (word ? word : g_strdup ("word"), "/\\:", '-'));
  const SlPathDialog dialog = { .from = GTK_WIDGET (self),
                                .title = _ ("Save the Word’s Map"),
                                .wants = SL_PATH_SAVE,
                                .name = name,
                                .filter_name = _ ("Pictures"),
                                .pattern = "*.png" };

  sl_path_dialog_show (&dialog, save_word_to, G_OBJECT (self), NULL);
}

/* For scripts and tests, instead of the dialog. */
static void
save_word_to_path (GSimpleAction *action, GVariant *parameter, gpointer self)
{
  save_word_to (self, g_variant_get_string (parameter, NULL), NULL);
}

static void
what_if (GSimpleAction *action, GVariant *value, gpointer self)
{
  if (shows_moment (self))
    set_what_if (self, g_variant_get_boolean (value));
}

static void
leave_what_if (GSimpleAction *action, GVariant *parameter, gpointer self)
{
  set_what_if (self, FALSE);
}

/* ---- pausing and playing ---- */

static void
pause_or_go_on (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  SlQueue *queue = SL_DARKROOM_PAGE (user_data)->workspace->queue;

  if (sl_queue_is_paused (queue))
    sl_queue_go_on (queue);
  else
    sl_queue_pause (queue);
}

static void
play (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  SlDarkroomPage *self = user_data;

  if (self->picture && self->moving)
    stop_moving (self);
  else if (self->picture)
    begin_moving (self);
  else if (find_run (self) != SL_PLAYER_OVER)
    pause_or_go_on (action, parameter, self);
  else if (sl_player_is_playing (self->player))
    sl_player_stop (self->player);
  else
    {
      set_what_if (self, FALSE); /* it is of one step */
      sl_player_play (self->player);
    }
}

/* The step at which playing ended is looked at. */
static void
played (SlDarkroomPage *self)
{
  if (shows_moment (self) && !sl_player_is_playing (self->player))
    show_moment (self);
}

static void
leave_picture (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  SlDarkroomPage *self = user_data;
  g_autoptr (SlPicture) picture = self->picture ? g_object_ref (self->picture) : NULL;

  sl_darkroom_page_leave_picture (self);
  if (picture)
    g_signal_emit (self, signals[PICTURE_LEFT], 0, picture);
}

static void
resume (GSimpleAction *action, GVariant *parameter, gpointer self)
{
  sl_unfinished_resume (SL_DARKROOM_PAGE (self)->workspace, GTK_WIDGET (self));
}

static const GActionEntry entries[] = {
  { .name = "noisy", .state = "false", .change_state = noisy },
  { .name = "pan", .activate = pan, .parameter_type = "(ii)" },
  { .name = "keep-step", .activate = keep_step },
  { .name = "copy", .activate = copy },
  { .name = "save-to", .activate = save_to_path, .parameter_type = "s" },
  { .name = "save-animation", .activate = save_film },
  { .name = "save-animation-to", .activate = save_film_to_path, .parameter_type = "s" },
  { .name = "branch", .activate = branch },
  { .name = "what-if", .state = "false", .change_state = what_if },
  { .name = "leave-what-if", .activate = leave_what_if },
  { .name = "resume", .activate = resume },
  { .name = "leave-picture", .activate = leave_picture },
  { .name = "play", .activate = play },
  { .name = "pause", .activate = pause_or_go_on },
  { .name = "word-maps-again", .activate = make_again_with_words },
  { .name = "no-word", .activate = no_word },
  { .name = "save-word-map", .activate = save_word },
  { .name = "save-word-map-to", .activate = save_word_to_path, .parameter_type = "s" },
};

/* Plain keys work on this page only: where somebody types, in the panel, they are letters. */
static void
add_keys (SlDarkroomPage *self)
{
  static const struct
  {
    guint key;
    const char *action;
  } keys[] = {
    { GDK_KEY_n, "win.noisy" },
    { GDK_KEY_0, "win.zoom-fit" },
    { GDK_KEY_1, "win.zoom-original" },
    { GDK_KEY_plus, "win.zoom-in" },
    { GDK_KEY_minus, "win.zoom-out" },
    { GDK_KEY_Left, "win.previous-step" },
    { GDK_KEY_Right, "win.next-step" },
    { GDK_KEY_Delete, "win.delete" },
    { GDK_KEY_i, "win.facts-shown" },
    { GDK_KEY_w, "win.word-maps" },
    { GDK_KEY_Escape, "win.no-word" },
    { GDK_KEY_Escape, "win.leave-what-if" },
    { GDK_KEY_Escape, "win.leave-picture" },
    { GDK_KEY_g, "win.what-if" },
    { GDK_KEY_space, "win.play" },
    { GDK_KEY_p, "win.pause" },
    { GDK_KEY_equal, "win.zoom-in" },
    { GDK_KEY_KP_Add, "win.zoom-in" },
    { GDK_KEY_KP_Subtract, "win.zoom-out" },
    { GDK_KEY_KP_0, "win.zoom-fit" },
    { GDK_KEY_KP_1, "win.zoom-original" },
  };
  static const struct
  {
    guint key;
    int dx, dy;
  } pans[] = {
    { GDK_KEY_Left, PAN, 0 }, { GDK_KEY_Right, -PAN, 0 }, { GDK_KEY_Up, 0, PAN }, { GDK_KEY_Down, 0, -PAN }
  };
  GtkEventController *controller = gtk_shortcut_controller_new ();

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    gtk_shortcut_controller_add_shortcut (
        GTK_SHORTCUT_CONTROLLER (controller),
        gtk_shortcut_new (gtk_keyval_trigger_new (keys[i].key, 0), gtk_named_action_new (keys[i].action)));
  for (guint i = 0; i < G_N_ELEMENTS (pans); i++)
    gtk_shortcut_controller_add_shortcut (
        GTK_SHORTCUT_CONTROLLER (controller),
        gtk_shortcut_new_with_arguments (gtk_keyval_trigger_new (pans[i].key, GDK_SHIFT_MASK),
                                         gtk_named_action_new ("win.pan"), "(ii)", pans[i].dx, pans[i].dy));
  gtk_widget_add_controller (GTK_WIDGET (self), controller);
}

/* ---- opening and closing ---- */

static void
model_changed (SlDarkroomPage *self)
{
  sl_tray_set_prompts (self->tray, self->workspace->takes_prompt);
}

/* A locked seed is that of the picture in the tray: of several made at once it is not the recipe's. */
static void
keep_seed_changed (SlDarkroomPage *self)
{
  SlWorkspace *workspace = self->workspace;

  if (g_settings_get_boolean (workspace->preferences, "keep-seed") && shows_moment (self)
      && !workspace->seed_is_fresh)
    g_object_set (workspace->recipe, "seed", sl_settings_get_seed (sl_job_get_settings (self->job)), NULL);
}

static void
add_drag_source (SlDarkroomPage *self)
{
  GtkDragSource *drag = gtk_drag_source_new ();

  g_signal_connect_swapped (drag, "prepare", G_CALLBACK (drag_prepare), self);
  g_signal_connect (drag, "drag-begin", G_CALLBACK (drag_begin), self);
  gtk_widget_add_controller (GTK_WIDGET (sl_tray_get_canvas (self->tray)), GTK_EVENT_CONTROLLER (drag));
}

/* What is chosen once and kept. */
static void
add_choices (SlDarkroomPage *self)
{
  static const char *const keys[]
      = { "word-maps", "word-scale", "word-ends", "play-speed", "play-loop", "facts-shown" };

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      g_autoptr (GAction) action = g_settings_create_action (self->workspace->preferences, keys[i]);

      g_action_map_add_action (self->actions, action);
    }
  sl_word_view_set_preferences (self->words, self->workspace->preferences);
  g_settings_bind (self->workspace->preferences, "word-maps", self->words, "visible", G_SETTINGS_BIND_GET);
}

void
sl_darkroom_page_connect (SlDarkroomPage *self,
                          SlWorkspace *workspace,
                          GActionMap *actions,
                          SlExportBar *export_bar)
{
  const struct
  {
    gpointer object;
    const char *signal;
    GCallback handler;
  } handlers[] = {
    { workspace->queue, "started", G_CALLBACK (job_started) },
    { workspace->queue, "ended", G_CALLBACK (job_ended) },
    { workspace->queue, "items-changed", G_CALLBACK (update) },
    { workspace->queue, "paused", G_CALLBACK (update) },
    { workspace->worker, "loading", G_CALLBACK (update) },
    { workspace->gallery, "arranged", G_CALLBACK (gallery_arranged) },
    { workspace, "model-changed", G_CALLBACK (model_changed) },
    { workspace->preferences, "changed::keep-seed", G_CALLBACK (keep_seed_changed) },
    { workspace->preferences, "changed::facts-shown", G_CALLBACK (show_facts) },
    { self->strip, "picked", G_CALLBACK (show_moment) },
    { self->player, "played", G_CALLBACK (played) },
    { self->words, "touched", G_CALLBACK (show_overlay) },
    { self->trial_bar, "changed", G_CALLBACK (trial_changed) },
    { self->trial_bar, "continued", G_CALLBACK (trial_continued) },
  };

  self->workspace = g_object_ref (workspace);
  self->actions = actions;
  self->export_bar = g_object_ref (export_bar);
  self->report = sl_run_report_new (workspace, GTK_WIDGET (self));
  g_action_map_add_action_entries (actions, entries, G_N_ELEMENTS (entries), self);
  for (guint i = 0; i < G_N_ELEMENTS (handlers); i++)
    g_signal_connect_object (handlers[i].object, handlers[i].signal, handlers[i].handler, self,
                             G_CONNECT_SWAPPED);
  add_drag_source (self);
  g_settings_bind (workspace->preferences, "tour-offered", sl_tray_get_offer (self->tray), "visible",
                   G_SETTINGS_BIND_GET | G_SETTINGS_BIND_INVERT_BOOLEAN);
  add_choices (self);
  sl_player_connect (self->player, self->strip, workspace->preferences);
  g_signal_connect (self, "map", G_CALLBACK (offer_leaving_what_if), NULL);
  g_signal_connect_after (self, "unmap", G_CALLBACK (offer_leaving_what_if), NULL);
  offer_leaving_what_if (self);
  sl_player_stop_at_touch (self->player, GTK_WIDGET (sl_tray_get_canvas (self->tray)));
  show_overlay (self);
  update (self);
}

void
sl_darkroom_page_open (SlDarkroomPage *self)
{
  sl_unfinished_offer (self->workspace, GTK_WIDGET (self));
}

void
sl_darkroom_page_keep_moment (SlDarkroomPage *self)
{
  sl_unfinished_keep_moment (self->workspace, GTK_WIDGET (self));
}

char *
sl_darkroom_page_try_remember (SlDarkroomPage *self)
{
  g_autoptr (GError) error = NULL;

  return sl_unfinished_write (self->workspace, sl_run_report_get_lost (self->report), &error)
             ? NULL
             : g_strdup (error->message);
}

void
sl_darkroom_page_close (SlDarkroomPage *self)
{
  sl_unfinished_remember (self->workspace, sl_run_report_get_lost (self->report));
  forget_trial (self);
  stop_moving (self);
  g_clear_handle_id (&self->rest, g_source_remove);
  g_clear_handle_id (&self->ticking, g_source_remove);
}

SlJob *
sl_darkroom_page_get_job (SlDarkroomPage *self)
{
  return self->job;
}

SlFrameObject *
sl_darkroom_page_get_frame (SlDarkroomPage *self)
{
  return self->frame;
}

SlPicture *
sl_darkroom_page_get_picture (SlDarkroomPage *self)
{
  return self->picture;
}

/* ---- class ---- */

static void
sl_darkroom_page_dispose (GObject *object)
{
  SlDarkroomPage *self = SL_DARKROOM_PAGE (object);

  g_clear_handle_id (&self->rest, g_source_remove);
  g_clear_handle_id (&self->ticking, g_source_remove);
  g_clear_handle_id (&self->next_picture, g_source_remove);
  g_clear_object (&self->moving);
  g_clear_object (&self->report);
  g_clear_object (&self->trial);
  g_clear_object (&self->played);
  g_clear_object (&self->frame);
  g_clear_object (&self->job);
  g_clear_object (&self->picture);
  g_clear_object (&self->export_bar);
  g_clear_object (&self->workspace);
  G_OBJECT_CLASS (sl_darkroom_page_parent_class)->dispose (object);
}

static void
page_init (SlPageInterface *iface)
{
  iface->get_state = page_get_state;
  iface->get_plan = page_get_plan;
  iface->develop = page_develop;
  iface->stop = page_stop;
  iface->save = page_save;
  iface->step = page_step;
  iface->zoom = page_zoom;
}

static void
sl_darkroom_page_class_init (SlDarkroomPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  g_type_ensure (SL_TYPE_TRAY);
  g_type_ensure (SL_TYPE_FILM_STRIP);
  g_type_ensure (SL_TYPE_PLAYER);
  g_type_ensure (SL_TYPE_FACTS_VIEW);
  g_type_ensure (SL_TYPE_WORD_VIEW);
  g_type_ensure (SL_TYPE_PICTURE_BAR);
  g_type_ensure (SL_TYPE_TRIAL_BAR);
  G_OBJECT_CLASS (klass)->dispose = sl_darkroom_page_dispose;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/safelight/Safelight/sl-darkroom-page.ui");
  gtk_widget_class_bind_template_child (widget_class, SlDarkroomPage, tray);
  gtk_widget_class_bind_template_child (widget_class, SlDarkroomPage, facts);
  gtk_widget_class_bind_template_child (widget_class, SlDarkroomPage, below);
  gtk_widget_class_bind_template_child (widget_class, SlDarkroomPage, words);
  gtk_widget_class_bind_template_child (widget_class, SlDarkroomPage, strip);
  gtk_widget_class_bind_template_child (widget_class, SlDarkroomPage, player);
  gtk_widget_class_bind_template_child (widget_class, SlDarkroomPage, picture_bar);
  gtk_widget_class_bind_template_child (widget_class, SlDarkroomPage, trial_revealer);
  gtk_widget_class_bind_template_child (widget_class, SlDarkroomPage, trial_bar);
  signals[BRANCH_ASKED] = g_signal_new ("branch-asked", SL_TYPE_DARKROOM_PAGE, G_SIGNAL_RUN_LAST, 0, NULL,
                                        NULL, NULL, G_TYPE_NONE, 0);
  signals[CONTINUE_ASKED] = g_signal_new ("continue-asked", SL_TYPE_DARKROOM_PAGE, G_SIGNAL_RUN_LAST, 0, NULL,
                                          NULL, NULL, G_TYPE_NONE, 2, G_TYPE_UINT64, SL_TYPE_SETTINGS);
  signals[PICTURE_LEFT] = g_signal_new ("picture-left", SL_TYPE_DARKROOM_PAGE, G_SIGNAL_RUN_LAST, 0, NULL,
                                        NULL, NULL, G_TYPE_NONE, 1, SL_TYPE_PICTURE);
  signals[NEIGHBOUR_ASKED] = g_signal_new ("neighbour-asked", SL_TYPE_DARKROOM_PAGE, G_SIGNAL_RUN_LAST, 0,
                                           NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_INT);
  signals[PICTURE_CHANGED] = g_signal_new ("picture-changed", SL_TYPE_DARKROOM_PAGE, G_SIGNAL_RUN_LAST, 0,
                                           NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
sl_darkroom_page_init (SlDarkroomPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  add_keys (self);
}
