"""Routes that suites declare: found, and everything wrong with them told at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon import suite_routes
from daemon.route import Route
from tests.daemon.suites import House, house

GOOD = '''
from __future__ import annotations
from daemon import *

@route("/teas/{name}")
async def tea(question: Question, name: str, limit: int = 5) -> object:
    """One tea."""
    return {"name": name}
'''


@pytest.fixture
def built(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as made:
        made.job("tea/brew.py")
        made.job("cups/wash.py")
        yield made


def read(built: House) -> tuple[dict[str, list[Route]], list[str]]:
    problems: list[str] = []
    return suite_routes.read({name: built.suite(name) for name in ("tea", "cups")}, problems), problems


def test_a_suite_without_routes_has_none(built: House) -> None:
    assert read(built) == ({}, [])


def test_routes_are_found_in_the_suites_own_file(built: House) -> None:
    built.write("tea/routes.py", GOOD)
    found, problems = read(built)
    assert problems == []
    ((suite, (route,)),) = found.items()
    assert (suite, route.path, route.role) == ("tea", "/teas/{name}", "viewer")


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ('@route("/jobs/tea")\nasync def f(q): ...', "begins like a path of the engine's own"),
        ('@route("/emergency-stop")\nasync def f(q): ...', "begins like a path of the engine's own"),
        ('@route("/tea")\ndef f(q): ...', "its function must be `async def`"),
        ('@route("/tea/{name}")\nasync def f(q): ...', "its function has no parameter name"),
        ('@route("/tea")\nasync def f(q, name): ...', "its parameter name has no type"),
        ('@route("/tea")\nasync def f(q, name: "Cup"): ...', "its types cannot be read: name 'Cup' is not defined"),
        ('@route("tea")\nasync def f(q): ...', "write a path such as /teas"),
        ('@route("/tea", role="root")\nasync def f(q): ...', "choose viewer, operator or admin"),
        ('@route("/tea", method="PUT")\nasync def f(q): ...', "choose GET or POST"),
        ("import nothing_there", "cannot be loaded: ModuleNotFoundError"),
    ],
)
def test_what_cannot_be_a_route_is_told_with_its_place(built: House, declared: str, said: str) -> None:
    built.write("tea/routes.py", f"from daemon import *\n{declared}\n")
    _, problems = read(built)
    assert len(problems) == 1
    assert problems[0].startswith(f"{built.suite('tea')}.routes")
    assert said in problems[0]


def test_two_suites_cannot_have_the_same_path(built: House) -> None:
    for suite, name in (("tea", "name"), ("cups", "cup")):
        built.write(f"{suite}/routes.py", GOOD.replace("name", name).replace('"cup":', '"name":'))
    _, problems = read(built)
    assert len(problems) == 1
    assert "is taken by" in problems[0]
