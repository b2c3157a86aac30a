#include "shards.h"

#include <pthread.h>
#include <string.h>

typedef struct seat {
    lac_shards *shards;
    int index;
    pthread_t thread;
    lac_plan *plan;
    lac_status status;
    lac_error err;
} seat;

/// Threads wait for the next round, do its work and report.
struct lac_shards {
    lac_arena *arena;
    const lac_graph *graph[LAC_SHARDS];
    lac_plan_config config;
    size_t n_in, n_out; ///< floats of an image
    seat seats[LAC_SHARDS];
    int n_seats;
    pthread_mutex_t lock;
    pthread_cond_t begins, ends;
    uint64_t round;
    int n_busy;
    lac_shard_work *work; ///< NULL: close the plan and leave
    void *ctx;
};

static lac_status open_plan(void *ctx, int index, lac_plan *plan, lac_error *err) {
    lac_shards *s = ctx;
    (void)plan;
    lac_plan_threads(1);
    return lac_plan_open(s->graph[index], &s->config, &s->seats[index].plan, err);
}

static void *sit(void *arg) {
    seat *me = arg;
    lac_shards *s = me->shards;
    for (uint64_t round = 1;; round++) {
        pthread_mutex_lock(&s->lock);
        while (s->round < round) pthread_cond_wait(&s->begins, &s->lock);
        lac_shard_work *work = s->work;
        void *ctx = s->ctx;
        pthread_mutex_unlock(&s->lock);
        if (work)
            me->status = work(ctx, me->index, me->plan, &me->err);
        else
            lac_plan_close(me->plan);
        pthread_mutex_lock(&s->lock);
        if (--s->n_busy == 0) pthread_cond_signal(&s->ends);
        pthread_mutex_unlock(&s->lock);
        if (!work) return NULL;
    }
}

static void play(lac_shards *s, lac_shard_work *work, void *ctx) {
    pthread_mutex_lock(&s->lock);
    s->work = work;
    s->ctx = ctx;
    s->n_busy = s->n_seats;
    s->round++;
    pthread_cond_broadcast(&s->begins);
    while (s->n_busy > 0) pthread_cond_wait(&s->ends, &s->lock);
    pthread_mutex_unlock(&s->lock);
}

lac_status lac_shards_run(lac_shards *s, lac_shard_work *work, void *ctx, lac_error *err) {
    play(s, work, ctx);
    for (int i = 0; i < s->n_seats; i++)
        if (s->seats[i].status != LAC_OK) {
            if (err) *err = s->seats[i].err;
            return s->seats[i].status;
        }
    return LAC_OK;
}

static lac_status start(lac_shards *s, lac_error *err) {
    for (int i = 0; i < LAC_SHARDS; i++) {
        s->seats[i] = (seat){.shards = s, .index = i};
        if (pthread_create(&s->seats[i].thread, NULL, sit, &s->seats[i]) != 0)
            LAC_FAIL(err, LAC_E_MEMORY, "graph '%s': no thread %d of %d to be had; end other work",
                     s->graph[i]->name, i + 1, LAC_SHARDS);
        s->n_seats++;
    }
    return lac_shards_run(s, open_plan, s, err);
}

lac_status lac_shards_open(const lac_graph *const graph[LAC_SHARDS], const lac_plan_config *config,
                           lac_shards **out, lac_error *err) {
    const lac_graph *g = graph[0];
    *out = NULL;
    lac_arena *arena = lac_arena_open();
    if (!arena) LAC_FAIL(err, LAC_E_MEMORY, "no memory to run graph '%s'", g->name);
    lac_shards *s = LAC_NEW(arena, lac_shards);
    s->arena = arena;
    s->config = *config;
    s->n_in = (size_t)lac_shape_count(g->values[g->input].shape);
    s->n_out = (size_t)lac_shape_count(g->values[g->output].shape);
    memcpy(s->graph, graph, sizeof s->graph);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->begins, NULL);
    pthread_cond_init(&s->ends, NULL);
    lac_status status = start(s, err);
    if (status != LAC_OK)
        lac_shards_close(s);
    else
        *out = s;
    return status;
}

void lac_shards_close(lac_shards *s) {
    if (!s) return;
    play(s, NULL, NULL);
    for (int i = 0; i < s->n_seats; i++) pthread_join(s->seats[i].thread, NULL);
    pthread_cond_destroy(&s->ends);
    pthread_cond_destroy(&s->begins);
    pthread_mutex_destroy(&s->lock);
    lac_arena_close(s->arena);
}

const lac_plan *lac_shards_plan(const lac_shards *s, int shard) {
    return s->seats[shard].plan;
}

// ---- forward ----------------------------------------------------------------------------------------------

typedef struct forward_job {
    const lac_shards *shards;
    const float *in;
    float *out;
    uint32_t n;
} forward_job;

static lac_status forward(void *ctx, int shard, lac_plan *plan, lac_error *err) {
    const forward_job *j = ctx;
    const lac_shards *s = j->shards;
    uint32_t batch = (uint32_t)s->config.batch;
    for (uint32_t first = (uint32_t)shard * batch; first < j->n; first += batch * LAC_SHARDS) {
        uint32_t n = j->n - first < batch ? j->n - first : batch;
        memcpy(lac_plan_input(plan), j->in + first * s->n_in, n * s->n_in * sizeof(float));
        LAC_TRY(lac_plan_forward(plan, err));
        memcpy(j->out + first * s->n_out, lac_plan_output(plan), n * s->n_out * sizeof(float));
    }
    return LAC_OK;
}

lac_status lac_shards_forward(lac_shards *s, const float *in, uint32_t n, float *out, lac_error *err) {
    forward_job j = {s, in, out, n};
    return lac_shards_run(s, forward, &j, err);
}
