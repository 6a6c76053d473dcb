"""The days and offsets that statements are given: against the standard library's reading of the clock."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from workers.productivity.slots import Clocks
from workers.productivity.zone_days import days_of, offsets_of

ODD = ["Asia/Kathmandu", "Pacific/Apia", "Australia/Lord_Howe", "America/St_Johns", "Europe/Zurich", "Pacific/Chatham"]
CLOCKS = Clocks("Asia/Tokyo")


@given(st.sampled_from(ODD), st.dates(date(2011, 12, 1), date(2030, 1, 1)))
def test_days_meet_and_begin_with_the_first_instant_of_their_date(zone: str, first: date) -> None:
    rows = json.loads(days_of([zone], CLOCKS, first, 5))
    for n, row in enumerate(rows):
        starts, ends = datetime.fromisoformat(row["starts"]), datetime.fromisoformat(row["ends"])
        assert row["day"] == (first + timedelta(days=n)).isoformat()
        assert n == 4 or row["ends"] == rows[n + 1]["starts"]
        if starts < ends:
            shown = starts.astimezone(ZoneInfo(zone)), (starts - timedelta(seconds=1)).astimezone(ZoneInfo(zone))
            assert (shown[0].date().isoformat(), shown[1].date() < shown[0].date()) == (row["day"], True)


@given(st.sampled_from(ODD), st.datetimes(datetime(2011, 12, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_offsets_are_those_of_the_clock_and_cover_all_of_the_time(zone: str, first: datetime) -> None:
    first = first.replace(microsecond=0)
    past = first + timedelta(days=31)
    rows = json.loads(offsets_of([zone], CLOCKS, first, past))
    for hours in range(0, 31 * 24, 5):
        at = first + timedelta(hours=hours)
        (offset,) = [
            row["offset"] for row in rows
            if datetime.fromisoformat(row["since"]) <= at < datetime.fromisoformat(row["until"])
        ]  # fmt: skip
        assert timedelta(seconds=offset) == at.astimezone(ZoneInfo(zone)).utcoffset()


def test_an_unknown_zone_has_the_default_ones_days_and_what_a_worker_is_given_can_be_sent_to_it() -> None:
    asked = pickle.loads(pickle.dumps((days_of, ["Mars/Olympus"], CLOCKS, date(2026, 11, 26), 1)))
    function, *given = asked
    (row,) = json.loads(function(*given))
    assert (row["zone"], row["starts"]) == ("Mars/Olympus", "2026-11-25T15:00:00+00:00")
