lac_test(test_dataset SOURCE unit/test_dataset.c DEPS lac_data LABELS quick)
