#include "loss.h"

#include <math.h>
#include <stddef.h>

static int arg_max(const float *x, int n) {
    int best = 0;
    for (int k = 1; k < n; k++)
        if (x[k] > x[best]) best = k;
    return best;
}

// One image: its loss; the gradient is scaled by `share`.
static double image_loss(const float *x, int label, int n_classes, double smoothing, double share, float *g) {
    double peak = (double)x[arg_max(x, n_classes)], sum = 0, mean = 0;
    for (int k = 0; k < n_classes; k++) {
        sum += exp((double)x[k] - peak);
        mean += (double)x[k] / n_classes;
    }
    double log_sum = peak + log(sum);
    for (int k = 0; g && k < n_classes; k++) {
        double target = smoothing / n_classes + (k == label ? 1.0 - smoothing : 0.0);
        g[k] = (float)((exp((double)x[k] - log_sum) - target) * share);
    }
    return log_sum - (1.0 - smoothing) * (double)x[label] - smoothing * mean;
}

lac_loss lac_softmax_cross_entropy(const float *logits, const uint8_t *labels, uint32_t n, int n_classes,
                                   float smoothing, float *gradient) {
    lac_loss loss = {0};
    for (uint32_t i = 0; i < n; i++) {
        const float *x = logits + (size_t)i * (size_t)n_classes;
        float *g = gradient ? gradient + (size_t)i * (size_t)n_classes : NULL;
        loss.sum += image_loss(x, labels[i], n_classes, (double)smoothing, 1.0 / n, g);
        loss.n_right += arg_max(x, n_classes) == labels[i];
    }
    return loss;
}
