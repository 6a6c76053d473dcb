"""`sexton explain`: when a job is due and why, without a database."""

from __future__ import annotations

from datetime import datetime, timedelta

from daemon import in_force, in_words, schedule
from daemon.cli import output
from daemon.cli.common import BadUsage, Invocation
from daemon.clock import utc_now
from daemon.job import Job, OnEvent, Poll

MOST = 100_000
BEFORE = timedelta(microseconds=1)
"""Instants are whole microseconds, and intervals are open at their start: this takes the start in."""
FIRST_YEAR, LAST_YEAR = 1900, 9000
"""Of instants that people give: years that every zone can tell, with room for what comes after them."""


def explain_job(invocation: Invocation, name: str, start: str | None, count: int, *, as_json: bool) -> int:
    """Print when a job is due, with a note on every night that a clock change touches."""
    job = invocation.catalogue.resolve(name)
    if not 1 <= count <= MOST:
        raise BadUsage(f"--count {count}: choose between 1 and {MOST}")
    zone = in_force.zone_of(job)
    after = utc_now() if start is None else parse_instant(start, job, "--from") - BEFORE
    due = in_force.upcoming(job, after, count)
    warnings = [*warnings_of(job), *_left_out(job, after, due)]
    if as_json:
        output.print_json(
            {
                "name": job.name,
                "schedule": in_force.schedule_text(job),
                "timezone": zone.key,
                "due": [{"utc": in_words.iso(i.at), "local": in_words.iso(i.at, zone), "note": i.note} for i in due],
                "warnings": warnings,
            }
        )
        return 0
    print(f"{job.name}: {in_force.schedule_words(job)}")
    if job.summary:
        print(job.summary)
    for warning in warnings:
        output.warn(warning)
    print_instants(job, due)
    return 0


def _left_out(job: Job, after: datetime, due: list[schedule.Instant]) -> list[str]:
    """What clock changes take away from an interval schedule up to the last instant shown: that has no row."""
    if not due or isinstance(job.trigger, Poll | OnEvent):
        return []
    return schedule.passed_over(job.trigger, after, due[-1].at)


def print_instants(job: Job, instants: list[schedule.Instant]) -> None:
    """Local time, UTC and a note for each; where there are none, why, unless it is a poll, whose schedule says it."""
    zone = in_force.zone_of(job)
    if not instants and isinstance(job.trigger, Poll) and job.enabled:
        return
    if not instants:
        print("never due by itself" + ("" if job.enabled else ": it is disabled"))
        return
    rows = [(in_words.moment(i.at, zone), f"{i.at:%Y-%m-%d %H:%M:%S}", i.note or "") for i in instants]
    if zone.key == "UTC":
        output.table(("due", "note"), [(local, remark) for local, _, remark in rows])
    else:
        output.table((f"due ({zone.key})", "UTC", "note"), rows)


def warnings_of(job: Job) -> list[str]:
    """What is surprising about its schedule, and whether it is due at all."""
    if isinstance(job.trigger, Poll | OnEvent):
        return []
    found = [problem.message for problem in schedule.problems(job.trigger)]
    return found if job.enabled else [*found, "disabled: not due"]


def parse_instant(text: str, job: Job, option: str) -> datetime:
    """ISO 8601; without an offset it is the job's local time, the first of two in an autumn night.

    Raises `BadUsage`, for a local time that a spring night skips as well, and for years beyond 1900 to 9000.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadUsage(f"{option} {text}: write an instant like 2026-11-22T15:30 or 2026-11-22T15:30+01:00") from None
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise BadUsage(f"{option} {text}: choose a year from {FIRST_YEAR} to {LAST_YEAR}")
    if at.tzinfo is not None:
        return at.astimezone(utc_now().tzinfo)
    zone = in_force.zone_of(job)
    instant = at.replace(tzinfo=zone).astimezone(utc_now().tzinfo)
    if instant.astimezone(zone).replace(tzinfo=None) != at:
        raise BadUsage(f"{option} {text}: {zone.key} skips this local time; give an offset, as in {text}+00:00")
    return instant
