"""Optimizers, schedules and augmentation, as Fathom's manifest has them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn as nn
from torch import Tensor

from .talk import Request


@dataclass(frozen=True)
class Recipe:
    """The manifest's `training` section, every default filled in."""

    epochs: int
    batch: int
    optimizer: str
    learningRate: float
    momentum: float
    nesterov: bool
    weightDecay: float
    schedule: str
    milestones: tuple[int, ...]
    factor: float
    warmupEpochs: int
    augment: tuple[str, ...]
    samRadius: float
    frozen: bool

    @staticmethod
    def of(given: Request) -> Recipe:
        known = {"sgd", "sam", "adam", "adamw"}
        if given["optimizer"] not in known:
            raise ValueError(f"optimizer {given['optimizer']} is none of {', '.join(sorted(known))}")
        return Recipe(
            epochs=given["epochs"], batch=given["batch"], optimizer=given["optimizer"],
            learningRate=given["learningRate"], momentum=given["momentum"],
            nesterov=given["nesterov"], weightDecay=given["weightDecay"],
            schedule=given["schedule"], milestones=tuple(given["milestones"]),
            factor=given["factor"], warmupEpochs=given["warmupEpochs"],
            augment=tuple(given["augment"]), samRadius=given["samRadius"],
            frozen=bool((given.get("start") or {}).get("frozen", False)))

    def rate(self, step: int, steps_per_epoch: int) -> float:
        """The learning rate at a step, counted from 0 over the whole run."""
        warmup = self.warmupEpochs * steps_per_epoch
        if step < warmup:
            return self.learningRate * (step + 1) / warmup
        if self.schedule == "constant":
            return self.learningRate
        if self.schedule == "step":
            passed = sum(1 for m in self.milestones if m <= step // steps_per_epoch)
            return self.learningRate * self.factor**passed
        total = max(1, self.epochs * steps_per_epoch - warmup)
        return self.learningRate * 0.5 * (1 + math.cos(math.pi * (step - warmup) / total))

    def make(self, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
        """The optimizer; a rate is set before every step."""
        if self.optimizer in ("sgd", "sam"):
            return torch.optim.SGD(
                parameters, lr=self.learningRate, momentum=self.momentum,
                weight_decay=self.weightDecay, nesterov=self.nesterov)
        kind = torch.optim.Adam if self.optimizer == "adam" else torch.optim.AdamW
        return kind(parameters, lr=self.learningRate, weight_decay=self.weightDecay)


_MOMENTS = {"momentum_buffer": "first", "exp_avg": "first", "exp_avg_sq": "second"}


def memory(optimizer: torch.optim.Optimizer, named: dict[str, nn.Parameter]) -> dict[str, Tensor]:
    """What the optimizer remembers, under the names the built-in engine has for it."""
    kept: dict[str, Tensor] = {}
    for name, parameter in named.items():
        for key, value in optimizer.state.get(parameter, {}).items():
            if key in _MOMENTS and value is not None:
                kept[f"optimizer.{_MOMENTS[key]}.{name}"] = value
    return kept


def remember(
    optimizer: torch.optim.Optimizer, named: dict[str, nn.Parameter],
    tensors: dict[str, Tensor], steps: int,
) -> None:
    """Gives the optimizer back what a checkpoint holds of it."""
    is_adam = not isinstance(optimizer, torch.optim.SGD)
    for name, parameter in named.items():
        first = tensors.get(f"optimizer.first.{name}")
        second = tensors.get(f"optimizer.second.{name}")
        if first is None:
            raise ValueError(f"the checkpoint lacks optimizer.first.{name}")
        entry = optimizer.state[parameter]
        if not is_adam:
            entry["momentum_buffer"] = first.to(parameter.device)
            continue
        if second is None:
            raise ValueError(f"the checkpoint lacks optimizer.second.{name}")
        entry["step"] = torch.tensor(float(steps))
        entry["exp_avg"] = first.to(parameter.device)
        entry["exp_avg_sq"] = second.to(parameter.device)


def placed(images: Tensor, placements: Tensor) -> Tensor:
    """Images cropped and flipped: rows, columns and a flip for each (docs/runner.md)."""
    count, channels, height, width = images.shape
    rows = torch.arange(height, device=images.device) + placements[:, 0:1]
    columns = torch.arange(width, device=images.device).expand(count, width)
    columns = torch.where(placements[:, 2:3] > 0, width - 1 - columns, columns)
    columns = columns + placements[:, 1:2]
    inside = ((rows >= 0) & (rows < height))[:, :, None] & (
        (columns >= 0) & (columns < width))[:, None, :]
    at = rows.clamp(0, height - 1)[:, :, None] * width + columns.clamp(0, width - 1)[:, None, :]
    at = at[:, None].expand(count, channels, height, width).reshape(count, channels, -1)
    shown = images.reshape(count, channels, -1).gather(2, at).reshape(images.shape)
    return shown * inside[:, None].to(images.dtype)


class Sharpness:
    """The ascent step of sharpness-aware minimisation (Foret et al., 2021), and back."""

    def __init__(self, parameters: list[nn.Parameter], radius: float) -> None:
        self.parameters = parameters
        self.radius = radius
        self.kept: list[Tensor] = []

    @torch.no_grad()
    def climb(self) -> None:
        gradients = [p.grad for p in self.parameters if p.grad is not None]
        norm = torch.stack([g.norm() for g in gradients]).norm()
        self.kept = [p.detach().clone() for p in self.parameters]
        for parameter in self.parameters:
            if parameter.grad is not None:
                parameter.add_(parameter.grad, alpha=float(self.radius / (norm + 1e-12)))

    @torch.no_grad()
    def descend(self) -> None:
        for parameter, kept in zip(self.parameters, self.kept):
            parameter.copy_(kept)
