"""Writes small Taskonomy trees of the real layout (Python 3.11, NumPy 1.24, Pillow 10 or newer).

    make_taskonomy.py        writes taskonomy.tar.gz beside this file

The archive holds two trees, their images 64 pixels wide:

    current/  DOMAIN/taskonomy/BUILDING/point_P_view_V_domain_WORD.EXT, split files with a bare
              carriage return and no last line end. hanson and merom are for training, ihlen for
              the test, wiconisco for validation; woodbine stands in the split and is not there.
              hanson lacks the normals of point 3, merom has a class_scene of point 2 that is cut.
    sample/   OLD_DOMAIN/point_P_view_0_domain_WORD.EXT: the older names, one building, no split.

What a file holds depends on k, the number of the view (`views` below), row r and column c only;
TaskonomyTests.swift states the same formulas.
"""
import io
import pathlib
import tarfile

import numpy as np
from PIL import Image

SIDE = 64
FOLDER = pathlib.Path(__file__).parent
R, C = np.meshgrid(np.arange(SIDE), np.arange(SIDE), indexing="ij")

OLD = {
    "depth_euclidean": "mist",
    "depth_zbuffer": "depth",
    "keypoints2d": "keypoint2d",
    "edge_texture": "edge2d",
    "keypoints3d": "keypoint",
    "edge_occlusion": "edge",
    "principal_curvature": "curvature",
    "reshading": "reshade",
    "segment_unsup2d": "segment2d",
    "segment_unsup25d": "segment25d",
    "class_object": "softmax1000",
    "class_scene": "places",
}
# The word in the name is not the folder's everywhere, as in the published files.
WORDS = {"segment_semantic": "segmentsemantic", "mask_valid": "mask_valid", "normal": "normal"}


def gray16(values):
    return Image.fromarray(values.astype(np.uint16))


def gray8(values):
    return Image.fromarray(values.astype(np.uint8))


def rgb8(*planes):
    return Image.fromarray(np.stack([p % 256 for p in planes], -1).astype(np.uint8))


def images(k):
    """The PNG domains of view number k."""
    depth = 512 + 64 * R + C + 100 * k
    depth[R < 4] = 65535
    depth[(R >= 4) & (R < 6)] = 64500
    unknown = C < 8
    normal = [np.where(unknown, 128, v) for v in (200, 100, 150 + k)]
    semantic = np.where(R < 16, 0, 1 + (C // 4 + k) % 17)
    return {
        "rgb": rgb8(2 * (R // 2) + k, 2 * (C // 2) + 3 * k, 0 * R + 40 * k),
        "depth_euclidean": gray16(depth),
        "depth_zbuffer": gray16(400 + 60 * R),
        "keypoints2d": gray16(5 * R + k),
        "edge_texture": gray16(80 * C + k),
        "keypoints3d": gray16(900 * C),
        "edge_occlusion": gray16(6 * R),
        "normal": rgb8(*normal),
        "principal_curvature": rgb8(127 + k + 0 * R, 127 - R, 0 * R),
        "reshading": rgb8(*[R + 10 * k] * 3),
        "segment_unsup2d": gray8(15 * (4 * (R // 16) + C // 16)),
        "segment_unsup25d": gray8(C // 8),
        "segment_semantic": gray8(semantic),
        "mask_valid": gray8(np.where(R < 4, 0, 255)),
    }


def scene(number, k):
    """Probabilities; stored in other shapes and types from view to view."""
    shares = np.full(365, 0.5 / 364)
    shares[number] = 0.5
    return shares.astype("<f4") if k % 2 else shares.reshape(1, 365)


def objects(k):
    """Logits."""
    logits = np.full(1000, -1.0)
    logits[7 * k] = 5
    return logits.astype("<f2").reshape(1000, 1)


def encoded(value):
    buffer = io.BytesIO()
    if isinstance(value, Image.Image):
        value.save(buffer, "PNG")
    else:
        np.save(buffer, value)
    return buffer.getvalue()


def add(tar, name, contents):
    entry = tarfile.TarInfo(name)
    entry.size = len(contents)
    tar.addfile(entry, io.BytesIO(contents))


def files(k, number):
    contents = {name: encoded(image) for name, image in images(k).items()}
    contents["class_scene"] = encoded(scene(number, k))
    contents["class_object"] = encoded(objects(k))
    return contents


def current(tar):
    # Building, point, view, k, scene.
    views = [
        ("hanson", 0, 0, 0, 10), ("hanson", 0, 1, 1, 10), ("hanson", 3, 0, 2, 10),
        ("hanson", 12, 2, 3, 10), ("merom", 1, 0, 4, 20), ("merom", 2, 0, 5, 20),
        ("merom", 4, 0, 6, 30), ("wiconisco", 0, 0, 7, 10), ("ihlen", 0, 0, 8, 10),
        ("ihlen", 5, 1, 9, 99),
    ]
    for building, point, view, k, number in views:
        for domain, contents in files(k, number).items():
            if (building, point, domain) == ("hanson", 3, "normal"):
                continue
            if (building, point, domain) == ("merom", 2, "class_scene"):
                contents = contents[:90]
            ending = "npy" if domain.startswith("class") else "png"
            word = WORDS.get(domain, domain)
            name = f"point_{point}_view_{view}_domain_{word}.{ending}"
            add(tar, f"current/{domain}/taskonomy/{building}/{name}", contents)
    rows = [
        "id,train,val,test", "hanson,1,0,0", "merom,1,0,0", "woodbine,1,0,0",
        "wiconisco,0,1,0", "ihlen,0,0,1",
    ]
    split = "\r".join(rows).encode()
    add(tar, "current/splits_taskonomy/train_val_test_tiny.csv", split)


def sample(tar):
    for point in range(5):
        for domain, contents in files(point, 50).items():
            ending = "npy" if domain.startswith("class") else "png"
            word = WORDS.get(domain, OLD.get(domain, domain))
            name = f"point_{point}_view_0_domain_{word}.{ending}"
            add(tar, f"sample/{OLD.get(domain, domain)}/{name}", contents)


def main():
    with tarfile.open(FOLDER / "taskonomy.tar.gz", "w:gz") as tar:
        current(tar)
        sample(tar)


if __name__ == "__main__":
    main()
