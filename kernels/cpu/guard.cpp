/* guard.cpp - the border to libraries that are written in C++: what they throw ends here.
 *
 * oneDNN's interface is C, but where memory runs out it throws through it. The C files between a
 * guard and the library are compiled with -fexceptions, or unwinding would end the program; what
 * they hold then is not freed on the way, so it lies in a struct of the guard's caller.
 *
 * And not all of its memory is asked for in a way that throws: most comes from posix_memalign, and
 * where that fails oneDNN goes on with a null pointer (every dnnl_memory_create does). So that
 * function is defined here, too, before the C library's: behind a guard it throws, as new does, and
 * elsewhere it is the one behind it. oneDNN 3 makes its engine in functions that must not throw, and does not
 * look at what it got there either: for that some memory is put by before, which it gets where the system
 * has none.
 *
 * While an exception passes through oneDNN, what it promised to other threads is broken, and that
 * asks for memory again, where a second exception would end the program. So new has some small
 * blocks put by for that time.
 */
#include "kernels/cpu/guard.h"

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>

#include <dlfcn.h>

static thread_local bool guarded;

#if SL_OWN_MEMALIGN /* sanitizers have one of their own, which ends the program or not as they say */

/* The function of this name behind the program's. */
template <typename Function> static Function find(Function *known, const char *name)
{
    Function function = __atomic_load_n(known, __ATOMIC_RELAXED);
    if (!function) {
        void *symbol = dlsym(RTLD_NEXT, name);
        std::memcpy(&function, &symbol, sizeof function);
        __atomic_store_n(known, function, __ATOMIC_RELAXED);
    }
    return function;
}

static int memalign_behind(void **block, size_t alignment, size_t bytes)
{
    typedef int (*Function)(void **block, size_t alignment, size_t bytes);
    static Function known;
    Function behind = find(&known, "posix_memalign");
    return behind ? behind(block, alignment, bytes) : ENOMEM;
}

/* ---- what is put by for one call ---- */

#define SPARE           16
#define SPARE_BYTES     1024
#define SPARE_ALIGNMENT 64

static thread_local void *spare[SPARE];
static thread_local int spares;

/* NULL where it has none of this size. */
static void *take_spare(size_t alignment, size_t bytes)
{
    return spares > 0 && bytes <= SPARE_BYTES && alignment <= SPARE_ALIGNMENT ? spare[--spares]
                                                                              : nullptr;
}

static void free_spares(void)
{
    while (spares > 0)
        std::free(spare[--spares]);
}

static bool put_by(void)
{
    for (; spares < SPARE; spares++)
        if (memalign_behind(&spare[spares], SPARE_ALIGNMENT, SPARE_BYTES))
            return false;
    return true;
}

#else

static void free_spares(void)
{
}

static bool put_by(void)
{
    return true;
}

#endif

extern "C" bool sl_guarded(const SlGuard *guard, bool *thrown)
{
    bool before = guarded, ok = false;
    guarded = true;
    try {
        if (guard->must_not_throw && !put_by())
            throw std::bad_alloc();
        ok = guard->call(guard->arg);
    } catch (...) {
        *thrown = true;
    }
    guarded = before;
    free_spares();
    return ok;
}

#if SL_OWN_MEMALIGN

/* Under a name of its own: <stdlib.h> says of the other that it never throws. */
extern "C" __attribute__((visibility("default"), used)) int sl_posix_memalign(
    void **block, size_t alignment, size_t bytes) __asm__("posix_memalign");

extern "C" int sl_posix_memalign(void **block, size_t alignment, size_t bytes)
{
    int failed = memalign_behind(block, alignment, bytes);
    void *other = failed ? take_spare(alignment, bytes) : nullptr;
    if (other) {
        *block = other;
        failed = 0;
    }
    if (failed && guarded)
        throw std::bad_alloc();
    return failed;
}

/* ---- what is put by for exceptions ---- */

#define BLOCKS      32
#define BLOCK_BYTES 256

alignas(16) static char block[BLOCKS][BLOCK_BYTES];
static bool taken[BLOCKS]; /* atomic */

static void *take_block(std::size_t bytes)
{
    for (int i = 0; bytes <= BLOCK_BYTES && i < BLOCKS; i++)
        if (!__atomic_exchange_n(&taken[i], true, __ATOMIC_ACQUIRE))
            return block[i];
    return nullptr;
}

void *operator new(std::size_t bytes)
{
    typedef void *(*Function)(std::size_t bytes);
    static Function known;
    Function behind = find(&known, sizeof bytes == 8 ? "_Znwm" : "_Znwj");
    void *p = nullptr;
    try {
        p = behind ? behind(bytes) : std::malloc(bytes > 0 ? bytes : 1);
    } catch (const std::bad_alloc &) {
    }
    if (!p)
        p = take_spare(16, bytes);
    if (!p && std::uncaught_exceptions() > 0)
        p = take_block(bytes);
    if (!p)
        throw std::bad_alloc();
    return p;
}

void operator delete(void *p) noexcept
{
    std::size_t at = (std::size_t)((char *)p - block[0]);
    if (at < sizeof block)
        __atomic_store_n(&taken[at / BLOCK_BYTES], false, __ATOMIC_RELEASE);
    else
        std::free(p);
}

void operator delete(void *p, std::size_t) noexcept
{
    operator delete(p);
}

#endif
