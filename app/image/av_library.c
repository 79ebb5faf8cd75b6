/* av_library.c - see av_library.h.
 *
 * Easy to get wrong: a library's name has the number of the interface that the headers describe; another one must not
 * be taken, its structures differ.
 */
#include "app/image/av_library.h"
#include "kernels/kernels.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

#define TEXT_OF(number)     #number
#define TEXT(number)        TEXT_OF(number)
#define NAME(name, version) "lib" name ".so." TEXT(version)

/* Each needs those before it. */
enum { UTIL, CODEC, FORMAT, FILTER, LIBRARIES };
static const char *const names[LIBRARIES] = {
    [UTIL] = NAME("avutil", LIBAVUTIL_VERSION_MAJOR),
    [CODEC] = NAME("avcodec", LIBAVCODEC_VERSION_MAJOR),
    [FORMAT] = NAME("avformat", LIBAVFORMAT_VERSION_MAJOR),
    [FILTER] = NAME("avfilter", LIBAVFILTER_VERSION_MAJOR),
};

static SlAvLibrary library;
static char problem[512]; /* "": there is none */

/* A library may be missing, damaged, of another build, or too large for the memory that this process may use: the system
 * says which. */
static void fail(void)
{
    const char *reason = dlerror();
    sl_sentence(
        problem, sizeof problem,
        SL_WORDS("libavformat, libavcodec and libavfilter of the versions that Safelight was "
                 "built with cannot be opened: %s"),
        reason ? reason : "dlopen");
}

static void open_libraries(void)
{
    void *opened[LIBRARIES];
    for (int i = 0; i < LIBRARIES; i++)
        if (!(opened[i] = dlopen(names[i], RTLD_NOW | RTLD_LOCAL))) {
            fail();
            return; /* the others stay, which costs nothing more */
        }
    void *symbol;
#define TAKE(from, function)                          \
    if (!(symbol = dlsym(opened[from], #function))) { \
        fail();                                       \
        return;                                       \
    }                                                 \
    memcpy(&library.function, &symbol, sizeof symbol);
    SL_AV_FUNCTIONS(TAKE)
#undef TAKE
}

const char *sl_av_library_problem(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, open_libraries);
    return problem[0] ? problem : NULL;
}

const SlAvLibrary *sl_av_library(void)
{
    return sl_av_library_problem() ? NULL : &library;
}
