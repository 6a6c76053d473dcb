"""Which state a provider is in, given what is left of its limits and how its checks went. Pure; time is passed in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from workers.tutoring.provider_headers import Level

FULL = Fraction(1)
FOUR_PLACES = Decimal("0.0001")


class State(StrEnum):
    """Of a provider: with room, nearly full, past the limit for new work, blocked until a reset, or not known."""

    OK = "OK"
    WARN = "WARN"
    FAILOVER = "FAILOVER"
    BLOCKED = "BLOCKED"
    UNKNOWN = "UNKNOWN"

    @property
    def diverted(self) -> bool:
        """Whether others are asked in its stead."""
        return self in (State.FAILOVER, State.BLOCKED)


class LimitSettings(BaseModel):
    """`[suite.tutoring.limits]`: shares of a limit that is used, 0 to 1, and good checks before a provider is back."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    warn: Decimal = Field(default=Decimal("0.80"), gt=0, lt=1)
    failover: Decimal = Field(default=Decimal("0.95"), gt=0, lt=1)
    warn_margin: Decimal = Field(default=Decimal("0.05"), ge=0, lt=1)
    """A warning ends so far below `warn`: a share that wavers about it warns once."""
    good_checks: int = Field(default=3, ge=0, le=100)
    """In a row, since others were asked in its stead. Asked of providers that are checked at all."""

    @model_validator(mode="after")
    def ordered(self) -> Self:
        if not self.warn_margin < self.warn < self.failover:
            raise ValueError(
                f"warn_margin = {self.warn_margin}, warn = {self.warn}, failover = {self.failover}: each must be "
                "larger than the one before"
            )
        return self


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one provider. `held_until`: the latest reset of what diverted it, or its block's end.

    `good_checks`: in a row, the newest ones, since `state` began; None where nobody checks it.
    """

    state: State
    held_until: datetime | None
    levels: Sequence[Level]
    good_checks: int | None


@dataclass(frozen=True, slots=True)
class Judged:
    """`usage`: the fullest of its limits, exact; None where nothing is known. `reason`: for people."""

    state: State
    usage: Fraction | None
    held_until: datetime | None
    reason: str

    @property
    def usage_4(self) -> Decimal | None:
        """Cut off, never rounded up: 0.99996 is not 1."""
        if self.usage is None:
            return None
        return (Decimal(self.usage.numerator) / Decimal(self.usage.denominator)).quantize(FOUR_PLACES, ROUND_FLOOR)


def used(level: Level) -> Fraction:
    """0 to 1. A limit of 0 allows nothing, so it is full."""
    if level.limit <= 0:
        return FULL
    return min(FULL, max(Fraction(0), 1 - Fraction(level.remaining, level.limit)))


def judge(known: Known, now: datetime, limits: LimitSettings) -> Judged:
    """The state after this moment. What was to be whole again by now says nothing any more.

    Full: blocked until it is whole again, and never let go before. Past `failover`: others are asked. Back from there
    only below `warn`, after the reset, and with good checks; in between nothing changes.
    """
    live = [level for level in known.levels if level.reset_at > now]
    fullest = max(live, key=lambda level: (used(level), level.reset_at), default=None)
    usage = used(fullest) if fullest else None
    ahead = known.held_until if known.held_until is not None and known.held_until > now else None
    full = [level.reset_at for level in live if used(level) >= FULL]
    if full:
        until = max([*full, ahead] if known.state is State.BLOCKED and ahead else full)
        return Judged(State.BLOCKED, usage, until, f"{_words(fullest)}, until {_at(until)}")
    if known.state is State.BLOCKED and ahead:
        return Judged(State.BLOCKED, usage, ahead, f"blocked until {_at(ahead)}")
    if fullest is not None and used(fullest) >= limits.failover:
        return Judged(State.FAILOVER, usage, _later(fullest.reset_at, ahead), _words(fullest))
    if known.state.diverted and (why := _not_yet(known, usage, ahead, limits)):
        held = fullest.reset_at if fullest is not None and used(fullest) >= limits.warn else None
        return Judged(State.FAILOVER, usage, _later(held, ahead), why)
    return _at_ease(known.state, fullest, limits)


def _at_ease(before: State, fullest: Level | None, limits: LimitSettings) -> Judged:
    if fullest is None:
        return Judged(State.UNKNOWN, None, None, "nothing is known of its limits")
    usage = used(fullest)
    warned = before is State.WARN and usage >= limits.warn - limits.warn_margin
    state = State.WARN if usage >= limits.warn or warned else State.OK
    return Judged(state, usage, None, _words(fullest))


def _not_yet(known: Known, usage: Fraction | None, ahead: datetime | None, limits: LimitSettings) -> str | None:
    """Why a diverted provider is not asked again yet; None when it may be."""
    if usage is not None and usage >= limits.warn:
        return f"{_percent(usage)} used, and it is back below {_percent(Fraction(limits.warn))}"
    if ahead is not None:
        return f"its limit is whole again at {_at(ahead)}"
    if known.good_checks is not None and known.good_checks < limits.good_checks:
        return f"{known.good_checks} of {limits.good_checks} good checks in a row"
    return None


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(one, other) if one and other else one or other


def _words(level: Level | None) -> str:
    if level is None:
        return "nothing is known of its limits"
    return f"{_percent(used(level))} of its {level.dim.replace('_', ' ')} used"


def _percent(share: Fraction) -> str:
    return f"{float(share * 100):.4g} %"


def _at(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"
