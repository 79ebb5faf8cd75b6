/* stream.h - what streams, memory and graphs of the stand-in for cudart share; private to
 * kernels/cuda/emu/. */
#ifndef SL_CUDA_EMU_STREAM_H
#define SL_CUDA_EMU_STREAM_H

#include "emu.h"

#include <deque>
#include <mutex>
#include <set>
#include <vector>

struct Node {
    std::function<int()> f;
    std::vector<int> deps;
};

struct CUgraph_st {
    std::vector<Node> nodes;
};

struct CUgraphExec_st {
    std::vector<Node> nodes;
};

struct CUstream_st {
    bool nonblocking = false;
    std::deque<std::function<int()>> queue; // lazy streams only
    uint64_t asked = 0, done = 0;           // operations so far
    CUgraph_st *capture = nullptr;
    bool origin = false, invalid = false;
    cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
    std::vector<int> frontier; // nodes that the next one follows
};

struct CUevent_st {
    CUstream_st *stream = nullptr;
    uint64_t position = 0; // of the stream, when it was recorded
    bool timing = true;
    double time = 0;
    CUgraph_st *capture = nullptr;
    std::vector<int> deps;
};

namespace cuda_emu
{
extern std::recursive_mutex lock;
extern std::set<CUstream_st *> streams;
extern CUstream_st legacy;
extern int captures;

size_t dynamic_limit(const void *kernel); // memory.cpp
cudaError_t fail(int error);              // remembers it, as cudaGetLastError wants
cudaError_t sticky_error();
CUstream_st *stream_of(cudaStream_t s);
void invalidate_captures();
int drain(CUstream_st *s, uint64_t upto);
int drain_all(bool blocking_only);
/* False, with a report, while a capture forbids it. */
bool legal_in_capture(const char *what);
} // namespace cuda_emu

#endif
