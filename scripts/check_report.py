"""Opens a report in a headless Chromium and checks what a reader would see.

    check_report.py REPORT.html --fathom BINARY --store STORE [--sweep NAME]

The figures on the page equal those that `fathom leaderboard` prints, columns sort, nothing is asked
for but the file itself, nothing is logged as an error, every picture has a name for screen readers,
and the page is no wider than a phone. Exit status 1 when something does not hold, 0 with a remark
when there is no Chromium.
"""
import argparse
import base64
import json
import pathlib
import subprocess
import sys
import tempfile

import browser
from checks import PHONE, Report

# Columns of a leaderboard's table on the page, and what they are called in JSON.
COLUMNS = {
    3: "ud", 5: "metric", 6: "damage", 7: "learnable", 8: "learnableBaseline", 9: "trainLoss",
    10: "salLoss", 11: "reach", 12: "n",
}
ROWS = """
[...document.querySelectorAll("#leaderboard tr[data-key]")].map((row) => ({
  key: row.dataset.key, method: row.querySelector("th").textContent,
  values: [...row.cells].map((cell) => cell.dataset.v ?? null),
}))
"""
SORTED = """
(() => {
  const table = document.querySelector("#leaderboard table");
  table.tHead.rows[0].cells[5].querySelector("button").click();
  return { state: table.tHead.rows[0].cells[5].ariaSort,
    values: [...table.tBodies[0].rows].map((row) => row.cells[5].dataset.v ?? null) };
})()
"""


def printed(arguments, format):
    command = [arguments.fathom, "leaderboard", arguments.store, "--format", format]
    if arguments.sweep:
        command += ["--sweep", arguments.sweep]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def check_figures(page, arguments, report):
    """Answers whether there are figures at all."""
    stored = {row["cell"]: row for row in json.loads(printed(arguments, "json"))}
    shown = {row["key"]: row for row in page.value(ROWS)}
    # A page of a large sweep shows the first rows and says so.
    is_cut = page.value(
        "/The first .* rows/.test(document.querySelector('#leaderboard')?.innerText ?? '')")
    report.expect(
        set(shown) < set(stored) if is_cut else set(shown) == set(stored),
        f"rows differ: {sorted(set(shown) ^ set(stored))[:10]}")
    for key in set(shown) & set(stored):
        for place, name in COLUMNS.items():
            text = shown[key]["values"][place]
            value = None if text is None else float(text)
            report.expect(
                value == stored[key][name],
                f"{shown[key]['method']}: {name} is {value} on the page and "
                f"{stored[key][name]} in the store")
    href = page.value("document.querySelector('a[download=\"leaderboard.csv\"]')?.href")
    if not stored:
        report.expect(href is None, "there is a leaderboard where the store has none")
        return False
    data = base64.b64decode(href.split("base64,", 1)[1]).decode()
    report.expect(data == printed(arguments, "csv"), "leaderboard.csv differs from the store's")
    return True


def check_sorting(page, report):
    for wanted in ("ascending", "descending"):
        result = page.value(SORTED)
        numbers = [float(v) for v in result["values"] if v is not None]
        report.expect(result["state"] == wanted, f"the column says {result['state']}")
        report.expect(
            numbers == sorted(numbers, reverse=wanted == "descending"),
            f"{wanted}: the column is in the order {result['values']}")
        report.expect(
            None not in result["values"][: len(numbers)], "what has no value is not last")


def check_quiet(page, address, report):
    foreign = [u for u in page.requests if u != address and not u.startswith("data:")]
    report.expect(not foreign, f"the page asks for {foreign}")
    report.expect(not page.problems, f"the browser complains: {page.problems}")


def check_layout(page, report):
    for width in (PHONE, 1280):
        for dark in (False, True):
            page.resize(width)
            page.look(dark)
            over = page.value("document.documentElement.scrollWidth") - width
            report.expect(over <= 0, f"the page is {over} pixels wider than a screen of {width}")
    small = page.value(
        "Math.min(...[...document.querySelectorAll('svg.plot')].map((s) =>"
        "s.getBoundingClientRect().width))")
    report.expect(small is None or small > 0, "a chart has no width")


def check_words(page, report):
    marked = page.value(
        "[...document.querySelectorAll('main section:not(#provenance)')].filter((part) =>"
        "part.innerText.includes('`')).map((part) => part.id)")
    report.expect(not marked, f"backticks of the terminal stand in {marked}")


def check_access(page, report):
    names = page.named_images()
    report.expect(all(names), f"{names.count('')} of {len(names)} pictures have no name")
    headings = page.value("[...document.querySelectorAll('h1')].length")
    report.expect(headings == 1, f"the page has {headings} main headings")
    orphans = page.value(
        "[...document.querySelectorAll('nav a')].filter((a) =>"
        "!document.getElementById(a.hash.slice(1))).length")
    report.expect(orphans == 0, f"{orphans} links of the contents lead nowhere")


def check_print(page, report):
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        page.pdf(file.name)
        start = pathlib.Path(file.name).read_bytes()[:5]
    report.expect(start == b"%PDF-", "the page does not print")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("report")
    parser.add_argument("--fathom", required=True)
    parser.add_argument("--store", required=True)
    parser.add_argument("--sweep")
    arguments = parser.parse_args()
    if browser.find() is None:
        print("check_report: skipped, there is no Chromium here")
        return 0
    address = pathlib.Path(arguments.report).resolve().as_uri()
    report = Report()
    with browser.Browser(seconds=120) as chromium:
        page = chromium.open(address)
        if check_figures(page, arguments, report):
            check_sorting(page, report)
        check_layout(page, report)
        check_words(page, report)
        check_access(page, report)
        check_print(page, report)
        check_quiet(page, address, report)
    for failure in report.failures:
        print(f"check_report: {failure}")
    print(f"check_report: {report.count} checks, {len(report.failures)} failed")
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
