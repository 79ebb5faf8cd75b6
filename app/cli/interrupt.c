/* interrupt.c - see interrupt.h. The handler only touches atomics: sl_model_cancel sets one. */
#include "app/cli/interrupt.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static int flag;
static SlModel *watched;

static void on_signal(int signal)
{
    (void)signal;
    if (__atomic_exchange_n(&flag, 1, __ATOMIC_SEQ_CST))
        _exit(130);
    SlModel *model = __atomic_load_n(&watched, __ATOMIC_SEQ_CST);
    if (model)
        sl_model_cancel(model);
}

void sl_interrupt_install(void)
{
    struct sigaction action, before;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN) /* nohup */
        sigaction(SIGHUP, &action, NULL);
}

void sl_interrupt_watch(SlModel *model)
{
    __atomic_store_n(&watched, model, __ATOMIC_SEQ_CST);
    /* A signal between opening the model and this line must not be lost. */
    if (model && sl_interrupted())
        sl_model_cancel(model);
}

const int *sl_interrupt_flag(void)
{
    return &flag;
}

bool sl_interrupted(void)
{
    return __atomic_load_n(&flag, __ATOMIC_SEQ_CST) != 0;
}
