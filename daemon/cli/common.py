"""What every command needs: the configuration, the catalogue, and errors without tracebacks.

Imported for `sexton --help` too, so pydantic and the suites are loaded only when a command asks.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from daemon.catalogue import Catalogue
    from daemon.settings import Settings

T = TypeVar("T")


class CommandFailed(Exception):
    """The operation failed: exit 1 with this sentence."""


class BadUsage(Exception):
    """The command was given something it cannot use: exit 2 with this sentence."""


@dataclass
class Invocation:
    """One run of the command line. Settings and catalogue are read when first needed."""

    config_path: Path | None = None

    @cached_property
    def loaded(self) -> tuple[Settings, dict[str, str]]:
        """Settings and where each set key came from. Raises `ConfigError` with the suites' problems as well."""
        from daemon import catalogue, config

        try:
            return config.load(config.find_config(self.config_path), os.environ)
        except config.ConfigError as error:
            if error.salvaged is None:
                raise
            usable, problems = error.salvaged, error.problems
        try:
            catalogue.load(*usable)
        except config.ConfigError as further:
            problems += further.problems
        raise config.ConfigError(problems)

    @property
    def settings(self) -> Settings:
        return self.loaded[0]

    @cached_property
    def catalogue(self) -> Catalogue:
        from daemon import catalogue

        settings, origins = self.loaded
        return catalogue.load(settings, origins)

    def reread(self) -> tuple[Settings, Catalogue]:
        """Everything anew, for SIGHUP. Raises `ConfigError`."""
        fresh = Invocation(self.config_path)
        return fresh.settings, fresh.catalogue


def run_async(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run on uvloop, as the daemon does."""
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main())
