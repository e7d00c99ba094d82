"""Files of weights that PyTorch writes, and files that go through PyTorch and back.

usage: files.py --fixtures FOLDER
       files.py --again FOLDER TO

FOLDER gets small files in every form in which PyTorch and safetensors write weights, and
expected.json with the bits of each tensor as NumPy has them, widened to float32 where they are
narrower: PyTorchFilesTest of core reads them, and has them in its resources.

Each file of FOLDER is loaded by PyTorch and saved three times in TO, with one more ending: .pt is a
zip archive, .pth the legacy form, .safetensors what it says. PyTorchRoundTripTest of core asks for
it where FATHOM_PEERS names an environment with torch and safetensors.
"""

import json
import pathlib
import sys
from collections import OrderedDict

import numpy as np
import torch
import torch.nn as nn
from safetensors.torch import load_file, save_file


class Net(nn.Module):
    """A net in miniature, whose parameters and buffers have what a real one's have."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        self.fc = nn.Linear(4, 3)


def net():
    torch.manual_seed(5)
    made = Net()
    for tensor in made.state_dict().values():
        if tensor.dtype is torch.float32:
            tensor.copy_(torch.randn(tensor.shape))
    return made


def numbers():
    """What is at the edges of each type, and tensors that are views of others."""
    edges = {
        torch.float64: [0.1, -0.0, 1e300, 5e-324, float("inf"), float("nan")],
        torch.float32: [0.1, -0.0, 3e38, 1e-45, float("-inf"), float("nan")],
        torch.float16: [0.1, -0.0, 65504, 6e-8, float("inf"), float("nan")],
        torch.bfloat16: [0.1, -0.0, 3e38, 1e-40, float("-inf"), float("nan")],
    }
    tensors = OrderedDict()
    for dtype, values in edges.items():
        tensors[f"{dtype}".removeprefix("torch.")] = torch.tensor(values, dtype=dtype).view(2, 3)
    tensors["scalar"] = torch.tensor(2.5)
    tensors["none"] = torch.zeros(3, 0, 2)
    tensors["count"] = torch.tensor(-(2**40))
    return tensors


def views():
    storage = torch.arange(24.0) * 0.375 - 3
    matrix = storage.view(4, 6)
    return OrderedDict(
        whole=matrix,
        transposed=matrix.t(),
        column=matrix[:, 2],
        part=matrix[1:3, 2:5],
        repeated=storage[7].expand(2, 3),
        channels_last=torch.arange(24.0).view(1, 2, 3, 4).to(memory_format=torch.channels_last),
        parameter=nn.Parameter(storage[3:5].half()),
    )


def bits(tensor):
    """Type, shape and bits of a tensor as Fathom has them."""
    tensor = tensor.detach()
    if tensor.dtype is torch.float16:  # in NumPy, which keeps the bits of NaN in their order
        tensor = torch.from_numpy(tensor.numpy().astype(np.float32))
    elif tensor.dtype is torch.bfloat16:
        tensor = tensor.float()
    name = {torch.float32: "FLOAT32", torch.float64: "FLOAT64", torch.int64: "INT64"}[tensor.dtype]
    return [name, list(tensor.shape), tensor.contiguous().numpy().tobytes().hex()]


def save(tensors, file):
    if file.suffix == ".safetensors":
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, file)
    else:
        torch.save(tensors, file, _use_new_zipfile_serialization=file.suffix == ".pt")


def fixtures(folder):
    folder.mkdir(parents=True, exist_ok=True)
    made = net()
    parallel = nn.DataParallel(net())
    compiled = torch.compile(net())
    halves = OrderedDict((k, v.bfloat16() if v.is_floating_point() else v)
                         for k, v in net().state_dict().items())
    files = {
        "numbers": (numbers(), [".pt", ".pth", ".safetensors"]),
        "views": (views(), [".pt", ".pth"]),
        "net": (made.state_dict(), [".pt", ".pth", ".safetensors"]),
        "bfloat16": (halves, [".pt", ".safetensors"]),
        "parallel": (parallel.state_dict(), [".pt", ".pth", ".safetensors"]),
        "compiled": (compiled.state_dict(), [".pt", ".safetensors"]),
        "checkpoint": (
            {
                "epoch": 3,
                "state_dict": compiled.state_dict(prefix="module."),
                "optimizer": torch.optim.SGD(made.parameters(), lr=0.1).state_dict(),
            },
            [".pt", ".pth"],
        ),
    }
    expected = {}
    for name, (content, endings) in files.items():
        tensors = content.get("state_dict", content)
        for ending in endings:
            save(content, folder / (name + ending))
            expected[name + ending] = {
                key.removeprefix("module.").removeprefix("_orig_mod."): bits(tensor)
                for key, tensor in tensors.items()
            }
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(said)}" for name, said in expected.items())
    (folder / "expected.json").write_text("{\n" + lines + "\n}\n")
    for file in sorted(folder.iterdir()):
        print(file.name, file.stat().st_size)


def again(source, target):
    target.mkdir(parents=True, exist_ok=True)
    for file in sorted(source.iterdir()):
        own = file.suffix == ".safetensors"
        tensors = load_file(file) if own else torch.load(file, weights_only=True)
        for ending in [".pt", ".pth", ".safetensors"]:
            save(tensors, target / (file.name + ending))
        print(file.name, len(tensors))


if sys.argv[1] == "--fixtures":
    fixtures(pathlib.Path(sys.argv[2]))
else:
    again(pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]))
