"""The payout rules in plain Python, one investment after the other: what the job's statements are compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

CENT = Decimal("0.01")


def rounded(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


@dataclass
class User:
    status: str = "ACTIVE"
    referrer: int | None = None


@dataclass
class Investment:
    user: int
    plan: int
    principal: Decimal
    currency: str
    since: date
    until: date
    status: str = "ACTIVE"
    paid: Decimal = Decimal(0)


@dataclass
class Day:
    """`rates`: plan → (rate, cap), as they were when the day's round began; `levels`: level → rate."""

    round: int
    rates: dict[int, tuple[Decimal, Decimal | None]]
    levels: dict[int, Decimal]
    reversed: bool = False


@dataclass
class Oracle:
    """A house and its books. Keys are those of the tables."""

    users: dict[int, User] = field(default_factory=dict)
    investments: dict[int, Investment] = field(default_factory=dict)
    rates: dict[int, tuple[Decimal, Decimal | None]] = field(default_factory=dict)
    levels: dict[int, Decimal] = field(default_factory=dict)
    days: dict[date, Day] = field(default_factory=dict)
    distributions: dict[tuple[date, int, int], Decimal] = field(default_factory=dict)
    commissions: dict[tuple[date, int, int, int], tuple[int, Decimal]] = field(default_factory=dict)
    ledger: dict[tuple[str, str], tuple[int, str, Decimal]] = field(default_factory=dict)
    wallets: dict[tuple[int, str], Decimal] = field(default_factory=dict)
    messages: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)

    def begin(self, day: date) -> Day:
        known = self.days.get(day)
        if known is None or known.reversed:
            known = Day(known.round + 1 if known else 1, dict(self.rates), dict(self.levels))
            self.days[day] = known
        known.rates = {**self.rates, **known.rates}
        return known

    def amount(self, day: date, id_: int) -> Decimal:
        """What the investment is still due for the day; zero if nothing."""
        inv, state = self.investments[id_], self.days[day]
        if inv.status not in ("ACTIVE", "COMPLETED") or not inv.since < day <= inv.until:
            return Decimal(0)
        if self.users[inv.user].status != "ACTIVE" or (day, state.round, id_) in self.distributions:
            return Decimal(0)
        if inv.plan not in state.rates:
            return Decimal(0)
        rate, cap = state.rates[inv.plan]
        amount = rounded(inv.principal * rate)
        if cap is not None:
            amount = min(amount, rounded(inv.principal * cap) - inv.paid)
        return max(amount, Decimal(0))

    def upline(self, user: int) -> Iterator[tuple[int, int]]:
        """(level, person), nearest first, at most five; it ends where it would meet somebody again."""
        met, above = {user}, self.users[user].referrer
        for level in range(1, 6):
            if above is None or above in met:
                return
            yield level, above
            met.add(above)
            above = self.users[above].referrer

    def pay(self, day: date, id_: int) -> None:
        amount, inv, state = self.amount(day, id_), self.investments[id_], self.days[day]
        if amount <= 0:
            return
        head = f"{day}" if state.round == 1 else f"{day}/{state.round}"
        inv.paid += amount
        self.distributions[day, state.round, id_] = amount
        self.enter(f"{head}:{id_}", "ROI", inv.user, inv.currency, amount)
        for level, person in self.upline(inv.user):
            share = rounded(amount * state.levels.get(level, Decimal(0)))
            if share > 0 and self.users[person].status == "ACTIVE":
                self.commissions[day, state.round, level, id_] = (person, share)
                self.enter(f"{head}:{level}:{id_}", "COMMISSION", person, inv.currency, share)

    def enter(self, ref: str, kind: str, user: int, currency: str, amount: Decimal) -> None:
        assert (ref, kind) not in self.ledger
        self.ledger[ref, kind] = (user, currency, amount)
        self.wallets[user, currency] = self.wallets.get((user, currency), Decimal(0)) + amount

    def close(self, day: date, *, earlier_settled: bool) -> None:
        """Messages, and whoever has matured."""
        state = self.days[day]
        head = f"{day}" if state.round == 1 else f"{day}/{state.round}"
        purses: dict[int, dict[str, list[Decimal]]] = {}

        def purse(user: int, currency: str) -> list[Decimal]:
            return purses.setdefault(user, {}).setdefault(currency, [Decimal(0), Decimal(0)])

        for (d, r, id_), amount in self.distributions.items():
            if (d, r) == (day, state.round):
                purse(self.investments[id_].user, self.investments[id_].currency)[0] += amount
        for (d, r, _, id_), (person, amount) in self.commissions.items():
            if (d, r) == (day, state.round):
                purse(person, self.investments[id_].currency)[1] += amount
        for user, by_currency in purses.items():
            told = {c: {"roi": str(roi), "commission": str(com)} for c, (roi, com) in by_currency.items()}
            self.messages.setdefault(f"roi:{head}:{user}", told)
        for inv in self.investments.values() if earlier_settled else ():
            cap = state.rates.get(inv.plan, (None, None))[1]
            full = cap is not None and inv.paid >= rounded(inv.principal * cap)
            if inv.status == "ACTIVE" and inv.since < day and (inv.until <= day or full):
                inv.status = "COMPLETED"

    def reverse(self, day: date) -> None:
        state = self.days[day]
        head = f"{day}" if state.round == 1 else f"{day}/{state.round}"
        ours: Callable[[str], bool] = lambda ref: ref.split(":")[0] == head  # noqa: E731
        for (ref, kind), (user, currency, amount) in list(self.ledger.items()):
            if kind in ("ROI", "COMMISSION") and ours(ref):
                self.enter(f"{kind}:{ref}", "ADJUST", user, currency, -amount)
        for (d, r, id_), amount in self.distributions.items():
            if (d, r) == (day, state.round):
                inv = self.investments[id_]
                inv.paid -= amount
                inv.status = "ACTIVE" if inv.status == "COMPLETED" else inv.status
        state.reversed = True

    def books(self) -> dict[str, Any]:
        """Everything that must agree."""
        return {
            "distributions": self.distributions,
            "commissions": self.commissions,
            "ledger": self.ledger,
            "wallets": self.wallets,
            "messages": self.messages,
            "investments": {id_: (i.paid, i.status) for id_, i in self.investments.items()},
        }
