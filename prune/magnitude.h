#ifndef LAC_MAGNITUDE_H
#define LAC_MAGNITUDE_H

/// Density at a point of the training, cubic from the initial to the final density between begin and end:
///
///   density = final + (initial - final) * (1 - t)^3,   t = (progress - begin) / (end - begin) in 0..1
///
/// units   all are shares in 0..1
/// source  Zhu and Gupta 2017, equation 1
double lac_cubic_density(double progress, double begin, double end, double initial, double final);

#endif
