"""Deciding about all providers at once, in a job's transaction: locked, judged, kept, and told where it changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from daemon import Context, Reader, Row, Transaction, sql, tell_each
from workers.tutoring.failover import FULL, Judged, Known, State, judge, used
from workers.tutoring.provider_headers import Level
from workers.tutoring.settings import Settings

(
    LOCK_STATUSES, LIVE_LEVELS, KEEP_LEVELS, COUNT_LOCALLY, SAVE_STATUSES, ADD_TRANSITIONS, CHOOSE_FALLBACKS, PICK,
    FAILOVERS, SOONEST_RELEASE,
) = sql.load(
    __file__, "lock_statuses", "live_levels", "keep_levels", "count_locally", "save_statuses", "add_transitions",
    "choose_fallbacks", "pick", "failovers", "soonest_release",
)  # fmt: skip

AT_EASE = frozenset({State.OK, State.UNKNOWN})
"""Between these two a provider changes with every pause of its users: that is no news."""

Said = tuple[int, datetime, Level]
"""What an answer said: provider, when it came, level."""


class NoProviderAvailable(Exception):
    """Every provider is blocked, disabled or left out."""


@dataclass(frozen=True, slots=True)
class Picked:
    """Whom to ask. `reason`: preferred, fallback, least used or last resort."""

    name: str
    kind: str
    base_url: str
    state: State
    reason: str


@dataclass(frozen=True, slots=True)
class Transition:
    """A provider that is in another state than before."""

    provider_id: int
    name: str
    before: State
    judged: Judged

    @property
    def is_news(self) -> bool:
        return not {self.before, self.judged.state} <= AT_EASE

    @property
    def is_alert(self) -> bool:
        """Others are asked from now on, it is blocked or let go; or it is back."""
        return self.before.diverted or self.judged.state.diverted


async def pick_provider(reader: Reader | Transaction, now: datetime, leave_out: Sequence[str] = ()) -> Picked:
    """Whom to ask now; `leave_out`: who has just failed. Raises `NoProviderAvailable`."""
    row = await reader.fetchrow(PICK, now, list(leave_out))
    if row is None:
        raise NoProviderAvailable("no AI provider has room now")
    return Picked(row["name"], row["kind"], row["base_url"], State(row["state"]), row["reason"])


async def keep_levels(tx: Transaction, said: Sequence[Said]) -> None:
    if said:
        await tx.execute(
            KEEP_LEVELS, [i for i, _, _ in said], [level.dim for _, _, level in said],
            [level.limit for _, _, level in said], [level.remaining for _, _, level in said],
            [level.reset_at for _, _, level in said], [at for _, at, _ in said],
        )  # fmt: skip


async def decide(
    ctx: Context, tx: Transaction, windows: Sequence[str], said: Sequence[Said] = ()
) -> list[dict[str, Any]]:
    """Judge every provider as things are now, keep what is found and tell what changed.

    `windows`: of which length limits are counted here (minute, day, month). `said`: what was read just now; one that is
    full or refused blocks, though a later answer had room again. Returns name, state and percentage of each, as a run
    reports them.
    """
    settings: Settings = ctx.settings
    rows = await tx.fetch(LOCK_STATUSES, ctx.now())
    now = ctx.now()  # after the wait: another node has perhaps decided later than we began
    await tx.execute(COUNT_LOCALLY, now, list(windows))
    levels: dict[int, list[Level]] = {}
    for found in await tx.fetch(LIVE_LEVELS, now):
        level = Level(found["dim"], found["limit_n"], found["remaining_n"], found["reset_at"])
        levels.setdefault(found["provider_id"], []).append(level)
    for provider_id, _, level in said:
        if used(level) >= FULL:
            levels.setdefault(provider_id, []).append(level)
    judged = [(row, judge(_known(row, levels.get(row["id"], ())), now, settings.limits)) for row in rows]
    await tx.execute(
        SAVE_STATUSES, [row["id"] for row, _ in judged], [j.state.value for _, j in judged],
        [j.usage_4 for _, j in judged], [j.held_until for _, j in judged], now,
    )  # fmt: skip
    changed = [
        Transition(row["id"], row["name"], State(row["state"]), j) for row, j in judged if row["state"] != j.state
    ]
    await _tell(ctx, tx, [change for change in changed if change.is_news], now)
    return [{"provider": row["name"], "state": j.state.value, "percentage": _percentage(j)} for row, j in judged]


def _known(row: Row, levels: Sequence[Level]) -> Known:
    checks = row["good_checks"] if row["is_checked"] else None
    return Known(State(row["state"]), row["held_until"], levels, checks)


def _percentage(judged: Judged) -> float | None:
    return None if judged.usage_4 is None else float(judged.usage_4 * 100)


async def _tell(ctx: Context, tx: Transaction, news: Sequence[Transition], now: datetime) -> None:
    await tx.execute(CHOOSE_FALLBACKS, now)
    if not news:
        return
    fallbacks = {row["provider"]: row["fallback"] for row in await tx.fetch(FAILOVERS)}
    await tx.execute(
        ADD_TRANSITIONS, [c.provider_id for c in news], [c.before.value for c in news],
        [c.judged.state.value for c in news], [c.judged.usage_4 for c in news], [c.judged.reason for c in news], now,
    )  # fmt: skip
    for change in news:
        told = facts(change, fallbacks.get(change.name), now)
        ctx.log.warning("%s: %s", told["sentence"], told["reason"])
        if change.is_alert:
            key = f"tutoring:provider:{change.name}:{change.before}:{change.judged.state}:{now.isoformat()}"
            await tell_each(tx, ctx.settings.administrators, "provider_alert", key=key, data=told, kind="alert")
    if any(change.judged.state is State.BLOCKED for change in news):
        await _tell_if_nobody_is_left(ctx, tx, now)


def facts(change: Transition, fallback: str | None, now: datetime) -> dict[str, Any]:
    """What the template is given, and the log."""
    state = change.judged.state
    return {
        "sentence": _sentence(change, fallback),
        "provider": change.name,
        "before": change.before.value,
        "state": state.value,
        "reason": change.judged.reason,
        "fallback": fallback,
        "until": _said(change.judged.held_until),
        "at": _said(now),
    }


def _sentence(change: Transition, fallback: str | None) -> str:
    if change.judged.state.diverted:
        helped = f"{fallback} stands in for it" if fallback else "nobody is left"
        what = "blocked" if change.judged.state is State.BLOCKED else "set aside"
        return f"{change.name} is {what}, and {helped}"
    return f"{change.name} is asked again" if change.before.diverted else f"{change.name} is {change.judged.state}"


async def _tell_if_nobody_is_left(ctx: Context, tx: Transaction, now: datetime) -> None:
    if await tx.fetchrow(PICK, now, []) is not None:
        return
    until = await tx.fetchval(SOONEST_RELEASE)
    ctx.log.error("no AI provider has room now; the first is let go at %s", _said(until))
    key = f"tutoring:no-provider:{now.isoformat()}"
    data = nobody_left(until, now)
    await tell_each(tx, ctx.settings.administrators, "no_provider", key=key, data=data, kind="alert")


def nobody_left(until: datetime | None, now: datetime) -> dict[str, Any]:
    """What the template is given when no provider has room; `until`: when the first is let go."""
    return {"until": _said(until), "at": _said(now)}


def _said(at: datetime | None) -> str | None:
    return None if at is None else f"{at:%Y-%m-%d %H:%M:%S} UTC"
