"""Takes the pictures of the documentation from a real report.

    screenshots.py REPORT.html FOLDER

Writes report.png (the first screen), report-sal.png and report-gallery.png. Needs Chromium.
"""
import pathlib
import sys

import browser

BYTES_MAX = 200_000
# What is taken: a name, the first element, and the height of the picture.
PICTURES = [
    ("report", "body", 900),
    ("report-sal", "#sal", 640),
    ("report-gallery", "#gallery", 560),
]


def main():
    address = pathlib.Path(sys.argv[1]).resolve().as_uri()
    folder = pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    with browser.Browser() as chromium:
        page = chromium.open(address, width=1100)
        for name, selector, height in PICTURES:
            box = page.box(selector)
            if box is None:
                print(f"screenshots: {selector} is not in this report")
                continue
            path = folder / f"{name}.png"
            page.picture(path, (0, box[1], 1100, min(height, box[3] + 60)))
            size = path.stat().st_size
            print(f"{path}: {size} bytes")
            if size > BYTES_MAX:
                print(f"screenshots: {path} has more than {BYTES_MAX} bytes")
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
