"""What is told of the nights the clocks change, worked out by hand; the oracle says when there is anything to tell."""

from __future__ import annotations

import datetime as dt

import pytest

from daemon.schedule import Cron, Every, OnDemand, Schedule, instants, passed_over

ZURICH = "Europe/Zurich"


def utc(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=dt.UTC)  # type: ignore[misc,arg-type]


def noted(schedule: Schedule, first: dt.datetime, last: dt.datetime) -> list[tuple[str, str | None]]:
    return [(f"{i.at:%H:%M}", i.note) for i in instants(schedule, first, last)]


def test_the_second_pass_of_an_hour_is_noted_for_a_job_that_follows_elapsed_time() -> None:
    second = "second pass of 02:00–03:00, in CET"
    night = utc(2026, 10, 24, 23, 45), utc(2026, 10, 25, 2)
    assert noted(Cron("*/30 * * * *", ZURICH), *night) == [
        ("00:00", None), ("00:30", None), ("01:00", second), ("01:30", second), ("02:00", None),
    ]  # fmt: skip
    assert [note for _, note in noted(Cron("*/20 2 * * *", ZURICH), *night)] == [None] * 3 + [second] * 3


def test_a_day_that_is_passed_twice_is_told_with_its_dates() -> None:
    notes = [note for _, note in noted(Cron("0 */12 * * *", "Kwajalein"), utc(1969, 9, 30), utc(1969, 10, 1, 13))]
    assert "second pass of 1969-09-30 01:00–1969-10-01 00:00, in -12" in notes


@pytest.mark.parametrize(
    ("expression", "zone", "said"),
    [
        ("*/30 * * * *", ZURICH, "on 2027-03-28, 02:00 and 02:30 do not exist in Europe/Zurich; nothing runs for them"),
        ("15 */2 * * *", ZURICH, "on 2027-03-28, 02:15 does not exist in Europe/Zurich; nothing runs for it"),
        (
            "*/20 2 * * *",
            ZURICH,
            "on 2027-03-28, 02:00 … 02:40 (3 times) do not exist in Europe/Zurich; nothing runs for them",
        ),
        (
            "*/30 * * * *",
            "America/Nuuk",
            "on 2027-03-27, 23:00 and 23:30 do not exist in America/Nuuk; nothing runs for them",
        ),
    ],
)
def test_what_a_clock_set_forward_leaves_out_is_told(expression: str, zone: str, said: str) -> None:
    (told,) = passed_over(Cron(expression, zone), utc(2027, 3, 27), utc(2027, 3, 29))
    assert told == said


@pytest.mark.parametrize(
    "schedule",
    [Cron("30 2 * * *", ZURICH), Cron("0 */3 * * *", ZURICH), Cron("*/30 * * * *"), Every(60), OnDemand()],
)
def test_nothing_is_told_where_nothing_is_left_out(schedule: Schedule) -> None:
    assert passed_over(schedule, utc(2027, 3, 1), utc(2027, 4, 1)) == []


def test_a_clock_change_outside_the_interval_is_not_told() -> None:
    every_half_hour = Cron("*/30 * * * *", ZURICH)
    change = utc(2027, 3, 28, 1)
    assert passed_over(every_half_hour, utc(2027, 3, 27), change - dt.timedelta(seconds=1)) == []
    assert passed_over(every_half_hour, change, utc(2027, 3, 29)) == []
    assert len(passed_over(every_half_hour, utc(2027, 1, 1), utc(2029, 1, 1))) == 2
