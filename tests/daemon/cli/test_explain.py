"""`sexton explain`: when a job is due, clock changes included, without a database."""

from __future__ import annotations

import pytest

from tests.daemon.cli.console import Console


def test_the_json_form_is_an_interface(bare: Console) -> None:
    assert bare("explain", "close-books", "--from", "2026-10-24T12:00", "--count", "2", "--json").ok().json == {
        "name": "house.nightly",
        "schedule": "30 2 * * *",
        "timezone": "Europe/Zurich",
        "due": [
            {
                "utc": "2026-10-25T00:30:00+00:00",
                "local": "2026-10-25T02:30:00+02:00",
                "note": "02:30 happens twice; runs at the first, CEST",
            },
            {"utc": "2026-10-26T01:30:00+00:00", "local": "2026-10-26T02:30:00+01:00", "note": None},
        ],
        "warnings": [],
    }


def test_its_keys_come_in_this_order(bare: Console) -> None:
    answer = bare("explain", "house.tick", "--count", "1", "--json").ok().json
    assert list(answer) == ["name", "schedule", "timezone", "due", "warnings"]
    assert list(answer["due"][0]) == ["utc", "local", "note"]


def test_a_spring_night_carries_a_note(bare: Console) -> None:
    done = bare("explain", "house.nightly", "--from", "2027-03-27T12:00", "--count", "1").ok()
    assert "02:30 does not exist on this night" in done.out
    assert "2027-03-28 03:00:00 CEST" in done.out


def test_people_read_the_schedule_in_words(bare: Console) -> None:
    out = bare("explain", "house.nightly").ok().out
    assert out.startswith("house.nightly: every day at 02:30 (Europe/Zurich)\nClose the books of a day.\n")
    assert len(out.splitlines()) == 2 + 1 + 10


def test_the_instant_given_is_the_first_told_and_its_offset_is_believed(bare: Console) -> None:
    for given, first in (("01:30:00+00:00", "22T01:30"), ("02:30", "22T01:30"), ("01:30:00.000001+00:00", "23T01:30")):
        asked = bare("explain", "house.nightly", "--from", f"2026-11-22T{given}", "--count", "1", "--json")
        assert asked.ok().json["due"][0]["utc"] == f"2026-11-{first}:00+00:00"


@pytest.fixture
def half_hourly(bare: Console) -> Console:
    """The house whose nightly job follows elapsed time by the clock of Zurich."""
    schedule = {"SEXTON_JOBS__HOUSE__NIGHTLY__SCHEDULE": "*/30 2 * * *"}
    return Console({**bare.environment, **schedule}, bare.capture, bare.patch)


def test_the_second_pass_of_an_autumn_night_carries_a_note(half_hourly: Console) -> None:
    arguments = ("explain", "house.nightly", "--from", "2026-10-25", "--count", "4")
    second = "second pass of 02:00–03:00, in CET"
    assert [i["note"] for i in half_hourly(*arguments, "--json").ok().json["due"]] == [None, None, second, second]
    assert half_hourly(*arguments).ok().out.count(second) == 2


def test_a_spring_night_that_an_interval_passes_over_is_warned_of(half_hourly: Console) -> None:
    arguments = ("explain", "house.nightly", "--from", "2027-03-28", "--count", "1")
    gone = "on 2027-03-28, 02:00 and 02:30 do not exist in Europe/Zurich; nothing runs for them"
    answer = half_hourly(*arguments, "--json").ok().json
    assert (answer["due"][0]["local"], answer["warnings"]) == ("2027-03-29T02:00:00+02:00", [gone])
    assert half_hourly(*arguments).ok().err == f"warning: {gone}\n"


def test_a_poll_an_event_and_a_job_on_demand_are_never_due_by_themselves(bare: Console) -> None:
    for name, schedule in (("drain", "poll 30s"), ("heard", "event thing.happened"), ("slow", "ondemand")):
        answer = bare("explain", f"house.{name}", "--json").ok().json
        assert (answer["schedule"], answer["timezone"], answer["due"]) == (schedule, "UTC", [])
        assert ("never due by itself" in bare("explain", f"house.{name}").ok().out) == (name != "drain")


def test_surprising_schedules_are_warned_of(bare: Console) -> None:
    odd = Console({**bare.environment, "SEXTON_JOBS__HOUSE__TICK__SCHEDULE": "*/25 * * * *"}, bare.capture, bare.patch)
    assert len(odd("explain", "house.tick", "--json").ok().json["warnings"]) == 1
    assert "warning: " in odd("explain", "house.tick").ok().err


def test_a_disabled_job_says_so(bare: Console) -> None:
    off = Console({**bare.environment, "SEXTON_JOBS__HOUSE__TICK__ENABLED": "false"}, bare.capture, bare.patch)
    answer = off("explain", "house.tick", "--json").ok().json
    assert (answer["due"], answer["warnings"]) == ([], ["disabled: not due"])
