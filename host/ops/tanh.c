#include "eltwise.h"

LAC_ELTWISE_OP(TANH, tanh, dnnl_eltwise_tanh, 0.0f, "y = tanh(x)");
