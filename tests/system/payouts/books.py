"""What stands in the books, as sums that two histories of the same days can be compared by."""

from __future__ import annotations

from typing import TypeAlias

import asyncpg

Books: TypeAlias = dict[str, list[str]]
"""By what was added up: rows, their amounts, and a checksum over every row that does not depend on their order."""

DAY_TOTALS = """
    SELECT accrual_date, round, currency, level, sum(payments) AS payments, sum(amount) AS amount,
        sum(forfeited) AS forfeited
    FROM investment.accrual_total GROUP BY 1, 2, 3, 4
"""
# What depends on when or by which run something was done is left out: that differs from history to history.
TABLES = {
    "distributions": (
        "investment.roi_distribution", "amount", "accrual_date, round, investment_id, user_id, rate, amount, currency",
    ),
    **{
        f"commissions of level {level}": (
            f"investment.commission WHERE level = {level}", "amount",
            "accrual_date, round, level, investment_id, beneficiary_id, rate, amount, currency",
        )
        for level in range(1, 6)
    },
    "ledger": ("investment.ledger", "amount", "ref, kind, status, user_id, amount, currency"),
    "wallets": ("investment.wallet", "balance", "user_id, currency, balance"),
    "paid totals": ("investment.investment", "paid_total", "id, paid_total, status"),
    "days": ("investment.accrual_day", "round", "accrual_date, round, state"),
    "totals of days": (
        f"({DAY_TOTALS}) t", "amount", "accrual_date, round, currency, level, payments, amount, forfeited",
    ),
    "parked payouts": ("investment.parked_payout", "investment_id", "accrual_date, investment_id, reason"),
    "messages": ("sexton.outbox WHERE template = 'roi_digest'", "0", "dedupe_key, recipient, channel, kind, data"),
}  # fmt: skip
ADD_UP = """
    SELECT count(*)::text, coalesce(sum({amount}), 0)::text,
        coalesce(sum(('x' || left(md5(concat_ws('|', {columns})), 15))::bit(60)::bigint), 0)::text
    FROM {table}
"""


async def books(connection: asyncpg.Connection) -> Books:
    """In one snapshot."""
    found: Books = {}
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        for what, (table, amount, columns) in TABLES.items():
            row = await connection.fetchrow(ADD_UP.format(table=table, amount=amount, columns=columns))
            assert row is not None
            found[what] = list(row)
    return found


def differences(found: Books, expected: Books) -> list[str]:
    return [
        f"{what}: {found[what][0]} rows, {found[what][1]} in all, checksum {found[what][2]}; "
        f"a clean run has {rows} rows, {amount}, {checksum}"
        for what, (rows, amount, checksum) in expected.items()
        if found[what] != [rows, amount, checksum]
    ]
