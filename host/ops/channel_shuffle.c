#include "gather.h"

LAC_GATHER_OP(CHANNEL_SHUFFLE, channel_shuffle, "y[c][p] = x[c % groups * (C / groups) + c / groups][p]");
