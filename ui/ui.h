/* ui.h - the window, as app/main.c sees it. */
#pragma once

/* Opens the window and stays until it is closed; gives the program's exit status. Without a display
 * it says so and names the command line. */
int sl_ui_main (int argc, char **argv);
