"""Which records a rating inserts, keeps and supersedes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from tests.workers.flights.builders import SERVICE_ON, box, flight, line, rate_card, zones
from workers.flights.charge import Rated
from workers.flights.flight_records import CHARGE_COLUMNS, Changes, Live, changes, charge_rows, record_columns
from workers.flights.rate_flight import CALC_VERSION
from workers.flights.rates import RateCard
from workers.flights.rating import rate
from workers.flights.report import Report

WORLD = zones(AAAA=("A", box(0, 40, 5, 50)), BBBB=("B", box(5, 40, 10, 50)))
IN_TWO = rate_card(("A", "ENROUTE", "100", "EUR"), ("B", "ENROUTE", "80", "GBP"))
IN_ONE = rate_card(("A", "ENROUTE", "100", "EUR"), ("B", "ENROUTE", "80", "EUR"))


def report(rates: RateCard = IN_TWO, flight_id: int = 5, **facts: object) -> Report:
    outcome = rate(flight(**facts), line(45, -1, 11), WORLD, rates)
    return Report(flight_id=flight_id, outcome=outcome, customer_id=7, service_on=SERVICE_ON)


def live(found: Report, first_id: int = 1) -> list[Live]:
    assert isinstance(found.outcome, Rated)
    return [
        Live(i, found.flight_id, 7, SERVICE_ON, r.currency, r.digest(CALC_VERSION))
        for i, r in enumerate(found.outcome.records, first_id)
    ]


def said(found: Changes) -> tuple[list[tuple[int, int, str]], dict[int, int]]:
    return [(n.id, n.flight_id, n.record.currency) for n in found.records], found.superseded


def test_a_first_rating_inserts_a_record_per_currency() -> None:
    found = changes([report(), report(flight_id=6)], [], count(100))
    assert said(found) == ([(100, 5, "EUR"), (101, 5, "GBP"), (102, 6, "EUR"), (103, 6, "GBP")], {})


def test_an_equal_rating_changes_nothing() -> None:
    assert said(changes([report()], live(report()), count(100))) == ([], {})


@pytest.mark.parametrize("moved", [{"customer_id": 8}, {"service_on": date(2018, 8, 2)}])
def test_the_same_charges_for_another_customer_or_day_supersede(moved: dict[str, Any]) -> None:
    found = changes([replace(report(), **moved)], live(report()), count(100))
    assert said(found) == ([(100, 5, "EUR"), (101, 5, "GBP")], {1: 100, 2: 101})
    assert {(n.customer_id, n.service_on) for n in found.records} == {
        (moved.get("customer_id", 7), moved.get("service_on", SERVICE_ON))
    }


def test_a_different_rating_supersedes_record_by_record() -> None:
    heavier = report(mtow_t=Decimal(80))
    assert said(changes([heavier], live(report()), count(100))) == (
        [(100, 5, "EUR"), (101, 5, "GBP")],
        {1: 100, 2: 101},
    )


def test_only_the_currency_that_changed_is_superseded() -> None:
    dearer = rate_card(("A", "ENROUTE", "100", "EUR"), ("B", "ENROUTE", "90", "GBP"))
    assert said(changes([report(dearer)], live(report()), count(100))) == ([(100, 5, "GBP")], {2: 100})


def test_a_currency_no_longer_charged_is_superseded_by_what_is() -> None:
    assert said(changes([report(IN_ONE)], live(report()), count(100))) == ([(100, 5, "EUR")], {1: 100, 2: 100})
    exempt = report(special_handling="STATE")
    assert said(changes([exempt], live(report()), count(100))) == ([(100, 5, "EUR")], {1: 100, 2: 100})


def test_a_currency_dropped_beside_an_unchanged_one_is_superseded_by_that() -> None:
    both = [*live(report(IN_ONE)), Live(9, 5, 7, SERVICE_ON, "GBP", b"old")]
    assert said(changes([report(IN_ONE)], both, count(100))) == ([], {9: 1})


def test_rows_have_a_value_for_every_column() -> None:
    found = changes([report()], [], count(100))
    assert [len(column) for column in record_columns(found.records)] == [2] * 11
    rows = [row for new in found.records for row in charge_rows(new.id, new.record)]
    assert {len(row) for row in rows} == {len(CHARGE_COLUMNS)}
    assert [row[:2] for row in rows] == [(100, 1), (101, 1)]
