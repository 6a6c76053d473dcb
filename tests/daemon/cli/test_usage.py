"""Bad usage and bad configuration: exit 2, one clear line for each thing wrong, never a traceback."""

from __future__ import annotations

import asyncio
import importlib
import os
import sys
from pathlib import Path

import pytest

from daemon.cli import main
from daemon.cli.failures import OURS, explained
from daemon.version import VERSION
from tests.daemon.cli.console import ROOT, Console

BEYOND = "9" * 20
DATABASE_URL = "postgresql://user:password@host:5432/name"
COMMANDS = [name for names in main.SECTIONS.values() for name in names]


def test_every_promised_command_is_there() -> None:
    registered = {command.name for command in main.app.registered_commands}
    registered |= {group.name for group in main.app.registered_groups}
    promised = (
        "run|check|jobs|explain|run-job|runs|retry|release|waive|cancel|pause|resume|reschedule|status|migrate|"
        "backup|seed|psql|demo|adopt|preview-mail|new-suite|token|approve|stop-all|resume-all"
    )
    assert registered == set(promised.split("|")) == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_explains_a_command_with_an_example(bare: Console, command: str) -> None:
    help_text = bare(command, "--help").ok().out
    assert f"Usage: sexton {command}" in help_text
    assert "Example" in help_text
    assert f"sexton {command}" in help_text.partition("Example")[2]
    assert "--config FILE" in help_text
    assert "…" not in help_text


def test_the_overview_lists_every_command_with_a_whole_sentence(bare: Console) -> None:
    overview = bare("--help").ok().out
    for command in COMMANDS:
        line = next(line for line in overview.splitlines() if line.startswith(f"  {command} "))
        assert line.endswith("."), line
        assert not line.endswith("..."), line


def test_no_command_at_all_prints_the_help(bare: Console) -> None:
    done = bare()
    assert done.status == 2
    assert "run-job" in done.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["jbos"], "error: No such command 'jbos'. Did you mean 'jobs'? (sexton --help)"),
        (["jobs", "--jsn"], "error: No such option: --jsn (Possible options: --json) (sexton jobs --help)"),
        (["explain"], "error: Missing argument 'JOB' (sexton explain --help)"),
        (["runs", "--limit", "many"], "error: Invalid value for '--limit': write a whole number (sexton runs --help)"),
        (["seed", "house", "--scale", "x"], "error: Invalid value for '--scale': write a number (sexton seed --help)"),
        (["runs", "--limit", "0"], "error: --limit 0: choose between 1 and 100000"),
        (["runs", "--state", "succeded"], "error: --state succeded: no such state; did you mean 'succeeded'?"),
        (["runs", "--state", "zzz"], "error: --state zzz: no such state; there are waiting, held, ready"),
        (["explain", "house.tik"], "error: there is no job 'house.tik'; did you mean 'house.tick'?"),
        (["explain", "close-boks"], "did you mean 'close-books'?"),
        (["explain", "house.tick", "--count", "0"], "error: --count 0"),
        (["explain", "house.tick", "--from", "noon"], "error: --from noon: write an instant like 2026-11-22T15:30"),
        (
            ["explain", "close-books", "--from", "2027-03-28T02:30"],
            "error: --from 2027-03-28T02:30: Europe/Zurich skips this local time",
        ),
        (["run-job", "house.tick", "--args", "{"], "error: --args {: not JSON"),
        (["run-job", "house.tick", "--args", "[1]"], "error: --args [1]: give a JSON object"),
        (["run-job", "house.tick", "--args", '{"x": NaN}'], "not JSON: NaN is no number in it"),
        (["run-job", "house.tick", "--args", '{"x": "\\u0000"}'], "write text without NUL and lone surrogates"),
        (["run-job", "house.tick", "--due-at", "x"], "error: --due-at x: write an instant"),
        (["release"], "error: name the held runs to release, or a job with --job, and not both"),
        (["release", "1", "--job", "house.tick"], "error: name the held runs to release"),
        (["waive"], "error: Missing argument 'RUN' (sexton waive --help)"),
        (["cancel", "one"], "error: Invalid value for 'RUN'"),
        (["retry", "house.tood", "--all"], "house.tood' is neither a run's id nor a queue; did you mean 'house.todo'?"),
        (["retry", "zzz", "--all"], "nor a queue; there are: house.todo"),
        (["retry", "house.todo"], "error: name the dead items of house.todo to retry, or say --all"),
        (["retry", "house.todo", "1", "--all"], "error: name the dead items"),
        (["retry", "1", "--all"], "error: --all goes with a queue"),
        (["reschedule", "house.tick"], "error: give a schedule such as"),
        (["reschedule", "house.tick", "every 5", "--reset"], "error: give a schedule such as"),
        (["cancel", BEYOND], f"error: {BEYOND}: no id is larger than 9223372036854775807"),
        (["release", BEYOND], f"error: {BEYOND}: no id is larger than 9223372036854775807"),
        (["waive", "--", f"-{BEYOND}"], f"error: -{BEYOND}: no id is larger"),
        (["retry", BEYOND], f"error: {BEYOND}: no id is larger"),
        (["retry", "1", BEYOND], f"error: {BEYOND}: no id is larger"),
        (["explain", "house.tick", "--from", "0001-01-01T00:00+14:00"], "choose a year from 1900 to 9000"),
        (["explain", "house.nightly", "--from", "9999-12-31T23:59"], "choose a year from 1900 to 9000"),
        (["run-job", "house.tick", "--due-at", "0001-01-01T00:00+14:00"], "choose a year from 1900 to 9000"),
        (
            ["run-job", "house.tick", "--due-at", "8999-12-31T23:59"],
            "error: --due-at 8999-12-31T23:59: is still to come; a run is performed at once",
        ),
        (["seed", "hause"], "error: there is no suite 'hause'; did you mean 'house'?"),
        (["seed", "house", "--scale", "0"], "error: --scale 0: must be a number above zero"),
        (["seed", "house", "--scale", "-1"], "error: --scale -1: must be a number above zero"),
        (["seed", "house", "--scale", "inf"], "error: --scale inf: must be a number above zero"),
        (["seed", "house", "--scale", "nan"], "error: --scale nan: must be a number above zero"),
        (["backup", "lst"], "error: No such command 'lst'. Did you mean 'list'? (sexton backup --help)"),
        (["backup", "list", "--jsn"], "(Possible options: --json) (sexton backup list --help)"),
        (["backup", "restore"], "error: Missing argument 'NAME' (sexton backup restore --help)"),
        (["backup", "restore", "latest", "--into", ""], "--into is empty: write the name of a database"),
        (["backup", "restore", "latest", "--into", "mysql://x/y"], "--into: write the name of a database, or a URL"),
        (
            ["backup", "restore", "latest", "--into", "postgresql://ann:hunter2@db/x"],
            "error: --into: leave the password out, `ps` shows it to everybody; put it into $PGPASSWORD or ~/.pgpass",
        ),
        (["new-suite", "9x"], "error: '9x' cannot name a suite"),
        (["new-suite", "class"], "error: 'class' cannot name a suite"),
        (["new-suite", "json"], "error: 'json' is the name of another Python package"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_bad_usage_is_one_clear_line(bare: Console, arguments: list[str], sentence: str) -> None:
    done = bare(*arguments)
    assert done.status == 2
    assert sentence in done.err
    assert len(done.err.splitlines()) == 1
    assert done.out == ""


def test_a_configuration_with_several_mistakes_shows_them_all(bare: Console, tmp_path: Path) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(
        "[node]\nlaese = '30s'\nslots = 0\n[databse]\nurl = 'x'\n"
        "[jobs.house.tikc]\nenabled = false\n[jobs.house.tick]\ntimeuot = 3\nschedule = '61 * * * *'\n"
    )
    done = bare("check", "--config", file)
    assert done.status == 2
    assert sorted(done.err.splitlines()) == sorted(
        [
            f"error: {file}: unknown key 'node.laese'; did you mean 'lease'?",
            f"error: {file}: node.slots = 0: must be at least 1",
            f"error: {file}: unknown key 'databse'; did you mean 'database'?",
            f"error: {file}: unknown key 'jobs.house.tick.timeuot'; did you mean 'timeout'?",
            "error: jobs.house.tikc: there is no such job; did you mean 'house.tick'?",
            'error: house.tick: minute "61" cannot be read; values are 0–59',
        ]
    )


def test_a_wrong_database_url_hides_no_other_mistake_and_is_hidden_by_none(bare: Console, tmp_path: Path) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text("[database]\nurl = 'mysql://x'\n[node]\nslots = 0\n[jobs.house.tikc]\nenabled = false\n")
    alone = {k: v for k, v in bare.environment.items() if k != "SEXTON_DATABASE__URL"}
    bare.patch.delenv("SEXTON_DATABASE__URL", raising=False)
    done = Console(alone, bare.capture, bare.patch)("check", "--config", file)
    assert done.status == 2
    assert done.err.splitlines() == [
        f'error: {file}: database.url = (not shown): write "embedded" or a URL such as {DATABASE_URL}',
        f"error: {file}: node.slots = 0: must be at least 1",
        "error: jobs.house.tikc: there is no such job; did you mean 'house.tick'?",
    ]


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_port_that_does_not_exist_stops_the_start(bare: Console, command: str) -> None:
    console = Console({**bare.environment, "SEXTON_METRICS__LISTEN": "127.0.0.1:99999"}, bare.capture, bare.patch)
    done = console(command)
    assert done.status == 2
    assert done.err == (
        "error: environment: metrics.listen = '127.0.0.1:99999': write HOST:PORT with a port up to 65535, "
        'such as 127.0.0.1:9464, or "off"\n'
    )


def test_a_package_that_is_no_suite_is_refused(bare: Console) -> None:
    done = Console({**bare.environment, "SEXTON_SUITES": "json"}, bare.capture, bare.patch)("check")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("error: suites: 'json': ")
    assert "has no file that declares a job" in done.err


def test_the_version_is_printed(bare: Console) -> None:
    assert bare("--version").ok().out == f"sexton {VERSION}\n"


def test_a_suite_that_cannot_be_loaded_is_named(bare: Console, tmp_path: Path) -> None:
    file = tmp_path / "suites.toml"
    file.write_text("suites = ['house', 'hause']\n")
    bare = Console({**bare.environment, "SEXTON_SUITES": "house,hause"}, bare.capture, bare.patch)
    done = bare("check", "--config", file)
    assert done.status == 2
    assert "suites: 'hause': there is no such package on the import path" in done.err


@pytest.mark.parametrize("before", [True, False], ids=["before the command", "after the command"])
def test_the_configuration_file_is_named_before_or_after_the_command(
    bare: Console, tmp_path: Path, before: bool
) -> None:
    missing = tmp_path / "missing.toml"
    arguments = ["--config", missing, "check"] if before else ["check", "--config", missing]
    done = bare(*arguments)
    assert done.status == 2
    assert done.err == f"error: {missing}: no such file; name another with --config\n"


def test_the_file_named_last_wins(bare: Console, tmp_path: Path) -> None:
    good = tmp_path / "good.toml"
    good.write_text("")
    assert bare("--config", tmp_path / "missing.toml", "check", "--config", good).status == 0


@pytest.mark.parametrize(
    "url", ["", "mysql://x/y", "localhost:5432", "postgresql://u:secret@h:54x2/d", "postgresql://a:1,b:x/d"]
)
def test_a_database_url_that_is_none_is_refused_and_its_password_not_shown(bare: Console, url: str) -> None:
    console = Console({**bare.environment, "SEXTON_DATABASE__URL": url}, bare.capture, bare.patch)
    for command in ("check", "run", "runs"):
        done = console(command)
        assert done.status == 2
        assert done.err.startswith('error: environment: database.url = (not shown): write "embedded" or a URL such as ')
        assert "secret" not in done.err


def test_a_configuration_that_is_no_toml_says_where(bare: Console, tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text("[node\n")
    done = bare("check", "--config", file)
    assert done.status == 2
    assert f"error: {file}: not valid TOML" in done.err
    assert "line 1" in done.err


def test_what_nobody_foresaw_keeps_its_traceback() -> None:
    assert explained(KeyError("our bug")) is None


@pytest.mark.parametrize("name", OURS)
def test_every_error_that_is_known_by_name_exists(name: str) -> None:
    module, _, kind = name.rpartition(".")
    assert issubclass(getattr(importlib.import_module(module), kind), Exception)


def test_one_error_of_a_task_group_is_told_as_itself() -> None:
    from daemon.cli.common import CommandFailed

    assert explained(ExceptionGroup("tasks", [CommandFailed("it is so")])) == (1, ["error: it is so"])


async def test_a_reader_that_leaves_early_is_no_error(bare: Console) -> None:
    """`sexton explain … | head -1`."""
    environment = {**os.environ, **bare.environment, "PYTHONUNBUFFERED": "1"}
    command = f"{sys.executable} -m daemon explain house.tick --count 20000 | head -1"
    process = await asyncio.create_subprocess_shell(
        command, env=environment, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    assert out == b"house.tick: every hour\n"
    assert err == b""


async def test_help_loads_neither_rich_nor_the_database_driver(bare: Console) -> None:
    program = (
        "import sys; sys.argv = ['sexton', '--help']\n"
        "from daemon.cli.main import run; run()\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules}\n"
        "             & {'rich', 'asyncpg', 'pydantic', 'structlog', 'uvloop', 'shapely', 'numpy'}))\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert out.decode().splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("redirection", "status", "said"),
    [
        (">/dev/full", 1, "error: the output cannot be written: No space left on device\n"),
        ("| true", 1, ""),
        (">&-", 0, ""),
        ("<&- >&-", 0, ""),
        (">/dev/null 2>&-", 0, ""),
    ],
)
async def test_output_that_goes_nowhere_leaves_no_traceback(
    bare: Console, redirection: str, status: int, said: str
) -> None:
    """`explain` prints more than a pipe holds; `jobs` opens an event loop, whose files must not become its output."""
    command = "explain house.tick --count 3000" if "|" in redirection else "jobs"
    process = await asyncio.create_subprocess_exec(
        "bash", "-o", "pipefail", "-c", f'"$0" -m daemon {command} {redirection}', sys.executable,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd=ROOT,
        env={**os.environ, **bare.environment},
    )  # fmt: skip
    out, err = await process.communicate()
    told = "".join(line for line in err.decode().splitlines(True) if not line.startswith("warning: last runs"))
    assert (process.returncode, out, told) == (status, b"", said)
