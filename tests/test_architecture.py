"""The rules that hold the house up are executable, and a planted violation really fails."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DAEMON = sorted((ROOT / "daemon").rglob("*.py"))
ALL = DAEMON + sorted((ROOT / "workers").rglob("*.py"))
BUSINESS = re.compile(r"flight|invoice|wallet|provider|customer|aircraft", re.IGNORECASE)
SQL = re.compile(r"^\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH|CREATE|ALTER|DROP|GRANT|TRUNCATE)\s", re.MULTILINE)

# Words of another trade that are spelt alike.
ALIKE = re.compile(r"locale[-_]provider|datlocprovider|\bin flight\b|\bprovider_id\b", re.IGNORECASE)
# Examples and defaults may name the shipped suite and its jobs; here only, and nothing else of its business.
SHIPPED = re.compile(r"\bflights(\.[a-z_]+)?\b|FLIGHTS__INVOICE_OVERDUE")
MAY_NAME_THE_SUITE = {
    "daemon/settings.py", "daemon/config.py", "daemon/job.py", "daemon/cli/main.py", "daemon/cli/commands_data.py",
    "daemon/cli/commands_engine.py", "daemon/cli/commands_jobs.py", "daemon/cli/commands_runs.py",
}  # fmt: skip
# The history that is there before any migration; what NOTIFY is told: `pg_notify` has no table; what is printed for a
# person to run.
MAY_SPEAK_SQL = {
    "daemon/migrate.py", "daemon/lease.py", "daemon/listen.py", "daemon/actions_deed.py", "daemon/adoption.py",
}  # fmt: skip
LONGEST_UNEXPLAINED, LONGEST_FILE, LONGEST_FUNCTION = 15, 300, 40

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def definitions(path: Path) -> Iterator[Definition]:
    return (n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, Definition))


def docstrings(tree: ast.Module) -> set[int]:
    """Which string constants are documentation, by identity."""
    holders = [n for n in ast.walk(tree) if isinstance(n, ast.Module | Definition)]
    first = (n.body[0] for n in holders if n.body)
    return {id(s.value) for s in first if isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant)}


def texts(path: Path) -> list[ast.Constant]:
    """Every string of a file that is not documentation."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documentation = docstrings(tree)
    return [
        n for n in ast.walk(tree)
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and id(n) not in documentation
    ]  # fmt: skip


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    house = tmp_path_factory.mktemp("house")
    for folder in ("daemon", "workers"):
        shutil.copytree(ROOT / folder, house / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", house)
    return house


@pytest.fixture
def copy(pristine: Path, tmp_path: Path) -> Path:
    return shutil.copytree(pristine, tmp_path / "house")


def contracts(house: Path) -> subprocess.CompletedProcess[str]:
    program = (
        "import sys; sys.path.insert(0, '.'); from importlinter.cli import lint_imports_command; "
        "lint_imports_command(['--no-cache'])"
    )
    return subprocess.run([sys.executable, "-c", program], cwd=house, capture_output=True, text=True)


def python(program: str, house: Path = ROOT) -> str:
    program = f"import sys; sys.path.insert(0, {str(house)!r})\n{program}"
    done = subprocess.run([sys.executable, "-c", program], cwd=house, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_import_contracts_hold(pristine: Path) -> None:
    done = contracts(pristine)
    assert done.returncode == 0, done.stdout
    assert "4 kept, 0 broken" in done.stdout


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("daemon/slots.py", "import workers.flights", "the engine contains no suite BROKEN"),
        (
            "workers/flights/tariff.py",
            "from daemon.store import external",
            "suites see only the engine's public vocabulary BROKEN",
        ),
        ("workers/flights/tariff.py", "import workers.tea.brew", "no suite knows another BROKEN"),
        ("daemon/naming.py", "import daemon.engine", "no import cycles in the engine BROKEN"),
    ],
)
def test_a_planted_violation_fails(copy: Path, file: str, line: str, contract: str) -> None:
    (copy / "workers/tea").mkdir()
    for name in ("__init__.py", "brew.py"):
        (copy / "workers/tea" / name).write_text("", encoding="utf-8")
    planted = copy / file
    planted.write_text(f"{planted.read_text(encoding='utf-8')}\n{line}\n", encoding="utf-8")
    done = contracts(copy)
    assert done.returncode == 1, done.stdout + done.stderr
    assert contract in done.stdout


def test_the_supervisor_loads_neither_geometry_nor_arrays() -> None:
    program = """
import daemon.app
from daemon import catalogue
from daemon.settings import Settings
found = catalogue.load(Settings(suites=("workers.flights",)))
print(len(found.jobs), sorted({"shapely", "numpy", "pandas"} & set(sys.modules)))
"""
    count, _, heavy = python(program).partition(" ")
    assert int(count) >= 3
    assert heavy == "[]"


def test_no_web_framework_is_loaded_before_the_admin_is_served() -> None:
    program = """
import daemon.admin.bound, daemon.admin.keys, daemon.app, daemon.engine, daemon.outlets, daemon.cli.main
print(sorted({"fastapi", "starlette", "uvicorn", "jwt"} & set(sys.modules)))
"""
    assert python(program) == "[]"


def test_without_any_suite_the_engine_still_runs(copy: Path) -> None:
    shutil.rmtree(copy / "workers")
    config = copy / "config.toml"
    config.write_text("suites = []\n", encoding="utf-8")
    program = f"""
import daemon.app, daemon.engine, daemon.testing
assert daemon.app.__file__.startswith({str(copy)!r})
sys.argv = ["sexton", "check", "--config", {str(config)!r}]
from daemon.__main__ import main
main()
"""
    assert "0 jobs in 0 suites" in python(program, copy)


@pytest.mark.parametrize("path", ALL, ids=name_of)
def test_no_file_and_no_function_is_long(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= LONGEST_FILE
    for found in definitions(path):
        if isinstance(found, ast.ClassDef):
            continue
        documentation = len((ast.get_docstring(found, clean=False) or "").split("\n"))
        lines = (found.end_lineno or 0) - found.lineno + 1 - documentation
        assert lines <= LONGEST_FUNCTION, f"{name_of(path)}: {found.name} has {lines} lines"


def public(path: Path) -> Iterator[Definition]:
    """Module-level names without an underscore: what another file may use."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return (n for n in tree.body if isinstance(n, Definition) and not n.name.startswith("_"))


def says_all_by_itself(found: Definition) -> bool:
    """Short functions and plain values whose name and types are their documentation."""
    return (found.end_lineno or 0) - found.lineno < LONGEST_UNEXPLAINED


@pytest.mark.parametrize("path", DAEMON, ids=name_of)
def test_every_module_and_everything_public_of_any_length_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), name_of(path)
    silent = [d.name for d in public(path) if not ast.get_docstring(d) and not says_all_by_itself(d)]
    assert silent == [], name_of(path)


def test_the_vocabulary_that_suites_import_is_documented() -> None:
    program = """
import daemon
silent = [n for n in daemon.__all__ if callable(getattr(daemon, n)) and not (getattr(daemon, n).__doc__ or "").strip()]
print(sorted(set(silent) - {"days", "hours", "minutes", "seconds"}))
"""
    assert python(program) == "[]"


@pytest.mark.parametrize("path", [p for p in DAEMON if name_of(p) not in MAY_SPEAK_SQL], ids=name_of)
def test_sql_lives_in_sql_files(path: Path) -> None:
    assert [t.value for t in texts(path) if SQL.match(t.value)] == []


def business(path: Path) -> list[str]:
    """Lines with a business word, less what may be said in that file."""
    text = ALIKE.sub("", path.read_text(encoding="utf-8"))
    if name_of(path) in MAY_NAME_THE_SUITE:
        text = SHIPPED.sub("", text)
    return [line.strip() for line in text.splitlines() if BUSINESS.search(line)]


@pytest.mark.parametrize("path", [*DAEMON, *sorted((ROOT / "daemon").rglob("*.sql"))], ids=name_of)
def test_the_engine_contains_no_business_word(path: Path) -> None:
    assert business(path) == []


def test_the_lists_of_exceptions_are_no_longer_than_they_must_be() -> None:
    speaking = {name_of(p) for p in DAEMON if any(SQL.match(t.value) for t in texts(p))}
    naming = {name_of(p) for p in DAEMON if SHIPPED.search(ALIKE.sub("", p.read_text(encoding="utf-8")))}
    assert speaking == MAY_SPEAK_SQL
    assert naming == MAY_NAME_THE_SUITE
