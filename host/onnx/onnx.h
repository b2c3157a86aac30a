#ifndef LAC_ONNX_H
#define LAC_ONNX_H

#include "file.h"
#include "graph.h"

/// ONNX in and out. Every stage of the road reads and writes this one format, so any stage opens in other
/// tools.
///
/// What is read is read exactly: every attribute is honoured or refused, nothing is skipped in silence.
/// Quantizers are QONNX nodes (domain "qonnx.custom_op.general", version 1).
///
/// source  Open Neural Network Exchange, IR specification and operators; QONNX: Representing
/// arbitrary-precision
///         quantized neural networks, Pappalardo et al. 2022

enum {
    LAC_ONNX_OPSET = 13,          ///< written
    LAC_ONNX_OPSET_CIRCULAR = 19, ///< written when there is circular padding
    LAC_ONNX_OPSET_LEAST = 9,
    LAC_ONNX_OPSET_MOST = 21, ///< read
    LAC_ONNX_IR_VERSION = 7,  ///< written: the version that came with opset 13
    LAC_ONNX_IR_CIRCULAR = 9  ///< the one of opset 19
};

/// Builds a graph from the bytes of an ONNX model. Values that are computed keep their ONNX names and have
/// shapes for a batch of 1.
///
///   Gemm, MatMul and MatMul + Add become LINEAR (w as [O][I], alpha and beta folded in); Reshape to N x (C H
///   W) becomes FLATTEN; Identity, Dropout at inference and a Softmax at the very end are dropped, the last
///   with a note in the meta data under "lacuna.import.note", and so is an ArgMax there; auto_pad and
///   ceil_mode become padding. Split becomes SLICEs; x * Sigmoid(x) is SILU, x * HardSigmoid(x) with 1/6 and
///   1/2 HARD_SWISH, x * (Erf(x / sqrt(2)) + 1) / 2 GELU, Reshape - Transpose - Reshape of channels
///   CHANNEL_SHUFFLE.
///
/// memory  the graph comes from arena; conv and linear weights and biases, gamma, beta and quantizer scales
/// are
///         trainable, all without masks
/// errors  E_FORMAT (not ONNX, damaged, inconsistent), E_UNSUPPORTED, E_SHAPE, E_RANGE; each names the node,
/// the
///         attribute or tensor, its value and a remedy
lac_status lac_onnx_parse(const uint8_t *data, size_t n_bytes, lac_arena *arena, lac_graph **out,
                          lac_error *err) LAC_MUST_CHECK;

/// lac_onnx_parse on a file, "-" being standard input; messages begin with the path.
///
/// errors  as lac_onnx_parse; E_NOT_FOUND, E_IO
lac_status lac_onnx_read(const char *path, lac_arena *arena, lac_graph **out, lac_error *err) LAC_MUST_CHECK;

/// The bytes of a graph as an ONNX model: opset 13, batch dimension "N", shapes of all values, the graph's
/// meta data as metadata_props. Masks are not stored: the zeros are.
///
/// memory  the bytes come from arena
/// exact   lac_onnx_parse of the bytes gives the graph back; the same graph gives the same bytes
/// errors  E_FORMAT (the graph breaks an invariant of graph.h), E_SHAPE, E_UNSUPPORTED (opset 13 cannot say
/// it)
lac_status lac_onnx_serialize(const lac_graph *graph, lac_arena *arena, lac_bytes *out,
                              lac_error *err) LAC_MUST_CHECK;

/// How quantizers are written. QDQ is for other runtimes: standard ONNX alone, which lac_onnx_read refuses.
typedef enum lac_onnx_format { LAC_ONNX_QONNX, LAC_ONNX_QDQ } lac_onnx_format;

/// lac_onnx_write in one of the formats.
lac_status lac_onnx_write_as(const lac_graph *graph, lac_onnx_format format, const char *path,
                             lac_error *err) LAC_MUST_CHECK;

/// lac_onnx_serialize to a file that appears whole or not at all, "-" being standard output.
///
/// errors  as lac_onnx_serialize; E_IO
lac_status lac_onnx_write(const lac_graph *graph, const char *path, lac_error *err) LAC_MUST_CHECK;

#endif
