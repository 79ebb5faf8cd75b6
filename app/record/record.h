/* record.h - everything that the other rooms see of app/record: runs with their memory, side by
 * side, in files and compared. */
#ifndef SL_APP_RECORD_H
#define SL_APP_RECORD_H

#include "app/record/compare.h"
#include "app/record/compare_text.h"
#include "app/record/difference.h"
#include "app/record/estimate.h"
#include "app/record/export_name.h"
#include "app/record/generate.h"
#include "app/record/grid.h"
#include "app/record/lane_colors.h"
#include "app/record/lane_figures.h"
#include "app/record/lane_name.h"
#include "app/record/lanes.h"
#include "app/record/lanes_file.h"
#include "app/record/reel.h"
#include "app/record/sample.h"
#include "app/record/timeline.h"
#include "app/record/what_if.h"
#include "app/record/word_record.h"

#endif
