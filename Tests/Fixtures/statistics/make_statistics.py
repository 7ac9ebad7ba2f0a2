"""Makes statistics.json: what SciPy and statsmodels give for the statistics in Sources/Core/Statistics.

    python3 make_statistics.py > statistics.json

Needs numpy, scipy and statsmodels; the versions that were used stand in the file. Everything but
`bootstrap` is exact to rounding. SciPy's bootstrap draws 200,000 resamples of its own: between two
percentile bootstraps lies the noise of the smaller one, so its tolerance is stated with it.
"""

import json
import sys

import numpy
import scipy
import statsmodels
from scipy import stats
from statsmodels.stats.multitest import multipletests

SEED = 20260801


def samples(rng):
    """Small sets as seeds give them: plain, skewed, tied, tiny and large in magnitude."""
    yield "accuracies", rng.normal(0.6, 0.05, 5)
    yield "two", rng.normal(1, 0.2, 2)
    yield "skewed", rng.exponential(1, 12)
    yield "tied", rng.integers(0, 4, 9) / 3
    yield "tiny", rng.normal(1e-9, 1e-10, 7)
    yield "large", rng.normal(1e9, 1, 6)


def describe(name, x):
    low, high = stats.t.interval(0.95, len(x) - 1, loc=x.mean(), scale=stats.sem(x))
    level = 0.05 / 3
    return {
        "name": name,
        "values": list(x),
        "mean": x.mean(),
        "deviation": x.std(ddof=1),
        "low": low,
        "high": high,
        "level": level,
        "upperBound": x.mean() + stats.t.ppf(1 - level, len(x) - 1) * stats.sem(x),
        "bound": float(x.mean() + 0.4 * x.std(ddof=1)),
        "pBelow": stats.ttest_1samp(
            x, x.mean() + 0.4 * x.std(ddof=1), alternative="less"
        ).pvalue,
    }


def pairs(rng):
    x = rng.normal(0, 1, 8)
    yield "related", x, x + rng.normal(0, 0.7, 8)
    yield "unrelated", rng.normal(0, 1, 15), rng.normal(0, 1, 15)
    yield "tied", rng.integers(0, 4, 14).astype(float), rng.integers(0, 3, 14).astype(float)
    yield "reversed", numpy.arange(6.0), -numpy.arange(6.0) ** 3
    yield "three", rng.normal(0, 1, 3), rng.normal(0, 1, 3)


def compare(name, x, y):
    test = stats.ttest_rel(x, y)
    interval = test.confidence_interval(0.95)
    return {
        "name": name,
        "left": list(x),
        "right": list(y),
        "pearson": stats.pearsonr(x, y).statistic,
        "spearman": stats.spearmanr(x, y).statistic,
        "kendall": stats.kendalltau(x, y, variant="b").statistic,
        "difference": float(numpy.mean(x - y)),
        "low": interval.low,
        "high": interval.high,
        "p": test.pvalue,
    }


def corrections(rng):
    for p in ([0.01, 0.04, 0.03, 0.005], [0.2], [0.5, 0.5, 0.9], list(rng.uniform(0, 0.1, 9))):
        adjusted = multipletests(p, method="holm")[1]
        yield {"values": list(p), "adjusted": list(adjusted)}


def ratio(numerators, denominators, axis=-1):
    return numerators.sum(axis=axis) / denominators.sum(axis=axis)


def bootstraps(rng):
    for name, count in (("five", 5), ("ten", 10), ("thirty", 30)):
        above = rng.integers(1, 12, count).astype(float)
        below = rng.integers(6, 12, count).astype(float)
        found = stats.bootstrap(
            (above, below), ratio, paired=True, vectorized=True, method="percentile",
            n_resamples=200_000, batch=20_000, rng=numpy.random.default_rng(SEED))
        # The noise of a quantile of 2,000 draws, from repeating that often.
        ends = numpy.array([
            stats.bootstrap(
                (above, below), ratio, paired=True, vectorized=True, method="percentile",
                n_resamples=2_000, rng=numpy.random.default_rng(SEED + 1 + i)).confidence_interval
            for i in range(50)])
        yield {
            "name": name,
            "numerators": list(above),
            "denominators": list(below),
            "low": found.confidence_interval.low,
            "high": found.confidence_interval.high,
            # Four deviations; one part in a thousand where the quantile is one value throughout.
            "lowTolerance": max(4 * ends[:, 0].std(), 1e-3),
            "highTolerance": max(4 * ends[:, 1].std(), 1e-3),
        }


def plain(value):
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return float(value) if isinstance(value, (float, numpy.floating)) else value


def main():
    rng = numpy.random.default_rng(SEED)
    made = {
        "generator": f"make_statistics.py, scipy {scipy.__version__}, numpy {numpy.__version__}, "
        f"statsmodels {statsmodels.__version__}, seed {SEED}",
        "relativeTolerance": 1e-11,
        "samples": [describe(name, x) for name, x in samples(rng)],
        "pairs": [compare(name, x, y) for name, x, y in pairs(rng)],
        "cumulative": [
            {"t": t, "degreesOfFreedom": d, "p": stats.t.cdf(t, d)}
            for d in (1, 2, 4, 9, 30, 500) for t in (-6.5, -2.1, -0.3, 0.0, 0.7, 3.2)
        ],
        "corrections": list(corrections(rng)),
        "bootstraps": list(bootstraps(rng)),
    }
    json.dump(plain(made), sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
