"""Nets of PyTorch, timm and Keras with random weights, and what they make of fixed images.

usage: weights.py FOLDER
       weights.py --small FILE

FOLDER gets one folder for each net: weights.* as the program saves them, case.json with our name of
the net, and expected.safetensors with images x, their logits, and, for some nets, labels and the
gradient of the cross-entropy in a training step under the names of the weights. FILE gets the same
of small nets as JSON, whose weights follow from a formula (see `formula`), so that it holds only the
logits, and of each gradient its norm and its product with the formula's numbers of another name.

OtherProgramsTest compares: mvn test -Dtest=OtherProgramsTest -Dfathom.others=FOLDER. Needs torch,
safetensors and, each for its own nets, timm (torchvision may be absent), keras and onnx.
"""

import copy
import importlib.abc
import importlib.machinery
import json
import os
import pathlib
import sys
import types
import zlib

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


class Absent(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Stands for torchvision where it is not installed: timm imports it, these nets do not use it."""

    class Any(type):
        def __getattr__(cls, name):
            if name.startswith("__"):
                raise AttributeError(name)
            return Absent.Any(name, (), {})

    def find_spec(self, name, path, target=None):
        if name.split(".")[0] == "torchvision":
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        module = types.ModuleType(spec.name)

        def attribute(name):
            if name.startswith("__"):
                raise AttributeError(name)
            return type(name, (nn.Module,), {}) if name == "FrozenBatchNorm2d" else Absent.Any(name, (), {})

        module.__getattr__ = attribute
        return module

    def exec_module(self, module):
        pass


def timm():
    try:
        import torchvision  # noqa: F401
    except ImportError:
        sys.meta_path.append(Absent())
    import timm as package

    return package


def conv(inputs, outputs, size, stride=1):
    return nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False)


class Block(nn.Module):
    """A block of torchvision's ResNet: two 3x3, or a bottleneck with the stride in its 3x3."""

    def __init__(self, inputs, width, stride, bottleneck):
        super().__init__()
        sizes = [1, 3, 1] if bottleneck else [3, 3]
        outputs = 4 * width if bottleneck else width
        strides = [1, stride, 1] if bottleneck else [stride, 1]
        widths = [inputs] + [width] * (len(sizes) - 1) + [outputs]
        self.count = len(sizes)
        for i, (size, step) in enumerate(zip(sizes, strides), 1):
            setattr(self, f"conv{i}", conv(widths[i - 1], widths[i], size, step))
            setattr(self, f"bn{i}", nn.BatchNorm2d(widths[i]))
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = x
        for i in range(1, self.count + 1):
            y = getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(y))
            y = F.relu(y) if i < self.count else y
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    def __init__(self, depth, width, classes):
        super().__init__()
        blocks = {18: [2, 2, 2, 2], 34: [3, 4, 6, 3], 50: [3, 4, 6, 3]}[depth]
        self.conv1 = conv(3, width, 7, 2)
        self.bn1 = nn.BatchNorm2d(width)
        inputs = width
        for stage, count in enumerate(blocks):
            layers = []
            for i in range(count):
                stride = 2 if stage > 0 and i == 0 else 1
                layers.append(Block(inputs, width << stage, stride, depth >= 50))
                inputs = (width << stage) * (4 if depth >= 50 else 1)
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layers))
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


class PreActivationBlock(nn.Module):
    """A block of He et al. 2016b. A projection begins behind the first ReLU, and so does the shortcut
    of the net's first block (their appendix)."""

    def __init__(self, inputs, width, stride, first):
        super().__init__()
        self.first = first
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = conv(inputs, width, 3, stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv2 = conv(width, width, 3)
        if stride != 1 or inputs != width:
            self.shortcut = nn.Sequential(conv(inputs, width, 1, stride))

    def forward(self, x):
        y = F.relu(self.bn1(x))
        past = self.shortcut(y) if hasattr(self, "shortcut") else y if self.first else x
        return self.conv2(F.relu(self.bn2(self.conv1(y)))) + past


class PreActivationNet(nn.Module):
    def __init__(self, depth, width, classes):
        super().__init__()
        self.conv1 = conv(3, width, 3)
        inputs = width
        for stage in range(3):
            layers = []
            for i in range((depth - 2) // 6):
                stride = 2 if stage > 0 and i == 0 else 1
                layers.append(PreActivationBlock(inputs, width << stage, stride, stage == 0 and i == 0))
                inputs = width << stage
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layers))
        self.bn = nn.BatchNorm2d(inputs)
        self.linear = nn.Linear(inputs, classes)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(self.conv1(x))))
        return self.linear(F.relu(self.bn(x)).mean((2, 3)))


def big_transfer(width, classes):
    from timm.layers import GroupNormAct, StdConv2d
    from timm.models.resnetv2 import ResNetV2

    channels = [4 * width << stage for stage in range(4)]
    return ResNetV2(
        [3, 4, 6, 3],
        channels=channels,
        num_classes=classes,
        stem_chs=width,
        stem_type="fixed",
        conv_layer=lambda *a, **k: StdConv2d(*a, **{"eps": 1e-8, **k}),
        norm_layer=GroupNormAct,
    )


def formula(name, count):
    """Numbers in [-1, 1): the SplitMix64 of the CRC-32 of a name and a position."""
    with np.errstate(over="ignore"):
        z = np.arange(count, dtype=np.uint64) + (np.uint64(zlib.crc32(name.encode())) << np.uint64(32))
        z = z * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return ((z >> np.uint64(40)).astype(np.float64) / 2**23 - 1).astype(np.float32)


def fill(net, by_formula):
    """Gives everything a number of its own, the norms' statistics too."""
    torch.manual_seed(7)
    for name, tensor in net.state_dict().items():
        if tensor.dtype != torch.float32:
            continue
        u = torch.from_numpy(formula(name, tensor.numel())).view(tensor.shape)
        u = u if by_formula else 2 * torch.rand_like(tensor) - 1
        if tensor.dim() > 1:
            u = u * float(np.float32(6 / tensor[0].numel()) ** np.float32(0.5))
        elif name.endswith("running_var"):
            u = 1 + 0.5 * u
        elif name.endswith("weight"):
            u = 1 + 0.25 * u
        else:
            u = 0.125 * u
        tensor.copy_(u)


def observed(net, x, labels):
    """Logits in evaluation, and gradients of a training step where there are labels.

    They are computed in float64, so that what differs is the error of one program alone.
    """
    net = copy.deepcopy(net).double()
    x = x.double()
    net.eval()
    with torch.no_grad():
        logits = net(x).float()
    gradients = {}
    if labels is not None:
        net.train()
        net.zero_grad()
        F.cross_entropy(net(x), labels).backward()
        gradients = {name: p.grad.float() for name, p in net.named_parameters()}
    return logits, gradients


def write(folder, model, save, x, logits, labels=None, gradients=None, options=None):
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    tensors = {"x": x.contiguous(), "logits": logits.contiguous()}
    if labels is not None:
        tensors["labels"] = labels
    for name, gradient in (gradients or {}).items():
        tensors["grad." + name] = gradient.contiguous()
    save_file(tensors, folder / "expected.safetensors")
    case = {"model": model, "file": save(folder), "options": options or {}}
    (folder / "case.json").write_text(json.dumps(case))
    print(folder.name, "largest logit", float(logits.abs().max()))


def saved(net, form):
    def save(folder):
        if form == "pth":
            torch.save(net.state_dict(), folder / "weights.pth")
        elif form == "th":
            torch.save({"state_dict": {"module." + k: v for k, v in net.state_dict().items()}},
                       folder / "weights.th", _use_new_zipfile_serialization=False)
        else:
            from safetensors.torch import save_file

            save_file(net.state_dict(), folder / "weights.safetensors")
        return "weights." + form

    return save


def keras_case(folder, as_onnx):
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # its 1x1 kernels divide by zero on some processors
    import keras
    from safetensors.numpy import save_file

    net = keras.applications.ResNet50(
        weights=None, input_shape=(64, 64, 3), classes=7, classifier_activation=None)
    random = np.random.default_rng(3)
    for w in net.weights:
        u = random.uniform(-1, 1, w.shape).astype(np.float32)
        if len(w.shape) > 1:
            u *= (6 / np.prod(w.shape[:-1])) ** 0.5
        elif w.path.endswith("moving_variance"):
            u = 1 + 0.5 * u
        elif w.path.endswith("gamma"):
            u = 1 + 0.25 * u
        else:
            u *= 0.125
        w.assign(u)
    x = random.normal(size=(3, 64, 64, 3)).astype(np.float32)
    logits = torch.from_numpy(np.array(net(x, training=False)))

    def variables(folder):
        save_file({w.path: w.numpy() for w in net.weights}, folder / "weights.safetensors")
        return "weights.safetensors"

    def initialisers(folder):
        """With the names of tf2onnx, and kernels in the layout of ONNX; not an export."""
        import onnx
        from onnx import helper, numpy_helper

        roles = {
            "kernel": "Conv2D/ReadVariableOp:0",
            "bias": "BiasAdd/ReadVariableOp:0",
            "gamma": "ReadVariableOp:0",
            "beta": "ReadVariableOp_1:0",
            "moving_mean": "FusedBatchNormV3/ReadVariableOp:0",
            "moving_variance": "FusedBatchNormV3/ReadVariableOp_1:0",
        }
        tensors = []
        for w in net.weights:
            layer, role = w.path.split("/")
            value = w.numpy()
            role = "MatMul/ReadVariableOp:0" if value.ndim == 2 else roles[role]
            value = value.transpose(3, 2, 0, 1).copy() if value.ndim == 4 else value
            tensors.append(numpy_helper.from_array(value, f"resnet50/{layer}/{role}"))
        tensors.append(numpy_helper.from_array(np.array([-1, 7], np.int64), "const_fold_opt__1"))
        graph = helper.make_graph([], "keras", [], [], tensors)
        onnx.save(helper.make_model(graph, producer_name="tf2onnx"), folder / "weights.onnx")
        return "weights.onnx"

    write(folder, "resnet50", initialisers if as_onnx else variables,
          torch.from_numpy(x.transpose(0, 3, 1, 2).copy()), logits, options={"strideIn": "1"})


def whole(folder):
    package = timm()
    labels = torch.tensor([3, 0, 4, 1])
    for depth, form in [(18, "pth"), (34, "th"), (50, "safetensors")]:
        net = package.create_model(f"resnet{depth}", num_classes=7)
        fill(net, False)
        own = ResNet(depth, 64, 7)
        own.load_state_dict(net.state_dict())
        x = torch.randn(4, 3, 96, 96) if depth == 18 else torch.randn(2, 3, 224, 224)
        logits, gradients = observed(net, x, labels if depth == 18 else None)
        assert torch.allclose(observed(own, x, None)[0], logits, rtol=1e-4, atol=1e-4)
        write(folder / f"resnet{depth}", f"resnet{depth}", saved(net, form), x, logits,
              labels if depth == 18 else None, gradients)
    net = package.create_model("resnetv2_50x1_bit", num_classes=7)
    fill(net, False)
    own = big_transfer(64, 7)
    own.load_state_dict(net.state_dict())
    x = torch.randn(2, 3, 224, 224)
    logits = observed(net, x, None)[0]
    assert torch.allclose(observed(own, x, None)[0], logits, rtol=1e-4, atol=1e-4)
    write(folder / "resnetv2_50x1", "resnetv2_50x1", saved(net, "safetensors"), x, logits)
    net = PreActivationNet(20, 16, 10)
    fill(net, False)
    x = torch.randn(4, 3, 32, 32)
    logits, gradients = observed(net, x, labels)
    write(folder / "preresnet20", "preresnet20", saved(net, "pth"), x, logits, labels, gradients)
    try:
        import keras  # noqa: F401
    except ImportError:
        print("no keras")
        return
    keras_case(folder / "keras-resnet50", False)
    keras_case(folder / "keras-resnet50-onnx", True)


def rounded(value):
    return float(f"{float(value):.7g}")


def small(file):
    timm()
    nets = [
        ("resnet18", 8, 40, ResNet(18, 8, 5), True),
        ("resnet34", 8, 40, ResNet(34, 8, 5), False),
        ("resnet50", 4, 40, ResNet(50, 4, 5), False),
        ("resnetv2_50x1", 32, 64, big_transfer(32, 5), False),
        ("preresnet20", 4, 16, PreActivationNet(20, 4, 5), True),
    ]
    cases = []
    for model, width, side, net, trained in nets:
        fill(net, True)
        x = torch.from_numpy(formula("x", 4 * 3 * side * side)).view(4, 3, side, side)
        labels = torch.tensor([3, 0, 4, 1]) if trained else None
        logits, gradients = observed(net, x, labels)
        case = {
            "model": model,
            "width": width,
            "side": side,
            "logits": [rounded(value) for value in logits.flatten()],
            "gradients": {
                name: [
                    rounded(g.double().norm()),
                    rounded((g.double().flatten() * torch.from_numpy(
                        formula("grad." + name, g.numel())).double()).sum()),
                ]
                for name, g in gradients.items()
            },
        }
        cases.append(case)
        print(model, "largest logit", float(logits.abs().max()))
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    pathlib.Path(file).write_text(f"[\n{lines}\n]\n")


if sys.argv[1] == "--small":
    small(sys.argv[2])
else:
    whole(pathlib.Path(sys.argv[1]))
