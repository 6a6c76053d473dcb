"""Every setting the engine has, typed, with its default and its bounds. `config.toml` shows them with their reasons."""

from __future__ import annotations

import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d)?\s*")


def parse_duration(value: object) -> object:
    """`30`, `"30s"`, `"10m"`, `"6h"`, `"31d"` → timedelta. Raises `ValueError` for other text."""
    if isinstance(value, timedelta):
        return value
    seconds = float("nan")
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = value
    elif isinstance(value, str) and (match := DURATION.fullmatch(value)):
        seconds = float(match[1]) * UNITS[match[2] or "s"]
    try:
        return timedelta(seconds=seconds)
    except (ValueError, OverflowError):  # not a number, infinite, or longer than time itself
        raise ValueError('write a duration as seconds or text such as "30s", "10m", "6h"') from None


Duration = Annotated[timedelta, BeforeValidator(parse_duration), Field(ge=timedelta(0))]
PositiveDuration = Annotated[timedelta, BeforeValidator(parse_duration), Field(gt=timedelta(0))]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DatabaseSettings(Section):
    url: str = "embedded"
    direct_url: str = ""
    pool: int = Field(default=20, ge=1, le=500)
    statement_cache: int = Field(default=256, ge=0)
    state_dir: str = ""
    fsync: bool = True


class NodeSettings(Section):
    name: str = ""
    slots: int = Field(default=20, ge=1, le=100_000)
    lease: PositiveDuration = timedelta(seconds=30)
    drain_timeout: Duration = timedelta(seconds=30)


class PoolSettings(Section):
    size: int = Field(default=5, ge=1, le=5)
    max_tasks: int = Field(default=1000, ge=1)
    max_rss_mb: int = Field(default=1024, ge=64)


class QueueSettings(Section):
    retry_delay: PositiveDuration = timedelta(seconds=30)


class MetricsSettings(Section):
    listen: str = Field(default="127.0.0.1:9464", pattern=r"^(off|.*:\d{1,5})$")


class LogSettings(Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "console", "json"] = "auto"


class JobSettings(Section):
    """What an operator may say about one job; absent means: as its decorator says."""

    enabled: bool | None = None
    schedule: str | None = None
    timezone: str | None = None
    timeout: PositiveDuration | None = None
    retries: int | None = Field(default=None, ge=0, le=100)
    retry_delay: PositiveDuration | None = None
    priority: Literal["critical", "high", "medium", "low"] | None = None
    catch_up: str | None = None
    max_lateness: PositiveDuration | None = None
    overlap: Literal["skip", "queue", "allow"] | None = None
    requires: tuple[str, ...] | None = None
    after: tuple[str, ...] | None = None
    dependency_timeout: PositiveDuration | None = None
    expected: PositiveDuration | None = None
    retention: PositiveDuration | None = None


class Settings(Section):
    """The whole configuration, validated. `jobs` is by suite, then job; `suite` is each suite's own section."""

    suites: tuple[str, ...] = ("workers.flights",)
    database: DatabaseSettings = DatabaseSettings()
    node: NodeSettings = NodeSettings()
    pool: PoolSettings = PoolSettings()
    queues: QueueSettings = QueueSettings()
    metrics: MetricsSettings = MetricsSettings()
    log: LogSettings = LogSettings()
    jobs: dict[str, dict[str, JobSettings]] = {}
    suite: dict[str, dict[str, Any]] = {}

    @property
    def state_dir(self) -> Path:
        """Where the embedded database and the lock live: setting, `$STATE_DIRECTORY`, else the XDG state home."""
        if self.database.state_dir:
            return Path(self.database.state_dir).expanduser().absolute()
        if systemd := os.environ.get("STATE_DIRECTORY"):
            return Path(systemd.split(":")[0])
        home = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
        return Path(home).expanduser() / "sexton"
