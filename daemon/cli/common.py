"""What every command needs: the configuration, the catalogue, and errors without tracebacks."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from daemon import catalogue, config
from daemon.catalogue import Catalogue
from daemon.settings import Settings

T = TypeVar("T")


class CommandFailed(Exception):
    """The operation failed: exit 1 with this sentence."""


@dataclass
class Invocation:
    """One run of the command line. Settings and catalogue are read when first needed."""

    config_path: Path | None = None

    @cached_property
    def loaded(self) -> tuple[Settings, dict[str, str]]:
        return config.load(config.find_config(self.config_path), os.environ)

    @property
    def settings(self) -> Settings:
        return self.loaded[0]

    @cached_property
    def catalogue(self) -> Catalogue:
        settings, origins = self.loaded
        return catalogue.load(settings, origins)

    def reread(self) -> tuple[Settings, Catalogue]:
        settings, origins = config.load(config.find_config(self.config_path), os.environ)
        return settings, catalogue.load(settings, origins)


def run_async(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run on uvloop, as the daemon does."""
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main())
