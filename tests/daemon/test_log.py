"""Lines for machines and for people: JSON that parses, priorities for journald, colour only where it is wanted."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

from daemon import log
from daemon.events import DatabaseLost, InstantsSettled, ItemsFinished, Note, RunEnded, RunStarted

DUE = datetime(2026, 3, 1, tzinfo=UTC)
STARTED = RunStarted(7, "tea.brew", DUE, 0.1, 1)
FAILED = RunEnded(7, "tea.brew", "failed", 1.5, 'ValueError: "tea"\nspilt', "Traceback…\n  line", None)


def spill() -> None:
    raise ValueError("tea is spilt")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """pytest's own logging, as it was before."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    noisy = {name: logging.getLogger(name).level for name in ("httpx", "httpcore", "asyncio")}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in noisy.items():
        logging.getLogger(name).setLevel(before)
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("JOURNAL_STREAM", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)


def lines(*events: Any, level: str = "info", form: str = "json", stream: io.StringIO | None = None) -> list[str]:
    out = stream if stream is not None else io.StringIO()
    subscriber = log.LogSubscriber(log.configure(level, form, out), level)
    for event in events:
        subscriber(event)
    return out.getvalue().splitlines()


def test_each_event_is_one_line_of_json_with_its_area_and_fields() -> None:
    note, failed = (json.loads(line) for line in lines(Note("DATABASE", "Zürich ✈"), FAILED))
    assert (note["level"], note["event"]) == ("info", "[DATABASE] Zürich ✈")
    assert datetime.fromisoformat(note["timestamp"]).tzinfo is not None
    assert (failed["level"], failed["event"], failed["run"]) == ("error", "[SCHEDULED] tea.brew failed", 7)
    assert (failed["error"], failed["traceback"]) == (FAILED.error, FAILED.traceback)


def test_other_peoples_lines_have_the_same_form_with_what_a_body_added() -> None:
    out = io.StringIO()
    log.configure("info", "json", out)
    logging.getLogger("httpx").info("chatter")
    logging.getLogger("library").warning("%d cups", 3)
    fields = {"run": 7, "job": "tea.brew", "area": "SCHEDULED"}
    logging.LoggerAdapter(logging.getLogger("sexton.job.tea.brew"), fields).info("brewed")
    library, body = (json.loads(line) for line in out.getvalue().splitlines())
    assert (library["level"], library["event"]) == ("warning", "3 cups")
    assert (body["event"], body["run"], body["job"]) == ("[SCHEDULED] brewed", 7, "tea.brew")


@pytest.mark.parametrize("form", ["json", "console"])
def test_an_exception_that_is_logged_shows_its_traceback(form: str) -> None:
    out = io.StringIO()
    log.configure("info", form, out)
    try:
        spill()
    except ValueError:
        logging.getLogger("sexton.job.tea").exception("could not brew")
    text = json.loads(out.getvalue())["exception"] if form == "json" else out.getvalue()
    assert "ValueError: tea is spilt" in text
    assert "raise ValueError" in text


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_traceback_does_not_show_what_variables_held(form: str) -> None:
    out = io.StringIO()
    log.configure("info", form, out)
    key = "sk-" + "4711" * 5
    try:
        spill()
    except ValueError:
        logging.getLogger("sexton.job.tea").exception("could not brew")
    assert "spill()" in out.getvalue()
    assert key not in out.getvalue()


@pytest.mark.parametrize(
    ("level", "priority"), [("debug", "<7>"), ("info", "<6>"), ("warning", "<4>"), ("error", "<3>")]
)
def test_journald_reads_the_priority_from_the_front(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, level: str, priority: str
) -> None:
    with (tmp_path / "journal").open("w+") as out:
        monkeypatch.setenv("JOURNAL_STREAM", f"{os.fstat(out.fileno()).st_dev}:{os.fstat(out.fileno()).st_ino}")
        log.configure("debug", "auto", out)
        getattr(logging.getLogger("x"), level)('"level": "error" is only text')
        out.seek(0)
        (line,) = out.read().splitlines()
    assert line.startswith(priority + "{")
    assert json.loads(line.removeprefix(priority))["level"] == level


def test_a_file_gets_no_priorities_though_the_variable_is_inherited(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    with (tmp_path / "log.json").open("w+") as out:
        log.LogSubscriber(log.configure("info", "auto", out), "info")(Note("DATABASE", "back"))
        out.seek(0)
        assert json.load(out)["event"] == "[DATABASE] back"


async def test_a_backlog_is_one_line_with_its_number() -> None:
    out = io.StringIO()
    subscriber = log.LogSubscriber(log.configure("info", "json", out), "info")
    for hour in range(1000):
        subscriber(InstantsSettled("tea.brew", "held", 1, DUE + timedelta(hours=hour), "backlog of 1000 exceeds 3"))
    subscriber(InstantsSettled("tea.serve", "missed", 2, DUE, "too late"))
    assert out.getvalue() == ""
    await asyncio.sleep(0)
    held, missed = map(json.loads, out.getvalue().splitlines())
    assert held["event"] == "[SCHEDULED] tea.brew: 1000 instants held: backlog of 1000 exceeds 3"
    assert held["due_at"] == DUE.isoformat()
    assert missed["event"] == "[SCHEDULED] tea.serve: 2 instants missed: too late"
    subscriber(InstantsSettled("tea.brew", "held", 1, DUE, "backlog of 1000 exceeds 3"))
    await asyncio.sleep(0)
    assert "tea.brew: instant held" in out.getvalue().splitlines()[2]


def test_a_terminal_gets_words_and_colour_and_a_pipe_gets_json() -> None:
    (words,) = lines(Note("DATABASE", "back"), form="auto", stream=Terminal())
    assert "\x1b[" in words
    assert "[DATABASE] back" in words
    (piped,) = lines(Note("DATABASE", "back"), form="auto")
    assert json.loads(piped)["event"] == "[DATABASE] back"
    (console,) = lines(Note("DATABASE", "back"), form="console")
    assert "\x1b[" not in console


def test_no_color_means_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    (line,) = lines(Note("DATABASE", "back"), form="auto", stream=Terminal())
    assert "\x1b[" not in line
    assert "[DATABASE] back" in line


@pytest.mark.parametrize(("level", "count"), [("debug", 4), ("info", 2), ("warning", 2), ("error", 2)])
def test_the_level_says_what_is_written(level: str, count: int) -> None:
    assert len(lines(STARTED, ItemsFinished("tea.cup", 3, 0, 0), FAILED, DatabaseLost("gone"), level=level)) == count
