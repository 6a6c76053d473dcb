"""What is refused at start, what is warned of, and that the message says how to put it right."""

import pytest

from daemon.schedule import Cron, Every, OnDemand, Schedule, problems


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (Cron("0 25 * * *"), 'hour "25" cannot be read; values are 0–23'),
        (Cron("0 0 * *"), "has 4 fields; give five, or six with the seconds last"),
        (Cron("0 0 * * * 0 2026"), "has 7 fields"),
        (Cron("@dayly"), 'did you mean "@daily"?'),
        (
            Cron("0 0 * * *", "Asia/Calcuta"),
            'unknown time zone "Asia/Calcuta"; did you mean "Asia/Calcutta"?',
        ),
        (Cron("0 0 * * *", "kolkata"), 'did you mean "Asia/Kolkata"?'),
        (Cron("0 0 31 2 *"), 'day-of-month "31" with month "2": there is no such date'),
        (Cron("0 0 31 2 mon"), 'day-of-month "31" with month "2": there is no such date'),
        (Cron("H 0 * * *"), 'minute "h": H and R pick a value by themselves; write the value'),
        (Cron("0 R(0-5)/2 * * *"), "H and R pick a value by themselves"),
        (Cron("0 0 15W * mon"), 'day-of-month "15w" with weekday "mon": W and a weekday exclude each other'),
        (Cron("0 0 * * SUN-SUN"), 'weekday "sun-sun": a range from a value to itself means the whole field'),
        (Cron("0 0 * * sun-7"), "a range from a value to itself"),
        (Cron("5-5 * * * *"), 'write "5" for one value or "*" for all'),
        (Cron("0 22-4/3 * * *"), 'hour "22-4/3": a range that wraps round cannot have a step'),
        (Cron("0 0 15 * mon#1"), "the day of the month would be ignored"),
        (Every(0), "every 0 seconds: the period must be at least one microsecond"),
        (Every(-5), "the period must be"),
        (Every(float("nan")), "the period must be"),
        (Every(float("inf")), "the period must be"),
        (Every(60, float("nan")), "phase nan: give a number of seconds"),
    ],
)
def test_a_bad_schedule_is_refused_with_its_place_and_remedy(schedule: Schedule, message: str) -> None:
    found = problems(schedule)
    assert [p.severity for p in found] == ["error"]
    assert message in found[0].message


def test_all_errors_are_told_at_once() -> None:
    assert len(problems(Cron("61 25 * * sun-sun", "Nowhere"))) == 2
    assert len(problems(Cron("61 25 * * *", "Nowhere"))) == 3


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        (
            "*/25 * * * *",
            'minute "*/25": matches 0,25,50, so the last gap is 10 minutes instead of 25; write',
        ),
        (
            "*/45 * * * *",
            'matches 0,45, so the last gap is 15 minutes instead of 45; write "0,45" if that is',
        ),
        ("0 */5 * * *", 'hour "*/5": matches 0,5,10,15,20, so the last gap is 4 hours instead of 5'),
        ("0 0 */10 * *", "so the last gap depends on the length of the month"),
        ("*/90 * * * *", 'minute "*/90": only matches 0; write "0" instead'),
        ("0 0 1-31/1,*/2 * mon", "so the last gap depends on the length of the month"),
    ],
)
def test_an_uneven_step_is_warned_of(expression: str, message: str) -> None:
    (problem,) = problems(Cron(expression))
    assert problem.severity == "warning"
    assert message in problem.message


def test_a_step_of_days_with_a_weekday_is_warned_of() -> None:
    found = problems(Cron("0 0 */2 * mon"))
    assert [p.severity for p in found] == ["warning", "warning"]
    assert 'day-of-month "*/2" with weekday "mon": runs on days that match either one' in found[1].message


@pytest.mark.parametrize(
    "schedule",
    [
        *(Cron(e) for e in ("@daily", "@HOURLY", "0 0 29 2 *", "0 0 L * *", "0 0 15W * *", "0 0 * * mon#1")),
        *(Cron(e) for e in ("0 0 * * 0-7", "0 22-2 * * *", "*/5 9-17 * * mon-fri", "0 0 ? * 1", "0 0 1 1 * 30")),
        *(Cron(e) for e in ("0 0 * * l5", "0 9-17/3 * * *", "0 0 13 * fri", "10/10 * * * *", "0 0 1-7/2 * *")),
        *(Every(s) for s in (30, 0.25, 86_400)),
        OnDemand(),
    ],
)
def test_a_good_schedule_has_no_problems(schedule: Schedule) -> None:
    assert problems(schedule) == []
