#include "hard_concrete.h"

#include <math.h>

static const double temperature = 2.0 / 3, lowest = -0.1, highest = 1.1;

static double sigmoid(double x) {
    return 1 / (1 + exp(-x));
}

static double clip(double x) {
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

double lac_hard_concrete(double log_alpha, double u, double *slope) {
    double s = sigmoid((log(u) - log(1 - u) + log_alpha) / temperature);
    double z = s * (highest - lowest) + lowest;
    if (slope) *slope = z > 0 && z < 1 ? (highest - lowest) * s * (1 - s) / temperature : 0;
    return clip(z);
}

double lac_hard_concrete_mean(double log_alpha) {
    return clip(sigmoid(log_alpha) * (highest - lowest) + lowest);
}

double lac_hard_concrete_open(double log_alpha, double *slope) {
    double p = sigmoid(log_alpha - temperature * log(-lowest / highest));
    if (slope) *slope = p * (1 - p);
    return p;
}
