"""Reminders of more people than one transaction is about: each is told once, whatever stops the run between two."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.workers.productivity.house import House, at
from workers.productivity import reminding
from workers.productivity.daily_check import daily_check
from workers.productivity.weekly_review import weekly_review

SIX = at("2026-11-26T17:00")  # in Lagos and in Zurich
ALL = list(range(1, 8))
REFUSE = """
CREATE FUNCTION productivity.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE 'no mail for %', NEW.recipient;
END $$;
CREATE TRIGGER refuse BEFORE INSERT ON sexton.outbox FOR EACH ROW WHEN (NEW.recipient = '6')
    EXECUTE FUNCTION productivity.refuse();
"""


@pytest.fixture(autouse=True)
def batches_of_two(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(reminding, "AT_ONCE", 2)
    return iter(())


async def seven_people(house: House) -> None:
    """3 wants no daily checks."""
    for id_ in ALL:
        await house.user(id_, "Africa/Lagos" if id_ % 2 else "Europe/Zurich", last_activity_at=SIX)
    await house.pref(3, channels='{"daily": false}')


async def told(house: House) -> list[int]:
    return sorted(user for user, _ in await house.mailed())


async def stopped(house: House) -> int:
    """The run that could not write to 6, who is of its third batch."""
    await seven_people(house)
    await house.connection.execute(REFUSE)
    run = await house.perform(daily_check, SIX)
    assert run.ending == "failed"
    assert "no mail for 6" in (run.error or "")
    await house.connection.execute("DROP TRIGGER refuse ON sexton.outbox")
    assert await told(house) == [1, 2, 4]
    assert await house.count("reminder_slot") == 0
    return run.id


def came_of(sent: int, suppressed: dict[str, int], slots: int = 2) -> dict[str, Any]:
    return {"slots": slots, "skipped_slots": 0, "sent": sent, "suppressed": suppressed}


async def test_everybody_of_several_batches_is_told_once_and_counted(house: House) -> None:
    await seven_people(house)
    assert await house.succeed(daily_check, SIX) == came_of(6, {"daily checks are off": 1})
    assert await told(house) == [1, 2, 4, 5, 6, 7]
    assert await house.succeed(daily_check, SIX + timedelta(minutes=15)) == came_of(0, {}, slots=0)
    assert await house.count("run_tally") == 0


async def test_a_retry_tells_the_rest_and_reports_all(house: House) -> None:
    run = await stopped(house)
    later = SIX + timedelta(minutes=20)
    assert await house.succeed(daily_check, SIX, resume=run, now=later) == came_of(6, {"daily checks are off": 1})
    assert await told(house) == [1, 2, 4, 5, 6, 7]
    assert await house.rows("SELECT DISTINCT evaluated_at FROM productivity.reminder_slot") == [(SIX,)]


async def test_a_new_run_after_one_that_failed_tells_the_rest(house: House) -> None:
    await stopped(house)
    result = await house.succeed(daily_check, SIX + timedelta(minutes=15))
    assert result == came_of(3, {"daily checks are off": 1})
    assert await told(house) == [1, 2, 4, 5, 6, 7]


async def test_who_moves_between_two_tries_is_told_once(house: House) -> None:
    """1 and 7 to the zone of the other half, 2 and 6 to where it is an hour later, and was served in time."""
    run = await stopped(house)
    for ids, zone in (((1, 7), "Europe/Zurich"), ((2, 6), "Africa/Cairo")):
        move = "UPDATE productivity.users SET tz = $1, tz_set_at = $2 WHERE id = ANY ($3)"
        await house.connection.execute(move, zone, SIX + timedelta(minutes=5), ids)
    await house.succeed(daily_check, SIX, resume=run, now=SIX + timedelta(minutes=20))
    await house.succeed(daily_check, SIX + timedelta(minutes=30))
    assert await told(house) == [1, 2, 4, 5, 6, 7]


async def test_a_retry_after_the_window_tells_nobody_and_says_why(house: House) -> None:
    run = await stopped(house)
    day_before = SIX - timedelta(days=1)
    for zone in ("Africa/Lagos", "Europe/Zurich"):
        await house.insert(
            "reminder_slot", kind="daily_check", zone=zone, local_date=day_before.date(), due_at=day_before,
            evaluated_at=day_before, outcome="served",
        )  # fmt: skip
    result = await house.succeed(daily_check, SIX, resume=run, now=SIX + timedelta(hours=4))
    assert (result["sent"], result["skipped_slots"]) == (3, 2)
    assert await told(house) == [1, 2, 4]
    reasons = await house.rows("SELECT left(reason, 8) FROM productivity.reminder_slot WHERE outcome = 'skipped'")
    assert reasons == [("too late",)] * 2


async def test_a_retry_leaves_slots_that_came_meanwhile_to_the_next_tick(house: House) -> None:
    """Whoever comes before the batch it goes on with would be left out."""
    run = await stopped(house)
    await house.user(-5, "Europe/London", last_activity_at=SIX)
    await house.succeed(daily_check, SIX, resume=run, now=SIX + timedelta(hours=1))
    assert -5 not in await told(house)
    await house.succeed(daily_check, SIX + timedelta(hours=1, minutes=15))
    assert -5 in await told(house)


async def test_a_few_people_of_a_zone_are_one_batch_however_many_others_there_are(house: House) -> None:
    """The slot is noted and everybody told in the transaction that ends the run."""
    await seven_people(house)
    await house.user(8, "Asia/Tokyo", last_activity_at=SIX)
    await house.connection.execute(REFUSE.replace("'6'", "'8'"))
    nine = at("2026-11-26T09:00")
    assert (await house.perform(daily_check, nine)).ending == "failed"
    assert await house.value("SELECT cursor FROM sexton.run") is None
    await house.connection.execute("DROP TRIGGER refuse ON sexton.outbox")
    assert await house.succeed(daily_check, nine + timedelta(minutes=15)) == came_of(1, {}, slots=1)


async def test_weeks_are_told_in_batches_too(house: House) -> None:
    sunday = at("2026-11-29T18:00")
    for id_ in ALL:
        await house.user(id_, "Europe/Zurich")
        await house.goal(id_, None, "2026-12-01")
    assert await house.succeed(weekly_review, sunday) == came_of(7, {}, slots=1)
    assert await told(house) == ALL
