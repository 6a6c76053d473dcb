"""`sexton check`, and the shipped configuration."""

from __future__ import annotations

import tomllib
from itertools import pairwise
from pathlib import Path

import asyncpg
import pytest
from pydantic import BaseModel

from daemon import config
from daemon.settings import JobSettings, Settings
from tests.daemon.cli.console import ROOT, Console
from tests.daemon.suites import house

SHIPPED = ROOT / "config.toml"
REPORT = """
from daemon import *
(CUPS,) = sql.load(__file__, "cups")
cups = Report("Cups", "What was drunk.", CUPS, made_by="steep", columns=(Column("cups", "Cups"),))
"""


def test_a_sound_configuration_is_counted(bare: Console) -> None:
    done = bare("check").ok()
    assert (done.out, done.err) == ("7 jobs in 1 suite\n", "")


def test_warnings_are_told_and_do_not_fail(bare: Console) -> None:
    odd = Console({**bare.environment, "SEXTON_JOBS__HOUSE__TICK__SCHEDULE": "*/25 * * * *"}, bare.capture, bare.patch)
    done = odd("check").ok()
    assert done.err.startswith("warning: house.tick: ")
    assert done.out == "7 jobs in 1 suite\n"


def test_a_report_of_a_job_that_is_not_there_is_told(bare: Console, tmp_path: Path) -> None:
    with house(tmp_path) as built:
        built.job("tea/brew.py")
        built.write("tea/reports.sql", "-- name: cups\nSELECT 1 AS cups;\n")
        built.write("tea/reports.py", REPORT)
        suite = built.suite("tea")
        done = Console({**bare.environment, "SEXTON_SUITES": suite}, bare.capture, bare.patch)("check")
    assert (done.status, done.err) == (2, f"error: {suite}.reports: cups: there is no job tea.steep\n")


def test_a_database_that_is_not_there_yet_has_everything_pending(bare: Console) -> None:
    out = bare("check", "--database").ok().out
    assert "pending migrations: sexton 0001_ledger" in out
    assert "house 0001_house" in out


async def test_pending_migrations_are_named(sexton: Console, ledger: asyncpg.Connection) -> None:
    await ledger.execute("DELETE FROM sexton.migration WHERE suite = 'house'")
    assert (await sexton.beside("check", "--database")).ok().out.splitlines()[1] == (
        "pending migrations: house 0001_house; `sexton run` or `sexton migrate` applies them"
    )


def test_a_migrated_database_is_up_to_date(sexton: Console) -> None:
    assert sexton("check", "--database").ok().out.splitlines()[1] == "the database's schema is up to date"


async def test_an_edited_migration_fails_the_check(sexton: Console, ledger: asyncpg.Connection) -> None:
    await ledger.execute("UPDATE sexton.migration SET checksum = 'other' WHERE suite = 'house'")
    done = await sexton.beside("check", "--database")
    assert done.status == 1
    assert "edited after they were applied: " in done.err
    assert "0001_house.sql" in done.err


async def test_a_database_that_a_newer_version_used_is_warned_of(sexton: Console, ledger: asyncpg.Connection) -> None:
    await ledger.execute("INSERT INTO sexton.migration VALUES ('house', 2, 'later', 'x')")
    assert "warning: the database has house 0002" in (await sexton.beside("check", "--database")).ok().err


def test_the_shipped_configuration_says_every_default() -> None:
    data = tomllib.loads(SHIPPED.read_text(encoding="utf-8"))
    settings, _ = config.load(SHIPPED, {})
    assert settings == Settings()
    for name, field in Settings.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            assert list(data[name]) == list(section.model_fields), name
        elif name not in ("jobs", "suite"):
            assert name in data


def test_the_shipped_configuration_comments_every_key() -> None:
    lines = SHIPPED.read_text(encoding="utf-8").splitlines()
    bare_keys = [
        line
        for before, line in pairwise(lines)
        if line and line[0] not in "#[" and not before.startswith("#") and not line.startswith("max_")
    ]
    assert bare_keys == []


def test_the_shipped_configuration_shows_every_option_of_a_job_with_a_value_that_works(tmp_path: Path) -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    example = text[text.index("# [jobs.flights.invoice_overdue]") : text.index("# A suite's own settings")]
    shown = "\n".join(line.removeprefix("# ") for line in example.splitlines() if line != "#")
    assert list(tomllib.loads(shown)["jobs"]["flights"]["invoice_overdue"]) == list(JobSettings.model_fields)
    file = tmp_path / "example.toml"
    file.write_text(shown)
    config.load(file, {})


@pytest.mark.parametrize("url", ["postgresql://127.0.0.1:9/x", "postgresql://127.0.0.1:9/x?sslmode=what"])
def test_a_database_that_cannot_be_had_is_one_line(bare: Console, url: str) -> None:
    away = Console({**bare.environment, "SEXTON_DATABASE__URL": url}, bare.capture, bare.patch)
    for command in (["check", "--database"], ["runs"], ["migrate"], ["pause", "house.tick"]):
        done = away(*command)
        assert done.status in (1, 2)
        assert len(done.err.splitlines()) == 1
        assert done.err.startswith("error: ")
