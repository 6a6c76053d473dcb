"""What a day's use of the AI providers comes to, and what is unusual about it. Pure: sums in, JSON-ready values out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from workers.tutoring.anomalies import Judgement, judged

TENTH = Decimal("0.1")
JUDGED = ("requests", "errors", "tokens", "p95_ms", "cost")
"""The figures that are compared with those of the days before."""


@dataclass(frozen=True, slots=True)
class Use:
    """One provider on one day. Latencies in ms, None where none was recorded; `cost` None: tokens without a price."""

    provider_id: int
    provider: str
    enabled: bool
    requests: int = 0
    errors: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    p50_ms: int | None = None
    p95_ms: int | None = None
    cost: Decimal | None = Decimal(0)

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the records of a day are worth: rows in all, and how many of them say too little or say it twice."""

    rows: int = 0
    duplicates: int = 0
    without_provider: int = 0
    without_tokens: int = 0
    without_latency: int = 0


@dataclass(frozen=True, slots=True)
class Anomaly:
    """A figure that is unusual, and the usual one."""

    provider: str
    metric: str
    judgement: Judgement

    def told(self) -> dict[str, Any]:
        found = asdict(self.judgement)
        found.pop("unusual")
        score = found.pop("score")
        return {"provider": self.provider, "metric": self.metric, **found,
                "score": None if score is None else round(score, 2)}  # fmt: skip


def percent(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    """One place, half up; None of nothing."""
    return (100 * Decimal(part) / Decimal(whole)).quantize(TENTH, ROUND_HALF_UP) if whole else None


def unusual(uses: Sequence[Use], history: Mapping[int, Mapping[str, Sequence[float]]]) -> list[Anomaly]:
    """`history` has by provider and figure the values of earlier days of the same kind, without those not known."""
    found = []
    for use in uses:
        for metric in JUDGED:
            value = getattr(use, metric)
            verdict = None if value is None else judged(float(value), history.get(use.provider_id, {}).get(metric, ()))
            if verdict is not None and verdict.unusual:
                found.append(Anomaly(use.provider, metric, verdict))
    return found


def told(use: Use, requests: int) -> dict[str, Any]:
    """A line of the report. Costs and percentages are text, because JSON numbers are not money."""
    return {
        "provider": use.provider,
        "requests": use.requests,
        "share_pct": text(percent(use.requests, requests)),
        "errors": use.errors,
        "error_pct": text(percent(use.errors, use.requests)),
        "input_tokens": use.input_tokens,
        "output_tokens": use.output_tokens,
        "p50_ms": use.p50_ms,
        "p95_ms": use.p95_ms,
        "cost": text(use.cost),
    }


def totals(uses: Sequence[Use]) -> dict[str, Any]:
    """Of all providers. Percentiles do not add up, so there are none; an unknown cost makes the sum a lower bound."""
    requests, errors = sum(u.requests for u in uses), sum(u.errors for u in uses)
    return {
        "requests": requests,
        "errors": errors,
        "error_pct": text(percent(errors, requests)),
        "input_tokens": sum(u.input_tokens for u in uses),
        "output_tokens": sum(u.output_tokens for u in uses),
        "cost": str(sum((u.cost for u in uses if u.cost is not None), Decimal(0))),
        "cost_is_complete": all(u.cost is not None for u in uses),
    }


def text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)
