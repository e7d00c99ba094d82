"""PyTorch's routes to a recurrent layer, forward and back over a whole sequence.

usage: recurrent.py CELL MODE T,B,I,H THREADS

CELL is lstm or gru. MODE is builtin (torch.nn's layer, which has no norm) or one of eager, jit and
compile (the layer-normalised cell of Ba et al. 2016 in PyTorch's operations). Gradients of every
parameter and of the input are computed.

Writes "ready", then for every line read the milliseconds of one run.
"""

import sys
import time

import torch
import torch.nn.functional as F

cell_name, mode, shape, threads = sys.argv[1:]
T, B, I, H = (int(size) for size in shape.split(","))
torch.set_num_threads(int(threads))
torch.manual_seed(0)

GATES = {"lstm": 4, "gru": 3}[cell_name]
x = torch.randn(T, B, I, requires_grad=True)


def norm(a, gain, bias):
    return F.layer_norm(a, (a.shape[-1],), gain, bias)


def lstm_cell(ax, h, c, wh, gain_h, bias_h, gain_c, bias_c):
    z = ax + F.layer_norm(h @ wh.t(), (wh.shape[0],), gain_h, bias_h)
    i, f, o, g = z.chunk(4, 1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    h = torch.sigmoid(o) * torch.tanh(F.layer_norm(c, (c.shape[1],), gain_c, bias_c))
    return h, c


def gru_cell(az, an, h, wh, gain_zr, bias_zr, gain_n, bias_n):
    n = h.shape[1]
    ah = h @ wh.t()
    zr = torch.sigmoid(az + F.layer_norm(ah[:, : 2 * n], (2 * n,), gain_zr, bias_zr))
    z, r = zr.chunk(2, 1)
    new = torch.tanh(an + r * F.layer_norm(ah[:, 2 * n :], (n,), gain_n, bias_n))
    return (1 - z) * h + z * new


def parameters(*sizes):
    made = []
    for size in sizes:
        made += [torch.ones(size, requires_grad=True), torch.zeros(size, requires_grad=True)]
    return made


def builtin():
    layer = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[cell_name](I, H)
    return lambda: layer(x)[0].sum()


def normalised():
    wx = (torch.randn(GATES * H, I) * 0.05).requires_grad_()
    wh = (torch.randn(GATES * H, H) * 0.05).requires_grad_()
    cell = {"lstm": lstm_cell, "gru": gru_cell}[cell_name]
    if mode == "jit":
        cell = torch.jit.script(cell)
    elif mode == "compile":
        cell = torch.compile(cell)

    if cell_name == "lstm":
        gx, bx, gh, bh, gc, bc = parameters(4 * H, 4 * H, H)

        def run():
            ax = norm(x @ wx.t(), gx, bx)
            h = torch.zeros(B, H)
            c = torch.zeros(B, H)
            out = 0
            for t in range(T):
                h, c = cell(ax[t], h, c, wh, gh, bh, gc, bc)
                out = out + h.sum()
            return out

    else:
        gx, bx, gn, bn, gh, bh, gu, bu = parameters(2 * H, H, 2 * H, H)

        def run():
            a = x @ wx.t()
            az = norm(a[..., : 2 * H], gx, bx)
            an = norm(a[..., 2 * H :], gn, bn)
            h = torch.zeros(B, H)
            out = 0
            for t in range(T):
                h = cell(az[t], an[t], h, wh, gh, bh, gu, bu)
                out = out + h.sum()
            return out

    return run


loss = builtin() if mode == "builtin" else normalised()
for _ in range(4):
    loss().backward()
print("ready", torch.__version__, flush=True)
for _ in sys.stdin:
    begun = time.perf_counter()
    loss().backward()
    print((time.perf_counter() - begun) * 1e3, flush=True)
