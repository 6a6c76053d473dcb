"""The invented house: the same at every size, and one that could be."""

from __future__ import annotations

from collections import Counter
from itertools import chain

import pytest

from workers.investment import sample_people as sample
from workers.investment.sample_people import BLOCK, FOUNDERS, TWO_YEARS, Holding, Person, joined_s

BLOCKS = range(3)


@pytest.fixture(scope="module")
def people() -> dict[int, Person]:
    return {person.id: person for person in chain.from_iterable(map(sample.persons, BLOCKS))}


@pytest.fixture(scope="module")
def holdings() -> list[Holding]:
    return list(chain.from_iterable(map(sample.holdings, BLOCKS)))


def test_a_block_is_the_same_whenever_it_is_drawn() -> None:
    assert list(sample.persons(1)) == list(sample.persons(1))
    assert list(sample.holdings(2)) == list(sample.holdings(2))
    assert list(sample.persons(0)) != list(sample.persons(1))


def test_ids_follow_one_another_without_a_gap(people: dict[int, Person], holdings: list[Holding]) -> None:
    every = list(range(1, len(BLOCKS) * BLOCK + 1))
    assert list(people) == every
    assert [holding.id for holding in holdings] == every


def test_everybody_but_the_founders_was_referred_by_somebody_who_was_there(people: dict[int, Person]) -> None:
    for person in people.values():
        if person.id <= FOUNDERS:
            assert person.referrer is None
        else:
            assert person.referrer is not None
            assert person.referrer < person.id
            assert people[person.referrer].joined_s > person.joined_s


def test_uplines_are_deep_and_no_founder_has_referred_half_of_all(people: dict[int, Person]) -> None:
    depths: dict[int, int] = {}
    for person in people.values():
        depths[person.id] = 1 + depths[person.referrer] if person.referrer else 0
    assert sum(depth >= 5 for depth in depths.values()) > len(people) / 2
    ((_, most),) = Counter(person.referrer for person in people.values() if person.referrer).most_common(1)
    assert most < len(people) / 20


@pytest.mark.parametrize("size", [100, 1000, 15_000])
def test_people_have_come_evenly_over_two_years_at_every_size(size: int) -> None:
    months = Counter(joined_s(person) * 24 // TWO_YEARS for person in range(FOUNDERS + 1, FOUNDERS + 1 + size))
    assert set(months) == set(range(24))
    assert max(months.values()) <= 2 * min(months.values()) + 2


def test_nobody_was_seen_before_he_came_or_took_out_what_was_not_there(people: dict[int, Person]) -> None:
    assert all(60 <= person.seen_s < person.joined_s for person in people.values())
    assert all(person.withdrawn <= person.deposit for person in people.values())
    assert len({person.email for person in people.values()}) == len(people)
    statuses = Counter(person.status for person in people.values())
    assert statuses["ACTIVE"] > 0.98 * len(people) > 0 < statuses["SUSPENDED"] > statuses["DELETED"] > 0


def test_nobody_invests_before_he_came_or_after_his_plan_is_over(holdings: list[Holding]) -> None:
    for holding in holdings:
        assert holding.user <= sample.people(holding.id)
        if holding.age is not None:
            assert 1 <= holding.age < holding.plan.days
            assert holding.age * sample.DAY <= joined_s(holding.user)


def test_rupees_are_what_the_plan_allows(holdings: list[Holding]) -> None:
    rupees = [holding for holding in holdings if holding.currency == "INR"]
    assert all(h.plan.least * 100 <= h.principal <= h.plan.most * 100 for h in rupees)
    assert 0.93 < len(rupees) / len(holdings) < 0.99
    assert {holding.plan for holding in holdings} == set(sample.PLANS)


@pytest.mark.parametrize("active", [1, 2, 40, 41, 1000, 9999])
def test_so_many_rows_have_so_many_active_ones(active: int) -> None:
    rows = sample.investments(active)
    drawn = list(chain.from_iterable(map(sample.holdings, range(rows // BLOCK + 1))))[:rows]
    assert sum(holding.status == "ACTIVE" for holding in drawn) == active
