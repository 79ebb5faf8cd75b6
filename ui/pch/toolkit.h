/* toolkit.h - what every file of ui/ reads first, read once: half of the time that building the window took (ui/meson.build, c_pch). Each
 * file still includes what it uses. */
#include <adwaita.h>
