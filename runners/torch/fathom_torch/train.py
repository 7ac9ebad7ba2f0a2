"""Training: one segment of a run."""

from __future__ import annotations

import math
from typing import Callable, Iterator

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from . import defenses, files, models, recipes
from .talk import Request, Say


class Course:
    """A network in training, an epoch at a time."""

    def __init__(
        self, network: nn.Module, recipe: recipes.Recipe, images: Tensor, labels: Tensor,
        loss: defenses.Loss = defenses.plain,
    ) -> None:
        self.network, self.recipe = network, recipe
        self.images, self.labels, self.loss = images, labels, loss
        self.named = dict(network.named_parameters())
        if recipe.frozen:
            head = models.measured(network)[-1][0]
            self.named = {n: p for n, p in self.named.items() if n.startswith(head + ".")}
            for name, parameter in network.named_parameters():
                parameter.requires_grad_(name in self.named)
        self.optimizer = recipe.make(list(self.named.values()))
        self.ascent = (
            recipes.Sharpness(list(self.named.values()), recipe.samRadius)
            if recipe.optimizer == "sam" else None)
        self.steps = 0
        self.steps_per_epoch = max(1, math.ceil(len(images) / recipe.batch))

    def epoch(
        self, number: int, order: Tensor, placements: Tensor | None,
        progress: Callable[[float], None] = lambda share: None,
    ) -> tuple[float, float]:
        """Trains epoch `number`, counted from 0; mean loss and accuracy as it went.

        The loss is not a number once the network is not; what would come after is left out.
        """
        self.network.train()
        if self.recipe.frozen:
            self.network.eval()
        total, right, seen = 0.0, 0, 0
        for at, chosen in enumerate(self._batches(order)):
            shown = self.images[chosen]
            if placements is not None:
                shown = recipes.placed(shown, placements[chosen])
            rate = self.recipe.rate(number * self.steps_per_epoch + at, self.steps_per_epoch)
            loss, hits = self._step(shown, self.labels[chosen], rate)
            total += loss * len(chosen)
            right += hits
            seen += len(chosen)
            if not math.isfinite(loss):
                return math.nan, math.nan
            progress(seen / len(order))
        return total / seen, right / seen

    def _batches(self, order: Tensor) -> Iterator[Tensor]:
        for start in range(0, len(order), self.recipe.batch):
            yield order[start : start + self.recipe.batch]

    def _step(self, images: Tensor, labels: Tensor, rate: float) -> tuple[float, int]:
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        draws = _draws(images.device)
        loss, scores = self.loss(self.network, images, labels)
        loss.backward()
        value, hits = float(loss.detach()), int((scores.argmax(1) == labels).sum())
        if self.ascent is not None:
            self.ascent.climb()
            self.optimizer.zero_grad(set_to_none=True)
            # The same units are left out at both points.
            _draw_again(images.device, draws)
            self.loss(self.network, images, labels)[0].backward()
            self.ascent.descend()
        self.optimizer.step()
        self.steps += 1
        return value, hits


def _draws(device: torch.device) -> Tensor:
    """Where the generator stands that dropout draws from."""
    is_cuda = device.type == "cuda"
    return torch.cuda.get_rng_state(device) if is_cuda else torch.get_rng_state()


def _draw_again(device: torch.device, draws: Tensor) -> None:
    """Puts it back to where it stood."""
    if device.type == "cuda":
        torch.cuda.set_rng_state(draws, device)
    else:
        torch.set_rng_state(draws)


@torch.no_grad()
def judged(
    network: nn.Module, images: Tensor, labels: Tensor, batch: int = 250
) -> tuple[float, float]:
    """Mean cross-entropy and accuracy in evaluation mode."""
    network.eval()
    total, right = 0.0, 0
    for start in range(0, len(images), batch):
        scores = network(images[start : start + batch])
        truth = labels[start : start + batch]
        total += float(F.cross_entropy(scores, truth, reduction="sum"))
        right += int((scores.argmax(1) == truth).sum())
    return total / len(images), right / len(images)


def run(ask: Request, device: torch.device, modules: tuple[str, ...], say: Say) -> None:
    """Answers a `train` request, up to its `done`."""
    inputs = ask["inputs"]
    torch.manual_seed(ask["seed"] + ask["firstEpoch"])
    recipe = recipes.Recipe.of(ask["training"])
    network = models.build(models.NetworkSettings.of(ask["model"]), modules)
    course, test = _prepared(ask, network, recipe, device)
    order = torch.from_numpy(files.array(inputs["order"])).to(device)
    placements = None
    if "placements" in inputs:
        placements = torch.from_numpy(files.array(inputs["placements"])).to(device).long()
    epochs = range(ask["firstEpoch"], ask["lastEpoch"] + 1)
    train_loss = math.nan
    for place, number in enumerate(epochs):
        def progress(share: float, place: int = place) -> None:
            say(type="progress", share=(place + share) / len(epochs))

        train_loss, accuracy = course.epoch(
            number - 1, order[place], None if placements is None else placements[place],
            _throttled(progress))
        seen = [("train", train_loss, accuracy)]
        is_sound = math.isfinite(train_loss)
        seen.append(("test", *(judged(network, *test) if is_sound else (math.nan, math.nan))))
        for split, loss, right in seen:
            for name, value in (("loss", loss), ("accuracy", right)):
                number_or_none = value if math.isfinite(value) else None
                say(type="metric", epoch=number, split=split, name=name, value=number_or_none)
    tensors = models.state(network) | recipes.memory(course.optimizer, course.named)
    files.save(
        ask["folder"] + "/checkpoint.safetensors", tensors,
        {"optimizerSteps": str(course.steps)})
    say(type="artifact", name="checkpoint", path="checkpoint.safetensors")


def _prepared(
    ask: Request, network: nn.Module, recipe: recipes.Recipe, device: torch.device
) -> tuple[Course, tuple[Tensor, Tensor]]:
    """The course where this segment begins, and the test set."""
    inputs = ask["inputs"]
    source = inputs.get("checkpoint") or inputs.get("initial")
    tensors, metadata = files.load(source) if source else ({}, {})
    if tensors:
        models.fill(network, tensors)
    network.to(device)
    seed = ask["seed"] * 1_000 + ask["firstEpoch"]
    course = Course(
        network, recipe, files.images(inputs["trainImages"], device),
        files.labels(inputs["trainLabels"], device),
        defenses.of(ask["defense"], ask["defended"], seed))
    if "checkpoint" in inputs:
        course.steps = int(metadata.get("optimizerSteps", "0"))
        recipes.remember(course.optimizer, course.named, tensors, course.steps)
    test = files.images(inputs["testImages"], device), files.labels(inputs["testLabels"], device)
    return course, test


def _throttled(tell: Callable[[float], None], parts: int = 20) -> Callable[[float], None]:
    """Tells of a share a few times, not after every batch."""
    told = 0

    def progress(share: float) -> None:
        nonlocal told
        if int(share * parts) > told:
            told = int(share * parts)
            tell(share)

    return progress
