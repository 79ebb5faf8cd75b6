/* onednn_call.c - how oneDNN is called: on the device's threads, and so that memory that runs out is
 * an error. Some of its own allocations are not checked, and others throw. */
#if SL_HAVE_ONEDNN

#include "kernels/cpu/onednn.h"
#include "kernels/devices.h"

/* Empties oneDNN's own cache; ours is by device. */
static bool forget_primitives(void *arg)
{
    int capacity = 0;
    return dnnl_get_primitive_cache_capacity(&capacity) == dnnl_success &&
           dnnl_set_primitive_cache_capacity(0) == dnnl_success &&
           dnnl_set_primitive_cache_capacity(capacity) == dnnl_success;
}

static bool call_on_team(SlOneDnn *o, size_t bytes, const SlGuard *guard)
{
    bool thrown = false;
    SlTeam *before = sl_onednn_enter(o->team);
    bool room = sl_host_has_room(bytes), ok = room && sl_guarded(guard, &thrown);
    if (thrown) /* what was being made stays in the cache as a broken promise */
        sl_guarded(&(SlGuard){.call = forget_primitives}, &thrown);
    sl_onednn_enter(before);
    if (!room || thrown)
        atomic_store(&o->no_memory, true);
    return ok;
}

bool sl_onednn_call(SlOneDnn *o, size_t bytes, bool (*call)(void *arg), void *arg)
{
    return call_on_team(o, bytes, &(SlGuard){.call = call, .arg = arg});
}

bool sl_onednn_make_engine(SlOneDnn *o, bool (*call)(void *arg), void *arg)
{
    return call_on_team(o, SL_ONEDNN_MAKE,
                        &(SlGuard){.call = call, .arg = arg, .must_not_throw = true});
}

bool sl_onednn_ok(SlOneDnn *o, dnnl_status_t status)
{
    if (status == dnnl_out_of_memory)
        atomic_store(&o->no_memory, true);
    return status == dnnl_success;
}

#endif
