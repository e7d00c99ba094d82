"""A whole training step, or a prediction, of a residual net in PyTorch, on one fixed batch.

usage: resnet.py WORK MODEL FORM PRECISION BATCH THREADS [STEPS]

WORK is train or infer. MODEL is a net of nets.py.
FORM is nchw (PyTorch's default), channels-last or channels-last-compile; for training
channels-last-fused (SGD as one operation, SGD(fused=True)); for predictions channels-last-freeze
(compiled with torch._inductor.config.freezing, weights as constants) or channels-last-jit (traced,
torch.jit.optimize_for_inference). PRECISION is fp32 or bf16 (autocast). A training step is forward,
cross-entropy, backward, and SGD with momentum 0.9 and weight decay 1e-4.

STEPS is how many steps warm it up; without it they are as many as a timing needs.

Writes "ready", then for every line read the milliseconds of one run, or for the line "peak" the
most memory in use so far, in MB. The loss must fall.
"""

import contextlib
import sys
import time

import torch
import torch.nn.functional as F

import nets

work, model, form, precision, batch, threads, *steps = sys.argv[1:]
batch = int(batch)
torch.set_num_threads(int(threads))
torch.manual_seed(0)

net, size, classes = nets.named(model)
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
def peak():
    with open("/proc/self/status") as status:
        kib = next(line.split()[1] for line in status if line.startswith("VmHWM:"))
    return int(kib) * 1024 / 1e6


first = last = run()
begun = time.perf_counter()
for step in range(int(steps[0]) - 1 if steps else 10):
    if not steps and step > 3 and time.perf_counter() - begun > 15:
        break  # as warm as it will be
    last = run()
if work == "train" and steps != ["1"] and not last < first:
    sys.exit(f"the loss went from {first} to {last}")
print("ready", torch.__version__, flush=True)
for order in sys.stdin:
    if order.strip() == "peak":
        print(peak(), flush=True)
        continue
    begun = time.perf_counter()
    run()
    print((time.perf_counter() - begun) * 1e3, flush=True)
