/* options_lane.c - the settings of a lane, "scheduler=heun,steps=20" (see options.h). */
#include "app/cli/options_private.h"

#include <string.h>

/* The setting whose name and '=' text starts with, or NULL. */
static const SlSettingInfo *lane_setting(const char *text)
{
    size_t n = strcspn(text, "=,");
    const SlSettingInfo *setting = text[n] == '=' ? sl_setting_find_option(text, n) : NULL;
    return setting && setting->scope != SL_SCOPE_ALL ? setting : NULL;
}

void sl_options_list_lane_settings(SlText *text)
{
    for (int i = 0; i < SL_N_SETTINGS; i++)
        if (sl_setting(i)->scope != SL_SCOPE_ALL)
            sl_text_addf(text, "%s%s", i ? ", " : "", sl_setting(i)->option);
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
        const SlSettingInfo *setting = lane_setting(text);
        SlError problem = {0};
        if (!setting) {
            SlText names = {0};
            sl_options_list_lane_settings(&names);
            sl_fail(err, SL_ARGUMENT, "--lane has \"%.100s\"; expected NAME=VALUE with one of %s",
                    text, names.data ? names.data : "the settings");
            sl_text_free(&names);
            return false;
        }
        next = cut_lane(text);
        if (!sl_option_take_setting(setting, text + strlen(setting->option) + 1, lane, &problem))
            return sl_fail(err, SL_ARGUMENT, "in a --lane, %s", problem.message);
    }
    return true;
}
