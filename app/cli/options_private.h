/* options_private.h - the table of options and commands, for what reads the command line and
 * the lanes' settings, and what prints the help. */
#ifndef SL_APP_OPTIONS_PRIVATE_H
#define SL_APP_OPTIONS_PRIVATE_H

#include "app/cli/options.h"

typedef enum SlOptionKind {
    SL_OPTION_FLAG,
    SL_OPTION_TEXT,
    SL_OPTION_PNG_FILE,
    SL_OPTION_ANIMATION_FILE,
    SL_OPTION_LANES_FILE,
    SL_OPTION_CSV_FILE,
    SL_OPTION_HTML_FILE,
    SL_OPTION_CHOICE,
    SL_OPTION_WORD,
    SL_OPTION_TYPES, /* a word, and behind it parts of other types: bf16,vae=f32 */
    SL_OPTION_INT,
    SL_OPTION_LIST,
    SL_OPTION_LANES,
    SL_OPTION_GRID /* one axis or both, each a word */
} SlOptionKind;

typedef struct SlOption {
    const char *name;
    SlOptionKind kind;
    size_t offset;
    unsigned commands; /* a bit per SlCommand */
    const char *value; /* what help calls it */
    const char *help;
    const char *const *choices; /* see sl_option_choices */
    double min, max;
} SlOption;

/* Every option but the settings of a picture, which are sl_setting_table's. */
extern const SlOption sl_option_table[];
extern const size_t sl_option_count;
/* The words that an option takes, NULL behind the last; NULL: any. */
const char *const *sl_option_choices(const SlOption *option);

typedef struct SlCommandInfo {
    const char *name;
    const char *argument; /* what it takes besides options, or NULL */
    bool needs_argument;
    const char *help;
} SlCommandInfo;

extern const SlCommandInfo sl_commands[SL_COMMANDS];

/* Whether a command takes a setting as an option. */
bool sl_command_takes(SlCommand command, const SlSettingInfo *setting);
/* Sets a setting's value in *options; false and *err, naming option and value, when it is not
 * one. */
bool sl_option_take_setting(const SlSettingInfo *setting, const char *value, SlOptions *options,
                            SlError *err);

/* The names of the settings that a lane may have of its own, with commas. */
void sl_options_list_lane_settings(SlText *text);

#endif
