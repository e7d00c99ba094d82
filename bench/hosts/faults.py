"""Every fault that a training over processes may meet, and how the others end.

usage: faults.py [--times N] [--together N] [--results FILE] [--timeout S] [--go-on] [CASE...]

Each case is a training of resnet8 on digits by two or three processes, of which one is killed,
stopped, cut off, never started or given something else, after the first checkpoint. Written down
are the exit codes of the others, the seconds from the fault to the end of the last of them, what
they said, and what was lost: the checkpoint has to be whole and of no earlier step than before the
fault. With --go-on, the same command is given again, too, and has to end with the weights, bit by
bit, of a training that nothing happened to.

Prints a table in Markdown. With --results, results are added to a file, and the table has all that
are in it; --times 0 only prints it. --together has several trials at the same time. The cases that
need torchrun find it on the PATH, or by TORCHRUN; those that cut a link need root and iproute2. The
exit code is 1 if a case ended otherwise than it has to.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import sys
import tempfile
import threading
import time

from hosts import FATHOM, Hosts, Rank, plain, step, weights

RECIPE = "train resnet8 --data digits --width 4 --epochs 4 --workers 1 --seed 7".split()
LONGEST = 240
STILL = 2.0
CASES = {}
whole_lock = threading.Lock()
still = []


def case(title):
    def add(function):
        CASES[function.__name__.replace("_", "-")] = (title, function)
        return function
    return add


class Place:
    """The folder of one trial, and its processes."""

    def __init__(self, shared, options):
        self.shared = shared
        self.timeout = options.timeout
        self.go_on = options.go_on
        self.saved = 0
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="fathom-fault-"))
        self.out = self.folder / "run"
        self.ranks = []
        self.port = free_port()

    def train(self, *more, out=None):
        return [FATHOM, *RECIPE, "--peer-timeout", str(self.timeout),
                "--out", str(out or self.out), *more]

    def start(self, command, environment, **where):
        rank = Rank(command, environment, self.folder / f"log{len(self.ranks)}", **where)
        self.ranks.append(rank)
        return rank

    def all(self, size, hosts=None, out=None):
        return [self.start(self.train(out=out),
                           plain(i, size, hosts.address(0) if hosts else "127.0.0.1", self.port),
                           within=hosts and hosts.host(i)) for i in range(size)]

    def await_checkpoint(self, rank):
        while not (self.out / "checkpoint.safetensors").exists():
            if rank.poll() is not None:
                raise AssertionError("ended before its first checkpoint: " + rank.said())
            time.sleep(0.01)
        self.saved = step(self.out)

    def outcome(self, survivors, since, expected, must_say, size=None):
        """How the survivors ended; size is the number of processes that go on afterwards."""
        codes = [rank.wait(LONGEST) for rank in survivors]
        seconds = max((rank.ended or time.monotonic()) - since for rank in survivors)
        said = [rank.sentence() for rank in survivors]
        good = all(code == expected for code in codes) and all(
            re.search(must_say, sentence) for sentence in said)
        lost = "nothing was saved yet" if size is None else self.lost(size)
        if not good:
            print("\n----\n".join(rank.said() for rank in self.ranks), file=sys.stderr)
        return {"codes": codes, "seconds": seconds, "said": said[-1], "lost": lost,
                "good": good and lost.startswith("nothing")}

    def lost(self, size):
        """Goes on by the same command, and compares the end with an undisturbed training's."""
        for rank in self.ranks:
            rank.end()
        if not (self.out / "checkpoint.safetensors").exists():
            return "the checkpoint"
        if step(self.out) < self.saved:
            return f"steps {step(self.out)} to {self.saved}"
        if not self.go_on:
            return "nothing"
        self.port = free_port()
        again = self.all(size)
        if [rank.wait(LONGEST) for rank in again] != [0] * size:
            return "it does not go on: " + again[0].sentence()
        if "going on with the run" not in again[0].said():
            return "it began anew"
        return "nothing, gone on" if weights(self.out) == undisturbed(self, size) else "other weights"

    def clean(self):
        for rank in self.ranks:
            rank.end()
        shutil.rmtree(self.folder, ignore_errors=True)


def undisturbed(place, size):
    """The weights at the end of a training that nothing happened to."""
    with whole_lock:
        out = place.shared / f"whole{size}"
        if not (out / "report.html").exists():
            port, place.port = place.port, free_port()
            ranks = place.all(size, out=out)
            if [rank.wait(LONGEST) for rank in ranks] != [0] * size:
                raise AssertionError(ranks[0].said())
            place.port = port
    return weights(out)


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


# ---- One is lost

def lost(place, number, which, size=2):
    ranks = place.all(size)
    place.await_checkpoint(ranks[0])
    ranks[which].signal(number)
    since = time.monotonic()
    others = [rank for i, rank in enumerate(ranks) if i != which]
    return place.outcome(others, since, 4, rf"rank {which}\b.* is lost", size)


@case("rank 1 of 2 killed")
def killed(place):
    return lost(place, signal.SIGKILL, 1)


@case("rank 0 of 2 killed")
def first_killed(place):
    return lost(place, signal.SIGKILL, 0)


@case("rank 1 of 3 killed")
def killed_of_three(place):
    return lost(place, signal.SIGKILL, 1, 3)


@case("rank 1 of 2 stopped (SIGSTOP)")
def stopped(place):
    return lost(place, signal.SIGSTOP, 1)


@case("rank 0 of 2 stopped (SIGSTOP)")
def first_stopped(place):
    return lost(place, signal.SIGSTOP, 0)


@case("the link between 2 hosts cut; both live, and each misses the other")
def cut(place):
    with Hosts(2) as hosts:
        ranks = place.all(2, hosts)
        place.await_checkpoint(ranks[0])
        hosts.cut(1)
        since = time.monotonic()
        codes = [rank.wait(LONGEST) for rank in ranks]
        outcome = place.outcome(ranks, since, 4, r"rank [01]\b.* is lost", 2)
        outcome["good"] &= (codes == [4, 4] and "rank 1 is lost" in ranks[0].said()
                            and "rank 0 at" in ranks[1].said())
        return outcome


@case("the link of rank 2 of 3 cut")
def cut_of_three(place):
    with Hosts(3) as hosts:
        ranks = place.all(3, hosts)
        place.await_checkpoint(ranks[0])
        hosts.cut(2)
        since = time.monotonic()
        ranks[2].wait(LONGEST)
        return place.outcome(ranks[:2], since, 4, "rank 2 is lost", 3)


@case("rank 1 of 2 never started")
def never_started(place):
    since = time.monotonic()
    rank = place.start(place.train(), plain(0, 2, port=place.port))
    return place.outcome([rank], since, 4, "rank 1 has not started")


@case("rank 0 of 2 never started")
def first_never_started(place):
    since = time.monotonic()
    rank = place.start(place.train(), plain(1, 2, port=place.port))
    return place.outcome([rank], since, 4, "rank 0 at .* has not started")


# ---- One is given something else

@case("another version in rank 1")
def version(place):
    git = place.folder / "bin" / "git"
    git.parent.mkdir()
    git.write_text("#!/bin/sh\necho another\n")
    git.chmod(0o755)
    path = {"PATH": f"{git.parent}:{os.environ['PATH']}"}
    since = time.monotonic()
    ranks = [place.start(place.train(), {**plain(i, 2, port=place.port), **(path if i else {})})
             for i in range(2)]
    return place.outcome(ranks, since, 2, r"version is .* in rank 0 and .*\(another\) in rank 1")


@case("another recipe in rank 1 (`--batch 32`)")
def recipe(place):
    since = time.monotonic()
    ranks = [place.start(place.train(*["--batch", "32"][:2 * i]), plain(i, 2, port=place.port))
             for i in range(2)]
    return place.outcome(ranks, since, 2, "--batch is 64 in rank 0 and 32 in rank 1")


@case("other data in rank 1")
def data(place):
    ranks = []
    since = time.monotonic()
    for i in range(2):
        text = place.folder / f"text{i}"
        text.write_text("the cat sat. " * (500 + i))
        ranks.append(place.start(
            [FATHOM, "train", "rnn", "--data", f"text:{text}", "--out", str(place.out),
             "--peer-timeout", str(place.timeout)], plain(i, 2, port=place.port)))
    return place.outcome(ranks, since, 3, "data: train is 5850.* in rank 0 and 5862.* in rank 1")


# ---- Under torchrun

def torchrun(place, restarts):
    program = os.environ.get("TORCHRUN") or shutil.which("torchrun")
    if program is None:
        raise FileNotFoundError("torchrun is not on the PATH, and TORCHRUN names none")
    return place.start([program, "--nnodes=1", "--rdzv-backend=c10d", f"--rdzv-endpoint=127.0.0.1:{place.port}",
                        "--nproc-per-node=2", f"--max-restarts={restarts}", "--no-python",
                        *place.train()], {})


def children(pid):
    """The JVMs below a process."""
    found = []
    for status in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(status.read_text().rsplit(")", 1)[1].split()[1])
            command = (status.parent / "cmdline").read_bytes()
        except (OSError, IndexError):
            continue
        if parent == pid and b"fathom.cli.Main" in command:
            found.append(int(status.parent.name))
    return sorted(found)


@case("torchrun without restarts, rank 1 killed: the root cause")
def torchrun_cause(place):
    agent = torchrun(place, 0)
    place.await_checkpoint(agent)
    os.kill(children(agent.process.pid)[1], signal.SIGKILL)
    since = time.monotonic()
    code = agent.wait(LONGEST)
    said = agent.said()
    seconds = agent.ended - since
    root = said.rsplit("Root Cause", 1)[-1]
    cause = re.search(r"rank\s+: (\d+)", root)
    error = re.search(r"(Signal 9 \(SIGKILL\)[^\n]*|rank 1 is lost[^\n]*)", root)
    good = code == 1 and cause is not None and error is not None
    if not good:
        print(said, file=sys.stderr)
    left = place.lost(2)
    return {"codes": [code], "seconds": seconds, "lost": left, "good": good and left.startswith("nothing"),
            "said": f"Root Cause: rank {cause and cause[1]}: {error and error[1]}"}


def restarted(place, number):
    agent = torchrun(place, 2)
    place.await_checkpoint(agent)
    os.kill(children(agent.process.pid)[1], number)
    since = time.monotonic()
    code = agent.wait(LONGEST)
    said = agent.said()
    good = code == 0 and "going on with the run" in said
    if not good:
        print(said, file=sys.stderr)
    same = (place.out / "checkpoint.safetensors").exists() and (
        weights(place.out) == undisturbed(place, 2))
    went = re.findall(r"fathom: (going on with the run .*)", said)
    return {"codes": [code], "seconds": agent.ended - since, "said": went[-1] if went else "",
            "lost": "nothing, gone on" if same else "other weights", "good": good and same}


@case("torchrun `--max-restarts 2`, rank 1 killed: to the end of the training")
def torchrun_killed(place):
    return restarted(place, signal.SIGKILL)


@case("torchrun `--max-restarts 2`, rank 1 stopped: to the end of the training")
def torchrun_stopped(place):
    return restarted(place, signal.SIGSTOP)


# ---- All of them

def watch_for_stillness():
    """Notes when this program went on after it had stood still."""
    last = time.monotonic()
    while True:
        time.sleep(0.1)
        now = time.monotonic()
        if now - last > STILL:
            still.append(now)
        last = now


def trial(name, shared, options):
    while True:
        begun = time.monotonic()
        result = attempt(name, shared, options)
        time.sleep(1)  # if it stands still just now, the watch says so
        if not any(moment > begun for moment in still):
            return {"case": name, **result}
        print(f"{name}: stood still meanwhile, once more", file=sys.stderr)


def attempt(name, shared, options):
    place = Place(shared, options)
    try:
        return CASES[name][1](place)
    except (AssertionError, OSError) as e:
        return {"codes": [], "seconds": 0.0, "said": "", "lost": str(e), "good": False}
    finally:
        place.clean()


def plainly(sentence):
    """A sentence without what is of one trial alone."""
    sentence = re.sub(r"127\.0\.0\.1:\d+|10\.77\.\d\.2:\d+", "HOST:PORT", sentence)
    sentence = re.sub(r"(\S*/)?fathom-fault-\w+", "FOLDER", sentence)
    sentence = re.sub(r"step \d+", "step N", sentence)
    sentence = re.sub(r"PID \d+", "PID N", sentence)
    return sentence.replace("|", "\\|")


def table(results):
    yield "| fault | times | exit codes | seconds: median, most | what was said | lost |"
    yield "| --- | --- | --- | --- | --- | --- |"
    by_case = collections.defaultdict(list)
    for result in results:
        by_case[result["case"]].append(result)
    for name, (title, _) in CASES.items():
        trials = by_case.get(name)
        if not trials:
            continue
        codes = collections.Counter(" ".join(map(str, t["codes"])) for t in trials)
        said = collections.Counter(plainly(t["said"]) for t in trials)
        seconds = [t["seconds"] for t in trials]
        lost = collections.Counter(t["lost"] for t in trials)
        yield "| {} | {} | {} | {:.1f}, {:.1f} | {} | {} |".format(
            title, len(trials), counted(codes), statistics.median(seconds), max(seconds),
            counted(said), counted(lost))


def counted(counter):
    if len(counter) == 1:
        return next(iter(counter))
    return "; ".join(f"{count} times: {what}" for what, count in counter.most_common())


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--together", type=int, default=1)
    parser.add_argument("--results", type=pathlib.Path)
    parser.add_argument("--timeout", type=float, default=30)
    parser.add_argument("--go-on", action="store_true")
    parser.add_argument("cases", nargs="*", metavar="CASE")
    options = parser.parse_args()
    unknown = [name for name in options.cases if name not in CASES]
    if unknown:
        parser.error(f"no case {unknown[0]}; there are {' '.join(CASES)}")
    threading.Thread(target=watch_for_stillness, daemon=True).start()
    results = []
    if options.results and options.results.exists():
        results = [json.loads(line) for line in options.results.read_text().splitlines()]
    with tempfile.TemporaryDirectory(prefix="fathom-whole-") as shared:
        if options.results:  # an undisturbed training is the same each time
            shared = f"{options.results}.undisturbed"
            os.makedirs(shared, exist_ok=True)
        with concurrent.futures.ThreadPoolExecutor(options.together) as pool:
            waiting = [pool.submit(trial, name, pathlib.Path(shared), options)
                       for _ in range(options.times) for name in options.cases or CASES]
            for done in concurrent.futures.as_completed(waiting):
                result = done.result()
                results.append(result)
                print(f"{result['case']}: {'as it has to be' if result['good'] else 'NOT as it has to be'}, "
                      f"{result['seconds']:.1f} s, lost: {result['lost']}", file=sys.stderr)
                if options.results:
                    with open(options.results, "a") as file:
                        file.write(json.dumps(result) + "\n")
    print("\n".join(table(results)))
    return 0 if all(result["good"] for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
