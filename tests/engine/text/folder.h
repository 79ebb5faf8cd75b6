/* folder.h - tokenizer folders that tests put together. */
#ifndef SL_TESTS_TEXT_FOLDER_H
#define SL_TESTS_TEXT_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

/* A whole file, with a 0 after its end; malloc'ed. Stops the program when it cannot be read. */
char *read_file(const char *path, size_t *length);
/* A temporary folder with vocab.json and merges.txt of goldens/text/tokenizer; malloc'ed. */
char *new_folder(void);
/* Writes folder/name; NULL text removes it. */
void write_file(const char *folder, const char *name, const char *text, size_t length);
/* Copies the settings of goldens/text/settings/<kind>, or for "sd1" those of the tokenizer. */
void copy_settings(const char *folder, const char *kind);
/* The tokenizer.json that transformers 5 saves for settings of this kind, with the vocabulary of the
 * folder and its merges as pairs or as texts; malloc'ed. */
char *whole_tokenizer(const char *folder, const char *kind, bool pairs);
/* Makes of the folder one that transformers 5 saved: tokenizer.json and tokenizer_config.json. */
void make_whole(const char *folder, const char *kind, bool pairs);
/* Removes the folder and frees its name. */
void remove_folder(char *folder);

#endif
