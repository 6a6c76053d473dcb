"""The rules hold: every alert is tested both ways by promtool, and has its section in the runbook."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import asyncpg
import pytest
from typer.main import get_command

from daemon.cli.main import app
from tests.monitoring.tools import MONITORING, ROOT, promtool

RULES = sorted((MONITORING / "rules").glob("*.yml"))
TESTS = sorted((MONITORING / "tests").glob("*.yml"))
ALERT = re.compile(r"^      - alert: (\w+)\n(.*?)(?=^      - alert: |\Z)", re.MULTILINE | re.DOTALL)
RECORD = re.compile(r"^      - record: (\S+)$", re.MULTILINE)
CASE = re.compile(r"alertname: (\w+)\n\s+eval_time: \S+\n\s+exp_alerts:( \[\])?")
SECTION = re.compile(r"^### (\w+)\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
QUERY = re.compile(r'sexton psql -- -c "([^"]+)"')
COMMAND = re.compile(r"`sexton ([a-z][a-z-]*)|^    sexton ([a-z][a-z-]*)", re.MULTILINE)
RUNBOOK = (ROOT / "docs/runbook.md").read_text(encoding="utf-8")


def text(files: list[Path]) -> str:
    return "".join(path.read_text(encoding="utf-8") for path in files)


ALERTS = dict(ALERT.findall(text(RULES)))
SECTIONS = dict(SECTION.findall(RUNBOOK))


def test_prometheus_takes_the_configuration_and_the_rules() -> None:
    checked = promtool("check", "config", "prometheus.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"{len(RULES)} rule files found" in checked.stdout


@pytest.mark.parametrize("path", TESTS, ids=lambda p: p.name)
def test_the_rules_fire_when_they_should_and_not_otherwise(path: Path) -> None:
    tested = promtool("test", "rules", path.name, folder=path.parent)
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_every_alert_is_tested_both_ways() -> None:
    fires, silent = set(), set()
    for name, nothing in CASE.findall(text(TESTS)):
        (silent if nothing else fires).add(name)
    assert fires == silent == set(ALERTS)


def test_no_test_of_an_alert_passes_without_its_rule(tmp_path: Path) -> None:
    copy = shutil.copytree(MONITORING, tmp_path / "monitoring")
    for path in (copy / "rules").glob("*.yml"):
        if path.name != "recording.yml":
            never_firing(path)
    tested = [promtool("test", "rules", path.name, folder=copy / "tests") for path in TESTS]
    said = "".join(done.stdout + done.stderr for done in tested)
    assert set(re.findall(r"alertname: (\w+), time", said)) == set(ALERTS)


def never_firing(path: Path) -> None:
    rules = re.sub(r"expr: \|\n(?: {10}.*\n|\n)+|expr: .*\n", "expr: vector(0) > 1\n", path.read_text(encoding="utf-8"))
    path.write_text(rules, encoding="utf-8")


def test_every_recording_rule_is_tested_and_has_a_name_of_its_own() -> None:
    names = RECORD.findall((MONITORING / "rules/recording.yml").read_text(encoding="utf-8"))
    tested = (MONITORING / "tests/recording.yml").read_text(encoding="utf-8")
    assert len(names) == len(set(names)) > 0
    assert [name for name in names if name not in tested] == []


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_how_bad_it_is_what_it_is_and_where_to_read_on(name: str) -> None:
    rule = ALERTS[name]
    assert re.search(r"severity: (critical|warning)$", rule, re.MULTILINE)
    for annotation in ("summary", "description"):
        assert re.search(rf"^          {annotation}: \S", rule, re.MULTILINE)
    assert f"runbook_url: file:///opt/sexton/current/share/sexton/docs/runbook.md#{name.lower()}\n" in rule


def test_the_runbook_has_a_section_for_every_alert_and_no_other() -> None:
    assert list(SECTIONS) == list(dict.fromkeys(re.findall(r"^### (\w+)", RUNBOOK, re.MULTILINE)))
    assert set(SECTIONS) == set(ALERTS)


@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_says_what_it_means_what_to_look_at_and_what_to_do(name: str) -> None:
    assert re.findall(r"^\*\*(\w+)\.\*\*", SECTIONS[name], re.MULTILINE) == ["Means", "Look", "Do"]


def test_the_runbook_names_only_commands_and_alerts_that_there_are() -> None:
    commands = set(get_command(app).commands)  # type: ignore[attr-defined]
    named = {first or second for first, second in COMMAND.findall(RUNBOOK)}
    assert named - commands == set()
    assert set(re.findall(r"\bSexton[A-Z]\w+", RUNBOOK)) <= set(ALERTS)


@pytest.mark.parametrize("query", QUERY.findall(RUNBOOK))
async def test_the_runbooks_queries_fit_the_schema(query: str, connection: asyncpg.Connection) -> None:
    """JOB, RUN and the like as whoever reads it would fill them in."""
    filled = re.sub(r"\bRUN\b", "1", query).replace("QUEUE", "flights.flight_processing_queue")
    await connection.execute(filled)
