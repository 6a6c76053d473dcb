"""PURE: may this message go to this person now, and what follows from what the channel said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from daemon import zones
from daemon.channels.channel import Delivery, Verdict
from daemon.outbox import OutboxRow, Recipient
from daemon.quiet_hours import QuietHours
from daemon.retry import GiveUp, RetryPolicy, decide

UNSUBSCRIBED, OPTED_OUT, HARD_BOUNCE = "unsubscribed", "opted out", "hard bounce"
ERROR_LENGTH = 2000


@dataclass(frozen=True, slots=True)
class Suppression:
    """Somebody who is not written to any more. `address`: it holds for that address only."""

    reason: str
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Go:
    """It may be sent now."""

    address: str


@dataclass(frozen=True, slots=True)
class Later:
    """Not before `at`."""

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Never:
    """It will not be sent, and that is as it should be."""

    reason: str


def judged(
    row: OutboxRow,
    person: Recipient | None,
    suppression: Suppression | None,
    now: datetime,
    default: QuietHours,
    home: ZoneInfo,
) -> Go | Later | Never:
    """`person` is None for a message that was given an address, and for a recipient that is not there.

    `default` and `home` are the hours and the zone of people who say none.

    Sign-in codes and the like (security) go to whoever is there: preferences and quiet hours are not asked.
    """
    if row.expires_at is not None and row.expires_at <= now:
        return Never(f"expired at {row.expires_at.isoformat()}")
    if row.recipient is not None and (person is None or person.deleted):
        return Never(f"recipient {row.recipient!r} is {'deleted' if person else 'not there'}")
    address = row.address if person is None else person.address(row.channel)
    if address is None:
        return Never(f"recipient {row.recipient!r} has no address for {row.channel}")
    if (refusal := _refusal(row, person, suppression, address)) is not None:
        return Never(refusal)
    until = _quiet_until(row, person, now, default, home)
    if until is None:
        return Go(address)
    if row.expires_at is not None and row.expires_at <= until:
        return Never("expires within quiet hours")
    return Later(until, "quiet hours")


def _refusal(row: OutboxRow, person: Recipient | None, suppression: Suppression | None, address: str) -> str | None:
    if person is not None and row.kind != "security":
        refused = sorted({row.channel, row.kind} & set(person.opted_out))
        if refused:
            return f"opted out of {', '.join(refused)}"
    if suppression is None or (suppression.address is not None and suppression.address != address):
        return None
    if suppression.reason == UNSUBSCRIBED and row.kind not in ("promotional", "alert"):
        return None
    return suppression.reason


def _quiet_until(
    row: OutboxRow, person: Recipient | None, now: datetime, default: QuietHours, home: ZoneInfo
) -> datetime | None:
    """Promotional messages to a person only: of a bare address the wall clock is not known."""
    if row.kind != "promotional" or person is None:
        return None
    hours = QuietHours(
        default.start if person.quiet_start is None else person.quiet_start,
        default.end if person.quiet_end is None else person.quiet_end,
    )
    return hours.until(now, _zone(person.timezone, home))


def _zone(name: str | None, home: ZoneInfo) -> ZoneInfo:
    try:
        return zones.zone(name) if name else home
    except ValueError:  # a suite's view says it; a person is not left without mail for a misspelt zone
        return home


@dataclass(frozen=True, slots=True)
class Settlement:
    """What is written of one claimed message. `at`: not before then, for one that goes back to pending.

    `unharmed`: it was not sent, so the try does not count. `failed`: it counts towards giving up.
    """

    row: OutboxRow
    state: str
    detail: str = ""
    provider_id: str | None = None
    at: datetime | None = None
    unharmed: bool = False
    failed: bool = False
    suppression: Suppression | None = None
    disables: bool = False

    @property
    def given_up(self) -> bool:
        return self.state in ("failed", "unknown")


def given_back(row: OutboxRow, detail: str = "", at: datetime | None = None) -> Settlement:
    """Not sent, through no fault of its own."""
    return Settlement(row, "pending", detail, at=at, unharmed=True)


def not_to_be_sent(row: OutboxRow, ruling: Later | Never) -> Settlement:
    if isinstance(ruling, Later):
        return given_back(row, ruling.reason, ruling.at)
    return Settlement(row, "suppressed", ruling.reason, unharmed=True)


def settled(
    row: OutboxRow, address: str, delivery: Delivery, policy: RetryPolicy, *, now: datetime, chance: float
) -> Settlement:
    """What the channel's answer means for the message. `chance` in [0, 1) spreads the retries."""
    detail = delivery.detail[:ERROR_LENGTH]
    match delivery.verdict:
        case Verdict.SENT:
            return Settlement(row, "sent", provider_id=delivery.provider_id)
        case Verdict.RETRY:
            return _retried(row, delivery, policy, now, chance)
        case Verdict.REJECTED:
            bounced = Suppression(HARD_BOUNCE, address) if delivery.address_is_dead else None
            return Settlement(row, "failed", detail, failed=True, suppression=bounced)
        case Verdict.OPTED_OUT:
            return Settlement(row, "suppressed", detail, suppression=Suppression(OPTED_OUT, address))
        case Verdict.UNKNOWN if may_repeat(row):
            return _retried(row, delivery, policy, now, chance)
        case Verdict.UNKNOWN:
            return Settlement(row, "unknown", detail, delivery.provider_id)
        case Verdict.DOWN | Verdict.BUSY:
            return given_back(row, detail, None if delivery.retry_after is None else now + delivery.retry_after)
        case Verdict.DISABLED:
            return Settlement(row, "pending", detail, unharmed=True, disables=True)


def may_repeat(row: OutboxRow) -> bool:
    """Whether to send again what may have arrived. A mail has its Message-ID and a chat line does no harm twice; a
    text message is not repeated, but for a code that somebody waits for, once."""
    return row.channel != "sms" or (row.kind == "security" and row.attempts == 1)


def interrupted(row: OutboxRow, detail: str) -> Settlement:
    """We stopped while it was being sent: it may have arrived, and it is not to blame."""
    return Settlement(row, "pending" if may_repeat(row) else "unknown", detail)


def _retried(row: OutboxRow, delivery: Delivery, policy: RetryPolicy, now: datetime, chance: float) -> Settlement:
    verdict = decide(policy, row.failures + 1, now=now, jitter_seed=chance)
    detail = delivery.detail[:ERROR_LENGTH]
    if isinstance(verdict, GiveUp):
        return Settlement(row, "failed", detail, failed=True)
    at = max(verdict.at, now + (delivery.retry_after or timedelta(0)))
    return Settlement(row, "pending", detail, at=at, failed=True)
