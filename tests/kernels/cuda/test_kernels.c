/* test_kernels.c - every kernel of the cuda device against ref, on the emulated GPU.
 *
 *     test_kernels [elementwise|norms|conv|attention|softmax]
 *
 * In another order of threads and blocks with CUDAEMU_SEED=n; see kernels/cuda/emu/emu.h.
 */
#include "pair.h"

#include <string.h>

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(Bench *b);
    } parts[] = {
        {"elementwise", test_elementwise}, {"norms", test_norms},     {"conv", test_convolutions},
        {"attention", test_attention},     {"softmax", test_softmax},
    };
    static const SlDtype dtypes[] = {SL_F16, SL_BF16, SL_F32};
    for (size_t d = 0; d < sizeof dtypes / sizeof *dtypes; d++) {
        Bench b;
        if (!bench_open(&b, dtypes[d]))
            return 1;
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
            if (argc < 2 || !strcmp(argv[1], parts[i].name))
                parts[i].run(&b);
        bench_close(&b);
    }
    return bench_done();
}
