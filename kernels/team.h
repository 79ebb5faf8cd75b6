/* team.h - threads that are made once and then wait for work; private to kernels/. */
#ifndef SL_KERNELS_TEAM_H
#define SL_KERNELS_TEAM_H

#include <stdbool.h>

typedef struct SlTeam SlTeam;

/* How many threads to ask for where nobody says: what OMP_NUM_THREADS says, or one per core that
 * this process may use; at most sl_team_limit. */
int sl_team_default(void);
/* What OMP_THREAD_LIMIT allows; INT_MAX where it is not set. */
int sl_team_limit(void);

/* A team of `wanted` threads, the calling one among them. Smaller where the system gives no more
 * (sl_team_size). NULL when memory is out. No thread is made later. */
SlTeam *sl_team_new(int wanted);
void sl_team_free(SlTeam *team); /* NULL is fine */
int sl_team_size(const SlTeam *team);

/* Calls fn(arg) on `count` threads at once, 1 .. sl_team_size, and waits for all. For one caller at
 * a time. Where others compute beside the caller, and without a team, fn is called once. */
void sl_team_run(SlTeam *team, int count, void (*fn)(void *arg), void *arg);

/* Where the calling thread is: which of how many threads of a team's work; count is 0 outside. */
typedef struct SlSeat {
    SlTeam *team;
    int index, count;
    bool beside; /* others compute at the same time: what it begins, it does alone */
} SlSeat;
SlSeat sl_team_seat(void);
/* Waits until all threads of the work that this thread is in have come here. */
void sl_team_meet(void);

#endif
