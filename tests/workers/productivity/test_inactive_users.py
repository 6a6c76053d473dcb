"""Three mails to who stays away, each once for one absence, and none ever after."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from tests.workers.productivity.house import House, at
from workers.productivity.inactive_users import inactive_users

TEN = at("2026-11-01T10:00")
DAY = timedelta(days=1)


async def days_written(house: House, days: Iterable[int]) -> list[int]:
    """The days after 1 November, ten o'clock, on which the user was written to."""
    written = []
    for day in days:
        result = await house.succeed(inactive_users, TEN + day * DAY)
        written += [day] * result["sent"]
    return written


async def test_after_seven_fourteen_and_thirty_days_and_no_more(house: House) -> None:
    await house.user(1, last_activity_at=at("2026-11-01T23:59"))
    assert await days_written(house, (0, 6, 7, 8, 13, 14, 15, 29, 30, 31, 44)) == [7, 14, 30]
    assert [(data["days"], data["last"]) for data in await house.data()] == [(7, False), (14, False), (30, True)]


async def test_who_comes_back_and_leaves_again_is_written_to_again(house: House) -> None:
    await house.user(1, last_activity_at=at("2026-11-01T12:00"))
    assert await days_written(house, (5, 7, 9)) == [7]
    await house.connection.execute("UPDATE productivity.users SET last_activity_at = '2026-11-11T12:00Z'")
    assert await days_written(house, (10, 16, 17, 18)) == [17]


async def test_a_step_that_downtime_left_out_is_made_up_for_within_two_days(house: House) -> None:
    await house.user(1, last_activity_at=at("2026-11-01T12:00"))
    assert await days_written(house, (9, 13, 14)) == [9, 14]
    assert await days_written(house, (33, 36)) == []


async def test_who_never_came_is_judged_by_the_day_they_signed_up_and_nobody_of_long_ago_is_written_to(
    house: House,
) -> None:
    await house.user(1, created_at=at("2026-10-25T08:00"))
    await house.user(2, created_at=at("2020-01-01T08:00"))
    await house.user(3, last_activity_at=at("2026-10-25T08:00"))
    await house.pref(3, channels='{"inactive": false}')
    assert (await house.succeed(inactive_users, TEN))["suppressed"] == {"nudges are off": 1}
    assert await house.mailed() == [(1, "inactive_users")]


async def test_a_step_that_is_made_up_for_says_how_many_days_it_has_been(house: House) -> None:
    """From the 1st: seven dates, and two more on which nothing ran."""
    for id_ in (1, 2, 3):
        await house.user(id_, last_activity_at=at(f"2026-11-{id_:02}T23:59"))
    await house.succeed(inactive_users, TEN + 9 * DAY)
    assert [(data["name"], data["days"]) for data in await house.data()] == [
        ("user 1", 9),
        ("user 2", 8),
        ("user 3", 7),
    ]
    assert (await house.letters())[0].subject == "9 days without a session: start small?"


async def test_who_has_a_session_was_there_whatever_the_application_noted(house: House) -> None:
    for id_, session in ((1, "2026-11-07T09:00"), (2, "2026-11-01T09:00"), (3, "2026-11-12T09:00")):
        await house.user(id_, last_activity_at=at("2026-11-01T08:00"))
        await house.focus(id_, session, session[:-5] + "09:30")
    await house.succeed(inactive_users, TEN + 7 * DAY)
    assert [user for user, _ in await house.mailed()] == [2, 3]
