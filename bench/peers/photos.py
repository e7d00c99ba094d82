"""Predicts JPEG files with PyTorch and Pillow, as a script does: from its start to its last answer.

usage: photos.py MODEL WEIGHTS THREADS WORKERS FILE|FOLDER

MODEL is a net of nets.py for 3x224x224. WEIGHTS is made if it does not exist, and nothing else is
done then. A file is predicted alone, the files of a folder in batches of 32, which WORKERS processes
decode. Seven eighths of the largest centred square are scaled to 224, bilinear.

Prints the likeliest class of each file, or the weights that it has made.
"""

import pathlib
import sys

import torch
from PIL import Image

import nets

model, weights, threads, workers, source = sys.argv[1:]
torch.set_num_threads(int(threads))
net, size, _ = nets.named(model)
if not pathlib.Path(weights).exists():
    torch.save(net.state_dict(), weights)
    print(weights)
    sys.exit()
net.load_state_dict(torch.load(weights, mmap=True))
net = net.eval().to(memory_format=torch.channels_last)
mean = torch.tensor([0.485, 0.456, 0.406]).reshape(3, 1, 1)
std = torch.tensor([0.229, 0.224, 0.225]).reshape(3, 1, 1)


def decoded(path):
    image = Image.open(path)
    image.draft("RGB", (size, size))  # JPEG in half or a quarter of its size where that suffices
    taken = min(image.size) * 7 / 8
    left, top = (image.width - taken) / 2, (image.height - taken) / 2
    image = image.convert("RGB").resize(
        (size, size), Image.Resampling.BILINEAR, (left, top, left + taken, top + taken)
    )
    pixels = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
    x = pixels.reshape(size, size, 3).permute(2, 0, 1).float() / 255
    return (x - mean) / std


class Photos(torch.utils.data.Dataset):
    def __init__(self, files):
        self.files = files

    def __len__(self):
        return len(self.files)

    def __getitem__(self, i):
        return decoded(self.files[i])


source = pathlib.Path(source)
files = sorted(source.rglob("*.jpg")) if source.is_dir() else [source]
if len(files) == 1:
    batches = [decoded(files[0])[None]]
else:
    batches = torch.utils.data.DataLoader(Photos(files), 32, num_workers=int(workers))
done = 0
with torch.inference_mode():
    for batch in batches:
        batch = batch.contiguous(memory_format=torch.channels_last)
        for answer in net(batch).argmax(1).tolist():
            print(files[done], answer)
            done += 1
