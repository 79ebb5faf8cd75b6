/* name_table.h - names to numbers: a hash table that a hostile file cannot make slow, since its
 * hash is keyed anew for each table. */
#ifndef SL_ENGINE_NAME_TABLE_H
#define SL_ENGINE_NAME_TABLE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct SlNameTable SlNameTable;

/* Room for `capacity` names, fewer than 2^32. NULL when memory runs out. */
SlNameTable *sl_name_table_new(size_t capacity);
void sl_name_table_free(SlNameTable *t); /* NULL is fine */
/* false when the name is there already. The name is borrowed. */
bool sl_name_table_add(SlNameTable *t, const char *name, size_t value);
bool sl_name_table_find(const SlNameTable *t, const char *name, size_t *value);

#endif
