#ifndef LAC_ACCOUNT_H
#define LAC_ACCOUNT_H

#include "engine_cost.h"
#include "graph.h"

/// What is left of a network, counted in every currency.

typedef struct lac_account_config {
    int weight_bits, act_bits; ///< codes; zero means 8
    lac_cost_engine engine;
} lac_account_config;

/// Bytes of a layer's weights in a coding; values take weight_bits each.
typedef struct lac_coded_bytes {
    uint64_t dense;
    uint64_t bitmap; ///< one bit a weight, then the values that are not zero
    uint64_t run;    ///< a run of zeros in 4 bits before each value, zeros of value 0 where runs are longer
    uint64_t delta;  ///< distances between values in a row of the matrix, of the width that is shortest
    uint64_t csr;    ///< column index of each value, and one pointer a row
    uint64_t stream; ///< the engine's lists (docs/image-format.md), headers of channels included
} lac_coded_bytes;

typedef struct lac_layer_account {
    const char *name, *kind;
    int64_t n_in, n_out;
    uint64_t n_weights, n_nonzero;
    uint64_t n_effective;        ///< of those, weights on some path from the image to the logits
    uint64_t macs, nonzero_macs; ///< multiply-accumulates, all / by weights that are not zero
    uint64_t cycles;
    lac_coded_bytes bytes;
} lac_layer_account;

typedef struct lac_account {
    lac_layer_account *layers; ///< convolutions and linear layers
    int n_layers;
    lac_layer_account total; ///< cycles: of all nodes
    uint64_t n_parameters;   ///< trainable numbers, biases and batch norms too
    uint64_t bops;           ///< nonzero_macs * weight_bits * act_bits
} lac_account;

/// The graph's shapes must be inferred.
///
/// memory  from arena
lac_account lac_account_of(const lac_graph *graph, const lac_account_config *config, lac_arena *arena);

/// Bytes of a weight matrix [rows][inputs * places] in every coding.
lac_coded_bytes lac_coded_bytes_of(const float *w, int64_t rows, int64_t inputs, int64_t places,
                                   int weight_bits);

/// Accuracy per size, a family that is always shown together.
typedef struct lac_efficiency {
    double accuracy_per_parameter; ///< accuracy / non-zero weights
    double correct_per_parameter;  ///< correct images / non-zero weights
    double accuracy_per_byte;      ///< accuracy / bytes of the engine's lists
    double log_efficiency;         ///< -log10(1 - accuracy) / log10(non-zero weights)
} lac_efficiency;

lac_efficiency lac_efficiency_of(const lac_account *account, double accuracy, uint32_t n_correct);

/// Marks weights that no path joins to both image and logits: they could go without any change of the logits
/// but for constants. alive: one byte a weight, for each prunable constant of lac_prunable in turn.
///
/// source  Vysogorets, Kempe: Connectivity matters: neural network pruning through the lens of effective
///         sparsity, 2021
/// memory  from arena
uint8_t **lac_alive_weights(const lac_graph *graph, const int *values, int n_values, lac_arena *arena);

#endif
