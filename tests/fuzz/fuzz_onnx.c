// libFuzzer's entry to the ONNX reader; what it accepts must be sound and survive writing. Build with Clang
// and -DLAC_FUZZ=ON, then: fuzz_onnx CORPUS_FOLDER (models/*.onnx is a start).
#include <stdint.h>
#include <stdlib.h>

#include "onnx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes) {
    lac_arena *arena = lac_arena_open();
    lac_error err = {0};
    lac_graph *graph = NULL, *again = NULL;
    lac_bytes bytes;
    lac_status status = lac_onnx_parse(data, n_bytes, arena, &graph, &err);
    if ((status == LAC_OK) != (graph != NULL) || (status != LAC_OK && !err.text[0])) abort();
    if (status == LAC_OK && lac_onnx_serialize(graph, arena, &bytes, &err) != LAC_OK) abort();
    if (status == LAC_OK && lac_onnx_parse(bytes.data, bytes.n, arena, &again, &err) != LAC_OK) abort();
    lac_arena_close(arena);
    return 0;
}
