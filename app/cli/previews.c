/* previews.c - see previews.h. */
#include "app/cli/previews.h"
#include "app/files/files.h"
#include "app/image/image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NONE "none"

/* ---- before ---- */

bool sl_previews_check(const SlOptions *o, SlError *err)
{
    if (o->preview_decoder && !o->previews)
        return sl_fail(
            err, SL_ARGUMENT,
            "--preview-decoder makes the pictures of --previews FOLDER, which is missing");
    const char *problem = o->previews ? sl_make_folder(o->previews) : NULL;
    return !problem || sl_fail(err, SL_IO, "%s: the folder for previews cannot be made: %s",
                               o->previews, problem);
}

bool sl_previews_open(SlSession *session, SlError *err)
{
    const SlOptions *o = session->options;
    SlError problem = {0};
    if (!o->previews || (o->preview_decoder && !strcmp(o->preview_decoder, NONE)))
        return true;
    /* a cheap decoder of the model's own is better than a tiny one that nobody asked for */
    if (!o->preview_decoder && sl_model_decodes_cheaply(session->model))
        return true;
    char *path = o->preview_decoder
                     ? sl_part_find("vae_approx", o->preview_decoder, err)
                     : sl_preview_decoder_find(sl_model_info(session->model), NULL, &problem);
    bool ok = path && sl_model_set_preview_decoder(session->model, path, &problem);
    free(path);
    if (ok || problem.code == SL_OK)
        return ok || !o->preview_decoder;
    if (o->preview_decoder || problem.code == SL_CANCELLED || problem.code == SL_DEVICE)
        return sl_fail(err, problem.code, "%s", problem.message);
    sl_session_note(session, "%s; the previews are the quick ones", problem.message);
    return true;
}

/* ---- one picture ---- */

/* Full size, or false: the linear preview then, or *err where the run cannot go on. */
static bool decode(SlSession *session, const SlSample *s, uint8_t *rgb, SlError *err)
{
    SlModel *model = session->model;
    SlError problem = {0};
    if (!sl_model_preview_decoder(model))
        return sl_model_decodes_cheaply(model) && sl_sample_decode(model, s, NULL, rgb, err);
    if (sl_decode_preview(model, s->data, s->height, s->width, rgb, &problem))
        return true;
    if (problem.code == SL_CANCELLED || problem.code == SL_DEVICE)
        return sl_fail(err, problem.code, "%s", problem.message);
    if (!session->preview_failed)
        sl_session_note(session, "the preview of step %d is a quick one: %s", s->step,
                        problem.message);
    session->preview_failed = true;
    return false;
}

static bool write(SlSession *session, const SlSample *s, const char *name, SlError *err)
{
    SlModel *model = session->model;
    int f = sl_model_info(model)->factor, scale = f;
    uint8_t *rgb = malloc((size_t)s->width * (size_t)s->height * (size_t)(f * f) * 3);
    char *path = NULL;
    SlError problem = {0};
    bool ok = rgb && asprintf(&path, "%s/%s", session->options->previews, name) >= 0;
    if (!ok)
        sl_fail(&problem, SL_MEMORY, "memory ran out for a preview");
    if (ok && !decode(session, s, rgb, &problem)) {
        ok = problem.code == SL_OK;
        scale = 1;
        if (ok)
            sl_preview(model, s->data, s->height, s->width, rgb);
    }
    ok = ok && sl_png_write(path, rgb, s->width * scale, s->height * scale, NULL, 0, &problem);
    if (!ok)
        *err = problem;
    free(path);
    free(rgb);
    return ok;
}

SlSample sl_frame_sample(const SlFrame *frame, const float *data)
{
    return (SlSample){.data = data,
                      .channels = frame->channels,
                      .height = frame->height,
                      .width = frame->width,
                      .step = frame->step + 1,
                      .steps = frame->steps};
}

bool sl_previews_frame(SlSession *session, const SlFrame *frame, SlError *err)
{
    char name[32];
    const SlSample sample = sl_frame_sample(frame, frame->x_0);
    snprintf(name, sizeof name, "%04d.png", frame->evaluation + 1);
    bool ok = !session->options->previews || write(session, &sample, name, err);
    sl_session_hash_beside(session);
    return ok;
}

bool sl_previews_moment(SlSession *session, int lane, const SlTimeline *timeline, SlError *err)
{
    char name[40];
    const float *x_t, *x_0;
    int moment = sl_timeline_count(timeline) - 1;
    bool ok = true;
    if (session->options->previews) {
        sl_timeline_newest(timeline, &x_t, &x_0);
        const SlSample sample = sl_compare_sample(timeline, moment, x_0);
        snprintf(name, sizeof name, "%d-%04d.png", lane + 1, moment + 1);
        ok = !x_0 || write(session, &sample, name, err);
    }
    sl_session_hash_beside(session);
    return ok;
}
