"""The samples of this suite's mails have just what its jobs give."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta

import asyncpg

from tests.mails.senders import unlike_samples
from tests.workers.investment.books import INDIA
from tests.workers.investment.payouts import DAY, Payouts
from tests.workers.investment.test_notification_processing import note, process
from tests.workers.investment.test_parking import SINCE, UNTIL, poison
from tests.workers.investment.test_system_health import CALM, pending
from workers.investment.ledger_audit import ledger_audit
from workers.investment.monthly_analytics import monthly_analytics
from workers.investment.settings import Settings
from workers.investment.system_health import system_health
from workers.investment.weekly_report import weekly_report

APRIL = datetime(2026, 4, 1, 3, tzinfo=INDIA)
SUNDAY = datetime(2026, 3, 15, 6, tzinfo=INDIA)
QUARTER = timedelta(minutes=15)


async def test_a_sample_has_just_the_fields_that_its_sender_gives(
    payouts: Payouts, connection: asyncpg.Connection
) -> None:
    for id_ in (1, 2):
        await payouts.invest(id_, 1, on=SINCE, until=UNTIL)
    await payouts.book(1, "DEPOSIT", "1000.00", datetime(2026, 3, 10, 12, tzinfo=INDIA))
    await payouts.book(1, "WITHDRAWAL", "-40.00", datetime(2026, 3, 11, 12, tzinfo=INDIA))
    await poison(payouts, 2)
    await payouts.pay(DAY)  # pays 1, parks 2
    await payouts.perform(ledger_audit, datetime(2026, 3, 11, 4, tzinfo=INDIA))
    await health(payouts)
    await payouts.insert("health_check", checked_at=APRIL - timedelta(days=3), severity="ok", checks=json.dumps({}))
    await payouts.perform(weekly_report, SUNDAY)
    await payouts.perform(monthly_analytics, APRIL)
    await note(payouts, 1, 1, kind="promotional")
    await process(payouts)
    assert await unlike_samples(connection, "investment", Settings()) == {}


async def health(payouts: Payouts) -> None:
    """A withdrawal that waits too long, and does not any more."""
    noon = datetime.combine(date(2026, 3, 12), datetime.min.time(), INDIA) + timedelta(hours=12)
    await pending(payouts, noon - timedelta(hours=1))
    await payouts.perform(system_health, noon, settings={"health": CALM})
    await payouts.connection.execute("UPDATE investment.ledger SET status = 'POSTED' WHERE status = 'PENDING'")
    await payouts.perform(system_health, noon + QUARTER, settings={"health": CALM})
