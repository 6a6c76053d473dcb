from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workers.flights import benchmark_file
from workers.flights.benchmark_file import MOST, BenchmarkFile


def rows(*numbers: int) -> list[dict[str, Any]]:
    return [{"flight_id": n, "ok": True} for n in numbers]


def ids(path: Path) -> list[int]:
    return [row["flight_id"] for row in json.loads(path.read_text())]


async def test_only_the_last_thousand_are_kept_and_earlier_runs_count(tmp_path: Path) -> None:
    path = tmp_path / "benchmarks" / "results.json"
    await BenchmarkFile(path).add(rows(*range(900)))
    await BenchmarkFile(path).add(rows(*range(900, 1200)))
    assert ids(path) == list(range(1200 - MOST, 1200))
    assert [p.name for p in path.parent.iterdir()] == ["results.json"]


async def test_it_is_written_at_most_once_a_second_and_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes: list[int] = []
    monkeypatch.setattr(benchmark_file, "write", lambda _path, found: writes.append(len(found)))
    file = BenchmarkFile(tmp_path / "results.json")
    for n in range(50):
        await file.add(rows(n))
    assert writes == [1]
    await file.flush()
    await file.flush()
    await file.add([])
    assert writes == [1, 50]


async def test_a_broken_file_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text('[{"flight_id": 1')
    await BenchmarkFile(path).add(rows(2))
    assert ids(path) == [2]


async def test_what_could_not_be_written_is_written_next_time(tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("a file where the folder should be")
    file = BenchmarkFile(tmp_path / "blocked" / "results.json")
    with pytest.raises(OSError, match="blocked"):
        await file.add(rows(1))
    (tmp_path / "blocked").unlink()
    await file.flush()
    assert ids(file.path) == [1]
