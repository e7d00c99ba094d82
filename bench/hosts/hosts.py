"""Hosts on this machine: network namespaces that see each other through a hub, and the processes of
a training in them. Needs Linux, root and iproute2.

A link without a rate or delay is a pair of virtual network cards. With one, it is a TUN device at
either end, and link.py carries the packets between them: it needs no part of the kernel that a
distribution may have left out, as tc's netem is left out here and there.
"""

import json
import os
import pathlib
import signal
import struct
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
FATHOM = str(HERE.parent.parent / "fathom")
PORT = 29500


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


class Hosts:
    """Network namespaces, of which number i has the address 10.77.i.2. Gone at the end."""

    def __init__(self, count, rate=None, delay=0.0):
        """rate: bytes a second that a host can send; delay: seconds from a host to another."""
        self.count = count
        self.rate = rate
        self.delay = delay
        self.name = f"fathom-{os.getpid()}-{time.monotonic_ns() % 1000000}"
        self.link = None

    def __enter__(self):
        try:
            self.shaped = self.rate is not None or self.delay > 0
            for i in range(self.count):
                run("ip", "netns", "add", self.host(i))
                run("ip", "-n", self.host(i), "link", "set", "lo", "up")
            if self.shaped:
                self.tun()
            else:
                self.veth()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.link is not None:
            self.link.kill()
            self.link.wait()
        for name in [self.host(i) for i in range(self.count)] + [self.name]:
            subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL)

    def host(self, i):
        return f"{self.name}-{i}"

    def address(self, i):
        return f"10.77.{i}.2"

    def veth(self):
        run("ip", "netns", "add", self.name)
        run("ip", "netns", "exec", self.name, "sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
        for i in range(self.count):
            run("ip", "link", "add", "eth", "netns", self.host(i),
                "type", "veth", "peer", "name", f"to{i}", "netns", self.name)
            run("ip", "-n", self.name, "addr", "add", f"10.77.{i}.1/24", "dev", f"to{i}")
            run("ip", "-n", self.name, "link", "set", f"to{i}", "up")
            self.up(i)

    def tun(self):
        command = [sys.executable, str(HERE / "link.py"),
                   str(self.rate or 0), str(self.delay)]
        command += [f"{self.host(i)}={self.address(i)}" for i in range(self.count)]
        self.link = subprocess.Popen(command, stdout=subprocess.PIPE)
        if self.link.stdout.readline() != b"ready\n":
            raise SystemExit("the link between the hosts did not start")
        for i in range(self.count):
            self.up(i)

    def up(self, i):
        name = self.host(i)
        run("ip", "-n", name, "addr", "add", f"{self.address(i)}/24", "dev", "eth")
        run("ip", "-n", name, "link", "set", "eth", "up")
        if self.shaped:
            run("ip", "-n", name, "route", "add", "default", "dev", "eth")
        else:
            run("ip", "-n", name, "route", "add", "default", "via", f"10.77.{i}.1")

    def cut(self, i):
        """Takes the cable out of host i: it keeps its address, and nothing comes through."""
        run("ip", "-n", self.host(i), "link", "set", "eth", "down")

    def sysctl(self, setting):
        for i in range(self.count):
            run("ip", "netns", "exec", self.host(i), "sysctl", "-q", "-w", setting)


class Rank:
    """A process of a training, whose words go to a file."""

    def __init__(self, command, environment, log, within=None, core=None):
        before = ["ip", "netns", "exec", within] if within else []
        before += ["taskset", "-c", str(core)] if core is not None else []
        self.log = pathlib.Path(log)
        self.began = time.monotonic()
        self.ended = None
        with open(log, "wb") as out:
            self.process = subprocess.Popen(
                before + list(command), stdout=out, stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL, env={**os.environ, **environment})

    def poll(self):
        code = self.process.poll()
        if code is not None and self.ended is None:
            self.ended = time.monotonic()
        return code

    def wait(self, seconds):
        """The exit code, or None if it still runs after that time."""
        until = time.monotonic() + seconds
        while self.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
        return self.poll()

    def signal(self, number):
        self.process.send_signal(number)

    def end(self):
        if self.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def said(self):
        return self.log.read_text(errors="replace").replace("\r", "\n")

    def sentence(self):
        """The last thing that it said as a failure."""
        lines = [line for line in self.said().splitlines() if line.startswith("fathom: ")]
        return lines[-1].removeprefix("fathom: ") if lines else ""


def java(program, *arguments):
    """The command of a program of Fathom that is none of its commands, after ./fathom has built it."""
    run(FATHOM, "--version")
    home = pathlib.Path(FATHOM).parent
    jdk = subprocess.run(["sh", "-c", f". {home}/jdk.sh; jdk"], check=True, text=True,
                         stdout=subprocess.PIPE).stdout.strip()
    return [f"{jdk}/bin/java", f"@{home}/jvm.args", "-cp", f"{home}/cli/target/libraries/*",
            program, *map(str, arguments)]


def answer(ranks, seconds=300):
    """What each of these processes printed last, as JSON; None of one that printed none."""
    answers = []
    for rank in ranks:
        if rank.wait(seconds) != 0:
            raise SystemExit(rank.said())
        lines = [line for line in rank.said().splitlines() if line.startswith("{")]
        answers.append(json.loads(lines[-1]) if lines else None)
    return answers


def plain(rank, size, address="127.0.0.1", port=PORT):
    """What a launcher that sets nothing else says."""
    return {"RANK": str(rank), "WORLD_SIZE": str(size),
            "MASTER_ADDR": address, "MASTER_PORT": str(port)}


def checkpoint(run_folder):
    """The header of a checkpoint, and everything behind it; refuses one that is not whole."""
    file = (pathlib.Path(run_folder) / "checkpoint.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", file[:8])
    header = json.loads(file[8:8 + length])
    end = max(entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__")
    if len(file) != 8 + length + end:
        raise AssertionError(f"the checkpoint has {len(file)} bytes and not {8 + length + end}")
    return header, file[8 + length:]


def weights(run_folder):
    """The tensors of a checkpoint; its header also has the time it took."""
    return checkpoint(run_folder)[1]


def step(run_folder):
    """The step of a checkpoint."""
    return json.loads(checkpoint(run_folder)[0]["__metadata__"]["fathom.step"])
