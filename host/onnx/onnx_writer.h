#ifndef LAC_ONNX_WRITER_H
#define LAC_ONNX_WRITER_H

#include "onnx.h"
#include "onnx.pb-c.h"

/// What the files of the writer share; nobody outside this room includes it.

enum {
    LAC_ONNX_STEPS_MOST = 5,     ///< nodes of the file that one of the graph may become
    LAC_ONNX_CONSTANTS_MOST = 4, ///< constants that come with it
    LAC_ONNX_ATTRIBUTES_MOST = 8
};

typedef struct onnx_writer {
    const lac_graph *graph; ///< a copy: shapes are filled in
    lac_arena *arena;       ///< of the messages
    Onnx__GraphProto *file;
    int64_t opset;
    lac_onnx_format format;
    lac_error *err;
} onnx_writer;

/// A name that no value of the graph has: the node's and a suffix.
char *onnx_side_name(const onnx_writer *w, const lac_node *node, const char *suffix);

/// onnx_expand.c: writes an op that the opset spells with several nodes or with constant inputs; false for
/// one that is a node of its own with the graph's inputs.
bool onnx_expand(onnx_writer *w, const lac_node *node);

#endif
