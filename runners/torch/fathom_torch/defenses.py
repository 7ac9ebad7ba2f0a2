"""Defenses that work inside the training loop. Those of the data set Fathom has applied before."""

from __future__ import annotations

from typing import Callable

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from .talk import Request

Loss = Callable[[nn.Module, Tensor, Tensor], tuple[Tensor, Tensor]]
"""The mean loss of a batch to descend, and the predictions whose accuracy counts."""

KNOWN = ("none", "cutout", "mixup", "cutmix", "at")


def plain(network: nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropy of the images as they are."""
    scores = network(images)
    return F.cross_entropy(scores, labels), scores


def of(settings: Request, defended: bool, seed: int) -> Loss:
    """The loss under a defense.

    Its draws are this runner's own (from `seed`), so that networks agree with those of the
    built-in engine in distribution, not number by number.
    """
    name = settings["name"]
    if defended or name == "none":
        return plain
    if name not in KNOWN:
        raise ValueError(f"defense {name} is none of this runner's: {', '.join(KNOWN)}")
    numbers = settings.get("numbers", {})
    random = torch.Generator().manual_seed(seed)
    if name == "cutout":
        return _cutout(int(numbers["side"]), random)
    if name == "mixup":
        return _mixup(numbers["lambdaMax"], random)
    if name == "cutmix":
        return _cutmix(numbers["probability"], random)
    is_uniform = settings.get("words", {}).get("start") == "uniform"
    return _adversarial(
        numbers["epsilon"], numbers["stepSize"], int(numbers["steps"]), is_uniform, random)


def _cutout(side: int, random: torch.Generator) -> Loss:
    def loss(network: nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        count, _, height, width = images.shape
        top = torch.randint(height, (count, 1), generator=random).to(images.device) - side // 2
        left = torch.randint(width, (count, 1), generator=random).to(images.device) - side // 2
        rows = torch.arange(height, device=images.device)
        columns = torch.arange(width, device=images.device)
        tall = (rows >= top) & (rows < top + side)
        wide = (columns >= left) & (columns < left + side)
        out = tall[:, :, None] & wide[:, None, :]
        return plain(network, images * ~out[:, None], labels)

    return loss


def _mixed(scores: Tensor, labels: Tensor, others: Tensor, shares: Tensor) -> Tensor:
    own = F.cross_entropy(scores, labels, reduction="none")
    other = F.cross_entropy(scores, others, reduction="none")
    return ((1 - shares) * own + shares * other).mean()


def _mixup(largest: float, random: torch.Generator) -> Loss:
    """Every image blended with another, its share uniform (arXiv 1710.09412)."""

    def loss(network: nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        partner = torch.randperm(len(images), generator=random).to(images.device)
        shares = largest * torch.rand(len(images), generator=random).to(images.device)
        share = shares[:, None, None, None]
        scores = network((1 - share) * images + share * images[partner])
        return _mixed(scores, labels, labels[partner], shares), scores

    return loss


def _cutmix(probability: float, random: torch.Generator) -> Loss:
    """A box of every image is another's, and labels count by area (arXiv 1905.04899)."""

    def loss(network: nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        if float(torch.rand(1, generator=random)) >= probability:
            return plain(network, images, labels)
        count, _, height, width = images.shape
        partner = torch.randperm(count, generator=random)
        mixed = images.clone()
        shares = torch.zeros(count)
        for n in range(count):
            side = float(1 - torch.rand(1, generator=random)) ** 0.5
            tall, wide = int(side * height), int(side * width)
            top = int(torch.randint(height - tall + 1, (1,), generator=random))
            left = int(torch.randint(width - wide + 1, (1,), generator=random))
            box = (slice(None), slice(top, top + tall), slice(left, left + wide))
            mixed[n][box] = images[partner[n]][box]
            shares[n] = tall * wide / (height * width)
        scores = network(mixed)
        others = labels[partner.to(labels.device)]
        return _mixed(scores, labels, others, shares.to(images.device)), scores

    return loss


def _adversarial(
    epsilon: float, step: float, steps: int, is_uniform: bool, random: torch.Generator
) -> Loss:
    """Trains on the worst images within `epsilon` (arXiv 1706.06083), climbed to in evaluation
    mode from a normal start of one step's size, or a uniform one."""

    def loss(network: nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        if is_uniform:
            start = epsilon * (2 * torch.rand(images.shape, generator=random) - 1)
        else:
            start = step * torch.randn(images.shape, generator=random)
        shown = images + start.to(images.device)
        was_training = network.training
        network.eval()
        for _ in range(steps):
            shown = shown.detach().requires_grad_(True)
            (slope,) = torch.autograd.grad(F.cross_entropy(network(shown), labels), shown)
            moved = shown.detach() + step * slope.sign()
            shown = torch.min(torch.max(moved, images - epsilon), images + epsilon).clamp(0, 1)
        network.train(was_training)
        return plain(network, shown.detach(), labels)

    return loss
