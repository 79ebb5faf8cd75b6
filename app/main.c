/* main.c - where the program starts: the command line, or the window.
 *
 * `safelight COMMAND ...` and options are the command line's; everything else (nothing, a picture, a
 * model) opens the window, where this program was built with one.
 */
#include "app/core/cli.h"

#include <stdio.h>

#if SL_HAVE_UI
#include "ui/ui.h"
#endif

int
main (int argc, char **argv)
{
  if (sl_cli_wanted (argc, argv))
    return sl_cli_main (argc, argv);
#if SL_HAVE_UI
  return sl_ui_main (argc, argv);
#else
  fputs ("safelight: this program was built without the window. Pictures can be made without it:\n"
         "  safelight generate --prompt TEXT --output FILE.png\n"
         "`safelight --help` lists all commands.\n",
         stderr);
  return 2;
#endif
}
