"""The networks, with the parameter names that Fathom's built-in engine has for them."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any, Callable, Iterable

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from .talk import Request


@dataclass(frozen=True)
class NetworkSettings:
    """What a job says of its network."""

    name: str
    width: int | None
    classes: int
    channels: int
    height: int
    image_width: int

    @staticmethod
    def of(given: Request) -> NetworkSettings:
        return NetworkSettings(
            given["name"], given.get("width"), given["classes"], given["channels"],
            given["height"], given["imageWidth"])


class LeNet5(nn.Module):
    """LeNet-5 (LeCun et al., 1998) with ReLU and max pooling."""

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        side = (((settings.height - 4) // 2 - 4) // 2) * (((settings.image_width - 4) // 2 - 4) // 2)
        self.conv1 = nn.Conv2d(settings.channels, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * side, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, settings.classes)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2).flatten(1)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


class MLP(nn.Module):
    """Two hidden layers of 256 and 128."""

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        size = settings.channels * settings.height * settings.image_width
        self.fc1 = nn.Linear(size, 256)
        self.fc2 = nn.Linear(256, 128)
        self.fc3 = nn.Linear(128, settings.classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x.flatten(1))))))


class LinearClassifier(nn.Module):
    """One layer on the pixels."""

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        size = settings.channels * settings.height * settings.image_width
        self.linear = nn.Linear(size, settings.classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x.flatten(1))


class SmallCNN(nn.Module):
    """Four 3x3 convolutions with batch norm, max pooling after the first three."""

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        width = settings.width or 16
        before = settings.channels
        for number, channels in enumerate([width, 2 * width, 4 * width, 4 * width], 1):
            self.add_module(f"conv{number}", nn.Conv2d(before, channels, 3, padding=1, bias=False))
            self.add_module(f"bn{number}", nn.BatchNorm2d(channels))
            before = channels
        self.linear = nn.Linear(before, settings.classes)

    def forward(self, x: Tensor) -> Tensor:
        for number in range(1, 5):
            x = F.relu(self.get_submodule(f"bn{number}")(self.get_submodule(f"conv{number}")(x)))
            if number < 4:
                x = F.max_pool2d(x, 2)
        return self.linear(x.mean((2, 3)))


def _shortcut(inputs: int, outputs: int, stride: int, norm: bool) -> nn.Sequential:
    if stride == 1 and inputs == outputs:
        return nn.Sequential()
    parts: list[nn.Module] = [nn.Conv2d(inputs, outputs, 1, stride, bias=False)]
    return nn.Sequential(*parts, *([nn.BatchNorm2d(outputs)] if norm else []))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut (He et al., 2016)."""

    expansion = 1

    def __init__(self, inputs: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut = _shortcut(inputs, channels, stride, norm=True)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(inner + self.shortcut(x))


class Bottleneck(nn.Module):
    """A 1x1, a 3x3 and a 1x1 convolution to four times the channels, and a shortcut."""

    expansion = 4

    def __init__(self, inputs: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = nn.Conv2d(channels, 4 * channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * channels)
        self.shortcut = _shortcut(inputs, 4 * channels, stride, norm=True)

    def forward(self, x: Tensor) -> Tensor:
        inner = F.relu(self.bn1(self.conv1(x)))
        inner = self.bn3(self.conv3(F.relu(self.bn2(self.conv2(inner)))))
        return F.relu(inner + self.shortcut(x))


class SEBlock(nn.Module):
    """A pre-activation block whose branch is gated by squeezed means (Hu et al., 2018)."""

    expansion = 1

    def __init__(self, inputs: int, channels: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, channels, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.shortcut = _shortcut(inputs, channels, stride, norm=False)
        hidden = max(1, channels // 16)
        self.fc1 = nn.Conv2d(channels, hidden, 1)
        self.fc2 = nn.Conv2d(hidden, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        active = F.relu(self.bn1(x))
        inner = self.conv2(F.relu(self.bn2(self.conv1(active))))
        shortcut = self.shortcut(active) if len(self.shortcut) else x
        gate = torch.sigmoid(self.fc2(F.relu(self.fc1(inner.mean((2, 3), keepdim=True)))))
        return inner * gate + shortcut


class ResNet(nn.Module):
    """A 3x3 stem without pooling and four stages of strides 1, 2, 2, 2."""

    def __init__(
        self, settings: NetworkSettings, block: type[BasicBlock | Bottleneck | SEBlock],
        blocks: Iterable[int],
    ) -> None:
        super().__init__()
        width = settings.width or 64
        self.conv1 = nn.Conv2d(settings.channels, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        inputs = width
        for stage, count in enumerate(blocks):
            parts: list[nn.Module] = []
            for index in range(count):
                channels = width << stage
                stride = 2 if stage > 0 and index == 0 else 1
                parts.append(block(inputs, channels, stride))
                inputs = channels * block.expansion
            self.add_module(f"layer{stage + 1}", nn.Sequential(*parts))
        self.linear = nn.Linear(inputs, settings.classes)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(x)))
        for stage in range(1, 5):
            x = self.get_submodule(f"layer{stage}")(x)
        return self.linear(x.mean((2, 3)))


class ShiftedPatches(nn.Module):
    """An image and its four copies shifted by one pixel, in patches (Lee et al., 2021)."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(self, x: Tensor) -> Tensor:
        shifts = [(1, -1, 0, 0), (-1, 1, 0, 0), (0, 0, 1, -1), (0, 0, -1, 1)]
        x = torch.cat([x] + [F.pad(x, shift) for shift in shifts], 1)
        images, channels, height, width = x.shape
        p = self.side
        x = x.reshape(images, channels, height // p, p, width // p, p)
        return x.permute(0, 2, 4, 3, 5, 1).reshape(images, -1, p * p * channels)


class LocalAttention(nn.Module):
    """Attention with a learned temperature that leaves the diagonal out."""

    def __init__(self, dimension: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.temperature = nn.Parameter(torch.log(torch.tensor((dimension // heads) ** -0.5)))
        self.to_qkv = nn.Linear(dimension, 3 * dimension, bias=False)
        self.to_out = nn.Sequential(nn.Linear(dimension, dimension), nn.Dropout(dropout))

    def forward(self, x: Tensor) -> Tensor:
        images, tokens, dimension = x.shape
        split = (images, tokens, self.heads, dimension // self.heads)
        q, k, v = (part.reshape(split).transpose(1, 2) for part in self.to_qkv(x).chunk(3, -1))
        scores = q @ k.transpose(-1, -2) * self.temperature.exp()
        mask = torch.eye(tokens, dtype=torch.bool, device=x.device)
        weights = scores.masked_fill(mask, -torch.finfo(scores.dtype).max).softmax(-1)
        return self.to_out((weights @ v).transpose(1, 2).reshape(images, tokens, dimension))


class FeedForward(nn.Module):
    """A perceptron as wide inside as outside."""

    def __init__(self, dimension: int, dropout: float) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(dimension, dimension), nn.GELU(), nn.Dropout(dropout),
            nn.Linear(dimension, dimension), nn.Dropout(dropout))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class PreNorm(nn.Module):
    """A layer norm before `fn`, and its input added behind it."""

    def __init__(self, dimension: int, fn: nn.Module) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dimension)
        self.fn = fn

    def forward(self, x: Tensor) -> Tensor:
        return self.fn(self.norm(x)) + x


class VisionTransformer(nn.Module):
    """The small-data vision transformer of Lee et al. (2021): six layers of eight heads."""

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        dimension, side, dropout = settings.width or 512, 4, 0.1
        tokens = (settings.height // side) * (settings.image_width // side)
        columns = 5 * settings.channels * side * side
        self.pos_embedding = nn.Parameter(torch.randn(1, tokens + 1, dimension))
        self.cls_token = nn.Parameter(torch.randn(1, 1, dimension))
        patches = nn.Sequential(
            ShiftedPatches(side), nn.LayerNorm(columns), nn.Linear(columns, dimension))
        layers = nn.ModuleList(
            nn.Sequential(
                PreNorm(dimension, LocalAttention(dimension, 8, dropout)),
                PreNorm(dimension, FeedForward(dimension, dropout)))
            for _ in range(6))
        # Dictionaries, for the names that parameters have in the original.
        self.to_patch_embedding = nn.ModuleDict({"to_patch_tokens": patches})
        self.dropout = nn.Dropout(dropout)
        self.transformer = nn.ModuleDict({"layers": layers})
        self.mlp_head = nn.Sequential(
            nn.LayerNorm(dimension), nn.Linear(dimension, settings.classes))

    def forward(self, x: Tensor) -> Tensor:
        x = self.to_patch_embedding["to_patch_tokens"](x)
        token = self.cls_token.expand(len(x), -1, -1)
        x = self.dropout(torch.cat([token, x], 1) + self.pos_embedding)
        for layer in self.transformer["layers"].children():
            x = layer(x)
        return self.mlp_head(x[:, 0])


BUILDERS: dict[str, Callable[[NetworkSettings], nn.Module]] = {
    "linear": LinearClassifier,
    "mlp": MLP,
    "lenet5": LeNet5,
    "smallcnn": SmallCNN,
    "resnet18": lambda s: ResNet(s, BasicBlock, (2, 2, 2, 2)),
    "resnet34": lambda s: ResNet(s, BasicBlock, (3, 4, 6, 3)),
    "resnet50": lambda s: ResNet(s, Bottleneck, (3, 4, 6, 3)),
    "senet18": lambda s: ResNet(s, SEBlock, (2, 2, 2, 2)),
    "vit-small": VisionTransformer,
}


class UnknownNetwork(ValueError):
    """A network that this runner may not or cannot build."""


def build(settings: NetworkSettings, modules: tuple[str, ...] = ()) -> nn.Module:
    """Builds a network: one of `BUILDERS`, or `module:function` of an allowed module.

    The function is called with `classes`, `channels`, `height` and `width` (of an image), and with
    `base` where the manifest says a width.
    """
    if settings.name in BUILDERS:
        return BUILDERS[settings.name](settings)
    module, _, function = settings.name.partition(":")
    if not function:
        raise UnknownNetwork(
            f"network {settings.name} is not known; there are {', '.join(BUILDERS)}, and "
            "module:function of the modules that --module allows")
    if module not in modules:
        raise UnknownNetwork(
            f"module {module} may not be loaded; start the runner with --module {module}")
    make = getattr(importlib.import_module(module), function)
    extra: dict[str, Any] = {} if settings.width is None else {"base": settings.width}
    network = make(
        classes=settings.classes, channels=settings.channels, height=settings.height,
        width=settings.image_width, **extra)
    if not isinstance(network, nn.Module):
        raise UnknownNetwork(f"{settings.name} returned a {type(network).__name__}, no nn.Module")
    return network


def measured(network: nn.Module) -> list[tuple[str, nn.Parameter]]:
    """The layers SAL is measured of: convolutions and linear ones, in registration order."""
    kinds = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.Linear)
    layers = [name for name, module in network.named_modules() if isinstance(module, kinds)]
    return [(name, network.get_parameter(f"{name}.weight")) for name in layers]


def state(network: nn.Module) -> dict[str, Tensor]:
    """Parameters and running statistics by name; how many batches were seen is left out."""
    return {
        name: value for name, value in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }


def fill(network: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Takes every parameter and running statistic from a checkpoint."""
    own = state(network)
    missing = [name for name in own if name not in tensors]
    if missing:
        raise ValueError(f"the checkpoint lacks {missing[0]}: it is another network's")
    wrong = [name for name in own if own[name].shape != tensors[name].shape]
    if wrong:
        name = wrong[0]
        raise ValueError(
            f"the checkpoint's {name} is {list(tensors[name].shape)}, the network's "
            f"{list(own[name].shape)}")
    network.load_state_dict({name: tensors[name] for name in own}, strict=False)
