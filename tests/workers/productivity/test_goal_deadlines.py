"""Goals that come due: told once at nine of everyone's own clock, whatever people, goals and clocks are like."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from tests.workers.productivity.house import PAGES, House, at
from workers.productivity.goal_deadlines import goal_deadlines

NINE = at("2026-11-26T09:00")
TICK = timedelta(minutes=15)


async def test_tomorrow_and_the_week_after_are_one_digest_and_each_goal_is_told_once_in_each(house: House) -> None:
    await house.user(1)
    for title, due_on in (("today", "2026-11-26"), ("tomorrow", "2026-11-27"), ("week", "2026-12-03"),
                          ("later", "2026-12-04")):  # fmt: skip
        await house.goal(1, title, due_on)
    await house.goal(1, "done", "2026-11-27", status="DONE", completed_at=NINE)
    assert await house.succeed(goal_deadlines, NINE) == {"slots": 1, "skipped_slots": 0, "sent": 1, "suppressed": {}}
    ((told,),) = [(data["goals"],) for data in await house.data()]
    assert [(goal["title"], goal["days"]) for goal in told] == [("tomorrow", 1), ("week", 7)]
    assert (await house.succeed(goal_deadlines, NINE + TICK))["sent"] == 0
    await house.succeed(goal_deadlines, NINE + timedelta(days=1))
    assert [goal["title"] for goal in (await house.data())[1]["goals"]] == ["later"]


async def test_a_goal_that_moves_to_another_date_is_told_anew(house: House) -> None:
    await house.user(1)
    await house.goal(1, "moving", "2026-11-27")
    await house.succeed(goal_deadlines, NINE)
    await house.connection.execute("UPDATE productivity.goal SET due_on = '2026-11-28'")
    await house.succeed(goal_deadlines, NINE + timedelta(days=1))
    assert [data["tomorrow"] for data in await house.data()] == [1, 1]


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        ({"email_enabled": False}, "e-mail is off"),
        ({"channels": '{"goal": false}'}, "reminders of goals are off"),
        ({"channels": '{"daily": false}'}, None),
    ],
)
async def test_wishes_are_respected_and_counted(house: House, wish: dict[str, object], why: str | None) -> None:
    await house.user(1)
    await house.pref(1, **wish)
    await house.goal(1, "a", "2026-11-27")
    result = await house.succeed(goal_deadlines, NINE)
    assert (result["sent"], result["suppressed"]) == ((0, {why: 1}) if why else (1, {}))


async def test_who_unsubscribed_or_is_deleted_gets_nothing_and_a_new_address_is_tried_again(house: House) -> None:
    for id_ in (1, 2, 3):
        await house.user(id_)
        await house.goal(id_, "a", "2026-11-27")
    for id_, reason, address in ((1, "unsubscribed", None), (3, "hard bounce", "old@example.org")):
        await house.connection.execute(
            "INSERT INTO sexton.suppression (suite, recipient, channel, reason, address) "
            "VALUES ('productivity', $1, 'email', $2, $3)", str(id_), reason, address,
        )  # fmt: skip
    await house.connection.execute("UPDATE productivity.users SET deleted_at = now() WHERE id = 2")
    result = await house.succeed(goal_deadlines, NINE)
    assert (result["sent"], result["suppressed"]) == (1, {"unsubscribed": 1})
    assert await house.mailed() == [(3, "goal_deadlines")]


async def test_an_unknown_zone_is_served_by_the_default_clock_and_told_in_the_log(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    await house.user(1, "Mars/Olympus")
    await house.user(2, "Etc/\t'; DROP")
    for id_ in (1, 2):
        await house.goal(id_, "a", "2026-11-27")
    assert (await house.succeed(goal_deadlines, NINE))["sent"] == 2
    await house.succeed(goal_deadlines, NINE + TICK)
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        "2 time zones of people do not exist, and UTC stands for them: \"Etc/\\t'; DROP\", 'Mars/Olympus'"
    ]


async def test_a_zone_longer_than_any_is_refused_for_the_one_whose_it_is(house: House) -> None:
    await house.user(1, "Z" * 100)
    await house.goal(1, "a", "2026-11-27")
    with pytest.raises(asyncpg.CheckViolationError, match="users_tz_length"):
        await house.user(2, "Z" * 101)
    assert (await house.succeed(goal_deadlines, NINE))["sent"] == 1


async def test_who_moves_west_is_not_told_twice_on_one_date_and_who_moves_east_is_told_late(house: House) -> None:
    """1 had Zurich's reminder and flies to New York; 2 leaves New York before nine for Kolkata, where nine is past."""
    await house.user(1, "Europe/Zurich")
    await house.user(2, "America/New_York")
    await house.user(3, "Asia/Kolkata")
    for id_ in (1, 2, 3):
        await house.goal(id_, "a", "2026-11-28")
    await house.succeed(goal_deadlines, at("2026-11-26T03:30"))
    await house.succeed(goal_deadlines, at("2026-11-26T08:00"))
    await house.connection.execute("UPDATE productivity.users SET tz = 'America/New_York' WHERE id = 1")
    await house.connection.execute(
        "UPDATE productivity.users SET tz = 'Asia/Kolkata', tz_set_at = '2026-11-26T08:50Z' WHERE id = 2"
    )
    await house.goal(1, "another", "2026-11-28")
    await house.succeed(goal_deadlines, at("2026-11-26T09:00"))
    await house.succeed(goal_deadlines, at("2026-11-26T14:00"))
    assert [user for user, _ in await house.mailed()] == [3, 1, 2]
    told = "SELECT count(*) FROM productivity.reminder_log WHERE user_id = 1 AND kind = 'goal'"
    assert await house.value(told) == 1  # the other goal is for tomorrow's mail


async def test_a_date_that_samoa_left_out_is_noted_and_the_next_is_told(house: House) -> None:
    long_ago = at("2011-01-01T00:00")
    await house.user(1, "Pacific/Apia", created_at=long_ago, tz_set_at=long_ago)
    await house.goal(1, "a", "2012-01-01")
    for now in ("2011-12-29T19:00", "2011-12-30T10:00", "2011-12-30T19:00"):
        await house.succeed(goal_deadlines, at(now))
    assert await house.rows("SELECT local_date::text, outcome, reason FROM productivity.reminder_slot ORDER BY 1") == [
        ("2011-12-29", "served", None), ("2011-12-30", "skipped", "Pacific/Apia has no 2011-12-30"),
        ("2011-12-31", "served", None),
    ]  # fmt: skip
    assert [(data["date"], data["tomorrow"]) for data in await house.data()] == [("2011-12-29", 0), ("2011-12-31", 1)]


async def test_after_downtime_a_slot_is_served_within_its_window_and_skipped_with_the_reason_beyond(
    house: House,
) -> None:
    await house.user(1)
    await house.goal(1, "a", "2026-11-27")
    await house.goal(1, "b", "2026-11-29")
    await house.succeed(goal_deadlines, NINE - timedelta(days=2))
    await house.succeed(goal_deadlines, NINE + timedelta(hours=5, minutes=45))
    assert await house.rows("SELECT local_date::text, outcome, reason FROM productivity.reminder_slot ORDER BY 1") == [
        ("2026-11-24", "served", None),
        ("2026-11-25", "skipped",
         "too late: due at 2026-11-25T09:00:00+00:00, and first looked at 2026-11-26T14:45:00+00:00"),
        ("2026-11-26", "served", None),
    ]  # fmt: skip
    result = await house.succeed(goal_deadlines, NINE + timedelta(days=1, hours=6))
    assert (result["sent"], result["skipped_slots"]) == (0, 1)
    assert len(await house.mailed()) == 2


async def test_ten_thousand_goals_are_twenty_lines_and_how_many_more(house: House) -> None:
    await house.user(1, name="علي 🦊")
    await house.connection.execute(
        "INSERT INTO productivity.goal (user_id, title, due_on) SELECT 1, NULLIF('goal ' || n, 'goal 1'), "
        "date '2026-11-27' + n % 7 FROM generate_series(1, 10000) n"
    )
    assert (await house.succeed(goal_deadlines, NINE))["sent"] == 1
    (data,) = await house.data()
    assert (len(data["goals"]), data["more"], data["tomorrow"] + data["next_week"]) == (20, 9980, 10000)
    assert (await house.succeed(goal_deadlines, NINE + timedelta(days=1)))["sent"] == 1
    assert (await house.data())[1]["next_week"] == 0


async def test_goals_without_titles_and_names_of_any_script_are_text(house: House) -> None:
    await house.user(1, name="<b>عَلِيّ</b> 👩🏽‍🚀", tz="Asia/Kathmandu")
    await house.user(2, name=None, tz="Asia/Kathmandu")
    await house.goal(1, None, "2026-11-27", progress=40)
    await house.goal(2, "a\r\nBcc: everybody@example.org", "2026-11-28")
    await house.succeed(goal_deadlines, at("2026-11-26T03:15"))
    first, second = await house.letters()
    assert (first.subject, second.subject) == (
        "A goal without a title is due tomorrow", "a Bcc: everybody@example.org is due in 2 days",
    )  # fmt: skip
    assert "Hello <b>عَلِيّ</b> 👩🏽‍🚀,\n" in first.text
    assert f"{PAGES}/goals/" in first.text
    assert second.text.startswith("Hello,\n")


async def test_two_nodes_on_the_night_the_clocks_change_tell_everybody_once(house: House) -> None:
    """Nine ticks of the night at which half past two comes twice, by two nodes each, all at once."""
    for id_ in range(1, 41):
        await house.user(id_, ("Europe/Zurich", "Europe/Berlin")[id_ % 2])
        await house.goal(id_, "a", "2026-10-26")
    settings = {"reminders": {"goal_deadlines_at": "02:30"}}
    ticks = [at("2026-10-25T00:15") + n * timedelta(minutes=7, seconds=30) for n in range(12)]
    await asyncio.gather(*(house.perform(goal_deadlines, tick, settings=settings) for tick in ticks))
    assert sorted(user for user, _ in await house.mailed()) == list(range(1, 41))
    assert await house.value("SELECT count(*) FROM productivity.reminder_slot") == 2


async def test_who_is_deleted_while_the_reminder_is_written_costs_nobody_else_theirs(house: House) -> None:
    for id_ in (1, 2):
        await house.user(id_)
        await house.goal(id_, "a", "2026-11-27")
    async with house.connection.transaction():
        await house.connection.execute("DELETE FROM productivity.users WHERE id = 1")
        result = await house.succeed(goal_deadlines, NINE)
    assert result["sent"] == 2
    assert await house.rows(
        "SELECT o.recipient, r.id IS NULL FROM sexton.outbox o LEFT JOIN productivity.sexton_recipient r "
        "ON r.id = o.recipient ORDER BY o.id"
    ) == [("1", True), ("2", False)]


async def test_one_zone_for_everybody_is_the_cron_time_of_that_zone(house: House) -> None:
    for id_, tz in enumerate(("Asia/Kolkata", "America/New_York", "Nowhere"), 1):
        await house.user(id_, tz)
        await house.goal(id_, "a", "2026-11-27")
    literal = {"reminders": {"timezone": "Europe/Zurich"}}
    for hour in range(24):
        await house.succeed(goal_deadlines, at(f"2026-11-26T{hour:02}:00"), settings=literal)
        assert len(await house.mailed()) == (3 if hour >= 8 else 0)
