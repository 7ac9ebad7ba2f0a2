"""Agreement with the fixtures that the built-in engine is held to as well.

    python3 -m unittest discover -s tests -t .        in runners/torch
"""

from __future__ import annotations

import json
import os
import unittest
from pathlib import Path

try:
    import numpy as np
    import numpy.typing as npt
    import torch
except ImportError as missing:  # pragma: no cover
    raise unittest.SkipTest(f"PyTorch is not installed here: {missing}")

import torch.nn.functional as F

from fathom_torch import defenses, files, models, recipes, sal, train
from fathom_torch.talk import Request as Entry

ROOT = Path(__file__).resolve().parents[3]
GOLDEN = Path(os.environ.get("FATHOM_GOLDEN", ROOT / "Tests/Fixtures/golden"))
NAMES: dict[str, str] = {"vit_small": "vit-small"}


def setUpModule() -> None:
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)


def settings(entry: Entry) -> models.NetworkSettings:
    channels, height, width = entry["input_shape"] if "input_shape" in entry else entry["input"]
    name = str(NAMES.get(entry["model"], entry["model"]))
    return models.NetworkSettings(name, entry["width"], entry["classes"], channels, height, width)


def formula(tag: int, count: int) -> npt.NDArray[np.float64]:
    """The uniform numbers of `models.json`."""
    with np.errstate(over="ignore"):
        z = (np.uint64(tag) << np.uint64(32)) + np.arange(count, dtype=np.uint64)
        z += np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return (z >> np.uint64(40)).astype(np.float64) / 2**24


def parameter(entry: Entry) -> torch.Tensor:
    shape = entry["shape"]
    u = formula(entry["tag"], max(1, int(np.prod(shape)))) if "tag" in entry else np.zeros(1)
    kind = entry["kind"]
    if kind == "matrix":
        values = (2 * u - 1) * np.sqrt(6 / max(1, int(np.prod(shape[1:]))))
    elif kind == "embedding":
        values = 2 * u - 1
    elif kind in ("gain", "running_var"):
        values = 0.5 + u
    elif kind in ("bias", "running_mean"):
        values = 0.1 * (2 * u - 1)
    else:
        values = np.full(max(1, int(np.prod(shape))), entry["value"])
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


def shown(entry: Entry, tensors: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """The images of an entry, scaled to 0...1, and their classes."""
    images = tensors[entry["data"] + "/images"]
    images = images.float() / 255 if images.dtype == torch.uint8 else images
    return images.reshape([len(images)] + entry["input_shape"]), tensors[
        entry["data"] + "/labels"].long()


class ModelsTest(unittest.TestCase):
    """Names, shapes, outputs and gradients of every network that both have."""

    def test_networks(self) -> None:
        entries = json.loads((GOLDEN / "models.json").read_text())["models"]
        known = [e for e in entries if NAMES.get(e["model"], e["model"]) in models.BUILDERS]
        self.assertGreaterEqual(len(known), 8)
        for entry in known:
            with self.subTest(entry["name"]):
                self.check(entry)

    def check(self, entry: Entry) -> None:
        network = models.build(settings(entry))
        own = {name: list(value.shape) for name, value in models.state(network).items()}
        self.assertEqual(own, {p["name"]: p["shape"] for p in entry["parameters"]})
        self.assertEqual([n for n, _ in models.measured(network)], entry["measured_layers"])
        models.fill(network, {p["name"]: parameter(p) for p in entry["parameters"]})
        shape = [2] + entry["input"]
        x = torch.from_numpy(
            formula(999983, int(np.prod(shape))).astype(np.float32).reshape(shape))
        labels = torch.tensor(entry["labels"])
        network.eval()
        scores = network(x)
        F.cross_entropy(scores, labels).backward()
        expected = torch.tensor(entry["eval"]["logits"], dtype=torch.float64)
        error = float((scores.double() - expected).abs().max() / (1 + expected.abs().max()))
        self.assertLessEqual(error, entry["tolerance"]["logits"])
        for name, value in network.named_parameters():
            norm = entry["eval"]["gradient_norms"][name]
            self.assertIsNotNone(value.grad, name)
            slope = torch.zeros(()) if value.grad is None else value.grad
            error = abs(float(slope.double().norm()) - norm) / (1e-6 + abs(norm))
            self.assertLessEqual(error, entry["tolerance"]["gradient_norm"], name)


class TrainingTest(unittest.TestCase):
    """The loss of every step, and the weights at the end."""

    def test_runs(self) -> None:
        about = json.loads((GOLDEN / "training.json").read_text())
        tensors, _ = files.load(str(GOLDEN / "training.safetensors"))
        for run in about["runs"]:
            with self.subTest(run["name"]):
                self.check(run, about["tolerance"], tensors)

    def check(self, run: Entry, tolerance: Entry, tensors: dict[str, torch.Tensor]) -> None:
        network = models.build(settings(run))
        prefix = run["name"] + "/start/"
        models.fill(network, {
            name[len(prefix):]: value for name, value in tensors.items()
            if name.startswith(prefix)
        })
        images, labels = shown(run, tensors)
        told = run["optimizer"]
        recipe = recipes.Recipe(
            epochs=run["epochs"], batch=run["batch"], optimizer=told["kind"],
            learningRate=told["rate"], momentum=told["momentum"], nesterov=told["nesterov"],
            weightDecay=told["weightDecay"], schedule="constant", milestones=(), factor=0.1,
            warmupEpochs=0, augment=(), samRadius=0.05, frozen=False)
        losses: list[float] = []

        def noted(
            net: torch.nn.Module, x: torch.Tensor, y: torch.Tensor
        ) -> tuple[torch.Tensor, torch.Tensor]:
            loss, scores = defenses.plain(net, x, y)
            losses.append(float(loss.detach()))
            return loss, scores

        course = train.Course(network, recipe, images, labels, noted)
        for epoch in range(run["epochs"]):
            course.epoch(epoch, torch.arange(len(images)), None)
        self.assertEqual(len(losses), len(run["losses"]))
        for found, expected in zip(losses, run["losses"]):
            self.assertLessEqual(abs(found - expected) / abs(expected), tolerance["losses"])
        prefix = run["name"] + "/end/"
        for name, value in models.state(network).items():
            expected = tensors[prefix + name]
            error = float((value - expected).abs().max() / (1 + expected.abs().max()))
            self.assertLessEqual(error, tolerance["end"], name)


class SALTest(unittest.TestCase):
    """SAL of every layer under both solvers."""

    def test_networks(self) -> None:
        about = json.loads((GOLDEN / "sal.json").read_text())
        tensors, _ = files.load(str(GOLDEN / "sal.safetensors"))
        for entry in about["networks"]:
            with self.subTest(entry["name"]):
                self.check(entry, tensors)

    def check(self, entry: Entry, tensors: dict[str, torch.Tensor]) -> None:
        network = models.build(settings(entry))
        prefix = entry["weights"] + "/"
        models.fill(network, {
            name[len(prefix):]: value for name, value in tensors.items()
            if name.startswith(prefix)
        })
        images, labels = shown(entry, tensors)
        asked = {
            "batch": entry["batch"], "solver": entry["solver"], "radius": entry["weightRadius"],
            "rate": entry.get("rate", 0.1), "passes": entry.get("passes", 10),
            "steps": entry.get("steps", 4),
        }
        meter = sal.Meter(network, images, labels, asked)
        self.assertLessEqual(abs(meter.origin[0] - entry["origin_loss"]), 1e-4)
        layers = dict(models.measured(network))
        for layer in entry["layers"]:
            down, up = meter.measure(layers[layer["name"]])
            fall = meter.origin[0] - min([meter.origin[0]] + down.losses)
            rise = max([meter.origin[0]] + up.losses) - meter.origin[0]
            found = rise if abs(rise) > abs(fall) else fall
            self.assertTrue(np.isfinite(found), layer["name"])
            if layer["finite_only"]:
                continue
            error = abs(found - layer["sal"]) / (1e-3 + abs(layer["sal"]))
            self.assertLessEqual(error, layer["tolerance"], f"{entry['name']} {layer['name']}")


if __name__ == "__main__":
    unittest.main()
