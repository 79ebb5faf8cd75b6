/* completion.c - `safelight completion SHELL`: what a shell completes, from the tables of commands,
 * settings and options. Words that have no list are completed as file names.
 */
#include "app/cli/cli.h"
#include "app/cli/options_private.h"
#include "app/cli/session.h"

#include <stdio.h>
#include <string.h>

/* What a shell has to know of an option. */
typedef struct Entry {
    const char *name, *value, *help;
    bool takes_value, schedulers;
    const char *const *choices;
} Entry;

typedef void Print(SlCommand command, const Entry *entry);

static Entry entry_of_setting(const SlSettingInfo *s)
{
    return (Entry){.name = s->option,
                   .value = s->value,
                   .help = s->usage,
                   .takes_value = true,
                   .schedulers = s->kind == SL_KIND_SCHEDULER,
                   .choices = s->choices};
}

static Entry entry_of_option(const SlOption *o)
{
    return (Entry){.name = o->name,
                   .value = o->value,
                   .help = o->help,
                   .takes_value = o->kind != SL_OPTION_FLAG,
                   .choices = sl_option_choices(o)};
}

static void each_option(SlCommand command, Print *print)
{
    for (int i = 0; i < SL_N_SETTINGS; i++) {
        if (sl_command_takes(command, sl_setting(i))) {
            Entry entry = entry_of_setting(sl_setting(i));
            print(command, &entry);
        }
    }
    for (size_t i = 0; i < sl_option_count; i++) {
        if (sl_option_table[i].commands & 1u << command) {
            Entry entry = entry_of_option(&sl_option_table[i]);
            print(command, &entry);
        }
    }
}

static bool has_words(const Entry *entry)
{
    return entry->choices || entry->schedulers;
}

static void print_words(const Entry *entry)
{
    for (int i = 0; entry->choices && entry->choices[i]; i++)
        printf("%s%s", i ? " " : "", entry->choices[i]);
    for (int i = 0; entry->schedulers && i < sl_scheduler_count(); i++)
        printf("%s%s", i ? " " : "", sl_scheduler_info(i)->id);
}

/* Without the characters that one of the shells would read as more than text. */
static void print_help_text(const char *text)
{
    for (; *text; text++)
        if (!strchr("'\"`$\\[]:", *text))
            putchar(*text);
}

/* ---- bash ---- */

static void bash_option(SlCommand command, const Entry *entry)
{
    printf(" --%s", entry->name);
}

static void bash_words(SlCommand command, const Entry *entry)
{
    if (!has_words(entry))
        return;
    printf("    %s,--%s) words='", sl_commands[command].name, entry->name);
    print_words(entry);
    printf("' ;;\n");
}

static void bash_value(SlCommand command, const Entry *entry)
{
    if (entry->takes_value && !has_words(entry))
        printf("    %s,--%s) return ;;\n", sl_commands[command].name, entry->name);
}

static void print_bash(void)
{
    printf("# bash completion of safelight, made by `safelight completion bash`\n"
           "_safelight() {\n"
           "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words=\n"
           "  COMPREPLY=()\n"
           "  if [ \"$COMP_CWORD\" = 1 ]; then\n"
           "    words='--help --version");
    for (int c = 0; c < SL_COMMANDS; c++)
        printf(" %s", sl_commands[c].name);
    printf("'\n  else\n    case ${COMP_WORDS[1]},$before in\n");
    for (int c = 0; c < SL_COMMANDS; c++) {
        each_option((SlCommand)c, bash_words);
        each_option((SlCommand)c, bash_value);
    }
    printf("    *)\n      case ${COMP_WORDS[1]},$word in\n");
    for (int c = 0; c < SL_COMMANDS; c++) {
        printf("      %s,-*) words='", sl_commands[c].name);
        each_option((SlCommand)c, bash_option);
        printf("' ;;\n");
    }
    printf("      completion,*) words='bash zsh fish' ;;\n"
           "      esac ;;\n    esac\n  fi\n"
           "  [ -z \"$words\" ] || mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
           "}\n"
           "complete -o default -F _safelight safelight\n");
}

/* ---- zsh ---- */

static void zsh_option(SlCommand command, const Entry *entry)
{
    printf("    '--%s[", entry->name);
    print_help_text(entry->help);
    printf("]");
    if (entry->takes_value) {
        printf(":");
        print_help_text(entry->value ? entry->value : "value");
        printf(":");
    }
    if (has_words(entry)) {
        printf("(");
        print_words(entry);
        printf(")");
    } else if (entry->takes_value) {
        printf("_files");
    }
    printf("' \\\n");
}

static void print_zsh(void)
{
    printf("#compdef safelight\n"
           "# zsh completion of safelight, made by `safelight completion zsh`\n"
           "if (( CURRENT == 2 )); then\n"
           "  local -a commands=(\n");
    for (int c = 0; c < SL_COMMANDS; c++) {
        printf("    '%s:", sl_commands[c].name);
        print_help_text(sl_commands[c].help);
        printf("'\n");
    }
    printf("  )\n"
           "  _describe command commands\n"
           "  _files\n"
           "  return\n"
           "fi\n"
           "local command=$words[2]\n"
           "shift words\n"
           "(( CURRENT-- ))\n"
           "case $command in\n");
    for (int c = 0; c < SL_COMMANDS; c++) {
        printf("  %s) _arguments \\\n", sl_commands[c].name);
        each_option((SlCommand)c, zsh_option);
        printf("    '*::argument:%s' ;;\n",
               c == SL_COMMAND_COMPLETION ? "(bash zsh fish)" : "_files");
    }
    printf("esac\n");
}

/* ---- fish ---- */

static void fish_option(SlCommand command, const Entry *entry)
{
    printf("complete -c safelight -n '__fish_seen_subcommand_from %s' -l %s",
           sl_commands[command].name, entry->name);
    if (has_words(entry)) {
        printf(" -x -a '");
        print_words(entry);
        printf("'");
    } else if (entry->takes_value) {
        printf(" -r -F");
    }
    printf(" -d '");
    print_help_text(entry->help);
    printf("'\n");
}

static void print_fish(void)
{
    printf("# fish completion of safelight, made by `safelight completion fish`\n");
    for (int c = 0; c < SL_COMMANDS; c++) {
        printf("complete -c safelight -n __fish_use_subcommand -a %s -d '", sl_commands[c].name);
        print_help_text(sl_commands[c].help);
        printf("'\n");
        each_option((SlCommand)c, fish_option);
    }
    printf("complete -c safelight -n '__fish_seen_subcommand_from completion' -x "
           "-a 'bash zsh fish'\n");
}

int sl_cmd_completion(const SlOptions *options)
{
    static const struct {
        const char *name;
        void (*print)(void);
    } shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++) {
        if (strcmp(shells[i].name, options->argument) == 0) {
            shells[i].print();
            return SL_EXIT_OK;
        }
    }
    sl_say("the shell is \"%s\"; expected bash, zsh or fish", options->argument);
    return SL_EXIT_USAGE;
}
