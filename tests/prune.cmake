lac_test(test_channels SOURCE unit/test_channels.c DEPS lac_prune)
lac_test(test_gates SOURCE unit/test_gates.c DEPS lac_prune LABELS quick slow TIMEOUT 600)
lac_test(test_gate_select SOURCE unit/test_gate_select.c DEPS lac_prune LABELS full TIMEOUT 600)
lac_test(test_autobot SOURCE unit/test_autobot.c DEPS lac_prune TIMEOUT 300)
lac_test(test_sparse SOURCE unit/test_sparse.c DEPS lac_prune TIMEOUT 300)
lac_test(test_joint SOURCE unit/test_joint.c DEPS lac_prune lac_quant)
lac_test(test_account SOURCE unit/test_account.c DEPS lac_prune)
lac_test(test_obs SOURCE unit/test_obs.c DEPS lac_prune)
lac_test(test_clean SOURCE unit/test_clean.c DEPS lac_prune)
lac_test(test_pruned_onnx SOURCE conform/test_pruned_onnx.c DEPS lac_prune lac_onnx LABELS full TIMEOUT 600)
target_include_directories(test_pruned_onnx PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/unit)

# Networks this small are slower on more threads.
set_tests_properties(test_channels test_gates test_gate_select test_autobot test_sparse test_joint test_account test_obs test_clean test_pruned_onnx
                     PROPERTIES ENVIRONMENT "OMP_NUM_THREADS=1")
if(TARGET lac_engine)
  lac_test(test_engine_cost SOURCE unit/test_engine_cost.c DEPS lac_prune lac_quant lac_engine TIMEOUT 300)
  set_tests_properties(test_engine_cost PROPERTIES ENVIRONMENT "OMP_NUM_THREADS=1")
endif()
