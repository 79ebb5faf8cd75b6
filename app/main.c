/* main.c - where the program starts: the command line, or the window.
 *
 * `safelight COMMAND ...` and options are the command line's; everything else (nothing, a picture,
 * a model) opens the window, where this program was built with one.
 */
#include "app/cli/cli.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#if SL_HAVE_UI
#include "ui/ui.h"
#endif

/* A standard stream that is closed would become the first file that is opened, and that file would
 * get what is printed. What cannot be written is told by an error instead. */
static void hold_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd) {
            dprintf(STDERR_FILENO, "safelight: a standard stream is closed, and /dev/null cannot "
                                   "stand in for it\n");
            _exit(1);
        }
}

int main(int argc, char **argv)
{
    hold_standard_streams();
    /* A reader that is gone and a file that may not grow are told by write(). */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    if (sl_cli_wanted(argc, argv))
        return sl_cli_main(argc, argv);
#if SL_HAVE_UI
    return sl_ui_main(argc, argv);
#else
    fputs("safelight: this program was built without the window. Pictures can be made without it:\n"
          "  safelight generate --prompt TEXT --output FILE.png\n"
          "`safelight --help` lists all commands.\n",
          stderr);
    return 2;
#endif
}
