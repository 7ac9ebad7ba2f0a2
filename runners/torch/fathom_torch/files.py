"""The files of a job: NumPy arrays come in, safetensors go in and out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

_KINDS: dict[str, np.dtype[Any]] = {
    "F64": np.dtype("<f8"), "F32": np.dtype("<f4"), "F16": np.dtype("<f2"),
    "I64": np.dtype("<i8"), "I32": np.dtype("<i4"), "U8": np.dtype("u1"),
}


def array(path: str) -> npt.NDArray[Any]:
    """An array, without trusting the file to be more than numbers."""
    return np.asarray(np.load(path, allow_pickle=False))


def images(path: str, device: torch.device) -> Tensor:
    """Images `[N, C, H, W]` as float32 in 0...1; bytes are divided by 255."""
    values = array(path)
    if values.dtype == np.uint8:
        return torch.from_numpy(values).to(device).float() / 255
    return torch.from_numpy(values.astype(np.float32, copy=False)).to(device)


def labels(path: str, device: torch.device) -> Tensor:
    """Classes `[N]` as int64."""
    return torch.from_numpy(array(path).astype(np.int64)).to(device)


def load(path: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The arrays of a safetensors file by name, and its metadata."""
    raw = Path(path).read_bytes()
    size = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + size])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        kind = _KINDS[entry["dtype"]]
        values = np.frombuffer(raw[8 + size + begin : 8 + size + end], kind)
        tensors[name] = torch.from_numpy(values.reshape(entry["shape"]).copy())
    return tensors, metadata


def save(path: str, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Writes tensors as float32 in their order, whole or not at all."""
    header: dict[str, object] = {"__metadata__": metadata}
    blobs: list[bytes] = []
    at = 0
    for name, tensor in tensors.items():
        blob = tensor.detach().to("cpu", torch.float32).contiguous().numpy().tobytes()
        header[name] = {
            "dtype": "F32", "shape": list(tensor.shape), "data_offsets": [at, at + len(blob)]
        }
        blobs.append(blob)
        at += len(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    partial = Path(path + ".part")
    with partial.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for blob in blobs:
            file.write(blob)
    partial.replace(path)
