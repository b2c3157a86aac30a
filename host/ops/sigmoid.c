#include "eltwise.h"

LAC_ELTWISE_OP(SIGMOID, sigmoid, dnnl_eltwise_logistic, 0.0f, "y = 1 / (1 + exp(-x))");
