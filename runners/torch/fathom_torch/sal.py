"""Sharpness-aware learnability of one layer at one checkpoint (docs/science/sal-ud.md)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from . import files, models
from .talk import Request, Say


@dataclass
class Walk:
    """What was seen after every pass or step."""

    losses: list[float] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)
    radii: list[float] = field(default_factory=list)
    reachedAt: int | None = None
    diverged: bool = False

    def note(self, loss: float, accuracy: float, radius: float, ball: float) -> bool:
        """Whether the walk may go on."""
        if not math.isfinite(loss):
            self.diverged = True
            return False
        self.losses.append(loss)
        self.accuracies.append(accuracy)
        self.radii.append(radius)
        if self.reachedAt is None and radius >= ball * (1 - 1e-6):
            self.reachedAt = len(self.losses)
        return True

    def line(self) -> dict[str, Any]:
        told: dict[str, Any] = {
            "losses": self.losses, "accuracies": self.accuracies, "radii": self.radii,
            "diverged": self.diverged,
        }
        return told if self.reachedAt is None else told | {"reachedAt": self.reachedAt}


class Meter:
    """Measures layers of a network in evaluation mode, everything else frozen."""

    def __init__(
        self, network: nn.Module, images: Tensor, labels: Tensor, settings: Request
    ) -> None:
        self.network, self.settings = network.eval(), settings
        for parameter in network.parameters():
            parameter.requires_grad_(False)
        size = settings["batch"]
        starts = range(0, len(images), size)
        self.batches = [(images[s : s + size], labels[s : s + size]) for s in starts]
        self.count = len(images)
        self.origin = self.look()

    def look(self) -> tuple[float, float]:
        """Mean loss and accuracy over the images, at the weights as they are."""
        total, right = 0.0, 0
        with torch.no_grad():
            for images, labels in self.batches:
                scores = self.network(images)
                total += float(F.cross_entropy(scores, labels)) * len(labels)
                right += int((scores.argmax(1) == labels).sum())
        return total / self.count, right / self.count

    def slope(self, weight: nn.Parameter, batch: int) -> Tensor:
        """The gradient of one batch's mean loss."""
        images, labels = self.batches[batch]
        return torch.autograd.grad(F.cross_entropy(self.network(images), labels), weight)[0]

    def whole(self, weight: nn.Parameter) -> tuple[float, float, Tensor]:
        """Mean loss and accuracy, and the gradient of the sum of all images' losses."""
        total, right, slope = 0.0, 0, torch.zeros_like(weight)
        for images, labels in self.batches:
            scores = self.network(images)
            loss = F.cross_entropy(scores, labels, reduction="sum")
            slope += torch.autograd.grad(loss, weight)[0]
            total += float(loss.detach())
            right += int((scores.argmax(1) == labels).sum())
        return total / self.count, right / self.count, slope

    def measure(self, weight: nn.Parameter) -> tuple[Walk, Walk]:
        """Both walks from the weights of one layer, which are put back."""
        start = weight.detach().clone()
        if not math.isfinite(self.origin[0]) or float(start.norm()) == 0:
            return Walk(), Walk()
        weight.requires_grad_(True)
        walk = self._normalized if self.settings["solver"] == "normalized" else self._reference
        walks = []
        for sign in (-1.0, 1.0):
            walks.append(walk(weight, start, sign))
            with torch.no_grad():
                weight.copy_(start)
        weight.requires_grad_(False)
        return walks[0], walks[1]

    @torch.no_grad()
    def _project(self, weight: nn.Parameter, start: Tensor) -> float:
        """Back onto the ball; how far it is from the start now, relative to its norm."""
        ratio = _norm(weight - start) / _norm(start)
        ball = self.settings["radius"]
        if ratio <= ball:
            return ratio
        keep = ball / ratio
        weight.mul_(keep).add_(start, alpha=1 - keep)
        return ball

    def _reference(self, weight: nn.Parameter, start: Tensor, sign: float) -> Walk:
        """The paper's loop: plain SGD over the batches, projected and judged once a pass."""
        settings, walk = self.settings, Walk()
        extreme, quiet = self.origin[0], 0
        steps = settings.get("stepsPerPass") or len(self.batches)
        for _ in range(settings["passes"]):
            for number in range(steps):
                slope = self.slope(weight, number % len(self.batches))
                if not bool(torch.isfinite(slope).all()):
                    walk.diverged = True
                    return walk
                with torch.no_grad():
                    weight.add_(slope, alpha=sign * settings["rate"])
            radius = self._project(weight, start)
            if not walk.note(*self.look(), radius, settings["radius"]):
                return walk
            settle = settings.get("settle")
            if settle is not None:
                reach = abs(walk.losses[-1] - self.origin[0])
                moved = max(reach - abs(extreme - self.origin[0]), 0.0)
                if reach > abs(extreme - self.origin[0]):
                    extreme = walk.losses[-1]
                quiet = quiet + 1 if moved < settle else 0
                if quiet >= 2:
                    break
        return walk

    def _normalized(self, weight: nn.Parameter, start: Tensor, sign: float) -> Walk:
        """Projected steps of fixed length along the whole set's gradient."""
        settings, walk, norm, radius = self.settings, Walk(), _norm(start), 0.0
        later = settings.get("laterSteps")
        later = 0.5 if later is None else later
        for step in range(settings["steps"]):
            loss, accuracy, slope = self.whole(weight)
            if step > 0 and not walk.note(loss, accuracy, radius, settings["radius"]):
                return walk
            length = _norm(slope)
            if not math.isfinite(length):
                walk.diverged = True
                return walk
            if length == 0:
                return walk
            share = 1.0 if step == 0 else later
            with torch.no_grad():
                weight.add_(slope, alpha=sign * share * settings["radius"] * norm / length)
            radius = self._project(weight, start)
        walk.note(*self.look(), radius, settings["radius"])
        return walk


def _norm(tensor: Tensor) -> float:
    return float(tensor.double().square().sum().sqrt())


def run(ask: Request, device: torch.device, modules: tuple[str, ...], say: Say) -> None:
    """Answers a `sal` request, up to its `done`."""
    inputs, settings = ask["inputs"], ask["settings"]
    if settings["granularity"] != "layer":
        raise ValueError(f"granularity {settings['granularity']} is not measured here; layer is")
    network = models.build(models.NetworkSettings.of(ask["model"]), modules)
    models.fill(network, files.load(inputs["checkpoint"])[0])
    network.to(device)
    meter = Meter(
        network, files.images(inputs["images"], device), files.labels(inputs["labels"], device),
        settings)
    layers = models.measured(network)
    wanted = range(ask["firstLayer"], ask["endLayer"])
    if wanted.stop > len(layers):
        raise ValueError(f"layers {wanted} were asked for; the network has {len(layers)}")
    for place, index in enumerate(wanted):
        name, weight = layers[index]
        norm = _norm(weight)
        down, up = meter.measure(weight)
        loss, accuracy = meter.origin
        passes = settings["steps"] if settings["solver"] == "normalized" else settings["passes"]
        say(
            type="sal", layerIndex=index, layer=name, weightCount=weight.numel(),
            weightNorm=norm if math.isfinite(norm) else 0.0,
            originLoss=loss if math.isfinite(loss) else None, originAccuracy=accuracy,
            down=down.line(), up=up.line(),
            # Each step of both walks is a forward and a backward pass of the whole network.
            forwardEquivalents=2.0 * passes * 3)
        say(type="progress", share=(place + 1) / len(wanted))
