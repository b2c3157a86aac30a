lac_test(test_graph SOURCE unit/test_graph.c DEPS lac_ir LABELS quick)
lac_test(test_dataset SOURCE unit/test_dataset.c DEPS lac_data LABELS quick)
lac_test(test_onnx SOURCE unit/test_onnx.c DEPS lac_onnx LABELS quick)
lac_test(test_onnx_read SOURCE unit/test_onnx_read.c DEPS lac_onnx LABELS quick)

# Conformance needs arithmetic, which is a floor up.
if(TARGET lac_train)
  set(LAC_ONNX_TESTDATA /usr/lib/python3/dist-packages/onnx/backend/test/data
      CACHE PATH "The ONNX standard's test vectors (Debian: libonnx-testdata)")
  lac_test(test_onnx_nodes SOURCE conform/test_onnx_nodes.c DEPS lac_onnx lac_train m LABELS full TIMEOUT 300)
  target_compile_definitions(test_onnx_nodes PRIVATE LAC_ONNX_TESTDATA="${LAC_ONNX_TESTDATA}")
  set_tests_properties(test_onnx_nodes PROPERTIES SKIP_RETURN_CODE 77)
  lac_test(test_onnxruntime SOURCE conform/test_onnxruntime.c DEPS lac_onnx lac_train LABELS full TIMEOUT 300)
  target_include_directories(test_onnxruntime PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/unit)
endif()
