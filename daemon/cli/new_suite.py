"""`sexton new-suite`: a suite of one job that passes `check` and its own test, to be changed into yours."""

from __future__ import annotations

import importlib.util
import keyword
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from string import Template

from daemon.cli.common import BadUsage, CommandFailed, Invocation

SCAFFOLD = Path(__file__).parent / "scaffold"
NAME = re.compile(r"[a-z][a-z0-9_]*")
TAKEN = {"sexton", "public", "information_schema"}
FILES = {
    "__init__.py": "init.py.txt",
    "settings.py": "settings.py.txt",
    "greet.py": "greet.py.txt",
    "greet.sql": "greet.sql.txt",
    "greeting.py": "greeting.py.txt",
    "migrations/0001_{name}.sql": "migration.sql.txt",
    "tests/test_greet.py": "test_greet.py.txt",
}


def new_suite(invocation: Invocation, name: str, into: Path) -> int:
    """Write the files and say what to do next. Raises `BadUsage` for a bad name, `CommandFailed` where one exists."""
    folder = into / name
    root = import_root(into.absolute())
    package = ".".join([*into.absolute().relative_to(root).parts, name])
    _check(name, package, into)
    _check_enabled(invocation.settings.suites, name, package)
    depth = str(package.count(".") + 2)
    for target, source in FILES.items():
        path = folder / target.format(name=name)
        path.parent.mkdir(parents=True, exist_ok=True)
        template = Template((SCAFFOLD / source).read_text(encoding="utf-8"))
        path.write_text(template.substitute(name=name, package=package, depth=depth), encoding="utf-8")
        print(path)
    print(_next_steps(name, package, root, folder))
    return 0


def import_root(folder: Path) -> Path:
    """The directory that has to be on the import path: the first one upwards that is no package itself."""
    while (folder / "__init__.py").exists():
        folder = folder.parent
    return folder


def _next_steps(name: str, package: str, root: Path, folder: Path) -> str:
    where = f"PYTHONPATH={shlex.quote(str(root))}"
    python = shlex.quote(sys.executable)
    how = "" if importlib.util.find_spec("pytest") else "  # make setup-dev brings pytest"
    return (
        f"\nThe suite {name} has one job, {name}.greet. Next:\n"
        f"  {where} SEXTON_SUITES={package} sexton check\n"
        f"  {where} {python} -m pytest {shlex.quote(str(folder / 'tests'))}{how}\n"
        f'  {where} SEXTON_SUITES={package} sexton run-job {name}.greet --args \'{{"name": "Ada"}}\' --wait\n'
        f'Then add "{package}" to `suites` in config.toml.'
    )


def _check(name: str, package: str, into: Path) -> None:
    if not NAME.fullmatch(name) or keyword.iskeyword(name) or name.startswith("pg_") or name in TAKEN:
        raise BadUsage(
            f"{name!r} cannot name a suite: it is a Python package and a database schema, so lower-case letters, "
            "digits and _ only, starting with a letter"
        )
    if (into / name).exists():
        raise CommandFailed(f"{into / name} exists already; nothing was written")
    if not into.is_dir():
        raise CommandFailed(f"{into} is no directory")
    if package == name and importlib.util.find_spec(name) is not None:
        raise BadUsage(f"{name!r} is the name of another Python package here; choose a different one")


def _check_enabled(suites: Sequence[str], name: str, package: str) -> None:
    """Two suites cannot share a name, which is their schema's too. To write the very suite that is enabled is fine."""
    for enabled in suites:
        if enabled.rpartition(".")[2] == name and enabled != package:
            raise BadUsage(f"{name!r} is the name of a suite that is enabled, {enabled!r}; choose a different one")
