"""A whole training step of a CIFAR ResNet in Keras 3 on TensorFlow with oneDNN, on one fixed batch.

usage: keras_resnet.py DEPTH BATCH THREADS

DEPTH is 6n+2; shortcuts of option A; float32. Forward, cross-entropy, backward, and SGD with
momentum 0.9 and weight decay 1e-4 as part of the loss, in one compiled function (train_on_batch).

Writes "ready", then for every line read the milliseconds of one step. The loss must fall.
"""

import os
import sys
import time

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

depth, batch, threads = (int(value) for value in sys.argv[1:])
tf.config.threading.set_intra_op_parallelism_threads(threads)
tf.config.threading.set_inter_op_parallelism_threads(1)
keras.utils.set_random_seed(0)
decay = keras.regularizers.L2(0.5e-4)  # Keras's L2 is without the half of a weight decay


def conv(x, width, stride=1):
    x = layers.ZeroPadding2D(1)(x)
    x = layers.Conv2D(
        width, 3, stride, use_bias=False, kernel_initializer="he_normal", kernel_regularizer=decay
    )(x)
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)


def shortcut(x, width):
    more = (width - x.shape[3]) // 2
    if more == 0:
        return x
    return ops.pad(x[:, ::2, ::2], ((0, 0), (0, 0), (0, 0), (more, more)))


images = keras.Input((32, 32, 3), batch_size=batch)
x = layers.ReLU()(conv(images, 16))
for width in (16, 32, 64):
    for _ in range((depth - 2) // 6):
        y = layers.ReLU()(conv(x, width, width // x.shape[3]))
        x = layers.ReLU()(conv(y, width) + shortcut(x, width))
net = keras.Model(images, layers.Dense(10)(layers.GlobalAveragePooling2D()(x)))
net.compile(
    keras.optimizers.SGD(0.01, momentum=0.9),
    keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    jit_compile=False,
)
pixels = tf.constant(np.random.default_rng(0).standard_normal((batch, 32, 32, 3), np.float32))
labels = tf.constant(np.arange(batch) % 10)


def run():
    return float(net.train_on_batch(pixels, labels))


first = run()
for _ in range(10):
    net.reset_metrics()
    last = run()
if not last < first:
    sys.exit(f"the loss went from {first} to {last}")
print(f"ready {keras.__version__} on {tf.__version__}", flush=True)
for _ in sys.stdin:
    begun = time.perf_counter()
    run()
    print((time.perf_counter() - begun) * 1e3, flush=True)
