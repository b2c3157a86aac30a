#include "loader.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

enum { N_SLOTS = 2 }; // one in use, one being filled

struct lac_loader {
    lac_loader_config config;
    lac_arena *arena;
    lac_batch slots[N_SLOTS];
    uint32_t *order; // of the images in epoch `ordered`
    int64_t ordered;
    float *mixed; // scratch of a batch
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool threaded, quit;
    uint64_t n_made, n_taken; // batches since first_step
};

// ---- batches --------------------------------------------------------------------------------------------

// Gamma(shape, 1) for shape >= 1.
static double gamma_variate(lac_rng *rng, double shape) {
    double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double x = (double)lac_rng_normal(rng), u = 1.0 - (double)lac_rng_uniform(rng);
        double v = 1 + c * x;
        if (v <= 0) continue;
        v = v * v * v;
        if (log(u) < 0.5 * x * x + d - d * v + d * log(v)) return d * v;
    }
}

// log of Gamma(alpha, 1): for small alpha the variate itself underflows.
static double log_gamma_variate(lac_rng *rng, double alpha) {
    double boost = log(1.0 - (double)lac_rng_uniform(rng)) / alpha;
    return log(gamma_variate(rng, alpha + 1)) + boost;
}

float lac_beta(lac_rng *rng, float alpha) {
    double a = log_gamma_variate(rng, (double)alpha), b = log_gamma_variate(rng, (double)alpha);
    return (float)(1 / (1 + exp(b - a)));
}

static void order_epoch(lac_loader *l, int64_t epoch) {
    if (epoch == l->ordered) return;
    for (uint32_t i = 0; i < l->config.split->n; i++) l->order[i] = i;
    lac_rng rng = lac_rng_make(l->config.seed ^ 0x0DDE5u, (uint64_t)epoch);
    lac_rng_shuffle(&rng, l->order, l->config.split->n);
    l->ordered = epoch;
}

// Image i with image i + shift of the batch, so that none meets itself.
static void mix(lac_loader *l, uint64_t step, lac_batch *b) {
    const lac_augment *a = &l->config.augment;
    const size_t size = (size_t)a->c * (size_t)a->h * (size_t)a->w;
    const uint32_t n = l->config.batch;
    lac_rng rng = lac_rng_make(l->config.seed ^ 0x313C0Bu, step);
    float share = b->partner_share = lac_beta(&rng, l->config.mixup);
    uint32_t shift = n > 1 ? 1 + lac_rng_below(&rng, n - 1) : 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t j = (i + shift) % n;
        const float *own = b->x + i * size, *other = b->x + j * size;
        b->partners[i] = b->labels[j];
        for (size_t k = 0; k < size; k++) l->mixed[i * size + k] = own[k] + share * (other[k] - own[k]);
    }
    memcpy(b->x, l->mixed, n * size * sizeof(float));
}

static void make_batch(lac_loader *l, uint64_t step, lac_batch *b) {
    const lac_loader_config *c = &l->config;
    const size_t size = (size_t)c->augment.c * (size_t)c->augment.h * (size_t)c->augment.w;
    int64_t epoch = (int64_t)(step / c->steps_per_epoch);
    order_epoch(l, epoch);
    const uint32_t *items = l->order + step % c->steps_per_epoch * c->batch;
    for (uint32_t i = 0; i < c->batch; i++) {
        lac_augment_image(&c->augment, c->split->pixels, items[i], epoch, b->x + i * size);
        b->labels[i] = c->split->labels[items[i]];
    }
    if (c->mixup > 0) mix(l, step, b);
}

// ---- the thread -----------------------------------------------------------------------------------------

static bool wait_for_slot(lac_loader *l) {
    pthread_mutex_lock(&l->mutex);
    while (!l->quit && l->n_made >= l->n_taken + N_SLOTS - 1) pthread_cond_wait(&l->changed, &l->mutex);
    bool go_on = !l->quit;
    pthread_mutex_unlock(&l->mutex);
    return go_on;
}

static void *work(void *arg) {
    lac_loader *l = arg;
    for (uint64_t i = 0; l->config.first_step + i < l->config.n_steps && wait_for_slot(l); i++) {
        make_batch(l, l->config.first_step + i, &l->slots[i % N_SLOTS]);
        pthread_mutex_lock(&l->mutex);
        l->n_made = i + 1;
        pthread_cond_broadcast(&l->changed);
        pthread_mutex_unlock(&l->mutex);
    }
    return NULL;
}

const lac_batch *lac_loader_next(lac_loader *l) {
    lac_batch *batch = &l->slots[l->n_taken % N_SLOTS];
    if (!l->threaded) {
        make_batch(l, l->config.first_step + l->n_taken++, batch);
        return batch;
    }
    pthread_mutex_lock(&l->mutex);
    while (l->n_made <= l->n_taken) pthread_cond_wait(&l->changed, &l->mutex);
    l->n_taken++; // what was taken before may be filled again
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->mutex);
    return batch;
}

lac_status lac_loader_open(const lac_loader_config *config, lac_loader **out, lac_error *err) {
    lac_arena *arena = lac_arena_open();
    if (!arena) LAC_FAIL(err, LAC_E_MEMORY, "no memory for batches of %u images", config->batch);
    lac_loader *l = LAC_NEW(arena, lac_loader);
    l->config = *config;
    l->arena = arena;
    l->ordered = -1;
    l->order = LAC_NEW_ARRAY(arena, uint32_t, config->split->n);
    const size_t n = (size_t)config->batch * (size_t)config->augment.c * (size_t)config->augment.h *
                     (size_t)config->augment.w;
    if (config->mixup > 0) l->mixed = LAC_NEW_ARRAY(arena, float, n);
    for (int i = 0; i < N_SLOTS; i++) {
        l->slots[i] = (lac_batch){.x = LAC_NEW_ARRAY(arena, float, n),
                                  .labels = LAC_NEW_ARRAY(arena, uint8_t, config->batch)};
        if (config->mixup > 0) l->slots[i].partners = LAC_NEW_ARRAY(arena, uint8_t, config->batch);
    }
    pthread_mutex_init(&l->mutex, NULL);
    pthread_cond_init(&l->changed, NULL);
    l->threaded =
        pthread_create(&l->thread, NULL, work, l) == 0; // without it, batches are made when asked for
    *out = l;
    return LAC_OK;
}

void lac_loader_close(lac_loader *l) {
    if (!l) return;
    if (l->threaded) {
        pthread_mutex_lock(&l->mutex);
        l->quit = true;
        pthread_cond_broadcast(&l->changed);
        pthread_mutex_unlock(&l->mutex);
        pthread_join(l->thread, NULL);
    }
    pthread_cond_destroy(&l->changed);
    pthread_mutex_destroy(&l->mutex);
    lac_arena_close(l->arena);
}
