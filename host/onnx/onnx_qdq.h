#ifndef LAC_ONNX_QDQ_H
#define LAC_ONNX_QDQ_H

#include "onnx_build.h"

/// Quantizers as the pairs of nodes of standard ONNX. For weights the codes themselves are in the file
/// (int8), before a DequantizeLinear; an activation passes Clip (where its codes are narrower than 8 bits),
/// QuantizeLinear and DequantizeLinear. All of it computes exactly what the QONNX nodes do: rounding is half
/// to even in both.
typedef struct onnx_qdq {
    const lac_graph *graph;
    lac_arena *arena;
    Onnx__GraphProto *file; ///< with room for 3 nodes and 4 tensors more
} onnx_qdq;

/// Appends what stands for a QUANT or BIPOLAR_QUANT node.
void onnx_add_qdq(const onnx_qdq *q, const lac_node *node);

/// Is this constant read by quantizers alone? Their pairs have tensors of their own.
bool onnx_is_of_quantizers(const lac_graph *graph, int value);

#endif
