/* test_progress.c - what the line on a terminal says of a run: its rate, the time that passed and the
 * time left. */
#include "app/cli/progress.h"
#include "test.h"

#include <string.h>

static void says(const char *expected, SlProgressAt at)
{
    char line[SL_PROGRESS_ROOM];
    sl_progress_line(&at, line);
    const char *behind = strchr(line, ']');
    sl_test(behind && !strcmp(behind, expected), "%s", expected);
    if (!behind || strcmp(behind, expected) != 0)
        sl_test_note("%s", line);
    sl_test(strlen(line) < 80, "on one line of a terminal: %zu", strlen(line));
}

static void filled(int expected, SlProgressAt at)
{
    char line[SL_PROGRESS_ROOM];
    int signs = 0;
    sl_progress_line(&at, line);
    for (const char *p = line; *p; p++)
        signs += *p == '=';
    sl_test(signs == expected, "%d of 24 of the bar: %s", expected, line);
}

int main(void)
{
    says("] 0/20  0:00 elapsed", (SlProgressAt){.total = 20});
    says("] 0/20  20.00 s/it  0:10 elapsed, 6:30 left",
         (SlProgressAt){.total = 20, .fraction = 0.5, .passed = 10});
    says("] 5/20  2.00 s/it  0:10 elapsed, 0:30 left",
         (SlProgressAt){.done = 5, .total = 20, .passed = 10});
    says("] lanes 100/1000  90.00 s/it  2:30:00 elapsed, 22:30:00 left",
         (SlProgressAt){.what = "lanes", .done = 100, .total = 1000, .passed = 9000});
    says("] 30/60  6.00 it/s  0:05 elapsed, 0:05 left",
         (SlProgressAt){.done = 30, .total = 60, .passed = 5});
    /* what a branch takes over of its parent took none of the time */
    says("] 8/20  0:00 elapsed", (SlProgressAt){.from = 8, .done = 8, .total = 20});
    says("] refiner 10/20  5.00 s/it  0:10 elapsed, 0:50 left",
         (SlProgressAt){.what = "refiner", .from = 8, .done = 10, .total = 20, .passed = 10});
    /* nothing is left to do, and what comes is not counted */
    says("] decoding 20/20  1:01 elapsed",
         (SlProgressAt){.what = "decoding", .done = 20, .total = 20, .fraction = 1, .passed = 61});
    /* before the first evaluation nobody knows how much there is */
    says("] reading the prompt  0:05 elapsed",
         (SlProgressAt){.what = "reading the prompt", .passed = 5});
    filled(0, (SlProgressAt){.total = 20});
    filled(12, (SlProgressAt){.done = 9, .total = 20, .fraction = 1.5});
    filled(24, (SlProgressAt){.done = 20, .total = 20});
    return sl_test_done();
}
