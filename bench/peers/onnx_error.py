"""The test error of an exported net by ONNX Runtime, which shares no code with Fathom.

usage: onnx_error.py MODEL.onnx FOLDER

MODEL.onnx was written by `fathom export --with-preprocessing`: it takes the bytes of images and
gives probabilities. FOLDER has a folder for each class, in the order of whose names the classes
are numbered, with images of the size that the net takes. They are decoded by Pillow. Prints how
many are wrong of how many.
"""

import pathlib
import sys

import numpy as np
import onnxruntime
from PIL import Image

AT_A_TIME = 250


def main(model, folder):
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    wrong = count = 0
    for truth, of_class in enumerate(sorted(p for p in folder.iterdir() if p.is_dir())):
        files = sorted(of_class.iterdir())
        for first in range(0, len(files), AT_A_TIME):
            some = files[first : first + AT_A_TIME]
            images = np.stack([np.asarray(Image.open(file).convert("RGB")) for file in some])
            (probabilities,) = session.run(None, {name: images})
            wrong += int((probabilities.argmax(axis=1) != truth).sum())
            count += len(some)
    print(f"{wrong} of {count} wrong: {100 * wrong / count:.2f} %")


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]))
