# Networks whose values are rearranged and folded, from the float graph to every device.
lac_test(test_lower_devices SOURCE unit/test_lower_devices.c DEPS lac_quant lac_exec lac_engine lac_device)
set_tests_properties(test_lower_devices PROPERTIES ENVIRONMENT "OMP_NUM_THREADS=1")
if(TARGET lac_sim)
  add_test(NAME lower_devices_with_clock COMMAND test_lower_devices clock)
  set_tests_properties(lower_devices_with_clock PROPERTIES LABELS full TIMEOUT 1200
    ENVIRONMENT "OMP_NUM_THREADS=1;LACUNA_CACHE=${CMAKE_BINARY_DIR}/model-cache")
endif()
# ResNet-50 and MobileNetV2 at 224 x 224 pixels.
lac_test(test_large_nets SOURCE unit/test_large_nets.c DEPS lac_quant lac_exec lac_engine lac_device lac_train
         LABELS full TIMEOUT 1800)
set_tests_properties(test_large_nets PROPERTIES ENVIRONMENT "LACUNA_CACHE=${CMAKE_BINARY_DIR}/model-cache")
