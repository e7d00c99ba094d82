"""Whole trainings under what each launcher says in the environment, against torchrun itself.

usage: launchers.py [--others N,...] [LAUNCHER...]

The launchers are slurm, mpi and kubeflow; none of them is needed, for a process knows of its launcher
by the environment alone, which is made here. resnet8 learns digits in two processes: under torchrun,
which is found on the PATH or by TORCHRUN, and under each of them, with the losses of each epoch the
same. Then it does so again, rank 1 is killed after the first checkpoint, rank 0 has to end with 4, and
the same command with each of the other numbers of processes (1 and 3) has to go on to the end.

Prints a table in Markdown. The exit code is 1 if something was otherwise.
"""

import argparse
import itertools
import os
import pathlib
import shutil
import signal
import socket
import sys
import tempfile
import time

from hosts import FATHOM, Rank, step
from losses import losses

TRAINING = "train resnet8 --data digits --width 4 --epochs 4 --workers 1 --seed 7".split()
LONGEST = 300


def slurm(rank, size, number):
    """As srun has it; jobs on one host meet at a port that follows from their number."""
    return {"SLURM_JOB_ID": str(number), "SLURM_JOB_NODELIST": "localhost", "SLURM_STEP_ID": "0",
            "SLURM_STEP_NODELIST": "localhost", "SLURM_STEP_NUM_TASKS": str(size),
            "SLURM_STEP_TASKS_PER_NODE": str(size), "SLURM_NTASKS": str(size),
            "SLURM_PROCID": str(rank), "SLURM_LOCALID": str(rank), "SLURM_CPUS_PER_TASK": "1"}


def mpi(rank, size, number):
    """As Open MPI's mpirun has it, and the port, of which it does not know."""
    return {"OMPI_COMM_WORLD_SIZE": str(size), "OMPI_COMM_WORLD_RANK": str(rank),
            "OMPI_COMM_WORLD_LOCAL_SIZE": str(size), "OMPI_COMM_WORLD_LOCAL_RANK": str(rank),
            "MASTER_PORT": str(20000 + number)}


def kubeflow(rank, size, number):
    """As Kubeflow's trainer has it in the pods of a job, each of which is a node."""
    return {"PET_NNODES": str(size), "PET_NPROC_PER_NODE": "1", "PET_NODE_RANK": str(rank),
            "PET_MASTER_ADDR": "localhost", "PET_MASTER_PORT": str(20000 + number)}


LAUNCHERS = {"slurm": slurm, "mpi": mpi, "kubeflow": kubeflow}


class Folder:
    """A folder of runs and of what their processes said."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.count = itertools.count()

    def start(self, command, environment):
        return Rank(command, environment, self.path / f"log{next(self.count)}")

    def ranks(self, launcher, size, out):
        number = free_number()
        return [self.start([FATHOM, *TRAINING, "--out", str(out)], launcher(i, size, number))
                for i in range(size)]


def free_number():
    """What, added to 20000, is a port that nobody listens at."""
    while True:
        number = int.from_bytes(os.urandom(2)) % 10000
        with socket.socket() as free:
            try:
                free.bind(("", 20000 + number))
                return number
            except OSError:
                continue


def finished(ranks):
    codes = [rank.wait(LONGEST) for rank in ranks]
    if codes != [0] * len(ranks):
        raise SystemExit("\n----\n".join(rank.said() for rank in ranks))
    return ranks


def under_torchrun(folder):
    program = os.environ.get("TORCHRUN") or shutil.which("torchrun")
    if program is None:
        raise SystemExit("torchrun is not on the PATH, and TORCHRUN names none")
    out = folder.path / "torchrun"
    finished([folder.start(
        [program, "--nnodes=1", "--nproc-per-node=2", "--rdzv-backend=c10d",
         f"--rdzv-endpoint=127.0.0.1:{20000 + free_number()}", "--no-python", FATHOM, *TRAINING,
         "--out", str(out)], {})])
    return losses(out)


def killed(folder, launcher, out):
    """Kills rank 1 after the first checkpoint; returns how rank 0 ended, and the last step saved."""
    ranks = folder.ranks(launcher, 2, out)
    while not (out / "checkpoint.safetensors").exists():
        if ranks[0].poll() is not None:
            raise SystemExit(ranks[0].said())
        time.sleep(0.01)
    ranks[1].signal(signal.SIGKILL)
    code = ranks[0].wait(LONGEST)
    ranks[1].end()
    return code, step(out)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--others", default="1,3", help="numbers of processes that go on")
    parser.add_argument("launchers", nargs="*", metavar="LAUNCHER")
    options = parser.parse_args()
    unknown = [name for name in options.launchers if name not in LAUNCHERS]
    if unknown:
        parser.error(f"no launcher {unknown[0]}; there are {' '.join(LAUNCHERS)}")
    good = True
    with tempfile.TemporaryDirectory(prefix="fathom-launchers-") as name:
        folder = Folder(name)
        expected = under_torchrun(folder)
        print("| launcher | losses as under torchrun | rank 1 killed: rank 0 ends with | goes on from step, in how many processes | last loss of training then, and without |")
        print("| --- | --- | --- | --- | --- |")
        for each in options.launchers or LAUNCHERS:
            launcher = LAUNCHERS[each]
            finished(folder.ranks(launcher, 2, folder.path / each))
            found = losses(folder.path / each)
            for others in map(int, options.others.split(",")):
                out = folder.path / f"{each}-{others}"
                code, saved = killed(folder, launcher, out)
                again = finished(folder.ranks(launcher, others, out))
                went_on = "going on with the run" in again[0].said()
                good &= found == expected and code == 4 and went_on
                same = sum(a == b for a, b in zip(found, expected))
                print(f"| {each} | {same} of {len(expected)} | {code} | "
                      f"{saved if went_on else 'not at all'}, {others} | "
                      f"{losses(out)[-2]:.6f}, {expected[-2]:.6f} |", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
