"""Which figures are unusual, judged by the figures before them. Pure.

Robust z-scores: Iglewicz and Hoaglin, How to Detect and Handle Outliers (1993); NIST/SEMATECH e-Handbook, 1.3.5.17.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Literal

LEAST_HISTORY = 8
UNUSUAL = 3.5
"""A score beyond this, in either direction, is unusual."""

OF_MAD = 0.6745
"""The median absolute deviation of a normal distribution, in standard deviations."""
OF_MEAN_AD = 1.253314
"""A standard deviation of a normal distribution, in mean absolute deviations."""

LEAST_SHARE, LEAST_UNITS = 0.2, 5
"""Where all figures before were the same: how far from them is unusual. Both must be exceeded."""

Direction = Literal["high", "low", "none"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """`baseline` is the median of the history, in the figure's own unit; `score` None where nothing ever varied."""

    value: float
    baseline: float
    score: float | None
    direction: Direction
    unusual: bool


def judged(value: float, history: Sequence[float]) -> Judgement | None:
    """`value` against `history`, which does not contain it; None while there are fewer than eight figures."""
    if len(history) < LEAST_HISTORY:
        return None
    baseline = median(history)
    deviations = [abs(before - baseline) for before in history]
    away = value - baseline
    score: float | None
    if (mad := median(deviations)) > 0:
        score = OF_MAD * away / mad
    elif (mean_ad := fmean(deviations)) > 0:
        score = away / (OF_MEAN_AD * mean_ad)
    else:
        score = None
    unusual = stands_out(away, baseline) if score is None else abs(score) > UNUSUAL
    return Judgement(value, baseline, score, "high" if away > 0 else "low" if away < 0 else "none", unusual)


def stands_out(away: float, baseline: float) -> bool:
    """Of a series that never varied, so that there is no spread to measure by."""
    return abs(away) > LEAST_SHARE * abs(baseline) and abs(away) > LEAST_UNITS
