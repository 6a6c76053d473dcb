"""Where a setting may come from, which source wins, and how everything wrong is said at once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from daemon import config
from daemon.config import ConfigError


def written(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(path: Path | None, environment: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        config.load(path, environment or {})
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems


def credential(folder: Path, name: str, value: str) -> dict[str, str]:
    secrets = folder / "credentials"
    secrets.mkdir(exist_ok=True)
    (secrets / name).write_text(value, encoding="utf-8")
    return {"CREDENTIALS_DIRECTORY": str(secrets)}


def test_without_any_source_every_setting_has_its_default() -> None:
    settings, origins = config.load(None, {})
    assert (settings.database.url, settings.node.lease, settings.pool.size) == ("embedded", timedelta(seconds=30), 5)
    assert origins == {}


def test_the_file_the_environment_and_a_credential_each_override_the_one_before(tmp_path: Path) -> None:
    path = written(tmp_path, '[database]\nurl = "embedded"\ndirect_url = ""\npool = 7\nstate_dir = "file"\n')
    environment = dict.fromkeys(("SEXTON_DATABASE__URL", "SEXTON_DATABASE__DIRECT_URL"), "postgresql://environment")
    environment |= credential(tmp_path, "database.url", "postgresql://credential\n")
    settings, origins = config.load(path, environment)
    database = settings.database
    assert (database.url, database.direct_url) == ("postgresql://credential", "postgresql://environment")
    assert database.pool == 7
    assert database.statement_cache == 256
    assert origins == {
        "database.url": "credential",
        "database.direct_url": "environment",
        "database.pool": str(path),
        "database.state_dir": str(path),
    }


def test_two_listeners_at_one_address_are_refused_before_a_start_finds_it_taken() -> None:
    (problem,) = problems(None, {"SEXTON_ADMIN__LISTEN": "127.0.0.1:9464"})
    assert problem == "admin.listen = '127.0.0.1:9464' is metrics.listen, too: choose another port"


def test_the_environment_reaches_a_single_job(tmp_path: Path) -> None:
    path = written(tmp_path, "[jobs.flights.invoice_overdue]\nretries = 1\ntimeout = 60\n")
    settings, origins = config.load(path, {"SEXTON_JOBS__FLIGHTS__INVOICE_OVERDUE__TIMEOUT": "90s"})
    job = settings.jobs["flights"]["invoice_overdue"]
    assert (job.retries, job.timeout, job.enabled) == (1, timedelta(seconds=90), None)
    assert origins["jobs.flights.invoice_overdue.timeout"] == "environment"
    assert origins["jobs.flights.invoice_overdue.retries"] == str(path)


@pytest.mark.parametrize(
    ("text", "suites"),
    [
        ("workers.flights", ("workers.flights",)),
        (" workers.flights , mine.own,", ("workers.flights", "mine.own")),
        ("", ()),
    ],
)
def test_lists_in_the_environment_are_separated_by_commas(text: str, suites: tuple[str, ...]) -> None:
    settings, _ = config.load(None, {"SEXTON_SUITES": text})
    assert settings.suites == suites


def test_a_jobs_dependencies_may_come_from_the_environment() -> None:
    settings, _ = config.load(None, {"SEXTON_JOBS__A__B__REQUIRES": "a.c,a.d", "SEXTON_JOBS__A__B__AFTER": "a.e"})
    assert (settings.jobs["a"]["b"].requires, settings.jobs["a"]["b"].after) == (("a.c", "a.d"), ("a.e",))


def test_names_that_are_no_settings_are_left_alone() -> None:
    environment = {"SEXTON_CONFIG": "x", "SEXTON_PG_BINDIR": "y", "SEXTON_ANSIBLE_MARKER": "z", "HOME": "/"}
    assert config.load(None, environment)[1] == {}


def test_a_usual_name_for_the_log_level_is_read_and_beaten_by_ours() -> None:
    assert config.load(None, {"LOG_LEVEL": "debug"})[0].log.level == "debug"
    assert config.load(None, {"LOG_LEVEL": "debug", "SEXTON_LOG__LEVEL": "error"})[0].log.level == "error"
    assert problems(None, {"LOG_LEVEL": "loud"}) == [
        "environment (LOG_LEVEL): log.level = 'loud': choose 'debug', 'info', 'warning' or 'error'"
    ]
    assert config.load(None, {"LOG_LEVEL": "info", "BACKGROUND_JOBS_LOG_LEVEL": "debug"})[0].log.level == "debug"


@pytest.mark.parametrize("said", ["WARN", "warn", "Warning"])
def test_a_log_level_is_known_as_other_programs_write_it(said: str) -> None:
    assert config.load(None, {"LOG_LEVEL": said})[0].log.level == "warning"


def test_everything_wrong_is_said_at_once_and_each_with_its_place(tmp_path: Path) -> None:
    path = written(tmp_path, 'suits = []\n[node]\nlease = "soon"\nslotz = 3\n[pool]\nsize = 9\n[log]\nlevel = "loud"\n')
    said = problems(path, {"SEXTON_METRICS__LISTEN": "here", "SEXTON_DATABASE__POOL": "many"})
    assert len(said) == 7
    assert f"{path}: unknown key 'suits'; did you mean 'suites'?" in said
    assert f"{path}: unknown key 'node.slotz'; did you mean 'slots'?" in said
    assert any(s.startswith(f"{path}: node.lease = 'soon': write a duration as seconds or text") for s in said)
    assert f"{path}: pool.size = 9: must be at most 5" in said
    assert f"{path}: log.level = 'loud': choose 'debug', 'info', 'warning' or 'error'" in said
    assert any(s.startswith("environment: metrics.listen = 'here': write HOST:PORT") for s in said)
    assert "environment: database.pool = 'many': write a whole number" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[databse]\npool = 3", "unknown key 'databse'; did you mean 'database'?"),
        ("[jobs.flights.invoice_overdue]\ntimeuot = 3", "did you mean 'timeout'?"),
        ("[log]\nlevle = 'info'", "unknown key 'log.levle'; did you mean 'level'?"),
        ("zzzz = 1", "unknown key 'zzzz'"),
    ],
)
def test_a_misspelt_key_is_told_the_nearest_known_one(tmp_path: Path, text: str, said: str) -> None:
    (only,) = problems(written(tmp_path, text))
    assert only.endswith(said)


def test_a_misspelt_section_in_the_environment_is_an_error_too() -> None:
    assert problems(None, {"SEXTON_NOED__LEASE": "2s"}) == ["environment: unknown key 'noed'; did you mean 'node'?"]


def test_a_wrong_value_inside_a_list_hides_no_problem_of_the_suites(tmp_path: Path) -> None:
    path = written(tmp_path, '[jobs.flights.invoice_overdue]\nrequires = ["a.b", 3]\n')
    with pytest.raises(ConfigError) as caught:
        config.load(path, {})
    assert caught.value.salvaged is not None
    assert caught.value.problems == [f"{path}: jobs.flights.invoice_overdue.requires.1 = 3: write text"]


def test_what_is_wrong_between_the_channels_is_said_beside_a_wrong_key_elsewhere(tmp_path: Path) -> None:
    path = written(tmp_path, '[node]\nslots = 0\n[alerts]\ndirect = "slack"\n')
    assert problems(path) == [
        f"{path}: node.slots = 0: must be at least 1",
        'alerts.direct = "slack", which is not configured: fill in [slack]',
    ]


@pytest.mark.parametrize(
    "text",
    [
        '[database]\nurl = ["postgresql://sexton:hunter2@db/sexton"]',
        'database = "postgresql://sexton:hunter2@db/sexton"',
        '[database]\npool = "postgresql://sexton:hunter2@db/sexton"',
    ],
)
def test_what_may_be_secret_is_not_repeated(tmp_path: Path, text: str) -> None:
    (said,) = problems(written(tmp_path, text))
    assert "hunter2" not in said
    assert "(not shown)" in said


@pytest.mark.parametrize(
    ("text", "place"), [("[node\nlease = 1", "at line 1, column 6"), ("a = 1\nb = \n", "at line 2, column 5")]
)
def test_a_file_that_is_no_toml_says_where(tmp_path: Path, text: str, place: str) -> None:
    path = written(tmp_path, text)
    (said,) = problems(path)
    assert said.startswith(f"{path}: not valid TOML: ")
    assert place in said


def test_a_file_that_is_no_text_says_so(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xff\xfe")
    assert problems(path)[0].startswith(f"{path}: not valid TOML: ")


def test_a_file_that_is_missing_or_a_folder_says_so(tmp_path: Path) -> None:
    missing = tmp_path / "none.toml"
    assert problems(missing) == [f"{missing}: no such file; name another with --config"]
    assert problems(tmp_path) == [f"{tmp_path}: cannot be read: Is a directory"]


def test_a_credentials_directory_that_cannot_be_read_is_a_configuration_error(tmp_path: Path) -> None:
    (said,) = problems(None, {"CREDENTIALS_DIRECTORY": str(tmp_path / "gone")})
    assert str(tmp_path / "gone") in said


def test_files_in_the_credentials_directory_that_are_no_settings_are_somebody_elses(tmp_path: Path) -> None:
    settings, origins = config.load(None, credential(tmp_path, "smtp.password", "hunter2"))
    assert (settings.database.url, origins) == ("embedded", {})


def test_a_directory_of_credentials_is_read_and_its_names_are_all_meant_for_us(tmp_path: Path) -> None:
    """systemd puts the directory's ID before each name."""
    environment = credential(tmp_path, "sexton_database.url", "postgresql://credential\n")
    credential(tmp_path, "sexton_suite.flights.pinot_token", "hunter2")
    credential(tmp_path, "sexton_jwt_secret", "an alias, of at least 32 characters")
    settings, origins = config.load(None, environment)
    assert settings.database.url == "postgresql://credential"
    assert settings.suite["flights"]["pinot_token"] == "hunter2"
    assert settings.admin.jwt_secret.get_secret_value() == "an alias, of at least 32 characters"
    assert set(origins.values()) == {"credential"}
    credential(tmp_path, "sexton_databse.url", "postgresql://secret")
    (said,) = problems(None, environment)
    assert "databse" in said
    assert "did you mean 'database'?" in said
    assert "secret" not in said


def test_the_configuration_file_is_looked_for_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEXTON_CONFIG", raising=False)
    assert config.find_config(None) in (None, Path("/etc/sexton/config.toml"))
    written(tmp_path, "")
    assert config.find_config(None) == Path("config.toml")
    monkeypatch.setenv("SEXTON_CONFIG", "/named")
    assert config.find_config(None) == Path("/named")
    assert config.find_config(Path("/explicit")) == Path("/explicit")


def test_a_jobs_name_may_stand_in_quotes(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        '[jobs."flights.invoice_overdue"]\nretries = 1\n[jobs.flights.flight_ingestion]\nretries = 2\n'
        '[profile.test.jobs."flights.flight_ingestion"]\ntimeout = 60\n',
    )
    settings, origins = config.load(
        path, {"SEXTON_PROFILE": "test", "SEXTON_JOBS__FLIGHTS__INVOICE_OVERDUE__RETRIES": "3"}
    )
    assert settings.jobs["flights"]["invoice_overdue"].retries == 3
    assert settings.jobs["flights"]["flight_ingestion"].retries == 2
    assert settings.jobs["flights"]["flight_ingestion"].timeout == timedelta(minutes=1)
    assert origins["jobs.flights.invoice_overdue.retries"] == "environment"


def test_a_job_in_quotes_and_without_them_is_said_twice(tmp_path: Path) -> None:
    path = written(tmp_path, '[jobs."tea.brew"]\nretries = 1\n[jobs.tea.brew]\nretries = 2\n')
    with pytest.raises(ConfigError) as caught:
        config.load(path, {})
    assert caught.value.problems == [
        f'{path}: [jobs."tea.brew"]: write one section, and only one, of settings: [jobs.tea.brew]'
    ]
