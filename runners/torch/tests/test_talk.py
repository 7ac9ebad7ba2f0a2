"""Whole conversations, without Fathom on the other side."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
import unittest
from pathlib import Path
from typing import Any

try:
    import numpy as np
    import numpy.typing as npt
    import torch
except ImportError as missing:  # pragma: no cover
    raise unittest.SkipTest(f"PyTorch is not installed here: {missing}")

from fathom_torch import __main__ as runner
from fathom_torch import files

TRAINING = {
    "epochs": 2, "batch": 4, "optimizer": "sgd", "learningRate": 0.1, "momentum": 0.9,
    "nesterov": False, "weightDecay": 0.0, "schedule": "constant", "milestones": [], "factor": 0.1,
    "warmupEpochs": 0, "augment": ["flip"], "samRadius": 0.05,
}
SAL = {
    "batch": 5, "solver": "normalized", "radius": 0.05, "steps": 2, "passes": 2, "rate": 0.1,
    "granularity": "layer",
}


class Talk(unittest.TestCase):
    def setUp(self) -> None:
        torch.set_num_threads(1)
        held = tempfile.TemporaryDirectory()
        self.addCleanup(held.cleanup)
        self.folder = Path(held.name)
        random = np.random.default_rng(0)
        self.inputs: dict[str, str] = {}
        pixels = random.integers(0, 256, (10, 1, 4, 4)).astype(np.uint8)
        labels = np.arange(10, dtype=np.int64) % 3
        placements = np.zeros((1, 10, 3), np.int32)
        placements[:, ::2, 2] = 1
        arrays: dict[str, npt.NDArray[Any]] = {
            "trainImages": pixels, "trainLabels": labels, "testImages": pixels,
            "testLabels": labels, "order": np.arange(10)[None], "placements": placements,
            "images": pixels.astype(np.float32) / 255, "labels": labels,
        }
        for name, values in arrays.items():
            self.inputs[name] = str(self.folder / f"{name}.npy")
            np.save(self.inputs[name], values)

    def ask(self, *requests: dict[str, Any], modules: tuple[str, ...] = ()) -> list[dict[str, Any]]:
        replies = io.StringIO()
        lines = io.StringIO("".join(json.dumps(request) + "\n" for request in requests))
        # Failures are told to people on standard error too.
        with contextlib.redirect_stderr(io.StringIO()):
            runner.converse(lines, replies, torch.device("cpu"), modules, 1e-3)
        return [json.loads(line) for line in replies.getvalue().splitlines()]

    def train(self, network: str, epoch: int = 1, **inputs: str) -> dict[str, Any]:
        return {
            "type": "train", "task": "cls", "folder": str(self.folder), "seed": 5,
            "firstEpoch": epoch, "lastEpoch": epoch, "training": TRAINING, "defended": False,
            "defense": {"name": "none"}, "model": self.model(network),
            "inputs": self.inputs | inputs,
        }

    def model(self, network: str) -> dict[str, Any]:
        return {"name": network, "classes": 3, "channels": 1, "height": 4, "imageWidth": 4}

    def test_hello(self) -> None:
        (told,) = self.ask({"type": "hello", "protocol": 1})
        self.assertEqual(told["kinds"], ["train", "sal"])
        self.assertTrue(told["deterministic"])

    def test_module(self) -> None:
        """A network of the user's own is trained, resumed and measured."""
        told = self.ask(self.train("tests.nets:tiny"), modules=("tests.nets",))
        self.assertEqual([t["type"] for t in told if t["type"] != "progress"],
                         ["metric"] * 4 + ["artifact", "done"])
        first = str(self.folder / "first.safetensors")
        (self.folder / "checkpoint.safetensors").rename(first)
        again = self.ask(self.train("tests.nets:tiny", 2, checkpoint=first), modules=("tests.nets",))
        self.assertEqual(again[-1]["type"], "done")
        tensors, metadata = files.load(str(self.folder / "checkpoint.safetensors"))
        self.assertEqual(metadata["optimizerSteps"], "6")
        self.assertIn("optimizer.first.0.weight", tensors)
        told = self.ask({
            "type": "sal", "task": "cls", "settings": SAL, "firstLayer": 0, "endLayer": 2,
            "model": self.model("tests.nets:tiny"), "inputs": self.inputs | {"checkpoint": first},
        }, modules=("tests.nets",))
        rows = [t for t in told if t["type"] == "sal"]
        self.assertEqual([(r["layerIndex"], r["layer"]) for r in rows], [(0, "0"), (1, "3")])
        self.assertTrue(all(r["up"]["losses"][-1] > r["originLoss"] for r in rows))
        self.assertTrue(all(r["down"]["losses"][-1] < r["originLoss"] for r in rows))
        self.assertTrue(all(abs(r["up"]["radii"][-1] - 0.05) < 1e-6 for r in rows))

    def test_equal_bits(self) -> None:
        """Equal jobs give equal files."""
        made = []
        for _ in range(2):
            self.ask(self.train("tests.nets:tiny"), modules=("tests.nets",))
            made.append((self.folder / "checkpoint.safetensors").read_bytes())
        self.assertEqual(made[0], made[1])

    def test_errors(self) -> None:
        """What cannot be done is said, and the conversation goes on."""
        told = self.ask(
            self.train("tests.nets:tiny"), self.train("tests.nets:number"), self.train("alexnet"),
            self.train("lenet5") | {"task": "depth"}, {"type": "dance", "task": "cls"},
            {"type": "hello"}, modules=("tests.other",))
        self.assertEqual([t["type"] for t in told], ["error"] * 5 + ["hello"])
        for line, words in zip(told, [
            "start the runner with --module tests.nets", "--module tests.nets",
            "alexnet is not known", "task depth is not learned here", "type dance is not known",
        ]):
            self.assertIn(words, line["message"])
        (told_of_number,) = self.ask(self.train("tests.nets:number"), modules=("tests.nets",))
        self.assertIn("returned a int, no nn.Module", told_of_number["message"])


if __name__ == "__main__":
    unittest.main()
