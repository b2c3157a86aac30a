#ifndef LAC_ROUNDS_H
#define LAC_ROUNDS_H

#include "prune.h"

/// Prunes by magnitude in rounds of equal factors, each followed by a whole training by the recipe:
///
///   density after round r of n = density^(r/n), counted from what there is
///
/// With rewind, weights that stay return to what they were in the file before every training; the training
/// that finds what to prune comes first.
///
/// exact   a checkpoint is kept per round: OUTPUT.checkpoint.ROUND
lac_status lac_prune_rounds(const char *name, bool rewind, lac_graph *graph, const lac_dataset *data,
                            const lac_prune_config *config, const lac_talk *talk,
                            lac_error *err) LAC_MUST_CHECK;

/// Density after round r (1..n) of n on the way from initial to final.
double lac_round_density(double initial, double final, int r, int n);

#endif
