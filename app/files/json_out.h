/* json_out.h - JSON that is put together as a whole or not at all.
 *
 * cJSON gives NULL for a member that memory ran out for, and a text without it is still JSON: a
 * file that cannot be opened again, or that says something else. So nothing outside calls cJSON's
 * functions that create: after the first failure these do nothing, and sl_out_end asks once.
 *
 *     SlJsonOut out = {0};
 *     cJSON *root = sl_out_object(&out, NULL, NULL), *list = sl_out_array(&out, root, "lanes");
 *     sl_out_number(&out, list, NULL, 3);
 *     return sl_out_end(&out, root);
 */
#ifndef SL_APP_JSON_OUT_H
#define SL_APP_JSON_OUT_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct cJSON;

typedef struct SlJsonOut {
    bool failed; /* memory ran out */
} SlJsonOut;

/* New and empty; to NULL: a root. In all of these key is NULL where `to` is an array. */
struct cJSON *sl_out_object(SlJsonOut *out, struct cJSON *to, const char *key);
struct cJSON *sl_out_array(SlJsonOut *out, struct cJSON *to, const char *key);
void sl_out_text(SlJsonOut *out, struct cJSON *to, const char *key, const char *text);
void sl_out_number(SlJsonOut *out, struct cJSON *to, const char *key, double number);
void sl_out_bool(SlJsonOut *out, struct cJSON *to, const char *key, bool value);
void sl_out_null(SlJsonOut *out, struct cJSON *to, const char *key);
/* As a number or, above 2^53, where doubles have gaps, as a string of digits. */
void sl_out_u64(SlJsonOut *out, struct cJSON *to, const char *key, uint64_t value);
/* A list of n numbers with all their digits; cJSON's own way to write one loses some. */
void sl_out_row(SlJsonOut *out, struct cJSON *to, const char *key, const double *values, int n);
/* The lines of a text (may be NULL) as a list of strings. */
void sl_out_lines(SlJsonOut *out, struct cJSON *to, const char *key, const char *text);
/* Takes over what another function put together; NULL, its failure, is this one's. */
void sl_out_item(SlJsonOut *out, struct cJSON *to, const char *key, struct cJSON *item);

/* The root, or NULL (and it is deleted) where anything failed. Free it with cJSON_Delete. */
struct cJSON *sl_out_end(const SlJsonOut *out, struct cJSON *root);
/* The same as text without blanks, malloc'ed; the root is deleted in any case. */
char *sl_out_end_text(const SlJsonOut *out, struct cJSON *root);

#ifdef __cplusplus
}
#endif

#endif
