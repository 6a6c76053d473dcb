from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from workers.flights import sample, sample_fleet
from workers.flights.sample import SHA256, WHEEL, Sample, SampleError, SampleFlight, fetch
from workers.flights.sample_zones import ZONE_OF_FIR, ZONES


def pip_that(writes: bytes | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """pip succeeds with a wheel of these bytes, or fails as it does without a network."""

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        if writes is None:
            return subprocess.CompletedProcess(command, 1, "", "ERROR: No matching distribution found\n")
        (Path(command[-1]) / WHEEL).write_bytes(writes)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(sample.subprocess, "run", run)


def test_without_a_network_the_message_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pip_that(None, monkeypatch)
    with pytest.raises(SampleError, match=r"No matching distribution found.*pip download.*put traffic-2\.13.*into"):
        fetch(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_another_file_than_the_pinned_one_is_refused_and_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pip_that(b"not the wheel", monkeypatch)
    with pytest.raises(SampleError, match=SHA256):
        fetch(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_copy_is_fetched_again(tmp_path: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / WHEEL).write_bytes(b"cut sho")
    pip_that(wheel.read_bytes(), monkeypatch)
    assert fetch(tmp_path).read_bytes() == wheel.read_bytes()


def test_every_region_has_a_zone_and_every_zone_a_region(sample: Sample) -> None:
    idents = {feature["properties"]["IDENT"] for feature in sample.firs()}
    assert idents == set(ZONE_OF_FIR)
    assert {zone.code for zone in ZONES} == set(ZONE_OF_FIR.values())


def test_featured_flights_have_their_aerodromes(sample: Sample) -> None:
    assert [(f.callsign, f.departure, f.arrival, len(f.points)) for f in sample.featured()] == [
        ("ELY1747", "LIRF", "LLBG", 2110),
        ("TRA051", "EHAM", "EHAM", 16005),
    ]


def test_a_callsign_of_an_airline_is_its_customers_and_others_are_private() -> None:
    assert [sample_fleet.operator_code(c) for c in ("DLH8JW", "RYR1", "T7STK", "HBVPW", "BAW")] == [
        "DLH", "RYR", "GA", "GA", "GA",
    ]  # fmt: skip


def test_sample_operators_are_weekly_and_monthly_in_several_zones(swiss: Sequence[SampleFlight]) -> None:
    operators = [
        sample_fleet.operator(code) for code in sorted({sample_fleet.operator_code(f.callsign) for f in swiss})
    ]
    assert {o.week_end for o in operators} == {None, 1, 2, 3, 4, 5, 6, 7}
    assert len({o.tz for o in operators}) > 10
    assert len({o.currency for o in operators}) > 3
    assert sample_fleet.aircraft("738043", "ELY").mtow_t == "396.900"
    assert sample_fleet.aircraft("3003ae", "DLH") == sample_fleet.aircraft("3003ae", "DLH")
