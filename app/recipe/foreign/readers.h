/* readers.h - the readers of other programs' settings: one table of who is recognised by what, and
 * one file for each program. Each puts what it finds into an importer.
 *
 * Their JSON is theirs: bare NaN (Python's json) counts as null, and whole numbers too long for a
 * double keep their digits.
 */
#ifndef SL_APP_READERS_H
#define SL_APP_READERS_H

#include "app/recipe/foreign/comments.h"
#include "app/recipe/foreign/importer.h"

typedef struct SlForeign {
    const char *source; /* the name that is shown */
    SlPromptMode mode;  /* whose language its prompts are in; plain: none that is read here */
    unsigned words;     /* what they have words for besides: SlPromptWords */
    /* The text that it reads; NULL: none of these texts is its own. */
    const char *(*find)(const SlPictureTexts *texts);
    /* False and *err only when the text is not what its place promises, or without memory. */
    bool (*read)(SlImporter *im, const SlPictureTexts *texts, const char *text, SlError *err);
} SlForeign;

extern const SlForeign sl_foreign_readers[];
extern const int sl_foreign_count;

/* ---- one file each ---- */

/* webui.c: the common `parameters` text (see infotext.h). False when it has a prompt at most. */
bool sl_foreign_webui(SlImporter *im, const SlPictureTexts *texts, const char *text, SlError *err);
/* invokeai.c: `invokeai_metadata` (3 to 6), `sd-metadata` (2), `Dream` (1) */
bool sl_foreign_invokeai(SlImporter *im, const SlPictureTexts *texts, const char *text,
                         SlError *err);
bool sl_foreign_invokeai_2(SlImporter *im, const SlPictureTexts *texts, const char *text,
                           SlError *err);
bool sl_foreign_invokeai_1(SlImporter *im, const SlPictureTexts *texts, const char *text,
                           SlError *err);
/* swarmui.c, fooocus.c, drawthings.c: JSON in a comment */
bool sl_foreign_swarmui(SlImporter *im, const SlPictureTexts *texts, const char *text,
                        SlError *err);
bool sl_foreign_fooocus(SlImporter *im, const SlPictureTexts *texts, const char *text,
                        SlError *err);
bool sl_foreign_drawthings(SlImporter *im, const SlPictureTexts *texts, const char *text,
                           SlError *err);
/* easydiffusion.c: JSON in a comment, or a text for each setting */
const char *sl_foreign_find_easydiffusion(const SlPictureTexts *texts);
bool sl_foreign_easydiffusion(SlImporter *im, const SlPictureTexts *texts, const char *text,
                              SlError *err);
/* novelai.c: `Comment` and `Description`, or both as JSON in a comment */
const char *sl_foreign_find_novelai(const SlPictureTexts *texts);
bool sl_foreign_novelai(SlImporter *im, const SlPictureTexts *texts, const char *text,
                        SlError *err);
/* comfyui.c: the graph that was run (`prompt`), or only its drawing (`workflow`) */
const char *sl_foreign_find_comfyui(const SlPictureTexts *texts);
const char *sl_foreign_find_workflow(const SlPictureTexts *texts);
bool sl_foreign_comfyui(SlImporter *im, const SlPictureTexts *texts, const char *text,
                        SlError *err);
bool sl_foreign_workflow(SlImporter *im, const SlPictureTexts *texts, const char *text,
                         SlError *err);

#endif
