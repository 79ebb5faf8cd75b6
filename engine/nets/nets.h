/* nets.h - everything that the other rooms see of engine/nets: the networks, their layers and the
 * checks that all configurations share. */
#ifndef SL_ENGINE_NETS_H
#define SL_ENGINE_NETS_H

#include "engine/nets/condition.h"
#include "engine/nets/config.h"
#include "engine/nets/denoiser.h"
#include "engine/nets/layers.h"
#include "engine/nets/transformer.h"
#include "engine/nets/unet.h"
#include "engine/nets/vae.h"

#endif
