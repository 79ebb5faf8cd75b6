/* info_embedding.h - `safelight info` of a textual inversion. */
#ifndef SL_APP_INFO_EMBEDDING_H
#define SL_APP_INFO_EMBEDDING_H

#include "app/cli/options.h"

/* Whether a path is a file of embeddings. *err only without memory. */
bool sl_info_is_embedding(const char *path, SlError *err);
/* Prints what is known of it; the exit status. */
int sl_info_embedding(const SlOptions *options, const char *path);

#endif
