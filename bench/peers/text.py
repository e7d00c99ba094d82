"""A whole training step of a character model in PyTorch, on one fixed window of streams.

usage: text.py MODEL FORM T,B,K,H,LAYERS THREADS

MODEL is lstm, ln-lstm (the layer-normalised cell of Ba et al. 2016 in PyTorch's operations) or
transformer (pre-norm blocks, scaled_dot_product_attention). FORM is eager, compile or, for ln-lstm,
jit (the cell scripted). K is the number of characters. A step is forward, cross-entropy, backward,
clipping of the gradient's norm at 1, and Adam (fused). A recurrent net's state goes on to the next
step; the second layer and those after it have a residual connection.

Writes "ready", then for every line read the milliseconds of one run. The loss must fall.
"""

import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

model, form, sizes, threads = sys.argv[1:]
T, B, K, H, LAYERS = (int(size) for size in sizes.split(","))
torch.set_num_threads(int(threads))
torch.manual_seed(0)


def cell(ax, h, c, wh, gain_h, bias_h, gain_c, bias_c):
    z = ax + F.layer_norm(h @ wh.t(), (wh.shape[0],), gain_h, bias_h)
    i, f, o, g = z.chunk(4, 1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    h = torch.sigmoid(o) * torch.tanh(F.layer_norm(c, (c.shape[1],), gain_c, bias_c))
    return h, c


if form == "jit":
    step_of_cell = torch.jit.script(cell)
elif form == "compile":
    step_of_cell = torch.compile(cell)
else:
    step_of_cell = cell


class NormedLstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.wx = nn.Parameter(torch.randn(4 * H, H) / H**0.5)
        self.wh = nn.Parameter(torch.randn(4 * H, H) / H**0.5)
        self.nx = nn.LayerNorm(4 * H)
        self.nh = nn.LayerNorm(4 * H)
        self.nc = nn.LayerNorm(H)

    def forward(self, x, state):
        h, c = state[0][0], state[1][0]
        ax = self.nx(x @ self.wx.t())
        out = []
        for t in range(T):
            h, c = step_of_cell(
                ax[t], h, c, self.wh, self.nh.weight, self.nh.bias, self.nc.weight, self.nc.bias
            )
            out.append(h)
        return torch.stack(out), (h[None], c[None])


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(K, H)
        layer = NormedLstm if model == "ln-lstm" else lambda: nn.LSTM(H, H)
        self.layers = nn.ModuleList(layer() for _ in range(LAYERS))
        self.head = nn.Linear(H, K)

    def forward(self, tokens, states):
        x = self.embedding(tokens)
        ends = []
        for i, layer in enumerate(self.layers):
            y, end = layer(x, states[i])
            x = y if i == 0 else x + y
            ends.append(end)
        return self.head(x), ends


class Block(nn.Module):
    def __init__(self, heads):
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(H)
        self.norm2 = nn.LayerNorm(H)
        self.inward = nn.Linear(H, 3 * H)
        self.outward = nn.Linear(H, H)
        self.linear1 = nn.Linear(H, 4 * H)
        self.linear2 = nn.Linear(4 * H, H)

    def forward(self, x):
        parts = self.inward(self.norm1(x)).reshape(B, T, 3, self.heads, H // self.heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.outward(y.transpose(1, 2).reshape(B, T, H))
        return x + self.linear2(F.gelu(self.linear1(self.norm2(x))))


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(K, H)
        self.positions = nn.Parameter(torch.randn(T, H) / H**0.5)
        self.blocks = nn.Sequential(*(Block(max(1, H // 64)) for _ in range(LAYERS)))
        self.norm = nn.LayerNorm(H)
        self.head = nn.Linear(H, K)

    def forward(self, tokens, states):
        x = self.embedding(tokens.t()) + self.positions
        return self.head(self.norm(self.blocks(x))).transpose(0, 1), states


net = Transformer() if model == "transformer" else Recurrent()
text = torch.randint(K, (T + 1, B))
states = [(torch.zeros(1, B, H), torch.zeros(1, B, H)) for _ in range(LAYERS)]
optimizer = torch.optim.Adam(net.parameters(), 0.002, fused=True)
# The loop over time steps of ln-lstm takes the compiler minutes as a whole: only its cell is.
called = torch.compile(net) if form == "compile" and model != "ln-lstm" else net


def run():
    global states
    optimizer.zero_grad(set_to_none=True)
    logits, ends = called(text[:-1], states)
    loss = F.cross_entropy(logits.reshape(-1, K), text[1:].reshape(-1))
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimizer.step()
    states = [(h.detach(), c.detach()) for h, c in ends]
    return loss.item()


first = run()
for _ in range(10):
    last = run()
if not last < first:
    sys.exit(f"the loss went from {first} to {last}")
print("ready", torch.__version__, flush=True)
for _ in sys.stdin:
    begun = time.perf_counter()
    run()
    print((time.perf_counter() - begun) * 1e3, flush=True)
