"""The residual nets of the peers in PyTorch, which the scripts beside this one import.

resnetN with N of 18, 34, 50, 101 or 152 and plainN with N of 18 or 34 take 3x224x224 and have
projections; either with another N = 6n+2 takes 3x32x32 and has shortcuts of option A.
"""

import sys

import torch.nn as nn
import torch.nn.functional as F


def conv(inputs, outputs, size, stride=1):
    return nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False)


class OptionA(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.more = (outputs - inputs) // 2

    def forward(self, x):
        return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.more, self.more))


class Block(nn.Module):
    def __init__(self, branch, shortcut):
        super().__init__()
        self.branch = branch
        self.shortcut = shortcut

    def forward(self, x):
        y = self.branch(x)
        return F.relu(y if self.shortcut is None else y + self.shortcut(x), inplace=True)


def basic(inputs, width, stride, expansion=1):
    return nn.Sequential(
        conv(inputs, width, 3, stride),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
        conv(width, width, 3),
        nn.BatchNorm2d(width),
    )


def bottleneck(inputs, width, stride, expansion=4):
    return nn.Sequential(
        conv(inputs, width, 1),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
        conv(width, width, 3, stride),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
        conv(width, width * expansion, 1),
        nn.BatchNorm2d(width * expansion),
    )


def cifar(depth, residual):
    layers = [conv(3, 16, 3), nn.BatchNorm2d(16), nn.ReLU(inplace=True)]
    channels = 16
    for width in (16, 32, 64):
        for _ in range((depth - 2) // 6):
            same = width == channels
            shortcut = nn.Identity() if same else OptionA(channels, width)
            branch = basic(channels, width, 1 if same else 2)
            layers.append(Block(branch, shortcut if residual else None))
            channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def photos(counts, branch, expansion, residual):
    layers = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True)]
    layers.append(nn.MaxPool2d(3, 2, 1))
    channels = 64
    for stage, count in enumerate(counts):
        width = 64 << stage
        for i in range(count):
            stride = 2 if stage > 0 and i == 0 else 1
            out = width * expansion
            shortcut = nn.Identity()
            if stride > 1 or channels != out:
                shortcut = nn.Sequential(conv(channels, out, 1, stride), nn.BatchNorm2d(out))
            layers.append(Block(branch(channels, width, stride), shortcut if residual else None))
            channels = out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 1000))


PHOTOS = {
    18: ((2, 2, 2, 2), basic, 1),
    34: ((3, 4, 6, 3), basic, 1),
    50: ((3, 4, 6, 3), bottleneck, 4),
    101: ((3, 4, 23, 3), bottleneck, 4),
    152: ((3, 8, 36, 3), bottleneck, 4),
}


def named(model):
    """The net of this name, the side of its images, and its classes."""
    residual = model.startswith("resnet")
    depth = int(model.removeprefix("resnet").removeprefix("plain"))
    if depth in PHOTOS and (residual or PHOTOS[depth][1] is basic):  # plain50 is a net of 6n+2
        return photos(*PHOTOS[depth], residual), 224, 1000
    if depth >= 8 and depth % 6 == 2:
        return cifar(depth, residual), 32, 10
    sys.exit(f"there is no net {model}")  # and not a shallower one in its place
