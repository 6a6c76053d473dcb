"""What must be true when every day has been paid, whatever happened meanwhile."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

import asyncpg

from daemon import schedule
from tests.system.account import wrong_runs
from tests.system.payouts.books import Books, differences
from tests.system.payouts.house import DAYS, JOB, House

RESCUES = f"SELECT coalesce(sum(rescues), 0)::int FROM sexton.run WHERE job = '{JOB}'"


@dataclass(frozen=True, slots=True)
class Account:
    """What was counted; the soak prints it."""

    days: int
    distributions: int
    commissions: int
    ledger_rows: int
    digests: int
    rescues: int
    tries: int


async def account(connection: asyncpg.Connection, house: House, found: Books) -> Account:
    """Check everything and count."""
    problems = differences(found, house.books)
    problems += await _wrong_instants(connection, house)
    problems += await _repeated(connection)
    problems += await _wrong_audit(connection)
    problems += await wrong_runs(connection)
    assert not problems, "\n".join(["the account does not balance:", *problems])
    return Account(
        days=int(found["days"][0]),
        distributions=int(found["distributions"][0]),
        commissions=sum(int(rows) for what, (rows, *_) in found.items() if what.startswith("commissions")),
        ledger_rows=int(found["ledger"][0]),
        digests=int(found["messages"][0]),
        rescues=await connection.fetchval(RESCUES),
        tries=await connection.fetchval("SELECT sum(attempt) FROM sexton.run WHERE job = $1", JOB),
    )


async def _wrong_instants(connection: asyncpg.Connection, house: House) -> list[str]:
    """Each midnight that is owed has exactly one row, which succeeded; and there are no others."""
    job = await connection.fetchrow("SELECT schedule_fingerprint, evaluated_until FROM sexton.job WHERE name = $1", JOB)
    assert job is not None
    since = datetime.combine(house.days[0], time(12), ZoneInfo(house.zone))
    cron = schedule.parse_fingerprint(job["schedule_fingerprint"])
    due = [instant.at for instant in schedule.instants(cron, since, job["evaluated_until"])]
    rows = await connection.fetch("SELECT due_at, count, state, logical_date FROM sexton.run WHERE job = $1", JOB)
    there = Counter(row["due_at"] for row in rows for _ in range(row["count"]))
    problems = [f"{at} has {there[at]} rows" for at in due if there[at] != 1]
    problems += [f"{at} has a row and was never due" for at in there if at not in due]
    problems += [f"{row['due_at']} is {row['state']}" for row in rows if row["state"] != "succeeded"]
    if len(due) != DAYS:
        problems.append(f"{len(due)} midnights, and {DAYS} days are owed")
    return problems


async def _repeated(connection: asyncpg.Connection) -> list[str]:
    """The tables' keys have the round in them: a day paid once more in a second one would pass them."""
    twice = {
        "investment and day with several distributions": "SELECT FROM investment.roi_distribution "
        "GROUP BY accrual_date, investment_id HAVING count(*) > 1",
        "person and day with several digests": "SELECT FROM sexton.outbox WHERE template = 'roi_digest' "
        "GROUP BY recipient, data ->> 'date' HAVING count(*) > 1",
    }
    counts = {what: await connection.fetchval(f"SELECT count(*) FROM ({query}) q") for what, query in twice.items()}
    return [f"{count} times there is a {what}" for what, count in counts.items() if count]


async def _wrong_audit(connection: asyncpg.Connection) -> list[str]:
    """The suite's own audit has looked at every day and found nothing."""
    row = await connection.fetchrow(
        "SELECT state, result, error FROM sexton.run WHERE job = 'investment.ledger_audit' ORDER BY id DESC LIMIT 1"
    )
    if row is None or row["state"] != "succeeded":
        return [f"ledger_audit did not succeed: {row and dict(row)}"]
    result = json.loads(row["result"])
    return [] if result == {"days": DAYS, "differences": {}, "told": 0} else [f"ledger_audit says {result}"]
