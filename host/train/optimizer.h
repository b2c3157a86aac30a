#ifndef LAC_OPTIMIZER_H
#define LAC_OPTIMIZER_H

#include "float_plan.h"
#include "train.h"

/// A trainable constant and what the optimiser remembers about it.
typedef struct lac_parameter {
    int value;
    bool is_weight; ///< of a convolution or linear layer: decays
    bool is_scale;  ///< of a quantizer: stays positive, has its own learning rate
    bool is_offset; ///< of a quantizer: has the learning rate of scales
    int64_t n;
    float *memory[2]; ///< SGD: momentum. ADAM: first and second moments
} lac_parameter;

typedef struct lac_optimizer_state {
    lac_optimizer kind;
    lac_parameter *parameters;
    int n_parameters, n_memories; ///< memories a parameter: 1 for SGD, 2 for ADAM
    float weight_decay, scale_lr, clip;
} lac_optimizer_state;

/// memory  from arena
lac_optimizer_state lac_optimizer_make(const lac_graph *graph, const lac_recipe *recipe, lac_arena *arena);

/// One update of every parameter that has a gradient; step counts from 0.
///
///   SGD   v = 0.9 v + g + wd w;  w -= lr (g + wd w + 0.9 v)                          (Nesterov momentum)
///   ADAM  g += wd w; m = 0.9 m + 0.1 g; v = 0.999 v + 0.001 g^2; w -= lr m' / (sqrt(v') + 1e-8), primes
///   being
///         corrected for the start
///   ADAMW without wd w in g, but with w -= lr wd w
///
/// g is clipped first: where the norm over all parameters is above `clip`, all are scaled by clip / norm.
///
/// exact   masked elements, and what is remembered of them, stay zero; scales stay above a tiny floor
/// source  Sutskever et al., ICML 2013; Kingma, Ba, ICLR 2015; decoupled decay: Loshchilov, Hutter, ICLR 2019
void lac_optimizer_update(lac_optimizer_state *o, lac_graph *graph, const lac_plan *plan, float lr,
                          uint64_t step);

/// Sets masked elements of all parameters to zero.
void lac_masks_apply(lac_graph *graph);

/// Learning rate of a step: linear warm-up from lr / 10, then cosine to 0, constant, or in steps. ONE_CYCLE
/// has no warm-up of its own: lr / 25 to lr in the first 30 % of all steps and down to lr / 250000, both
/// along cosines.
///
/// source  Smith, Topin: Super-convergence, arXiv 1708.07120, with the shape that PyTorch's OneCycleLR has
float lac_schedule_lr(const lac_recipe *recipe, uint64_t step, uint64_t n_steps, uint64_t steps_per_epoch);

#endif
