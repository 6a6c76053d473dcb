"""Invented investors and what they hold: pure functions of a block's number, so that any size has the same beginning.

Amounts are in paise and cents here; instants and dates are given relative to the day of loading.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

BLOCK = 5_000
"""Rows that are drawn together: a block is always drawn whole, however much of it is wanted."""

FIRST_NAMES = (
    "Aarav Aditi Ananya Arjun Asha Deepa Dev Divya Farhan Gaurav Isha Jaya Kabir Kavya Kiran Lakshmi Manoj Meera Mohan "
    "Neha Nikhil Pooja Priya Rahul Rajesh Ravi Rohan Sana Sanjay Shreya Sunita Tara Uma Varun Vikram Zoya"
)
LAST_NAMES = (
    "Agarwal Banerjee Bhat Chatterjee Das Desai Fernandes Gandhi Ghosh Gupta Iyer Jain Joshi Kapoor Khan Kulkarni "
    "Kumar Malhotra Mehta Menon Mishra Nair Patel Pillai Rao Reddy Shah Sharma Singh Thomas Verma Yadav"
)
FIRST, LAST = tuple(FIRST_NAMES.split(" ")), tuple(LAST_NAMES.split(" "))
ZONES = ("Asia/Kolkata",) * 17 + ("Asia/Dubai", "Europe/London", "America/New_York")
FOUNDERS = 25
"""The first people came by themselves; everybody else was referred by somebody before them."""

DAY = 86_400
TWO_YEARS = 730 * DAY
GOLDEN = 0.6180339887498949

ACQUAINTED = 16
USERS_PER_100 = 80
IDLE_EVERY = 41
"""One row in so many is an investment that is pending or was cancelled; all others are active."""


@dataclass(frozen=True, slots=True)
class SamplePlan:
    """`rate` and `old_rate` are fractions a day, `cap` a multiple of the principal or None; amounts in whole units."""

    id: int
    name: str
    days: int
    rate: str
    old_rate: str
    cap: str | None
    least: int
    most: int


PLANS = (
    SamplePlan(1, "Starter", 180, "0.002500", "0.002800", None, 500, 50_000),
    SamplePlan(2, "Silver", 270, "0.003200", "0.003500", "1.800000", 5_000, 200_000),
    SamplePlan(3, "Gold", 365, "0.004000", "0.004000", "2.000000", 25_000, 1_000_000),
    SamplePlan(4, "Platinum", 500, "0.004800", "0.005000", "2.500000", 100_000, 5_000_000),
    SamplePlan(5, "Bullet", 90, "0.001500", "0.001500", "1.100000", 1_000, 100_000),
)
LEVELS = ("0.100000", "0.050000", "0.030000", "0.020000", "0.010000")


@dataclass(frozen=True, slots=True)
class Person:
    """`joined_s` and `seen_s`: seconds before the loading. `deposit` and `withdrawn`: amounts in paise, 0 for none."""

    id: int
    email: str
    phone: str
    tz: str
    status: str
    referrer: int | None
    joined_s: int
    seen_s: int
    prefs: str
    deposit: int
    withdrawn: int


@dataclass(frozen=True, slots=True)
class Holding:
    """An investment. `age` is days since its activation; None while it is pending."""

    id: int
    user: int
    plan: SamplePlan
    principal: int
    currency: str
    status: str
    age: int | None


def investments(active: int) -> int:
    """How many rows have so many active ones among them."""
    return active + (active - 1) // (IDLE_EVERY - 1)


def people(holdings: int) -> int:
    """How many people hold so many investments; some hold several and some none."""
    return max(1, holdings * USERS_PER_100 // 100)


def joined_s(person: int) -> int:
    """Seconds from somebody's registration to the loading, a day at least.

    Founders came first; multiples of the golden ratio spread the others evenly over two years, however many they
    are. A function of the id alone, so that referrers and investments can be fitted without drawing their person.
    """
    if person <= FOUNDERS:
        return TWO_YEARS + (FOUNDERS + 1 - person) * DAY
    return DAY + int(person * GOLDEN % 1 * (TWO_YEARS - DAY))


def referrer(person: int, draw: Random) -> int | None:
    """Of some people with smaller ids the last who had registered before, which makes long chains; else a founder."""
    if person <= FOUNDERS:
        return None
    before = joined_s(person)
    met = [1 + int(draw.random() * (person - 1)) for _ in range(ACQUAINTED)]
    elders = [elder for elder in met if joined_s(elder) > before]
    return min(elders, key=joined_s) if elders else 1 + int(draw.random() * FOUNDERS)


def persons(block: int) -> Iterator[Person]:
    """The people of a block, with ids block·BLOCK + 1 and on."""
    draw = Random(f"people {block}")  # noqa: S311 - invented people, no secret
    for i in range(block * BLOCK + 1, (block + 1) * BLOCK + 1):
        first, last, luck = draw.choice(FIRST), draw.choice(LAST), draw.random()
        joined = joined_s(i)
        yield Person(
            id=i,
            email=f"{first}.{last}.{i}@example.com".lower(),
            phone=f"+9198{i % 100_000_000:08}",
            tz=draw.choice(ZONES),
            status="SUSPENDED" if luck < 0.010 else "DELETED" if luck < 0.013 else "ACTIVE",
            referrer=referrer(i, draw),
            joined_s=joined,
            seen_s=draw.randrange(60, joined),
            prefs='{"quiet_start": "22:00", "quiet_end": "08:00"}' if luck > 0.9 else "{}",
            deposit=draw.randrange(10_000, 5_000_000) if luck < 0.2 else 0,
            withdrawn=draw.randrange(1_000, 10_000) if luck < 0.07 else 0,
        )


def holdings(block: int) -> Iterator[Holding]:
    """The investments of a block. Their holders are among the people of as many investments, whatever the size."""
    draw = Random(f"holdings {block}")  # noqa: S311 - invented money, no secret
    for j in range(block * BLOCK + 1, (block + 1) * BLOCK + 1):
        plan = PLANS[int(draw.random() ** 1.5 * len(PLANS))]
        user = 1 + int(draw.random() * people(j))
        dollars = draw.random() < 0.04
        units = min(plan.most - 1, round(plan.least * 10 ** (draw.random() * 1.6)))
        idle = j % IDLE_EVERY == 0
        status = "ACTIVE" if not idle else "PENDING" if j % (2 * IDLE_EVERY) else "CANCELLED"
        yield Holding(
            id=j,
            user=user,
            plan=plan,
            principal=max(100, units // 80 if dollars else units) * 100 + draw.choice((0, 0, 0, 50, 99)),
            currency="USD" if dollars else "INR",
            status=status,
            age=None if status == "PENDING" else 1 + int(draw.random() * min(plan.days - 1, joined_s(user) // DAY)),
        )
