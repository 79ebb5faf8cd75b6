/* torch_file.h - files of torch.save (.pt, .bin) as a source of weights: small ones, textual inversions.
 * The pickle in them is read without being run (pickle.h). Models in such files stay refused. */
#ifndef SL_ENGINE_TORCH_FILE_H
#define SL_ENGINE_TORCH_FILE_H

#include "engine/files/weights.h"

/* Whether a file that can be read begins as torch.save's do, in the zip form or the one before it. */
bool sl_torch_file_is(const char *path);
/* The tensors of the dict that was saved, by their keys; of a dict in it by both ("string_to_param.*").
 * Its texts and numbers are the source's metadata. A tensor that was saved alone has the name "". NULL
 * and *err when the file cannot be read, is damaged, or its pickle holds anything else than torch.save
 * writes of tensors. */
SlWeightSource *sl_torch_file_open(const char *path, SlError *err);

#endif
