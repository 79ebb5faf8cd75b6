/* options.h - the command line of every sub-command, from one table.
 *
 * Parsing is our own and not getopt_long: names must be written out (getopt takes abbreviations,
 * which break scripts when an option is added), values may start with '-', and every complaint
 * names the option, the value and what was expected.
 */
#ifndef SL_APP_OPTIONS_H
#define SL_APP_OPTIONS_H

#include "app/files/files.h"
#include "app/record/record.h"
#include "engine/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum SlCommand {
    SL_COMMAND_GENERATE,
    SL_COMMAND_BRANCH,
    SL_COMMAND_COMPARE,
    SL_COMMAND_REPLAY,
    SL_COMMAND_INFO,
    SL_COMMAND_SCHEDULERS,
    SL_COMMAND_TOKENIZE,
    SL_COMMAND_BENCH,
    SL_COMMAND_COMPLETION,
    SL_COMMANDS,
} SlCommand;

#define SL_COMPARE_MAX 64 /* times that --lane can be given */

/* Strings are borrowed from argv. The settings of a picture are in `values`, those that were given
 * named by `given`; of everything else NULL and negative numbers say that it was not given. */
typedef struct SlOptions {
    SlCommand command;
    bool help;

    SlRecipe values;
    SlSettingSet given;

    int64_t step, threads, word_level, reference, animation_ms, animation_size;
    const char *model, *device, *dtype, *against, *arch, *quality;
    const char *vae, *unet, *text_encoder, *text_encoder_2, *refiner, *latents, *step_noise, *dump,
        *previews;
    const char *preview_decoder, *word_maps, *output, *sheet;
    const char *schedulers; /* compare: the list, every id known, or "all" */
    const char
        *lanes[SL_COMPARE_MAX]; /* compare: settings of each, as sl_options_lane reads them */
    int lane_count;
    const char *grid[SL_GRID_AXES]; /* compare: "steps:10,20", as sl_grid_parse reads it */
    int align;                      /* SlLineUp */
    const char *animation, *animation_captions, *save, *open, *table, *report;
    const char *dynamic, *wildcards;
    bool json, quiet, verify, profile, maps, cached, fast, save_words, measure_types;

    const char *argument; /* FILE, MODEL or TEXT of the commands that take one */
} SlOptions;

/* The command of a name, SL_COMMANDS when there is none. */
SlCommand sl_command_find(const char *name);
const char *sl_command_name(SlCommand command);

/* argv[0] is the command's name. False and *err, fit for a person, when something is wrong. */
bool sl_options_parse(SlCommand command, int argc, char **argv, SlOptions *options, SlError *err);
/* Splits options->schedulers; ids are static. Gives their number. "all" are those that suit what
 * the model predicts. */
int sl_options_schedulers(const SlOptions *options, SlPrediction prediction,
                          const char *ids[SL_COMPARE_MAX]);
/* How --animation is to look; captions are on where that is usual and nothing was said. False and *err
 * where it was said without --animation. */
bool sl_options_look(const SlOptions *options, bool usual, SlReelLook *look, SlError *err);
/* Whether a setting was given. */
bool sl_options_given(const SlOptions *options, SlSetting setting);
/* Gives a setting that is a text, borrowed. */
void sl_options_give_text(SlOptions *options, SlSetting setting, const char *text);
/* Puts the settings of a lane, "scheduler=heun,steps=20,prompt=a house, red", over *lane. text is
 * cut up and borrowed. A comma starts another setting only where a known name and '=' follow. */
bool sl_options_lane(char *text, SlOptions *lane, SlError *err);
/* What --help prints, malloc'ed; SL_COMMANDS for the program itself. */
char *sl_options_help(SlCommand command);

#ifdef __cplusplus
}
#endif

#endif
