/* safetensors_writer.h - arrays into a .safetensors file. */
#ifndef SL_APP_SAFETENSORS_WRITER_H
#define SL_APP_SAFETENSORS_WRITER_H

#include "app/files/atomic_file.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct SlTensorWriter SlTensorWriter;

SlTensorWriter *sl_tensor_writer_new(void); /* NULL without memory */
/* Copies; memory that runs out is reported by save. size has rank entries. */
void sl_tensor_writer_add(SlTensorWriter *w, const char *name, int rank, const int64_t *size,
                          const float *data);
/* The same for elements of another type: SL_F32, SL_F16, SL_BF16 or SL_U8. */
void sl_tensor_writer_add_typed(SlTensorWriter *w, const char *name, SlDtype dtype, int rank,
                                const int64_t *size, const void *data);
/* A tensor that is not copied but asked for, row by row of its first size, when it is saved: row
 * gives a row's bytes, its own or written into scratch, which has room for one. arg stays until
 * then. */
typedef struct SlTensorRows {
    const void *(*row)(const void *arg, int64_t i, void *scratch);
    const void *arg;
} SlTensorRows;
void sl_tensor_writer_add_rows(SlTensorWriter *w, const char *name, SlDtype dtype,
                               const int64_t size[4], const SlTensorRows *rows);
/* A text that the file carries under a key; once, before the tensors. */
void sl_tensor_writer_set_metadata(SlTensorWriter *w, const char *key, const char *value);
/* What reads the file back before it takes the old one's place; see sl_atomic_commit_checked. */
void sl_tensor_writer_check(SlTensorWriter *w, SlAtomicCheck check, void *arg);
/* Writes atomically, tensors in the order they were added. */
bool sl_tensor_writer_save(const SlTensorWriter *w, const char *path, SlError *err);
void sl_tensor_writer_free(SlTensorWriter *w); /* NULL is fine */

#ifdef __cplusplus
}
#endif

#endif
