# Speed of training and search of recipes, run by hand: no tests, because machines differ.
foreach(bench train_speed train_recipe)
  add_executable(${bench} EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/bench/${bench}.c)
  target_link_libraries(${bench} PRIVATE lac_train)
endforeach()
add_executable(train_step EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/bench/train_step.c)
target_link_libraries(train_step PRIVATE lac_train lac_onnx)

lac_test(test_ops_forward SOURCE unit/test_ops_forward.c DEPS lac_ops)
lac_test(test_ops_gradients SOURCE unit/test_ops_gradients.c DEPS lac_ops)
lac_test(test_plan SOURCE unit/test_plan.c DEPS lac_train)
lac_test(test_ops_quant SOURCE unit/test_ops_quant.c DEPS lac_ops)
lac_test(test_ops_shapes SOURCE unit/test_ops_shapes.c DEPS lac_train LABELS quick slow)
lac_test(test_train SOURCE unit/test_train.c DEPS lac_train)
lac_test(test_learning SOURCE unit/test_learning.c DEPS lac_train)
lac_test(test_train_parts SOURCE unit/test_train_parts.c DEPS lac_train)

# Tiny tensors: threads that spin for each other on a busy machine would make minutes of seconds.
set_tests_properties(test_ops_forward test_ops_gradients test_ops_quant test_ops_shapes test_plan test_train test_learning
  PROPERTIES ENVIRONMENT "OMP_NUM_THREADS=1")
set_tests_properties(test_train_parts PROPERTIES ENVIRONMENT "OMP_NUM_THREADS=2;OMP_WAIT_POLICY=passive")
