lac_test(test_graph SOURCE unit/test_graph.c DEPS lac_ir LABELS quick)
lac_test(test_dataset SOURCE unit/test_dataset.c DEPS lac_data LABELS quick)
lac_test(test_data_files SOURCE unit/test_data_files.c DEPS lac_data LABELS quick)
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

# Fuzzing: a fixed crowd of mutants always, libFuzzer on request.
lac_test(test_onnx_mutants SOURCE fuzz/test_onnx_mutants.c DEPS lac_onnx LABELS quick TIMEOUT 300)
target_include_directories(test_onnx_mutants PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/unit)
option(LAC_FUZZ "Build the libFuzzer targets (Clang only)" OFF)
if(LAC_FUZZ AND CMAKE_C_COMPILER_ID MATCHES Clang)
  foreach(room lac_onnx_proto lac_onnx lac_ir lac_core)
    target_compile_options(${room} PRIVATE -fsanitize=fuzzer-no-link,address)
  endforeach()
  add_executable(fuzz_onnx fuzz/fuzz_onnx.c)
  target_compile_options(fuzz_onnx PRIVATE ${LAC_WARNINGS} -fsanitize=fuzzer,address)
  target_link_libraries(fuzz_onnx PRIVATE lac_onnx -fsanitize=fuzzer,address)
endif()
