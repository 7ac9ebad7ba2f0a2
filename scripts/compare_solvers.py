#!/usr/bin/env python3
"""Holds every solver of a sweep against `reference`, on all layers of the same checkpoints.

    compare_solvers.py STORE

A line for each solver and checkpoint: in how many layers it reaches 0.95 of the reference's SAL, the least, median
and largest ratio, in how many `SAL > beta` flips, each solver with the two-means threshold of its own clean
run at that epoch. Needs Python alone.
"""
import collections
import sqlite3
import statistics
import sys


def threshold(values):
    """Midpoint between the means of the two clusters with the least squared deviations."""
    values = sorted(values)
    best = None
    for cut in range(1, len(values)):
        low, high = statistics.fmean(values[:cut]), statistics.fmean(values[cut:])
        spread = sum((v - low) ** 2 for v in values[:cut]) + sum((v - high) ** 2 for v in values[cut:])
        if best is None or spread < best[0]:
            best = (spread, (low + high) / 2)
    return best[1]


def read(path):
    """{(solver, epoch): {(method, layer): sal}}"""
    store = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    rows = store.execute(
        "SELECT l.settings, m.method, m.epoch, m.layer, m.sal FROM salMatrix m"
        " JOIN leaderboard l USING (sweep, cell) WHERE m.sal IS NOT NULL")
    found = collections.defaultdict(dict)
    for settings, method, epoch, layer, value in rows:
        found[settings, epoch][method.split(" (")[0], layer] = value
    return found


def compare(value, reference):
    methods = sorted({method for method, _ in reference})
    beta = {name: threshold([v for (m, _), v in table.items() if m == "clean"])
            for name, table in (("value", value), ("reference", reference))}
    for method in methods:
        keys = [k for k in reference if k[0] == method]
        ratios = sorted(value[k] / reference[k] for k in keys if reference[k] > 0)
        reached = sum(value[k] >= 0.95 * reference[k] for k in keys)
        flips = sum((value[k] > beta["value"]) != (reference[k] > beta["reference"]) for k in keys)
        yield method, len(keys), reached, ratios[0], statistics.median(ratios), ratios[-1], flips


def main():
    found = read(sys.argv[1])
    references = {epoch: table for (settings, epoch), table in found.items() if "reference" in settings}
    if not references:
        sys.exit("compare_solvers: no cell of this store was measured by solver `reference`")
    print("solver | epoch | method | layers | at 0.95 | least | median | largest | flips")
    total = collections.defaultdict(collections.Counter)
    for (settings, epoch), table in sorted(found.items()):
        if "reference" in settings:
            continue
        for method, layers, reached, least, middle, most, flips in compare(table, references[epoch]):
            print(f"{settings} | {epoch} | {method} | {layers} | {reached} | {least:.2f} | {middle:.2f} | {most:.2f} | {flips}")
            total[settings].update(layers=layers, reached=reached, flips=flips)
    print("\nall checkpoints")
    for settings, sums in sorted(total.items(), key=lambda item: -item[1]["reached"]):
        print(f"{settings} | {sums['reached']} of {sums['layers']} at 0.95 | {sums['flips']} flips")


if __name__ == "__main__":
    main()
