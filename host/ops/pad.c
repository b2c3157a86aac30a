#include "gather.h"

LAC_GATHER_OP(PAD, pad,
              "y[c][i][j] = x[c][i - top][j - left]; outside 0, or circular the pixel modulo H and W");
