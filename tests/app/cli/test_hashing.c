/* test_hashing.c - when the hashes of a model's files are computed: beside the run, but not before
 * there is something to see, and in any case before they are asked for. */
#include "app/cli/previews.h"
#include "app/cli/session.h"
#include "app/files/files.h"
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* What is computed is not lost with a file of the model. */
static void test_file_gone(const char *model)
{
    char folder[] = "/tmp/safelight-hashing-XXXXXX", command[9000], gone[200];
    SlSession session;
    SlError err = {0};
    SlMetadata metadata = {0};
    if (!sl_test(mkdtemp(folder) != NULL, "a folder for a model"))
        return;
    snprintf(command, sizeof command, "cp -r '%s' %s/model", model, folder);
    snprintf(gone, sizeof gone, "%s/model", folder);
    const SlOptions options = {.model = gone, .device = "cpu", .quiet = true};
    bool ok =
        sl_test(system(command) == 0, "a model that may go") && open_session(&session, &options);
    snprintf(gone, sizeof gone, "%s/model/unet/diffusion_pytorch_model.safetensors", folder);
    ok = ok && sl_test(unlink(gone) == 0, "its UNet goes");
    if (ok) {
        const SlModelInfo *kept = sl_session_identity_kept(&session);
        sl_test(kept && kept->files > 0, "a picture of it can be kept");
        sl_test(!sl_session_identity(&session, &err) && strstr(err.message, gone),
                "who needs the hashes is told: %s", err.message);
        sl_test(sl_session_stopped(&session, &metadata, &(SlError){0}) == SL_EXIT_FAILED,
                "and so is a person, when it is kept");
        sl_session_close(&session);
    }
    snprintf(command, sizeof command, "rm -rf %s", folder);
    sl_test(system(command) == 0, "cleaned up");
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
    test_file_gone(folder);
    free(folder);
    return sl_test_done();
}
