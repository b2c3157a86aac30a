#ifndef LAC_MOMENTS_H
#define LAC_MOMENTS_H

#include "quantize.h"

/// What a rounding method must know of one layer's inputs and wanted outputs. With x the inputs that one
/// output element reads (in the quantized graph, all layers before being done) and y what the float graph
/// makes there, bias taken away:
///
///   sum (y[o] - w[o] . x)^2  =  w[o] H w[o] - 2 c[o] w[o] + yy[o]       H = sum x x',  c[o] = sum y[o] x
typedef struct lac_moments {
    int n_groups, rows, n; ///< output channels of a group; inputs of an output
    double *h;             ///< [group][n][n]
    double *c;             ///< [group * rows + row][n]
    double *yy;            ///< [group * rows + row]
} lac_moments;

/// Measures layer `node` of the quantized graph against the float graph's layer of the same name, at places
/// drawn by seed from the first images of the training part.
///
/// memory  from arena; scratch for images and copies of the graphs
lac_status lac_moments_measure(const lac_graph *float_graph, const lac_graph *quantized, int node,
                               const lac_dataset *data, uint32_t images, uint64_t seed, lac_arena *arena,
                               lac_arena *scratch, lac_moments *out, lac_error *err) LAC_MUST_CHECK;

/// The squared error above for real weights w [n] of one output channel.
double lac_moments_error(const lac_moments *m, int channel, const double *w);

#endif
