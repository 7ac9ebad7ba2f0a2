"""The runner's conversation: requests on standard input, replies on standard output."""

from __future__ import annotations

import argparse
import json
import sys
import traceback
from typing import TextIO

import torch

from . import REVISION, models, sal, train

PROTOCOL = 1


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="fathom_torch", description="A Fathom runner that computes with PyTorch.")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, or one of several: cuda:1")
    parser.add_argument(
        "--module", action="append", default=[],
        help="a module whose functions may be named as networks, module:function")
    parser.add_argument("--tolerance", type=float, default=1e-3)
    parser.add_argument(
        "--layers", metavar="NETWORK",
        help="print the measured layers of a network on 3x32x32 images, and end")
    given = parser.parse_args(arguments)
    modules = tuple(given.module)
    if given.layers:
        settings = models.NetworkSettings(given.layers, None, 10, 3, 32, 32)
        for name, weight in models.measured(models.build(settings, modules)):
            print(name, list(weight.shape))
        return
    # What a library prints must not get among the replies.
    replies, sys.stdout = sys.stdout, sys.stderr
    converse(sys.stdin, replies, torch.device(given.device), modules, given.tolerance)


def converse(
    requests: TextIO, replies: TextIO, device: torch.device, modules: tuple[str, ...],
    tolerance: float,
) -> None:
    """Answers requests until there are no more."""

    def say(**line: object) -> None:
        replies.write(json.dumps(line, allow_nan=False) + "\n")
        replies.flush()

    if device.type == "cpu":
        # On one thread, and with kernels that sum in one order, equal jobs give equal bits.
        torch.use_deterministic_algorithms(True)
    for line in requests:
        ask = json.loads(line)
        try:
            if ask["type"] == "hello":
                is_exact = device.type == "cpu" and torch.get_num_threads() == 1
                say(
                    type="hello", protocol=PROTOCOL, runner="torch", revision=REVISION,
                    device=device.type, deterministic=is_exact, tolerance=tolerance,
                    kinds=["train", "sal"])
                continue
            work = {"train": train.run, "sal": sal.run}.get(ask["type"])
            if work is None:
                raise ValueError(f"a request of type {ask['type']} is not known")
            if ask["task"] != "cls":
                raise ValueError(f"task {ask['task']} is not learned here; cls is")
            work(ask, device, modules, say)
            say(type="done")
        except Exception as error:  # Whatever went wrong is the job's, not the runner's.
            traceback.print_exc()
            say(type="error", message=f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
