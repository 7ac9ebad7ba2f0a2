"""Watches a large sweep live, with real processes, and says what the dashboard takes and gives.

    bench_dashboard.py --fathom BINARY --folder FOLDER [--manifest MANIFEST] [--pictures FOLDER]
        [--viewers N] [--seconds S] [--rounds N]

A coordinator with a dashboard and a worker of two slots compute the manifest (by default
Benchmarks/live.yaml: 10,000 runs). In rounds of `--seconds` each nobody looks, then `--viewers`
live pages and one visitor who asks for everything in turn. Then the coordinator is killed and
started again under the eyes of the pages and, where there is one, of a Chromium, which also takes
pictures at two widths. Prints one JSON object. The sweep is left to run on until all is done.
"""
import argparse
import json
import os
import pathlib
import statistics
import time

import browser
from live_sweep import LiveSweep, Viewer, ask

ROOT = pathlib.Path(__file__).resolve().parent.parent
# A dashboard whose store was just registered shows something after so long at most.
SECONDS_TO_SHOW = 120


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fathom", required=True)
    parser.add_argument("--folder", required=True, help="where the store lies; must be new")
    parser.add_argument("--manifest", default=ROOT / "Benchmarks/live.yaml")
    parser.add_argument("--pictures")
    parser.add_argument("--viewers", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    if os.path.exists(arguments.folder):
        raise SystemExit(f"bench_dashboard: {arguments.folder} is there already")
    start = time.monotonic()
    with LiveSweep(arguments.fathom, arguments.manifest, arguments.folder) as sweep:
        found = {"seconds_until_dashboard": round(time.monotonic() - start, 2)}
        await_news(sweep)
        found["seconds_until_first_figures"] = round(time.monotonic() - start, 2)
        sweep.start_worker()
        keys = [row["key"] for row in sweep.query("SELECT key FROM job LIMIT 200")]
        rounds = watch(sweep, keys, arguments, found)
        found["restart"] = restart(sweep, arguments)
        found["seconds_of_the_rest"] = wait_for_end(sweep)
        found["jobs_a_second"] = rates(sweep, rounds)
    found["seconds"] = round(time.monotonic() - start, 1)
    print(json.dumps(found, indent=2))


def await_news(sweep):
    end = time.monotonic() + SECONDS_TO_SHOW
    while time.monotonic() < end:
        try:
            if ask(sweep.port, "/api/latest")[1] == 200:
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise SystemExit("bench_dashboard: no figures came")


def paths(keys, turn):
    """What a visitor asks for, in turn."""
    return [
        ("page", "/"), ("latest", "/api/latest"), ("cells", "/api/cells"),
        ("cells, searched", "/api/cells?search=lsp%20cosine&order=done"),
        ("cells, sorted", f"/api/cells?order=problems&offset={turn * 100 % 2000}"),
        ("board, searched", f"/api/board?search=cosine&offset={turn * 12 % 200}"),
        ("explain", "/api/explain?job=" + keys[turn % len(keys)]),
    ]


def watch(sweep, keys, arguments, found):
    """Rounds without and with visitors; when each began and ended, by the clock of the store."""
    times, rounds, events = {}, [], []
    memory = {"alone": [], "watched": []}
    threads = {"alone": [], "watched": []}
    for turn in range(arguments.rounds):
        for name in ("alone", "watched"):
            viewers = []
            if name == "watched":
                viewers = [Viewer(sweep.port) for _ in range(arguments.viewers)]
            before, began = processor_seconds(sweep.coordinator.pid), time.time()
            if viewers:
                visit(sweep, keys, turn, arguments.seconds, times)
            else:
                time.sleep(arguments.seconds)
            after, ended = processor_seconds(sweep.coordinator.pid), time.time()
            rounds.append((name, began, ended))
            memory[name].append(resident(sweep.coordinator.pid))
            threads[name].append({
                key: (after[key] - before.get(key, 0)) / (ended - began) for key in after})
            for viewer in viewers:
                viewer.close()
            events += [viewer.events for viewer in viewers]
    found["answers_ms"] = {
        name: {
            "p50": percentile(taken, 0.5), "p95": percentile(taken, 0.95), "max": max(taken),
            "n": len(taken), "bytes": sizes[-1],
        } for name, (taken, sizes) in times.items()}
    found["events"] = events_told(events, arguments.seconds)
    found["coordinator_MB"] = {name: max(sizes) for name, sizes in memory.items()}
    found["coordinator_cores"] = {name: mean_cores(shares) for name, shares in threads.items()}
    return rounds


def visit(sweep, keys, turn, seconds, times):
    """Asks for everything in turn, ten times a second."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        turn += 1
        for name, path in paths(keys, turn):
            taken, status, size = ask(sweep.port, path)
            if status != 200:
                raise SystemExit(f"bench_dashboard: {path} answers {status}")
            entry = times.setdefault(name, ([], []))
            entry[0].append(round(taken * 1000, 2))
            entry[1].append(size)
            time.sleep(0.1)


def events_told(pages, seconds):
    told = {}
    for kind in ("figures", "cells", "board"):
        sizes = sorted(size for events in pages for _, k, size in events if k == kind) or [0]
        told[kind] = {
            "a_page_and_second": round(len(sizes) / len(pages) / seconds, 2),
            "bytes_median": sizes[len(sizes) // 2], "bytes_max": sizes[-1],
        }
    told["bytes_a_page_and_second"] = round(
        statistics.mean(sum(e[2] for e in events) for events in pages) / seconds)
    return told


def restart(sweep, arguments):
    """Kills the coordinator under the eyes of pages, starts it again, and looks at them."""
    viewers = [Viewer(sweep.port) for _ in range(4)]
    chromium = browser.Browser(seconds=600) if browser.find() else None
    try:
        page = chromium.open(sweep.address) if chromium else None
        if page:
            await_true(page, "document.querySelectorAll('#kinds tr').length > 0")
        picture(page, arguments, "running")
        killed = time.monotonic()
        sweep.kill_coordinator()
        if page:
            await_true(page, f"{STATUS}.includes('connection is lost')")
        began = time.monotonic()
        sweep.start_coordinator()
        told = {"seconds_until_dashboard": round(time.monotonic() - began, 2)}
        end = time.monotonic() + 60
        while time.monotonic() < end and any(
            not [t for t, kind, _ in viewer.events if kind == "figures" and t > began]
            for viewer in viewers
        ):
            time.sleep(0.02)
        told["seconds_until_all_pages_have_news"] = round(time.monotonic() - began, 2)
        if page:
            told["browser_is_back"] = await_true(page, f"{STATUS}.includes('started 2 times')")
            told["browser_away_seconds"] = round(time.monotonic() - killed, 2)
            told["browser_problems"] = [p for p in page.problems if "net::ERR" not in p]
        picture(page, arguments, "back")
        return told
    finally:
        for viewer in viewers:
            viewer.close()
        if chromium:
            chromium.__exit__()


STATUS = "document.getElementById('status').textContent"


def await_true(page, script, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if page.value(script):
            return True
        time.sleep(0.05)
    return False


def picture(page, arguments, name):
    if not page or not arguments.pictures:
        return
    folder = pathlib.Path(arguments.pictures)
    folder.mkdir(parents=True, exist_ok=True)
    for width in (1280, 390):
        page.resize(width)
        page.picture(folder / f"{name}-{width}.png")
    page.resize(1280)


def wait_for_end(sweep):
    start = time.monotonic()
    while sweep.coordinator.poll() is None:
        time.sleep(0.2)
    if sweep.coordinator.returncode != 0:
        raise SystemExit(f"bench_dashboard: the sweep ended with {sweep.coordinator.returncode}")
    return round(time.monotonic() - start, 1)


def rates(sweep, rounds):
    """Jobs that ended a second in every round, from the store, which nobody was asked for."""
    told = {"alone": [], "watched": []}
    for name, began, ended in rounds:
        row = sweep.query(
            "SELECT count(*) AS n FROM attempt WHERE state = 'accepted' AND endedAt BETWEEN "
            f"{int(began * 1e6)} AND {int(ended * 1e6)}")[0]
        told[name].append(round(row["n"] / (ended - began), 1))
    return told


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def resident(process):
    text = pathlib.Path(f"/proc/{process}/status").read_text()
    return round(int(text.split("VmRSS:")[1].split()[0]) / 1024, 1)


def processor_seconds(process):
    """By name of thread."""
    found = {}
    for task in pathlib.Path(f"/proc/{process}/task").iterdir():
        try:
            text = (task / "stat").read_text()
        except OSError:
            continue
        name = text[text.index("(") + 1:text.rindex(")")]
        fields = text[text.rindex(")") + 2:].split()
        ticks = int(fields[11]) + int(fields[12])
        found[name] = found.get(name, 0) + ticks / os.sysconf("SC_CLK_TCK")
    return found


def mean_cores(shares):
    """Cores that threads took, by name; those that took a hundredth or more."""
    names = {name for share in shares for name in share}
    means = {n: statistics.mean(share.get(n, 0) for share in shares) for n in sorted(names)}
    told = {name: round(value, 3) for name, value in means.items() if value >= 0.01}
    return {**told, "all": round(sum(means.values()), 3)}


if __name__ == "__main__":
    main()
