#ifndef LAC_ATTENTION_H
#define LAC_ATTENTION_H

#include "net.h"

/// Parts of networks that weigh a map by what is in it; each gives a map of the same shape. Inner layers have
/// a 16th of the channels.
typedef int lac_attention(lac_net *net, const char *name, int x);

/// Channels: x * sigmoid(W2 relu(W1 mean(x))).
///
/// source  Hu, Shen, Sun: Squeeze-and-excitation networks, CVPR 2018, section 3
lac_attention lac_attention_se;

/// Channels: y = x * sigmoid(f(mean(x)) + f(max(x))), f = W2 relu(W1 .), over pixels; then pixels:
/// y * sigmoid(conv7x7(mean, max over channels)).
///
/// source  Woo et al.: CBAM, ECCV 2018, section 3; batch norm behind the 7x7 convolution as in the authors'
/// code
lac_attention lac_attention_cbam;

#endif
