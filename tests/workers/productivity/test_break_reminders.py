"""Breaks: after 25 minutes without one, in working hours, on workdays and outside quiet hours of one's own clock."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from tests.workers.productivity.house import House, at
from tests.workers.productivity.test_slots import ODD, OWN, instants
from workers.productivity.break_reminders import at_work, break_reminders

FIVE = timedelta(minutes=5)
NOON = at("2026-11-26T12:00")  # a Thursday


async def reminded(house: House, start: str, end: str) -> list[str]:
    """The local times in UTC at which a mail was left, of all ticks from `start` up to `end`."""
    found, now = [], at(start)
    while now < at(end):
        if now.minute % 25 == 0 and (await house.succeed(break_reminders, now))["sent"]:
            found.append(f"{now:%H:%M}")
        now += FIVE
    return found


@given(st.sampled_from(ODD), instants)
def test_ticks_of_five_minutes_meet_the_local_times_of_the_cron_field_in_every_zone(zone: str, start: object) -> None:
    begin = start.replace(minute=0, second=0, microsecond=0)  # type: ignore[attr-defined]
    ticks = [begin + n * FIVE for n in range(24 * 12)]
    shown = [tick.astimezone(ZoneInfo(zone)) for tick in ticks if at_work([zone], OWN, tick)]
    wanted = [local for local in (t.astimezone(ZoneInfo(zone)) for t in ticks)
              if local.hour in range(9, 18) and local.minute in (0, 25, 50)]  # fmt: skip
    assert shown == wanted
    assert shown  # 26 to 28 on most days; more or less where the clocks change at work


async def test_a_long_session_is_reminded_every_25_minutes_and_never_before(house: House) -> None:
    """From 09:50 to 10:00 the cron field waits ten minutes; nobody is reminded twice for that."""
    await house.user(1)
    await house.focus(1, "2026-11-26T08:45")
    assert await reminded(house, "2026-11-26T08:45", "2026-11-26T11:00") == ["09:25", "09:50", "10:25", "10:50"]


async def test_a_break_counts_from_its_end_and_nobody_is_reminded_in_one(house: House) -> None:
    await house.user(1)
    await house.focus(1, "2026-11-26T09:00")
    await house.focus(1, "2026-11-26T09:30", "2026-11-26T09:40", kind="BREAK")
    await house.focus(1, "2026-11-26T11:00", kind="BREAK")
    assert await reminded(house, "2026-11-26T09:00", "2026-11-26T13:00") == ["09:25", "10:25", "10:50"]


async def test_only_working_hours_of_workdays_outside_quiet_hours_are_for_breaks(house: House) -> None:
    sessions = at("2026-11-26T11:00")
    for id_, tz in enumerate(("UTC", "Asia/Kolkata", "America/New_York", "UTC", "UTC", "UTC", "UTC"), 1):
        await house.user(id_, tz)
        await house.insert("timer_session", user_id=id_, started_at=sessions)
    await house.pref(4, workday_mask=127 - 8)
    await house.pref(5, quiet_start=at("2026-11-26T11:30").time(), quiet_end=at("2026-11-26T12:30").time())
    await house.pref(6, channels='{"break": false}')
    await house.pref(7, quiet_start=at("2026-11-26T20:00").time(), quiet_end=at("2026-11-26T12:00").time())
    result = await house.succeed(break_reminders, NOON)  # 17:30 in Kolkata, 07:00 in New York
    assert result["suppressed"] == {"no workday": 1, "quiet hours": 1, "reminders of breaks are off": 1}
    assert [user for user, _ in await house.mailed()] == [1, 7]


async def test_saturdays_are_for_who_says_so(house: House) -> None:
    for id_ in (1, 2):
        await house.user(id_)
        await house.insert("timer_session", user_id=id_, started_at=at("2026-11-28T11:00"))
    await house.pref(2, workday_mask=32)
    assert (await house.succeed(break_reminders, at("2026-11-28T12:00")))["suppressed"] == {"no workday": 1}
    assert [user for user, _ in await house.mailed()] == [2]


async def test_sessions_that_were_forgotten_overlap_or_are_over_remind_nobody_twice(house: House) -> None:
    for id_ in (1, 2, 3):
        await house.user(id_)
    await house.focus(1, "2026-11-25T19:59")  # of over sixteen hours: forgotten
    await house.focus(2, "2026-11-26T09:00", "2026-11-26T11:59")
    for started in ("2026-11-26T10:00", "2026-11-26T11:00"):
        await house.focus(3, started)
    assert (await house.succeed(break_reminders, NOON))["sent"] == 1
    assert await house.mailed() == [(3, "break_reminders")]
    assert await house.value("SELECT expires_at FROM sexton.outbox") == NOON + 3 * FIVE


async def test_one_zone_for_everybody_reminds_at_the_cron_times_of_that_zone(house: House) -> None:
    for id_, tz in enumerate(("Asia/Kathmandu", "America/New_York", "Nowhere"), 1):
        await house.user(id_, tz)
        await house.insert("timer_session", user_id=id_, started_at=at("2026-11-26T08:00"))
    literal = {"reminders": {"timezone": "Europe/Zurich"}}
    for tick, sent in (("08:25", 3), ("08:45", 0), ("08:50", 3), ("17:00", 0)):
        assert (await house.succeed(break_reminders, at(f"2026-11-26T{tick}"), settings=literal))["sent"] == sent, tick


async def test_a_mail_says_for_how_long_there_was_no_break_and_not_since_the_last_mail(house: House) -> None:
    await house.user(1)
    await house.focus(1, "2026-11-26T09:00")
    for tick in ("09:25", "09:50", "10:25"):
        await house.succeed(break_reminders, at(f"2026-11-26T{tick}"))
    assert [data["minutes"] for data in await house.data()] == [25, 50, 85]


async def test_by_hand_breaks_are_due_at_any_minute_of_working_hours_and_after_25_minutes_all_the_same(
    house: House,
) -> None:
    for id_, zone, started in ((1, "UTC", "14:12"), (2, "UTC", "14:13"), (3, "Asia/Tokyo", "14:00")):
        await house.user(id_, zone)
        await house.focus(id_, f"2026-11-26T{started}")
    now = at("2026-11-26T14:37")  # 23:37 in Tokyo
    assert (await house.succeed(break_reminders, now))["sent"] == 1
    assert (await house.succeed(break_reminders, now + timedelta(minutes=1)))["sent"] == 1
    assert [user for user, _ in await house.mailed()] == [1, 2]
