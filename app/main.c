/* main.c - where the program starts: the command line, or the window. */
int
main (int argc, char **argv)
{
  (void)argc;
  (void)argv;
  return 2;
}
