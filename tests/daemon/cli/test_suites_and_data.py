"""`sexton seed`, `migrate` and `new-suite`."""

from __future__ import annotations

import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

import workers
from daemon.cli.common import CommandFailed
from daemon.cli.seed import brought_along, refuse_if_used
from daemon.migrate import engine_migrations
from tests.daemon.cli.console import Console


async def test_migrate_says_what_it_applied_and_then_that_nothing_is_left(
    sexton: Console, ledger: asyncpg.Connection
) -> None:
    await ledger.execute("DROP SCHEMA sexton CASCADE; DROP SCHEMA house CASCADE")
    done = (await sexton.beside("migrate")).ok()
    assert done.out.splitlines() == [*(f"applied {m}" for m in engine_migrations()), "applied house 0001_house"]
    count = len(engine_migrations()) + 1
    assert (await sexton.beside("migrate")).ok().out == f"nothing to do: {count} migrations applied before\n"


async def test_an_edited_migration_stops_migrate(sexton: Console, ledger: asyncpg.Connection) -> None:
    await ledger.execute("UPDATE sexton.migration SET checksum = 'other' WHERE suite = 'house'")
    done = await sexton.beside("migrate")
    assert done.status == 1
    assert "house 0001_house was applied with other contents" in done.err


async def test_seed_loads_counts_and_repeats_nothing(
    sexton: Console, ledger: asyncpg.Connection, tmp_path: Path
) -> None:
    cached = Console({**sexton.environment, "XDG_CACHE_HOME": str(tmp_path / "cache")}, sexton.capture, sexton.patch)
    done = (await cached.beside("seed", "house", "--scale", "2")).ok()
    assert done.out == "items: 20\n"
    assert done.err.splitlines()[-1] == "house: items 20/20"
    assert "\x1b" not in done.err
    assert (await cached.beside("seed", "house", "--scale", "2")).ok().out == "items: 0\n"
    assert await ledger.fetchval("SELECT count(*) FROM house.todo") == 20
    assert (tmp_path / "cache" / "sexton").is_dir()


@pytest.mark.parametrize("suite", [p.name for p in pkgutil.iter_modules(workers.__path__)])
async def test_a_database_that_nobody_has_used_may_be_seeded_and_a_used_one_not(
    connection: asyncpg.Connection, suite: str
) -> None:
    brought = brought_along(f"workers.{suite}")
    await refuse_if_used(connection, suite, brought)
    await connection.execute(
        f"CREATE TABLE {suite}.guest (id int GENERATED ALWAYS AS IDENTITY); INSERT INTO {suite}.guest DEFAULT VALUES"
    )
    with pytest.raises(CommandFailed, match=rf"{suite}\.guest.*--into-this-database"):
        await refuse_if_used(connection, suite, brought)


def test_a_sample_that_cannot_be_had_is_told_in_the_suites_words(sexton: Console) -> None:
    done = sexton("seed", "house", "--scale", "101")
    assert (done.status, done.err) == (
        1, "error: seed house: the sample ends at 100; nothing was written to sexton\n",
    )  # fmt: skip


def test_a_suite_without_sample_data_says_so(sexton: Console, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "__init__.py").write_text("")
    (tmp_path / "plain" / "wait.py").write_text("from daemon import *\n\n@job(OnDemand())\nasync def wait(ctx): ...\n")
    sexton.patch.syspath_prepend(tmp_path)
    plain = Console({**sexton.environment, "SEXTON_SUITES": "plain"}, sexton.capture, sexton.patch)
    done = plain("seed", "plain")
    assert (done.status, done.err) == (1, "error: plain has no sample data: plain.seed does not exist\n")


def commands_of(out: str) -> list[str]:
    """The three commands that new-suite says come next."""
    return [line.strip() for line in out.splitlines() if line.strip().startswith("PYTHONPATH=")]


@pytest.mark.parametrize("inside", ["", "suites"], ids=["top level", "inside a package"])
def test_a_new_suite_passes_check_and_its_own_test_by_the_commands_it_prints(
    bare: Console, tmp_path: Path, inside: str
) -> None:
    if inside:
        (tmp_path / inside).mkdir()
        (tmp_path / inside / "__init__.py").write_text("")
    out = bare("new-suite", "billing", "--into", tmp_path / inside).ok().out
    package = f"{inside}.billing" if inside else "billing"
    assert f'Then add "{package}" to `suites` in config.toml.' in out
    for command in commands_of(out)[1 if inside else 0 : 2 if inside else 3]:
        done = subprocess.run(
            command, shell=True, cwd=tmp_path, capture_output=True, text=True,
            env={
                **os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "SEXTON_CONFIG": os.devnull, "SEXTON_DATABASE__STATE_DIR": str(tmp_path / "state"),
                "SEXTON_DATABASE__FSYNC": "false",
                "PYTHONDONTWRITEBYTECODE": "1", "PYTEST_ADDOPTS": "-p no:cacheprovider -p no:asyncio",
            },
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        assert "run-job" not in command or '"kept": "Hello, Ada!"' in done.stdout


def test_a_new_suite_does_not_take_the_name_of_one_that_is_enabled(bare: Console, tmp_path: Path) -> None:
    taken = Console({**bare.environment, "SEXTON_SUITES": "their.billing"}, bare.capture, bare.patch)
    done = taken("new-suite", "billing", "--into", tmp_path)
    assert (done.status, done.err) == (
        2, "error: 'billing' is the name of a suite that is enabled, 'their.billing'; choose a different one\n",
    )  # fmt: skip
    assert list(tmp_path.iterdir()) == []
    to_come = Console({**bare.environment, "SEXTON_SUITES": "billing"}, bare.capture, bare.patch)
    to_come("new-suite", "billing", "--into", tmp_path).ok()


def test_a_new_suite_overwrites_nothing(bare: Console, tmp_path: Path) -> None:
    (tmp_path / "billing").mkdir()
    done = bare("new-suite", "billing", "--into", tmp_path)
    assert (done.status, done.err) == (1, f"error: {tmp_path / 'billing'} exists already; nothing was written\n")
    assert list((tmp_path / "billing").iterdir()) == []
    assert bare("new-suite", "other", "--into", tmp_path / "nowhere").status == 1
