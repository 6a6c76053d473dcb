"""What a day's figures come to, what stands out, and what is recommended for it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.tutoring.usage_advice import UsageSettings, advice
from workers.tutoring.usage_figures import JUDGED, Recorded, Use, percent, told, totals, unusual

CALM = Use(1, "openai", True, 1000, 10, 500_000, 200_000, 400, 900, Decimal("1.5000"))
OTHER = Use(2, "groq", True, 900, 9, 450_000, 180_000, 300, 800, Decimal("1.2600"))
STEADY = {figure: [getattr(CALM, figure) * n / 100 for n in range(95, 105)] for figure in JUDGED if figure != "cost"}
BOUNDS = UsageSettings()

uses = st.builds(
    Use,
    provider_id=st.integers(1, 6),
    provider=st.sampled_from(["openai", "groq", "<script>alert(1)</script>"]),
    enabled=st.booleans(),
    requests=st.integers(0, 10**9),
    errors=st.integers(0, 10**9),
    input_tokens=st.integers(0, 10**12),
    output_tokens=st.integers(0, 10**12),
    p50_ms=st.none() | st.integers(0, 10**7),
    p95_ms=st.none() | st.integers(0, 10**7),
    cost=st.none() | st.decimals(0, 10**9, places=4),
)


def codes(*of: Use, recorded: Recorded | None = None) -> list[tuple[str, str | None]]:
    return [(a.code, a.provider) for a in advice(of, [], recorded or Recorded(2000), BOUNDS)]


def test_shares_are_rounded_once_and_of_nothing_there_are_none() -> None:
    line = told(CALM, 1900)
    assert (line["share_pct"], line["error_pct"], line["cost"]) == ("52.6", "1.0", "1.5000")
    assert percent(1, 800) == Decimal("0.1")
    assert percent(1, 2000) == Decimal("0.1")  # 0.05 goes up
    assert percent(0, 0) is None
    assert totals([])["error_pct"] is None


def test_an_unknown_cost_is_no_zero() -> None:
    total = totals([CALM, replace(OTHER, cost=None)])
    assert (total["cost"], total["cost_is_complete"]) == ("1.5000", False)
    assert told(replace(OTHER, cost=None), 10)["cost"] is None


def test_each_figure_is_judged_by_its_own_providers_history() -> None:
    spiking = replace(CALM, errors=400)
    (found,) = unusual([spiking, OTHER], {1: STEADY})
    assert found.told() | {"score": None} == {
        "provider": "openai", "metric": "errors", "value": 400.0, "baseline": 9.95, "score": None, "direction": "high",
    }  # fmt: skip
    assert unusual([spiking], {2: STEADY}) == []
    assert unusual([replace(CALM, p95_ms=None)], {1: STEADY}) == []
    (silent,) = unusual([replace(CALM, requests=0)], {1: {"requests": STEADY["requests"]}})
    assert silent.judgement.direction == "low"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"errors": 50}, "errors"),
        ({"p95_ms": 10_000}, "slow"),
        ({"requests": 100_000}, "concentrated"),
        ({"requests": 0, "errors": 0, "p50_ms": None, "p95_ms": None}, "idle"),
        ({"cost": None}, "unpriced"),
        ({"cost": Decimal(9), "p95_ms": 2000}, "dear"),
    ],
)
def test_each_bound_has_its_recommendation(changed: dict[str, object], code: str) -> None:
    assert codes(CALM, OTHER) == []
    assert (code, "openai") in codes(replace(CALM, **changed), OTHER)  # type: ignore[arg-type]


def test_the_dear_one_stays_where_it_is_quicker() -> None:
    assert codes(replace(CALM, cost=Decimal(9), p95_ms=100), OTHER) == []


def test_bad_records_are_told_from_one_in_a_hundred_on() -> None:
    assert codes(CALM, OTHER, recorded=Recorded(10_000, duplicates=94)) == []
    assert codes(CALM, OTHER, recorded=Recorded(2000, 20, 20, 20, 20)) == [
        ("duplicates", None), ("without_provider", None), ("without_tokens", None), ("without_latency", None),
    ]  # fmt: skip


@given(st.lists(uses, max_size=6), st.builds(Recorded, *[st.integers(0, 10**9)] * 5))
def test_no_figures_are_too_odd_to_report(of: list[Use], recorded: Recorded) -> None:
    found = unusual(of, dict.fromkeys(range(1, 7), STEADY))
    total = totals(of)
    assert total["requests"] == sum(use.requests for use in of)
    for use in of:
        assert told(use, total["requests"])["provider"] == use.provider
    for recommended in advice(of, found, recorded, BOUNDS):
        assert recommended.text.endswith(".")
