/* read_ahead.h - has the system fetch files of weights while what was read of them is laid out.
 *
 * Weights are read in small pieces by threads that then lay them out: from a disk that is slower than
 * memory, they would wait for it and it for them. A thread that only names what comes next keeps the
 * disk busy; the pieces are then in the page cache when they are read. It is a hint: where it cannot
 * be given, weights are read as before. Files that are in the page cache cost it a few milliseconds a
 * gigabyte.
 */
#ifndef SL_ENGINE_READ_AHEAD_H
#define SL_ENGINE_READ_AHEAD_H

#include "engine/files/weights.h"

typedef struct SlReadAhead SlReadAhead;

/* From the first file of a source on, each from its beginning, as far as half of the host's free
 * memory goes. The source is held until the end. NULL where no thread or memory is to be had. */
SlReadAhead *sl_read_ahead_begin(SlWeightSource *weights);
/* Names no more. NULL is fine. */
void sl_read_ahead_end(SlReadAhead *ahead);
/* Waits until all was named, for tests: true if it was. */
bool sl_read_ahead_wait(SlReadAhead *ahead);

#endif
