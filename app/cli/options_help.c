/* options_help.c - what --help prints, from the table of options. */
#include "app/cli/options_private.h"

static void help_option(SlText *text, const SlOption *option)
{
    SlText left = {0};
    sl_text_addf(&left, "--%s", option->name);
    if (option->choices) {
        for (int i = 0; option->choices[i]; i++)
            sl_text_addf(&left, "%s%s", i ? "|" : " ", option->choices[i]);
    } else if (option->kind == SL_OPTION_SCHEDULER || option->value) {
        sl_text_addf(&left, " %s", option->value);
    }
    if (left.length > 28)
        sl_text_addf(text, "  %s\n  %-28s  ", left.data, "");
    else
        sl_text_addf(text, "  %-28s  ", left.data ? left.data : "");
    sl_text_add(text, option->help);
    if (option->kind == SL_OPTION_INT || option->kind == SL_OPTION_REAL)
        sl_text_addf(text, " (%.0f to %.0f)", option->min, option->max);
    sl_text_add(text, "\n");
    sl_text_free(&left);
}

static void help_program(SlText *text)
{
    sl_text_add(text, "Safelight: watch a picture come up out of the noise.\n\n"
                      "  safelight                     open the window\n"
                      "  safelight FILE.png|MODEL      open the window with it\n"
                      "  safelight COMMAND [OPTION...]\n\nCommands:\n");
    for (int i = 0; i < SL_COMMANDS; i++) {
        SlText left = {0};
        const char *argument = sl_commands[i].argument;
        sl_text_addf(&left, "%s%s%s", sl_commands[i].name, argument ? " " : "",
                     argument ? argument : "");
        sl_text_addf(text, "  %-28s  %s\n", left.data ? left.data : "", sl_commands[i].help);
        sl_text_free(&left);
    }
    sl_text_add(
        text, "\n`safelight COMMAND --help` lists a command's options.\n\n"
              "Exit status: 0 done, 1 the run failed, 2 wrong usage, 3 --verify found a\n"
              "difference, 130 interrupted (the last finished step is saved, marked as partial).\n"
              "Models are looked for in $SAFELIGHT_MODELS, $XDG_DATA_HOME/safelight/models and\n"
              "the installed models.\n");
}

char *sl_options_help(SlCommand command)
{
    SlText text = {0};
    if (command == SL_COMMANDS) {
        help_program(&text);
        return sl_text_take(&text);
    }
    const SlCommandInfo *c = &sl_commands[command];
    sl_text_addf(&text, "safelight %s [OPTION...]%s%s: %s\n\n", c->name, c->argument ? " " : "",
                 c->argument ? c->argument : "", c->help);
    for (size_t i = 0; i < sl_option_count; i++)
        if (sl_option_table[i].commands & 1u << command)
            help_option(&text, &sl_option_table[i]);
    return sl_text_take(&text);
}
