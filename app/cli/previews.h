/* previews.h - the pictures of `--previews FOLDER`: one for each evaluation, of what the model
 * predicts there. By the tiny VAE that `--preview-decoder` names, or that is on the search path; else
 * decoded where that costs less than a step, else the linear preview. They change nothing of what is
 * computed: a preview that fails is a linear one.
 */
#ifndef SL_APP_PREVIEWS_H
#define SL_APP_PREVIEWS_H

#include "app/cli/session.h"

/* Before anything is opened: the folder is made, and the options are right. */
bool sl_previews_check(const SlOptions *options, SlError *err);
/* With the model open. One that is named and does not fit is an error, one that was found a note. */
bool sl_previews_open(SlSession *session, SlError *err);
/* At each frame: 0001.png, 0002.png ...; of lanes 1-0001.png. Without --previews nothing is written. What
 * can wait for something to see (sl_session_hash_beside) begins then. */
bool sl_previews_frame(SlSession *session, const SlFrame *frame, SlError *err);
bool sl_previews_moment(SlSession *session, int lane, const SlTimeline *timeline, SlError *err);

/* Of a frame: data is its x_t or x_0. */
SlSample sl_frame_sample(const SlFrame *frame, const float *data);

#endif
