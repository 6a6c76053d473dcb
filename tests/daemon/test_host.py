"""What the machine says of itself."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.host import fields, nothing, readings


def test_the_readings_are_this_machines() -> None:
    found = readings(os.getpid(), ["/"])
    resident = psutil.Process().memory_info().rss / 2**20
    assert found["resident_mb"] == pytest.approx(resident, rel=0.2)
    memory = psutil.virtual_memory()
    assert found["memory_free_pct"] == pytest.approx(100 * memory.available / memory.total, abs=10)
    assert found["disk_free_pct:/"] == pytest.approx(100 - psutil.disk_usage("/").percent, abs=10)
    assert found["load_per_core"] is not None


def test_what_cannot_be_read_is_none_and_the_rest_is_there(tmp_path: Path) -> None:
    found = readings(os.getpid(), ["/", "/nowhere/at/all"], proc=tmp_path)
    assert found["resident_mb"] is None
    assert found["memory_free_pct"] is None
    assert found["disk_free_pct:/nowhere/at/all"] is None
    assert found["disk_free_pct:/"] is not None


def test_a_reading_that_did_not_come_back_has_the_same_checks() -> None:
    assert nothing(["/", "/data"]).keys() == readings(os.getpid(), ["/", "/data"]).keys()


@given(st.text())
def test_no_text_of_proc_breaks_the_reader(text: str) -> None:
    assert all(isinstance(value, int) for value in fields(text).values())


def test_proc_lines_are_read() -> None:
    assert fields("Name:\tsexton\nVmRSS:\t  2048 kB\nUmask: 0022\nShort\n:") == {"VmRSS": 2048, "Umask": 22}
