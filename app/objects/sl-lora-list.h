/* sl-lora-list.h - the LoRAs of a recipe, as a list that the window shows and changes.
 *
 * The recipe's property "lora" is the truth: the list writes it, and follows it where something else does.
 */
#pragma once

#include "app/objects/sl-list.h"
#include "app/objects/sl-lora.h"
#include "app/objects/sl-settings.h"

G_BEGIN_DECLS

#define SL_TYPE_LORA_LIST (sl_lora_list_get_type ())

G_DECLARE_FINAL_TYPE (SlLoraList, sl_lora_list, SL, LORA_LIST, SlList)

/* Files that were added once are remembered in preferences ("lora-files"), and found again. */
SlLoraList *sl_lora_list_new (SlThreadQueue *files, SlSettings *recipe, GSettings *preferences);
/* No file is read any more. */
void sl_lora_list_close (SlLoraList *self);
/* Which model they are to fit; all are read again. */
void sl_lora_list_set_model (SlLoraList *self, SlModelItem *model);
SlModelItem *sl_lora_list_get_model (SlLoraList *self);
/* Reads a LoRA, in the list or not, for that model. */
void sl_lora_list_read (SlLoraList *self, SlLora *lora);
/* The thread that reads; NULL once the list is closed. */
SlThreadQueue *sl_lora_list_get_files (SlLoraList *self);
/* What is missing may be here by now. */
void sl_lora_list_look_again (SlLoraList *self);

typedef struct
{
  SlLora *lora;     /* in the list; NULL: it is not */
  gboolean is_lora; /* FALSE: the file is something else, as error says */
  gboolean same;    /* located: it is the file that the recipe names */
  const GError *error;
} SlLoraAnswer;
typedef void (*SlLoraAnswered) (const SlLoraAnswer *answer, gpointer user_data);
/* A file at the end of the list. answered may be NULL, and is not called after sl_lora_list_close. */
void sl_lora_list_add (SlLoraList *self, const char *path, SlLoraAnswered answered, gpointer user_data);
/* A file instead of one that is missing, with its strengths. */
void sl_lora_list_locate (
    SlLoraList *self, SlLora *lora, const char *path, SlLoraAnswered answered, gpointer user_data);

/* Of one in the list. */
void sl_lora_list_set_strength (SlLoraList *self, SlLora *lora, double unet, double text);
/* Where from is not below to, nothing changes. */
void sl_lora_list_set_range (SlLoraList *self, SlLora *lora, double from, double to);
/* FALSE and a sentence where the text is no curve. */
gboolean sl_lora_list_set_curve (SlLoraList *self, SlLora *lora, const char *curve, GError **error);
/* The place where it was. */
guint sl_lora_list_remove (SlLoraList *self, SlLora *lora);
/* One that was removed comes back; FALSE where the list is full. */
gboolean sl_lora_list_insert (SlLoraList *self, SlLora *lora, guint position);

/* A recipe's LoRAs in a few words, "0.5 × cat, 1 × dog": without hashes and folders. */
char *sl_loras_describe (const char *text);

G_END_DECLS
