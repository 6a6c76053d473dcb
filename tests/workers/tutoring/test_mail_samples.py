"""The samples of this suite's mails have just what its jobs give."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import asyncpg

from tests.mails.senders import unlike_samples
from tests.workers.tutoring.providers import Providers
from tests.workers.tutoring.test_health_check import ROOMY
from tests.workers.tutoring.test_rate_limit_monitor import CHAIN, MINUTE, NOON
from tests.workers.tutoring.test_usage_analysis import at, used
from workers.tutoring.health_check import health_check
from workers.tutoring.settings import Settings
from workers.tutoring.usage_analysis import usage_analysis

DAY = date(2026, 11, 24)


async def test_a_sample_has_just_the_fields_that_its_sender_gives(
    providers: Providers, connection: asyncpg.Connection
) -> None:
    for name in CHAIN:
        await providers.report(name, {"retry-after": "300"}, NOON, status=429)
    await providers.read(NOON)  # all are blocked
    await falls_ill(providers)
    await a_day_of_use(providers)
    assert await unlike_samples(connection, "tutoring", Settings()) == {}


async def falls_ill(providers: Providers) -> None:
    """A disk is full: the limits say so."""
    full = {**ROOMY, "disk_warning_pct": 100, "disk_critical_pct": 99.9}
    await providers.succeed(health_check, NOON + MINUTE, settings={"keys": {}, "health": full})


async def a_day_of_use(providers: Providers) -> None:
    """Two weeks of little, and then a day of much, at no price."""
    school = providers.school
    first = await school.value("SELECT min(id) FROM tutoring.ai_provider")
    for back in range(1, 15):
        await used(school, first, at(DAY - timedelta(days=back)), times=3 + back % 2)
    await used(school, first, at(DAY), times=60, status=500)
    await school.insert("ai_price", provider_id=first, since=date(2026, 1, 1), input_price=Decimal("2.5"),
                        output_price=Decimal(10))  # fmt: skip
    for back in range(14, -1, -1):
        await school.succeed(usage_analysis, at(DAY - timedelta(days=back), 25))
