"""Checks the quickstart's leaderboards against what the science says they must show.

    check_quickstart.py LEADERBOARD.json

For each task: clean training scores UD 1 by definition and learns; noise of the same size leaves
its metric nearly as it is; every row says what is lost and whether its UD can be believed, or why
it cannot tell. For the class: ops takes nearly all of the accuracy. What lsp and rand-c do here, and
what a class-keyed poison does to normals, is told, not claimed. Exit status 1 when a claim does not hold.
"""
import json
import sys

METHODS = ("clean", "rand-s", "rand-c", "lsp", "ops")
ACCURACY_CLEAN_MIN = 0.50
SHORTCUT_DROP_MIN = 0.30
# Of what clean training gains over chance.
RANDOM_NOISE_DAMAGE_MAX = 0.25


def number(row, key):
    """The row's value, or NaN, with which no comparison holds."""
    value = row.get(key)
    return float(value) if isinstance(value, (int, float)) else float("nan")


def of_task(rows, task):
    """Yields what must hold of one task, as (holds, sentence)."""
    by_method = {row.get("method"): row for row in rows if row.get("task") == task}
    missing = [name for name in METHODS if name not in by_method]
    yield not missing, f"{task}: all methods are listed (missing: {missing or 'none'})"
    if missing:
        return
    clean, noise = by_method["clean"], by_method["rand-s"]
    metric, chance = number(clean, "metric"), number(clean, "chance")
    yield number(clean, "ud") == 1, f"{task}: UD of clean is exactly 1: {clean.get('ud')}"
    gain = metric - chance
    better = gain > 0 if task == "cls" else gain < 0
    yield better, f"{task}: clean training ({metric:.3f}) beats chance ({chance:.3f})"
    lost = (metric - number(noise, "metric")) / gain if gain else float("nan")
    yield (
        abs(lost) <= RANDOM_NOISE_DAMAGE_MAX,
        f"{task}: rand-s loses {lost:.3f} of the gain, within {RANDOM_NOISE_DAMAGE_MAX} of none",
    )
    for name in METHODS:
        row = by_method[name]
        told = row.get("damage") is not None or row.get("damageReason")
        yield bool(told), f"{task}, {name}: damage {row.get('damage')}, or the reason for none"
    judged = {row.get("calibrated") for row in by_method.values()}
    yield len(judged) == 1, f"{task}: one verdict on UD: calibrated is {judged}"


def claims(rows):
    """Yields what must hold, as (holds, sentence)."""
    for task in ("cls", "normal"):
        yield from of_task(rows, task)
    accuracy = {
        row.get("method"): number(row, "metric") for row in rows if row.get("task") == "cls"
    }
    clean = accuracy.get("clean", float("nan"))
    yield clean > ACCURACY_CLEAN_MIN, f"clean accuracy {clean:.3f} > {ACCURACY_CLEAN_MIN}"
    poisoned = accuracy.get("ops", float("nan"))
    yield (
        clean - poisoned >= SHORTCUT_DROP_MIN,
        f"ops accuracy {poisoned:.3f} is at least {SHORTCUT_DROP_MIN} below clean",
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
