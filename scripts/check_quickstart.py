"""Checks the quickstart's leaderboard against what the science says it must show.

    check_quickstart.py LEADERBOARD.json

Clean training scores UD 1 by definition and learns; noise of the same size leaves accuracy as it
is; the two shortcuts, lsp and ops, take much of it. Exit status 1 when a claim does not hold.
"""
import json
import sys

ACCURACY_CLEAN_MIN = 0.70
RANDOM_NOISE_MAX = 0.05
SHORTCUT_DROP_MIN = 0.15


def number(row, key):
    """The row's value, or NaN, with which no comparison holds."""
    value = row.get(key)
    return float(value) if isinstance(value, (int, float)) else float("nan")


def claims(rows):
    """Yields what must hold, as (holds, sentence)."""
    by_method = {row.get("method"): row for row in rows}
    missing = [name for name in ("clean", "rand-s", "lsp", "ops") if name not in by_method]
    yield not missing, f"clean, rand-s, lsp and ops are listed (missing: {missing or 'none'})"
    if missing:
        return
    clean = by_method["clean"]
    accuracy, ud = number(clean, "metric"), number(clean, "ud")
    yield ud == 1, f"UD of clean is exactly 1: {ud}"
    yield accuracy > ACCURACY_CLEAN_MIN, f"clean accuracy {accuracy:.3f} > {ACCURACY_CLEAN_MIN}"
    random = number(by_method["rand-s"], "metric")
    yield (
        abs(random - accuracy) <= RANDOM_NOISE_MAX,
        f"rand-s accuracy {random:.3f} is within {RANDOM_NOISE_MAX} of clean",
    )
    for name in ("lsp", "ops"):
        poisoned = number(by_method[name], "metric")
        yield (
            accuracy - poisoned >= SHORTCUT_DROP_MIN,
            f"{name} accuracy {poisoned:.3f} is at least {SHORTCUT_DROP_MIN} below clean",
        )


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        rows = json.load(file)
    failed = 0
    for holds, sentence in claims(rows):
        print("ok   " if holds else "FAIL ", sentence)
        failed += not holds
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
