"""The step of a training over hosts, predicted from its pieces and measured over links of all kinds.

usage: steps.py [--net NAME] [--side N] [--batch N] [--hosts P] [--steps N] [--links GBIT:MS,...]

Measures the pieces first: the step of P processes that know nothing of each other, and of P that
sum over a link as fast as this machine. From these, from the rate and the round-trip time of a link and
from how Gloo sums (see sum_seconds) a step is predicted, and then measured, over each link. MS is the
delay from one host to another; a round trip is twice that. A process has one worker, a host shares
its core with others if there are more than cores. Prints a table in Markdown. Needs root and iproute2,
and a machine that does nothing else.
"""

import argparse
import math
import os
import pathlib
import subprocess
import sys
import tempfile

from hosts import Hosts, Rank, answer, java, plain

SEGMENT = 1 << 20  # Gloo's largest
ON_THE_WIRE = 1538 / 1448  # bytes of an Ethernet frame for those of data in it
SMALL = 8 * 8  # the small sum of a step: loss, counts, whether to stop
PARAMETERS = {"resnet20": 269722 + 752, "resnet18": 11181642}

ECHO = """
import socket
with socket.create_server(("0.0.0.0", 5000)) as server:
    there, _ = server.accept()
    there.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while there.send(there.recv(1) or b""):
        pass
"""
PING = """
import socket, statistics, sys, time
for _ in range(100):
    try:
        there = socket.create_connection((sys.argv[1], 5000))
        break
    except ConnectionRefusedError:
        time.sleep(0.05)
there.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
times = []
for _ in range(30):
    begun = time.perf_counter()
    there.send(b"x")
    there.recv(1)
    times.append(time.perf_counter() - begun)
print(statistics.median(times))
"""


def sum_seconds(size, hosts, rate, trip, work):
    """The seconds in which Gloo sums `size` bytes over hosts, by its ring.

    It has two passes of P - 1 chunks of size / P bytes: the first adds, the second hands on what is
    added. A chunk goes in segments of at most a megabyte, and at least two, of which two are under way at a
    time: the next is begun when the last but one is there. A host says that it is ready to receive a
    segment before the other sends it, so the first byte is there one round trip after it is asked
    for. All hosts do the same at the same moment.

    rate: bytes of data a second; trip: seconds there and back; work: seconds for each byte that a
    host spends itself
    """
    segments = max(math.ceil(size / SEGMENT), 2 * hosts)
    segments = hosts * math.ceil(segments / hosts)
    segment = math.ceil(size / segments / 4) * 4
    done = 0.0
    for _ in range(2):
        begun = [done, done]
        sent = done
        for i in range(segments - segments // hosts):
            ready = begun[i % 2] + trip / 2
            sent = max(sent, ready) + segment / rate
            done = max(done, sent + trip / 2) + segment * work
            begun[i % 2] = done
    return done


class Pieces:
    """What is measured of a net on this machine before anything is predicted."""

    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.count = 0
        self.bytes = 4 * PARAMETERS[options.net]
        # All wait for the slowest, and cores that a machine lends are not equally fast.
        self.compute = max(one["step"] for one in self.start(options.batch, None))
        with Hosts(options.hosts) as hosts:
            trip = round_trip(hosts)
            sums = self.start(options.batch * options.hosts, hosts)[0]["sums"]
        moved = 2 * (options.hosts - 1) / options.hosts * self.bytes
        # what the round trips of two sums take is none of the work
        self.work = max(0.0, sums - 4 * (options.hosts - 1) * trip) / moved
        self.local = sums

    def start(self, batch, hosts):
        o = self.options
        command = java("fathom.bench.StepTimes", o.net, o.side, batch, 1, o.steps)
        cores = sorted(os.sched_getaffinity(0))
        self.count += 1
        return answer([
            Rank(command, plain(i, o.hosts, hosts.address(0), 29700) if hosts else {},
                 self.folder / f"{self.count}-{i}", within=hosts and hosts.host(i),
                 core=cores[i % len(cores)])
            for i in range(o.hosts)])

    def predicted(self, rate, trip):
        o = self.options
        rate = rate / ON_THE_WIRE
        return (self.compute + sum_seconds(self.bytes, o.hosts, rate, trip, self.work)
                + sum_seconds(SMALL, o.hosts, rate, trip, self.work))


def round_trip(hosts):
    """Seconds that a byte takes there and back."""
    there = subprocess.Popen(["ip", "netns", "exec", hosts.host(1), sys.executable, "-c", ECHO])
    try:
        out = subprocess.run(
            ["ip", "netns", "exec", hosts.host(0), sys.executable, "-c", PING, hosts.address(1)],
            check=True, text=True, stdout=subprocess.PIPE, timeout=60).stdout
    finally:
        there.kill()
        there.wait()
    return float(out)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--net", default="resnet20", choices=PARAMETERS)
    parser.add_argument("--side", type=int, default=32)
    parser.add_argument("--batch", type=int, default=32, help="images of each host")
    parser.add_argument("--hosts", type=int, default=2)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--links", default="1:0.1,1:1,1:10,10:0.1,10:1,10:10")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        pieces = Pieces(options, pathlib.Path(name))
        print(f"{options.net}, {options.hosts} hosts: compute {1e3 * pieces.compute:.1f} ms, sums over "
              f"a link of this machine {1e3 * pieces.local:.1f} ms, "
              f"{1e9 * pieces.work:.2f} ns for each byte", file=sys.stderr)
        print("| net | hosts | Gbit/s | delay, ms | round trip, ms | predicted, ms | measured, ms | difference |")
        print("| --- | --- | --- | --- | --- | --- | --- | --- |")
        for link in options.links.split(","):
            gigabits, milliseconds = map(float, link.split(":"))
            with Hosts(options.hosts, gigabits * 125e6, milliseconds / 1e3) as hosts:
                # As one would set it where steps are longer than a connection's memory of its link.
                hosts.sysctl("net.ipv4.tcp_slow_start_after_idle=0")
                trip = round_trip(hosts)
                predicted = pieces.predicted(gigabits * 125e6, trip)
                print(f"{link}: predicted {1e3 * predicted:.1f} ms", file=sys.stderr)
                measured = pieces.start(options.batch * options.hosts, hosts)[0]
            print("| {} | {} | {:g} | {:g} | {:.2f} | {:.1f} | {:.1f} | {:+.1f} % |".format(
                options.net, options.hosts, gigabits, milliseconds, 1e3 * trip, 1e3 * predicted,
                1e3 * measured["step"], 100 * (predicted / measured["step"] - 1)), flush=True)


if __name__ == "__main__":
    main()
