lac_test(test_multiplier SOURCE unit/test_multiplier.c DEPS lac_quant)
lac_test(test_sites SOURCE unit/test_sites.c DEPS lac_quant)
lac_test(test_range SOURCE unit/test_range.c DEPS lac_quant)
lac_test(test_rounding SOURCE unit/test_rounding.c DEPS lac_quant)
lac_test(test_ptq SOURCE unit/test_ptq.c DEPS lac_quant)
lac_test(test_blocks SOURCE unit/test_blocks.c DEPS lac_quant)
lac_test(test_bireal SOURCE unit/test_bireal.c DEPS lac_quant)
lac_test(test_qat SOURCE unit/test_qat.c DEPS lac_quant)
lac_test(test_digit_pull SOURCE unit/test_digit_pull.c DEPS lac_quant)
lac_test(test_mixed SOURCE unit/test_mixed.c DEPS lac_quant)
lac_test(test_agree SOURCE unit/test_agree.c DEPS lac_quant)
lac_test(test_lower SOURCE unit/test_lower.c DEPS lac_quant lac_exec)
lac_test(test_lower_random SOURCE unit/test_lower_random.c DEPS lac_quant lac_exec)
lac_test(test_lsq SOURCE unit/test_lsq.c DEPS lac_quant lac_exec)
lac_test(test_magnitude SOURCE unit/test_magnitude.c DEPS lac_prune)

# Networks this small are slower on more threads, and tests run beside each other.
set_tests_properties(test_sites test_ptq test_blocks test_bireal test_qat test_digit_pull test_mixed test_agree test_lower test_lower_random test_lsq test_magnitude
                     PROPERTIES ENVIRONMENT "OMP_NUM_THREADS=1")

# The demo's model in ONNX Runtime, over the whole test part.
lac_test(test_qdq SOURCE conform/test_qdq.c DEPS lac_quant lac_onnx lac_exec LABELS full TIMEOUT 900)
target_include_directories(test_qdq PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/unit)
