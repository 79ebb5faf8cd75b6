/* cli.c - from the command line to a command. */
#include "app/cli/cli.h"
#include "app/cli/interrupt.h"
#include "app/cli/session.h"
#include "app/files/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int Command(const SlOptions *options);

static Command *const run_command[SL_COMMANDS] = {
    [SL_COMMAND_GENERATE] = sl_cmd_generate,
    [SL_COMMAND_BRANCH] = sl_cmd_branch,
    [SL_COMMAND_COMPARE] = sl_cmd_compare,
    [SL_COMMAND_REPLAY] = sl_cmd_replay,
    [SL_COMMAND_INFO] = sl_cmd_info,
    [SL_COMMAND_SCHEDULERS] = sl_cmd_schedulers,
    [SL_COMMAND_TOKENIZE] = sl_cmd_tokenize,
    [SL_COMMAND_BENCH] = sl_cmd_bench,
    [SL_COMMAND_COMPLETION] = sl_cmd_completion,
};

static int print_help(SlCommand command)
{
    char *text = sl_options_help(command);
    if (text)
        fputs(text, stdout);
    else
        sl_say("memory ran out");
    free(text);
    return text ? SL_EXIT_OK : SL_EXIT_FAILED;
}

bool sl_cli_wanted(int argc, char **argv)
{
    if (argc < 2 ||
        strcmp(argv[1], "--gapplication-service") == 0) /* how D-Bus starts the window */
        return false;
    return argv[1][0] == '-' || sl_command_find(argv[1]) != SL_COMMANDS ||
           access(argv[1], F_OK) != 0;
}

/* Where the GPU failed and was chosen by the program, the command is run again on the CPU. With
 * --device cuda, and in bench, the error is reported instead. */
static int run(SlCommand command, const SlOptions *options)
{
    int status = run_command[command](options);
    bool ours = !options->device || strcmp(options->device, "auto") == 0;
    if (status == SL_EXIT_DEVICE && ours && command != SL_COMMAND_BENCH && !sl_interrupted()) {
        SlOptions again = *options;
        again.device = "cpu";
        sl_say("going on with the CPU, from the beginning");
        status = run_command[command](&again);
    }
    return status == SL_EXIT_DEVICE ? SL_EXIT_FAILED : status;
}

static int run_words(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    SlOptions options;
    SlError err;
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        return print_help(SL_COMMANDS);
    if (strcmp(word, "--version") == 0) {
        printf("safelight %s\n", SL_VERSION);
        return SL_EXIT_OK;
    }
    SlCommand command = sl_command_find(word);
    if (command == SL_COMMANDS) {
        sl_say("\"%s\" is neither a command nor a file; see `safelight --help`",
               sl_show_name(word).text);
        return SL_EXIT_USAGE;
    }
    /* A file that an option names may not be there, or memory run out: that is no wrong usage. */
    if (!sl_options_parse(command, argc - 1, argv + 1, &options, &err)) {
        sl_say("%s", err.message);
        return err.code == SL_IO || err.code == SL_MEMORY ? SL_EXIT_FAILED : SL_EXIT_USAGE;
    }
    if (options.help)
        return print_help(command);
    sl_interrupt_install();
    return run(command, &options);
}

int sl_cli_main(int argc, char **argv)
{
    return sl_say_end(run_words(argc, argv));
}
