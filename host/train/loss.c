#include "loss.h"

#include <math.h>
#include <stddef.h>

static int arg_max(const float *x, int n) {
    int best = 0;
    for (int k = 1; k < n; k++)
        if (x[k] > x[best]) best = k;
    return best;
}

// log of the sum of exp(x / temperature)
static double log_sum(const float *x, int n, double temperature) {
    double peak = (double)x[arg_max(x, n)] / temperature, sum = 0;
    for (int k = 0; k < n; k++) sum += exp((double)x[k] / temperature - peak);
    return peak + log(sum);
}

// The target of class k of image i.
static double target(const lac_targets *t, uint32_t i, int k) {
    double share = t->partners ? (double)t->partner_share : 0, smoothing = (double)t->smoothing;
    double hit = k == t->labels[i] ? 1 - share : 0;
    if (t->partners && k == t->partners[i]) hit += share;
    return smoothing / t->n_classes + (1 - smoothing) * hit;
}

// Cross entropy of one image; adds `share` times its gradient to g.
static double cross_entropy(const lac_targets *t, uint32_t i, const float *x, double share, float *g) {
    double norm = log_sum(x, t->n_classes, 1), loss = norm;
    for (int k = 0; k < t->n_classes; k++) {
        double wanted = target(t, i, k);
        loss -= wanted * (double)x[k];
        if (g) g[k] += (float)((exp((double)x[k] - norm) - wanted) * share);
    }
    return loss;
}

// Divergence of one image from the teacher, times temperature squared; adds `share` times its gradient to g.
static double divergence(const lac_targets *t, uint32_t i, const float *x, double share, float *g) {
    const double temperature = (double)t->temperature;
    const float *z = t->teacher + (size_t)i * (size_t)t->n_classes;
    double x_norm = log_sum(x, t->n_classes, temperature), z_norm = log_sum(z, t->n_classes, temperature);
    double loss = 0;
    for (int k = 0; k < t->n_classes; k++) {
        double log_q = (double)x[k] / temperature - x_norm, log_p = (double)z[k] / temperature - z_norm;
        loss += exp(log_p) * (log_p - log_q);
        if (g) g[k] += (float)((exp(log_q) - exp(log_p)) * temperature * share);
    }
    return temperature * temperature * loss;
}

lac_loss lac_softmax_loss(const float *logits, const lac_targets *t, float *gradient) {
    lac_loss loss = {0};
    double weight = t->teacher ? (double)t->teacher_weight : 0, share = 1.0 / t->n;
    for (uint32_t i = 0; i < t->n; i++) {
        const float *x = logits + (size_t)i * (size_t)t->n_classes;
        float *g = gradient ? gradient + (size_t)i * (size_t)t->n_classes : NULL;
        for (int k = 0; g && k < t->n_classes; k++) g[k] = 0;
        loss.sum += (1 - weight) * cross_entropy(t, i, x, (1 - weight) * share, g);
        if (t->teacher) loss.sum += weight * divergence(t, i, x, weight * share, g);
        loss.n_right += arg_max(x, t->n_classes) == t->labels[i];
    }
    return loss;
}

lac_loss lac_softmax_cross_entropy(const float *logits, const uint8_t *labels, uint32_t n, int n_classes,
                                   float smoothing, float *gradient) {
    lac_targets targets = {.labels = labels, .smoothing = smoothing, .n = n, .n_classes = n_classes};
    return lac_softmax_loss(logits, &targets, gradient);
}

double lac_hint_loss(const float *x, const float *teacher, int64_t n, float weight, float *gradient) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        float difference = x[i] - teacher[i];
        sum += (double)difference * (double)difference;
        gradient[i] = 2 * weight * difference / (float)n;
    }
    return (double)weight * sum / (double)n;
}
