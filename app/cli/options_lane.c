/* options_lane.c - the settings of a lane, "scheduler=heun,steps=20" (see options.h). */
#include "app/cli/options_private.h"

#include <string.h>

/* The setting whose name and '=' text starts with, or NULL. */
static const SlOption *lane_setting(const char *text)
{
    size_t n = strcspn(text, "=,");
    for (size_t i = 0; text[n] == '=' && i < sl_option_count; i++)
        if (sl_option_table[i].kind != SL_OPTION_FLAG &&
            (sl_option_table[i].commands & SL_OPTION_OF_LANE) &&
            strlen(sl_option_table[i].name) == n && strncmp(sl_option_table[i].name, text, n) == 0)
            return &sl_option_table[i];
    return NULL;
}

static void list_lane_settings(SlText *text)
{
    for (size_t i = 0; i < sl_option_count; i++)
        if (sl_option_table[i].kind != SL_OPTION_FLAG &&
            (sl_option_table[i].commands & SL_OPTION_OF_LANE))
            sl_text_addf(text, "%s%s", text->length ? ", " : "", sl_option_table[i].name);
}

/* Where the next setting starts, or NULL; cuts the text before it. */
static char *cut_lane(char *value)
{
    for (char *comma = strchr(value, ','); comma; comma = strchr(comma + 1, ',')) {
        if (lane_setting(comma + 1)) {
            *comma = 0;
            return comma + 1;
        }
    }
    return NULL;
}

bool sl_options_lane(char *text, SlOptions *lane, SlError *err)
{
    for (char *next; text; text = next) {
        const SlOption *option = lane_setting(text);
        SlError problem = {0};
        if (!option) {
            SlText names = {0};
            list_lane_settings(&names);
            sl_fail(err, SL_ARGUMENT, "--lane has \"%.100s\"; expected NAME=VALUE with one of %s",
                    text, names.data ? names.data : "the settings");
            sl_text_free(&names);
            return false;
        }
        next = cut_lane(text);
        if (!sl_option_take(option, text + strlen(option->name) + 1, lane, &problem))
            return sl_fail(err, SL_ARGUMENT, "in a --lane, %s", problem.message);
    }
    return true;
}
