"""Writes the photographs that the JPEG reader is tested with (Pillow 10 or newer).

    make_jpeg.py        writes color.jpg, gray.jpg, progressive.jpg and inks.jpg beside this file

40 by 24 pixels. color and progressive have a left half of (200, 40, 60) and a right half of
(30, 90, 220), chroma not subsampled, quality 95; gray is 17 + 5 * row; inks is CMYK.
"""
import pathlib

import numpy as np
from PIL import Image

FOLDER = pathlib.Path(__file__).parent


def main():
    color = np.zeros((24, 40, 3), np.uint8)
    color[:, :20] = (200, 40, 60)
    color[:, 20:] = (30, 90, 220)
    image = Image.fromarray(color)
    image.save(FOLDER / "color.jpg", quality=95, subsampling=0)
    image.save(FOLDER / "progressive.jpg", quality=95, subsampling=0, progressive=True)
    rows = np.repeat((17 + 5 * np.arange(24))[:, None], 40, 1).astype(np.uint8)
    Image.fromarray(rows).save(FOLDER / "gray.jpg", quality=95)
    image.convert("CMYK").save(FOLDER / "inks.jpg", quality=95)


if __name__ == "__main__":
    main()
