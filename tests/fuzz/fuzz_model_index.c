/* fuzz_model_index.c - the input is a model_index.json; the folder has nothing else, so nothing may
 * be accepted. */
#include "tests/fuzz/fuzz.h"

#include "engine/engine.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static SlModelInfo info;
    SlError err = {0};
    fuzz_put(fuzz_folder(), "model_index.json", data, size);
    if (sl_model_inspect(fuzz_folder(), &info, &err) || err.code == SL_OK || !*err.message)
        abort();
    return 0;
}
