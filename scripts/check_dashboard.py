"""Opens a store's dashboard in a headless Chromium and checks what a visitor would see.

    check_dashboard.py --fathom BINARY --store STORE [--pictures FOLDER]

The figures on the page equal those in the store, the page asks its own origin only and logs no
error, fits a phone, finds cells, and comes back after the dashboard was started again. Beside a
running sweep of probes it explains a failure, and changes the sweep for those who have the token.
Beside a sweep of 400 short runs with a worker of its own it comes back after the coordinator was
killed and started again, goes on, and then shows what the store holds.
Exit status 1 when something does not hold, 0 with a remark when there is no Chromium.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import browser
from checks import PHONE, Report
from live_sweep import LiveSweep, Viewer


class Dashboard:
    """`fathom dashboard` on a store; ends with the `with` block."""

    def __init__(self, arguments, port=0):
        self.process = subprocess.Popen(
            [arguments.fathom, "dashboard", arguments.store, "--listen", f"127.0.0.1:{port}"],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        line = self.process.stderr.readline()
        found = re.match(r"dashboard: (\S+:([0-9]+)/)\n", line)
        if not found:
            raise SystemExit(f"check_dashboard: the dashboard did not start: {line}")
        self.address, self.port = found[1], int(found[2])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=20)


def stored(arguments, query):
    command = [arguments.fathom, "query", arguments.store, query, "--format", "json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def until(page, script, seconds=20):
    """Whether a script comes to something true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if page.value(script):
            return True
        time.sleep(0.1)
    return False


def digits(text):
    return [int(number.replace("\u202f", "")) for number in re.findall("[0-9\u202f]+", text)]


def check_figures(page, arguments, report):
    kinds = page.value(
        "[...document.querySelectorAll('#kinds tr')].map((r) =>"
        "[r.cells[0].textContent, r.cells[2].textContent])")
    expected = stored(
        arguments,
        "SELECT j.kind, sum(j.state = 'finished') AS done, count(*) AS total FROM job j JOIN "
        "sweepJob sj ON sj.job = j.id WHERE sj.sweep = (SELECT id FROM sweep ORDER BY registeredAt "
        "DESC, id DESC LIMIT 1) GROUP BY j.kind")
    shown = {name: digits(text) for name, text in kinds}
    for row in expected:
        report.expect(
            shown.get(row["kind"]) == [row["done"], row["total"]],
            f"{row['kind']}: the page says {shown.get(row['kind'])}, the store {row}")
    report.expect(len(shown) == len(expected), f"kinds on the page: {sorted(shown)}")
    ranks = page.value(
        "[...document.querySelectorAll('#board-rows tbody tr')].map((r) =>"
        "[r.cells[1].textContent, r.cells[2].textContent, r.cells[3].textContent])")
    board = stored(
        arguments,
        "SELECT method, ud, metric FROM leaderboard WHERE sweep = (SELECT name FROM sweep ORDER BY "
        "registeredAt DESC, id DESC LIMIT 1)")

    def figure(value):
        return "–" if value is None else f"{value:.3f}"

    wanted = sorted([r["method"], figure(r["ud"]), figure(r["metric"])] for r in board)
    # A page of the leaderboard has twelve groups, whose titles tell the settings of their methods.
    found = sorted([m, u.split(" ")[0], v.split(" ")[0]] for m, u, v in ranks)
    if "(" in "".join(row[0] for row in wanted):
        wanted = [row[1:] for row in wanted]
        strange = [row for row in found if row[1:] not in wanted]
        report.expect(found and not strange, f"not in the store's leaderboard: {strange[:5]}")
    else:
        report.expect(
            found == wanted, f"the leaderboard is {found} on the page, {wanted} in the store")
    text = page.value("document.body.innerText")
    report.expect("`" not in text, "a backtick stands on the page")


def check_cells(page, report):
    for name, rows in (("cells", "#cells-rows tr"), ("board", "#board-rows details")):
        count = f"document.querySelectorAll('{rows}').length"
        everything = page.value(count)
        search(page, name, "zzzz")
        report.expect(until(page, count + " === 0"), f"a search for nothing finds {name}")
        search(page, name, "")
        report.expect(until(page, f"{count} === {everything}"), f"the {name} do not come back")


def search(page, name, text):
    page.value(
        f"(() => {{ const s = document.getElementById('{name}-search'); s.value = '{text}';"
        "s.dispatchEvent(new Event('input')); })()")


def check_layout(page, report):
    for width in (PHONE, 1280):
        for dark in (False, True):
            page.resize(width)
            page.look(dark)
            over = page.value("document.documentElement.scrollWidth") - width
            report.expect(over <= 0, f"the page is {over} pixels wider than a screen of {width}")
    page.look(False)


def check_steering(page, report):
    page.value(
        "document.querySelector('[data-action=cancel],[data-action=retry]')?.click()")
    answer = page.value("document.getElementById('answer').textContent")
    offered = page.value("!!document.querySelector('[data-action=cancel],[data-action=retry]')")
    report.expect(
        answer == ("Enter the token first." if offered else ""), f"without a token: {answer}")


def start_probes(arguments, folder):
    """A sweep of which one job fails and one never ends; its process, address and token."""
    log = pathlib.Path(folder) / "log"
    probes = [
        os.path.abspath(arguments.fathom), "probes", "--count", "20", "--fail", "1", "--slots", "2",
        "--db", "p.sqlite",
    ]
    quiet = {"cwd": folder, "stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    # Once without the endless one, which would keep others waiting behind it.
    subprocess.run(probes, stderr=subprocess.DEVNULL, timeout=60, **quiet)
    with log.open("w") as file:
        process = subprocess.Popen(
            [*probes, "--hang", "1", "--dashboard", "127.0.0.1:0"], stderr=file, **quiet)
    end = time.monotonic() + 30
    while time.monotonic() < end:
        text = log.read_text()
        address = re.search(r"dashboard: (\S+:[0-9]+/)\n", text)
        token = re.search(r"token[^:]*: ([0-9a-f]{48})\n", text)
        if address and token:
            return process, address[1], token[1]
        time.sleep(0.1)
    process.kill()
    raise SystemExit(f"check_dashboard: no sweep with a dashboard: {log.read_text()}")


def check_live(page, token, process, report):
    text = "document.getElementById('{}').textContent"
    click = "document.querySelector('{}').click()"
    report.expect(
        until(page, text.format("tile-trouble") + " === '1'"), "the failed probe is not shown")
    report.expect(
        until(page, text.format("status") + ".startsWith('Running')"),
        "the sweep does not seem to run")
    page.value(click.format("[data-action=explain]"))
    told = text.format("explanation-text")
    report.expect(
        until(page, told + ".includes('it was given up')"), f"explained: {page.value(told)}")
    page.value("document.getElementById('explanation').close()")
    page.value("window.confirm = () => true")
    for key, wanted in (
        ("", "Enter the token"), ("wrong", "needs the token"), (token, "1 job given up")
    ):
        report.expect(process.poll() is None, f"the sweep ended before the token {key}")
        page.value(f"document.getElementById('key').value = {json.dumps(key)}")
        page.value(click.format("#sweep-acts [data-action=cancel]"))
        answer = text.format("answer")
        report.expect(
            until(page, f"{answer}.includes({json.dumps(wanted)})"),
            f"with the token {key!r}: {page.value(answer)}")
    try:
        report.expect(process.wait(timeout=30) == 1, f"it ended with {process.returncode}")
    except subprocess.TimeoutExpired:
        report.expect(False, "the sweep goes on though its last job was given up")
    report.expect(
        until(page, text.format("status") + ".includes('connection is lost')"),
        "the page does not notice the end")


def visit_live(arguments, report):
    with tempfile.TemporaryDirectory() as folder, browser.Browser(seconds=150) as chromium:
        process, address, token = start_probes(arguments, folder)
        try:
            check_live(chromium.open(address), token, process, report)
        finally:
            process.kill()
            process.wait()


# 80 cells, five seeds each, so small that a run takes a few hundredths of a second.
SMALL = """\
version: 1
name: small
data: { set: rooms10, train: 100, test: 50 }
methods: [clean, rand-s, rand-c, lsp]
models: [lenet5]
seeds: 5
training:
  epochs: 2
  batch: 20
  learningRate: [0.02, 0.05]
  momentum: [0, 0.9]
  weightDecay: [0, 1e-4, 5e-4, 1e-3, 5e-3]
sal: { every: 2, images: 20, batch: 20, steps: 2 }
compare: { baseline: vanilla }
"""
DONE = "Number(document.getElementById('tile-done').textContent.split(' of ')[0].replace(/\\D/g, ''))"


def visit_restart(arguments, report):
    """A sweep on its way: is killed, started again, and seen going on."""
    status = "document.getElementById('status').textContent"
    with tempfile.TemporaryDirectory() as folder, browser.Browser(seconds=240) as chromium:
        manifest = pathlib.Path(folder) / "small.yaml"
        manifest.write_text(SMALL)
        with LiveSweep(arguments.fathom, manifest, folder) as sweep:
            page = chromium.open(sweep.address)
            viewer = Viewer(sweep.port)
            report.expect(
                until(page, f"{status}.startsWith('Running') && {DONE} === 0"),
                f"before the first worker: {page.value(status)}")
            sweep.start_worker(slots=1)
            report.expect(until(page, f"{DONE} >= 40", 60), "nothing gets done on the page")
            left = page.value("document.getElementById('tile-left').textContent")
            report.expect(
                re.match(r"(over )?[0-9.]+ (ms|s|min)$", left), f"time left of a minute: {left}")
            sweep.kill_coordinator()
            report.expect(
                until(page, f"{status}.includes('connection is lost')"), "a kill is not noticed")
            before = page.value(DONE)
            sweep.start_coordinator()
            report.expect(
                until(page, f"{status}.includes('started 2 times')", 30),
                f"after a new start: {page.value(status)}")
            report.expect(until(page, f"{DONE} > {before}", 60), "it does not go on")
            report.expect(len(viewer.connected) == 2, "a plain reader did not come back")
            kinds = {kind for _, kind, _ in viewer.events}
            report.expect(
                {"figures", "cells", "board"} <= kinds, f"a plain reader heard {sorted(kinds)}")
            viewer.close()
            check_layout(page, report)
            stop(sweep)
            shown = argparse.Namespace(fathom=arguments.fathom, store=sweep.store)
            with Dashboard(shown) as dashboard:
                page = chromium.open(dashboard.address)
                report.expect(until(page, f"{DONE} > 0"), "a store left behind is not shown")
                check_figures(page, shown, report)


def stop(sweep):
    """Ends what computes, so that the store stands still."""
    for process in [*sweep.workers, sweep.coordinator]:
        process.terminate()
    for process in [*sweep.workers, sweep.coordinator]:
        process.wait(timeout=60)


def take_pictures(page, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, width, dark in (
        ("desktop", 1280, False), ("phone", PHONE, False), ("dark", 1280, True)
    ):
        page.resize(width)
        page.look(dark)
        page.picture(folder / f"dashboard-{name}.png")
    page.look(False)


def visit(arguments, report):
    with browser.Browser(seconds=180) as chromium:
        with Dashboard(arguments) as dashboard:
            page = chromium.open(dashboard.address)
            report.expect(
                until(page, "document.querySelectorAll('#kinds tr').length > 0"),
                "no progress is shown")
            check_figures(page, arguments, report)
            check_cells(page, report)
            check_layout(page, report)
            check_steering(page, report)
            if arguments.pictures:
                take_pictures(page, pathlib.Path(arguments.pictures))
            report.expect(not page.problems, f"the browser complains: {page.problems}")
            address, port = dashboard.address, dashboard.port
        lost = "document.getElementById('status').textContent.includes('connection is lost')"
        report.expect(until(page, lost), "the page does not say that the connection is lost")
        with Dashboard(arguments, port):
            report.expect(until(page, "!" + lost), "the page does not come back")
        foreign = [url for url in page.requests if not url.startswith((address, "data:"))]
        report.expect(not foreign, f"the page asks for {foreign}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fathom", required=True)
    parser.add_argument("--store", required=True)
    parser.add_argument("--pictures")
    arguments = parser.parse_args()
    if browser.find() is None:
        print("check_dashboard: skipped, there is no Chromium here")
        return 0
    report = Report()
    visit(arguments, report)
    visit_live(arguments, report)
    visit_restart(arguments, report)
    for failure in report.failures:
        print(f"check_dashboard: {failure}")
    print(f"check_dashboard: {report.count} checks, {len(report.failures)} failed")
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
