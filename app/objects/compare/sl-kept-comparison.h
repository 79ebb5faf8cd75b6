/* sl-kept-comparison.h - a comparison that was kept by itself: its file and what a list shows of it. Never changes. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define SL_KEPT_THUMBNAILS 4

#define SL_TYPE_KEPT_COMPARISON (sl_kept_comparison_get_type ())

G_DECLARE_FINAL_TYPE (SlKeptComparison, sl_kept_comparison, SL, KEPT_COMPARISON, GObject)

const char *sl_kept_comparison_get_path (SlKeptComparison *self);
/* Of the first lane; may be "". */
const char *sl_kept_comparison_get_prompt (SlKeptComparison *self);
/* The ids of the schedulers of its lanes, each once, in their order. */
const char *const *sl_kept_comparison_get_schedulers (SlKeptComparison *self);
guint sl_kept_comparison_get_lanes (SlKeptComparison *self);
/* When it was written, in microseconds since 1970. */
gint64 sl_kept_comparison_get_time (SlKeptComparison *self);
/* RGB rows of how the first lanes end, as quick previews; NULL from the first that is not there. */
GBytes *sl_kept_comparison_get_thumbnail (SlKeptComparison *self, guint lane, int *width, int *height);

G_END_DECLS
