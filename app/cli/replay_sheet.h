/* replay_sheet.h - the part of `safelight replay` that is for sheets and animations of lanes. */
#ifndef SL_APP_REPLAY_SHEET_H
#define SL_APP_REPLAY_SHEET_H

#include "app/cli/options.h"

/* False when the file is not one of lanes (or not readable: then the usual replay says why); else
 * it is replayed and *status the exit status. */
bool sl_replay_sheet(const SlOptions *options, int *status);

#endif
