/* options_help.c - what --help prints, from the tables of settings and of options. */
#include "app/cli/options_private.h"

/* "  --name VALUE   what it is"; choices (may be NULL) stand for value. */
static void help_line(SlText *text, const char *name, const char *value, const char *const *choices,
                      const char *help)
{
    SlText left = {0};
    sl_text_addf(&left, "--%s", name);
    for (int i = 0; choices && choices[i]; i++)
        sl_text_addf(&left, "%s%s", i ? "|" : " ", choices[i]);
    if (!choices && value)
        sl_text_addf(&left, " %s", value);
    if (left.length > 28)
        sl_text_addf(text, "  %s\n  %-28s  ", left.data, "");
    else
        sl_text_addf(text, "  %-28s  ", left.data ? left.data : "");
    sl_text_add(text, help);
    sl_text_free(&left);
}

static void help_setting(SlText *text, const SlSettingInfo *s)
{
    help_line(text, s->option, s->value, s->choices, s->usage);
    if (s->max > s->min)
        sl_text_addf(text, " (%.10g to %.10g)", s->min, s->max);
    sl_text_add(text, "\n");
}

static void help_option(SlText *text, const SlOption *option)
{
    help_line(text, option->name, option->value, sl_option_choices(option), option->help);
    if (option->kind == SL_OPTION_INT)
        sl_text_addf(text, " (%.10g to %.10g)", option->min, option->max);
    if (option->kind == SL_OPTION_LANES)
        sl_options_list_lane_settings(text);
    sl_text_add(text, "\n");
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
    for (int i = 0; i < SL_N_SETTINGS; i++)
        if (sl_command_takes(command, sl_setting(i)))
            help_setting(&text, sl_setting(i));
    for (size_t i = 0; i < sl_option_count; i++)
        if (sl_option_table[i].commands & 1u << command)
            help_option(&text, &sl_option_table[i]);
    return sl_text_take(&text);
}
