"""What to do about a day's figures, in sentences. Pure; the bounds are settings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field

from workers.tutoring.usage_figures import Anomaly, Recorded, Use, percent

ENOUGH_REQUESTS = 20
"""Fewer say nothing about how a provider does."""
WORTH_A_SWITCH = 2
"""So many times the price of another that is as quick."""


class UsageSettings(BaseModel):
    """`[suite.tutoring.usage]`: from where on the daily report recommends something."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    error_pct: Decimal = Field(default=Decimal(5), gt=0, le=100)
    slow_ms: int = Field(default=10_000, gt=0)
    """Of the 95th percentile."""
    share_pct: Decimal = Field(default=Decimal(80), gt=50, le=100)
    """Of all requests, by one provider, while others are enabled."""
    bad_rows_pct: Decimal = Field(default=Decimal(1), gt=0, le=100)


@dataclass(frozen=True, slots=True)
class Advice:
    """`code` is for machines, and stays; `provider` None where it is about all of them."""

    code: str
    provider: str | None
    text: str


def advice(
    uses: Sequence[Use], anomalies: Sequence[Anomaly], recorded: Recorded, bounds: UsageSettings
) -> list[Advice]:
    """The most urgent first."""
    return [
        *of_errors(uses, bounds), *of_latency(uses, bounds), *of_anomalies(anomalies), *of_shares(uses, bounds),
        *of_prices(uses), *of_records(recorded, bounds),
    ]  # fmt: skip


def of_errors(uses: Sequence[Use], bounds: UsageSettings) -> Iterator[Advice]:
    for use in uses:
        share = percent(use.errors, use.requests)
        if share is not None and use.requests >= ENOUGH_REQUESTS and share >= bounds.error_pct:
            yield Advice(
                "errors", use.provider,
                f"{share} % of the requests to {use.provider} failed: look at its incidents, and move it down the "
                "chain if they go on.",
            )  # fmt: skip


def of_latency(uses: Sequence[Use], bounds: UsageSettings) -> Iterator[Advice]:
    for use in uses:
        if use.p95_ms is not None and use.requests >= ENOUGH_REQUESTS and use.p95_ms >= bounds.slow_ms:
            yield Advice(
                "slow", use.provider,
                f"One request in twenty to {use.provider} took {use.p95_ms / 1000:.1f} s or longer: use a smaller "
                "model, or another provider first.",
            )  # fmt: skip


def of_anomalies(anomalies: Sequence[Anomaly]) -> Iterator[Advice]:
    for found in anomalies:
        seen = found.judgement
        said = f"unusually {seen.direction}: {seen.value:g}, usually {seen.baseline:g}"
        yield Advice("unusual", found.provider, f"{found.metric} of {found.provider} is {said}.")


def of_shares(uses: Sequence[Use], bounds: UsageSettings) -> Iterator[Advice]:
    requests = sum(use.requests for use in uses)
    if requests < ENOUGH_REQUESTS or sum(use.enabled for use in uses) < 2:
        return
    for use in uses:
        share = percent(use.requests, requests)
        if share is not None and share >= bounds.share_pct:
            yield Advice(
                "concentrated", use.provider,
                f"{use.provider} answered {share} % of all requests: see that the next of the chain can carry them.",
            )  # fmt: skip
        elif not use.requests and use.enabled:
            yield Advice("idle", use.provider, f"{use.provider} is enabled, and nothing was asked of it.")


def of_prices(uses: Sequence[Use]) -> Iterator[Advice]:
    for use in uses:
        if use.cost is None:
            yield Advice(
                "unpriced", use.provider, f"{use.provider} has no price for that day: add one to tutoring.ai_price."
            )
    priced = [(per_million(use), use) for use in uses if use.cost and use.tokens and use.requests >= ENOUGH_REQUESTS]
    for price, use in priced:
        cheaper = [
            (other_price, other) for other_price, other in priced
            if price >= WORTH_A_SWITCH * other_price and is_as_quick(other, use)
        ]  # fmt: skip
        if cheaper:
            best_price, best = min(cheaper, key=lambda found: found[0])
            yield Advice(
                "dear", use.provider,
                f"A million tokens cost {price:.2f} with {use.provider} and {best_price:.2f} with {best.provider}, "
                "which is as quick: put that first where its answers are good enough.",
            )  # fmt: skip


def per_million(use: Use) -> Decimal:
    return (use.cost or Decimal(0)) * 1_000_000 / use.tokens


def is_as_quick(other: Use, use: Use) -> bool:
    return other.p95_ms is not None and use.p95_ms is not None and other.p95_ms <= use.p95_ms


def of_records(recorded: Recorded, bounds: UsageSettings) -> Iterator[Advice]:
    for code, rows, said in (
        ("duplicates", recorded.duplicates, "are there twice; each was counted once"),
        ("without_provider", recorded.without_provider, "name no provider, and are in nobody's figures"),
        ("without_tokens", recorded.without_tokens, "have no tokens, so costs are too low"),
        ("without_latency", recorded.without_latency, "have no latency, and are not in the percentiles"),
    ):
        share = percent(rows, recorded.rows)
        if share is not None and share >= bounds.bad_rows_pct:
            yield Advice(code, None, f"{share} % of the usage records {said}: look at what writes tutoring.api_usage.")
