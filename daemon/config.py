"""Settings: defaults ← config.toml and its profile ← environment ← credentials. All errors at once, with remedies."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from daemon import admin_settings, channel_settings, setting_addresses, suite_environment
from daemon.naming import did_you_mean
from daemon.setting_problems import explained
from daemon.settings import Settings

PREFIX = "SEXTON_"
CREDENTIAL_PREFIX = "sexton_"
NOT_SETTINGS = {"SEXTON_CONFIG", "SEXTON_PROFILE", "SEXTON_PG_BINDIR", "SEXTON_WORKER_DATABASE_URL"}
LISTS = {"suites", "requires", "after"}
# Names that people have in their environment and among their credentials anyway. Ours beat them.
ENVIRONMENT_ALIASES = {
    **channel_settings.ENVIRONMENT_ALIASES, **admin_settings.ENVIRONMENT_ALIASES, "LOG_LEVEL": ("log", "level"),
    "BACKGROUND_JOBS_LOG_LEVEL": ("log", "level"), "BACKGROUND_JOBS_ENABLED": ("node", "jobs_enabled"),
}  # fmt: skip
CREDENTIAL_ALIASES = admin_settings.CREDENTIAL_ALIASES


class ConfigError(Exception):
    """The configuration cannot be used. `problems` has a sentence for each thing wrong, not only the first.

    `salvaged` is what `load` returns when the wrong keys are left out, so that whoever reports the problems
    can look for the suites' as well; None when there is nothing to go on with.
    """

    def __init__(self, problems: list[str], salvaged: tuple[Settings, dict[str, str]] | None = None) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
        self.salvaged = salvaged


def find_config(explicit: Path | None) -> Path | None:
    """`--config`, `$SEXTON_CONFIG`, `./config.toml`, `/etc/sexton/config.toml`; None means the defaults."""
    if explicit is not None:
        return explicit
    if named := os.environ.get("SEXTON_CONFIG"):
        return Path(named)
    return next((p for p in (Path("config.toml"), Path("/etc/sexton/config.toml")) if p.is_file()), None)


def load(path: Path | None, environment: Mapping[str, str]) -> tuple[Settings, dict[str, str]]:
    """Read and check the settings; also returns where each set key came from (`jobs.flights.x.timeout` → place).

    Raises `ConfigError` with every problem found.
    """
    data, origins, problems = _gathered(path, environment)
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        problems += explained(error.errors(), Settings, origins, otherwise=str(path) if path else "configuration")
        salvaged = _salvaged(data, error, origins)
        wrong = {e["loc"][0] for e in error.errors()}
        if salvaged is not None and wrong.isdisjoint(channel_settings.ChannelsSettings.model_fields):
            problems += channel_settings.problems(salvaged[0])
        raise ConfigError(problems, salvaged) from None
    listens = {f"{name}.listen": getattr(settings, name).listen for name in ("metrics", "admin", "public")}
    if problems := problems + channel_settings.problems(settings) + setting_addresses.clashes(listens):
        raise ConfigError(problems, (settings, origins))
    return settings, origins


def _gathered(path: Path | None, environment: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str], list[str]]:
    """What all sources say, where each key came from, and what is wrong with the environment's own names."""
    origins: dict[str, str] = {}
    data: dict[str, Any] = {}
    problems: list[str] = []
    ours = [(_environment(environment), "environment"), (_credentials(environment), "credential")]
    sources = [*_aliases(environment), *ours]
    if path is not None:
        data = _read_toml(path)
        profile, name = _profile(data, environment, path)
        _unquote_jobs(data)
        _unquote_jobs(profile)
        sources.insert(0, (profile, f"{path} [profile.{name}]"))
        _note_origins(data, str(path), origins)
    suites = next((tree["suites"] for tree, _ in reversed([(data, ""), *sources]) if "suites" in tree), None)
    if isinstance(suites, list):
        for variable, place, value in suite_environment.read(map(str, suites), environment, problems):
            theirs: dict[str, Any] = {}
            _put(theirs, list(place), value)
            sources.insert(len(sources) - len(ours), (theirs, f"environment ({variable})"))
    for source, origin in sources:
        _merge(data, source)
        _note_origins(source, origin, origins)
    return data, origins, problems


def _profile(data: dict[str, Any], environment: Mapping[str, str], path: Path) -> tuple[dict[str, Any], str]:
    """The section that SEXTON_PROFILE names, else NODE_ENV, taken out with the others. NODE_ENV is other programs' too,
    so a value without a section says nothing. Raises `ConfigError` for a SEXTON_PROFILE without one."""
    profiles = data.pop("profile", {})
    if not isinstance(profiles, dict) or not all(isinstance(section, dict) for section in profiles.values()):
        raise ConfigError([f"{path}: profile: write sections, such as [profile.production.log]"])
    wanted, other = environment.get("SEXTON_PROFILE", ""), environment.get("NODE_ENV", "")
    if wanted and wanted not in profiles:
        raise ConfigError([f"SEXTON_PROFILE: {path} has no [profile.{wanted}]{did_you_mean(wanted, profiles)}"])
    name = wanted or other
    return profiles.get(name, {}), name


def _salvaged(
    data: dict[str, Any], error: ValidationError, origins: dict[str, str]
) -> tuple[Settings, dict[str, str]] | None:
    """What is left without the wrong keys; None without `suites`, whose absence would only invent problems."""
    for wrong in error.errors():
        if wrong["loc"][0] == "suites":
            return None
        _drop(data, wrong["loc"])
    try:
        return Settings.model_validate(data), origins
    except ValidationError:
        return None


def _drop(branch: dict[str, Any], path: tuple[int | str, ...]) -> None:
    """Take out what is at this path; where it is inside a list, the whole list."""
    *sections, last = path
    for key in sections:
        if not isinstance(branch.get(str(key)), dict):
            last = key
            break
        branch = branch[str(key)]
    branch.pop(str(last), None)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError([f"{path}: no such file; name another with --config"]) from None
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: not valid TOML: {error}"]) from None


def _unquote_jobs(tree: dict[str, Any]) -> None:
    """`[jobs."flights.invoice_overdue"]`, as the job is called everywhere else, is `[jobs.flights.invoice_overdue]`.

    One that is there in both ways is left as it is, and is an error.
    """
    jobs = tree.get("jobs")
    if not isinstance(jobs, dict):
        return
    for whole, section in list(jobs.items()):
        suite, dot, job = whole.partition(".")
        if dot and isinstance(section, dict):
            sections = jobs.setdefault(suite, {})
            if isinstance(sections, dict) and job not in sections:
                sections[job] = jobs.pop(whole)


def _aliases(environment: Mapping[str, str]) -> Iterator[tuple[dict[str, Any], str]]:
    """The usual names (SMTP_HOST, LOG_LEVEL), each as a place of its own: who set one need not know our key."""
    for name, path in ENVIRONMENT_ALIASES.items():
        if environment.get(name):
            tree: dict[str, Any] = {}
            _put(tree, list(path), environment[name])
            yield tree, f"environment ({name})"


def _environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """`SEXTON_NODE__LEASE=2s` → node.lease; `SEXTON_JOBS__FLIGHTS__INVOICE_OVERDUE__ENABLED=false` likewise.

    A name with `__` whose first part is no section is an error; other SEXTON_ names are somebody else's.
    """
    tree: dict[str, Any] = {}
    for name, value in sorted(environment.items()):
        if name.startswith(PREFIX) and name not in NOT_SETTINGS:
            path = name[len(PREFIX) :].lower().split("__")
            if path[0] in Settings.model_fields or len(path) > 1:
                _put(tree, path, _listed(path, value))
    return tree


def _listed(path: list[str], value: str) -> object:
    """Environment variables have no lists: `SEXTON_SUITES=workers.flights,workers.tutoring`."""
    if path[-1] in LISTS:
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _credentials(environment: Mapping[str, str]) -> dict[str, Any]:
    """systemd's `LoadCredential=database.url:/etc/…` arrives as a file named like the key.

    `LoadCredential=sexton:/etc/sexton/credentials`, of a directory, arrives as `sexton_database.url`: these are all
    meant for us, so a name that is no setting is an error; other names without it are somebody else's.
    """
    folder = environment.get("CREDENTIALS_DIRECTORY")
    tree: dict[str, Any] = {}
    if folder:
        try:
            for file in sorted(Path(folder).iterdir()):
                name = file.name.removeprefix(CREDENTIAL_PREFIX)
                path = list(CREDENTIAL_ALIASES.get(name, name.split(".")))
                if name != file.name or path[0] in Settings.model_fields:
                    _put(tree, path, file.read_text(encoding="utf-8").strip())
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError([f"$CREDENTIALS_DIRECTORY: cannot be read: {error}"]) from None
    return tree


def _put(tree: dict[str, Any], path: list[str], value: object) -> None:
    for part in path[:-1]:
        branch = tree.setdefault(part, {})
        tree = branch if isinstance(branch, dict) else {}
    tree[path[-1]] = value


def _merge(base: dict[str, Any], over: Mapping[str, Any]) -> None:
    for key, value in over.items():
        if isinstance(value, Mapping) and isinstance(base.get(key), dict):
            _merge(base[key], value)
        else:
            base[key] = value


def _note_origins(tree: Mapping[str, Any], place: str, origins: dict[str, str], prefix: str = "") -> None:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            _note_origins(value, place, origins, f"{prefix}{key}.")
        else:
            origins[prefix + key] = place
