/* sl-kept-comparison-private.h - how they are read; for app/ only. */
#pragma once

#include "app/objects/compare/sl-kept-comparison.h"

G_BEGIN_DECLS

/* On the file thread: only what the file says of itself and the previews. NULL for what is no comparison of ours. */
SlKeptComparison *_sl_kept_comparison_read (const char *path);

G_END_DECLS
