"""Hooks that suites declare: found, and everything wrong with them told at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon import suite_hooks
from tests.daemon.suites import House, house

HEAD = """
from daemon import *
from daemon.sql import Statement

KEEP = Statement("keep", "SELECT", "here")

"""
GOOD = HEAD + '@hook("/paid", keep=KEEP, longest_body=1000)\ndef paid(call, settings): return Kept(call.body)\n'


@pytest.fixture
def built(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as made:
        made.job("tea/brew.py")
        made.job("cups/wash.py")
        yield made


def read(built: House) -> tuple[dict[str, suite_hooks.SuiteHook], list[str]]:
    problems: list[str] = []
    return suite_hooks.read({name: built.suite(name) for name in ("tea", "cups")}, problems), problems


def test_hooks_are_found_in_the_suites_own_file_and_named_after_it(built: House) -> None:
    built.write("tea/hooks.py", GOOD)
    built.write("cups/hooks.py", GOOD)
    found, problems = read(built)
    assert problems == []
    assert {path: (hook.suite, hook.hook.longest_body) for path, hook in found.items()} == {
        "/hooks/tea/paid": ("tea", 1000), "/hooks/cups/paid": ("cups", 1000),
    }  # fmt: skip


def test_a_suite_without_hooks_has_none(built: House) -> None:
    assert read(built) == ({}, [])


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ('@hook("/a", keep=KEEP)\nasync def f(c, s): ...', "POST /hooks/tea/a: its function must not be `async def`"),
        ('@hook("/a", keep=KEEP)\ndef f(c, s): ...\n@hook("/a", keep=KEEP)\ndef g(c, s): ...', "is declared twice"),
        ('@hook("a", keep=KEEP)\ndef f(c, s): ...', "write a path such as /paid"),
        ('@hook("/a/{b}", keep=KEEP)\ndef f(c, s): ...', "write a path such as /paid"),
        ('@hook("/a", keep=KEEP, longest_body=0)\ndef f(c, s): ...', "longest_body=0): at most 16777216"),
        ("import nothing_of_the_kind", "tea.hooks cannot be loaded: ModuleNotFoundError"),
    ],
)
def test_what_is_wrong_is_told(built: House, declared: str, said: str) -> None:
    built.write("tea/hooks.py", HEAD + declared)
    found, problems = read(built)
    assert len(problems) == 1
    assert said in problems[0]
    assert len(found) <= 1
