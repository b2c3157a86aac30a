#!/usr/bin/python3
"""Repeats a step of bench/train_step.c in PyTorch and compares loss, every parameter and every running statistic.

    train_step_torch.py FOLDER LOSS      fails when anything differs by more than 1e-4
"""
import sys

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper

TOLERANCE = 1e-4


def constants(path):
    return {t.name: numpy_helper.to_array(t) for t in onnx.load(path).graph.initializer}


folder, loss_of_ours = sys.argv[1], float(sys.argv[2])
before, after = constants(folder + "/before.onnx"), constants(folder + "/after.onnx")
x = torch.from_numpy(np.fromfile(folder + "/images", np.uint8).reshape(-1, 3, 32, 32).astype(np.float32))
x = (x - 121) / 64
labels = torch.from_numpy(np.fromfile(folder + "/labels", np.uint8).astype(np.int64))
p = {name: torch.from_numpy(value.copy()) for name, value in before.items()}
statistics = [name for name in p if name.endswith((".mean", ".variance"))]
for name in p:
    p[name].requires_grad_(name not in statistics)


def conv(x, name, stride, pad):
    return F.conv2d(x, p[name + ".weight"], p.get(name + ".bias"), stride, pad)


def bn(x, name):
    # PyTorch's running variance is the unbiased one; ONNX has the one of the batch.
    n = x.numel() / x.shape[1]
    mean, variance = p[name + ".mean"].clone(), p[name + ".variance"].clone()
    y = F.batch_norm(x, mean, variance, p[name + ".gamma"], p[name + ".beta"], True, 0.1, 1e-5)
    unbiased = (variance - 0.9 * p[name + ".variance"]) / 0.1
    p[name + ".mean"] = mean
    p[name + ".variance"] = 0.9 * p[name + ".variance"] + 0.1 * unbiased * (n - 1) / n
    return y


def block(x, name, stride):
    y = F.relu(bn(conv(x, name + ".conv1", stride, 1), name + ".conv1.bn"))
    y = bn(conv(y, name + ".conv2", 1, 1), name + ".conv2.bn")
    if name + ".shortcut.weight" in p:
        x = conv(x, name + ".shortcut", stride, 0)
    return F.relu(y + x)


y = F.relu(bn(conv(x, "conv1", 1, 1), "conv1.bn"))
for name, stride in (("stage1", 1), ("stage2", 2), ("stage3", 2)):
    y = block(y, name, stride)
logits = F.linear(y.mean((2, 3)), p["fc.weight"], p["fc.bias"])
loss = F.cross_entropy(logits, labels)
loss.backward()
weights = [p[n] for n in p if n.endswith(".weight")]
others = [p[n] for n in p if n not in statistics and not n.endswith(".weight")]
torch.optim.SGD([{"params": weights, "weight_decay": 5e-4}, {"params": others}], lr=0.1, momentum=0.9,
                nesterov=True).step()

worst, where = abs(loss.item() - loss_of_ours), "loss"
for name, value in p.items():
    error = float(np.abs(value.detach().numpy() - after[name]).max())
    if not error <= worst:
        worst, where = error, name
moved = max(float(np.abs(after[n] - before[n]).max()) for n in before)
print(f"ResNet-8, one step: {len(p)} tensors, largest move {moved:.3g}, largest difference {worst:.3g} ({where})")
sys.exit(0 if worst <= TOLERANCE < moved else 1)
