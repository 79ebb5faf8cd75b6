/* av_library.c - see av_library.h.
 *
 * Easy to get wrong: a library's name has the number of the interface that the headers describe; another one must not
 * be taken, its structures differ.
 */
#include "app/image/av_library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
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
static bool there;

static void open_libraries(void)
{
    void *opened[LIBRARIES];
    for (int i = 0; i < LIBRARIES; i++)
        if (!(opened[i] = dlopen(names[i], RTLD_NOW | RTLD_LOCAL)))
            return; /* the others stay, which costs nothing more */
    bool all = true;
    void *symbol;
#define TAKE(from, function)                           \
    symbol = dlsym(opened[from], #function);           \
    memcpy(&library.function, &symbol, sizeof symbol); \
    all = all && symbol;
    SL_AV_FUNCTIONS(TAKE)
#undef TAKE
    there = all;
}

const SlAvLibrary *sl_av_library(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, open_libraries);
    return there ? &library : NULL;
}
