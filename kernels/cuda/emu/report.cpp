/* report.cpp - what the emulation finds wrong: each place once on stderr, all of them counted. */
#include "worker.h"

#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <mutex>
#include <set>
#include <string>

namespace cuda_emu
{
static std::atomic<long> errors;
static std::set<std::string> seen;
static std::mutex report_lock;
static std::string first_kind;

/* "conv.cu:120" of an instruction, where binutils are installed. */
static std::string where(const void *pc)
{
    Dl_info d;
    if (!pc || !dladdr(pc, &d) || !d.dli_fname)
        return "?";
    uintptr_t offset = (uintptr_t)pc - (uintptr_t)d.dli_fbase - 1;
    char command[1024], out[512] = "";
    snprintf(command, sizeof command, "addr2line -e '%s' 0x%lx 2>/dev/null", d.dli_fname,
             (unsigned long)offset);
    if (FILE *f = popen(command, "r")) {
        if (!fgets(out, sizeof out, f))
            out[0] = 0;
        pclose(f);
    }
    std::string s = out;
    while (!s.empty() && s.back() == '\n')
        s.pop_back();
    size_t slash = s.rfind('/');
    return slash == std::string::npos ? s : s.substr(slash + 1);
}

static void print(const char *kind, const void *pc, const char *message)
{
    fprintf(stderr, "EMU-CHECK %s: %s", kind, message);
    if (cur)
        fprintf(stderr, " [block %u,%u,%u thread %u,%u,%u]", blk.bid.x, blk.bid.y, blk.bid.z,
                cur->tid.x, cur->tid.y, cur->tid.z);
    if (pc)
        fprintf(stderr, " at %s", where(pc).c_str());
    fputc('\n', stderr);
}

void report(const char *kind, const void *pc, const char *format, ...)
{
    std::lock_guard<std::mutex> lock(report_lock);
    errors++;
    if (first_kind.empty())
        first_kind = kind;
    char key[256], message[600];
    snprintf(key, sizeof key, "%s@%p", kind, pc ? pc : (const void *)format);
    if (seen.size() < 200 && seen.insert(key).second) {
        va_list args;
        va_start(args, format);
        vsnprintf(message, sizeof message, format, args);
        va_end(args);
        print(kind, pc, message);
    }
    if (cfg.fatal)
        abort();
}
} // namespace cuda_emu

using namespace cuda_emu;

extern "C" {
long cuda_emu_error_count(void)
{
    return errors;
}

const char *cuda_emu_first_kind(void)
{
    return first_kind.c_str();
}

void cuda_emu_set_schedule(unsigned long seed, int lazy)
{
    init_once();
    cfg.seed = seed;
    cfg.lazy = lazy;
}
}
