"""A place is one living process's at a time, and its next life's afterwards."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from daemon.place import held_place

HOLD = """
import sys
from pathlib import Path
from daemon.place import held_place
with held_place(Path(sys.argv[1])) as place:
    print(place, flush=True)
    sys.stdin.read()
"""


def test_a_place_is_the_same_in_the_next_life(tmp_path: Path) -> None:
    with held_place(tmp_path) as first:
        pass
    with held_place(tmp_path) as second:
        pass
    assert first == second == f"{tmp_path}#1"


def test_twins_in_one_directory_have_different_places(tmp_path: Path) -> None:
    with held_place(tmp_path) as a, held_place(tmp_path) as b:
        assert {a, b} == {f"{tmp_path}#1", f"{tmp_path}#2"}


def test_a_killed_process_frees_its_place_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == f"{tmp_path}#1"
        holder.kill()
    with held_place(tmp_path) as place:
        assert place == f"{tmp_path}#1"


def test_a_directory_that_cannot_be_made_gives_a_name_used_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with held_place(tmp_path / "file" / "state") as a, held_place(tmp_path / "file" / "state") as b:
        assert a != b
