/* sl-queue-popover.h - the waiting pictures: see, move, remove; pause them all with the one that runs. */
#pragma once

#include <gtk/gtk.h>

#include "app/objects/objects.h"

G_BEGIN_DECLS

#define SL_TYPE_QUEUE_POPOVER (sl_queue_popover_get_type ())

G_DECLARE_FINAL_TYPE (SlQueuePopover, sl_queue_popover, SL, QUEUE_POPOVER, GtkPopover)

/* Once. Adds the actions "clear-queue" and "stop-all"; what waited can be brought back. */
void sl_queue_popover_connect (SlQueuePopover *self, SlQueue *queue, GActionMap *actions);

G_END_DECLS
