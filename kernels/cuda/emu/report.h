/* report.h - what tests ask of the emulation. C and C++. */
#ifndef SL_CUDA_EMU_REPORT_H
#define SL_CUDA_EMU_REPORT_H

#ifdef __cplusplus
extern "C" {
#endif

long cuda_emu_error_count(void);       /* reports so far */
const char *cuda_emu_first_kind(void); /* of the first report, "" */
/* From the next launch on; see emu.h. */
void cuda_emu_set_schedule(unsigned long seed, int lazy);

#ifdef __cplusplus
}
#endif

#endif
