lac_test(test_dataset SOURCE unit/test_dataset.c DEPS lac_data LABELS quick)
lac_test(test_onnx SOURCE unit/test_onnx.c DEPS lac_onnx LABELS quick)
