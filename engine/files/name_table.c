/* name_table.c - see name_table.h: open addressing, at most half full. */
#include "engine/files/name_table.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

typedef struct Slot {
    const char *name; /* NULL: free */
    uint32_t hash;
    uint32_t value;
} Slot;

struct SlNameTable {
    uint64_t key;
    size_t mask;
    Slot slots[];
};

static uint64_t mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t hash_name(uint64_t key, const char *name)
{
    size_t length = strlen(name), i = 0;
    uint64_t h = key ^ length, word;
    for (; i + 8 <= length; i += 8) {
        memcpy(&word, name + i, 8);
        h = mix(h ^ word, 0x9e3779b97f4a7c15u ^ key);
    }
    word = 0;
    memcpy(&word, name + i, length - i);
    return mix(mix(h ^ word, 0xbf58476d1ce4e5b9u ^ key), 0x94d049bb133111ebu);
}

SlNameTable *sl_name_table_new(size_t capacity)
{
    size_t slots = 16;
    if (capacity >= UINT32_MAX)
        return NULL;
    while (slots < capacity * 2)
        slots *= 2;
    SlNameTable *t = calloc(1, sizeof *t + slots * sizeof(Slot));
    if (!t)
        return NULL;
    t->mask = slots - 1;
    if (getrandom(&t->key, sizeof t->key, GRND_NONBLOCK) != sizeof t->key)
        t->key = (uintptr_t)t;
    t->key |= 1;
    return t;
}

void sl_name_table_free(SlNameTable *t)
{
    free(t);
}

/* The name's slot, or the free one where it would stand. */
static size_t probe(const SlNameTable *t, const char *name, uint32_t *hash)
{
    uint64_t h = hash_name(t->key, name);
    size_t i = (size_t)h & t->mask;
    *hash = (uint32_t)(h >> 32);
    while (t->slots[i].name && (t->slots[i].hash != *hash || strcmp(t->slots[i].name, name)))
        i = (i + 1) & t->mask;
    return i;
}

bool sl_name_table_add(SlNameTable *t, const char *name, size_t value)
{
    uint32_t hash;
    size_t i = probe(t, name, &hash);
    if (t->slots[i].name)
        return false;
    t->slots[i] = (Slot){name, hash, (uint32_t)value};
    return true;
}

bool sl_name_table_find(const SlNameTable *t, const char *name, size_t *value)
{
    uint32_t hash;
    const Slot *slot = &t->slots[probe(t, name, &hash)];
    if (slot->name)
        *value = slot->value;
    return slot->name != NULL;
}
