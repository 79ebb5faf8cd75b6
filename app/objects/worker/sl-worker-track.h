/* sl-worker-track.h - a job on its way, on the worker's thread: sl-worker-post.c tells the main thread
 * of it, sl-worker-begin.c makes its run, sl-worker-run.c advances it. */
#pragma once

#include "app/objects/sl-frame-plan.h"
#include "app/objects/worker/sl-worker-private.h"

G_BEGIN_DECLS

typedef struct
{
  SlEngineSide *side;
  SlJob *job;
  SlOrigin *came_from; /* what a branch's pictures say about it */
  SlShare *share;      /* texts and first evaluations that lanes have in common; NULL: none */
  SlBranchStart *origin;
  SlFramePlan plan; /* what is kept of it */
  SlRun *run;       /* NULL: over, or paused */
  int first;        /* evaluations of the run that are not the job's own: it branches there */
  int offset;       /* of a branch: evaluations in the job's list less those of its own run */
  int step_offset;  /* the same for steps */
  int retries;
  gboolean fast;        /* its evaluations are made in a batch with others' */
  gboolean had_turn;    /* in this round */
  gboolean lost_device; /* it failed for good */
} SlTrack;

gboolean _sl_track_is_stopped (SlTrack *track);
/* Of an evaluation that failed: a cancel for another job's sake, to be tried again. */
gboolean _sl_track_was_stray_cancel (SlTrack *track, const SlError *err);

/* ---- messages to the main thread ---- */

void _sl_track_post_state (SlTrack *track, SlJobState state, const char *text);
void _sl_track_post_started (SlTrack *track);
/* FALSE and *err when the last moment's picture is none. */
gboolean _sl_track_post_frame (SlTrack *track, const SlFrame *frame, SlError *err);
/* The frame whose picture was computed while the run went on. */
void _sl_side_post_pending (SlEngineSide *side);
void _sl_track_post_checkpoint (SlTrack *track);
void _sl_track_post_paused (SlTrack *track);

/* ---- from beginning to end ---- */

/* Makes the run and takes it to where it goes on; saved (may be NULL) is a timeline's bytes. Without a
 * run, its end is posted. */
void _sl_track_begin (SlTrack *track, GBytes *saved);
void _sl_track_end (SlTrack *track, SlJobState state, const char *text);
void _sl_track_fail (SlTrack *track, const SlError *err);

G_END_DECLS
