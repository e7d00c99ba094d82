"""What a published ResNet-20 of CIFAR-10 makes of only some of its classes: the largest of their logits decides.

usage: restricted.py WEIGHTS.safetensors FOLDER CLASSES [FROM TO]

FOLDER has a folder of images for each of the ten classes; of each class the images FROM to TO by name are used, or
all. Prints the mean error over every choice of so many classes, with the standard deviation and the extremes. Needs
torch, safetensors, numpy and pillow.
"""

import itertools
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def logits(weights, x):
    """The net of akamaster/pytorch_resnet_cifar10: three stages of three blocks, shortcuts by option A."""

    def normed(x, name):
        of = [weights[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")]
        return F.batch_norm(x, *of)

    x = F.relu(normed(F.conv2d(x, weights["conv1.weight"], padding=1), "bn1"))
    for stage, block in itertools.product((1, 2, 3), range(3)):
        name, stride = f"layer{stage}.{block}", 2 if stage > 1 and block == 0 else 1
        y = F.conv2d(x, weights[f"{name}.conv1.weight"], stride=stride, padding=1)
        y = F.conv2d(F.relu(normed(y, f"{name}.bn1")), weights[f"{name}.conv2.weight"], padding=1)
        more = (y.shape[1] - x.shape[1]) // 2
        x = F.relu(normed(y, f"{name}.bn2") + F.pad(x[:, :, ::stride, ::stride], (0, 0, 0, 0, more, more)))
    return F.linear(x.mean((2, 3)), weights["linear.weight"], weights["linear.bias"])


def main():
    weights = load_file(sys.argv[1])
    folder, classes = pathlib.Path(sys.argv[2]), int(sys.argv[3])
    part = slice(*map(int, sys.argv[4:6])) if len(sys.argv) > 4 else slice(None)
    of = []
    with torch.no_grad():
        for each in sorted(folder.iterdir()):
            images = [np.asarray(Image.open(file).convert("RGB")) for file in sorted(each.iterdir())[part]]
            x = (torch.tensor(np.stack(images)) / 255 - torch.tensor(MEAN)) / torch.tensor(STD)
            of.append(torch.cat([logits(weights, some) for some in x.permute(0, 3, 1, 2).split(500)]))
    errors = [
        100 * np.mean([(of[label][:, choice].argmax(1) != place).float().mean() for place, label in enumerate(choice)])
        for choice in map(list, itertools.combinations(range(len(of)), classes))
    ]
    print(
        f"{len(errors)} choices of {classes} classes: mean error {np.mean(errors):.2f} %, standard deviation"
        f" {np.std(errors):.2f}, from {min(errors):.2f} to {max(errors):.2f} %"
    )


main()
