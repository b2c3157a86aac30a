lac_test(test_channels SOURCE unit/test_channels.c DEPS lac_prune)
lac_test(test_gates SOURCE unit/test_gates.c DEPS lac_prune TIMEOUT 600)
lac_test(test_autobot SOURCE unit/test_autobot.c DEPS lac_prune TIMEOUT 300)
lac_test(test_sparse SOURCE unit/test_sparse.c DEPS lac_prune TIMEOUT 300)

# Networks this small are slower on more threads.
set_tests_properties(test_channels test_gates test_autobot test_sparse
                     PROPERTIES ENVIRONMENT "OMP_NUM_THREADS=1")
