"""The commands on the embedded database: created, started as a guest, or a daemon's; one house for all tests."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.daemon.cli.conftest import running
from tests.daemon.cli.console import Console, besides_delays, environment
from tests.daemon.embedded_support import leftovers


@pytest.fixture(scope="module")
async def state(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Path]:
    """A state directory whose database `sexton migrate` has made."""
    folder = tmp_path_factory.mktemp("house")
    with pytest.MonkeyPatch.context() as patch:
        made = await Console(environment("embedded", folder), None, patch).process("migrate")  # type: ignore[arg-type]
    assert made.status == 0
    assert made.err.startswith(f"creating the database in {folder}/postgres-")
    assert "applied house 0001_house" in made.out
    yield folder
    assert leftovers(folder) == []


@pytest.fixture
def sexton(state: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Console:
    return Console(environment("embedded", state), capsys, monkeypatch)


async def test_a_command_starts_the_database_and_stops_it_again(sexton: Console, state: Path) -> None:
    done = await sexton.process("status", "--json")
    assert (done.status, done.err, done.json["nodes"]) == (1, "", [])
    assert done.json["database"].startswith(f"embedded in {state}, PostgreSQL 17")
    assert leftovers(state) == []


async def test_psql_runs_on_a_database_of_its_own_start_and_hands_its_status_on(sexton: Console, state: Path) -> None:
    done = (
        await sexton.process("psql", "--", "-Atc", "SELECT count(*) FROM sexton.migration WHERE suite = 'house'")
    ).ok()
    assert done.out == "1\n"
    assert (await sexton.process("psql", "--", "-v", "ON_ERROR_STOP=1", "-c", "SELECT nonsense")).status == 1
    assert leftovers(state) == []


async def test_a_killed_daemons_fresh_lease_does_not_count(sexton: Console, state: Path) -> None:
    """Nobody can be using a database that runs for this command alone, whatever its lease says."""
    async with sexton.started("run") as process:
        assert process.stderr is not None
        seen = b""
        while b"is ready" not in seen:
            seen = await process.stderr.readline()
        process.send_signal(signal.SIGKILL)
        await process.wait()
    status = (await sexton.process("status", "--json")).json
    assert (status["ready"], [node["alive"] for node in status["nodes"]]) == (False, [False])
    done = (await sexton.process("run-job", "house.tick", "--wait")).ok()
    assert "performing it here" in done.err
    assert (await sexton.process("status", "--json")).json["nodes"][0]["alive"] is False
    # Or a later test's daemon says that it rescues that node, if the lease runs out while it lives.
    (await sexton.process("psql", "--", "-c", "DELETE FROM sexton.node")).ok()


async def test_beside_a_daemon_its_database_is_used(sexton: Console, state: Path) -> None:
    async with running(sexton) as pid:
        status = (await sexton.process("status", "--json")).ok().json
        assert [node["alive"] for node in status["nodes"]].count(True) == 1
        assert (await sexton.process("psql", "--", "-Atc", "SELECT 1")).ok().out == "1\n"
        assert besides_delays((await sexton.process("run-job", "house.tick", "--wait")).ok().err) == ""
        assert Path(f"/proc/{pid}").exists()
    assert leftovers(state) == []


async def test_psql_never_shows_the_password_in_its_arguments() -> None:
    from daemon.database_url import without_password

    assert without_password("postgresql://ann:s%40fe@db:5433/x?sslmode=require") == (
        "postgresql://ann@db:5433/x?sslmode=require",
        "s@fe",
    )
    assert without_password("postgresql:///x") == ("postgresql:///x", None)
    assert without_password("postgresql:///x?host=/run&password=s%40fe&user=ann") == (
        "postgresql:///x?host=/run&user=ann", "s@fe",
    )  # fmt: skip
    assert without_password("postgresql://db/x?passfile=/p") == ("postgresql://db/x?passfile=/p", None)


async def test_a_demo_goes_on_until_ctrl_c_and_another_continues(sexton: Console, state: Path) -> None:
    for _ in range(2):
        async with sexton.started("demo", "house", XDG_CACHE_HOME=str(state / "cache")) as process:
            assert process.stdout is not None
            said = ""
            while "Ctrl-C stops it" not in said:
                line = await process.stdout.readline()
                assert line, said
                said += line.decode()
            process.send_signal(signal.SIGINT)
            assert await process.wait() == 0
        assert "sample data: 10 items new" in said  # the house's queue is empty again each time
        assert "What was done" in said
    assert leftovers(state) == []


async def test_ctrl_c_ends_a_demo_that_still_loads(sexton: Console, state: Path) -> None:
    async with sexton.started("demo", "house", "--scale", "201", XDG_CACHE_HOME=str(state / "cache")) as process:
        assert process.stdout is not None
        while await process.stdout.readline() != b"loading items: 1 of 2\n":
            assert process.returncode is None
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
        assert (process.returncode, err) == (0, b"")
    assert leftovers(state) == []


async def test_a_demo_whose_sample_cannot_be_had_says_why_and_leaves(sexton: Console, state: Path) -> None:
    done = await sexton.process("demo", "house", "--scale", "101", XDG_CACHE_HOME=str(state / "cache"))
    assert (done.status, done.err) == (
        1, "error: seed house: the sample ends at 100; nothing was written to sexton\n",
    )  # fmt: skip
    assert leftovers(state) == []
