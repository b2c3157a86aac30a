#include "eltwise.h"

LAC_ELTWISE_OP(GELU, gelu, dnnl_eltwise_gelu_erf, 0.0f, "y = x / 2 * (1 + erf(x / sqrt(2)))");
