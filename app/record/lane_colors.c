/* lane_colors.c - see lane_colors.h. */
#include "app/record/lane_colors.h"

uint32_t sl_lane_rgb(int color)
{
    static const uint32_t colors[SL_LANE_COLORS] = {
        0x56b4e9, /* sky */
        0xe69f00, /* orange */
        0x009e73, /* green */
        0xf0e442, /* yellow */
        0x6a72bf, /* violet */
        0xd55e00, /* vermilion */
        0xbe799b, /* mauve */
        0xffffff, /* white */
        0xbeba85, /* khaki */
    };
    return colors[(unsigned)color % SL_LANE_COLORS];
}
