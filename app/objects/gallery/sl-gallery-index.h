/* sl-gallery-index.h - what is known of the pictures of each folder, so that opening a gallery does not read
 * them all: a database of SQLite in the person's own data folder (docs/formats.md), for all folders, windows and
 * processes.
 *
 * The PNG files hold everything. What the index does not know, or knows of an older file of that name, is read
 * again; a damaged database is put aside and made anew; without one the gallery works, and reads every picture.
 * All functions are for the file thread; each task opens the database for itself.
 */
#pragma once

#include "app/objects/gallery/sl-lineage.h"

G_BEGIN_DECLS

/* A file whose name ends in .png. */
typedef struct
{
  char *name;   /* in its folder */
  gint64 mtime; /* nanoseconds since 1970, of the file that is described */
  gint64 bytes; /* its size */
  char *prompt; /* NULL: it is no picture of ours */
  SlLineage *lineage;
} SlIndexEntry;

typedef struct _SlGalleryIndex SlGalleryIndex;

SlIndexEntry *_sl_index_entry_new (const char *name, gint64 mtime, gint64 bytes);
void _sl_index_entry_free (SlIndexEntry *entry);

/* NULL where the database cannot be used; the others take that. */
SlGalleryIndex *_sl_gallery_index_open (void);
void _sl_gallery_index_close (SlGalleryIndex *self);
/* Name -> SlIndexEntry, all that is known of the folder; never NULL. */
GHashTable *_sl_gallery_index_read (SlGalleryIndex *self, const char *folder);
/* In one go: entries (of SlIndexEntry, which are sorted) are known from now on, gone (of char *, names) are
 * forgotten. */
void _sl_gallery_index_update (SlGalleryIndex *self, const char *folder, GPtrArray *entries, GPtrArray *gone);
/* Forgets folders that are not there. One that is away only for now (a drive) is read again when it is back. */
void _sl_gallery_index_forget_folders (SlGalleryIndex *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlIndexEntry, _sl_index_entry_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlGalleryIndex, _sl_gallery_index_close)

G_END_DECLS
