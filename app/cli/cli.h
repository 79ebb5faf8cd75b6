/* cli.h - the command line. */
#ifndef SL_APP_CLI_H
#define SL_APP_CLI_H

#include "app/cli/options.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Runs `safelight COMMAND ...`; argv[1] is the command, "--help" or "--version". Gives the exit
 * status. */
int sl_cli_main(int argc, char **argv);
/* Whether argv asks for the command line: its first word is anything but a file that is there. */
bool sl_cli_wanted(int argc, char **argv);

/* One per command; each prints its own errors and gives the exit status. */
int sl_cmd_generate(const SlOptions *options);
int sl_cmd_branch(const SlOptions *options);
int sl_cmd_compare(const SlOptions *options);
int sl_cmd_replay(const SlOptions *options);
/* What replay does with a .safelight file. */
int sl_replay_lanes(const SlOptions *options);
int sl_cmd_info(const SlOptions *options);
int sl_cmd_schedulers(const SlOptions *options);
int sl_cmd_tokenize(const SlOptions *options);
int sl_cmd_bench(const SlOptions *options);
int sl_cmd_completion(const SlOptions *options);

#ifdef __cplusplus
}
#endif

#endif
