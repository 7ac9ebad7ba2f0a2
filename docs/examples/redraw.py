"""Loads what `fathom export` wrote with pandas and draws UD beside accuracy, and learning by epoch.

    fathom export quickstart.fathom.sqlite --out export
    python3 docs/examples/redraw.py export figure.png

Needs pandas and matplotlib. Every file is checked against the manifest's digest first.
"""

import hashlib
import json
import pathlib
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd


def check(folder):
    """Stops where a file is not the one that was exported."""
    manifest = json.loads((folder / "manifest.json").read_text())
    for entry in manifest["files"]:
        data = (folder / entry["path"]).read_bytes()
        if hashlib.sha256(data).hexdigest() != entry["sha256"]:
            sys.exit(f"{entry['path']} is not what was exported")
    return manifest


def first_group(board):
    """Rows that may be compared: those of one data set, task, model, defense and settings."""
    keys = ["dataSet", "task", "model", "defense", "settings"]
    board = board.assign(settings=board["settings"].astype("object").fillna(""))
    return next(iter(board.groupby(keys, sort=False)))


def draw_scatter(axes, rows):
    """UD against the task's metric, intervals of both, and the band of the controls."""
    band = rows.dropna(subset=["controlLow"])
    if not band.empty:
        axes.axhspan(band["controlLow"].iloc[0], band["controlHigh"].iloc[0], color="0.88",
                     label="controls, 95 %")
    looks = {"method": ("o", "#0072B2"), "control": ("s", "#999999"), "clean": ("D", "#009E73")}
    for role, (marker, color) in looks.items():
        part = rows[(rows["role"] == role) & rows["ud"].notna()]
        if part.empty:
            continue
        spread = [(part["ud"] - part["udLow"]).clip(lower=0), (part["udHigh"] - part["ud"]).clip(lower=0)]
        axes.errorbar(part["metric"], part["ud"], yerr=spread, xerr=part["metricDeviation"],
                      fmt=marker, color=color, capsize=3, label=role)
        for _, row in part.iterrows():
            axes.annotate(row["method"], (row["metric"], row["ud"]), xytext=(6, 4),
                          textcoords="offset points", fontsize=8)
    axes.axhline(1, color="0.5", linewidth=0.8)
    axes.set_xlabel(f"{rows['metricName'].iloc[0]} on clean test images")
    axes.set_ylabel("UD (95 % over seeds)")
    axes.legend(fontsize=8, frameon=False)


def learnable(folder, run, beta):
    """The number of learnable layers after each measured epoch of one run."""
    matrix = np.load(folder / "results" / "sal" / run["file"])
    return pd.Series((matrix > beta).sum(axis=1), index=[int(e) for e in run["epochs"].split()])


def draw_epochs(axes, folder, rows):
    """Learnable layers by epoch, mean over seeds, each seed judged by its own threshold."""
    runs = pd.read_csv(folder / "results" / "sal" / "index.csv", dtype={"epochs": str})
    scores = pd.read_csv(folder / "results" / "udScore.csv")
    rule, baseline = rows["rule"].iloc[0], rows["baseline"].iloc[0]
    scores = scores[(scores["rule"] == rule) & (scores["countKind"] == "layers")
                    & (scores["baseline"] == baseline) & scores["seed"].notna()]
    for _, row in rows.iterrows():
        lines = []
        for _, run in runs[runs["cell"] == row["cell"]].iterrows():
            beta = scores[(scores["cell"] == row["cell"]) & (scores["seed"] == run["seed"])]["beta"]
            if len(beta) and not np.isnan(beta.iloc[0]):
                lines.append(learnable(folder, run, beta.iloc[0]))
        if lines:
            mean = pd.concat(lines, axis=1).mean(axis=1)
            style = "-" if row["role"] == "method" else "--"
            axes.plot(mean.index, mean, style, label=row["method"])
    axes.set_xlabel("epoch")
    axes.set_ylabel(f"learnable layers (threshold {rule})")
    axes.legend(fontsize=8, frameon=False)


def main():
    folder, picture = pathlib.Path(sys.argv[1]), sys.argv[2]
    manifest = check(folder)
    (dataset, task, model, *_), rows = first_group(
        pd.read_csv(folder / "results" / "leaderboard.csv"))
    figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    draw_scatter(axes[0], rows)
    draw_epochs(axes[1], folder, rows)
    figure.suptitle(f"{manifest['sweep']}: {dataset}, {task}, {model}")
    figure.savefig(picture, dpi=110)
    print(rows[["method", "role", "ud", "udLow", "udHigh", "metric", "damage"]].to_string(index=False))


if __name__ == "__main__":
    main()
