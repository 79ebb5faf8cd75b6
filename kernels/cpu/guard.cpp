/* guard.cpp - the border to libraries that are written in C++: what they throw ends here.
 *
 * oneDNN's interface is C, but where memory runs out it throws through it. The C files between a
 * guard and the library are compiled with -fexceptions, or unwinding would end the program; what
 * they hold then is not freed on the way, so it lies in a struct of the guard's caller.
 */
#include "kernels/cpu/guard.h"

extern "C" bool sl_guarded(bool (*call)(void *arg), void *arg, bool *thrown)
{
    try {
        return call(arg);
    } catch (...) {
        *thrown = true;
        return false;
    }
}
