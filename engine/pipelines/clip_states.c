/* clip_states.c - what one of CLIP's text encoders makes of ids: hidden states and a pooled text, on the
 * model's device. Private to engine/; declared in latent_parts.h.
 */
#include "engine/pipelines/latent_parts.h"

bool sl_encode_ids(SlModel *model, const SlEncodeIds *e, float *states, SlConditionTensor *pooled,
                   SlError *err)
{
    SlDevice *dev = model->dev;
    const SlTextEncoder *te = sl_model_net(model, e->part);
    const int64_t width = sl_text_encoder_get_config(te)->hidden_size;
    SlTextExtras extras = {.mask = {e->mask[0], e->mask[1]}, .vectors_end = e->vectors_end};
    if (!sl_model_text_extras(model, e->part, &extras, err))
        return false;
    size_t mark = sl_arena_mark(dev);
    SlTensor ids = sl_tensor_new(dev, SL_I32, 2, (const int64_t[]){1, e->length});
    SlTensor f32 = sl_tensor_new(dev, SL_F32, 3, (const int64_t[]){1, e->length, width});
    SlTensor hidden = {0}, text = {0};
    sl_upload(dev, e->ids, &ids);
    bool ok = sl_text_encoder_forward_with(dev, te, &ids, &extras, e->state, &hidden,
                                           pooled ? &text : NULL, err);
    if (ok) {
        sl_copy(dev, &hidden, &f32);
        sl_download(dev, &f32, states);
        if (pooled) {
            SlTensor wide = sl_tensor_new(dev, SL_F32, 2, text.size);
            sl_copy(dev, &text, &wide);
            sl_download(dev, &wide, pooled->values);
        }
        ok = sl_device_check(dev, err);
    }
    sl_arena_reset(dev, mark);
    return ok;
}

bool sl_check_finite_text(const SlConditionTensor *t, SlError *err)
{
    int64_t bad = sl_first_bad(t->values, t->size[0] * (t->rank > 1 ? t->size[1] : 1));
    if (bad >= 0 && t->rank == 1)
        return sl_fail(err, SL_FORMAT,
                       "the text encoder's pooled text is not a finite number: no step can be "
                       "computed with it");
    return bad < 0 ||
           sl_fail(err, SL_FORMAT,
                   "the text encoder's output is not a finite number at token %d of %d: no step "
                   "can be computed with it",
                   (int)(bad / t->size[1]) + 1, (int)t->size[0]);
}
