/* test_hashing.c - when the hashes of a model's files are computed: beside the run, but not before
 * there is something to see, and in any case before they are asked for. */
#include "app/cli/previews.h"
#include "app/cli/session.h"
#include "app/files/files.h"
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

static bool open_session(SlSession *session, const SlOptions *options)
{
    SlError err = {0};
    return sl_test(sl_session_open(session, options, NULL, &err), "a model is opened %s",
                   err.message);
}

static bool has_hashes(SlSession *session)
{
    SlError err = {0};
    char path[4400], hex[65];
    const SlModelInfo *info = sl_session_identity(session, &err);
    bool same = info && info->files > 0;
    for (int i = 0; same && i < info->files; i++)
        same = sl_model_file_path(info, i, path, sizeof path) &&
               sl_sha256_file(path, hex, NULL, &err) && !strcmp(hex, info->file[i].sha256);
    return same;
}

int main(void)
{
    char *folder = sl_test_path("goldens/model/sd1");
    const SlOptions options = {.model = folder, .device = "cpu", .quiet = true};
    const SlFrame frame = {.evaluation = 0};
    SlSession session;
    SlError err = {0};
    if (!open_session(&session, &options))
        return 1;
    sl_test(session.hashing == SL_HASHING_LATER, "nothing is hashed before the first frame");
    sl_test(sl_previews_frame(&session, &frame, &err) && session.hashing == SL_HASHING_BESIDE,
            "it begins when that was shown %s", err.message);
    sl_test(has_hashes(&session) && session.hashing == SL_HASHING_DONE,
            "the hashes are the files'");
    sl_session_close(&session);
    if (!open_session(&session, &options))
        return 1;
    sl_test(has_hashes(&session), "and so they are without any frame");
    sl_session_close(&session);
    free(folder);
    return sl_test_done();
}
