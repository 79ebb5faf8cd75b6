/* info_adapter.h - `safelight info` of a LoRA. */
#ifndef SL_APP_INFO_ADAPTER_H
#define SL_APP_INFO_ADAPTER_H

#include "app/cli/options.h"

/* Whether a path is a file of an adapter's tensors. *err only without memory. */
bool sl_info_is_adapter(const char *path, SlError *err);
/* Prints what is known of it; the exit status. */
int sl_info_adapter(const SlOptions *options, const char *path);

#endif
