"""Every setting the engine has, typed, with its default and its bounds. `config.toml` shows them with their reasons."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from daemon import setting_addresses as addresses
from daemon.admin_settings import AdminSettings
from daemon.backup_settings import BackupSettings
from daemon.channel_settings import ChannelsSettings
from daemon.setting_types import Duration, PositiveDuration, Section, parse_duration

__all__ = ["Duration", "PositiveDuration", "Section", "Settings", "parse_duration"]


SHORTEST_LEASE = timedelta(milliseconds=500)


def _renewable(lease: timedelta) -> timedelta:
    if lease < SHORTEST_LEASE:
        raise ValueError('write at least "500ms": a node has to renew it in time even when the database is slow')
    return lease


class DatabaseSettings(Section):
    url: Annotated[str, AfterValidator(addresses.database_url)] = "embedded"
    direct_url: Annotated[str, AfterValidator(addresses.direct_url)] = ""
    pool: int = Field(default=20, ge=1, le=500)
    statement_cache: int = Field(default=256, ge=0)
    state_dir: str = ""
    fsync: bool = True


class NodeSettings(Section):
    name: str = ""
    jobs_enabled: bool = True
    slots: int = Field(default=20, ge=1, le=100_000)
    lease: Annotated[PositiveDuration, AfterValidator(_renewable)] = timedelta(seconds=30)
    drain_timeout: Duration = timedelta(seconds=30)


class PoolSettings(Section):
    size: int = Field(default=5, ge=1, le=5)
    max_tasks: int = Field(default=1000, ge=1)
    max_rss_mb: int = Field(default=1024, ge=64)


class QueueSettings(Section):
    retry_delay: PositiveDuration = timedelta(seconds=30)


class MetricsSettings(Section):
    listen: Annotated[str, AfterValidator(addresses.listen_address)] = "127.0.0.1:9464"


def _level_as_we_write_it(text: object) -> object:
    """Other programs' environments say WARN."""
    if not isinstance(text, str):
        return text
    return {"warn": "warning"}.get(text.lower(), text.lower())


Level = Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_level_as_we_write_it)]


class LogSettings(Section):
    level: Level = "info"
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


class Settings(ChannelsSettings):
    """The whole configuration, validated. `jobs` is by suite, then job; `suite` is each suite's own section."""

    suites: tuple[str, ...] = ("workers.flights",)
    database: DatabaseSettings = DatabaseSettings()
    node: NodeSettings = NodeSettings()
    pool: PoolSettings = PoolSettings()
    queues: QueueSettings = QueueSettings()
    metrics: MetricsSettings = MetricsSettings()
    admin: AdminSettings = AdminSettings()
    log: LogSettings = LogSettings()
    backup: BackupSettings = BackupSettings()
    jobs: dict[str, dict[str, JobSettings]] = Field(default_factory=dict)
    suite: dict[str, dict[str, Any]] = Field(default_factory=dict)

    @property
    def state_dir(self) -> Path:
        """Where the embedded database and the lock live: setting, `$STATE_DIRECTORY`, else the XDG state home."""
        if self.database.state_dir:
            return Path(self.database.state_dir).expanduser().absolute()
        if systemd := os.environ.get("STATE_DIRECTORY"):
            return Path(systemd.split(":")[0])
        home = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
        return Path(home).expanduser() / "sexton"

    @property
    def backup_directory(self) -> Path:
        """Where backups stand: the setting, else `backups` in the state directory."""
        if self.backup.directory:
            return Path(self.backup.directory).expanduser()
        return self.state_dir / "backups"
