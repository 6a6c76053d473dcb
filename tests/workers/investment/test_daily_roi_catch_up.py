"""Payouts that the engine itself makes due: after downtime, in order, on several nodes, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from daemon import Cron
from daemon.alerts import trouble_of
from daemon.events import InstantsSettled, RunEnded
from daemon.roster import DISABLED
from daemon.schedule import fingerprint
from tests.daemon.harness import node
from tests.workers.investment.payouts import Payouts
from workers.investment.daily_roi_distribution import daily_roi_distribution
from workers.investment.settings import Settings

# Where it is about noon: no midnight, and so no payout, falls due while a test goes on.
ZONE = ZoneInfo(f"Etc/GMT{datetime.now(UTC).hour - 12:+d}")
TRIGGER = Cron("0 0 * * *", tz=ZONE.key)
PAYOUT = replace(daily_roi_distribution, trigger=TRIGGER)
SETTINGS = {"investment": Settings()}


def midnight(days_ago: int) -> datetime:
    today = datetime.combine(datetime.now(ZONE).date(), datetime.min.time(), ZONE)
    return today - timedelta(days=days_ago)


@pytest.fixture
async def house(payouts: Payouts) -> Payouts:
    """One investment of 1,000.00 that has been active for long."""
    await payouts.invest(1, 1, on=date(2020, 1, 1), until=date(2099, 1, 1))
    return payouts


async def down_for(house: Payouts, days: int) -> None:
    """The daemon has last looked when so many payouts were still to come."""
    await house.connection.execute(
        "INSERT INTO sexton.job (name, schedule_fingerprint, evaluated_until) VALUES ($1, $2, $3)",
        PAYOUT.name, fingerprint(TRIGGER), midnight(days - 1) - timedelta(minutes=1),
    )  # fmt: skip


async def test_after_three_days_of_downtime_three_days_are_paid_in_order(house: Payouts, url: str) -> None:
    await down_for(house, 3)
    async with node(url, PAYOUT, settings=SETTINGS) as running:
        await running.event(RunEnded, lambda e: e.outcome == "succeeded", count=3)
    paid = await house.rows("SELECT accrual_date, run_id FROM investment.roi_distribution ORDER BY run_id")
    assert [day for day, _ in paid] == [(midnight(n) - timedelta(days=1)).date() for n in (2, 1, 0)]
    assert await house.value("SELECT paid_total FROM investment.investment") == 30


async def test_a_day_that_failed_keeps_the_later_ones_waiting(house: Payouts, url: str) -> None:
    await down_for(house, 3)
    await house.cut_off_at(1)
    async with node(url, PAYOUT, settings=SETTINGS) as running:
        await running.event(RunEnded)
        await running.engine.services["dispatcher"].step()
    states = await house.rows("SELECT state FROM sexton.run ORDER BY due_at")
    assert states[1:] == [("ready",), ("ready",)]
    assert await house.count("roi_distribution") == 0
    assert await house.value("SELECT count(*) FROM sexton.run WHERE attempt > 0") == 1


async def test_more_than_a_month_of_downtime_is_held_for_a_person_and_told(house: Payouts, url: str) -> None:
    await down_for(house, 32)
    async with node(url, PAYOUT, settings=SETTINGS) as running:
        settled = await running.event(InstantsSettled, lambda e: e.state == "held", count=32)
    assert (settled.count, settled.reason) == (1, "backlog of 32 exceeds the limit of 31")
    told = trouble_of(settled, datetime.now(UTC))
    assert told is not None
    assert (told.kind, told.subject) == ("held", PAYOUT.name)
    assert await house.rows("SELECT state, sum(count) FROM sexton.run GROUP BY state") == [("held", 32)]
    assert await house.count("ledger") == 0


async def test_exactly_a_month_is_paid(house: Payouts, url: str) -> None:
    await down_for(house, 31)
    async with node(url, PAYOUT, settings=SETTINGS) as running:
        await running.event(RunEnded, lambda e: e.outcome == "succeeded", count=31)
    assert await house.value("SELECT count(DISTINCT accrual_date) FROM investment.roi_distribution") == 31
    order = await house.rows("SELECT accrual_date FROM investment.accrual_day ORDER BY ended_at")
    assert order == sorted(order)


async def test_two_nodes_at_once_pay_each_day_once(house: Payouts, url: str) -> None:
    await down_for(house, 3)
    async with (
        node(url, PAYOUT, home="/tmp/a", settings=SETTINGS) as one,
        node(url, PAYOUT, home="/tmp/b", settings=SETTINGS) as two,
    ):
        while await house.value("SELECT count(*) FROM sexton.run WHERE state = 'succeeded'") < 3:
            await one.engine.services["dispatcher"].step()
            await two.engine.services["dispatcher"].step()
    assert await house.count("roi_distribution") == 3
    assert await house.value("SELECT count(*) FROM sexton.run") == 3


@pytest.mark.parametrize("enabled", [True, False])
async def test_days_on_which_the_job_was_disabled_are_not_paid(house: Payouts, url: str, enabled: bool) -> None:
    await down_for(house, 3)
    await house.connection.execute("UPDATE sexton.job SET schedule_fingerprint = $1", DISABLED)
    async with node(url, replace(PAYOUT, enabled=enabled), settings=SETTINGS) as running:
        await running.engine.services["ticker"].step()
    assert await house.value("SELECT count(*) FROM sexton.run") == 0
    assert await house.count("roi_distribution") == 0
