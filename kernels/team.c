/* team.c - threads that are made once, when a device is opened, and then wait for work.
 *
 * What the system does not grant at once is not asked for again: in the middle of a run nothing is
 * left that could fail. (OpenMP's library ends threads when fewer are needed and makes them again
 * later; where it gets none it ends the program.)
 *
 * A thread that waits looks for work some ten microseconds long, as between two operations of a
 * step, and sleeps then: an idle window costs nothing, and on a machine that is busy with other
 * things nobody's core is spent on looking.
 */
#include "kernels/team.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include <pthread.h>
#include <semaphore.h>

#define MOST_THREADS 1024
#define LOOKS        300

typedef struct Member {
    SlTeam *team;
    int index;
    pthread_t thread;
    sem_t begin;
} Member;

struct SlTeam {
    int size;
    bool over; /* its threads end */
    void (*fn)(void *arg);
    void *arg;
    int count;          /* threads of this work */
    atomic_int working; /* of them, without the caller */
    sem_t done;
    pthread_mutex_t lock; /* of sl_team_meet */
    pthread_cond_t met;
    int waiting;
    unsigned meeting;
    Member member[]; /* the first is the caller's and has no thread */
};

static _Thread_local SlSeat seat;

SlSeat sl_team_seat(void)
{
    return seat;
}

int sl_team_size(const SlTeam *team)
{
    return team->size;
}

/* ---- how many ---- */

/* The number that a variable begins with ("4,2" is a list for levels); 0 where there is none. */
static int number_in(const char *variable)
{
    const char *text = getenv(variable);
    long n = text ? strtol(text, NULL, 10) : 0;
    return n < 1 ? 0 : n > MOST_THREADS ? MOST_THREADS : (int)n;
}

int sl_team_limit(void)
{
    int limit = number_in("OMP_THREAD_LIMIT");
    return limit > 0 ? limit : INT_MAX;
}

/* Cores that this process may use. */
static int cores(void)
{
    int most = (int)sysconf(_SC_NPROCESSORS_CONF), n = 0;
    for (int room = CPU_SETSIZE; n == 0 && room <= 1 << 16; room *= 2) { /* EINVAL: more cores */
        cpu_set_t *set = CPU_ALLOC((size_t)room);
        size_t bytes = CPU_ALLOC_SIZE((size_t)room);
        if (set && sched_getaffinity(0, bytes, set) == 0)
            n = CPU_COUNT_S(bytes, set);
        CPU_FREE(set);
    }
    n = n > 0 ? n : most;
    return n < 1 ? 1 : n < MOST_THREADS ? n : MOST_THREADS;
}

int sl_team_default(void)
{
    int said = number_in("OMP_NUM_THREADS"), limit = sl_team_limit();
    int n = said > 0 ? said : cores();
    return n < limit ? n : limit;
}

/* ---- waiting ---- */

static void look_again(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static void wait_for(sem_t *what)
{
    for (int i = 0; i < LOOKS; i++) {
        if (sem_trywait(what) == 0)
            return;
        look_again();
    }
    while (sem_wait(what) != 0 && errno == EINTR)
        ;
}

void sl_team_meet(void)
{
    SlTeam *t = seat.team;
    if (seat.count < 2)
        return;
    pthread_mutex_lock(&t->lock);
    unsigned meeting = t->meeting;
    if (++t->waiting == t->count) {
        t->waiting = 0;
        t->meeting++;
        pthread_cond_broadcast(&t->met);
    }
    while (meeting == t->meeting)
        pthread_cond_wait(&t->met, &t->lock);
    pthread_mutex_unlock(&t->lock);
}

/* ---- work ---- */

static void *be_member(void *arg)
{
    Member *m = arg;
    SlTeam *t = m->team;
    for (;;) {
        wait_for(&m->begin);
        if (t->over)
            return NULL;
        seat = (SlSeat){t, m->index, t->count, true};
        t->fn(t->arg);
        if (atomic_fetch_sub(&t->working, 1) == 1)
            sem_post(&t->done);
    }
}

void sl_team_run(SlTeam *t, int count, void (*fn)(void *arg), void *arg)
{
    SlSeat before = seat;
    bool alone = count < 2 || !t || before.beside;
    seat = (SlSeat){t, 0, alone ? 1 : count, before.beside || !alone};
    if (alone) {
        fn(arg);
        seat = before;
        return;
    }
    t->fn = fn;
    t->arg = arg;
    t->count = count;
    atomic_store(&t->working, count - 1);
    for (int i = 1; i < count; i++)
        sem_post(&t->member[i].begin);
    fn(arg);
    wait_for(&t->done);
    seat = before;
}

SlTeam *sl_team_new(int wanted)
{
    wanted = wanted < 1 ? 1 : wanted < MOST_THREADS ? wanted : MOST_THREADS;
    SlTeam *t = calloc(1, sizeof *t + (size_t)wanted * sizeof t->member[0]);
    if (!t)
        return NULL;
    sem_init(&t->done, 0, 0);
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->met, NULL);
    for (t->size = 1; t->size < wanted; t->size++) {
        Member *m = &t->member[t->size];
        *m = (Member){.team = t, .index = t->size};
        sem_init(&m->begin, 0, 0);
        if (pthread_create(&m->thread, NULL, be_member, m) != 0) {
            sem_destroy(&m->begin);
            break;
        }
    }
    return t;
}

void sl_team_free(SlTeam *t)
{
    if (!t)
        return;
    t->over = true;
    for (int i = 1; i < t->size; i++)
        sem_post(&t->member[i].begin);
    for (int i = 1; i < t->size; i++) {
        pthread_join(t->member[i].thread, NULL);
        sem_destroy(&t->member[i].begin);
    }
    sem_destroy(&t->done);
    pthread_mutex_destroy(&t->lock);
    pthread_cond_destroy(&t->met);
    free(t);
}
