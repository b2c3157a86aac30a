lac_test(test_nets SOURCE unit/test_nets.c DEPS lac_train LABELS quick slow TIMEOUT 400)
set_tests_properties(test_nets PROPERTIES ENVIRONMENT "OMP_NUM_THREADS=1")
