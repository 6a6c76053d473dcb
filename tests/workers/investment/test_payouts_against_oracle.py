"""Whatever the house and whatever happens to it, the books are what a person with a pencil would have written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import asyncpg
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.workers.investment.oracle import Investment, Oracle, User
from tests.workers.investment.payouts import DAY, Payouts

PEOPLE, PLANS, MOST = 9, 3, 12

people = st.lists(
    st.tuples(st.one_of(st.none(), st.integers(1, PEOPLE)), st.sampled_from(["ACTIVE"] * 5 + ["SUSPENDED", "DELETED"])),
    min_size=PEOPLE, max_size=PEOPLE,
)  # fmt: skip
holdings = st.lists(
    st.tuples(
        st.integers(1, PEOPLE), st.integers(1, PLANS), st.integers(1, 900_000), st.sampled_from(["INR", "USD"]),
        st.integers(-3, 2), st.integers(1, 6), st.sampled_from(["ACTIVE"] * 6 + ["CANCELLED"]),
    ),
    min_size=1, max_size=MOST,
)  # fmt: skip
rate = st.decimals("0", "0.05", places=6)
cap = st.one_of(st.none(), st.decimals("0", "0.12", places=6))
rates = st.lists(st.tuples(rate, cap), min_size=PLANS, max_size=PLANS)
levels = st.lists(st.decimals("0", "0.2", places=6), max_size=5)
event = st.one_of(
    st.tuples(st.just("pay")),
    st.tuples(st.just("cut off"), st.integers(1, MOST), st.booleans()),
    st.tuples(st.just("resume")),
    st.tuples(st.just("again"), st.integers(0, 4)),
    st.tuples(st.just("status"), st.integers(1, PEOPLE), st.sampled_from(["ACTIVE", "SUSPENDED", "DELETED"])),
    st.tuples(st.just("rate"), st.integers(1, PLANS), rate, cap),
    st.tuples(st.just("reverse"), st.integers(0, 4)),
)


@dataclass
class Both:
    """A database and an oracle that live through the same. `open` are days whose run has failed: (run, cursor)."""

    house: Payouts
    oracle: Oracle = field(default_factory=Oracle)
    next: date = DAY
    open: dict[date, tuple[int, int]] = field(default_factory=dict)
    runs: int = 0

    async def found(self, crowd: Sequence[Any], money: Sequence[Any], paid_by: Sequence[Any], shares: Any) -> None:
        house, oracle = self.house, self.oracle
        for id_, (_, status) in enumerate(crowd, 1):
            await house.user(id_, status=status)
        for id_, (referrer, status) in enumerate(crowd, 1):
            oracle.users[id_] = User(status, referrer if referrer != id_ else None)
            await house.connection.execute(
                "UPDATE investment.app_user SET referrer_id = $2 WHERE id = $1", id_, oracle.users[id_].referrer
            )
        for plan, (daily, most) in enumerate(paid_by, 1):
            await house.plan(plan, rate=str(daily), cap=None if most is None else str(most))
            oracle.rates[plan] = (daily, most)
        await house.levels(*map(str, shares))
        oracle.levels = dict(enumerate(shares, 1))
        for id_, (user, plan, cents, currency, begins, lasts, status) in enumerate(money, 1):
            since = DAY + timedelta(days=begins)
            inv = Investment(user, plan, Decimal(cents) / 100, currency, since, since + timedelta(days=lasts), status)
            oracle.investments[id_] = inv
            await house.invest(
                id_, user, str(inv.principal), on=since, until=inv.until, plan=plan, currency=currency, status=status
            )

    async def pay(self, day: date, mine: int | None = None, *, again: bool = False) -> None:
        """A day, as far as it gets; what an earlier try has committed is not done again."""
        run, after = self.open.pop(day, (None, 0))
        self.runs += 1
        await self.house.cut_off_at(mine)
        result = await self.house.pay(day, resume=run, again=self.runs if again else 0, control_total_factor=1000)
        if run is None or day not in self.oracle.days:
            self.oracle.begin(day)
        ids = [id_ for id_ in sorted(self.oracle.investments) if id_ > after]
        for part in ranges(ids, self.house.small):
            if mine is not None and any(id_ >= mine and self.oracle.amount(day, id_) > 0 for id_ in part):
                assert result.ending == "failed", result
                self.open[day] = (result.id, after)
                return
            for id_ in part:
                self.oracle.pay(day, id_)
            after = part[-1]
        assert (result.ending, result.error) == ("succeeded", None)
        self.oracle.close(day, earlier_settled=not any(earlier < day for earlier in self.open))

    async def live_through(self, what: str, *how: Any) -> None:
        paid = [day for day, state in self.oracle.days.items() if day not in self.open and not state.reversed]
        match what, how:
            case "pay", ():
                await self.pay(self.next)
                self.next += timedelta(days=1)
            case "cut off", (at, resumed):
                day, self.next = self.next, self.next + timedelta(days=1)
                await self.pay(day, at)
                if resumed and day in self.open:
                    await self.pay(day)
            case "resume", () if self.open:
                await self.pay(min(self.open))
            case "again", (n,) if n < len(paid):
                await self.pay(paid[n], again=True)
            case "status", (user, status):
                self.oracle.users[user].status = status
                await self.house.connection.execute(
                    "UPDATE investment.app_user SET status = $2 WHERE id = $1", user, status
                )
            case "rate", (plan, daily, most):
                self.oracle.rates[plan] = (daily, most)
                await self.house.connection.execute(
                    "UPDATE investment.plan_rate SET daily_rate = $2, cap_ratio = $3 WHERE plan_id = $1",
                    plan, daily, most,
                )  # fmt: skip
            case "reverse", (n,) if n < len(paid):
                self.runs += 1
                result = await self.house.reverse(paid[n], at=self.runs)
                assert (result.ending, result.error) == ("succeeded", None)
                self.oracle.reverse(paid[n])


def ranges(ids: list[int], most: int) -> list[list[int]]:
    """As few as can be, of one size; where that does not come out even, those in front have one more."""
    left, parts = list(ids), -(-len(ids) // most)
    found = []
    for more in range(parts, 0, -1):
        size = -(-len(left) // more)
        found.append(left[:size])
        left = left[size:]
    return found


# Of eleven, five at most: the ninth is in a range of its own, and what is before it has been paid when it fails.
NOBODY: Any = [(None, "ACTIVE")] * PEOPLE
OF_ELEVEN: Any = [(1, 1 if n in (6, 9) else 2, 10_000, "INR", 0, 1, "ACTIVE") for n in range(1, 12)]
RATES: Any = [(Decimal("0.01"), None), (Decimal(0), None), (Decimal(0), None)]


@example(NOBODY, OF_ELEVEN, RATES, [], [("pay",), ("cut off", 7, False)], 5)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(people, holdings, rates, levels, st.lists(event, min_size=1, max_size=9), st.integers(1, 5))
async def test_every_cent_is_where_the_oracle_says(
    url: str, connection: asyncpg.Connection, crowd: Any, money: Any, paid_by: Any, shares: Any, events: Any, size: int
) -> None:
    both = Both(await Payouts(url, connection, small=size).cleared())
    await both.found(crowd, money, paid_by, shares)
    for what in events:
        await both.live_through(*what)
        found, expected = await both.house.books(), both.oracle.books()
        for book, rows in expected.items():
            assert found[book] == rows, f"{book} after {what}"
