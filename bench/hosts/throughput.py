"""Images a second of two processes that train one net, against two that know nothing of each other.

usage: throughput.py [--rounds N] [--steps N] [--net NAME] [--batch N]

Each process has a core and one worker. They train together on a batch of twice N images, or each by
itself on N, in turn; the median of the steps of a run counts, without its first half. Nothing else
may run meanwhile. Processes that train together wait for the slower of them, so where cores are not
equally fast they cannot do more than twice what it does by itself: that share is printed as well.
"""

import argparse
import pathlib
import statistics
import sys
import tempfile

from hosts import Rank, answer, java, plain


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--net", default="resnet20")
    parser.add_argument("--batch", type=int, default=64)
    options = parser.parse_args()

    def command(batch):
        return java("fathom.bench.StepTimes", options.net, 32, batch, 1, options.steps)

    shares, of_slower, sums, both, each = [], [], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder)
        for turn in range(options.rounds):
            port = 29600 + turn
            together = answer([
                Rank(command(2 * options.batch), plain(i, 2, port=port), log / f"a{i}", core=i)
                for i in range(2)])[0]
            alone = answer([Rank(command(options.batch), {}, log / f"b{i}", core=i)
                            for i in range(2)])
            both.append(2 * options.batch / together["step"])
            each.append(sum(options.batch / one["step"] for one in alone))
            sums.append(together["sums"])
            shares.append(both[-1] / each[-1])
            slower = max(one["step"] for one in alone)
            of_slower.append(both[-1] / (2 * options.batch / slower))
            steps = " and ".join(f"{1e3 * one['step']:.1f}" for one in alone)
            print(f"{both[-1]:.0f} and {each[-1]:.0f} images/s: {shares[-1]:.3f}, of "
                  f"twice the slower {of_slower[-1]:.3f}; sums "
                  f"{1e3 * together['sums']:.1f} of {1e3 * together['step']:.1f} ms; "
                  f"steps alone {steps} ms", file=sys.stderr)
    print(f"{options.net}, {options.batch} images a process: together "
          f"{statistics.median(both):.0f} images/s, independent {statistics.median(each):.0f}: "
          f"of twice the slower {100 * statistics.median(of_slower):.1f} %, of both "
          f"{100 * statistics.median(shares):.1f} % ({100 * min(shares):.1f} to {100 * max(shares):.1f}), "
          f"sums {1e3 * statistics.median(sums):.1f} ms of a step")


if __name__ == "__main__":
    main()
