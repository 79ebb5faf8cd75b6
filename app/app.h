/* app.h - what the window sees of the program: objects without a display, and nothing of the
 * engine. */
#pragma once

#include "app/sl-compare-lane.h"
#include "app/sl-compare-presets.h"
#include "app/sl-comparison-export.h"
#include "app/sl-comparison-file.h"
#include "app/sl-comparison.h"
#include "app/sl-difference.h"
#include "app/sl-frame-object.h"
#include "app/sl-gallery.h"
#include "app/sl-job.h"
#include "app/sl-lane.h"
#include "app/sl-model-item.h"
#include "app/sl-model-store.h"
#include "app/sl-picture.h"
#include "app/sl-places.h"
#include "app/sl-queue.h"
#include "app/sl-reader.h"
#include "app/sl-scheduler-item.h"
#include "app/sl-settings.h"
#include "app/sl-worker.h"
#include "app/sl-writer.h"
