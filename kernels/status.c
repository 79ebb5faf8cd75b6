/* status.c - a device's sticky status, cancel and progress.
 *
 * Apart from device.c, so that the CUDA module can carry it without the other devices.
 */
#include "kernels/kernels.h"

void sl_device_cancel(SlDevice *dev)
{
    __atomic_store_n(&dev->cancel, 1, __ATOMIC_RELAXED);
}

bool sl_device_stopping(const SlDevice *dev)
{
    return __atomic_load_n(&(dev->serves ? dev->serves : dev)->cancel, __ATOMIC_RELAXED);
}

bool sl_device_go_on(SlDevice *dev)
{
    SlDevice *counted = dev->serves ? dev->serves : dev;
    if (sl_device_stopping(dev))
        sl_device_fail(dev, SL_CANCELLED, "stopped");
    if (dev->status == SL_OK)
        __atomic_fetch_add(&counted->ops_done, 1, __ATOMIC_RELAXED);
    return dev->status == SL_OK;
}

void sl_device_clear(SlDevice *dev)
{
    __atomic_store_n(&dev->cancel, 0, __ATOMIC_RELAXED);
    if (dev->status != SL_DEVICE) {
        dev->status = SL_OK;
        dev->message[0] = 0;
    }
}

bool sl_device_ok(const SlDevice *dev)
{
    return dev->status == SL_OK;
}

bool sl_device_check(const SlDevice *dev, SlError *err)
{
    return dev->status == SL_OK || sl_fail(err, dev->status, "%s", dev->message);
}

void sl_device_fail(SlDevice *dev, SlCode code, const char *format, ...)
{
    if (dev->status != SL_OK)
        return;
    va_list args;
    va_start(args, format);
    dev->status = code;
    sl_sentence_v(dev->message, sizeof dev->message, format, args);
    va_end(args);
}

uint64_t sl_device_ops_done(const SlDevice *dev)
{
    return __atomic_load_n(&dev->ops_done, __ATOMIC_RELAXED);
}

void sl_device_finish(SlDevice *dev)
{
    if (dev->ops->finish && dev->status == SL_OK)
        dev->ops->finish(dev);
}

bool sl_device_idle(SlDevice *dev)
{
    return !dev->ops->idle || dev->status != SL_OK || dev->ops->idle(dev);
}
