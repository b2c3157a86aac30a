#include "gather.h"

LAC_GATHER_OP(UPSAMPLE, upsample, "y[c][i][j] = x[c][i / factor y][j / factor x], rounded down");
