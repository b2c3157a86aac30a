lac_test(test_multiplier SOURCE unit/test_multiplier.c DEPS lac_quant)
lac_test(test_lower SOURCE unit/test_lower.c DEPS lac_quant lac_exec)
lac_test(test_lower_random SOURCE unit/test_lower_random.c DEPS lac_quant lac_exec)
