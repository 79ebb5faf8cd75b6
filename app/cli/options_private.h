/* options_private.h - the table of options and commands, for what reads the command line, the lanes' settings
 * and what prints the help. */
#ifndef SL_APP_OPTIONS_PRIVATE_H
#define SL_APP_OPTIONS_PRIVATE_H

#include "app/cli/options.h"

typedef enum SlOptionKind {
    SL_OPTION_FLAG,
    SL_OPTION_TEXT,
    SL_OPTION_PNG_FILE,
    SL_OPTION_WEBP_FILE,
    SL_OPTION_LANES_FILE,
    SL_OPTION_CHOICE,
    SL_OPTION_WORD,
    SL_OPTION_INT,
    SL_OPTION_REAL,
    SL_OPTION_SEED,
    SL_OPTION_SCHEDULER,
    SL_OPTION_LIST,
    SL_OPTION_LANES
} SlOptionKind;

typedef struct SlOption {
    const char *name;
    SlOptionKind kind;
    size_t offset;
    unsigned commands; /* a bit per SlCommand */
    const char *value; /* what help calls it */
    const char *help;
    const char *const *choices;
    double min, max;
} SlOption;

#define SL_OPTION_OF_LANE (1u << 30) /* among commands: a lane may have its own */

extern const SlOption sl_option_table[];
extern const size_t sl_option_count;

typedef struct SlCommandInfo {
    const char *name;
    const char *argument; /* what it takes besides options, or NULL */
    bool needs_argument;
    const char *help;
} SlCommandInfo;

extern const SlCommandInfo sl_commands[SL_COMMANDS];

/* Sets an option's value in *options; false and *err, naming option and value, when it is not one. */
bool sl_option_take(const SlOption *option, const char *value, SlOptions *options, SlError *err);

#endif
