"""What `sexton demo` shows, and does not show before there is something."""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path

import pytest

from daemon.cli.demo import metrics_words, program
from daemon.cli.demo_screen import Screen


def test_a_row_is_shown_only_once_there_is_something(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen()
    for done, total in ((0, 0), (0, 1), (0, 8)):
        screen.working("periods closed", done, total)
        screen.loading("flights", done, total)
    assert capsys.readouterr().out == ""
    screen.working("periods closed", 8, 8)
    screen.loading("flights", 1, 1)
    assert capsys.readouterr().out == "periods closed: 8 of 8\nloading flights: 1 of 1\n"


def test_bars_on_a_terminal_wait_for_something_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    screen = Screen()
    try:
        screen.working("periods closed", 0, 8)
        assert screen._progress.tasks == []
        screen.working("periods closed", 1, 8)
        assert [(task.description, task.completed, task.total) for task in screen._progress.tasks] == [
            ("periods closed", 1, 8)
        ]
    finally:
        screen.close()


def test_a_narrow_terminal_folds_words_and_cuts_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    screen = Screen()
    try:
        screen.table(
            "Invoices",
            [
                {"number": f"FI/18-19/{n:06}", "customer": "Norwegian Air International", "period": "1 – 31 Aug 2018",
                 "currency": "CHF", "flights": 172, "total": Decimal("38277.90")}
                for n in (98, 105)
            ],
        )  # fmt: skip
    finally:
        screen.close()
    out = capsys.readouterr().out
    assert "…" not in out
    for whole in ("FI/18-19/000098", "FI/18-19/000105", "38277.90"):
        assert whole in out


@pytest.mark.parametrize(
    ("called", "path", "typed"),
    [
        (".venv/bin/sexton", "/nowhere", ".venv/bin/sexton"),
        (".venv/bin/sexton", str(Path(sys.executable).parent), "sexton"),
        ("/opt/sexton/daemon/__main__.py", "/nowhere", "sexton"),
    ],
)
def test_what_to_type_is_what_a_shell_finds(
    monkeypatch: pytest.MonkeyPatch, called: str, path: str, typed: str
) -> None:
    monkeypatch.setattr("sys.argv", [called])
    monkeypatch.setenv("PATH", path)
    assert program() == typed


@pytest.mark.parametrize(
    ("listen", "said"),
    [
        ("127.0.0.1:0", "; its metrics are on http://127.0.0.1:4711/metrics"),
        ("10.1.2.3:9464", "; its metrics are on http://10.1.2.3:4711/metrics"),
        ("[2001:db8::1]:9464", "; its metrics are on http://[2001:db8::1]:4711/metrics"),
        ("0.0.0.0:9464", "; its metrics are on http://127.0.0.1:4711/metrics"),
        ("[::]:9464", "; its metrics are on http://[::1]:4711/metrics"),
        ("off", ""),
    ],
)
def test_the_address_of_the_metrics_is_the_one_that_answers(listen: str, said: str) -> None:
    assert metrics_words(listen, 4711) == said
