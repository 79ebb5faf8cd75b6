/* lane_colors.h - the colours that lanes are told apart by, in the window and in reports.
 *
 * They stand on the tray's dark ground (SL_LANE_GROUND) in light and dark windows alike: each has a
 * contrast of 3.5 : 1 to it, and they differ for people who see red, green or blue less well, too (a
 * test computes both). A lane keeps its colour whatever happens to the others, so which one it has
 * is the lane's, not its place's.
 */
#ifndef SL_APP_LANE_COLORS_H
#define SL_APP_LANE_COLORS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SL_LANE_COLORS 9
#define SL_LANE_GROUND 0x161314 /* red, green, blue from the highest byte on, as below */

/* 0xrrggbb of a colour's number, from 0 on; the same again after SL_LANE_COLORS. */
uint32_t sl_lane_rgb(int color);

#ifdef __cplusplus
}
#endif

#endif
