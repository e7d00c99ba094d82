"""A whole training step of a CIFAR ResNet in JAX, on one fixed batch.

usage: jax_resnet.py DEPTH BATCH PRECISION

DEPTH is 6n+2; shortcuts of option A; PRECISION is fp32 or bf16, which is that of the convolutions,
with everything else in float32. XLA's own convolutions on processors are slow beside oneDNN's. Forward, cross-entropy, backward, and SGD with momentum 0.9 and
weight decay 1e-4, in one compiled function that uses all cores.

Writes "ready", then for every line read the milliseconds of one step. The loss must fall.
"""

import sys
import time

import jax
import jax.numpy as jnp

depth, batch, precision = sys.argv[1:]
blocks = (int(depth) - 2) // 6
batch = int(batch)
type_ = {"fp32": jnp.float32, "bf16": jnp.bfloat16}[precision]
keys = iter(jax.random.split(jax.random.key(0), 6 * blocks + 4))


def weights(size, inputs, outputs):
    spread = (2 / (size * size * outputs)) ** 0.5
    return spread * jax.random.normal(next(keys), (size, size, inputs, outputs))


def unit(inputs, outputs):
    return {"w": weights(3, inputs, outputs), "gain": jnp.ones(outputs), "bias": jnp.zeros(outputs)}


def normed(p, x, stride=1):
    y = jax.lax.conv_general_dilated(
        x.astype(type_),
        p["w"].astype(type_),
        (stride, stride),
        ((1, 1), (1, 1)),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    ).astype(jnp.float32)
    mean = y.mean((0, 1, 2))
    variance = ((y - mean) ** 2).mean((0, 1, 2))
    return (y - mean) / jnp.sqrt(variance + 1e-5) * p["gain"] + p["bias"]


def shortcut(x, channels):
    if x.shape[3] == channels:
        return x
    more = (channels - x.shape[3]) // 2
    return jnp.pad(x[:, ::2, ::2], ((0, 0), (0, 0), (0, 0), (more, more)))


def logits(params, x):
    x = jax.nn.relu(normed(params["stem"], x))
    for first, second in params["blocks"]:
        channels = first["w"].shape[3]
        stride = channels // x.shape[3]
        y = normed(second, jax.nn.relu(normed(first, x, stride)))
        x = jax.nn.relu(y + shortcut(x, channels))
    return x.mean((1, 2)) @ params["head"] + params["head_bias"]


def loss(params, x, labels):
    scores = jax.nn.log_softmax(logits(params, x))
    return -jnp.take_along_axis(scores, labels[:, None], 1).mean()


def descend(params, momentum, x, labels):
    value, gradients = jax.value_and_grad(loss)(params, x, labels)
    momentum = jax.tree.map(lambda m, g, p: 0.9 * m + g + 1e-4 * p, momentum, gradients, params)
    return jax.tree.map(lambda p, m: p - 0.01 * m, params, momentum), momentum, value


def build():
    stages = []
    channels = 16
    for width in (16, 32, 64):
        for _ in range(blocks):
            stages.append((unit(channels, width), unit(width, width)))
            channels = width
    head = 0.1 * jax.random.normal(next(keys), (64, 10))
    return {"stem": unit(3, 16), "blocks": stages, "head": head, "head_bias": jnp.zeros(10)}


step = jax.jit(descend)
params = build()
momentum = jax.tree.map(jnp.zeros_like, params)
x = jax.random.normal(next(keys), (batch, 32, 32, 3))
labels = jnp.arange(batch) % 10


def run():
    global params, momentum
    params, momentum, value = step(params, momentum, x, labels)
    return float(value)


first = run()
for _ in range(10):
    last = run()
if not last < first:
    sys.exit(f"the loss went from {first} to {last}")
print("ready", jax.__version__, flush=True)
for _ in sys.stdin:
    begun = time.perf_counter()
    run()
    print((time.perf_counter() - begun) * 1e3, flush=True)
