/* graph.cpp - stream capture and graphs. A graph is run in any order that its edges allow, another
 * one for each seed. */
#include "stream.h"

using namespace cuda_emu;

/* Whether every node lies before the end of the capture's first stream. */
static bool all_joined(const CUgraph_st *g, std::vector<int> work)
{
    std::vector<char> reached(g->nodes.size(), 0);
    while (!work.empty()) {
        int i = work.back();
        work.pop_back();
        if (reached[i])
            continue;
        reached[i] = 1;
        work.insert(work.end(), g->nodes[i].deps.begin(), g->nodes[i].deps.end());
    }
    for (char c : reached)
        if (!c)
            return false;
    return true;
}

static uint64_t next(uint64_t &state)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static int run(const std::vector<Node> &nodes)
{
    std::vector<int> missing(nodes.size(), 0), ready;
    std::vector<std::vector<int>> followers(nodes.size());
    for (size_t i = 0; i < nodes.size(); i++) {
        std::set<int> deps(nodes[i].deps.begin(), nodes[i].deps.end());
        missing[i] = (int)deps.size();
        for (int d : deps)
            followers[d].push_back((int)i);
        if (deps.empty())
            ready.push_back((int)i);
    }
    uint64_t state = cfg.seed * 0x9E3779B97F4A7C15ull + 1;
    while (!ready.empty()) {
        size_t k = cfg.seed ? next(state) % ready.size() : 0;
        int i = ready[k];
        ready.erase(ready.begin() + (long)k);
        if (int error = nodes[i].f())
            return error;
        for (int f : followers[i])
            if (--missing[f] == 0)
                ready.push_back(f);
    }
    return 0;
}

extern "C" {
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, enum cudaStreamCaptureMode mode)
{
    std::lock_guard<std::recursive_mutex> held(lock);
    CUstream_st *s = stream_of(stream);
    if (s == &legacy)
        return fail(cudaErrorStreamCaptureUnsupported);
    if (s->capture)
        return fail(cudaErrorIllegalState);
    s->capture = new CUgraph_st;
    s->origin = true;
    s->invalid = false;
    s->mode = mode;
    s->frontier.clear();
    captures++;
    return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t s, cudaGraph_t *out)
{
    std::lock_guard<std::recursive_mutex> held(lock);
    *out = nullptr;
    if (!s || !s->capture || !s->origin)
        return fail(cudaErrorStreamCaptureUnmatched);
    CUgraph_st *g = s->capture;
    bool invalid = s->invalid, joined = all_joined(g, s->frontier);
    for (CUstream_st *other : streams)
        if (other->capture == g) {
            other->capture = nullptr;
            other->frontier.clear();
            other->origin = other->invalid = false;
        }
    captures--;
    if (!invalid && joined) {
        *out = g;
        return cudaSuccess;
    }
    delete g;
    if (!invalid)
        report("capture-illegal", nullptr,
               "work of a forked stream was not joined before cudaStreamEndCapture");
    return fail(invalid ? cudaErrorStreamCaptureInvalidated : cudaErrorStreamCaptureUnjoined);
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *e, cudaGraph_t g, unsigned long long)
{
    *e = new CUgraphExec_st{g->nodes};
    return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t g)
{
    delete g;
    return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t e)
{
    std::lock_guard<std::recursive_mutex> held(lock);
    drain_all(false);
    delete e;
    return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t e, cudaStream_t stream)
{
    return (cudaError_t)stream_op(stream, "cudaGraphLaunch",
                                  [e]() -> int { return run(e->nodes); });
}
}
