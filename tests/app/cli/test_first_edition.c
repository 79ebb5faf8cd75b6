/* test_first_edition.c - files that earlier builds wrote (tests/fixtures/first-edition, and caching of the
 * first that had it) open, say what they said, and are computed again to the same bytes.
 *
 * Most were computed on the device `ref`, whose bytes are the same on every processor. Those of
 * `cpu` are compared bit by bit where this machine computes as the one that made them: with AVX2
 * and oneDNN 2, in a build optimised as people get it ($SAFELIGHT_ONEDNN is set by meson.build);
 * elsewhere model and noise have to be the same, and what follows may differ in its last bits.
 */
#include "program.h"

typedef enum Kind {
    PICTURE,
    LANES_SHOWN,
    LANES_KEPT
} Kind; /* one lane; a sheet or animation; .safelight */

typedef struct Fixture {
    const char *name;
    Kind kind;
    const char
        *says;   /* what `info` of a picture, `compare --open` of lanes prints among other things */
    bool cpu;    /* computed on cpu, not on ref */
    bool random; /* with tests/goldens/model/sd1, not with a model of data/models */
} Fixture;

static const Fixture fixtures[] = {
    {"first-edition/picture.png", PICTURE, "negative_prompt   fog"},
    {"first-edition/settings.png", PICTURE, "sigmas            karras"},
    {"first-edition/noisy.png", PICTURE, "scheduler         dpmpp-2m-sde"},
    {"first-edition/branch.png", PICTURE, "step              5 of 5"},
    {"first-edition/branch-of-branch.png", PICTURE, "guidance          3"},
    {"first-edition/ddpm.png", PICTURE, "model             starter-ddpm"},
    {"first-edition/sheet.png", LANES_SHOWN},
    {"first-edition/lanes.webp", LANES_SHOWN},
    {"first-edition/fast.webp", LANES_SHOWN},
    {"first-edition/film.webp", LANES_SHOWN},
    {"first-edition/lanes.safelight", LANES_KEPT, "3    PNDM, 3 steps, seed 3, “a lake”"},
    {"first-edition/fast.safelight", LANES_KEPT, "2    Heun"},
    {"first-edition/cpu.png", PICTURE, "computed on       CPU", true},
    {"first-edition/cpu-fast.safelight", LANES_KEPT, "2    Euler ancestral", true},
    {"first-edition/stopped.png", PICTURE, "1 of 900, stopped there", true},
    {"first-edition/window-sheet.png", LANES_SHOWN, NULL, true, true},
    {"first-edition/window-film.webp", LANES_SHOWN, NULL, true, true},
    {"first-edition/window-fast-branch.png", PICTURE, "guidance          3\n", true, true},
    {"first-edition/window-lanes.safelight", LANES_KEPT,
     "7    Euler from step 10, 14 steps, guidance 2", true, true},
    {"first-edition/window-fast.safelight", LANES_KEPT, "5    DPM++ 2M from step 7, guidance 3",
     true, true},
    {"caching/deep.png", PICTURE, "caching           deep"},
    {"caching/first-block.png", PICTURE, "caching_threshold 0.3"},
    {"caching/branch.png", PICTURE, "caching           deep"},
    {"caching/lanes.safelight", LANES_KEPT, "3    DDIM, caching First block"},
    {"caching/lanes.webp", LANES_SHOWN},
};

static char *fixture(const char *name)
{
    char relative[128];
    snprintf(relative, sizeof relative, "fixtures/%s", name);
    return sl_test_path(relative);
}

static bool computes_as_then(void)
{
    Run made = RUN("generate", "--prompt", "a red house", "--width", "32", "--height", "32",
                   "--steps", "1", "--device", "cpu", "--quiet", "--output", file("now.png"));
    Run now = RUN("info", file("now.png"));
    const char *onednn = getenv("SAFELIGHT_ONEDNN");
    bool same = strstr(now.out, "AVX2, f32") && onednn && strcmp(onednn, "2") == 0;
    sl_test(made.status == 0 && now.status == 0, "a picture is made");
    sl_test_note("%s", same ? "the files of cpu are compared bit by bit"
                            : "another processor or oneDNN: of the files of cpu, model and noise");
    done(&made);
    done(&now);
    return same;
}

/* What `replay` prints of a file whose model and noise are those of now, whatever comes later. */
static bool begins_the_same(const char *out)
{
    static const char *const words[] = {"model: different", "noise: different",
                                        "different from the model", "different from the noise"};
    for (int i = 0; i < 4; i++)
        if (strstr(out, words[i]))
            return false;
    return true;
}

static void computed_again(const Fixture *f, const char *path, bool bits)
{
    char *model = sl_test_path("goldens/model/sd1");
    Run run = f->random ? RUN("replay", path, "--verify", "--quiet", "--model", model)
                        : RUN("replay", path, "--verify", "--quiet");
    bool ok = run.status == 0 && strstr(run.out, "identical") && !strstr(run.out, "different");
    /* A branch begins with a sample of its parent's run, to the bit: it is refused. */
    bool other_parent = run.status == 1 && strstr(run.err, "branched from is another one here");
    if (!bits)
        ok = ok || (run.status == 3 && begins_the_same(run.out)) || other_parent;
    if (!sl_test(ok, "%s is computed again", f->name))
        sl_test_note("status %d: %.300s", run.status, run.err);
    done(&run);
    free(model);
}

static void shown(const Fixture *f, const char *path)
{
    char *model = sl_test_path("goldens/model/sd1");
    Run run = f->kind == PICTURE ? RUN("info", path)
              : f->random        ? RUN("compare", "--open", path, "--quiet", "--model", model)
                                 : RUN("compare", "--open", path, "--quiet");
    if (!sl_test(run.status == 0 && strstr(run.out, f->says) && !run.err[0], "%s is opened",
                 f->name))
        sl_test_note("status %d: %.300s", run.status, run.err);
    done(&run);
    free(model);
}

/* A picture that kept only the common text is read, but tells no hashes to compare with. */
static void infotext(void)
{
    char *path = fixture("first-edition/infotext.png");
    Run run = RUN("info", path);
    sl_test(run.status == 0 && strstr(run.out, "settings by       parameters") &&
                strstr(run.out, "negative_prompt   fog") && strstr(run.out, "seed              5"),
            "a picture with the text \"parameters\" alone");
    done(&run);
    free(path);
}

int main(void)
{
    if (!program_begin())
        return 77;
    bool as_then = computes_as_then();
    for (size_t i = 0; i < sizeof fixtures / sizeof fixtures[0]; i++) {
        const Fixture *f = &fixtures[i];
        char *path = fixture(f->name);
        if (f->says)
            shown(f, path);
        computed_again(f, path, !f->cpu || as_then);
        free(path);
    }
    infotext();
    return program_end();
}
