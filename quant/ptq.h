#ifndef LAC_PTQ_H
#define LAC_PTQ_H

#include "rounding.h"

/// Post-training quantization: what all of its methods have in common. In order, each as the config asks for
/// it:
///   fold batch norms (unless they are to be measured again), equalise, absorb biases; calibrate and insert
///   the quantizers; round the weights layer by layer, in the order of the graph; keep accumulators narrow;
///   correct biases, or measure batch norms again; snap to integers.
typedef struct lac_ptq_method {
    const char *name;
    lac_rounding *round;             ///< NULL: nearest, which needs no measuring
    lac_block_rounding *round_block; ///< for several rows at once; NULL: row by row
    const void *(*share)(const double *h, int n, lac_arena *arena);
    bool by_block;    ///< rounds blocks, not layers, and learns activation steps: lac_round_blocks
    float drop;       ///< by_block: share of activations that stay float while it learns
    bool fits_scales; ///< scales move to where the chosen codes err least, in turns with the codes
} lac_ptq_method;

/// errors  E_USAGE (config members that exclude each other), those of the steps
lac_status lac_ptq_run(lac_graph *graph, const lac_dataset *data, const lac_quant_config *config,
                       const lac_ptq_method *method, const lac_talk *talk, lac_error *err) LAC_MUST_CHECK;

/// The float graph that a run really quantizes: batch norms folded, equalised, biases absorbed, as asked for.
lac_status lac_ptq_rewrite(lac_graph *graph, const lac_dataset *data, const lac_quant_config *config,
                           const lac_talk *talk, lac_error *err) LAC_MUST_CHECK;

/// Rounds all weights of a prepared graph. float_graph is what it was made of.
lac_status lac_round_weights(const lac_graph *float_graph, lac_graph *graph, const lac_dataset *data,
                             const lac_quant_config *config, const lac_ptq_method *method,
                             const lac_talk *talk, lac_error *err) LAC_MUST_CHECK;

/// Rounds all weights of a prepared graph block by block (blocks.h), in order: the choices of all weights of
/// a block and its activation step sizes are learned together, by Adam, such that its output on the inputs
/// that the quantized graph so far gives is the float graph's; errors count by lac_fisher_weights. With
/// method->drop, each activation inside, and each element of the input, is with that probability the float
/// one, drawn anew every step. Where the choices that were learned lose more over all images than the nearest
/// codes, these stay.
///
/// exact   same seed, same weights, whatever the number of cores
/// memory  five floats for every element of two blocks' outputs and image
/// errors  E_INTERRUPTED; those of lac_blocks_find, lac_shards_open
/// source  Li et al.: BRECQ, ICLR 2021; Wei et al.: QDrop, ICLR 2022
lac_status lac_round_blocks(const lac_graph *float_graph, lac_graph *graph, const lac_dataset *data,
                            const lac_quant_config *config, const lac_ptq_method *method,
                            const lac_talk *talk, lac_error *err) LAC_MUST_CHECK;

/// Corrects the bias (or the batch norm's beta) of every layer in turn by the mean of what its output misses:
///
///   b[o] += mean over images and places of y_float[o] - y_quantized[o], before ReLU
///
/// source  Nagel et al.: Data-free quantization..., ICCV 2019, appendix D (empirical)
lac_status lac_correct_biases(const lac_graph *float_graph, lac_graph *graph, const lac_dataset *data,
                              uint32_t images, const lac_talk *talk, lac_error *err) LAC_MUST_CHECK;

/// Runs training images through the graph so that the statistics of its batch norms are those of its
/// quantized activations: moving averages of weight 0.9 on the past.
///
/// source  Sun et al.: Hybrid 8-bit floating point, NeurIPS 2019, section 3.3 and others: "batch norm
/// re-tuning"
lac_status lac_reestimate_norms(lac_graph *graph, const lac_dataset *data, uint32_t images,
                                const lac_talk *talk, lac_error *err) LAC_MUST_CHECK;

/// Enlarges weight scales, channel by channel, until the accumulator of every layer fits so many bits
/// whatever the input: codes are rounded towards zero then. Adds up the channels that were changed; those
/// without weights count as constants.
///
///   sum |q| * span of input codes + |bias| < 2^(acc_bits - 1), as lac_int_layer_bounds has it
///
/// errors  E_RANGE when a channel would lose all of its weights; E_UNSUPPORTED when its scale cannot grow
/// alone source  Colbert et al.: A2Q, ICCV 2023 (there by training)
lac_status lac_bound_accumulators(lac_graph *graph, int acc_bits, int *n_changed,
                                  lac_error *err) LAC_MUST_CHECK;

#endif
