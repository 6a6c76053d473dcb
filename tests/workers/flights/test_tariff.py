"""The formulas against published figures, at the boundaries, and as properties."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.flights.builders import flight
from workers.flights import tariff
from workers.flights.charge import Exemption

weights = st.decimals(min_value="2.0", max_value="640.0", places=3)
distances = st.floats(min_value=0, max_value=20_000)


@pytest.mark.parametrize(
    ("mtow_t", "factor"),
    [("2", "0.20"), ("12.5", "0.50"), ("50", "1.00"), ("200", "2.00"), ("73.5", "1.21"), ("78.0", "1.25"),
     ("79.016", "1.26"), ("396.9", "2.82"), ("575", "3.39"), ("5.7", "0.34")],
)  # fmt: skip
def test_weight_factor_is_the_root_of_fiftieths_to_two_places(mtow_t: str, factor: str) -> None:
    assert tariff.weight_factor(Decimal(mtow_t)) == Decimal(factor)


@pytest.mark.parametrize(
    ("mtow_t", "units"),
    [("73.5", "1.31"), ("78.0", "1.37"), ("79.016", "1.38"), ("396.9", "4.26"), ("575", "5.53"), ("5.7", "0.22")],
)  # fmt: skip
def test_terminal_service_units_are_fiftieths_to_the_power_of_the_rate_card(mtow_t: str, units: str) -> None:
    assert tariff.terminal_service_units(Decimal(mtow_t), Decimal("0.7")) == Decimal(units)


def test_terminal_exponent_is_the_rate_cards() -> None:
    assert tariff.terminal_service_units(Decimal(200), Decimal("0.5")) == Decimal("2.00")


@pytest.mark.parametrize(
    ("km", "aerodromes", "factor"),
    [(0.0, 0, "0.00"), (100.0, 0, "1.00"), (0.5, 0, "0.01"), (0.4999, 0, "0.00"), (347.168, 0, "3.47"),
     (120.0, 1, "1.00"), (120.0, 2, "0.80"), (19.9, 1, "0.00"), (39.9, 2, "0.00"), (1138.5, 0, "11.39")],
)  # fmt: skip
def test_distance_factor_deducts_twenty_km_an_aerodrome_and_never_goes_below_zero(
    km: float, aerodromes: int, factor: str
) -> None:
    assert tariff.distance_factor(km, aerodromes) == Decimal(factor)


def test_money_is_rounded_half_up_and_once() -> None:
    assert tariff.half_up(Decimal("2.345"), 2) == Decimal("2.35")
    assert tariff.half_up(Decimal("2.335"), 2) == Decimal("2.34")
    # 0.05 * 0.10 * 1 = 0.005: rounding the service units first would give nothing
    assert tariff.enroute_amount(Decimal("0.05"), Decimal("0.10"), Decimal(1)) == Decimal("0.01")


def test_published_german_rate_for_a_hundred_km_of_a_320() -> None:
    assert tariff.enroute_amount(Decimal("1.00"), Decimal("1.25"), Decimal("73.04")) == Decimal("91.30")


@pytest.mark.parametrize(
    ("mtow_t", "exempt"), [("1.99", True), ("1.999", True), ("2.0", False), ("2.001", False), ("0.6", True)]
)
def test_under_two_tonnes_is_exempt_by_the_unrounded_weight(mtow_t: str, exempt: bool) -> None:
    assert (tariff.exempt_by_weight(Decimal(mtow_t)) is Exemption.BELOW_TWO_TONNES) is exempt


@pytest.mark.parametrize(
    ("rules", "handling", "exemption"),
    [("I", None, None), ("Y", None, None), ("Z", None, None), ("V", None, Exemption.VFR),
     ("I", "STATE", Exemption.STATE), ("I", "SAR", Exemption.SAR), ("V", "SAR", Exemption.SAR)],
)  # fmt: skip
def test_visual_state_and_rescue_flights_are_exempt(
    rules: str, handling: str | None, exemption: Exemption | None
) -> None:
    assert tariff.exempt_by_status(flight(flight_rules=rules, special_handling=handling)) is exemption


@given(st.integers(1, 10_000), st.integers(1, 50))
def test_distance_factor_is_linear_before_rounding(hectometres: int, times: int) -> None:
    km = hectometres * 1.0
    assert tariff.distance_factor(km * times, 0) == tariff.distance_factor(km, 0) * times


@given(weights)
def test_four_times_the_weight_is_twice_the_factor(mtow_t: Decimal) -> None:
    tenths = tariff.half_up(mtow_t, 1)
    assert abs(tariff.weight_factor(tenths * 4) - 2 * tariff.weight_factor(tenths)) <= Decimal("0.01")


@given(distances, distances, weights, weights)
def test_further_and_heavier_never_costs_less(km1: float, km2: float, t1: Decimal, t2: Decimal) -> None:
    def amount(km: float, mtow_t: Decimal) -> Decimal:
        return tariff.enroute_amount(tariff.distance_factor(km, 1), tariff.weight_factor(mtow_t), Decimal("73.04"))

    assert amount(min(km1, km2), min(t1, t2)) <= amount(max(km1, km2), max(t1, t2))
