"""The whole payout as one bare statement."""

from __future__ import annotations

import time
from datetime import date
from typing import Any

import asyncpg

from bench.measure import CpuMeter
from daemon import sql

SETTINGS, PAY_ALL = sql.load(__file__, "settings", "pay_all")


async def main(url: str, postgres: int, day: str) -> dict[str, Any]:
    """Seconds from its being sent until it is committed."""
    connection = await asyncpg.connect(url)
    await connection.execute(SETTINGS.text)
    meter = CpuMeter(postgres)
    began = time.perf_counter()
    paid = await connection.fetchval(PAY_ALL.text, date.fromisoformat(day))
    took = time.perf_counter() - began
    cpu = meter.sample()
    await connection.close()
    return {"seconds": took, "cpu_postgres": cpu, "paid": paid}
