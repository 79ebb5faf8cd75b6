/* reordered_module.c - stands for a CUDA module that was built when two slots of SlOps stood the
 * other way round (reordered.py): every size is right. For test_cuda_module.c, which expects it not
 * to be opened.
 */
#include "reordered_layout.h"

#include "kernels/devices.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT extern const SlDeviceLayout sl_cuda_device_layout;
const SlDeviceLayout sl_cuda_device_layout = SL_DEVICE_LAYOUT_HERE;

EXPORT SlDevice *sl_cuda_device_open(const SlDeviceOptions *options, SlError *err);
SlDevice *sl_cuda_device_open(const SlDeviceOptions *options, SlError *err)
{
    sl_fail(err, SL_DEVICE, "the module of another build was asked for a device");
    return NULL;
}
