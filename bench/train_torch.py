#!/usr/bin/python3
"""Training speed of the networks of bench/train in PyTorch: the same steps as bench/train_speed.c, and its line.

    train_torch.py NET BATCH STEPS CHANNELS PIXELS
"""
import resource
import sys
import time

import torch
from torch import nn


def conv_bn(i, o, k=3, stride=1, groups=1):
    return [nn.Conv2d(i, o, k, stride, k // 2, groups=groups, bias=False), nn.BatchNorm2d(o)]


class Block(nn.Module):
    """Of a CIFAR ResNet, option A."""

    def __init__(self, i, o, stride):
        super().__init__()
        self.body = nn.Sequential(*conv_bn(i, o, 3, stride), nn.ReLU(True), *conv_bn(o, o))
        self.stride, self.more = stride, o - i

    def forward(self, x):
        shortcut = x
        if self.more:
            shortcut = nn.functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.more))
        return torch.relu_(self.body(x) + shortcut)


def resnet20(channels, pixels):
    layers, width = [*conv_bn(channels, 16), nn.ReLU(True)], 16
    for stage in range(3):
        for b in range(3):
            layers.append(Block(width, 16 << stage, 2 if stage and not b else 1))
            width = 16 << stage
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def vgg_small(channels, pixels):
    layers, width = [], channels
    for o in (128, 256, 512):
        for _ in range(2):
            layers += [*conv_bn(width, o), nn.ReLU(True)]
            width = o
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(512 * (pixels // 8) ** 2, 10))


def mobilenet_v1(channels, pixels):
    rows = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)] + 5 * [(512, 1)] + [(1024, 2), (1024, 1)]
    layers, width = [*conv_bn(channels, 32, 3, 2), nn.ReLU(True)], 32
    for o, stride in rows:
        layers += [*conv_bn(width, width, 3, stride, width), nn.ReLU(True), *conv_bn(width, o, 1), nn.ReLU(True)]
        width = o
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1024, 10))


def lenet5(channels, pixels):
    side = (pixels // 2 - 4) // 2
    return nn.Sequential(nn.Conv2d(channels, 6, 5, padding=2), nn.ReLU(True), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5),
                         nn.ReLU(True), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16 * side * side, 120),
                         nn.ReLU(True), nn.Linear(120, 84), nn.ReLU(True), nn.Linear(84, 10))


def main():
    name, batch, n_steps, channels, pixels = sys.argv[1], *map(int, sys.argv[2:6])
    torch.manual_seed(1)
    net = {"resnet20": resnet20, "vgg-small": vgg_small, "mobilenet-v1": mobilenet_v1, "lenet5": lenet5}[name]
    net = net(channels, pixels)
    x, labels = torch.randn(batch, channels, pixels, pixels), torch.randint(10, (batch,))
    sgd = torch.optim.SGD(net.parameters(), lr=1e-3, momentum=0.9, nesterov=True, weight_decay=5e-4)
    for i in range(-2, n_steps):
        if i == 0:
            wall, cpu = time.perf_counter(), time.process_time()
        sgd.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(net(x), labels).backward()
        sgd.step()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    n_weights = sum(p.numel() for p in net.parameters())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{name} torch {batch * n_steps / wall:.1f} {batch * n_steps / cpu:.1f} {peak / 1000:.1f} {n_weights}")


main()
