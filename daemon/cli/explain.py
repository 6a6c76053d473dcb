"""`sexton explain`: when a job is due and why, without a database."""

from __future__ import annotations

from datetime import datetime

from daemon import schedule
from daemon.cli import in_force, output
from daemon.cli.common import BadUsage, Invocation
from daemon.clock import utc_now
from daemon.job import Job, OnEvent, Poll

MOST = 100_000


def explain_job(invocation: Invocation, name: str, start: str | None, count: int, *, as_json: bool) -> int:
    """Print when a job is due, with a note on every night that a clock change touches."""
    job = invocation.catalogue.resolve(name)
    if not 1 <= count <= MOST:
        raise BadUsage(f"--count {count}: choose between 1 and {MOST}")
    zone = in_force.zone_of(job)
    after = utc_now() if start is None else parse_instant(start, job, "--from")
    due = [
        {"utc": output.iso(i.at), "local": output.iso(i.at, zone), "note": i.note}
        for i in in_force.upcoming(job, after, count)
    ]
    answer = {
        "name": job.name,
        "schedule": in_force.schedule_text(job),
        "timezone": zone.key,
        "due": due,
        "warnings": warnings_of(job),
    }
    if as_json:
        output.print_json(answer)
        return 0
    print(f"{job.name}: {in_force.schedule_words(job)}")
    if job.summary:
        print(job.summary)
    for warning in warnings_of(job):
        output.warn(warning)
    print_instants(job, in_force.upcoming(job, after, count))
    return 0


def print_instants(job: Job, instants: list[schedule.Instant]) -> None:
    """Local time, UTC and a note for each; where there are none, why."""
    zone = in_force.zone_of(job)
    if not instants:
        print("never due by itself" + ("" if job.enabled else ": it is disabled"))
        return
    rows = [(output.moment(i.at, zone), f"{i.at:%Y-%m-%d %H:%M:%S}", i.note or "") for i in instants]
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

    Raises `BadUsage`, for a local time that a spring night skips as well.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadUsage(f"{option} {text}: write an instant like 2026-11-22T15:30 or 2026-11-22T15:30+01:00") from None
    if at.tzinfo is not None:
        return at.astimezone(utc_now().tzinfo)
    zone = in_force.zone_of(job)
    instant = at.replace(tzinfo=zone).astimezone(utc_now().tzinfo)
    if instant.astimezone(zone).replace(tzinfo=None) != at:
        raise BadUsage(f"{option} {text}: {zone.key} skips this local time; give an offset, as in {text}+00:00")
    return instant
