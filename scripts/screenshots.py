"""Takes the pictures of README and documentation from real sweeps.

    screenshots.py --fathom BINARY --store STORE [--folder FOLDER] [--only NAME ...]

From the report of STORE, a finished quickstart: report.png (the first screen), report-sal.png and
report-gallery.png. From a run of sweeps/landscape.yaml: landscape-path.png and
landscape-random.png. Of the dashboard beside a quickstart on its way: dashboard.png. Needs
Chromium, and some minutes on two cores for the sweeps that it runs.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile
import time

import browser
from live_sweep import LiveSweep

ROOT = pathlib.Path(__file__).resolve().parent.parent
WIDTH = 1100
BYTES_MAX = 200_000
# Of a report: a name, the element it begins with, and the height of the picture.
REPORT = [
    ("report", "body", 900),
    ("report-sal", "#sal", 640),
    ("report-gallery", "#gallery", 560),
]
# LeNet-5's planes; the linear classifier's come before them.
LANDSCAPES = [
    ("landscape-path", "#landscape-trajectory-g2", 920),
    ("landscape-random", "#landscape-random-g2", 920),
]
# Three planes beside each other.
LANDSCAPE_WIDTH = 1280
# The share of jobs that are done when the dashboard is photographed, and how long that may take.
PROGRESS = 0.7
MINUTES_MAX = 20


def run(*command):
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def keep(page, path, box):
    page.picture(path, box)
    size = path.stat().st_size
    print(f"{path}: {size} bytes")
    if size > BYTES_MAX:
        raise SystemExit(f"screenshots: {path} has more than {BYTES_MAX} bytes")


def of_report(fathom, store, pictures, folder, width=WIDTH):
    """Pictures of parts of a store's report, which must all be there."""
    with tempfile.TemporaryDirectory() as scratch, browser.Browser() as chromium:
        report = pathlib.Path(scratch) / "report.html"
        run(fathom, "report", store, "--out", str(report))
        page = chromium.open(report.as_uri(), width=width)
        for name, selector, height in pictures:
            box = page.box(selector)
            if box is None:
                raise SystemExit(f"screenshots: {selector} is not in the report of {store}")
            keep(page, folder / f"{name}.png", (0, box[1], width, min(height, box[3] + 60)))


def of_landscapes(fathom, folder):
    with tempfile.TemporaryDirectory() as scratch:
        store = str(pathlib.Path(scratch) / "landscape.sqlite")
        run(fathom, "run", str(ROOT / "sweeps/landscape.yaml"), "--db", store)
        of_report(fathom, store, LANDSCAPES, folder, LANDSCAPE_WIDTH)


def of_dashboard(fathom, folder):
    """A sweep that is largely done, with ranks that still move."""
    done = "document.getElementById('whole').value / document.getElementById('whole').max"
    ranks = "document.querySelectorAll('#board-rows tbody tr').length"
    with tempfile.TemporaryDirectory() as scratch, browser.Browser(MINUTES_MAX * 60) as chromium:
        with LiveSweep(fathom, ROOT / "sweeps/quickstart.yaml", scratch) as sweep:
            sweep.start_worker()
            page = chromium.open(sweep.address, width=WIDTH)
            while not page.value(f"{done} >= {PROGRESS} && {ranks} > 0"):
                if sweep.coordinator.poll() is not None:
                    raise SystemExit("screenshots: the sweep ended before its picture was taken")
                time.sleep(0.2)
            keep(page, folder / "dashboard.png", (0, 0, WIDTH, 1250))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fathom", required=True)
    parser.add_argument("--store", required=True)
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "docs/images")
    parser.add_argument(
        "--only", nargs="+", choices=["report", "landscapes", "dashboard"],
        default=["report", "landscapes", "dashboard"])
    arguments = parser.parse_args()
    fathom = str(pathlib.Path(arguments.fathom).resolve())
    if browser.find() is None:
        print("screenshots: there is no Chromium here; scripts/setup_browser.sh installs one")
        return 1
    arguments.folder.mkdir(parents=True, exist_ok=True)
    if "report" in arguments.only:
        of_report(fathom, arguments.store, REPORT, arguments.folder)
    if "landscapes" in arguments.only:
        of_landscapes(fathom, arguments.folder)
    if "dashboard" in arguments.only:
        of_dashboard(fathom, arguments.folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
