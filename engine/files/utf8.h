/* utf8.h - is it UTF-8, and how a name from a file is shown in a message.
 *
 * Names in files are written by strangers: a message must not carry a terminal's escape sequences,
 * a line break or text that runs backwards.
 */
#ifndef SL_ENGINE_UTF8_H
#define SL_ENGINE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the well-formed character at s (RFC 3629: shortest form, no surrogates, at most
 * U+10FFFF), 0 where there is none in s[0 .. length). */
size_t sl_utf8_char(const char *s, size_t length);
bool sl_utf8_valid(const char *s, size_t length);

/* How the character at s[0 .. length), length > 0, is shown: out is it, or one byte as \xNN where it
 * is a control character, a bidirectional mark or not UTF-8. Gives the bytes of s that out stands
 * for. */
size_t sl_show_char(const char *s, size_t length, char out[5]);

/* Room for what sl_show_name and sl_show_path give. */
#define SL_SHOWN 264
typedef struct SlShown {
    char text[SL_SHOWN];
} SlShown;

/* A name fit for a message: control characters, bidirectional marks and bytes that are not UTF-8
 * stand as \xNN; a long name loses its end, a long path its beginning. */
SlShown sl_show_name(const char *name);
SlShown sl_show_path(const char *path);

#endif
