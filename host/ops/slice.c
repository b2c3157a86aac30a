#include "gather.h"

LAC_GATHER_OP(SLICE, slice, "y[c][p] = x[begin + c][p], for c below end - begin");
