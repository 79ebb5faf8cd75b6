/* module.c - stands for the CUDA module beside a program in test_driver.c: it can be loaded, and has nothing. */
extern const int sl_nothing;
const int sl_nothing = 0;
