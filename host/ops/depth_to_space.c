#include "gather.h"

LAC_GATHER_OP(DEPTH_TO_SPACE, depth_to_space,
              "y[c][i][j] = x[(i % b * b + j % b) * C + c][i / b][j / b] for C channels out; by column x[c * "
              "b * b + i % b * b + j % b]");
