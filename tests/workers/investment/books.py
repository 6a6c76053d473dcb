"""Payouts of a small house, entered by hand as the payout job would: every row of a day, its wallets and totals."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tests.workers.investment.house import House
from workers.investment.ledger_audit import ledger_audit

INDIA = ZoneInfo("Asia/Kolkata")
DAY = date(2026, 3, 10)
MORNING = datetime(2026, 3, 11, 4, tzinfo=INDIA)
PAID_AT = datetime(2026, 3, 11, 0, 5, tzinfo=INDIA)
CLEAN: dict[str, Any] = {"days": 1, "differences": {}, "told": 0}


async def found_house(house: House) -> House:
    """1 was referred by 2, and 2 by 3; 1 % a day up to 2.5 %; 10 % and 5 % of it to the uplines."""
    for id_, referrer in ((3, None), (2, 3), (1, 2)):
        await house.user(id_, referrer=referrer)
    await house.plan(1, rate="0.01", cap="0.025")
    await house.invest(1, 1, "1000.00", on=date(2026, 3, 1), until=date(2026, 12, 31))
    return house


async def open_day(house: House, day: date = DAY, round_: int = 1, state: str = "PAID") -> None:
    await house.connection.execute(
        "INSERT INTO investment.accrual_day VALUES ($1, $2, $3, 1, $4, $4) ON CONFLICT (accrual_date) "
        "DO UPDATE SET round = excluded.round, state = excluded.state, ended_at = excluded.ended_at",
        day, round_, state, PAID_AT + timedelta(days=(day - DAY).days),
    )  # fmt: skip
    for statement in (
        """INSERT INTO investment.accrual_rate SELECT $1, $2, plan_id, daily_rate, cap_ratio FROM investment.plan_rate
        ON CONFLICT DO NOTHING""",
        "INSERT INTO investment.accrual_level VALUES ($1, $2, 1, 0.10), ($1, $2, 2, 0.05) ON CONFLICT DO NOTHING",
    ):
        await house.connection.execute(statement, day, round_)


async def credit(house: House, user: int, kind: str, ref: str, amount: str) -> None:
    await house.insert("ledger", user_id=user, kind=kind, ref=ref, amount=Decimal(amount), currency="INR",
                       created_at=PAID_AT)  # fmt: skip
    await house.connection.execute(
        "INSERT INTO investment.wallet AS w VALUES ($1, 'INR', $2) ON CONFLICT (user_id, currency) "
        "DO UPDATE SET balance = w.balance + excluded.balance",
        user, Decimal(amount),
    )  # fmt: skip


async def pay(
    house: House, amount: str = "10.00", day: date = DAY, round_: int = 1, investment: int = 1, user: int = 1,
    uplines: tuple[tuple[int, str], ...] = ((2, "1.00"), (3, "0.50")),
) -> None:  # fmt: skip
    """One distribution with its commissions, ledger rows, wallets and paid total."""
    head = f"{day}" if round_ == 1 else f"{day}/{round_}"
    await house.insert("roi_distribution", accrual_date=day, round=round_, investment_id=investment, user_id=user,
                       run_id=1, rate=Decimal("0.01"), amount=Decimal(amount), currency="INR")  # fmt: skip
    await credit(house, user, "ROI", f"{head}:{investment}", amount)
    await house.connection.execute(
        "UPDATE investment.investment SET paid_total = paid_total + $2 WHERE id = $1", investment, Decimal(amount)
    )
    for level, (beneficiary, share) in enumerate(uplines, 1):
        await house.insert("commission", accrual_date=day, round=round_, level=level, investment_id=investment,
                           beneficiary_id=beneficiary, rate=Decimal("0.10"), amount=Decimal(share),
                           currency="INR")  # fmt: skip
        await credit(house, beneficiary, "COMMISSION", f"{head}:{level}:{investment}", share)


async def reverse(house: House, day: date = DAY) -> None:
    """The opposite of what `pay` did in the first round."""
    await credit(house, 1, "ADJUST", f"ROI:{day}:1", "-10.00")
    await credit(house, 2, "ADJUST", f"COMMISSION:{day}:1:1", "-1.00")
    await credit(house, 3, "ADJUST", f"COMMISSION:{day}:2:1", "-0.50")
    await house.connection.execute("UPDATE investment.investment SET paid_total = paid_total - 10")


async def audit(house: House, at: datetime = MORNING, **args: Any) -> dict[str, Any]:
    run = await house.perform(ledger_audit, at, args=args)
    assert (run.ending, run.error) == ("succeeded", None)
    result: dict[str, Any] = run.result
    return result


async def differences(house: House) -> list[tuple[Any, ...]]:
    return await house.rows(
        "SELECT what, accrual_date, user_id, ref, expected, found FROM investment.audit_difference ORDER BY id"
    )


async def clean_day(house: House) -> None:
    await open_day(house)
    await pay(house)
