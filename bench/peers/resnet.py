"""A whole training step, or a prediction, of a residual net in PyTorch, on one fixed batch.

usage: resnet.py WORK MODEL FORM PRECISION BATCH THREADS

WORK is train or infer. MODEL is resnetN with N of 18, 34, 50, 101 or 152 or plainN with N of 18 or
34 (3x224x224, projections), or either with another N = 6n+2 (3x32x32, shortcuts of option A).
FORM is nchw (PyTorch's default), channels-last or channels-last-compile; for training
channels-last-fused (SGD as one operation, SGD(fused=True)); for predictions channels-last-freeze
(compiled with torch._inductor.config.freezing, weights as constants) or channels-last-jit (traced,
torch.jit.optimize_for_inference). PRECISION is fp32 or bf16 (autocast). A training step is forward,
cross-entropy, backward, and SGD with momentum 0.9 and weight decay 1e-4.

Writes "ready", then for every line read the milliseconds of one run. The loss must fall.
"""

import contextlib
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

work, model, form, precision, batch, threads = sys.argv[1:]
batch = int(batch)
torch.set_num_threads(int(threads))
torch.manual_seed(0)


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
residual = model.startswith("resnet")
depth = int(model.removeprefix("resnet").removeprefix("plain"))
if depth in PHOTOS and (residual or PHOTOS[depth][1] is basic):  # plain50 is a net of 6n+2
    net, size, classes = photos(*PHOTOS[depth], residual), 224, 1000
elif depth >= 8 and depth % 6 == 2:
    net, size, classes = cifar(depth, residual), 32, 10
else:
    sys.exit(f"there is no net {model}")  # and not a shallower one in its place
x = torch.randn(batch, 3, size, size)
labels = torch.arange(batch) % 10
if form != "nchw":
    net = net.to(memory_format=torch.channels_last)
    x = x.contiguous(memory_format=torch.channels_last)
optimizer = torch.optim.SGD(
    net.parameters(),
    0.01,
    momentum=0.9,
    weight_decay=1e-4,
    fused=True if form == "channels-last-fused" else None,
)


def precise():
    if precision == "bf16":
        return torch.autocast("cpu", torch.bfloat16)
    return contextlib.nullcontext()


def train():
    optimizer.zero_grad(set_to_none=True)
    with precise():
        loss = F.cross_entropy(called(x).float(), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


def infer():
    # Frozen weights are no tensors of inference mode, which ends in an error there.
    quiet = torch.no_grad if form == "channels-last-freeze" else torch.inference_mode
    with quiet(), precise():
        return called(x).float().sum().item()


if work == "infer":
    net.eval()
called = net
if form in ("channels-last-compile", "channels-last-freeze"):
    if form == "channels-last-freeze":
        import torch._inductor.config

        torch._inductor.config.freezing = True
    called = torch.compile(net)
elif form == "channels-last-jit":
    with torch.no_grad(), precise():
        traced = torch.jit.trace(net, x, check_trace=False)
        called = torch.jit.optimize_for_inference(torch.jit.freeze(traced))
run = {"train": train, "infer": infer}[work]
first = run()
for _ in range(10 if size == 32 else 4):
    last = run()
if work == "train" and not last < first:
    sys.exit(f"the loss went from {first} to {last}")
print("ready", torch.__version__, flush=True)
for _ in sys.stdin:
    begun = time.perf_counter()
    run()
    print((time.perf_counter() - begun) * 1e3, flush=True)
