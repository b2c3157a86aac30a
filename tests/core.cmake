lac_test(test_arena SOURCE unit/test_arena.c DEPS lac_core)
lac_test(test_file SOURCE unit/test_file.c DEPS lac_core)
lac_test(test_num SOURCE unit/test_num.c DEPS lac_core lac_num)
