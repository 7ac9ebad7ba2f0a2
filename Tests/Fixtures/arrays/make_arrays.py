"""Makes small .npz and .pt files for the readers of arrays to be held against.

    python -m venv v && v/bin/pip install numpy
    v/bin/python make_arrays.py OUT_DIR

The .npz files are NumPy's own. The .pt files are written as torch.save writes them: Python's own pickler with
persistent storages, in a zip archive of STEM/data.pkl, STEM/data/<k>, STEM/byteorder and STEM/version; classes called as
PyTorch's stand in for them, so that PyTorch itself is not needed.
"""
import collections, io, os, pickle, sys, types, zipfile
import numpy as np

torch = types.ModuleType("torch")
utils = types.ModuleType("torch._utils")
sys.modules["torch"], sys.modules["torch._utils"] = torch, utils
TYPES = {"float32": "FloatStorage", "float16": "HalfStorage", "float64": "DoubleStorage", "uint8": "ByteStorage",
         "int8": "CharStorage", "int32": "IntStorage", "int64": "LongStorage"}
for name in TYPES.values():
    setattr(torch, name, type(name, (), {"__module__": "torch"}))


def _rebuild_tensor_v2(*arguments):
    raise RuntimeError("only written, never called")


_rebuild_tensor_v2.__module__ = "torch._utils"
utils._rebuild_tensor_v2 = _rebuild_tensor_v2


class Tensor:
    """A view on a storage, pickled as PyTorch pickles its tensors."""

    def __init__(self, storage, offset, shape, strides):
        self.storage, self.offset, self.shape, self.strides = storage, offset, shape, strides

    def __reduce__(self):
        hooks = collections.OrderedDict()
        return utils._rebuild_tensor_v2, (Storage(self.storage), self.offset, self.shape, self.strides, False, hooks)


class Storage:
    def __init__(self, values):
        self.values = values


def whole(values):
    strides = tuple(s // values.itemsize for s in values.strides)
    return Tensor(values.ravel(), 0, values.shape, strides)


def save(path, value, protocol=2, byteorder=b"little"):
    storages = []

    class Pickler(pickle.Pickler):
        def persistent_id(self, given):
            if not isinstance(given, Storage):
                return None
            for key, known in enumerate(storages):
                if known is given.values:
                    break
            else:
                key = len(storages)
                storages.append(given.values)
            return "storage", getattr(torch, TYPES[given.values.dtype.name]), str(key), "cpu", given.values.size

    out = io.BytesIO()
    Pickler(out, protocol).dump(value)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", out.getvalue())
        archive.writestr("archive/byteorder", byteorder)
        for key, values in enumerate(storages):
            archive.writestr(f"archive/data/{key}", values.tobytes())
        archive.writestr("archive/version", b"3\n")


class Command:
    def __reduce__(self):
        return os.system, ("false",)


def main(folder):
    place = lambda name: os.path.join(folder, name)
    images = np.arange(24, dtype=np.uint8).reshape(2, 3, 2, 2)
    noise = (np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2) - 12) / 255
    np.savez(place("two.npz"), images=images, noise=noise)
    np.savez_compressed(place("deflated.npz"), images=np.tile(images, (20, 1, 1, 1)))
    np.savez(place("objects.npz"), things=np.array([{"a": 1}], dtype=object))
    save(place("tensor.pt"), whole(noise))
    storage = np.arange(12, dtype=np.int64)
    several = collections.OrderedDict()
    several["transposed"] = Tensor(storage, 1, (2, 3), (1, 4))
    several["half"] = whole(np.array([0.5, -2, 65504, 6e-8, 0], dtype=np.float16))
    several["bytes"] = whole(images)
    save(place("several.pt"), several, protocol=4)
    save(place("list.pt"), [whole(np.array([1, -1], dtype=np.int8)), whole(np.array([2.5]))], protocol=3)
    save(place("outside.pt"), Tensor(storage, 6, (2, 3), (1, 4)))
    save(place("command.pt"), {"x": Command()})
    save(place("big.pt"), whole(noise), byteorder=b"big")


main(sys.argv[1])
