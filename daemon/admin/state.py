"""What a request may reach: one value, made with the server."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated

from fastapi import Depends, Request

from daemon import suite_reports
from daemon.admin.crowd import MOST_REQUESTS
from daemon.admin.database import AdminDatabase
from daemon.admin.live import Live
from daemon.admin.throttle import Throttle
from daemon.catalogue import Catalogue
from daemon.config import ConfigError
from daemon.doorkeeper import Doorkeeper
from daemon.engine import Engine
from daemon.settings import Settings


@dataclass(frozen=True)
class AdminState:
    """`key` signs tokens. `live` is what pages watch. `started` is when, on the monotonic clock."""

    engine: Engine
    database: AdminDatabase
    key: str
    logins: Throttle = field(default_factory=Throttle)
    tokens: Throttle = field(default_factory=lambda: Throttle(most=100))
    live: Live = field(default_factory=Live)
    started: float = field(default_factory=time.monotonic)

    @cached_property
    def doorkeeper(self) -> Doorkeeper:
        return Doorkeeper("admin", MOST_REQUESTS, self.engine.emit)

    @cached_property
    def reports(self) -> suite_reports.Reports:
        """Raises `ConfigError` with everything that is wrong with any of them; asked for before the server starts."""
        problems: list[str] = []
        found = suite_reports.read(self.catalogue.packages, problems)
        if problems:
            raise ConfigError(problems)
        return found

    @property
    def leaving(self) -> asyncio.Event:
        """Set when the server stops: whoever streams ends then."""
        return self.live.leaving

    @property
    def settings(self) -> Settings:
        return self.engine.settings

    @property
    def catalogue(self) -> Catalogue:
        """The jobs as configured now: a reload replaces it."""
        return self.engine.roster.catalogue


def state_of(request: Request) -> AdminState:
    state = request.app.state.admin
    assert isinstance(state, AdminState)
    return state


State = Annotated[AdminState, Depends(state_of)]
