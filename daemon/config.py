"""Settings: defaults ← config.toml ← environment ← systemd credentials. All errors at once, each with its remedy."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from daemon.naming import did_you_mean
from daemon.settings import JobSettings, Settings

PREFIX = "SEXTON_"
NOT_SETTINGS = {"SEXTON_CONFIG", "SEXTON_PG_BINDIR", "SEXTON_WORKER_DATABASE_URL"}
LISTS = {"suites", "requires", "after"}


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
    origins: dict[str, str] = {}
    data: dict[str, Any] = {}
    if path is not None:
        data = _read_toml(path)
        _note_origins(data, str(path), origins)
    for source, place in (
        (_environment(environment), "environment"),
        (_credentials(environment), "credential"),
    ):
        _merge(data, source)
        _note_origins(source, place, origins)
    try:
        return Settings.model_validate(data), origins
    except ValidationError as error:
        problems = [_explain(e, origins, path) for e in error.errors()]
        raise ConfigError(problems, _salvaged(data, error, origins)) from None


def _salvaged(
    data: dict[str, Any], error: ValidationError, origins: dict[str, str]
) -> tuple[Settings, dict[str, str]] | None:
    """What is left without the wrong keys; None without `suites`, whose absence would only invent problems."""
    for wrong in error.errors():
        if wrong["loc"][0] == "suites":
            return None
        branch: Any = data
        for key in wrong["loc"][:-1]:
            branch = branch.get(key) if isinstance(branch, dict) else None
        if isinstance(branch, dict):
            branch.pop(wrong["loc"][-1], None)
    try:
        return Settings.model_validate(data), origins
    except ValidationError:
        return None


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError([f"{path}: no such file; name another with --config"]) from None
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: not valid TOML: {error}"]) from None


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
    """systemd's `LoadCredential=database.url:/etc/…` arrives as a file named like the key."""
    folder = environment.get("CREDENTIALS_DIRECTORY")
    tree: dict[str, Any] = {}
    if folder:
        try:
            for file in sorted(Path(folder).iterdir()):
                path = file.name.split(".")
                if path[0] in Settings.model_fields:
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


def _explain(error: ErrorDetails, origins: Mapping[str, str], path: Path | None) -> str:
    keys = [str(part) for part in error["loc"]]
    dotted = ".".join(keys)
    inside = (place for key, place in origins.items() if key == dotted or key.startswith(dotted + "."))
    place = next(inside, str(path) if path else "configuration")
    if error["type"] == "extra_forbidden":
        return f"{place}: unknown key {dotted!r}{did_you_mean(keys[-1], _siblings(keys[:-1]))}"
    message = error["msg"].removeprefix("Value error, ")
    return f"{place}: {dotted} = {shown(keys[-1], error['input'])}: {message[:1].lower()}{message[1:]}"


def shown(key: str, value: object) -> str:
    """Values that may be secret, or may hold one, are not repeated."""
    secret = any(word in key for word in ("url", "password", "secret", "token", "key"))
    return "(not shown)" if secret or "://" in str(value) or isinstance(value, Mapping) else repr(value)


def _siblings(path: list[str]) -> list[str]:
    """The keys that could have stood where an unknown one does."""
    if path[:1] == ["jobs"]:
        return list(JobSettings.model_fields) if len(path) == 3 else []
    fields = Settings.model_fields
    if not path:
        return list(fields)
    section = fields[path[0]].annotation if path[0] in fields else None
    return list(section.model_fields) if isinstance(section, type) and issubclass(section, BaseModel) else []
