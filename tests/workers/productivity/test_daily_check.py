"""Who is asked in the evening: everyone without focus today who still comes, on their own workdays."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.workers.productivity.house import House, at
from workers.productivity.daily_check import daily_check

SIX = at("2026-11-26T18:00")  # a Thursday


async def asked(house: House, due_at: object = SIX, **options: object) -> list[int]:
    await house.succeed(daily_check, due_at, **options)  # type: ignore[arg-type]
    return [user for user, _ in await house.mailed()]


async def test_who_has_not_focused_today_is_asked_and_who_has_is_not(house: House) -> None:
    for id_ in range(1, 7):
        await house.user(id_, last_activity_at=at("2026-11-26T12:00"))
    await house.focus(1, "2026-11-26T08:00", "2026-11-26T08:25")
    await house.focus(2, "2026-11-25T20:00", "2026-11-25T20:25")
    await house.focus(3, "2026-11-25T23:50", "2026-11-26T00:20")  # over midnight: ten minutes are today's
    await house.focus(4, "2026-11-26T08:00", "2026-11-26T07:00")  # ends before it starts
    await house.focus(5, "2026-11-26T17:50")  # runs
    await house.focus(6, "2026-11-26T12:00", "2026-11-26T12:10", kind="BREAK")
    assert await asked(house) == [2, 4, 6]
    days = (await house.data())[0]["days"]
    assert [day["minutes"] for day in days] == [0, 0, 0, 0, 0, 25, 0]


async def test_who_came_yesterday_or_stays_away_is_not_asked(house: House) -> None:
    recently = at("2026-11-26T12:00")
    await house.user(1, created_at=SIX - timedelta(hours=23), last_activity_at=recently)
    await house.user(2, created_at=SIX - timedelta(hours=24), last_activity_at=recently)
    await house.user(3, last_activity_at=SIX - timedelta(days=8))
    await house.user(4, last_activity_at=SIX - timedelta(days=7))
    assert await asked(house) == [2, 4]


@pytest.mark.parametrize(("mask", "wanted"), [(None, [1]), (8, [1]), (127 - 8, []), (0, [])])
async def test_workdays_are_respected_where_they_are_said(house: House, mask: int | None, wanted: list[int]) -> None:
    await house.user(1, last_activity_at=SIX)
    await house.pref(1, workday_mask=mask)
    assert await asked(house) == wanted


async def test_the_evening_is_over_after_three_hours(house: House) -> None:
    await house.user(1, "Australia/Lord_Howe", last_activity_at=SIX)
    assert await asked(house, at("2026-11-26T10:00")) == []  # 21:00
    assert await asked(house, at("2026-11-27T09:45")) == [1]  # 20:45
    assert await house.value("SELECT count(*) FROM productivity.reminder_slot WHERE outcome = 'skipped'") == 0
    assert await house.value("SELECT expires_at FROM sexton.outbox") == at("2026-11-27T12:00")


async def test_who_has_sessions_is_asked_though_the_application_noted_no_activity(house: House) -> None:
    for id_, day in ((1, "2026-11-20"), (2, "2026-11-18"), (3, "2026-11-27")):
        await house.user(id_)
        await house.focus(id_, f"{day}T19:00", f"{day}T19:30")
    assert await asked(house) == [1]
