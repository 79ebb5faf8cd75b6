/* sl-gallery-tree.h - pictures in the order of their families.
 *
 * The family with the newest picture comes first. In a family, a run's pictures come before its
 * branches, those by the step at which they left it; a run's end comes before moments of it. A parent
 * that is not there leaves its branches together; when its own parent is there, they are that one's.
 */
#pragma once

#include "app/objects/gallery/sl-picture-private.h"

G_BEGIN_DECLS

/* Of SlPicture, in any order; returns the same ones, and tells each its place. */
GPtrArray *_sl_gallery_tree_sort (GPtrArray *pictures);

G_END_DECLS
