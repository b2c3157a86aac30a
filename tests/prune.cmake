lac_test(test_channels SOURCE unit/test_channels.c DEPS lac_prune)
lac_test(test_gates SOURCE unit/test_gates.c DEPS lac_prune TIMEOUT 600)
set_tests_properties(test_channels test_gates PROPERTIES ENVIRONMENT "OMP_NUM_THREADS=1")
