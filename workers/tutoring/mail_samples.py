"""Samples of this suite's mails for `sexton preview-mail`: a school's providers on one made-up day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from daemon import mail_sample
from workers.tutoring import health_check, provider_watch, usage_analysis
from workers.tutoring.failover import Judged, State
from workers.tutoring.provider_watch import Transition
from workers.tutoring.settings import Settings
from workers.tutoring.usage_advice import advice
from workers.tutoring.usage_figures import Recorded, Use, told, totals, unusual

DAY = date(2026, 11, 24)
AT = datetime(2026, 11, 24, 14, 5, tzinfo=UTC)
USES = (
    Use(1, "openai", True, 4210, 38, 6_310_400, 1_842_900, 820, 3410, Decimal("34.2045")),
    Use(2, "anthropic", True, 1877, 131, 2_905_300, 1_210_750, 940, 4120, Decimal("26.8772")),
    Use(3, "mistral", True, 402, 2, 510_200, 160_480, 610, 1980, None),
)


@mail_sample("alert")
def health_news(_settings: Settings) -> Mapping[str, Any]:
    row = {"started_at": AT - timedelta(minutes=10), "failures": 3}
    return health_check.incident("mistral is down: HTTP 503 after 10.0 s", row, AT)


@mail_sample("alert")
def provider_alert(_settings: Settings) -> Mapping[str, Any]:
    until = AT + timedelta(minutes=23)
    judged = Judged(State.FAILOVER, Fraction(97, 100), until, "97 % of its tokens per minute used")
    return provider_watch.facts(Transition(1, "openai", State.WARN, judged), "anthropic", AT)


@mail_sample("alert")
def no_provider(_settings: Settings) -> Mapping[str, Any]:
    return provider_watch.nobody_left(AT + timedelta(minutes=23), AT)


@mail_sample(keyed=("compared_with_days",))
def usage_report(settings: Settings) -> Mapping[str, Any]:
    history = {2: {"errors": [float(9 + n * 5 % 7) for n in range(14)]}}
    anomalies = unusual(USES, history)
    recorded = Recorded(rows=6489, duplicates=0)
    total = totals(USES)
    days = [DAY - timedelta(days=n) for n in reversed(range(usage_analysis.HISTORY_LENGTH))]
    return usage_analysis.letter({
        "day": DAY.isoformat(),
        "total": total,
        "providers": [told(use, total["requests"]) for use in USES],
        "anomalies": [anomaly.told() for anomaly in anomalies],
        "recommendations": [asdict(found) for found in advice(USES, anomalies, recorded, settings.usage)],
        "recorded": asdict(recorded),
        "compared_with_days": {use.provider: 14 for use in USES},
        "trend": [
            {"day": day.isoformat(), "requests": 5600 + n * 31 % 9 * 140, "errors": 40 + n * 17 % 5 * 9}
            for n, day in enumerate(days)
        ],
    })  # fmt: skip
