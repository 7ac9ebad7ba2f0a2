"""Writes the small files that readers of foreign formats are tested with (SciPy 1.11 or newer).

    make_data.py        writes svhn_stored.mat and svhn_deflated.mat beside this file

Four images; row r, column c, channel k of image n is (r + 2 c + 3 k + 5 n) mod 256; labels 1, 10,
5, 9, of which 10 stands for the digit 0.
"""
import pathlib

import numpy as np
from scipy.io import savemat

FOLDER = pathlib.Path(__file__).parent


def main():
    r, c, k, n = np.meshgrid(
        np.arange(32), np.arange(32), np.arange(3), np.arange(4), indexing="ij"
    )
    images = ((r + 2 * c + 3 * k + 5 * n) % 256).astype(np.uint8)
    labels = np.array([[1], [10], [5], [9]])
    savemat(FOLDER / "svhn_stored.mat", {"X": images, "y": labels.astype(np.uint8)})
    savemat(
        FOLDER / "svhn_deflated.mat",
        {"X": images, "y": labels.astype(np.float64)},
        do_compression=True,
    )


if __name__ == "__main__":
    main()
