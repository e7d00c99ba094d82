"""The losses of a training over two hosts, against those of one process with as many workers.

usage: losses.py [--hosts P] [ARGUMENT OF train...]

Both take batch norm's statistics over the whole batch. Prints the losses of each epoch and how much
they differ. The exit code is 1 if one differs by more than 1e-6 of itself. Needs root and iproute2.
"""

import argparse
import json
import pathlib
import sys
import tempfile

from hosts import FATHOM, Hosts, Rank, plain

USUAL = "resnet8 --data digits --width 4 --epochs 3 --seed 7".split()
EQUAL = 1e-6


def losses(folder):
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    epochs = [json.loads(line) for line in lines]
    return [epoch[part] for epoch in epochs if epoch.get("kind") == "epoch"
            for part in ("trainLoss", "testLoss")]


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--hosts", type=int, default=2)
    options, training = parser.parse_known_args()
    training = training or USUAL
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        one, more = folder / "one", folder / "more"
        alone = Rank([FATHOM, "train", *training, "--workers", str(options.hosts), "--out", str(one)],
                     {}, folder / "log")
        if alone.wait(600) != 0:
            raise SystemExit(alone.said())
        with Hosts(options.hosts) as hosts:
            ranks = [
                Rank([FATHOM, "train", *training, "--workers", "1", "--sync-bn", "--out", str(more)],
                     plain(i, options.hosts, hosts.address(0)), folder / f"log{i}",
                     within=hosts.host(i)) for i in range(options.hosts)]
            if [rank.wait(600) for rank in ranks] != [0] * options.hosts:
                raise SystemExit("\n".join(rank.said() for rank in ranks))
        expected, found = losses(one), losses(more)
        worst = max(abs(a - b) / a for a, b in zip(expected, found, strict=True))
        for a, b in zip(expected, found):
            print(f"{a:.9f} {b:.9f}")
        print(f"{len(expected)} losses, which differ by at most {worst:.1e} of themselves")
        return 0 if expected and worst <= EQUAL else 1


if __name__ == "__main__":
    sys.exit(main())
